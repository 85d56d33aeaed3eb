// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes KVM's modules out and puts them in again, with a TD in between, and
 * looks for memory and KeyIDs that the kernel or the TDX module did not get back.
 *
 *	reload COUNT WARM_UP TOLERANCE_KB TEST ARG... -- MODULE... [-- PARAM]
 *
 * The modules are loaded when it starts and when it ends, in the order in which
 * they are named; PARAM is of the last one.  What is free after WARM_UP times
 * must be free after COUNT times.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SIM_PAGES	"/sys/kernel/debug/tdx_sim/pages"
#define SIM_KEYIDS	"/sys/kernel/debug/tdx_sim/keyids"
#define DROP_CACHES	"/proc/sys/vm/drop_caches"

struct holdings {
	long free_kb;
	char module[512];	/* of the TDX module: pages and KeyIDs */
};

static char **modules;
static int nr_modules;
static const char *last_param = "";

static int fail(const char *what, const char *name)
{
	printf("# reload: %s %s: %s\n", what, name, strerror(errno));
	return -1;
}

static int read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = 0, got;

	if (fd < 0)
		return fail("open", path);
	while ((got = read(fd, text + len, size - 1 - len)) > 0)
		len += got;
	close(fd);
	text[len] = '\0';
	return got < 0 ? fail("read", path) : 0;
}

static int unload(const char *path)
{
	char name[64], *c;

	snprintf(name, sizeof(name), "%s", strrchr(path, '/') + 1);
	name[strcspn(name, ".")] = '\0';
	for (c = name; *c; c++) {
		if (*c == '-')
			*c = '_';
	}
	/* The kernel destroys a VM a moment after its program ended. */
	for (int i = 0; i < 100; i++) {
		if (!syscall(SYS_delete_module, name, O_NONBLOCK))
			return 0;
		if (errno != EWOULDBLOCK && errno != EBUSY)
			break;
		usleep(10000);
	}
	return fail("unload", name);
}

static int load(const char *path, const char *param)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return fail("open", path);
	ret = syscall(SYS_finit_module, fd, param, 0);
	close(fd);
	return ret ? fail("load", path) : 0;
}

/* The test's own output would be KTAP within KTAP: only its result counts. */
static int run_test(char **argv)
{
	int status, null;
	pid_t pid = fork();

	if (!pid) {
		null = open("/dev/null", O_WRONLY);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return fail("run", argv[0]);
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		printf("# reload: %s: wait status 0x%x\n", argv[0], status);
		return -1;
	}
	return 0;
}

/* Free memory, after the kernel has freed what it can. */
static int take_stock(struct holdings *holdings)
{
	char text[4096], *line;
	size_t used;
	FILE *f;

	f = fopen(DROP_CACHES, "w");
	if (f) {
		fputs("3", f);
		fclose(f);
	}
	/* RCU and work queues still have memory to free. */
	sleep(1);

	if (read_text("/proc/meminfo", text, sizeof(text)))
		return -1;
	line = strstr(text, "MemFree:");
	holdings->free_kb = line ? atol(line + strlen("MemFree:")) : -1;

	holdings->module[0] = '\0';
	if (access(SIM_PAGES, R_OK))
		return 0;
	if (read_text(SIM_PAGES, holdings->module, sizeof(holdings->module)))
		return -1;
	used = strlen(holdings->module);
	return read_text(SIM_KEYIDS, holdings->module + used,
			 sizeof(holdings->module) - used);
}

static int reload_once(char **test)
{
	int i;

	for (i = nr_modules - 1; i >= 0; i--) {
		if (unload(modules[i]))
			return -1;
	}
	for (i = 0; i < nr_modules; i++) {
		if (load(modules[i], i == nr_modules - 1 ? last_param : ""))
			return -1;
	}
	return run_test(test);
}

static void print_lines(const char *title, char *text)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		if (*line)
			printf("# reload: %s: %s\n", title, line);
	}
}

static bool same(struct holdings *before, struct holdings *after, long tolerance_kb)
{
	bool ok = true;

	printf("# reload: free memory: %ld kB after the warm-up, %ld kB at the end\n",
	       before->free_kb, after->free_kb);
	if (before->free_kb - after->free_kb > tolerance_kb) {
		printf("# reload: free memory: wanted no more than %ld kB less, got %ld\n",
		       tolerance_kb, before->free_kb - after->free_kb);
		ok = false;
	}
	if (strcmp(before->module, after->module)) {
		print_lines("wanted the TDX module to hold", before->module);
		print_lines("got", after->module);
		ok = false;
	}
	return ok;
}

int main(int argc, char **argv)
{
	struct holdings before = {}, after = {};
	int count, warm_up, tolerance_kb, i;
	char **test;

	if (argc < 8)
		return 2;
	count = atoi(argv[1]);
	warm_up = atoi(argv[2]);
	tolerance_kb = atoi(argv[3]);
	test = &argv[4];
	for (i = 5; i < argc && strcmp(argv[i], "--"); i++)
		;
	if (i + 1 >= argc)
		return 2;
	argv[i++] = NULL;
	modules = &argv[i];
	for (; i < argc && strcmp(argv[i], "--"); i++)
		nr_modules++;
	if (i + 1 < argc)
		last_param = argv[i + 1];

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..1\n");
	for (i = 1; i <= count; i++) {
		if (reload_once(test)) {
			printf("not ok 1 reload # time %d of %d\n", i, count);
			return 1;
		}
		if (i == warm_up && take_stock(&before))
			return 1;
		/* The tool ends a guest that says nothing for long. */
		if (!(i % 10))
			printf("# reload: %d of %d times\n", i, count);
	}
	if (take_stock(&after) || !same(&before, &after, tolerance_kb)) {
		printf("not ok 1 reload\n");
		return 1;
	}
	printf("ok 1 reload\n");
	return 0;
}
