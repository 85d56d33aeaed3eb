// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: pages of a TD, and the TD that an operand names.
 */
#include <linux/atomic.h>
#include <linux/compiler.h>

#include "state/td.h"

void sim_page_assign(struct sim_pamt *pamt, u8 type, int level, struct sim_td *td)
{
	pamt->level = level;
	pamt->bepoch = 0;
	pamt->owner = td ? td->pa : 0;
	/* The type goes last. */
	sim_pamt_set_type(pamt, type);
	if (td)
		atomic64_add(sim_level_pages(level), &td->chldcnt);
}

void sim_page_free(struct sim_pamt *pamt, struct sim_td *td)
{
	u64 pages = sim_level_pages(pamt->level);

	sim_pamt_set_type(pamt, PT_NDA);
	pamt->level = TDX_PS_4K;
	pamt->bepoch = 0;
	pamt->owner = 0;
	if (td)
		atomic64_sub(pages, &td->chldcnt);
}

u64 sim_tdr_get(u64 pa, u32 op, enum sim_lock_mode mode, struct sim_td **td)
{
	struct sim_pamt *pamt;
	u64 status;

	status = sim_page_get(pa, op, PT_TDR, mode, &pamt);
	if (!status)
		*td = __va(pa);
	return status;
}

u64 sim_owner_get(const struct sim_pamt *pamt, enum sim_lock_mode mode, struct sim_td **td)
{
	*td = __va(pamt->owner);
	return sim_trylock(&(*td)->pamt->lock, mode) ? 0 :
	       sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_TDR);
}

/* The state of @td, which is released if it is not good. */
static u64 check_state(struct sim_td *td, enum sim_lock_mode mode, u32 op_states)
{
	u64 status = 0;

	if (td->fatal)
		status = TDX_TD_FATAL;
	else if (td->lifecycle != SIM_KEYS_CONFIGURED)
		status = TDX_TD_KEYS_NOT_CONFIGURED;
	else if (td->num_tdcx < TDX_TDCS_PAGES)
		status = TDX_TDCS_NOT_ALLOCATED;
	else if (!(op_states & BIT(td->tdcs->op_state)))
		status = TDX_OP_STATE_INCORRECT;

	if (status)
		sim_td_put(td, mode);
	return status;
}

u64 sim_td_get(u64 pa, u32 op, enum sim_lock_mode mode, u32 op_states,
	       struct sim_td **td)
{
	return sim_tdr_get(pa, op, mode, td) ?: check_state(*td, mode, op_states);
}

u64 sim_owner_td_get(const struct sim_pamt *pamt, enum sim_lock_mode mode, u32 op_states,
		     struct sim_td **td)
{
	return sim_owner_get(pamt, mode, td) ?: check_state(*td, mode, op_states);
}
