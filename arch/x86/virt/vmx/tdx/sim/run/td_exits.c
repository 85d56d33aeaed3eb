// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: VM exits of a TD.
 */
#include <linux/array_size.h>
#include <linux/kvm_types.h>

#include <asm/apic.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "run/td_exits.h"
#include "state/alias.h"
#include "state/vcpu.h"
#include "tdg/tdcall.h"
#include "vcpu/td_apic.h"
#include "vcpu/td_cpuid.h"
#include "vcpu/td_cr.h"
#include "vcpu/td_event.h"
#include "vcpu/td_guest_mem.h"
#include "vcpu/td_mem.h"
#include "vcpu/td_msr.h"
#include "vcpu/td_shared.h"
#include "vcpu/vmx_insn.h"

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

static enum sim_action sim_exit_preemption(struct sim_exit *exit)
{
	return sim_give_way(exit->vcpu, exit->regs);
}

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

/* TDCALL needs 64-bit mode and CPL 0, which a CPU with TDX checks. */
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
	/* IRET has unblocked NMIs, and will be executed again. */
	if (exit->qualification & INTR_INFO_UNBLOCK_NMI)
		sim_vmwrite(GUEST_INTERRUPTIBILITY_INFO,
			    sim_vmread(GUEST_INTERRUPTIBILITY_INFO) | GUEST_INTR_STATE_NMI);

	return sim_ept_violation(exit,
				 sim_alias_to_shared(sim_vmread(GUEST_PHYSICAL_ADDRESS)),
				 sim_vmread(GUEST_LINEAR_ADDRESS));
}

typedef enum sim_action (*sim_exit_handler)(struct sim_exit *exit);

#define TD_EXIT(_reason, _handler)	\
	[_reason] = _handler,

static const sim_exit_handler sim_exit_handlers[] = {
#include "run/td_exits.def"
};

enum sim_action sim_handle_exit(struct sim_exit *exit)
{
	u16 basic = exit->reason;

	/* Another vCPU had an exit that ends the TD: this one cannot go on either. */
	if (READ_ONCE(exit->vcpu->td->fatal))
		return sim_to_host(exit, TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE,
				   exit->qualification, 0, 0);

	if (basic >= ARRAY_SIZE(sim_exit_handlers) || !sim_exit_handlers[basic])
		return sim_to_host_fatal(exit);

	return sim_exit_handlers[basic](exit);
}
