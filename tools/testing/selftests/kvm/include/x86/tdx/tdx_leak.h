/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of the kernel that KVM has lost: objects that nothing points to any more, as
 * kmemleak finds them, and pages whose owner by page_owner is KVM.  A kernel without one
 * of these, or without both, shows no leak of that kind.
 */
#ifndef SELFTEST_TDX_TDX_LEAK_H
#define SELFTEST_TDX_TDX_LEAK_H

#include "kvm_util_types.h"

struct tdx_leak {
	s64 pages;	/* that KVM holds, -1 if the kernel does not know */
	u64 since;	/* when, in jiffies of the kernel, 0 if it does not tell */
};

/* Take what there is now as the state without a leak.  No VM must exist. */
struct tdx_leak tdx_leak_begin(void);

/*
 * Fail if more is lost than at tdx_leak_begin(), which returned *@before.  No VM must
 * exist.  Takes some seconds where there is kmemleak.
 */
void tdx_leak_check(const struct tdx_leak *before);

/*
 * Forget what kmemleak finds, after KVM has given up memory on purpose: that of a TD which
 * the TDX module does not let go.  The task that ended the TD must be gone: its stack may
 * still have the address.  Takes some seconds where there is kmemleak.
 */
void tdx_leak_forget(void);

#endif /* SELFTEST_TDX_TDX_LEAK_H */
