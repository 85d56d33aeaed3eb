// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: physical pages and caches.
 */
#include <linux/bitmap.h>

#include <asm/processor.h>

#include "tdh/tdh_phymem.h"
#include "tests/sim_test.h"

#define GPA_PAGE		0x7ffff000ULL

#define ID(code, operand)	((code) | TDX_OPERAND_ID_##operand)

static u64 beyond_tdmrs(void)
{
	const struct sim_tdmr *last = &sim_sys.tdmr[sim_sys.nr_tdmrs - 1];

	return last->base + last->size;
}

static void expect_rdmd(struct kunit *test, const char *what, u64 pa, u64 type, u64 owner,
			u64 bepoch)
{
	struct pt_regs regs = { .cx = pa, .r10 = 1, .r11 = 1 };

	sim_test_expect(test, what, 0, sim_test_seamcall(TDH_PHYMEM_PAGE_RDMD, &regs));
	sim_test_expect(test, "type in RCX", type, regs.cx);
	sim_test_expect(test, "owner in RDX", owner, regs.dx);
	sim_test_expect(test, "level in R8", TDX_PS_4K, regs.r8);
	sim_test_expect(test, "epoch in R9", bepoch, regs.r9);
	sim_test_expect(test, "R10", 0, regs.r10);
	sim_test_expect(test, "R11", 0, regs.r11);
}

static void page_rdmd(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_create(test);
	u64 page;

	sim_test_td_advance(test, td, STAGE_INIT);
	page = sim_test_map(test, td, GPA_PAGE, td->params);
	sim_test_td_advance(test, td, STAGE_RUNNABLE);
	sim_test_expect(test, "TDH_MEM_TRACK", 0, sim_test_call(TDH_MEM_TRACK, td->tdr, 0, 0, 0));
	sim_test_expect(test, "TDH_MEM_RANGE_BLOCK", 0,
			sim_test_call(TDH_MEM_RANGE_BLOCK, GPA_PAGE, td->tdr, 0, 0));

	expect_rdmd(test, "a free page", sim_test_page(test), PT_NDA, 0, 0);
	expect_rdmd(test, "TDR", td->tdr, PT_TDR, 0, 0);
	expect_rdmd(test, "TDCX", td->tdcx[1], PT_TDCX, td->tdr, 0);
	expect_rdmd(test, "TDVPR", td->tdvpr, PT_TDVPR, td->tdr, 0);
	/* The epoch was 1 at first, and one TDH.MEM.TRACK later it was blocked. */
	expect_rdmd(test, "REG", page, PT_REG, td->tdr, 2);

	sim_test_expect(test, "not aligned", ID(TDX_OPERAND_INVALID, RCX),
			sim_test_call(TDH_PHYMEM_PAGE_RDMD, page + 8, 0, 0, 0));
	sim_test_expect(test, "KeyID bits", ID(TDX_OPERAND_INVALID, RCX),
			sim_test_call(TDH_PHYMEM_PAGE_RDMD,
				      page | BIT_ULL(boot_cpu_data.x86_phys_bits), 0, 0, 0));
	sim_test_expect(test, "outside of TDMRs", ID(TDX_OPERAND_ADDR_RANGE_ERROR, RCX),
			sim_test_call(TDH_PHYMEM_PAGE_RDMD, beyond_tdmrs(), 0, 0, 0));
}

static void page_wbinvd(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_create(test);
	u64 page = sim_test_page(test);
	u64 key = (u64)sim_sys.global_keyid << boot_cpu_data.x86_phys_bits;

	sim_test_expect(test, "free", 0, sim_test_call(TDH_PHYMEM_PAGE_WBINVD, page, 0, 0, 0));
	/* Linux names the TD by the KeyID in the address. */
	sim_test_expect(test, "with a KeyID", 0,
			sim_test_call(TDH_PHYMEM_PAGE_WBINVD, page | key, 0, 0, 0));
	sim_test_expect(test, "in use", ID(TDX_PAGE_METADATA_INCORRECT, RCX),
			sim_test_call(TDH_PHYMEM_PAGE_WBINVD, td->tdr, 0, 0, 0));
	sim_test_expect(test, "not aligned", ID(TDX_OPERAND_INVALID, RCX),
			sim_test_call(TDH_PHYMEM_PAGE_WBINVD, page + 8, 0, 0, 0));
	sim_test_expect(test, "outside of TDMRs", ID(TDX_OPERAND_ADDR_RANGE_ERROR, RCX),
			sim_test_call(TDH_PHYMEM_PAGE_WBINVD, beyond_tdmrs(), 0, 0, 0));
}

static void page_reclaim(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_create(test);
	struct pt_regs regs;

	sim_test_td_advance(test, td, STAGE_INIT);
	regs = (struct pt_regs) {
		.cx = td->tdcx[1], .dx = 1, .r8 = 1, .r9 = 1, .r10 = 1, .r11 = 1,
	};
	sim_test_expect(test, "of a TD that lives", TDX_LIFECYCLE_STATE_INCORRECT,
			sim_test_seamcall(TDH_PHYMEM_PAGE_RECLAIM, &regs));
	sim_test_expect(test, "RCX", PT_TDCX, regs.cx);
	sim_test_expect(test, "RDX", td->tdr, regs.dx);
	sim_test_expect(test, "R8", TDX_PS_4K, regs.r8);
	sim_test_expect(test, "R9", 0, regs.r9);
	sim_test_expect(test, "R10", 0, regs.r10);
	sim_test_expect(test, "R11", 0, regs.r11);
	KUNIT_EXPECT_EQ(test, sim_pamt_of(td->tdcx[1])->type, PT_TDCX);
	sim_test_expect(test, "free", ID(TDX_PAGE_METADATA_INCORRECT, RCX),
			sim_test_call(TDH_PHYMEM_PAGE_RECLAIM, sim_test_page(test), 0, 0, 0));
	sim_test_expect(test, "not aligned", ID(TDX_OPERAND_INVALID, RCX),
			sim_test_call(TDH_PHYMEM_PAGE_RECLAIM, td->tdr + 8, 0, 0, 0));
	sim_test_expect(test, "outside of TDMRs", ID(TDX_OPERAND_ADDR_RANGE_ERROR, RCX),
			sim_test_call(TDH_PHYMEM_PAGE_RECLAIM, beyond_tdmrs(), 0, 0, 0));

	sim_test_td_advance(test, td, STAGE_TEARDOWN);
	regs = (struct pt_regs) { .cx = td->tdcx[1] };
	sim_test_expect(test, "TDCX", 0, sim_test_seamcall(TDH_PHYMEM_PAGE_RECLAIM, &regs));
	sim_test_expect(test, "type in RCX", PT_TDCX, regs.cx);
	sim_test_expect(test, "owner in RDX", td->tdr, regs.dx);
	sim_test_expect(test, "level in R8", TDX_PS_4K, regs.r8);
	sim_test_expect(test, "TDR before the rest", TDX_TD_ASSOCIATED_PAGES_EXIST,
			sim_test_call(TDH_PHYMEM_PAGE_RECLAIM, td->tdr, 0, 0, 0));
}

/* A KeyID is free again when every package has written back its caches. */
static void cache_wb(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_create(test);
	struct sim_kot_entry *kot = &sim_sys.kot[sim_sys.nr_keyids - 1];

	sim_test_expect(test, "RCX of 2", ID(TDX_OPERAND_INVALID, RCX),
			sim_test_call(TDH_PHYMEM_CACHE_WB, 2, 0, 0, 0));
	sim_test_expect(test, "nothing to do", TDX_NO_HKID_READY_TO_WBCACHE,
			sim_test_call(TDH_PHYMEM_CACHE_WB, 0, 0, 0, 0));
	sim_test_expect(test, "nothing to do, and none to resume", TDX_WBCACHE_RESUME_ERROR,
			sim_test_call(TDH_PHYMEM_CACHE_WB, 1, 0, 0, 0));

	sim_test_td_advance(test, td, STAGE_BLOCKED);
	sim_test_expect(test, "nothing to resume", TDX_WBCACHE_RESUME_ERROR,
			sim_test_call(TDH_PHYMEM_CACHE_WB, 1, 0, 0, 0));
	sim_test_expect(test, "TDH_MNG_KEY_FREEID", TDX_WBCACHE_NOT_COMPLETE,
			sim_test_call(TDH_MNG_KEY_FREEID, td->tdr, 0, 0, 0));

	sim_cache_wb_interrupt();
	sim_test_expect(test, "on where it was interrupted", 0,
			sim_test_call(TDH_PHYMEM_CACHE_WB, 1, 0, 0, 0));
	sim_cache_wb_interrupt();
	sim_test_expect(test, "anew", 0, sim_test_call(TDH_PHYMEM_CACHE_WB, 0, 0, 0, 0));
	sim_test_expect(test, "nothing to resume after that", TDX_WBCACHE_RESUME_ERROR,
			sim_test_call(TDH_PHYMEM_CACHE_WB, 1, 0, 0, 0));

	/* Wait for a package that no CPU here belongs to. */
	__set_bit(SIM_MAX_PACKAGES - 1, kot->wbinvd);
	sim_test_expect(test, "TDH_PHYMEM_CACHE_WB", 0,
			sim_test_call_packages(TDH_PHYMEM_CACHE_WB, 0));
	sim_test_expect(test, "TDH_MNG_KEY_FREEID", TDX_WBCACHE_NOT_COMPLETE,
			sim_test_call(TDH_MNG_KEY_FREEID, td->tdr, 0, 0, 0));
	__clear_bit(SIM_MAX_PACKAGES - 1, kot->wbinvd);
	/* Once more does no harm. */
	sim_test_expect(test, "all done", 0, sim_test_call(TDH_PHYMEM_CACHE_WB, 0, 0, 0, 0));

	sim_test_assert(test, "TDH_MNG_KEY_FREEID", 0,
			sim_test_call(TDH_MNG_KEY_FREEID, td->tdr, 0, 0, 0));
	td->stage = STAGE_TEARDOWN;
}

static void key_config(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_create(test);
	struct sim_td *tdr = __va(td->tdr);

	/* This package has its key, and the module waits for another one. */
	__set_bit(sim_this_package(), tdr->key_packages);
	sim_test_expect(test, "the same package again", TDX_KEY_CONFIGURED,
			sim_test_call(TDH_MNG_KEY_CONFIG, td->tdr, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, tdr->lifecycle, SIM_HKID_ASSIGNED);
	__clear_bit(sim_this_package(), tdr->key_packages);
	sim_test_td_advance(test, td, STAGE_KEYED);
	KUNIT_EXPECT_EQ(test, tdr->lifecycle, SIM_KEYS_CONFIGURED);
	/* The leaf is kept for old callers: it checks nothing and does nothing. */
	sim_test_expect(test, "TDH_MNG_KEY_RECLAIMID", 0,
			sim_test_call(SIM_TDH_MNG_KEY_RECLAIMID, td->tdr, 0, 0, 0));
}

static struct kunit_case sim_phymem_cases[] = {
	KUNIT_CASE(page_rdmd),
	KUNIT_CASE(page_wbinvd),
	KUNIT_CASE(page_reclaim),
	KUNIT_CASE(cache_wb),
	KUNIT_CASE(key_config),
	{}
};

static struct kunit_suite sim_phymem_suite = {
	.name = "tdx_sim_phymem",
	.init = sim_test_init,
	.test_cases = sim_phymem_cases,
};

kunit_test_suite(sim_phymem_suite);
