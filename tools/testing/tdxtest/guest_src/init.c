// SPDX-License-Identifier: GPL-2.0-only
/*
 * Process 1 of the guest: loads KVM, runs the listed tests, restarts.
 *
 * What to do comes from a plan file that the tool writes into the initramfs:
 *
 *	watermark TEXT		the boot log must hold TEXT
 *	module FILE [PARAM=V]	insert a module; taken out again at the end
 *	timeout SECONDS		of each test after this line, in guest time
 *	repetition N		the tests after this line run for the Nth time
 *	env NAME=VALUE		environment of the tests
 *	trace LINES		after a test that failed, print so many traced events
 *	test NAME [ARG]...	run /tests/NAME
 *	group NAME		the modules and tests after this line, up to the
 *				next group, are NAME's: they come, run and go
 *				together, after the tests of no group
 *	collect DIR		print the .gcda files below DIR after the tests
 *	shell [PROGRAM ARG...]	give an interactive shell on the console, or run PROGRAM there
 *
 * Everything on the console after the KTAP version line is KTAP: the output of
 * a test is nested by two spaces, that of a group likewise, a record of the
 * kernel log is a comment.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "collect.h"
#include "guest_end.h"
#include "hang.h"
#include "klog.h"
#include "leaks.h"
#include "plan.h"
#include "trace.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

#define PLAN_FILE	"/etc/plan"
#define PATTERNS_FILE	"/etc/kernel-warnings.list"
#define EXPECTED_FILE	"/etc/expected-warnings.list"
/* KSFT_SKIP of tools/testing/selftests/kselftest.h. */
#define EXIT_SKIP	4
/* KERN_EMERG only: a line of the kernel inside a KTAP line would break it. */
#define QUIET_CONSOLE	1
#define SYSLOG_ACTION_CONSOLE_LEVEL	8

/* A process that was killed a moment ago may still hold a module. */
#define UNLOAD_PATIENCE_S	10

static struct plan plan;
/* Results so far in the document that is being written, and its nesting. */
static unsigned int test_number;
static int indent;
/* Results that were not ok since the boot. */
static unsigned int nr_failed;
/* Warnings of the kernel, and modules that would not go, since the boot. */
static unsigned int nr_spoiled;
static int kmsg_fd;

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

/*
 * Print the result of a step. A kernel warning makes a step that passed a
 * failure; a step that failed keeps its own reason.
 */
static void report(bool ok, const char *name, unsigned int warnings,
		   double seconds, const char *directive)
{
	if (warnings)
		printf("%*s# %s: the kernel warned %u time(s), first: %s\n",
		       indent, "", name, warnings, klog_first_warning());
	/* An emulated clock need not run as fast as a real one. */
	printf("%*s# %s: %.2f s of guest time\n", indent, "", name, seconds);
	printf("%*s%s %u %s%s%s\n", indent, "",
	       ok && !warnings ? "ok" : "not ok", ++test_number, name,
	       *directive ? " # " : "", directive);
	klog_forget();
	nr_failed += !ok || warnings;
	nr_spoiled += warnings;
}

static void check_boot(void)
{
	unsigned int warnings;
	bool ok = true;

	klog_want(plan.watermark);
	warnings = klog_drain(false);
	if (plan.watermark && !klog_wanted_seen()) {
		printf("# boot: wanted a line with '%s' in the kernel log, found none\n",
		       plan.watermark);
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

static bool load_modules(const struct group *group)
{
	double start = now();
	unsigned int i;
	bool ok = true;

	for (i = 0; ok && i < group->nr_modules; i++) {
		if (insert_module(&group->modules[i])) {
			printf("%*s# load_kvm: %s: %s\n", indent, "",
			       group->modules[i].argv[0], strerror(errno));
			ok = false;
		}
	}
	report(ok, "load_kvm", klog_drain(true), now() - start, "");
	/* The events of a module are there as long as it is. */
	if (ok && plan.trace_lines)
		trace_want(plan.trace_lines);
	return ok;
}

static int remove_module(const char *name)
{
	double start = now();
	int ret;

	do {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		ret = syscall(SYS_delete_module, name, O_NONBLOCK);
		if (!ret || errno != EWOULDBLOCK)
			break;
		usleep(10000);
	} while (now() - start < UNLOAD_PATIENCE_S);
	return ret;
}

static void unload_modules(const struct group *group)
{
	double start = now();
	bool ok = !leaks_print("unload_kvm", indent), spoilt = false;
	int i;

	klog_expect("unload_kvm");
	for (i = group->nr_modules - 1; !spoilt && i >= 0; i--) {
		const char *name = module_name(group->modules[i].argv[0]);

		/* A module that was never inserted cannot be removed. */
		if (remove_module(name) && errno != ENOENT) {
			printf("%*s# unload_kvm: %s: %s\n", indent, "", name,
			       strerror(errno));
			spoilt = true;
		}
	}
	nr_spoiled += spoilt;
	report(ok && !spoilt, "unload_kvm", klog_drain(true), now() - start, "");
	klog_expect(NULL);
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

/* Copy what a test wrote, whole lines only, nested by two more spaces. */
static bool copy_lines(int fd, char *buf, size_t size, size_t *used)
{
	ssize_t len = read(fd, buf + *used, size - *used - 1);
	char *line = buf, *end;

	if (len <= 0) {
		if (*used)
			printf("%*s  %.*s\n", indent, "", (int)*used, buf);
		*used = 0;
		return len < 0 && (errno == EAGAIN || errno == EINTR);
	}

	*used += len;
	buf[*used] = '\0';
	while ((end = memchr(line, '\n', buf + *used - line))) {
		printf("%*s  %.*s\n", indent, "", (int)(end - line), line);
		line = end + 1;
	}
	*used -= line - buf;
	memmove(buf, line, *used);
	if (*used == size - 1) {
		printf("%*s  %s\n", indent, "", buf);
		*used = 0;
	}
	return true;
}

/*
 * Follow a test until it closes its output or runs out of time. Gives the
 * number of kernel warnings meanwhile.
 */
static unsigned int follow(const char *name, int out_fd, double deadline, bool *late)
{
	struct pollfd fds[] = {
		{ .fd = out_fd, .events = POLLIN },
		{ .fd = kmsg_fd, .events = POLLIN },
	};
	static char buf[4096];
	unsigned int warnings = 0;
	double heard = now();
	bool told = false;
	size_t used = 0;

	for (;;) {
		poll(fds, ARRAY_SIZE(fds), 1000);
		warnings += klog_drain(true);
		if (fds[0].revents) {
			if (!copy_lines(out_fd, buf, sizeof(buf), &used))
				return warnings;
			heard = now();
			told = false;
		}
		/* The tool may end the guest soon. */
		if (!told && now() > heard + HANG_PATIENCE_S) {
			hang_print(name, indent);
			told = true;
		}
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
	bool late = false, ok;
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

	klog_expect(name);
	warnings = follow(name, out[0], start + test->timeout_s, &late);
	close(out[0]);
	waitpid(pid, &status, 0);
	/* Teardown of the test's VMs logs after its output was closed. */
	warnings += klog_drain(true);
	klog_expect(NULL);

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
	ok = !late && WIFEXITED(status) &&
	     (!WEXITSTATUS(status) || WEXITSTATUS(status) == EXIT_SKIP);
	if (!ok || warnings)
		trace_print();
	trace_forget();
	report(ok, name, warnings, now() - start, directive);
}

static void run_shell(void)
{
	static char *const install[] = { "/bin/busybox", "--install", "-s", "/bin", NULL };
	static char *const shell[] = { "/bin/busybox", "sh", NULL };

	setenv("PATH", "/bin:/tests", 1);
	if (plan.shell) {
		waitpid(spawn(plan.shell, -1), NULL, 0);
		return;
	}
	waitpid(spawn(install, -1), NULL, 0);
	waitpid(spawn(shell, -1), NULL, 0);
}

static void run_group(const struct group *group)
{
	bool tests_run = load_modules(group);
	int repetition = 1;
	unsigned int i;

	if (plan.want_shell && !group->name)
		run_shell();
	for (i = 0; i < group->nr_tests; i++) {
		if (group->tests[i].repetition != repetition) {
			repetition = group->tests[i].repetition;
			printf("%*s# repetition %d\n", indent, "", repetition);
			klog_again();
		}
		/* Without KVM a test would skip, and not say what is missing. */
		if (tests_run)
			run_test(&group->tests[i]);
		else
			report(false, group->tests[i].argv[0], 0, 0, "no KVM");
	}
}

/* Run a group as a document of its own. */
static void run_nested(const struct group *group)
{
	unsigned int outer_number = test_number;

	klog_again();
	indent += 2;
	test_number = 0;
	printf("%*sKTAP version 1\n%*s1..%u\n", indent, "", indent, "",
	       group->nr_tests + 2);
	run_group(group);
	unload_modules(group);
	indent -= 2;
	test_number = outer_number;
}

static void run_nested_groups(void)
{
	unsigned int i, failed, spoiled;

	for (i = 1; i < plan.nr_groups; i++) {
		const struct group *group = &plan.groups[i];
		double start = now();

		failed = nr_failed;
		spoiled = nr_spoiled;
		run_nested(group);
		report(nr_failed == failed, group->name, 0, now() - start, "");
		/* After a warning the results of the next group would show nothing. */
		if (nr_spoiled > spoiled) {
			printf("# stopped after %s: %u group(s) left\n",
			       group->name, plan.nr_groups - i - 1);
			return;
		}
	}
}

static void collect_counters(void)
{
	int nr = collect_files(plan.collect, ".gcda");

	if (nr < 0)
		bail_out("collect %s: %s", plan.collect, strerror(errno));
	printf("# collect: %d file(s) of %s\n", nr, plan.collect);
}

int main(void)
{
	char error[256];

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Fast strings are slow where each byte is emulated: see CMDLINE. */
	setenv("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-ERMS,-FSRM", 1);
	mount_all();
	if (plan_read(PLAN_FILE, &plan, error, sizeof(error)))
		bail_out("%s", error);
	kmsg_fd = klog_open(PATTERNS_FILE, EXPECTED_FILE);
	if (kmsg_fd < 0)
		bail_out("kernel log: %s", strerror(errno));
	if (!plan.want_shell)
		klogctl(SYSLOG_ACTION_CONSOLE_LEVEL, NULL, QUIET_CONSOLE);

	/* The version line must start a line, whatever the kernel printed. */
	printf("\nKTAP version 1\n1..%u\n",
	       plan.groups[0].nr_tests + plan.nr_groups - 1 + 3);
	check_boot();
	run_group(&plan.groups[0]);
	run_nested_groups();
	if (plan.collect)
		collect_counters();
	unload_modules(&plan.groups[0]);
	end();
}
