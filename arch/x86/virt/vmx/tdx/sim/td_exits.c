// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: VM exits of a TD, and the events that answer them.
 */
#include <linux/array_size.h>
#include <linux/kvm_types.h>

#include <asm/apic.h>
#include <asm/debugreg.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "td_run.h"
#include "vmx_insn.h"

/*
 * Events
 */

enum sim_action sim_inject(struct sim_vcpu *vcpu, u8 vector)
{
	/* All are faults: the flags that the handler finds on its stack have RF set. */
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

	/* An event whose delivery led here is lost, as with the real module. */
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
		/* The qualification has what the CPU would have put into DR6. */
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

	/* The exit of a TDCALL is a fault, and leaves RF set for a next attempt. */
	if (rflags & X86_EFLAGS_RF)
		sim_vmwrite(GUEST_RFLAGS, rflags & ~X86_EFLAGS_RF);

	/* A TD that steps through its code gets #DB behind this instruction too. */
	if (rflags & X86_EFLAGS_TF &&
	    !(sim_vmread(GUEST_IA32_DEBUGCTL) & DEBUGCTLMSR_BTF))
		sim_vmwrite(GUEST_PENDING_DBG_EXCEPTIONS, DR_STEP);

	sim_vmwrite(GUEST_RIP, sim_vmread(GUEST_RIP) + length);
	sim_vmwrite(GUEST_INTERRUPTIBILITY_INFO,
		    blocking & ~(GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS));
}

/*
 * Exits to the host
 */

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

static enum sim_action sim_exit_host(struct sim_exit *exit)
{
	return sim_to_host(exit, TDX_SUCCESS, exit->qualification, 0, 0);
}

static enum sim_action sim_exit_nothing(struct sim_exit *exit)
{
	return SIM_RESUME;
}

static enum sim_action sim_exit_triple_fault(struct sim_exit *exit)
{
	exit->vcpu->state = SIM_VCPU_DISABLED;
	return sim_to_host(exit, TDX_NON_RECOVERABLE_VCPU, 0, 0, 0);
}

static enum sim_action sim_exit_interrupt(struct sim_exit *exit)
{
	u8 vector = exit->intr_info & INTR_INFO_VECTOR_MASK;

	if (!sim_posts_interrupts(exit->vcpu) || vector != exit->vcpu->pi_nv)
		return sim_to_host(exit, TDX_SUCCESS, 0, 0, 0);

	/*
	 * With posted-interrupt processing the CPU would have taken the
	 * notification itself, end of interrupt included.
	 */
	apic_eoi();
	return SIM_RESUME;
}

/*
 * With RFLAGS.IF clear the TD may keep out host interrupts on an emulator that
 * delivers them only to guests with interrupts on.  Let the host look after it:
 * to KVM a busy status means that the entry is to be tried again.
 */
enum sim_action sim_give_way(struct sim_vcpu *vcpu, struct pt_regs *regs)
{
	/* Not with page table entries exchanged for an access to shared memory. */
	if (vcpu->nr_swaps || sim_vmread(GUEST_RFLAGS) & X86_EFLAGS_IF)
		return SIM_RESUME;

	regs->ax = sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_SEPT);
	return SIM_TO_HOST;
}

static enum sim_action sim_exit_preemption(struct sim_exit *exit)
{
	return sim_give_way(exit->vcpu, exit->regs);
}

/*
 * Instructions
 */

static enum sim_action sim_exit_ve(struct sim_exit *exit)
{
	return sim_inject_ve(exit, 0, 0, 0);
}

static enum sim_action sim_exit_ve_qualified(struct sim_exit *exit)
{
	return sim_inject_ve(exit, exit->qualification, 0, 0);
}

static enum sim_action sim_exit_gp(struct sim_exit *exit)
{
	return sim_inject_error(exit->vcpu, X86_TRAP_GP, 0);
}

static enum sim_action sim_exit_ud(struct sim_exit *exit)
{
	return sim_inject(exit->vcpu, X86_TRAP_UD);
}

bool sim_in_64bit_mode(void)
{
	return sim_vmread(GUEST_IA32_EFER) & EFER_LMA &&
	       sim_vmread(GUEST_CS_AR_BYTES) & VMX_AR_L_MASK;
}

/* TDCALL needs 64-bit mode and CPL 0, as the CPU would check by itself. */
static enum sim_action sim_exit_tdcall(struct sim_exit *exit)
{
	if (!sim_in_64bit_mode() ||
	    VMX_AR_DPL(sim_vmread(GUEST_SS_AR_BYTES)))
		return sim_inject_error(exit->vcpu, X86_TRAP_GP, 0);

	return sim_tdcall(exit);
}

static enum sim_action sim_exit_exception(struct sim_exit *exit)
{
	u32 insn;

	switch (exit->intr_info & (INTR_INFO_INTR_TYPE_MASK | INTR_INFO_VECTOR_MASK)) {
	case INTR_TYPE_NMI_INTR | X86_TRAP_NMI:
		return sim_to_host(exit, TDX_SUCCESS, 0, 0, 0);

	case INTR_TYPE_HARD_EXCEPTION | X86_TRAP_UD:
		if (sim_guest_fetch(exit->vcpu, &insn) && insn == TDX_INSN_TDCALL)
			return sim_exit_tdcall(exit);
		return sim_inject(exit->vcpu, X86_TRAP_UD);

	case INTR_TYPE_HARD_EXCEPTION | X86_TRAP_PF:
		return sim_shared_fault(exit);

	case INTR_TYPE_HARD_EXCEPTION | X86_TRAP_MC:
		exit->vcpu->td->fatal = true;
		return sim_to_host(exit, TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE, 0, 0, 0);

	default:
		return sim_to_host_fatal(exit);
	}
}

static enum sim_action sim_exit_ept_violation(struct sim_exit *exit)
{
	/* IRET has unblocked NMIs and is to be executed once more. */
	if (exit->qualification & INTR_INFO_UNBLOCK_NMI)
		sim_vmwrite(GUEST_INTERRUPTIBILITY_INFO,
			    sim_vmread(GUEST_INTERRUPTIBILITY_INFO) | GUEST_INTR_STATE_NMI);

	return sim_ept_violation(exit, sim_shared_gpa(sim_vmread(GUEST_PHYSICAL_ADDRESS)),
				 sim_vmread(GUEST_LINEAR_ADDRESS));
}

typedef enum sim_action (*sim_exit_handler)(struct sim_exit *exit);

#define TD_EXIT(_reason, _handler)	\
	[_reason] = _handler,

static const sim_exit_handler sim_exit_handlers[] = {
#include "td_exits.def"
};

enum sim_action sim_handle_exit(struct sim_exit *exit)
{
	u16 basic = exit->reason;

	/* Another vCPU met what ends the TD, and this one goes no further either. */
	if (READ_ONCE(exit->vcpu->td->fatal))
		return sim_to_host(exit, TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE,
				   exit->qualification, 0, 0);

	if (basic >= ARRAY_SIZE(sim_exit_handlers) || !sim_exit_handlers[basic])
		return sim_to_host_fatal(exit);

	return sim_exit_handlers[basic](exit);
}
