/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: SEAMCALL.
 */
#ifndef _X86_VIRT_TDX_SIM_SEAMCALL_H
#define _X86_VIRT_TDX_SIM_SEAMCALL_H

struct pt_regs;

/*
 * Answer a SEAMCALL.  @regs are the registers of the caller: RAX has leaf and version,
 * and gets the status; CF is set for VMfailInvalid.  What else changes is up to the
 * leaf.  Preemption is off.
 */
void sim_seamcall(struct pt_regs *regs);

#endif /* _X86_VIRT_TDX_SIM_SEAMCALL_H */
