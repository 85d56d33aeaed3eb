// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDH.VP.ENTER from the first entry to the last exit.
 */
#include <asm/processor-flags.h>
#include <asm/special_insns.h>
#include <asm/trapnr.h>
#include <asm/tsc.h>
#include <asm/vmx.h>

#include "debug/trace.h"
#include "run/td_exits.h"
#include "run/td_run.h"
#include "state/vcpu.h"
#include "tdg/tdg_vp.h"
#include "vcpu/td_apic.h"
#include "vcpu/td_entry.h"
#include "vcpu/td_ept.h"
#include "vcpu/td_event.h"
#include "vcpu/td_rewind.h"
#include "vcpu/td_shared.h"
#include "vcpu/td_switch.h"
#include "vcpu/td_vmcs.h"
#include "vcpu/vmx_insn.h"

/*
 * Deliver an NMI that the host has requested, unless the guest blocks NMIs, must take
 * another event first, or has not yet read its #VE information.
 */
static void sim_deliver_nmi(struct sim_vcpu *vcpu)
{
	bool window = false;

	if (vcpu->pend_nmi) {
		if (vcpu->event.info || vcpu->ve.valid ||
		    sim_vmread(GUEST_INTERRUPTIBILITY_INFO) &
		    (GUEST_INTR_STATE_NMI | GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS)) {
			window = true;
		} else {
			vcpu->event.info = INTR_INFO_VALID_MASK | INTR_TYPE_NMI_INTR |
					   X86_TRAP_NMI;
			vcpu->pend_nmi = 0;
		}
	}

	/* No window for a guest in its #VE handler: it would exit at once, again and again. */
	sim_set_cpu_control(vcpu, CPU_BASED_NMI_WINDOW_EXITING, window && !vcpu->ve.valid);
}

/*
 * A virtual interrupt is delivered as an event of the entry, and not by the CPU. An emulator
 * reports an old event, such as a #UD, if an exit comes in the middle of a delivery by the CPU,
 * and a hypervisor below delivers that one after the exit. While the TD has interrupts off, the
 * interrupt waits outside of the CPU for an interrupt-window exit: an emulator may deliver it
 * when a host interrupt arrives.
 */
static void sim_deliver_interrupt(struct sim_vcpu *vcpu)
{
	bool hold = false;

	if (sim_apic_has_request(vcpu)) {
		/* The handler of an event begins with interrupts off. */
		hold = vcpu->event.info || !(sim_vmread(GUEST_RFLAGS) & X86_EFLAGS_IF) ||
		       sim_vmread(GUEST_INTERRUPTIBILITY_INFO) &
		       (GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS);
		if (!hold && sim_apic_intr_pending(vcpu))
			vcpu->event.info = INTR_INFO_VALID_MASK | INTR_TYPE_EXT_INTR |
					   sim_apic_accept(vcpu);
	}

	sim_set_cpu_control(vcpu, CPU_BASED_INTR_WINDOW_EXITING, hold);
}

static void sim_prepare_entry(struct sim_vcpu *vcpu)
{
	u32 entry_controls = sim_vmread(VM_ENTRY_CONTROLS);
	bool long_mode = sim_vmread(GUEST_IA32_EFER) & EFER_LMA;

	if (!!(entry_controls & VM_ENTRY_IA32E_MODE) != long_mode)
		sim_vmwrite(VM_ENTRY_CONTROLS, entry_controls ^ VM_ENTRY_IA32E_MODE);

	sim_sync_private_root(vcpu);
	sim_sync_shared_root(vcpu);
	if (vcpu->ept_stale) {
		sim_invept(sim_eptp(vcpu));
		vcpu->ept_stale = false;
	}

	sim_apic_sync_pir(vcpu);
	sim_deliver_nmi(vcpu);
	sim_deliver_interrupt(vcpu);
	sim_vmwrite(VM_ENTRY_INTR_INFO_FIELD, vcpu->event.info);
	if (vcpu->event.info) {
		sim_vmwrite(VM_ENTRY_EXCEPTION_ERROR_CODE, vcpu->event.error_code);
		sim_vmwrite(VM_ENTRY_INSTRUCTION_LEN, vcpu->event.length);
	}
}

/* If the exit interrupted the delivery of an event, the next entry delivers it. */
static void sim_requeue_event(struct sim_vcpu *vcpu)
{
	u32 info = sim_vmread(IDT_VECTORING_INFO_FIELD);

	vcpu->event = (struct sim_event) {};
	if (!(info & VECTORING_INFO_VALID_MASK))
		return;

	vcpu->event.info = info & ~INTR_INFO_UNBLOCK_NMI;
	vcpu->event.error_code = sim_vmread(IDT_VECTORING_ERROR_CODE);
	vcpu->event.length = sim_vmread(VM_EXIT_INSTRUCTION_LEN);
	if ((info & VECTORING_INFO_TYPE_MASK) == INTR_TYPE_NMI_INTR)
		sim_vmwrite(GUEST_INTERRUPTIBILITY_INFO,
			    sim_vmread(GUEST_INTERRUPTIBILITY_INFO) & ~GUEST_INTR_STATE_NMI);
}

static enum sim_action sim_enter_once(struct sim_vcpu *vcpu, struct pt_regs *regs)
{
	struct sim_exit exit = { .vcpu = vcpu, .regs = regs };

	sim_prepare_entry(vcpu);

	native_write_cr2(vcpu->cr2);
	if (sim_td_enter(vcpu, vcpu->launched)) {
		/* The module wrote all of the VMCS: only a bug of the module gets here. */
		exit.reason = VMX_EXIT_REASONS_FAILED_VMENTRY |
			      EXIT_REASON_INVALID_STATE;
		return sim_to_host_fatal(&exit);
	}
	vcpu->cr2 = native_read_cr2();

	exit.reason = sim_vmread(VM_EXIT_REASON);
	if (exit.reason & VMX_EXIT_REASONS_FAILED_VMENTRY)
		return sim_to_host_fatal(&exit);

	vcpu->launched = true;
	vcpu->intr_status = sim_vmread(GUEST_INTR_STATUS);
	exit.qualification = sim_vmread(EXIT_QUALIFICATION);
	exit.intr_info = sim_vmread(VM_EXIT_INTR_INFO);
	sim_requeue_event(vcpu);
	sim_undo_rewind(&exit);
	if (trace_td_exit_enabled())
		trace_td_exit(&exit, sim_vmread(GUEST_RIP), sim_vmread(GUEST_PHYSICAL_ADDRESS));
	if (sim_shared_exit(&exit))
		return SIM_RESUME;
	return sim_handle_exit(&exit);
}

u64 sim_td_run(struct sim_vcpu *vcpu, struct pt_regs *regs)
{
	struct sim_host host;
	enum sim_action action;
	u64 deadline;

	sim_td_load(vcpu, &host);
	sim_vmcall_complete(vcpu, regs);

	/* Each entry restarts the preemption timer, which never ends if the TD exits often. */
	deadline = rdtsc() + sim_stay_cycles();
	do {
		action = sim_enter_once(vcpu, regs);
		if (action == SIM_RESUME && rdtsc() > deadline)
			action = sim_give_way(vcpu, regs);
	} while (action == SIM_RESUME);

	sim_td_unload(vcpu, &host);
	return regs->ax;
}
