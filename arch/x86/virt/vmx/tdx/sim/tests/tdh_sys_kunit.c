// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: from its start to its end.
 *
 * The state of the module that the kernel has started is saved during a test, and
 * that of a fresh module takes its place.
 */
#include <linux/array_size.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <asm/processor.h>

#include "tests/sim_test.h"

#define ORDER_4M	10	/* pages, as alloc_pages() counts */
#define NR_AREAS	SIM_MAX_RESERVED

/* TDMR_INFO, as many reserved areas as the module takes. */
struct desc {
	u64 base;
	u64 size;
	u64 pamt[2 * TDX_PS_NR];	/* base and size for 1G, 2M, 4K */
	struct tdmr_reserved_area areas[NR_AREAS];
};

enum { PAMT_1G, PAMT_1G_SIZE, PAMT_2M, PAMT_2M_SIZE, PAMT_4K, PAMT_4K_SIZE };

struct sys_fixture {
	struct sim_sys saved;
	u64 usable;		/* 4 MiB that the TDMR leaves to TDs */
	u64 pamt_4k;
	u64 pamt_other;		/* two pages for 2M, one for 1G */
	u64 array;		/* of physical addresses of TDMR_INFO */
	u64 info[2];
};

static void restore_sys(void *saved)
{
	sim_sys = *(struct sim_sys *)saved;
}

static void free_4m(void *page)
{
	free_pages((unsigned long)page, ORDER_4M);
}

static u64 alloc_4m(struct kunit *test)
{
	unsigned long page = __get_free_pages(GFP_KERNEL, ORDER_4M);

	KUNIT_ASSERT_NE(test, page, 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_4m, (void *)page));
	return __pa(page);
}

/* One TDMR of 1 GiB, of which all but 4 MiB is reserved. */
static void good_desc(const struct sys_fixture *f, struct desc *desc)
{
	u64 base = ALIGN_DOWN(f->usable, SZ_1G);
	struct tdmr_reserved_area *area = desc->areas;

	memset(desc, 0, sizeof(*desc));
	desc->base = base;
	desc->size = SZ_1G;
	desc->pamt[PAMT_1G] = f->pamt_other + 2 * PAGE_SIZE;
	desc->pamt[PAMT_1G_SIZE] = PAGE_SIZE;
	desc->pamt[PAMT_2M] = f->pamt_other;
	desc->pamt[PAMT_2M_SIZE] = 2 * PAGE_SIZE;
	desc->pamt[PAMT_4K] = f->pamt_4k;
	desc->pamt[PAMT_4K_SIZE] = SZ_4M;
	if (f->usable > base)
		*area++ = (struct tdmr_reserved_area) { 0, f->usable - base };
	*area = (struct tdmr_reserved_area) {
		f->usable + SZ_4M - base, SZ_1G - (f->usable + SZ_4M - base),
	};
}

static struct sys_fixture *sys_fixture(struct kunit *test)
{
	struct sys_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->usable = alloc_4m(test);
	f->pamt_4k = alloc_4m(test);
	f->pamt_other = alloc_4m(test);
	f->array = sim_test_page(test);
	f->info[0] = sim_test_page(test);
	f->info[1] = sim_test_page(test);
	good_desc(f, __va(f->info[0]));
	((u64 *)__va(f->array))[0] = f->info[0];
	((u64 *)__va(f->array))[1] = f->info[1];

	f->saved = sim_sys;
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, restore_sys, &f->saved));
	memset(&sim_sys, 0, sizeof(sim_sys));
	return f;
}

static void lp_init_all(struct kunit *test)
{
	int cpu;

	for_each_online_cpu(cpu) {
		struct pt_regs regs = {};

		sim_test_assert(test, "TDH_SYS_LP_INIT", 0,
				sim_test_seamcall_on(cpu, TDH_SYS_LP_INIT, &regs));
	}
}

static u64 config(const struct sys_fixture *f, u64 nr)
{
	return sim_test_call(TDH_SYS_CONFIG, f->array, nr, sim_sys.keyid_start, 0);
}

#define ID(code, operand)	((code) | TDX_OPERAND_ID_##operand)

static void expect_before_ready(struct kunit *test)
{
	sim_test_expect(test, "TDH_MNG_CREATE", TDX_SYS_NOT_READY,
			sim_test_call(TDH_MNG_CREATE, 0, 0, 0, 0));
	sim_test_expect(test, "TDH_SYS_TDMR_INIT", TDX_SYS_NOT_READY,
			sim_test_call(TDH_SYS_TDMR_INIT, 0, 0, 0, 0));
	sim_test_expect(test, "TDH_PHYMEM_PAGE_RDMD", TDX_SYS_NOT_READY,
			sim_test_call(TDH_PHYMEM_PAGE_RDMD, 0, 0, 0, 0));
}

static void sys_before_config(struct kunit *test)
{
	struct sys_fixture *f = sys_fixture(test);
	u64 keyid;

	expect_before_ready(test);
	sim_test_expect(test, "TDH_SYS_RD", TDX_SYS_LP_INIT_NOT_DONE,
			sim_test_call(TDH_SYS_RD, 0, U64_MAX, 0, 0));
	sim_test_expect(test, "TDH_SYS_LP_INIT", TDX_SYS_LP_INIT_NOT_PENDING,
			sim_test_call(TDH_SYS_LP_INIT, 0, 0, 0, 0));
	sim_test_expect(test, "TDH_SYS_CONFIG", TDX_SYS_CONFIG_NOT_PENDING, config(f, 1));
	sim_test_expect(test, "TDH_SYS_KEY_CONFIG", TDX_SYS_LP_INIT_NOT_DONE,
			sim_test_call(TDH_SYS_KEY_CONFIG, 0, 0, 0, 0));
	sim_test_expect(test, "attributes", ID(TDX_OPERAND_INVALID, RCX),
			sim_test_call(TDH_SYS_INIT, 1, 0, 0, 0));
	KUNIT_EXPECT_EQ(test, sim_sys.state, SIM_SYSINIT_PENDING);

	sim_test_assert(test, "TDH_SYS_INIT", 0, sim_test_call(TDH_SYS_INIT, 0, 0, 0, 0));
	sim_test_expect(test, "TDH_SYS_INIT again", TDX_SYS_INIT_NOT_PENDING,
			sim_test_call(TDH_SYS_INIT, 0, 0, 0, 0));
	sim_test_expect(test, "no CPU is initialized", TDX_SYS_CONFIG_NOT_PENDING, config(f, 1));
	expect_before_ready(test);

	lp_init_all(test);
	sim_test_expect(test, "TDH_SYS_LP_INIT again", TDX_SYS_LP_INIT_DONE,
			sim_test_call(TDH_SYS_LP_INIT, 0, 0, 0, 0));
	sim_test_expect(test, "TDH_SYS_KEY_CONFIG", TDX_SYS_KEY_CONFIG_NOT_PENDING,
			sim_test_call(TDH_SYS_KEY_CONFIG, 0, 0, 0, 0));

	keyid = sim_sys.keyid_start;
	sim_test_expect(test, "no TDMR", ID(TDX_OPERAND_INVALID, RDX), config(f, 0));
	sim_test_expect(test, "65 TDMRs", ID(TDX_OPERAND_INVALID, RDX), config(f, 65));
	sim_test_expect(test, "array not aligned", ID(TDX_OPERAND_INVALID, RCX),
			sim_test_call(TDH_SYS_CONFIG, f->array + 8, 1, keyid, 0));
	sim_test_expect(test, "array outside of RAM", ID(TDX_OPERAND_INVALID, RCX),
			sim_test_call(TDH_SYS_CONFIG, BIT_ULL(boot_cpu_data.x86_phys_bits - 1), 1,
				      keyid, 0));
	sim_test_expect(test, "KeyID of MKTME", ID(TDX_OPERAND_INVALID, R8),
			sim_test_call(TDH_SYS_CONFIG, f->array, 1, keyid - 1, 0));
	sim_test_expect(test, "KeyID of 17 bits", ID(TDX_OPERAND_INVALID, R8),
			sim_test_call(TDH_SYS_CONFIG, f->array, 1, keyid | BIT(16), 0));
	((u64 *)__va(f->array))[0] = f->info[0] + 8;
	sim_test_expect(test, "TDMR_INFO not aligned", ID(TDX_OPERAND_INVALID, TDMR_INFO_PA),
			config(f, 1));
	KUNIT_EXPECT_EQ(test, sim_sys.state, SIM_SYSINIT_DONE);
	KUNIT_EXPECT_EQ(test, sim_sys.nr_tdmrs, 0);
}

/* One thing wrong with TDMR 0, or with a second one that is like it. */
struct tdmr_case {
	const char *name;
	void (*spoil)(const struct sys_fixture *f, struct desc *desc);
	u64 want;
	int nr;
};

static u64 beyond_ram(const struct desc *desc)
{
	return BIT_ULL(boot_cpu_data.x86_phys_bits - 1);
}

static struct tdmr_reserved_area *last_area(struct desc *desc)
{
	return desc->areas[1].size ? &desc->areas[1] : &desc->areas[0];
}

#define SPOIL(_name)	static void _name(const struct sys_fixture *f, struct desc *desc)

SPOIL(base_not_1g)	{ desc->base += SZ_2M; }
SPOIL(no_size)		{ desc->size = 0; }
SPOIL(size_not_1g)	{ desc->size += SZ_2M; }
SPOIL(above_cpu)	{ desc->base = BIT_ULL(boot_cpu_data.x86_phys_bits); }
SPOIL(two_alike)	{ }
SPOIL(area_not_4k)	{ last_area(desc)->offset += 8; }
SPOIL(area_outside)	{ last_area(desc)->size += PAGE_SIZE; }
SPOIL(area_after_end)	{ desc->areas[NR_AREAS - 1].size = PAGE_SIZE; }
SPOIL(pamt_not_4k)	{ desc->pamt[PAMT_2M] += 8; }
SPOIL(pamt_too_small)	{ desc->pamt[PAMT_4K_SIZE] -= PAGE_SIZE; }
SPOIL(pamt_no_ram)	{ desc->pamt[PAMT_4K] = beyond_ram(desc); }
SPOIL(pamt_twice)	{ desc->pamt[PAMT_1G] = desc->pamt[PAMT_2M]; }
SPOIL(pamt_usable)	{ desc->pamt[PAMT_2M] = f->usable; }

SPOIL(areas_overlap)
{
	struct tdmr_reserved_area *last = last_area(desc);

	/* Both ways: the area before it, or itself once more. */
	last[1] = (struct tdmr_reserved_area) { last->offset, PAGE_SIZE };
}

/* The top of 1 GiB belongs to the firmware: no RAM ends there. */
SPOIL(no_ram)
{
	*last_area(desc) = (struct tdmr_reserved_area) {};
}

static const struct tdmr_case tdmr_cases[] = {
	{ "base_not_1g", base_not_1g, TDX_INVALID_TDMR },
	{ "no_size", no_size, TDX_INVALID_TDMR },
	{ "size_not_1g", size_not_1g, TDX_INVALID_TDMR },
	{ "above_cpu", above_cpu, TDX_INVALID_TDMR },
	{ "two_alike", two_alike, TDX_NON_ORDERED_TDMR | 1, 2 },
	{ "area_not_4k", area_not_4k, TDX_INVALID_RESERVED_IN_TDMR },
	{ "area_outside", area_outside, TDX_INVALID_RESERVED_IN_TDMR },
	{ "area_after_end", area_after_end, TDX_INVALID_RESERVED_IN_TDMR },
	{ "areas_overlap", areas_overlap, TDX_NON_ORDERED_RESERVED_IN_TDMR },
	{ "pamt_not_4k", pamt_not_4k, TDX_INVALID_PAMT },
	{ "pamt_too_small", pamt_too_small, TDX_INVALID_PAMT },
	{ "pamt_no_ram", pamt_no_ram, TDX_PAMT_OUTSIDE_CMRS },
	{ "no_ram", no_ram, TDX_TDMR_OUTSIDE_CMRS },
	{ "pamt_twice", pamt_twice, TDX_PAMT_OVERLAP },
	{ "pamt_usable", pamt_usable, TDX_PAMT_OVERLAP },
};

KUNIT_ARRAY_PARAM_DESC(tdmr, tdmr_cases, name);

static void sys_tdmr_refused(struct kunit *test)
{
	const struct tdmr_case *c = test->param_value;
	struct sys_fixture *f = sys_fixture(test);
	u64 got;

	sim_test_assert(test, "TDH_SYS_INIT", 0, sim_test_call(TDH_SYS_INIT, 0, 0, 0, 0));
	lp_init_all(test);
	good_desc(f, __va(f->info[1]));
	c->spoil(f, __va(f->info[0]));
	got = config(f, c->nr ?: 1);
	/* The table does not say which of the areas or of the PAMTs it is. */
	sim_test_expect(test, c->name, c->want, got & ~GENMASK_ULL(15, 8));
	KUNIT_EXPECT_EQ_MSG(test, sim_sys.state, SIM_SYSINIT_DONE, "the refused call was taken");
	KUNIT_EXPECT_EQ_MSG(test, sim_sys.kot[0].state, SIM_KOT_FREE, "it took its KeyID");

	good_desc(f, __va(f->info[0]));
	sim_test_expect(test, "a good one after it", 0, config(f, 1));
}

static void sys_from_config_to_the_end(struct kunit *test)
{
	struct sys_fixture *f = sys_fixture(test);
	struct pt_regs regs = {};
	u64 base, reserved;

	sim_test_assert(test, "TDH_SYS_INIT", 0, sim_test_call(TDH_SYS_INIT, 0, 0, 0, 0));
	lp_init_all(test);
	sim_test_assert(test, "TDH_SYS_CONFIG", 0, config(f, 1));
	sim_test_expect(test, "TDH_SYS_CONFIG again", TDX_SYS_CONFIG_NOT_PENDING, config(f, 1));
	expect_before_ready(test);

	/* This package has its key, and the module waits for another one. */
	__set_bit(sim_this_package(), sim_sys.key_packages);
	sim_test_expect(test, "the same package again", TDX_KEY_CONFIGURED,
			sim_test_call(TDH_SYS_KEY_CONFIG, 0, 0, 0, 0));
	expect_before_ready(test);
	__clear_bit(sim_this_package(), sim_sys.key_packages);
	sim_test_assert(test, "TDH_SYS_KEY_CONFIG", 0,
			sim_test_call_packages(TDH_SYS_KEY_CONFIG, 0));
	sim_test_expect(test, "TDH_SYS_KEY_CONFIG again", TDX_SYS_KEY_CONFIG_NOT_PENDING,
			sim_test_call(TDH_SYS_KEY_CONFIG, 0, 0, 0, 0));

	base = sim_sys.tdmr[0].base;
	sim_test_expect(test, "a page before TDH_SYS_TDMR_INIT",
			ID(TDX_OPERAND_ADDR_RANGE_ERROR, RCX),
			sim_test_call(TDH_PHYMEM_PAGE_RDMD, f->usable, 0, 0, 0));
	sim_test_expect(test, "no TDMR", ID(TDX_OPERAND_INVALID, RCX),
			sim_test_call(TDH_SYS_TDMR_INIT, base + SZ_1G, 0, 0, 0));
	sim_test_expect(test, "within the TDMR", ID(TDX_OPERAND_INVALID, RCX),
			sim_test_call(TDH_SYS_TDMR_INIT, base + SZ_2M, 0, 0, 0));
	regs = (struct pt_regs) { .cx = base };
	sim_test_assert(test, "TDH_SYS_TDMR_INIT", 0, sim_test_seamcall(TDH_SYS_TDMR_INIT, &regs));
	sim_test_expect(test, "RDX", base + SZ_1G, regs.dx);
	sim_test_expect(test, "TDH_SYS_TDMR_INIT again", TDX_TDMR_ALREADY_INITIALIZED,
			sim_test_seamcall(TDH_SYS_TDMR_INIT, &regs));
	sim_test_expect(test, "RDX", 0, regs.dx);
	sim_test_expect(test, "a page after it", 0,
			sim_test_call(TDH_PHYMEM_PAGE_RDMD, f->usable, 0, 0, 0));
	reserved = f->usable + SZ_4M;
	regs = (struct pt_regs) { .cx = reserved };
	sim_test_expect(test, "a reserved page", 0,
			sim_test_seamcall(TDH_PHYMEM_PAGE_RDMD, &regs));
	sim_test_expect(test, "its type", PT_RSVD, regs.cx);
	sim_test_expect(test, "its use for a TD", ID(TDX_PAGE_METADATA_INCORRECT, RCX),
			sim_test_call(TDH_MNG_CREATE, reserved, sim_sys.keyid_start, 0, 0));
	sim_test_expect(test, "its reclaim", ID(TDX_PAGE_METADATA_INCORRECT, RCX),
			sim_test_call(TDH_PHYMEM_PAGE_RECLAIM, reserved, 0, 0, 0));
	sim_test_expect(test, "its write-back", ID(TDX_PAGE_METADATA_INCORRECT, RCX),
			sim_test_call(TDH_PHYMEM_PAGE_WBINVD, reserved, 0, 0, 0));

	sim_test_assert(test, "TDH_SYS_DISABLE", 0, sim_test_call(SIM_TDH_SYS_DISABLE, 0, 0, 0, 0));
	regs = (struct pt_regs) {};
	sim_test_seamcall(TDH_SYS_RD, &regs);
	KUNIT_EXPECT_TRUE_MSG(test, regs.flags & X86_EFLAGS_CF, "a disabled module answered");
}

static struct kunit_case sim_sys_cases[] = {
	KUNIT_CASE(sys_before_config),
	KUNIT_CASE_PARAM(sys_tdmr_refused, tdmr_gen_params),
	KUNIT_CASE(sys_from_config_to_the_end),
	{}
};

static struct kunit_suite sim_sys_suite = {
	.name = "tdx_sim_sys",
	.init = sim_test_init,
	.test_cases = sim_sys_cases,
};

kunit_test_suite(sim_sys_suite);
