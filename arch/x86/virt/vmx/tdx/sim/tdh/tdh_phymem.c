// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDH.PHYMEM leafs.
 *
 * Memory is not encrypted, so no cache line belongs to a KeyID.  A flush here is only
 * the bookkeeping of it.
 */
#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>

#include <asm/processor.h>

#include "state/td.h"
#include "tdh/tdh.h"
#include "tdh/tdh_phymem.h"

/* The TDR of @pamt's owner, or the page itself if it is one. */
static u64 reclaim_check_owner(struct sim_pamt *pamt, u64 pa, struct sim_td **owner)
{
	struct sim_td *td;
	u64 status;

	if (pamt->type == PT_TDR) {
		td = __va(pa);
		if (td->lifecycle != SIM_TEARDOWN)
			return TDX_LIFECYCLE_STATE_INCORRECT;
		if (atomic64_read(&td->chldcnt))
			return TDX_TD_ASSOCIATED_PAGES_EXIST;
		*owner = NULL;
		return 0;
	}

	status = sim_owner_get(pamt, SIM_SHARED, &td);
	if (status)
		return status;

	if (td->lifecycle != SIM_TEARDOWN) {
		sim_td_put(td, SIM_SHARED);
		return TDX_LIFECYCLE_STATE_INCORRECT;
	}

	*owner = td;
	return 0;
}

u64 sim_tdh_phymem_page_reclaim(struct pt_regs *regs)
{
	struct sim_page_ref page;
	struct sim_pamt *pamt;
	struct sim_td *owner;
	u64 pa = regs->cx;
	u64 status;

	regs->cx = 0;
	regs->dx = 0;
	regs->r8 = 0;
	regs->r9 = 0;
	regs->r10 = 0;
	regs->r11 = 0;

	status = sim_any_page_get(pa, TDX_OPERAND_ID_RCX, SIM_EXCL, &page);
	if (status)
		return status;

	pamt = page.pamt;
	if (pamt->type == PT_NDA || pamt->type == PT_RSVD) {
		status = sim_err(TDX_PAGE_METADATA_INCORRECT, TDX_OPERAND_ID_RCX);
		goto put_page;
	}

	/* The host gets these also if it cannot have the page back. */
	regs->cx = pamt->type;
	regs->dx = pamt->owner;
	regs->r8 = pamt->level;

	if (!IS_ALIGNED(pa, sim_level_pages(pamt->level) << PAGE_SHIFT)) {
		status = sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);
		goto put_page;
	}

	status = reclaim_check_owner(pamt, pa, &owner);
	if (status)
		goto put_page;

	/* All checks passed: no failure below. */
	sim_page_free(pamt, owner);
	if (owner)
		sim_td_put(owner, SIM_SHARED);
put_page:
	sim_page_ref_put(&page);
	return status;
}

/*
 * The machine check handler of Linux calls this leaf, and may have interrupted the
 * owner of any lock.  So the leaf takes no lock, and may see half of a change.
 */
u64 sim_tdh_phymem_page_rdmd(struct pt_regs *regs)
{
	struct sim_pamt *pamt = NULL;
	u64 pa = regs->cx;
	u64 status;

	status = sim_page_check(pa, TDX_OPERAND_ID_RCX, &pamt);
	if (!status)
		pamt = sim_pamt_leaf_of(pa);

	/* All checks passed: no failure below. */
	regs->cx = status ? 0 : smp_load_acquire(&pamt->type);
	regs->dx = status ? 0 : pamt->owner;
	regs->r8 = status ? 0 : pamt->level;
	regs->r9 = status ? 0 : pamt->bepoch;
	regs->r10 = 0;
	regs->r11 = 0;
	return status;
}

u64 sim_tdh_phymem_page_wbinvd(struct pt_regs *regs)
{
	u64 pa = regs->cx & (BIT_ULL(boot_cpu_data.x86_phys_bits) - 1);
	struct sim_page_ref page;
	u64 status;

	status = sim_free_page_get(pa, TDX_OPERAND_ID_RCX, TDX_PS_4K, SIM_SHARED, &page);
	if (status)
		return status;

	sim_page_ref_put(&page);
	return TDX_SUCCESS;
}

/*
 * True if any KeyID has no vCPU on any CPU.  With @clear, the caches of this package
 * are then written back for each of them.
 */
static bool cache_wb_ready(bool clear)
{
	bool ready = false;
	u32 i;

	for (i = 0; i < sim_sys.nr_keyids; i++) {
		struct sim_kot_entry *kot = &sim_sys.kot[i];

		if (kot->state != SIM_KOT_FLUSHED)
			continue;
		ready = true;
		if (clear)
			clear_bit(sim_this_package(), kot->wbinvd);
	}

	return ready;
}

void sim_cache_wb_interrupt(void)
{
	set_bit(sim_this_package(), sim_sys.wb_interrupted);
}

u64 sim_tdh_phymem_cache_wb(struct pt_regs *regs)
{
	u64 resume = regs->cx;
	bool interrupted;
	u64 status = 0;

	if (resume > 1)
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);

	/* Shared: Linux calls on all packages at once. */
	if (!sim_trylock(&sim_sys.kot_lock, SIM_SHARED))
		return sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_KOT);

	interrupted = test_and_clear_bit(sim_this_package(), sim_sys.wb_interrupted);
	if (resume && !interrupted)
		status = TDX_WBCACHE_RESUME_ERROR;
	else if (!cache_wb_ready(false))
		status = TDX_NO_HKID_READY_TO_WBCACHE;
	if (status)
		goto unlock;

	/* All checks passed: no failure below. */
	cache_wb_ready(true);
unlock:
	sim_unlock(&sim_sys.kot_lock, SIM_SHARED);
	return status;
}
