/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest kernel's log, read as it is written. */
#ifndef TDXTEST_GUEST_KLOG_H
#define TDXTEST_GUEST_KLOG_H

#include <stdbool.h>

/**
 * klog_open - start reading the kernel log at its first record
 * @patterns: path of the list of texts that mark a kernel warning, one a line
 * @expected: path of the list of warnings that are expected: "finding" and a number, or
 *	      the name of a step, a space, and a text, one a line
 *
 * Gives the file descriptor to poll(), or -1 with errno set.
 */
int klog_open(const char *patterns, const char *expected);

/**
 * klog_expect - say which warnings are expected from now on
 * @step: name of the test or of the step that runs, NULL for none
 *
 * A warning that holds an expected text, or whose message right before it does, does not
 * count.  The text is one of the step, of the finding that the test has announced in the
 * log as that of the running case, or of a warning that the test has announced.
 */
void klog_expect(const char *step);

/**
 * klog_drain - read what the kernel has logged since the last call
 * @show: print every record as a KTAP comment, not only the warnings
 *
 * Gives the number of records that match a warning pattern.
 */
unsigned int klog_drain(bool show);

/**
 * klog_first_warning - the text of the first warning since klog_forget()
 *
 * Gives "" when there was none.
 */
const char *klog_first_warning(void);

/* Forget the first warning: the next one belongs to another test. */
void klog_forget(void);

/* Let the kernel print what it prints once only, such as WARN_ON_ONCE(), again. */
void klog_again(void);

/**
 * klog_want - look for a text in every record from now on
 * @text: NUL-terminated, kept by reference
 */
void klog_want(const char *text);

/* True when a record held the text that klog_want() named. */
bool klog_wanted_seen(void);

#endif /* TDXTEST_GUEST_KLOG_H */
