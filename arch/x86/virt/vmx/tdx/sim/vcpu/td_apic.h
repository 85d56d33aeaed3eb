/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: posted interrupts and the virtual APIC of a vCPU.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_APIC_H
#define _X86_VIRT_TDX_SIM_TD_APIC_H

#include <asm/vmx.h>

#include "state/vcpu.h"

/* The host has asked for posted interrupts. */
static inline bool sim_posts_interrupts(const struct sim_vcpu *vcpu)
{
	return vcpu->pin_controls & PIN_BASED_POSTED_INTR;
}

/*
 * sim_apic_sync_pir():	before each entry, take the interrupts that the host has posted;
 *			the VMCS of the vCPU is current.
 * sim_apic_has_request(): an interrupt waits, even if it is masked.
 * sim_apic_intr_pending(): an interrupt above PPR waits: bit 0 of the field
 *			VCPU_STATE_DETAILS.
 * sim_apic_accept():	put that interrupt in service, and give its vector, as the CPU does
 *			before it goes through the IDT; the VMCS of the vCPU is current.
 */
void sim_apic_sync_pir(struct sim_vcpu *vcpu);
bool sim_apic_has_request(const struct sim_vcpu *vcpu);
bool sim_apic_intr_pending(const struct sim_vcpu *vcpu);
u8 sim_apic_accept(struct sim_vcpu *vcpu);

#endif /* _X86_VIRT_TDX_SIM_TD_APIC_H */
