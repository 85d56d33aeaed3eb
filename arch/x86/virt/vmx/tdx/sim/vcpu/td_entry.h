/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: the world switch between the module and a TD.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_ENTRY_H
#define _X86_VIRT_TDX_SIM_TD_ENTRY_H

#include <linux/types.h>

struct sim_vcpu;

/*
 * Run the TD of the current VMCS until it exits, by VMRESUME if it is @launched, else
 * by VMLAUNCH.  GPRs are those of @vcpu, except RSP.  Returns 0 after a VM exit, 1 if
 * the VM entry failed its checks before it loaded any guest state.
 */
int sim_td_enter(struct sim_vcpu *vcpu, bool launched);

/* Where a VM exit goes: HOST_RIP. */
extern const char sim_td_exit[];

#endif /* _X86_VIRT_TDX_SIM_TD_ENTRY_H */
