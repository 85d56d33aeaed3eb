/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: TDH.VP.ENTER from the first entry to the last exit.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_RUN_H
#define _X86_VIRT_TDX_SIM_TD_RUN_H

#include <linux/types.h>

struct pt_regs;
struct sim_vcpu;

/*
 * Run the vCPU until an event is for the host.  Fills @regs as the output of
 * TDH.VP.ENTER and returns RAX.  Interrupts are off.
 */
u64 sim_td_run(struct sim_vcpu *vcpu, struct pt_regs *regs);

#endif /* _X86_VIRT_TDX_SIM_TD_RUN_H */
