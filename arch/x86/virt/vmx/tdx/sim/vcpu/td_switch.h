/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: state that a VM entry and a VM exit leave alone.
 *
 * Interrupts are off in all of these functions.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_SWITCH_H
#define _X86_VIRT_TDX_SIM_TD_SWITCH_H

#include <linux/types.h>

#include <asm/desc_defs.h>

struct sim_vcpu;

/* Host state that a VM exit does not bring back. */
struct sim_host {
	u64 vmcs;		/* physical address, U64_MAX if none is current */
	u64 debugctl;
	u64 spec_ctrl;
	struct desc_ptr gdt;
	struct desc_ptr idt;
	u16 ldt;
	u16 ds;
	u16 es;
	u16 fs;
	u16 gs;
};

/*
 * Before the first entry of a TDH.VP.ENTER, and after its last exit.
 *
 * sim_td_load():	saves the host's state in @host.  The vCPU's VMCS is current
 *			then, and its extended state, MSRs and debug registers are in the
 *			CPU.
 * sim_td_unload():	saves those of the vCPU and brings back @host.
 */
void sim_td_load(struct sim_vcpu *vcpu, struct sim_host *host);
void sim_td_unload(struct sim_vcpu *vcpu, const struct sim_host *host);

/*
 * Between the two, around code of the host that may use extended state.
 *
 * sim_fpu_to_host():	saves the TD's extended state, and loads XCR0 and IA32_XSS of the
 *			host.
 * sim_fpu_to_td():	brings back those of the TD.
 */
void sim_fpu_to_host(struct sim_vcpu *vcpu);
void sim_fpu_to_td(struct sim_vcpu *vcpu);

#endif /* _X86_VIRT_TDX_SIM_TD_SWITCH_H */
