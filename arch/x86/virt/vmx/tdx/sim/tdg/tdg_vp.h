/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: the end of TDG.VP.VMCALL.
 */
#ifndef _X86_VIRT_TDX_SIM_TDG_VP_H
#define _X86_VIRT_TDX_SIM_TDG_VP_H

struct pt_regs;
struct sim_vcpu;

/*
 * At the beginning of TDH.VP.ENTER: if the last exit was TDG.VP.VMCALL, the registers
 * that its mask opened get the host's values, from @regs of the SEAMCALL.  The others
 * keep the guest's.
 */
void sim_vmcall_complete(struct sim_vcpu *vcpu, struct pt_regs *regs);

#endif /* _X86_VIRT_TDX_SIM_TDG_VP_H */
