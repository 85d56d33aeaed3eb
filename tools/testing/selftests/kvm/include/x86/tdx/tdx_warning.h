/* SPDX-License-Identifier: GPL-2.0-only */
/* Cases in which the kernel warns, or must not. */
#ifndef SELFTEST_TDX_TDX_WARNING_H
#define SELFTEST_TDX_TDX_WARNING_H

#include <stdbool.h>

#include <linux/types.h>

#include "kvm_util_types.h"

/*
 * If this environment variable is 1, cases run in which KVM warns because of what
 * userspace does, or of what the TDX module answers.  Otherwise it is a list, separated
 * by commas.  With TDX_WARN_FINDINGS those of them run in which the warning is a known
 * bug of KVM, and with TDX_WARN_ANNOUNCED those that announce the warning: the reader of
 * the kernel's log then does not count it.
 */
#define TDX_WARN_ENV		"TDX_KVM_WARN"
#define TDX_WARN_FINDINGS	"findings"
#define TDX_WARN_ANNOUNCED	"announced"
/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define TDX_WARN_REASON		"KVM would warn and " TDX_WARN_ENV " is not 1"

/* What the kernel's log says, before the text, of a warning that a case announces. */
#define TDX_WARN_ANNOUNCEMENT	"tdx_selftest: expected warning:"

/* Returns true if a case may run in which KVM warns, which the case announces. */
bool tdx_may_announce(void);

/*
 * The same for a case in which the warning is a bug of KVM, see tdx_finding.h.  @finding
 * is its number: where it is fixed, KVM does not warn.
 */
bool tdx_may_warn_of_finding(unsigned int finding);

/*
 * Let each WARN_ON_ONCE() warn again, where the kernel allows that, and return the number
 * of the kernel's warnings up to now, 0 if it does not count them.
 */
u64 tdx_count_warnings(void);

/* Fail if the kernel has warned since tdx_count_warnings() returned @before. */
void tdx_assert_no_warning(u64 before);

/*
 * Announce warnings whose first line in the kernel's log has @text, and return what
 * tdx_count_warnings() does.
 */
u64 tdx_announce_warning(const char *text);

/*
 * End the announcement, and return how often the kernel has warned since
 * tdx_announce_warning() returned @before.
 */
u64 tdx_end_announcement(u64 before);

/*
 * Tell the reader of the kernel's log that a case of finding @number begins, in which the
 * warnings of the finding do not count, or with 0 that it has ended.
 */
#define TDX_WARN_FINDING	"tdx_selftest: finding"
void tdx_announce_finding(unsigned int number);

/*
 * Returns a file from which only later lines of the kernel's log can be read, -1 where
 * there is none, and true if one of these lines has both @first and @second.
 */
int tdx_log_open(void);
bool tdx_log_has(int log, const char *first, const char *second);

#endif /* SELFTEST_TDX_TDX_WARNING_H */
