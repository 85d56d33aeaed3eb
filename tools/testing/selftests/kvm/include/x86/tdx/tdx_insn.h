/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TDG.VP.VMCALL<Instruction.*> and <MMIO>: one call of a TD of tdvmcall_vm_create(),
 * with at most one exit, and what has to become of all registers.
 *
 *	tdx_insn_init(&insn, EXIT_REASON_IO_INSTRUCTION, 1, 0,
 *		      port, 0, "IN of size %u", 1);
 *	insn.out.r11 = 0xab;
 *
 *	tdx_insn_run_exit(vcpu, &insn, KVM_EXIT_IO);
 *	... check the exit, and answer it ...
 *	tdx_insn_finish(vcpu, &insn);
 */
#ifndef SELFTEST_TDX_TDX_INSN_H
#define SELFTEST_TDX_TDX_INSN_H

#include "tdx/tdvmcall.h"
#include "tdx/tdx_util.h"

struct tdx_insn {
	char name[96];		/* for messages */
	u64 exits;		/* number seen, 0 or 1, for messages */
	struct tdcall_regs in;	/* registers at the call */
	struct tdcall_regs out;	/* registers that the TD must find after it */
};

/*
 * Set up @insn as a call of @leaf, one of EXIT_REASON_*, with these operands and a
 * value of its own in each other register.  The expected result is success, with each
 * other register unchanged.  The last arguments are its name.
 */
__printf(7, 8)
void tdx_insn_init(struct tdx_insn *insn, u64 leaf, u64 r12, u64 r13, u64 r14, u64 r15,
		   const char *fmt, ...);

/* Expect that @insn is refused: INVALID_OPERAND, and no other register changes. */
static inline void tdx_insn_refused(struct tdx_insn *insn)
{
	insn->out.r10 = TDVMCALL_STATUS_INVALID_OPERAND;
}

/*
 * Issue @insn, and run it to its exit, which must be for @exit_reason, one of
 * KVM_EXIT_*. kvm_run was overwritten before, so KVM has written what it shows.
 */
void tdx_insn_run_exit(struct kvm_vcpu *vcpu, struct tdx_insn *insn, u32 exit_reason);

/*
 * Run @insn, whose exit was answered, to its end, without a further exit, and check all
 * registers.
 */
void tdx_insn_finish(struct kvm_vcpu *vcpu, const struct tdx_insn *insn);

/*
 * Run @insn, whose exit was answered, with immediate_exit set: KVM takes the answer,
 * and KVM_RUN fails with EINTR before the TD is entered.  Then overwrite the answer,
 * which must have no effect.
 */
void tdx_insn_interrupt(struct kvm_vcpu *vcpu, const struct tdx_insn *insn);

/* Issue @insn, which must not exit, and check all registers after it. */
void tdx_insn_run(struct kvm_vcpu *vcpu, const struct tdx_insn *insn);

/* Check one value of the exit of @insn. */
static inline void tdx_insn_assert_exit(const struct tdx_insn *insn, const char *what, u64 want,
					u64 got)
{
	tdx_assert_value(insn->name, "exit", 0, what, want, got);
}

#endif /* SELFTEST_TDX_TDX_INSN_H */
