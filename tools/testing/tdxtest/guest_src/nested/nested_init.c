// SPDX-License-Identifier: GPL-2.0-only
/*
 * Process 1 of an emulated host: loads KVM and runs a VMM, whose guest is the one that the tool
 * judges.
 *
 * What to do comes from a plan file that the tool writes into the initramfs:
 *
 *	module FILE [PARAM=V]	insert a module
 *	console FILE		to which the VMM appends what its guest prints
 *	output FILE		for what the VMM itself prints
 *	timeout SECONDS		of this host's time, for the guest to print another line
 *	arg WORD		the VMM and its arguments, one a line
 *
 * Lines of the guest go to this host's console as they are, whole ones only, so that the tool
 * sees the console of the guest. This program adds comments of KTAP, and "Bail out!" for a guest
 * that did not come to its end.
 *
 * Run by another process than the kernel, with the path of a plan, it mounts nothing and exits.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../guest_end.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

#define PLAN_FILE	"/etc/nested-plan"
#define MAX_ARGS	64
#define POLL_US		(20 * 1000)
/* The tool ends a machine that is silent. In this host's time. */
#define BEAT_S		5

static struct {
	char console[128], output[128];
	double timeout_s;
	char *argv[MAX_ARGS + 1];
	unsigned int nr_args;
} plan;

/* A file that another process appends to, and the start of its last line. */
struct tail {
	int fd;
	char buf[4096];
	size_t used;
};

static void mount_all(void)
{
	static const struct {
		const char *type, *dir;
	} mounts[] = {
		{ "devtmpfs", "/dev" },
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
		{ "tmpfs", "/tmp" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mounts); i++) {
		mkdir(mounts[i].dir, 0755);
		if (mount(mounts[i].type, mounts[i].dir, mounts[i].type, 0, NULL) &&
		    errno != EBUSY)
			bail_out("mount %s on %s: %s", mounts[i].type, mounts[i].dir,
				 strerror(errno));
	}
}

/* text: the path of a module, and its parameters. */
static void load(char *text)
{
	char *params = strchrnul(text, ' ');
	int fd;

	if (*params)
		*params++ = '\0';
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, params, 0))
		bail_out("%s %s: %s", text, params, strerror(errno));
	close(fd);
}

static void read_plan(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[1024];

	if (!f)
		bail_out("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		char *value = strchrnul(line, ' ');

		line[strcspn(line, "\n")] = '\0';
		if (*value)
			*value++ = '\0';
		if (!strcmp(line, "module"))
			load(value);
		else if (!strcmp(line, "console"))
			snprintf(plan.console, sizeof(plan.console), "%s", value);
		else if (!strcmp(line, "output"))
			snprintf(plan.output, sizeof(plan.output), "%s", value);
		else if (!strcmp(line, "timeout"))
			plan.timeout_s = strtod(value, NULL);
		else if (!strcmp(line, "arg") && plan.nr_args < MAX_ARGS)
			plan.argv[plan.nr_args++] = strdup(value);
		else
			bail_out("%s: unknown line, or too many: %s %s", path, line, value);
	}
	fclose(f);
	if (!plan.nr_args || !*plan.console || !*plan.output || plan.timeout_s <= 0)
		bail_out("%s: wanted console, output, timeout and arg", path);
}

static pid_t start_vmm(void)
{
	pid_t pid = fork();
	int null, out;

	if (pid)
		return pid;
	null = open("/dev/null", O_RDONLY);
	out = open(plan.output, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execv(plan.argv[0], plan.argv);
	fprintf(stderr, "exec %s: %s\n", plan.argv[0], strerror(errno));
	_exit(127);
}

/*
 * Print the new lines of a file, each with a prefix. A line that is too long is cut in two.
 *
 * @rest: print what is left of a last line as well.
 *
 * Return: whether there was any.
 */
static bool print_lines(struct tail *tail, const char *path, const char *prefix, bool rest)
{
	bool any = false;
	ssize_t got;
	char *end;

	if (tail->fd < 0)
		tail->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (tail->fd < 0)
		return false;
	while ((got = read(tail->fd, tail->buf + tail->used,
			   sizeof(tail->buf) - tail->used)) > 0) {
		any = true;
		tail->used += got;
		while ((end = memchr(tail->buf, '\n', tail->used))) {
			size_t len = end + 1 - tail->buf;

			/* The console puts a CR of its own before a LF. */
			printf("%s%.*s\n", prefix,
			       (int)(len - 1 - (len > 1 && end[-1] == '\r')), tail->buf);
			tail->used -= len;
			memmove(tail->buf, end + 1, tail->used);
		}
		if (tail->used < sizeof(tail->buf))
			continue;
		printf("%s%.*s\n", prefix, (int)tail->used, tail->buf);
		tail->used = 0;
	}
	if (rest && tail->used) {
		printf("%s%.*s\n", prefix, (int)tail->used, tail->buf);
		tail->used = 0;
	}
	return any;
}

/* Show what the guest prints until the VMM ends. Gives its status, as of waitpid(). */
static int follow(pid_t pid)
{
	struct tail guest = { .fd = -1 }, vmm = { .fd = -1 };
	double heard = now(), told = heard;
	bool ended = false;
	int status = 0;

	while (!ended) {
		/* What was written before the end is read after it. */
		ended = waitpid(pid, &status, WNOHANG) == pid;
		if (print_lines(&guest, plan.console, "", ended))
			heard = now();
		print_lines(&vmm, plan.output, "# vmm: ", ended);
		if (now() - heard > plan.timeout_s) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			print_lines(&guest, plan.console, "# unfinished: ", true);
			bail_out("the guest of %s printed nothing for %.0f s of its host's time",
				 plan.argv[0], plan.timeout_s);
		}
		if (now() - (told > heard ? told : heard) > BEAT_S) {
			told = now();
			printf("# host: at %.0f s, nothing of the guest for %.0f s\n", told,
			       told - heard);
		}
		if (!ended)
			usleep(POLL_US);
	}
	return status;
}

int main(int argc, char **argv)
{
	int status;

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* The kernel gives process 1 what it does not know of its own command line. */
	if (getpid() == 1) {
		mount_all();
		read_plan(PLAN_FILE);
	} else {
		read_plan(argc > 1 ? argv[1] : "");
	}
	printf("# host: the VMM starts at %.1f s\n", now());
	status = follow(start_vmm());
	/* The tool ends the machine after a restart of the guest: it need not come to this. */
	if (WIFSIGNALED(status))
		bail_out("the VMM was ended by signal %d", WTERMSIG(status));
	bail_out("the VMM ended with status %d", WEXITSTATUS(status));
}
