// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDH.MEM leafs.  Those of TDH.MEM.PAGE are in
 * tdh_mem_page.c.
 */
#include <linux/array_size.h>

#include "tdh/mem_op.h"
#include "tdh/tdh.h"

u64 sim_tdh_mem_sept_add(struct pt_regs *regs)
{
	struct sim_mem_op op = {
		.td_mode = SIM_SHARED, .tree_mode = SIM_SHARED,
		.op_states = SIM_OPS_LIVE,
		.min_level = 1, .max_level = SEPT_ROOT_LEVEL,
	};
	struct sim_page_ref page;
	u64 status;

	status = sim_mem_begin_free(&op, regs, regs->dx);
	if (status)
		return status;

	status = sim_free_page_get(regs->r8, TDX_OPERAND_ID_R8, TDX_PS_4K, SIM_EXCL, &page);
	if (status)
		goto out;

	/* All checks passed: no failure below. */
	sim_sept_clear_table(__va(regs->r8));
	sim_page_assign(page.pamt, PT_EPT, TDX_PS_4K, op.td);
	sim_page_ref_put(&page);
	sim_mem_set(&op, TDX_SEPT_NL_MAPPED, regs->r8);
out:
	sim_mem_end(&op);
	return status;
}

/* State of an entry after TDH.MEM.RANGE.BLOCK; TDX_SEPT_FREE: not allowed. */
static const u8 sim_blocked_state[] = {
	[TDX_SEPT_PENDING]	= TDX_SEPT_PENDING_BLOCKED,
	[TDX_SEPT_PRESENT]	= TDX_SEPT_BLOCKED,
	[TDX_SEPT_NL_MAPPED]	= TDX_SEPT_NL_BLOCKED,
};

u64 sim_tdh_mem_range_block(struct pt_regs *regs)
{
	struct sim_mem_op op = {
		.td_mode = SIM_SHARED, .tree_mode = SIM_EXCL,
		.op_states = SIM_OPS_LIVE,
		.max_level = SEPT_ROOT_LEVEL,
	};
	u64 status;
	u8 state;

	status = sim_mem_begin(&op, regs, regs->dx);
	if (status)
		return status;

	state = sim_sept_state(*op.entry);
	if (sim_mem_is_blocked(state)) {
		status = sim_mem_report(&op, TDX_GPA_RANGE_ALREADY_BLOCKED);
		goto out;
	}

	if (state >= ARRAY_SIZE(sim_blocked_state) || !sim_blocked_state[state]) {
		status = sim_mem_report(&op, TDX_EPT_ENTRY_STATE_INCORRECT);
		goto out;
	}

	/* All checks passed: no failure below. */
	sim_mem_pamt(&op)->bepoch = op.td->tdcs->epoch;
	sim_mem_set(&op, sim_blocked_state[state], *op.entry & SEPT_HPA);
out:
	sim_mem_end(&op);
	return status;
}

u64 sim_tdh_mem_track(struct pt_regs *regs)
{
	struct sim_tdcs *tdcs;
	struct sim_td *td;
	u64 status;

	status = sim_td_get(regs->cx, TDX_OPERAND_ID_RCX, SIM_SHARED, SIM_OPS_LIVE, &td);
	if (status)
		return status;

	tdcs = td->tdcs;
	if (!sim_trylock(&tdcs->epoch_lock, SIM_EXCL)) {
		status = sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_TD_EPOCH);
		goto put_td;
	}

	if (atomic_read(&tdcs->epoch_vcpus[!(tdcs->epoch & 1)]))
		status = TDX_PREVIOUS_TLB_EPOCH_BUSY;
	else
		WRITE_ONCE(tdcs->epoch, tdcs->epoch + 1);

	sim_unlock(&tdcs->epoch_lock, SIM_EXCL);
put_td:
	sim_td_put(td, SIM_SHARED);
	return status;
}
