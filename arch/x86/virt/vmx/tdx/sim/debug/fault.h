/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: answers that are given on request, to drive the error
 * paths of the host.
 */
#ifndef _X86_VIRT_TDX_SIM_FAULT_H
#define _X86_VIRT_TDX_SIM_FAULT_H

#include <linux/jump_label.h>
#include <linux/types.h>

#ifdef CONFIG_DEBUG_FS

DECLARE_STATIC_KEY_FALSE(sim_fault_armed);

extern const struct file_operations sim_fault_fops;

bool __sim_fault_hit(u64 leaf, u64 *status);

/*
 * True if a request says to answer this call of @leaf with *@status, and to change
 * nothing.  Without requests it is a branch that is never taken.
 */
static inline bool sim_fault_hit(u64 leaf, u64 *status)
{
	return static_branch_unlikely(&sim_fault_armed) && __sim_fault_hit(leaf, status);
}

#else

static inline bool sim_fault_hit(u64 leaf, u64 *status)
{
	return false;
}

#endif /* CONFIG_DEBUG_FS */

#endif /* _X86_VIRT_TDX_SIM_FAULT_H */
