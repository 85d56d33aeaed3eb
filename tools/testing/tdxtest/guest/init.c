// SPDX-License-Identifier: GPL-2.0-only
/*
 * Process 1 of the guest: loads KVM, runs the listed tests, powers off.
 *
 * What to do comes from a plan file that the tool writes into the initramfs:
 *
 *	watermark TEXT		the boot log must hold TEXT
 *	module FILE [PARAM=V]	insert a module; taken out again at the end
 *	timeout SECONDS		of each test after this line, in guest time
 *	env NAME=VALUE		environment of the tests
 *	test NAME [ARG]...	run /tests/NAME
 *	shell			give an interactive shell on the console
 *
 * Everything on the console after the KTAP version line is KTAP: the output of
 * a test is nested by two spaces, a record of the kernel log is a comment.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "klog.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

#define PLAN_FILE	"/etc/plan"
#define PATTERNS_FILE	"/etc/kernel-warnings.list"
#define MAX_STEPS	128
/* A pattern may choose every case of a test, two arguments each. */
#define MAX_ARGS	1024

/* KSFT_SKIP of tools/testing/selftests/kselftest.h. */
#define EXIT_SKIP	4
/* KERN_EMERG only: a line of the kernel inside a KTAP line would break it. */
#define QUIET_CONSOLE	1
#define SYSLOG_ACTION_CONSOLE_LEVEL	8

struct step {
	int argc;
	char *argv[MAX_ARGS + 1];
	int timeout_s;
};

static struct step modules[MAX_STEPS], tests[MAX_STEPS];
static unsigned int nr_modules, nr_tests, test_number;
static const char *watermark;
static bool want_shell;
static int kmsg_fd;

static void power_off(void)
{
	fflush(stdout);
	sync();
	/* Let the last characters leave the UART. */
	tcdrain(STDOUT_FILENO);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void bail_out(const char *fmt, ...)
{
	va_list args;

	printf("Bail out! ");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	power_off();
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void mount_all(void)
{
	static const struct {
		const char *type, *dir;
		bool optional;
	} mounts[] = {
		{ .type = "devtmpfs", .dir = "/dev" },
		{ .type = "proc",     .dir = "/proc" },
		{ .type = "sysfs",    .dir = "/sys" },
		{ .type = "tmpfs",    .dir = "/tmp" },
		{ .type = "debugfs",  .dir = "/sys/kernel/debug",   .optional = true },
		{ .type = "tracefs",  .dir = "/sys/kernel/tracing", .optional = true },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mounts); i++) {
		mkdir(mounts[i].dir, 0755);
		/* The kernel has mounted devtmpfs when it could: EBUSY. */
		if (mount(mounts[i].type, mounts[i].dir, mounts[i].type, 0, NULL) &&
		    errno != EBUSY && !mounts[i].optional)
			bail_out("mount %s on %s: %s", mounts[i].type,
				 mounts[i].dir, strerror(errno));
	}
}

static void add_step(struct step *steps, unsigned int *nr, char *words,
		     int timeout_s)
{
	struct step *step = &steps[*nr];

	if (*nr == MAX_STEPS)
		bail_out("%s: more than %d steps", PLAN_FILE, MAX_STEPS);

	step->timeout_s = timeout_s;
	while (words) {
		char *word = strsep(&words, " ");

		if (!*word)
			continue;
		if (step->argc == MAX_ARGS)
			bail_out("%s: more than %d words for %s", PLAN_FILE,
				 MAX_ARGS, step->argv[0]);
		step->argv[step->argc++] = strdup(word);
	}
	if (!step->argc)
		bail_out("%s: a step without a name", PLAN_FILE);
	(*nr)++;
}

static void read_plan(void)
{
	char *line = NULL, *rest, *verb;
	int timeout_s = 600;
	size_t size = 0;
	FILE *f;

	f = fopen(PLAN_FILE, "r");
	if (!f)
		bail_out("%s: %s", PLAN_FILE, strerror(errno));

	while (getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		rest = line;
		verb = strsep(&rest, " ");
		if (!*verb || *verb == '#')
			continue;
		if (!strcmp(verb, "shell"))
			want_shell = true;
		else if (!rest)
			bail_out("%s: '%s' needs an argument", PLAN_FILE, verb);
		else if (!strcmp(verb, "watermark"))
			watermark = strdup(rest);
		else if (!strcmp(verb, "timeout"))
			timeout_s = atoi(rest);
		else if (!strcmp(verb, "env"))
			putenv(strdup(rest));
		else if (!strcmp(verb, "module"))
			add_step(modules, &nr_modules, rest, timeout_s);
		else if (!strcmp(verb, "test"))
			add_step(tests, &nr_tests, rest, timeout_s);
		else
			bail_out("%s: unknown word '%s'", PLAN_FILE, verb);
	}
	free(line);
	fclose(f);
}

/*
 * Print the result of a step. A kernel warning during a step that was fine by
 * itself makes it a failure, and one that was not keeps its own reason.
 */
static void report(bool ok, const char *name, unsigned int warnings,
		   double seconds, const char *directive)
{
	if (warnings)
		printf("# %s: the kernel warned %u time(s), first: %s\n", name,
		       warnings, klog_first_warning());
	/* An emulated clock need not run as fast as a real one. */
	printf("# %s: %.2f s of guest time\n", name, seconds);
	printf("%s %u %s%s%s\n", ok && !warnings ? "ok" : "not ok",
	       ++test_number, name, *directive ? " # " : "", directive);
	klog_forget();
}

static void check_boot(void)
{
	unsigned int warnings;
	bool ok = true;

	klog_want(watermark);
	warnings = klog_drain(false);
	if (watermark && !klog_wanted_seen()) {
		printf("# boot: wanted a line with '%s' in the kernel log, found none\n",
		       watermark);
		ok = false;
	}
	report(ok, "boot", warnings, now(), "");
}

static int insert_module(const struct step *module)
{
	char params[256] = "";
	int fd, i, ret;

	for (i = 1; i < module->argc; i++) {
		strncat(params, module->argv[i], sizeof(params) - strlen(params) - 1);
		strncat(params, " ", sizeof(params) - strlen(params) - 1);
	}
	fd = open(module->argv[0], O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = syscall(SYS_finit_module, fd, params, 0);
	close(fd);
	return ret;
}

/* The name under which the kernel knows "/lib/kvm-intel.ko": "kvm_intel". */
static const char *module_name(const char *path)
{
	static char name[64];
	char *c;

	snprintf(name, sizeof(name), "%s", strrchr(path, '/') + 1);
	name[strcspn(name, ".")] = '\0';
	for (c = name; *c; c++) {
		if (*c == '-')
			*c = '_';
	}
	return name;
}

static void load_modules(void)
{
	double start = now();
	unsigned int i;
	bool ok = true;

	for (i = 0; ok && i < nr_modules; i++) {
		if (insert_module(&modules[i])) {
			printf("# load_kvm: %s: %s\n", modules[i].argv[0],
			       strerror(errno));
			ok = false;
		}
	}
	report(ok, "load_kvm", klog_drain(true), now() - start, "");
}

static void unload_modules(void)
{
	double start = now();
	bool ok = true;
	int i;

	for (i = nr_modules - 1; ok && i >= 0; i--) {
		const char *name = module_name(modules[i].argv[0]);

		if (syscall(SYS_delete_module, name, O_NONBLOCK)) {
			printf("# unload_kvm: %s: %s\n", name, strerror(errno));
			ok = false;
		}
	}
	report(ok, "unload_kvm", klog_drain(true), now() - start, "");
}

static pid_t spawn(char *const argv[], int out_fd)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setsid();
	if (out_fd >= 0) {
		dup2(out_fd, STDOUT_FILENO);
		dup2(out_fd, STDERR_FILENO);
	} else {
		ioctl(STDIN_FILENO, TIOCSCTTY, 1);
	}
	execv(argv[0], argv);
	dprintf(STDERR_FILENO, "exec %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* Copy what a test wrote, whole lines only, nested by two spaces. */
static bool copy_lines(int fd, char *buf, size_t size, size_t *used)
{
	ssize_t len = read(fd, buf + *used, size - *used - 1);
	char *line = buf, *end;

	if (len <= 0) {
		if (*used)
			printf("  %.*s\n", (int)*used, buf);
		*used = 0;
		return len < 0 && (errno == EAGAIN || errno == EINTR);
	}

	*used += len;
	buf[*used] = '\0';
	while ((end = memchr(line, '\n', buf + *used - line))) {
		printf("  %.*s\n", (int)(end - line), line);
		line = end + 1;
	}
	*used -= line - buf;
	memmove(buf, line, *used);
	if (*used == size - 1) {
		printf("  %s\n", buf);
		*used = 0;
	}
	return true;
}

/*
 * Follow a test until it closes its output or runs out of time. Gives the
 * number of kernel warnings meanwhile.
 */
static unsigned int follow(int out_fd, double deadline, bool *late)
{
	struct pollfd fds[] = {
		{ .fd = out_fd, .events = POLLIN },
		{ .fd = kmsg_fd, .events = POLLIN },
	};
	static char buf[4096];
	unsigned int warnings = 0;
	size_t used = 0;

	for (;;) {
		poll(fds, ARRAY_SIZE(fds), 1000);
		warnings += klog_drain(true);
		if (fds[0].revents && !copy_lines(out_fd, buf, sizeof(buf), &used))
			return warnings;
		if (now() > deadline && !*late) {
			*late = true;
			/* The harness gives each case a process group. */
			kill(-1, SIGKILL);
		}
	}
}

static void run_test(struct step *test)
{
	const char *name = test->argv[0];
	unsigned int warnings;
	char directive[128] = "", path[256];
	double start = now();
	bool late = false;
	int out[2], status;
	pid_t pid;

	snprintf(path, sizeof(path), "/tests/%s", name);
	test->argv[0] = path;
	if (pipe(out))
		bail_out("pipe: %s", strerror(errno));
	pid = spawn(test->argv, out[1]);
	close(out[1]);
	test->argv[0] = (char *)name;
	if (pid < 0)
		bail_out("fork for %s: %s", name, strerror(errno));

	warnings = follow(out[0], start + test->timeout_s, &late);
	close(out[0]);
	waitpid(pid, &status, 0);
	/* Teardown of the test's VMs logs after its output was closed. */
	warnings += klog_drain(true);

	if (late)
		snprintf(directive, sizeof(directive), "TIMEOUT %d seconds",
			 test->timeout_s);
	else if (WIFSIGNALED(status))
		snprintf(directive, sizeof(directive), "killed by signal %d",
			 WTERMSIG(status));
	else if (WEXITSTATUS(status) == EXIT_SKIP)
		snprintf(directive, sizeof(directive), "SKIP");
	else if (WEXITSTATUS(status))
		snprintf(directive, sizeof(directive), "exit=%d",
			 WEXITSTATUS(status));
	report(!late && WIFEXITED(status) &&
	       (!WEXITSTATUS(status) || WEXITSTATUS(status) == EXIT_SKIP),
	       name, warnings, now() - start, directive);
}

static void run_shell(void)
{
	static char *const install[] = { "/bin/busybox", "--install", "-s", "/bin", NULL };
	static char *const shell[] = { "/bin/busybox", "sh", NULL };

	setenv("PATH", "/bin:/tests", 1);
	waitpid(spawn(install, -1), NULL, 0);
	waitpid(spawn(shell, -1), NULL, 0);
}

int main(void)
{
	unsigned int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Fast strings are slow where each byte is emulated: see CMDLINE. */
	setenv("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-ERMS,-FSRM", 1);
	mount_all();
	read_plan();
	kmsg_fd = klog_open(PATTERNS_FILE);
	if (kmsg_fd < 0)
		bail_out("kernel log: %s", strerror(errno));
	if (!want_shell)
		klogctl(SYSLOG_ACTION_CONSOLE_LEVEL, NULL, QUIET_CONSOLE);

	/* The version line must start a line, whatever the kernel printed. */
	printf("\nKTAP version 1\n1..%u\n", nr_tests + 3);
	check_boot();
	load_modules();
	if (want_shell)
		run_shell();
	for (i = 0; i < nr_tests; i++)
		run_test(&tests[i]);
	unload_modules();
	power_off();
}
