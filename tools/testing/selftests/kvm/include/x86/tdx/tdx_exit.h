/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A leaf of TDG.VP.VMCALL that KVM passes to userspace by KVM_EXIT_TDX.  The answer of
 * userspace, kvm_run.tdx.*.ret, goes to R10.
 */
#ifndef SELFTEST_TDX_TDX_EXIT_H
#define SELFTEST_TDX_TDX_EXIT_H

#include <linux/kvm.h>

#include "tdx/tdvmcall.h"

/* Number of words that a KVM_EXIT_TDX has after its answer, at most. */
#define TDX_EXIT_MAX_DATA	5

struct tdx_exit_call {
	const char *name;	/* of the case, for messages */
	u64 leaf;		/* R11, and kvm_run.tdx.nr */
	u64 r12;
	u64 r13;
	u64 ret;		/* the answer if userspace does nothing */
	u32 nr_data;		/* further words of the exit, and their values */
	u64 data[TDX_EXIT_MAX_DATA];
};

/* Set @regs to all registers at @call. */
void tdx_exit_regs(const struct tdx_exit_call *call, struct tdcall_regs *regs);

/*
 * Let @vcpu, which runs tdvmcall_guest_fetch_loop(), issue @call, run it to the exit,
 * and check every field of the exit.  The answer in kvm_run stays as KVM has set it.
 */
void tdx_exit_run(struct kvm_vcpu *vcpu, const struct tdx_exit_call *call);

/*
 * Run @vcpu, whose exit is answered, to the end of the call.  R10 must be @r10, and no
 * other register may have changed.
 */
void tdx_exit_finish(struct kvm_vcpu *vcpu, const struct tdx_exit_call *call, u64 r10);

/*
 * Issue @call.  KVM must refuse it without an exit, by @r10 in R10.  No other register
 * may have changed.
 */
void tdx_exit_refused(struct kvm_vcpu *vcpu, const struct tdx_exit_call *call, u64 r10);

#endif /* SELFTEST_TDX_TDX_EXIT_H */
