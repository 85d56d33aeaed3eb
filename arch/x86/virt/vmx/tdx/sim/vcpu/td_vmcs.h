/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: the VMCS of a vCPU.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_VMCS_H
#define _X86_VIRT_TDX_SIM_TD_VMCS_H

#include <linux/bits.h>
#include <linux/types.h>

#include <asm/trapnr.h>
#include <asm/tsc.h>

#include "state/vcpu.h"

/* Exceptions that exit: #UD because it may be a TDCALL, #MC because it ends the TD. */
#define TDX_EXCEPTION_BITMAP	(BIT(X86_TRAP_UD) | BIT(X86_TRAP_MC))

/* Returns 0, or -ENODEV on a CPU without a VMX feature that a TD needs. */
int sim_vmcs_check_cpu(void);

/*
 * Make the VMCS of @vcpu current on this CPU.  The first call initializes it, and the
 * first call on a CPU writes the host state of that CPU.
 */
void sim_vmcs_load(struct sim_vcpu *vcpu);

/*
 * The VMCS of @vcpu is current on this CPU: leave the CPU with none, and memory with
 * nothing that the CPU takes for a VMCS.
 */
void sim_vmcs_leave(struct sim_vcpu *vcpu);

/*
 * Set the exceptions that exit in the current VMCS: TDX_EXCEPTION_BITMAP and, on a CPU
 * with an alias of the shared bit, #PF of a reserved bit.
 */
void sim_vmcs_init_exceptions(void);

/* Toggle one bit of CPU_BASED_VM_EXEC_CONTROL of the VMCS that is current. */
void sim_toggle_cpu_control(struct sim_vcpu *vcpu, u32 bit);

/* The same, if the bit is not @on already.  Most entries change nothing. */
static inline void sim_set_cpu_control(struct sim_vcpu *vcpu, u32 bit, bool on)
{
	if (!!(vcpu->cpu_controls & bit) != on)
		sim_toggle_cpu_control(vcpu, bit);
}

/* How long a TD may go on with interrupts off before the host gets a chance. */
#define SIM_STAY_US		1000

/* The same in cycles of the host's TSC. */
static inline u64 sim_stay_cycles(void)
{
	return (u64)tsc_khz * SIM_STAY_US / 1000;
}

#endif /* _X86_VIRT_TDX_SIM_TD_VMCS_H */
