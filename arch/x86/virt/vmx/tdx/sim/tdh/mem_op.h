/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: what the TDH.MEM leafs share.
 */
#ifndef _X86_VIRT_TDX_SIM_MEM_OP_H
#define _X86_VIRT_TDX_SIM_MEM_OP_H

#include "state/sept.h"

/*
 * One call of a TDH.MEM leaf: what it may work on, its operands, and what it has
 * locked.  The leaf sets the first part, the levels are TDX_PS_4K and above.
 */
struct sim_mem_op {
	enum sim_lock_mode td_mode;
	enum sim_lock_mode tree_mode;	/* if @td_mode is SIM_SHARED */
	u32 op_states;			/* SIM_OPS_* */
	int min_level;
	int max_level;

	struct pt_regs *regs;
	struct sim_td *td;
	u64 gpa;
	int level;
	u64 *entry;
};

/*
 * The checks that these leafs begin with, in the order of the ABI: TD, page info, lock
 * of the tree, walk, lock of the entry.  @tdr is the physical address of the TDR; RCX
 * of @regs has level and GPA.  RCX and RDX leave as 0 unless an entry is reported.
 * Return 0, or the status with nothing locked; sim_mem_end() releases the locks.
 *
 * sim_mem_begin_free():	then, that the entry is free.
 * sim_mem_begin_leaf():	then, that it maps a page, which may be blocked or pending.
 */
u64 sim_mem_begin(struct sim_mem_op *op, struct pt_regs *regs, u64 tdr);
u64 sim_mem_begin_free(struct sim_mem_op *op, struct pt_regs *regs, u64 tdr);
u64 sim_mem_begin_leaf(struct sim_mem_op *op, struct pt_regs *regs, u64 tdr);
void sim_mem_end(struct sim_mem_op *op);

/* The status @code of RCX; RCX and RDX report the entry. */
u64 sim_mem_report(struct sim_mem_op *op, u64 code);

/*
 * A TD that can run may know the entry: it must be blocked, and that must be tracked.
 * @pamt is sim_mem_pamt().  Returns 0, or the status, and reports the entry if it is not
 * blocked.
 */
u64 sim_mem_check_tracked(struct sim_mem_op *op, const struct sim_pamt *pamt);

/* The state (TDX_SEPT_*) is one that TDH.MEM.RANGE.BLOCK leads to. */
bool sim_mem_is_blocked(u8 state);

/* PAMT entry of the page that a leaf entry maps, or of the table that another leads to. */
struct sim_pamt *sim_mem_pamt(const struct sim_mem_op *op);

/* The entry gets @state (TDX_SEPT_*) and leads to the page or the table at @hpa. */
void sim_mem_set(struct sim_mem_op *op, u8 state, u64 hpa);

#endif /* _X86_VIRT_TDX_SIM_MEM_OP_H */
