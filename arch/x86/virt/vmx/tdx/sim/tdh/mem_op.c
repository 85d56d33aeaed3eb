// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: what the TDH.MEM leafs share.
 */
#include "state/alias.h"
#include "tdh/mem_op.h"

static u64 report_entry(struct sim_mem_op *op, u64 code, u64 *entry, int level)
{
	u64 rcx, rdx;

	sim_sept_report(READ_ONCE(*entry), level, &rcx, &rdx);
	op->regs->cx = rcx;
	op->regs->dx = rdx;
	return sim_err(code, TDX_OPERAND_ID_RCX);
}

u64 sim_mem_report(struct sim_mem_op *op, u64 code)
{
	return report_entry(op, code, op->entry, op->level);
}

/* A leaf that has the TD exclusively needs no lock of the tree or of an entry. */
static bool sim_mem_lock_tree(struct sim_mem_op *op)
{
	return op->td_mode == SIM_EXCL || sim_trylock(&op->td->tdcs->sept_lock, op->tree_mode);
}

static void sim_mem_unlock_tree(struct sim_mem_op *op)
{
	if (op->td_mode != SIM_EXCL)
		sim_unlock(&op->td->tdcs->sept_lock, op->tree_mode);
}

static bool sim_mem_lock_entry(struct sim_mem_op *op)
{
	return op->td_mode == SIM_EXCL || sim_sept_trylock_entry(op->entry);
}

void sim_mem_end(struct sim_mem_op *op)
{
	sim_sept_unlock_entry(op->entry);
	sim_mem_unlock_tree(op);
	sim_td_put(op->td, op->td_mode);
}

u64 sim_mem_begin(struct sim_mem_op *op, struct pt_regs *regs, u64 tdr)
{
	u64 info = regs->cx;
	u64 status;
	int found;

	op->regs = regs;
	op->gpa = info & TDX_PAGE_INFO_GPA;
	op->level = info & TDX_PAGE_INFO_LEVEL;
	regs->cx = 0;
	regs->dx = 0;

	status = sim_td_get(tdr, TDX_OPERAND_ID_RDX, op->td_mode, op->op_states, &op->td);
	if (status)
		return status;

	if (info & ~(TDX_PAGE_INFO_GPA | TDX_PAGE_INFO_LEVEL) ||
	    op->level < op->min_level || op->level > op->max_level ||
	    op->gpa & sim_sept_offset_mask(op->level) ||
	    !sim_gpa_private(op->gpa) || sim_gpa_is_alias(op->gpa)) {
		status = sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);
		goto put_td;
	}

	if (!sim_mem_lock_tree(op)) {
		status = sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_SEPT);
		goto put_td;
	}

	op->entry = sim_sept_walk(op->td->tdcs, op->gpa, op->level, &found);
	if (found != op->level) {
		status = report_entry(op, TDX_EPT_WALK_FAILED, op->entry, found);
		goto unlock_tree;
	}

	if (!sim_mem_lock_entry(op)) {
		status = sim_mem_report(op, TDX_OPERAND_BUSY);
		goto unlock_tree;
	}
	return 0;

unlock_tree:
	sim_mem_unlock_tree(op);
put_td:
	sim_td_put(op->td, op->td_mode);
	return status;
}

struct sim_pamt *sim_mem_pamt(const struct sim_mem_op *op)
{
	u64 hpa = *op->entry & SEPT_HPA;

	if (op->level == TDX_PS_2M && sim_sept_is_leaf(sim_sept_state(*op->entry)))
		return sim_pamt_2m_of(hpa);
	return sim_pamt_of(hpa);
}

void sim_mem_set(struct sim_mem_op *op, u8 state, u64 hpa)
{
	sim_sept_set(op->td->tdcs, op->entry, op->level, sim_sept_make(state, op->level, hpa));
}

static bool is_free(u8 state)
{
	return state == TDX_SEPT_FREE;
}

/* sim_mem_begin(), and then a check of the entry's state. */
static u64 mem_begin_in(struct sim_mem_op *op, struct pt_regs *regs, u64 tdr,
			bool (*is_good)(u8 state))
{
	u64 status = sim_mem_begin(op, regs, tdr);

	if (status || is_good(sim_sept_state(*op->entry)))
		return status;

	status = sim_mem_report(op, TDX_EPT_ENTRY_STATE_INCORRECT);
	sim_mem_end(op);
	return status;
}

u64 sim_mem_begin_free(struct sim_mem_op *op, struct pt_regs *regs, u64 tdr)
{
	return mem_begin_in(op, regs, tdr, is_free);
}

u64 sim_mem_begin_leaf(struct sim_mem_op *op, struct pt_regs *regs, u64 tdr)
{
	return mem_begin_in(op, regs, tdr, sim_sept_is_leaf);
}

bool sim_mem_is_blocked(u8 state)
{
	return state == TDX_SEPT_BLOCKED || state == TDX_SEPT_PENDING_BLOCKED ||
	       state == TDX_SEPT_NL_BLOCKED;
}

/* No vCPU can still use a translation that was blocked at @bepoch. */
static bool sim_tracked(struct sim_tdcs *tdcs, u32 bepoch)
{
	u32 age = (u32)READ_ONCE(tdcs->epoch) - bepoch;

	return age > 1 || (age == 1 && !atomic_read(&tdcs->epoch_vcpus[bepoch & 1]));
}

/* Before the first TDH.VP.ENTER there is no translation to track. */
u64 sim_mem_check_tracked(struct sim_mem_op *op, const struct sim_pamt *pamt)
{
	if (op->td->tdcs->op_state != SIM_OP_RUNNABLE)
		return 0;
	if (!sim_mem_is_blocked(sim_sept_state(*op->entry)))
		return sim_mem_report(op, TDX_GPA_RANGE_NOT_BLOCKED);
	if (!sim_tracked(op->td->tdcs, pamt->bepoch))
		return sim_err(TDX_TLB_TRACKING_NOT_DONE, TDX_OPERAND_ID_RCX);
	return 0;
}
