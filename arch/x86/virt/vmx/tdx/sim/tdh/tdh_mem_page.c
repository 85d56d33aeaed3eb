// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDH.MEM.PAGE leafs.
 *
 * TDH.MEM.PAGE.DEMOTE and TDH.MEM.PAGE.PROMOTE turn 2 MiB of a TD from one page to 512
 * and back.  No page is larger than that here: there is nothing to demote at level 2,
 * and to promote to it is refused as a level that is not supported.
 */
#include <linux/align.h>
#include <linux/bitfield.h>
#include <linux/sizes.h>

#include <asm/vmx.h>

#include "state/mrtd.h"
#include "state/page.h"
#include "state/sys.h"
#include "tdh/mem_op.h"
#include "tdh/tdh.h"

u64 sim_tdh_mem_page_add(struct pt_regs *regs)
{
	struct sim_mem_op op = {
		.td_mode = SIM_EXCL,
		.op_states = SIM_OPS_INIT,
	};
	struct sim_page_ref page;
	u64 status;

	status = sim_mem_begin_free(&op, regs, regs->dx);
	if (status)
		return status;

	if (!sim_shared_hpa_ok(regs->r9, PAGE_SIZE, PAGE_SIZE)) {
		status = sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_R9);
		goto out;
	}

	status = sim_free_page_get(regs->r8, TDX_OPERAND_ID_R8, TDX_PS_4K, SIM_EXCL, &page);
	if (status)
		goto out;

	/* All checks passed: no failure below. */
	if (regs->r8 != regs->r9)
		sim_page_copy(__va(regs->r8), __va(regs->r9), PAGE_SIZE);
	sim_page_assign(page.pamt, PT_REG, TDX_PS_4K, op.td);
	sim_page_ref_put(&page);
	sim_mrtd_page_add(op.td->tdcs, op.gpa);
	sim_mem_set(&op, TDX_SEPT_PRESENT, regs->r8);
	WRITE_ONCE(sim_sys.last_page, regs->r8);
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

	status = sim_mem_begin_free(&op, regs, regs->dx);
	if (status)
		return status;

	status = sim_free_page_get(regs->r8, TDX_OPERAND_ID_R8, op.level, SIM_EXCL, &page);
	if (status)
		goto out;

	/* All checks passed: no failure below. */
	sim_page_assign(page.pamt, PT_REG, op.level, op.td);
	sim_page_ref_put(&page);
	sim_mem_set(&op, TDX_SEPT_PENDING, regs->r8);
	WRITE_ONCE(sim_sys.last_page, regs->r8);
out:
	sim_mem_end(&op);
	return status;
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

	status = sim_mem_begin_leaf(&op, regs, regs->dx);
	if (status)
		return status;

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

/* TDH.MEM.PAGE.DEMOTE, RDX: TDR in 51:12, bit 0 is about nested VMs. */
#define DEMOTE_TDR		GENMASK_ULL(51, 12)
#define DEMOTE_FLAGS		BIT_ULL(0)

/* State of an entry before TDH.MEM.RANGE.BLOCK. */
static u8 unblocked_state(u8 state)
{
	switch (state) {
	case TDX_SEPT_BLOCKED:
		return TDX_SEPT_PRESENT;
	case TDX_SEPT_PENDING_BLOCKED:
		return TDX_SEPT_PENDING;
	default:
		return state;
	}
}

/* 512 pages in place of the one: no other CPU can lock them before they exist. */
static void pamt_demote(u64 hpa, struct sim_pamt *large, struct sim_td *td)
{
	struct sim_pamt *small = sim_pamt_of(hpa);
	int i;

	sim_page_free(large, td);
	for (i = 0; i < PTRS_PER_PTE; i++)
		sim_page_assign(&small[i], PT_REG, TDX_PS_4K, td);
}

static void pamt_promote(u64 hpa, struct sim_pamt *large, struct sim_td *td)
{
	struct sim_pamt *small = sim_pamt_of(hpa);
	int i;

	for (i = 0; i < PTRS_PER_PTE; i++)
		sim_page_free(&small[i], td);
	sim_page_assign(large, PT_REG, TDX_PS_2M, td);
}

u64 sim_tdh_mem_page_demote(struct pt_regs *regs)
{
	struct sim_mem_op op = {
		.td_mode = SIM_SHARED, .tree_mode = SIM_SHARED,
		.op_states = SIM_OPS_LIVE,
		.min_level = TDX_PS_2M, .max_level = TDX_PS_1G,
	};
	u64 tdr = regs->dx, table_pa = regs->r8, *table = __va(table_pa);
	struct sim_page_ref page;
	struct sim_pamt *large;
	u64 status, hpa;
	u8 state;
	int i;

	if (tdr & ~(DEMOTE_TDR | DEMOTE_FLAGS)) {
		regs->cx = 0;
		regs->dx = 0;
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RDX);
	}

	status = sim_mem_begin_leaf(&op, regs, tdr & DEMOTE_TDR);
	if (status)
		return status;

	state = unblocked_state(sim_sept_state(*op.entry));
	hpa = *op.entry & SEPT_HPA;
	large = sim_mem_pamt(&op);
	status = sim_mem_check_tracked(&op, large) ?:
		 sim_free_page_get(table_pa, TDX_OPERAND_ID_R8, TDX_PS_4K, SIM_EXCL, &page);
	if (status)
		goto out;

	if (!sim_trylock(&large->lock, SIM_EXCL)) {
		status = sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_RCX);
		goto put_page;
	}

	/* All checks passed: no failure below. */
	for (i = 0; i < PTRS_PER_PTE; i++)
		table[i] = sim_sept_make(state, TDX_PS_4K, hpa + i * PAGE_SIZE);
	pamt_demote(hpa, large, op.td);
	sim_unlock(&large->lock, SIM_EXCL);
	sim_page_assign(page.pamt, PT_EPT, TDX_PS_4K, op.td);
	sim_mem_set(&op, TDX_SEPT_NL_MAPPED, table_pa);
put_page:
	sim_page_ref_put(&page);
out:
	sim_mem_end(&op);
	return status;
}

/* Bits that the CPU or a lock of the entry changes are no condition. */
#define CHILD_VARIES	(BIT_ULL(SEPT_LOCK_BIT) | VMX_EPT_ACCESS_BIT | VMX_EPT_DIRTY_BIT)

/*
 * Lock all entries of @table, which must map the 512 pages of 2 MiB in order and
 * in one state.  *@locked of them are locked in the end.
 */
static u64 check_children(u64 *table, int *locked)
{
	u64 first = READ_ONCE(table[0]) & ~CHILD_VARIES;
	u8 state = sim_sept_state(first);
	bool good = (state == TDX_SEPT_PRESENT || state == TDX_SEPT_PENDING) &&
		    IS_ALIGNED(first & SEPT_HPA, SZ_2M);

	for (*locked = 0; *locked < PTRS_PER_PTE; (*locked)++) {
		u64 *entry = &table[*locked];

		if (!sim_sept_trylock_entry(entry))
			return TDX_OPERAND_BUSY;
		if (!good ||
		    (READ_ONCE(*entry) & ~CHILD_VARIES) != first + *locked * PAGE_SIZE) {
			(*locked)++;
			return TDX_EPT_INVALID_PROMOTE_CONDITIONS;
		}
	}
	return 0;
}

/* With the PAMT entry of the table locked. */
static u64 promote(struct sim_mem_op *op, struct sim_pamt *table_pamt)
{
	u64 table_pa = *op->entry & SEPT_HPA, *table = __va(table_pa);
	struct sim_pamt *large;
	u64 status, hpa;
	int locked;

	status = sim_mem_check_tracked(op, table_pamt);
	if (status)
		return status;

	status = check_children(table, &locked);
	if (status) {
		status = sim_mem_report(op, status);
		goto unlock_children;
	}

	hpa = table[0] & SEPT_HPA;
	large = sim_pamt_2m_of(hpa);
	if (!sim_trylock(&large->lock, SIM_EXCL)) {
		status = sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_RCX);
		goto unlock_children;
	}

	/* All checks passed: no failure below. */
	pamt_promote(hpa, large, op->td);
	sim_unlock(&large->lock, SIM_EXCL);
	sim_mem_set(op, sim_sept_state(table[0]), hpa);
	sim_page_free(table_pamt, op->td);
	op->regs->cx = table_pa;
	return 0;

unlock_children:
	while (locked)
		sim_sept_unlock_entry(&table[--locked]);
	return status;
}

u64 sim_tdh_mem_page_promote(struct pt_regs *regs)
{
	struct sim_mem_op op = {
		.td_mode = SIM_SHARED, .tree_mode = SIM_SHARED,
		.op_states = SIM_OPS_LIVE,
		.min_level = TDX_PS_2M, .max_level = TDX_PS_2M,
	};
	struct sim_pamt *table_pamt;
	u64 status;
	u8 state;

	if (FIELD_GET(TDX_LEAF_VERSION_MASK, regs->ax)) {
		/* Tables of nested VMs that were freed as well: there are none. */
		regs->r9 = U64_MAX;
		regs->r10 = U64_MAX;
		regs->r11 = U64_MAX;
	}

	status = sim_mem_begin(&op, regs, regs->dx);
	if (status)
		return status;

	state = sim_sept_state(*op.entry);
	if (state != TDX_SEPT_NL_MAPPED && state != TDX_SEPT_NL_BLOCKED) {
		status = sim_mem_report(&op, TDX_EPT_ENTRY_STATE_INCORRECT);
		goto out;
	}

	table_pamt = sim_mem_pamt(&op);
	if (!sim_trylock(&table_pamt->lock, SIM_EXCL)) {
		status = sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_RCX);
		goto out;
	}

	status = promote(&op, table_pamt);
	sim_page_put(table_pamt, SIM_EXCL);
out:
	sim_mem_end(&op);
	return status;
}
