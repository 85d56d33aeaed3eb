/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: TDCALL.
 */
#ifndef _X86_VIRT_TDX_SIM_TDCALL_H
#define _X86_VIRT_TDX_SIM_TDCALL_H

#include "vcpu/td_exit.h"

/*
 * TDCALL of a TD.  The instruction is at the guest's RIP, the VMCS is current.  RAX of
 * the TD has leaf and version, and gets the status.
 */
enum sim_action sim_tdcall(struct sim_exit *exit);

#endif /* _X86_VIRT_TDX_SIM_TDCALL_H */
