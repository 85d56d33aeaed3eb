/* SPDX-License-Identifier: GPL-2.0-only */
/* A VMM that runs as a process of its own, and the lines that come from it. */
#ifndef TDXTEST_GUEST_TD_VMM_H
#define TDXTEST_GUEST_TD_VMM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Where the lines come from, and what takes them. */
enum vmm_source {
	VMM_CONSOLE,		/* the TD's serial line */
	VMM_MONITOR,		/* QMP, the VMM's monitor */
	VMM_OUTPUT,		/* the VMM's own output */
	NR_VMM_SOURCES,
};

/* A file of lines that are read as they come. */
struct line_file {
	int fd;
	size_t used;
	char buf[4096];
};

/* Takes a whole line, without its end, and where it comes from. */
typedef void vmm_take_line(enum vmm_source source, char *line);

struct vmm {
	pid_t pid;
	int status;		/* of waitpid(), after it has ended */
	bool ended;
	int console_in, monitor_in;	/* what it reads */
	struct line_file sources[NR_VMM_SOURCES];
};

/**
 * vmm_start - start a VMM
 * @vmm: all zero; filled in
 * @argv: the program and its arguments, NULL after the last
 * @console: a path; the VMM has its console in the named pipes @console.in and
 *	@console.out, which are made here
 * @monitor: the same for its monitor
 *
 * Gives 0, or -1 with errno set.
 */
int vmm_start(struct vmm *vmm, char **argv, const char *console,
	      const char *monitor);

/**
 * vmm_poll - wait for what a VMM says, and take its lines
 * @vmm: of vmm_start()
 * @ms: how long to wait
 * @take: gets each line
 *
 * After the VMM has ended, what it left is read and @vmm->ended is set.
 */
void vmm_poll(struct vmm *vmm, int ms, vmm_take_line *take);

/**
 * vmm_say - write a line to the monitor
 * @vmm: of vmm_start()
 * @line: with its end
 */
void vmm_say(struct vmm *vmm, const char *line);

/**
 * vmm_kill - end a VMM that did not end by itself
 * @vmm: of vmm_start()
 */
void vmm_kill(struct vmm *vmm);

#endif /* TDXTEST_GUEST_TD_VMM_H */
