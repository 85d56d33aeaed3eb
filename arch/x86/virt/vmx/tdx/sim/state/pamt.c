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

static const struct sim_tdmr *tdmr_of(u64 pa)
{
	u32 i;

	for (i = 0; i < READ_ONCE(sim_sys.nr_tdmrs); i++) {
		const struct sim_tdmr *tdmr = &sim_sys.tdmr[i];

		/* Pairs with the release in TDH.SYS.TDMR.INIT. */
		if (pa >= tdmr->base && pa < smp_load_acquire(&tdmr->initialized))
			return tdmr;
	}

	return NULL;
}

/* The entries for @pa, which is in @tdmr. */
static struct sim_pamt *entry_4k(const struct sim_tdmr *tdmr, u64 pa)
{
	return &tdmr->pamt_4k[(pa - tdmr->base) >> PAGE_SHIFT];
}

static struct sim_pamt *entry_2m(const struct sim_tdmr *tdmr, u64 pa)
{
	return &tdmr->pamt_2m[(pa - tdmr->base) / SZ_2M];
}

struct sim_pamt *sim_pamt_of(u64 pa)
{
	const struct sim_tdmr *tdmr = tdmr_of(pa);

	return tdmr ? entry_4k(tdmr, pa) : NULL;
}

struct sim_pamt *sim_pamt_2m_of(u64 pa)
{
	return entry_2m(tdmr_of(pa), pa);
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

/* What sim_page_check() checks; *@tdmr is where the page is. */
static u64 check_page(u64 pa, u32 op, const struct sim_tdmr **tdmr)
{
	if (!sim_pa_ok(pa, PAGE_SIZE))
		return sim_err(TDX_OPERAND_INVALID, op);

	*tdmr = tdmr_of(pa);
	if (!*tdmr)
		return sim_err(TDX_OPERAND_ADDR_RANGE_ERROR, op);

	return TDX_SUCCESS;
}

u64 sim_page_check(u64 pa, u32 op, struct sim_pamt **pamt)
{
	const struct sim_tdmr *tdmr;
	u64 status;

	status = check_page(pa, op, &tdmr);
	if (!status)
		*pamt = entry_4k(tdmr, pa);
	return status;
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

static u64 lock_2m(struct sim_pamt *large, u32 op, enum sim_lock_mode mode,
		   struct sim_page_ref *ref)
{
	*ref = (struct sim_page_ref) { .pamt = large, .mode = mode };
	return sim_trylock(&large->lock, mode) ? 0 : sim_err(TDX_OPERAND_BUSY, op);
}

/* The caller has @large, the entry around @small, shared.  On failure it is released. */
static u64 lock_4k(struct sim_pamt *large, struct sim_pamt *small, u32 op,
		   enum sim_lock_mode mode, struct sim_page_ref *ref)
{
	*ref = (struct sim_page_ref) { .pamt = small, .around = large, .mode = mode };
	if (sim_trylock(&small->lock, mode))
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

/* @small are the entries for 4 KiB of the page. */
static bool page_is_free(const struct sim_pamt *small, int level, const struct sim_page_ref *ref)
{
	int i;

	if (ref->pamt->type != PT_NDA || (ref->around && ref->around->type != PT_NDA))
		return false;

	for (i = 0; level == TDX_PS_2M && i < PTRS_PER_PTE; i++) {
		if (READ_ONCE(small[i].type) != PT_NDA)
			return false;
	}
	return true;
}

/*
 * The entry for 2 MiB comes first.  All who use 4 KiB of it share its lock, so that
 * an exclusive owner knows that none of those pages gets a use meanwhile.
 */
u64 sim_free_page_get(u64 pa, u32 op, int level, enum sim_lock_mode mode,
		      struct sim_page_ref *ref)
{
	struct sim_pamt *large, *small;
	const struct sim_tdmr *tdmr;
	u64 status;

	if (!IS_ALIGNED(pa, sim_level_pages(level) << PAGE_SHIFT))
		return sim_err(TDX_OPERAND_INVALID, op);

	status = check_page(pa, op, &tdmr);
	if (status)
		return status;

	small = entry_4k(tdmr, pa);
	large = entry_2m(tdmr, pa);
	if (level == TDX_PS_2M)
		status = lock_2m(large, op, mode, ref);
	else if (sim_trylock(&large->lock, SIM_SHARED))
		status = lock_4k(large, small, op, mode, ref);
	else
		status = sim_err(TDX_OPERAND_BUSY, op);
	if (status)
		return status;

	if (!page_is_free(small, level, ref)) {
		sim_page_ref_put(ref);
		return sim_err(TDX_PAGE_METADATA_INCORRECT, op);
	}

	return TDX_SUCCESS;
}

u64 sim_any_page_get(u64 pa, u32 op, enum sim_lock_mode mode, struct sim_page_ref *ref)
{
	const struct sim_tdmr *tdmr;
	struct sim_pamt *large;
	u64 status;

	status = check_page(pa, op, &tdmr);
	if (status)
		return status;

	/* The type of the entry for 2 MiB changes only under its lock. */
	large = entry_2m(tdmr, pa);
	if (!sim_trylock(&large->lock, SIM_SHARED))
		return sim_err(TDX_OPERAND_BUSY, op);
	if (large->type != PT_REG)
		return lock_4k(large, entry_4k(tdmr, pa), op, mode, ref);

	*ref = (struct sim_page_ref) { .pamt = large, .mode = mode };
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
