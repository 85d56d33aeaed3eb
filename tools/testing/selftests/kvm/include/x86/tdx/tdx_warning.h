/* SPDX-License-Identifier: GPL-2.0-only */
/* Cases in which the kernel warns, or must not. */
#ifndef SELFTEST_TDX_TDX_WARNING_H
#define SELFTEST_TDX_TDX_WARNING_H

#include <stdbool.h>

#include <linux/types.h>

#include "kvm_util_types.h"

/*
 * If this environment variable is 1, cases run in which KVM warns because of what
 * userspace does.  If it is "findings", only those of them run in which the warning is
 * a known bug of KVM.
 */
#define TDX_WARN_ENV		"TDX_KVM_WARN"
#define TDX_WARN_FINDINGS	"findings"
/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define TDX_WARN_REASON		"KVM would warn and " TDX_WARN_ENV " is not 1"

/* Returns true if a case may run in which KVM warns. */
bool tdx_may_warn(void);

/*
 * The same for a case in which the warning is a bug of KVM, see tdx_finding.h.  @finding
 * is its number: where it is fixed, KVM does not warn.
 */
bool tdx_may_warn_of_finding(unsigned int finding);

/*
 * Let the kernel tell of each WARN_ON_ONCE() again, as far as it can, and return the
 * number of its warnings up to now, 0 where it does not count them.
 */
u64 tdx_count_warnings(void);

/* Fail if the kernel has warned since tdx_count_warnings() returned @before. */
void tdx_assert_no_warning(u64 before);

#endif /* SELFTEST_TDX_TDX_WARNING_H */
