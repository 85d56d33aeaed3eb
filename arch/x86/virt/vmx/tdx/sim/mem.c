// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDH.MEM leafs.
 */
#include <linux/bitfield.h>
#include <linux/string.h>

#include "mem.h"

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

/* With the TD for itself alone a leaf needs no lock of the tree or of an entry. */
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

/* RCX and RDX leave as 0 unless an entry is to be reported. */
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
	    op->gpa & (BIT_ULL(PAGE_SHIFT + 9 * op->level) - 1) ||
	    !sim_gpa_private(op->gpa) || sim_shared_alias(op->gpa)) {
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

static u64 sim_mem_check_free(struct sim_mem_op *op)
{
	if (sim_sept_state(*op->entry) == TDX_SEPT_FREE)
		return 0;
	return sim_mem_report(op, TDX_EPT_ENTRY_STATE_INCORRECT);
}

u64 sim_tdh_mem_sept_add(struct pt_regs *regs)
{
	struct sim_mem_op op = {
		.td_mode = SIM_SHARED, .tree_mode = SIM_SHARED,
		.op_states = SIM_OPS_LIVE,
		.min_level = 1, .max_level = SEPT_ROOT_LEVEL,
	};
	struct sim_page_ref page;
	u64 status;

	status = sim_mem_begin(&op, regs, regs->dx);
	if (status)
		return status;

	status = sim_mem_check_free(&op);
	if (status)
		goto out;

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

u64 sim_tdh_mem_page_add(struct pt_regs *regs)
{
	struct sim_mem_op op = {
		.td_mode = SIM_EXCL,
		.op_states = SIM_OPS_INIT,
	};
	struct sim_page_ref page;
	u64 status;

	status = sim_mem_begin(&op, regs, regs->dx);
	if (status)
		return status;

	status = sim_mem_check_free(&op);
	if (status)
		goto out;

	if (!sim_shared_hpa_ok(regs->r9, PAGE_SIZE, PAGE_SIZE)) {
		status = sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_R9);
		goto out;
	}

	status = sim_free_page_get(regs->r8, TDX_OPERAND_ID_R8, TDX_PS_4K, SIM_EXCL, &page);
	if (status)
		goto out;

	/* All checks passed: no failure below. */
	if (regs->r8 != regs->r9)
		memcpy(__va(regs->r8), __va(regs->r9), PAGE_SIZE);
	sim_page_assign(page.pamt, PT_REG, TDX_PS_4K, op.td);
	sim_page_ref_put(&page);
	sim_mr_page_add(op.td->tdcs, op.gpa);
	sim_mem_set(&op, TDX_SEPT_PRESENT, regs->r8);
out:
	sim_mem_end(&op);
	return status;
}

u64 sim_tdh_mem_page_aug(struct pt_regs *regs)
{
	struct sim_mem_op op = {
		.td_mode = SIM_SHARED, .tree_mode = SIM_SHARED,
		.op_states = SIM_OPS_LIVE,
		.max_level = TDX_PS_2M,
	};
	struct sim_page_ref page;
	u64 status;

	status = sim_mem_begin(&op, regs, regs->dx);
	if (status)
		return status;

	status = sim_mem_check_free(&op);
	if (status)
		goto out;

	status = sim_free_page_get(regs->r8, TDX_OPERAND_ID_R8, op.level, SIM_EXCL, &page);
	if (status)
		goto out;

	/* All checks passed: no failure below. */
	sim_page_assign(page.pamt, PT_REG, op.level, op.td);
	sim_page_ref_put(&page);
	sim_mem_set(&op, TDX_SEPT_PENDING, regs->r8);
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

bool sim_mem_is_blocked(u8 state)
{
	return state == TDX_SEPT_BLOCKED || state == TDX_SEPT_PENDING_BLOCKED ||
	       state == TDX_SEPT_NL_BLOCKED;
}

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

u64 sim_tdh_mem_page_remove(struct pt_regs *regs)
{
	struct sim_mem_op op = {
		.td_mode = SIM_SHARED, .tree_mode = SIM_SHARED,
		.op_states = SIM_OPS_LIVE,
		.max_level = TDX_PS_1G,
	};
	struct sim_pamt *pamt;
	u64 status, hpa;
	u8 state;

	status = sim_mem_begin(&op, regs, regs->dx);
	if (status)
		return status;

	state = sim_sept_state(*op.entry);
	if (!sim_sept_is_leaf(state)) {
		status = sim_mem_report(&op, TDX_EPT_ENTRY_STATE_INCORRECT);
		goto out;
	}

	hpa = *op.entry & SEPT_HPA;
	pamt = sim_mem_pamt(&op);
	if (!sim_trylock(&pamt->lock, SIM_EXCL)) {
		status = sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_RCX);
		goto out;
	}

	status = sim_mem_check_tracked(&op, pamt);
	if (status)
		goto put_page;

	/* All checks passed: no failure below. */
	sim_page_free(pamt, op.td);
	sim_sept_set(op.td->tdcs, op.entry, op.level, SEPT_ENTRY_FREE);
	regs->cx = hpa;
put_page:
	sim_page_put(pamt, SIM_EXCL);
out:
	sim_mem_end(&op);
	return status;
}
