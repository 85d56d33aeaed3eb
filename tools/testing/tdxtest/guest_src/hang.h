/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tasks of a test do that is silent for long. */
#ifndef TDXTEST_GUEST_HANG_H
#define TDXTEST_GUEST_HANG_H

/* Seconds of guest time after which a test is silent for long. */
#define HANG_PATIENCE_S		20

/**
 * hang_print - print the kernel's stack of each task of a test
 * @name: of the test, for the first line
 * @indent: of the document that is being written
 *
 * The lines begin with "# hang: "; tdxtest/verdict/hang.py reads them.  If there are
 * several CPUs the kernel's log gets their backtraces as well.
 */
void hang_print(const char *name, int indent);

/**
 * hang_print_process - print the kernel's stack of each task of a process
 * @pid: of the process
 * @indent: of the document that is being written
 */
void hang_print_process(int pid, int indent);

#endif /* TDXTEST_GUEST_HANG_H */
