/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: exits that an emulator reports at the wrong instruction.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_REWIND_H
#define _X86_VIRT_TDX_SIM_TD_REWIND_H

struct sim_exit;

/*
 * If @exit came between the delivery of an exception and the first instruction of its
 * handler, and RIP is that of the instruction before, undo the delivery.  The
 * instruction raises the exception again after the next entry.  The vCPU's VMCS is
 * current.
 */
void sim_undo_rewind(const struct sim_exit *exit);

#endif /* _X86_VIRT_TDX_SIM_TD_REWIND_H */
