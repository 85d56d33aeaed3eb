/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: shared memory on a CPU with narrow physical
 * addresses.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_SHARED_H
#define _X86_VIRT_TDX_SIM_TD_SHARED_H

#include <linux/types.h>

#include "vcpu/td_exit.h"

/*
 * Called first on each exit; true if nothing is left to do for it, and the TD can
 * be entered again.
 */
bool sim_shared_exit(struct sim_exit *exit);

/* Exit of a #PF with RSVD set.  Only on a CPU with narrow addresses does it exit. */
enum sim_action sim_shared_fault(struct sim_exit *exit);

#endif /* _X86_VIRT_TDX_SIM_TD_SHARED_H */
