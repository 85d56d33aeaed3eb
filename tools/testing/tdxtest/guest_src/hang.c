// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "hang.h"

#define PATH_SIZE	64
#define LINE_SIZE	256
/* "l" lets each CPU print its backtrace, from an NMI. */
#define SYSRQ_FILE	"/proc/sysrq-trigger"

/* A thread of the kernel has no program. */
static int has_program(int pid)
{
	char path[PATH_SIZE], target[2];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return readlink(path, target, sizeof(target)) > 0;
}

/* Print "NAME STATE" of /proc/PID/task/TID/stat, whose name is in parentheses. */
static void print_task(const char *dir, int tid, int indent)
{
	char path[PATH_SIZE], line[LINE_SIZE] = "";
	char *name, *end;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%d/stat", dir, tid);
	f = fopen(path, "r");
	if (!f)
		return;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);

	name = strchr(line, '(');
	end = strrchr(line, ')');
	if (name && end && end[1] == ' ') {
		*end = '\0';
		printf("%*s# hang: task %d %s %c\n", indent, "", tid, name + 1, end[2]);
	}
}

/* Each line is "[<0>] function+0x1/0x2 [module]". */
static void print_stack(const char *dir, int tid, int indent)
{
	char path[PATH_SIZE], line[LINE_SIZE];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%d/stack", dir, tid);
	f = fopen(path, "r");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		char *frame = strchr(line, ' ');

		line[strcspn(line, "\n")] = '\0';
		printf("%*s# hang:  %s\n", indent, "", frame ? frame : line);
	}
	fclose(f);
}

/* Call @fn for each entry of @path that is a number. */
static void each_number(const char *path, void (*fn)(const char *path, int number, int indent),
			int indent)
{
	struct dirent *entry;
	DIR *dir;

	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (atoi(entry->d_name) > 0)
			fn(path, atoi(entry->d_name), indent);
	}
	closedir(dir);
}

static void print_thread(const char *path, int tid, int indent)
{
	print_task(path, tid, indent);
	print_stack(path, tid, indent);
}

void hang_print_process(int pid, int indent)
{
	char tasks[PATH_SIZE];

	snprintf(tasks, sizeof(tasks), "/proc/%d/task", pid);
	each_number(tasks, print_thread, indent);
}

static void print_program(const char *path, int pid, int indent)
{
	(void)path;
	if (pid != getpid() && has_program(pid))
		hang_print_process(pid, indent);
}

static void print_cpus(void)
{
	int fd = open(SYSRQ_FILE, O_WRONLY | O_CLOEXEC);

	/* The kernel prints the first line on the console, amid what is on its way there. */
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	if (fd >= 0) {
		dprintf(fd, "l");
		close(fd);
	}
}

void hang_print(const char *name, int indent)
{
	printf("%*s# hang: %s says nothing for %d s of guest time\n", indent, "", name,
	       HANG_PATIENCE_S);
	each_number("/proc", print_program, indent);
	/* A task that runs on another CPU meanwhile has no stack there. */
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		print_cpus();
}
