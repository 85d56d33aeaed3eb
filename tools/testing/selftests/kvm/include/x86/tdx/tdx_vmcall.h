/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One TDG.VP.VMCALL at a time, from both sides: a TD that issues it with a known
 * value in every register and tells what came back, and the host that checks
 * each of them.
 */
#ifndef SELFTEST_TDX_VMCALL_H
#define SELFTEST_TDX_VMCALL_H

#include "kvm_util.h"
#include "ucall_common.h"
#include "tdx/tdcall.h"

/*
 * Set all of @regs for a TDG.VP.VMCALL: a value of its own for each register
 * but RAX, the leaf, and RCX, TDVMCALL_EXPOSE_REGS_MASK.
 */
void vmcall_seed_regs(struct tdcall_regs *regs);

/*
 * Code of a TD: tell that the call comes, issue it with R10 to R15 as given and
 * the other registers seeded, and tell all registers after it.
 */
void guest_vmcall(u64 r10, u64 r11, u64 r12, u64 r13, u64 r14, u64 r15);

/* Entry point of a vCPU that issues the same call for ever. */
void guest_vmcalls(u64 r10, u64 r11, u64 r12, u64 r13, u64 r14, u64 r15);

/* Let @vcpu, whose TD is not finalized, issue its calls with R10 to R15 of @regs. */
void vmcall_set_regs(struct kvm_vcpu *vcpu, const struct tdcall_regs *regs);

/* Run @vcpu up to its next call.  @name, of the case, is for messages. */
void vmcall_launch(struct kvm_vcpu *vcpu, const char *name);

/*
 * Take what the TD tells after a call, of which the first slice is in @vcpu's
 * kvm_run, and check that it found all registers as in @want.  @exits, those
 * that the call took, is for messages.
 */
void vmcall_check_regs(struct kvm_vcpu *vcpu, const char *name, u64 exits,
		       const struct tdcall_regs *want);

/* Take the UCALL_SYNC that @vcpu has exited with: any other exit is a failure. */
void vmcall_get_sync(struct kvm_vcpu *vcpu, const char *name, struct ucall *uc);

/*
 * Check one value, the @i-th of its kind at @where.  TEST_ASSERT() takes an
 * errno of EACCES, however old, for a reason to skip: there is none here, wrong
 * values are a failure.
 */
void vmcall_assert_value(const char *name, const char *where, u64 i, const char *what,
			 u64 want, u64 got);

/* Name of a status in R10. */
const char *vmcall_status_name(u64 status);

#endif /* SELFTEST_TDX_VMCALL_H */
