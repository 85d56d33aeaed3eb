/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One TDG.VP.VMCALL at a time, from both sides: a TD that issues it with a known value
 * in every register and reports the registers after it, and the host that checks each
 * of them.
 *
 * @name, in all functions, is the name of the case for messages.
 */
#ifndef SELFTEST_TDX_TDVMCALL_H
#define SELFTEST_TDX_TDVMCALL_H

#include "kvm_util.h"
#include "ucall_common.h"
#include "tdx/tdcall.h"

/*
 * Set all of @regs for a TDG.VP.VMCALL: RAX to the leaf, RCX to
 * TDVMCALL_EXPOSE_REGS_MASK, and each other register to a value of its own.
 */
void tdvmcall_seed_regs(struct tdcall_regs *regs);

/* The same for @leaf of GHCI: also set R10 to 0 and R11 to @leaf. */
void tdvmcall_seed_leaf(struct tdcall_regs *regs, u64 leaf);

/*
 * Code of a TD: announce a call, issue it with these values and the other registers
 * seeded, and report all registers after it.
 */
void tdvmcall_guest_issue(u64 r10, u64 r11, u64 r12, u64 r13, u64 r14, u64 r15);

/* Code of a TD: the same with all registers from the host, see tdvmcall_issue(). */
void tdvmcall_guest_fetch(void);

/* Entry point of a vCPU that issues the same call again and again. */
void tdvmcall_guest_issue_loop(u64 r10, u64 r11, u64 r12, u64 r13, u64 r14, u64 r15);

/* Entry point of a vCPU that issues the calls of tdvmcall_issue(). */
void tdvmcall_guest_fetch_loop(void);

/*
 * Create and finalize a TD with one vCPU, which is returned in *@vcpu and runs
 * tdvmcall_guest_fetch_loop().
 */
struct kvm_vm *tdvmcall_vm_create(struct kvm_vcpu **vcpu);

/* Let @vcpu issue its calls with R10 to R15 of @regs.  Its TD must not be finalized yet. */
void tdvmcall_set_regs(struct kvm_vcpu *vcpu, const struct tdcall_regs *regs);

/* Run @vcpu up to its next call, which it announces. */
void tdvmcall_launch(struct kvm_vcpu *vcpu, const char *name);

/* The same for a vCPU in tdvmcall_guest_fetch(), which gets all of @regs for its call. */
void tdvmcall_issue(struct kvm_vcpu *vcpu, const char *name, const struct tdcall_regs *regs);

/*
 * Overwrite the exit in @vcpu's kvm_run, and the data of port I/O after it.  So
 * whatever the next exit shows was written by KVM.  kvm_run must not contain an answer
 * that KVM has not taken yet.
 */
void tdvmcall_poison_exit(struct kvm_vcpu *vcpu);

/*
 * Run @vcpu to the @i-th exit of its call, counted from 0, and check that it is for
 * @exit_reason, one of KVM_EXIT_*.
 */
void tdvmcall_run_exit(struct kvm_vcpu *vcpu, const char *name, u64 i, u32 exit_reason);

/* The check alone, after KVM_RUN. */
void tdvmcall_check_exit(struct kvm_vcpu *vcpu, const char *name, u64 i, u32 exit_reason);

/*
 * Run @vcpu, whose call took @exits exits so far, to the end of the call without a
 * further exit, and check that the TD found all registers as in @want.
 */
void tdvmcall_finish(struct kvm_vcpu *vcpu, const char *name, u64 exits,
		     const struct tdcall_regs *want);

/* The check alone, after KVM_RUN. */
void tdvmcall_check_regs(struct kvm_vcpu *vcpu, const char *name, u64 exits,
			 const struct tdcall_regs *want);

/* Get the UCALL_SYNC that @vcpu has exited with in *@uc.  Any other exit is a failure. */
void tdx_vcpu_get_sync(struct kvm_vcpu *vcpu, const char *name, struct ucall *uc);

/*
 * Check that @got, the @i-th value of its kind at @where, is @want.  A failure names
 * the case, @name, and the value, @what.
 */
void tdx_assert_value(const char *name, const char *where, u64 i, const char *what,
		      u64 want, u64 got);

/* Names of the registers, in the order of struct tdcall_regs. */
extern const char * const tdvmcall_reg_names[NR_TDCALL_REGS];

/* Returns the name of a status in R10. */
const char *tdvmcall_status_name(u64 status);

#endif /* SELFTEST_TDX_TDVMCALL_H */
