// SPDX-License-Identifier: GPL-2.0-only
/*
 * Process 1 of a TD: makes the checks of td_checks.def, then ends the TD.
 *
 * Parameters of the kernel say what to do: td.end= is power_off, reboot or
 * panic; td.checks=0 leaves the checks out; td.shell=1 gives a shell in their place.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "td_checks.h"
#include "td_protocol.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

/* The modules, one path a line, each after those that it needs. */
#define MODULES		"/lib/modules.list"
/* KERN_EMERG only: a line of the kernel inside one of ours would break it. */
#define QUIET_CONSOLE	1
#define SYSLOG_ACTION_CONSOLE_LEVEL	8

static const struct {
	const char *name;
	td_check_fn *check;
} checks[] = {
#define TD_CHECK(name, function) { #name, function },
#include "td_checks.def"
#undef TD_CHECK
};

static char cmdline[4096];

const char *td_parameter(const char *name)
{
	static char value[256];
	size_t len = strlen(name);
	char *at = cmdline;

	while ((at = strstr(at, name))) {
		if ((at == cmdline || at[-1] == ' ') && at[len] == '=') {
			at += len + 1;
			snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\n "), at);
			return value;
		}
		at += len;
	}
	return "";
}

static void mount_all(void)
{
	static const char *const mounts[][2] = {
		{ "devtmpfs", "/dev" }, { "proc", "/proc" }, { "sysfs", "/sys" },
		{ "tmpfs", "/tmp" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mounts); i++) {
		mkdir(mounts[i][1], 0755);
		if (mount(mounts[i][0], mounts[i][1], mounts[i][0], 0, NULL) && errno != EBUSY)
			printf("mount %s: %s\n", mounts[i][1], strerror(errno));
	}
}

static void read_cmdline(void)
{
	int fd = open("/proc/cmdline", O_RDONLY);

	if (fd < 0 || read(fd, cmdline, sizeof(cmdline) - 1) < 0)
		printf("/proc/cmdline: %s\n", strerror(errno));
	close(fd);
}

static void load_modules(void)
{
	char path[256];
	FILE *f = fopen(MODULES, "r");
	int fd;

	while (f && fgets(path, sizeof(path), f)) {
		path[strcspn(path, "\n")] = '\0';
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if ((fd < 0 || syscall(SYS_finit_module, fd, "", 0)) && errno != EEXIST)
			printf("module %s: %s\n", path, strerror(errno));
		close(fd);
	}
	if (f)
		fclose(f);
}

static void run_checks(void)
{
	char why[512];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(checks); i++) {
		enum td_outcome outcome = checks[i].check(why, sizeof(why));

		if (outcome == TD_PASSED)
			printf(TD_SAYS TD_OK "%s\n", checks[i].name);
		else
			printf(TD_SAYS "%s%s %s\n",
			       outcome == TD_SKIPPED ? TD_SKIP : TD_NOT_OK,
			       checks[i].name, why);
	}
}

static void run_shell(void)
{
	static char *const install[] = { "/bin/busybox", "--install", "-s", "/bin", NULL };
	static char *const shell[] = { "/bin/busybox", "sh", NULL };
	pid_t pid;

	setenv("PATH", "/bin", 1);
	pid = fork();
	if (!pid) {
		execv(install[0], install);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	pid = fork();
	if (!pid) {
		setsid();
		ioctl(STDIN_FILENO, TIOCSCTTY, 1);
		execv(shell[0], shell);
		printf("%s: %s\n", shell[0], strerror(errno));
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		printf("%s: %s\n", path, strerror(errno));
	close(fd);
}

static void end(const char *how)
{
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	if (!strcmp(how, "panic")) {
		write_text("/proc/sys/kernel/panic", "-1");
		write_text("/proc/sys/kernel/sysrq", "1");
		write_text("/proc/sysrq-trigger", "c");
	}
	reboot(strcmp(how, "reboot") ? RB_POWER_OFF : RB_AUTOBOOT);
	for (;;)
		pause();
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	mount_all();
	read_cmdline();
	load_modules();
	klogctl(SYSLOG_ACTION_CONSOLE_LEVEL, NULL, QUIET_CONSOLE);
	/* The line must start a line, whatever the kernel printed. */
	printf("\n" TD_SAYS TD_BEGIN "\n");
	if (!strcmp(td_parameter("td.shell"), "1"))
		run_shell();
	else if (strcmp(td_parameter("td.checks"), "0"))
		run_checks();
	end(td_parameter("td.end"));
}
