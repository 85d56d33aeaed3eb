/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Failures inside of the kernel: of an allocation of memory, or of a copy from or to
 * userspace.  A kernel with CONFIG_FAULT_INJECTION lets a task choose the one that fails:
 *
 *	tdx_fail_nth_arm(n);
 *	r = ioctl(...);
 *	if (!tdx_fail_nth_disarm())
 *		... the ioctl has less than n of them ...
 */
#ifndef SELFTEST_TDX_TDX_FAIL_NTH_H
#define SELFTEST_TDX_TDX_FAIL_NTH_H

#include <stdbool.h>

#include "kvm_util_types.h"

/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define TDX_FAIL_NTH_REASON	"the kernel cannot let its own allocations fail"

/*
 * Let every allocation and every copy be one that can fail.  Returns false if the kernel
 * has no fault injection.
 */
bool tdx_fail_nth_prepare(void);

/*
 * The @nth allocation or copy of the calling thread from now on fails, counted from 1.
 * The thread must have called tdx_fail_nth_prepare().
 */
void tdx_fail_nth_arm(u32 nth);

/*
 * Let nothing fail any more.  Returns true if something has failed since
 * tdx_fail_nth_arm().  errno stays.
 */
bool tdx_fail_nth_disarm(void);

#endif /* SELFTEST_TDX_TDX_FAIL_NTH_H */
