// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: page metadata, and operands that are pages.
 *
 * The host names a TD or a vCPU only by the physical address of its root page.  The
 * type of the page in the PAMT is the only thing that keeps the module from taking
 * one object for another.
 */
#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/sizes.h>

#include <asm/barrier.h>
#include <asm/page.h>
#include <asm/processor.h>

#include "state/pamt.h"
#include "state/sys.h"

/* KeyID bits and bits that the CPU does not implement are above this width. */
static bool sim_pa_ok(u64 pa, u64 align)
{
	return IS_ALIGNED(pa, align) && !(pa >> boot_cpu_data.x86_phys_bits);
}

static struct sim_tdmr *tdmr_of(u64 pa)
{
	u32 i;

	for (i = 0; i < READ_ONCE(sim_sys.nr_tdmrs); i++) {
		struct sim_tdmr *tdmr = &sim_sys.tdmr[i];

		/* Pairs with the release in TDH.SYS.TDMR.INIT. */
		if (pa >= tdmr->base && pa < smp_load_acquire(&tdmr->initialized))
			return tdmr;
	}

	return NULL;
}

struct sim_pamt *sim_pamt_of(u64 pa)
{
	struct sim_tdmr *tdmr = tdmr_of(pa);

	return tdmr ? &tdmr->pamt_4k[(pa - tdmr->base) >> PAGE_SHIFT] : NULL;
}

struct sim_pamt *sim_pamt_2m_of(u64 pa)
{
	struct sim_tdmr *tdmr = tdmr_of(pa);

	return &tdmr->pamt_2m[(pa - tdmr->base) / SZ_2M];
}

struct sim_pamt *sim_pamt_leaf_of(u64 pa)
{
	struct sim_pamt *large = sim_pamt_2m_of(pa);

	return READ_ONCE(large->type) == PT_REG ? large : sim_pamt_of(pa);
}

static void count_pages(u8 type, long nr)
{
	if (type != PT_NDA)
		atomic_long_add(nr, &sim_sys.pages[type]);
}

void sim_pamt_set_type(struct sim_pamt *pamt, u8 type)
{
	const long nr = sim_level_pages(pamt->level);

	count_pages(pamt->type, -nr);
	count_pages(type, nr);
	/* TDH.PHYMEM.PAGE.RDMD reads without the lock: the type goes last. */
	smp_store_release(&pamt->type, type);
}

u64 sim_page_check(u64 pa, u32 op, struct sim_pamt **pamt)
{
	if (!sim_pa_ok(pa, PAGE_SIZE))
		return sim_err(TDX_OPERAND_INVALID, op);

	*pamt = sim_pamt_of(pa);
	if (!*pamt)
		return sim_err(TDX_OPERAND_ADDR_RANGE_ERROR, op);

	return TDX_SUCCESS;
}

u64 sim_page_get(u64 pa, u32 op, u8 type, enum sim_lock_mode mode,
		 struct sim_pamt **pamt)
{
	u64 status;

	status = sim_page_check(pa, op, pamt);
	if (status)
		return status;

	if (!sim_trylock(&(*pamt)->lock, mode))
		return sim_err(TDX_OPERAND_BUSY, op);

	if ((*pamt)->type != type) {
		sim_unlock(&(*pamt)->lock, mode);
		return sim_err(TDX_PAGE_METADATA_INCORRECT, op);
	}

	return TDX_SUCCESS;
}

/*
 * The entry for 2 MiB comes first.  All who use 4 KiB of it share its lock, so that
 * an exclusive owner knows that none of those pages gets a use meanwhile.
 */
static u64 page_ref_lock(u64 pa, u32 op, int level, enum sim_lock_mode mode,
			 struct sim_page_ref *ref)
{
	struct sim_pamt *large = sim_pamt_2m_of(pa);

	ref->mode = mode;
	if (level == TDX_PS_2M) {
		ref->pamt = large;
		ref->around = NULL;
		return sim_trylock(&large->lock, mode) ? 0 : sim_err(TDX_OPERAND_BUSY, op);
	}

	ref->pamt = sim_pamt_of(pa);
	ref->around = large;
	if (!sim_trylock(&large->lock, SIM_SHARED))
		return sim_err(TDX_OPERAND_BUSY, op);
	if (sim_trylock(&ref->pamt->lock, mode))
		return 0;

	sim_unlock(&large->lock, SIM_SHARED);
	return sim_err(TDX_OPERAND_BUSY, op);
}

void sim_page_ref_put(const struct sim_page_ref *ref)
{
	sim_unlock(&ref->pamt->lock, ref->mode);
	if (ref->around)
		sim_unlock(&ref->around->lock, SIM_SHARED);
}

static bool page_is_free(u64 pa, int level, const struct sim_page_ref *ref)
{
	const struct sim_pamt *small = sim_pamt_of(pa);
	int i;

	if (ref->pamt->type != PT_NDA || (ref->around && ref->around->type != PT_NDA))
		return false;

	for (i = 0; level == TDX_PS_2M && i < PTRS_PER_PTE; i++) {
		if (READ_ONCE(small[i].type) != PT_NDA)
			return false;
	}
	return true;
}

u64 sim_free_page_get(u64 pa, u32 op, int level, enum sim_lock_mode mode,
		      struct sim_page_ref *ref)
{
	struct sim_pamt *unused;
	u64 status;

	if (!IS_ALIGNED(pa, sim_level_pages(level) << PAGE_SHIFT))
		return sim_err(TDX_OPERAND_INVALID, op);

	status = sim_page_check(pa, op, &unused) ?: page_ref_lock(pa, op, level, mode, ref);
	if (status)
		return status;

	if (!page_is_free(pa, level, ref)) {
		sim_page_ref_put(ref);
		return sim_err(TDX_PAGE_METADATA_INCORRECT, op);
	}

	return TDX_SUCCESS;
}

u64 sim_any_page_get(u64 pa, u32 op, enum sim_lock_mode mode, struct sim_page_ref *ref)
{
	struct sim_pamt *large, *unused;
	u64 status;

	status = sim_page_check(pa, op, &unused);
	if (status)
		return status;

	/* The type of the entry for 2 MiB changes only under its lock. */
	large = sim_pamt_2m_of(pa);
	if (!sim_trylock(&large->lock, SIM_SHARED))
		return sim_err(TDX_OPERAND_BUSY, op);
	if (large->type != PT_REG) {
		status = page_ref_lock(pa, op, TDX_PS_4K, mode, ref);
		sim_unlock(&large->lock, SIM_SHARED);
		return status;
	}

	ref->pamt = large;
	ref->around = NULL;
	ref->mode = mode;
	if (mode == SIM_EXCL && !sim_lock_upgrade(&large->lock)) {
		sim_unlock(&large->lock, SIM_SHARED);
		return sim_err(TDX_OPERAND_BUSY, op);
	}
	return TDX_SUCCESS;
}

bool sim_shared_hpa_ok(u64 pa, u64 size, u64 align)
{
	return sim_pa_ok(pa, align) && size && pa + size > pa &&
	       pfn_range_is_mapped(PHYS_PFN(pa), PHYS_PFN(pa + size - 1) + 1);
}
