/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: answers that are given on request, to drive the error
 * paths of the host.
 */
#ifndef _X86_VIRT_TDX_SIM_FAULT_H
#define _X86_VIRT_TDX_SIM_FAULT_H

#include <linux/jump_label.h>
#include <linux/types.h>

struct pt_regs;

#ifdef CONFIG_DEBUG_FS

DECLARE_STATIC_KEY_FALSE(sim_fault_armed);

extern const struct file_operations sim_fault_fops;

bool __sim_fault_refuse(u64 leaf, struct pt_regs *regs, u64 *status);
u64 __sim_fault_mark(u64 leaf, u64 status);

/*
 * True if a request says to answer this call of @leaf with *@status, and to change
 * nothing but the registers of the answer in @regs.  Without requests it is a branch
 * that is never taken.
 */
static inline bool sim_fault_refuse(u64 leaf, struct pt_regs *regs, u64 *status)
{
	return static_branch_unlikely(&sim_fault_armed) &&
	       __sim_fault_refuse(leaf, regs, status);
}

/* Returns @status, of a call of @leaf that was carried out, with the bits of requests. */
static inline u64 sim_fault_mark(u64 leaf, u64 status)
{
	return static_branch_unlikely(&sim_fault_armed) ? __sim_fault_mark(leaf, status) :
							  status;
}

#else

static inline bool sim_fault_refuse(u64 leaf, struct pt_regs *regs, u64 *status)
{
	return false;
}

static inline u64 sim_fault_mark(u64 leaf, u64 status)
{
	return status;
}

#endif /* CONFIG_DEBUG_FS */

#endif /* _X86_VIRT_TDX_SIM_FAULT_H */
