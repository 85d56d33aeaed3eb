/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: VM exits of a TD.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_EXITS_H
#define _X86_VIRT_TDX_SIM_TD_EXITS_H

#include "vcpu/td_exit.h"

/*
 * Do what the row of td_exits.def says.  The VMCS is current; @exit is filled in from
 * it.
 */
enum sim_action sim_handle_exit(struct sim_exit *exit);

#endif /* _X86_VIRT_TDX_SIM_TD_EXITS_H */
