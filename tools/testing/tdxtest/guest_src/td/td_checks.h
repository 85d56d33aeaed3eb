/* SPDX-License-Identifier: GPL-2.0-only */
/* What can be checked in a TD from its userspace. */
#ifndef TDXTEST_GUEST_TD_CHECKS_H
#define TDXTEST_GUEST_TD_CHECKS_H

/* What came of a check. */
enum td_outcome { TD_PASSED, TD_FAILED, TD_SKIPPED };

/**
 * td_check_fn - make a check
 * @why: takes what was wanted and what came, or why the check cannot be made
 * @size: of @why
 *
 * Gives an outcome; @why is used unless that is TD_PASSED.
 */
typedef enum td_outcome td_check_fn(char *why, int size);

#define TD_CHECK(name, function) td_check_fn function;
#include "td_checks.def"
#undef TD_CHECK

/**
 * td_parameter - a parameter of the TD's kernel
 * @name: the parameter, without '='
 *
 * Gives its value, "" if it was not given.
 */
const char *td_parameter(const char *name);

/* Seconds of the monotonic clock. */
double td_clock(void);

/**
 * td_first_line - the first line of a file
 * @path: the file
 *
 * Gives it without its end, until the next call; "" if it cannot be read.
 */
const char *td_first_line(const char *path);

/* For the functions above: fill in @why and give the outcome. */
#define td_fail(why, size, ...)	(snprintf(why, size, __VA_ARGS__), TD_FAILED)
#define td_skip(why, size, ...)	(snprintf(why, size, __VA_ARGS__), TD_SKIPPED)

#endif /* TDXTEST_GUEST_TD_CHECKS_H */
