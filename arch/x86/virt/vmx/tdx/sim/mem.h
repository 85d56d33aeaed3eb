/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: what the TDH.MEM leafs share.
 */
#ifndef _X86_VIRT_TDX_SIM_MEM_H
#define _X86_VIRT_TDX_SIM_MEM_H

#include "sept.h"

/* One call of a TDH.MEM leaf: its operands and what it holds locked. */
struct sim_mem_op {
	struct pt_regs *regs;
	enum sim_lock_mode td_mode;
	enum sim_lock_mode tree_mode;
	u32 op_states;
	int min_level;
	int max_level;

	struct sim_td *td;
	u64 gpa;
	int level;
	u64 *entry;
};

/*
 * sim_mem_begin(): the checks that all of these leafs begin with, in the order of
 *                the ABI: TD, page info, tree lock, walk, entry lock.
 * sim_mem_end():  releases what it locked.
 * sim_mem_report(): status @code of RCX, with the entry in RCX and RDX.
 * sim_mem_pamt():  of the page that a leaf entry maps, or of the table that another
 *                leads to.
 * sim_mem_set():   the entry in @state for the page or table at @hpa.
 * sim_mem_check_tracked(): a TD that can run may know the entry: it has to be
 *                blocked, and that to be tracked.  @pamt is sim_mem_pamt().
 */
u64 sim_mem_begin(struct sim_mem_op *op, struct pt_regs *regs, u64 tdr);
void sim_mem_end(struct sim_mem_op *op);
u64 sim_mem_report(struct sim_mem_op *op, u64 code);
struct sim_pamt *sim_mem_pamt(const struct sim_mem_op *op);
void sim_mem_set(struct sim_mem_op *op, u8 state, u64 hpa);
bool sim_mem_is_blocked(u8 state);
u64 sim_mem_check_tracked(struct sim_mem_op *op, const struct sim_pamt *pamt);

#endif /* _X86_VIRT_TDX_SIM_MEM_H */
