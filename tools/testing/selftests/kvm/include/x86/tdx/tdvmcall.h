/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One TDG.VP.VMCALL at a time, from both sides: a TD that issues it with a known
 * value in every register and tells what came back, and the host that checks
 * each of them.
 */
#ifndef SELFTEST_TDX_TDVMCALL_H
#define SELFTEST_TDX_TDVMCALL_H

#include "kvm_util.h"
#include "ucall_common.h"
#include "tdx/tdcall.h"

/*
 * Set all of @regs for a TDG.VP.VMCALL: a value of its own for each register
 * but RAX, the leaf, and RCX, TDVMCALL_EXPOSE_REGS_MASK.
 */
void tdvmcall_seed_regs(struct tdcall_regs *regs);

/* The same for leaf @leaf of GHCI: R10 = 0, R11 = @leaf. */
void tdvmcall_seed_leaf(struct tdcall_regs *regs, u64 leaf);

/*
 * Code of a TD: tell that the call comes, issue it with R10 to R15 as given and
 * the other registers seeded, and tell all registers after it.
 */
void tdvmcall_guest_issue(u64 r10, u64 r11, u64 r12, u64 r13, u64 r14, u64 r15);

/* The same with all registers as the host gives them by tdvmcall_issue(). */
void tdvmcall_guest_fetch(void);

/* Entry point of a vCPU that issues the same call for ever. */
void tdvmcall_guest_issue_loop(u64 r10, u64 r11, u64 r12, u64 r13, u64 r14, u64 r15);

/* Entry point of a vCPU that issues one call after the other of tdvmcall_issue(). */
void tdvmcall_guest_fetch_loop(void);

/* Create and finalize a TD of one vCPU that runs tdvmcall_guest_fetch_loop(). */
struct kvm_vm *tdvmcall_vm_create(struct kvm_vcpu **vcpu);

/* Let @vcpu, whose TD is not finalized, issue its calls with R10 to R15 of @regs. */
void tdvmcall_set_regs(struct kvm_vcpu *vcpu, const struct tdcall_regs *regs);

/* Run @vcpu up to its next call.  @name, of the case, is for messages. */
void tdvmcall_launch(struct kvm_vcpu *vcpu, const char *name);

/* The same for a vCPU in tdvmcall_guest_fetch(), which is given all of @regs for it. */
void tdvmcall_issue(struct kvm_vcpu *vcpu, const char *name, const struct tdcall_regs *regs);

/*
 * Overwrite all of the next exit in @vcpu's kvm_run, the data of port I/O behind it
 * included, so that what it shows is KVM's.  There must be no answer in it that KVM
 * has not taken yet.
 */
void tdvmcall_poison_exit(struct kvm_vcpu *vcpu);

/* Run @vcpu to its @i-th exit of a call, which must be for @exit_reason. */
void tdvmcall_run_exit(struct kvm_vcpu *vcpu, const char *name, u64 i, u32 exit_reason);

/* The part of tdvmcall_run_exit() after KVM_RUN. */
void tdvmcall_check_exit(struct kvm_vcpu *vcpu, const char *name, u64 i, u32 exit_reason);

/*
 * Run @vcpu, whose call took @exits exits, to the end of it, and check that the
 * TD found all registers as in @want.
 */
void tdvmcall_finish(struct kvm_vcpu *vcpu, const char *name, u64 exits,
		     const struct tdcall_regs *want);

/* The part of tdvmcall_finish() after KVM_RUN. */
void tdvmcall_check_regs(struct kvm_vcpu *vcpu, const char *name, u64 exits,
			 const struct tdcall_regs *want);

/* Take the UCALL_SYNC that @vcpu has exited with: any other exit is a failure. */
void tdx_vcpu_get_sync(struct kvm_vcpu *vcpu, const char *name, struct ucall *uc);

/*
 * Check that @got, the @i-th value of its kind at @where, is @want.  A failure names
 * the case, @name, and the value, @what.
 */
void tdx_assert_value(const char *name, const char *where, u64 i, const char *what,
		      u64 want, u64 got);

/* Names of the registers, in the order of struct tdcall_regs. */
extern const char * const tdvmcall_reg_names[NR_TDCALL_REGS];

/* Name of a status in R10. */
const char *tdvmcall_status_name(u64 status);

#endif /* SELFTEST_TDX_TDVMCALL_H */
