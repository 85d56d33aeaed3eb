// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: what an exit of a TD leads to: an event for the TD, the
 * next instruction, or a return to the host.
 */
#include <asm/debugreg.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/ptrace.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "state/vcpu.h"
#include "vcpu/td_event.h"
#include "vcpu/vmx_insn.h"

enum sim_action sim_inject(struct sim_vcpu *vcpu, u8 vector)
{
	/* All are faults: RF is set in the flags on the handler's stack. */
	sim_vmwrite(GUEST_RFLAGS, sim_vmread(GUEST_RFLAGS) | X86_EFLAGS_RF);
	vcpu->event = (struct sim_event) {
		.info = INTR_INFO_VALID_MASK | INTR_TYPE_HARD_EXCEPTION | vector,
	};
	return SIM_RESUME;
}

enum sim_action sim_inject_error(struct sim_vcpu *vcpu, u8 vector, u32 error_code)
{
	sim_inject(vcpu, vector);
	vcpu->event.info |= INTR_INFO_DELIVER_CODE_MASK;
	vcpu->event.error_code = error_code;
	return SIM_RESUME;
}

enum sim_action sim_inject_ve(struct sim_exit *exit, u64 qualification,
			      u64 gla, u64 gpa)
{
	struct sim_vcpu *vcpu = exit->vcpu;

	/* An event whose delivery caused this exit is lost, as with the real module. */
	if (vcpu->ve.valid)
		return sim_inject_error(vcpu, X86_TRAP_DF, 0);

	vcpu->ve = (struct sim_ve_info) {
		.valid			= true,
		.exit_reason		= (u16)exit->reason,
		.exit_qualification	= qualification,
		.gla			= gla,
		.gpa			= gpa,
		.instruction_length	= sim_vmread(VM_EXIT_INSTRUCTION_LEN),
		.instruction_info	= sim_vmread(VMX_INSTRUCTION_INFO),
	};
	return sim_inject(vcpu, X86_TRAP_VE);
}

enum sim_action sim_reflect_exception(struct sim_exit *exit)
{
	struct sim_vcpu *vcpu = exit->vcpu;
	unsigned long dr6;

	switch (exit->intr_info & INTR_INFO_VECTOR_MASK) {
	case X86_TRAP_PF:
		vcpu->cr2 = exit->qualification;
		break;
	case X86_TRAP_DB:
		/* The qualification has the bits that the CPU would have set in DR6. */
		get_debugreg(dr6, 6);
		set_debugreg(dr6 | exit->qualification, 6);
		break;
	}

	vcpu->event = (struct sim_event) {
		.info	    = exit->intr_info & ~INTR_INFO_UNBLOCK_NMI,
		.error_code = sim_vmread(VM_EXIT_INTR_ERROR_CODE),
		.length	    = sim_vmread(VM_EXIT_INSTRUCTION_LEN),
	};
	return SIM_RESUME;
}

void sim_skip_insn(u32 length)
{
	u32 blocking = sim_vmread(GUEST_INTERRUPTIBILITY_INFO);
	u64 rflags = sim_vmread(GUEST_RFLAGS);

	/* TDCALL exits as a fault does, which sets RF for the next attempt. */
	if (rflags & X86_EFLAGS_RF)
		sim_vmwrite(GUEST_RFLAGS, rflags & ~X86_EFLAGS_RF);

	/* A TD that steps through its code gets #DB after this instruction too. */
	if (rflags & X86_EFLAGS_TF &&
	    !(sim_vmread(GUEST_IA32_DEBUGCTL) & DEBUGCTLMSR_BTF))
		sim_vmwrite(GUEST_PENDING_DBG_EXCEPTIONS, DR_STEP);

	sim_vmwrite(GUEST_RIP, sim_vmread(GUEST_RIP) + length);
	if (blocking & (GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS))
		sim_vmwrite(GUEST_INTERRUPTIBILITY_INFO,
			    blocking & ~(GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS));
}

enum sim_action sim_to_host(struct sim_exit *exit, u64 status, u64 qualification,
			    u64 extended, u64 gpa)
{
	struct pt_regs *regs = exit->regs;

	regs->ax = status | exit->reason;
	regs->cx = qualification;
	regs->dx = extended;
	regs->r8 = gpa & PAGE_MASK;
	regs->r9 = exit->intr_info;
	regs->bx = 0;
	regs->si = 0;
	regs->di = 0;
	regs->r10 = 0;
	regs->r11 = 0;
	regs->r12 = 0;
	regs->r13 = 0;
	regs->r14 = 0;
	regs->r15 = 0;
	return SIM_TO_HOST;
}

enum sim_action sim_to_host_fatal(struct sim_exit *exit)
{
	exit->vcpu->state = SIM_VCPU_DISABLED;
	exit->vcpu->td->fatal = true;
	return sim_to_host(exit, TDX_NON_RECOVERABLE_TD, exit->qualification, 0, 0);
}

/*
 * An emulator may deliver host interrupts only to guests with interrupts on.  There a
 * TD with RFLAGS.IF clear keeps them out.  Give the host a chance: KVM tries the entry
 * again after a busy status.
 */
enum sim_action sim_give_way(struct sim_vcpu *vcpu, struct pt_regs *regs)
{
	/* Not while page table entries are exchanged for an access to shared memory. */
	if (vcpu->nr_swaps || sim_vmread(GUEST_RFLAGS) & X86_EFLAGS_IF)
		return SIM_RESUME;

	regs->ax = sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_SEPT);
	return SIM_TO_HOST;
}
