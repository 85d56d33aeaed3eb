/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: a VM exit of a TD.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_EXIT_H
#define _X86_VIRT_TDX_SIM_TD_EXIT_H

#include <linux/types.h>

struct pt_regs;
struct sim_vcpu;

/* What happens after a VM exit. */
enum sim_action {
	SIM_RESUME,		/* the module is done with it, back to the TD */
	SIM_TO_HOST,		/* TDH.VP.ENTER returns, its output is filled in */
};

/* One VM exit; fields of the VMCS as "VM-Exit Information Fields", Intel SDM. */
struct sim_exit {
	struct sim_vcpu *vcpu;
	struct pt_regs *regs;	/* of the SEAMCALL: output to the host */
	u32 reason;		/* all 32 bits of the field */
	u64 qualification;
	u32 intr_info;
};

#endif /* _X86_VIRT_TDX_SIM_TD_EXIT_H */
