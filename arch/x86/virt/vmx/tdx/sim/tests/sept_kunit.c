// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: secure EPT and measurement.
 */
#include <linux/array_size.h>
#include <linux/bitfield.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include <asm/vmx.h>

#include "metadata/metadata.h"
#include "state/sept.h"
#include "tests/sim_test.h"

#define TEST_GPA		0x7ffff000ULL
#define TEST_GPA_ALIGNED(level)	(TEST_GPA & ~(BIT_ULL(PAGE_SHIFT + 9 * (level)) - 1))

#define RCX(code)		((code) | TDX_OPERAND_ID_RCX)
#define NO_REPORT		(-1)

/* The operation is no SEAMCALL: the TD gets a vCPU and is finalized. */
#define FINALIZE		U64_MAX

/*
 * One TD's life with one page, from the first table to the last entry.  @report
 * is the entry that the leaf names in RDX: its level, and its state.
 */
struct sept_step {
	const char *name;
	u64 leaf;
	u64 info;		/* RCX: GPA and level */
	u64 want;
	int report;
};

#define REPORT(_level, _state)	((_level) | (_state) << TDX_SEPT_STATE_SHIFT)
#define AT_4K			TEST_GPA
#define AT_2M			(TEST_GPA_ALIGNED(1) | 1)
#define AT_1G			(TEST_GPA_ALIGNED(2) | 2)
#define AT_512G			(TEST_GPA_ALIGNED(3) | 3)
#define AT_256T			(TEST_GPA_ALIGNED(4) | 4)

static const struct sept_step sept_steps[] = {
	{ "PAGE.ADD without tables", TDH_MEM_PAGE_ADD, AT_4K,
	  RCX(TDX_EPT_WALK_FAILED), REPORT(3, TDX_SEPT_FREE) },
	{ "SEPT.ADD below its levels", TDH_MEM_SEPT_ADD, AT_4K,
	  RCX(TDX_OPERAND_INVALID), NO_REPORT },
	{ "SEPT.ADD above the root", TDH_MEM_SEPT_ADD, AT_256T,
	  RCX(TDX_OPERAND_INVALID), NO_REPORT },
	{ "SEPT.ADD of a GPA not aligned", TDH_MEM_SEPT_ADD, TEST_GPA | 3,
	  RCX(TDX_OPERAND_INVALID), NO_REPORT },
	{ "SEPT.ADD of a shared GPA", TDH_MEM_SEPT_ADD, AT_512G | TDX_SHARED_GPA,
	  RCX(TDX_OPERAND_INVALID), NO_REPORT },
	{ "SEPT.ADD with reserved bits", TDH_MEM_SEPT_ADD, AT_512G | BIT(3),
	  RCX(TDX_OPERAND_INVALID), NO_REPORT },
	{ "SEPT.ADD without the table above", TDH_MEM_SEPT_ADD, AT_1G,
	  RCX(TDX_EPT_WALK_FAILED), REPORT(3, TDX_SEPT_FREE) },
	{ "SEPT.ADD 512G", TDH_MEM_SEPT_ADD, AT_512G, 0, NO_REPORT },
	{ "SEPT.ADD 1G", TDH_MEM_SEPT_ADD, AT_1G, 0, NO_REPORT },
	{ "SEPT.ADD 2M", TDH_MEM_SEPT_ADD, AT_2M, 0, NO_REPORT },
	{ "SEPT.ADD twice", TDH_MEM_SEPT_ADD, AT_2M,
	  RCX(TDX_EPT_ENTRY_STATE_INCORRECT), REPORT(1, TDX_SEPT_NL_MAPPED) },
	{ "RANGE.BLOCK of FREE", TDH_MEM_RANGE_BLOCK, AT_4K,
	  RCX(TDX_EPT_ENTRY_STATE_INCORRECT), REPORT(0, TDX_SEPT_FREE) },
	{ "PAGE.REMOVE of FREE", TDH_MEM_PAGE_REMOVE, AT_4K,
	  RCX(TDX_EPT_ENTRY_STATE_INCORRECT), REPORT(0, TDX_SEPT_FREE) },
	{ "PAGE.ADD of 2 MiB", TDH_MEM_PAGE_ADD, AT_2M, RCX(TDX_OPERAND_INVALID), NO_REPORT },
	{ "PAGE.ADD", TDH_MEM_PAGE_ADD, AT_4K, 0, NO_REPORT },
	{ "PAGE.ADD twice", TDH_MEM_PAGE_ADD, AT_4K,
	  RCX(TDX_EPT_ENTRY_STATE_INCORRECT), REPORT(0, TDX_SEPT_PRESENT) },
	{ "PAGE.AUG of MAPPED", TDH_MEM_PAGE_AUG, AT_4K,
	  RCX(TDX_EPT_ENTRY_STATE_INCORRECT), REPORT(0, TDX_SEPT_PRESENT) },
	{ "RANGE.BLOCK of MAPPED", TDH_MEM_RANGE_BLOCK, AT_4K, 0, NO_REPORT },
	{ "RANGE.BLOCK of BLOCKED", TDH_MEM_RANGE_BLOCK, AT_4K,
	  RCX(TDX_GPA_RANGE_ALREADY_BLOCKED), REPORT(0, TDX_SEPT_BLOCKED) },
	{ "PAGE.REMOVE of BLOCKED", TDH_MEM_PAGE_REMOVE, AT_4K, 0, NO_REPORT },
	{ "PAGE.ADD once more", TDH_MEM_PAGE_ADD, AT_4K, 0, NO_REPORT },
	{ "PAGE.REMOVE of MAPPED before FINALIZE", TDH_MEM_PAGE_REMOVE, AT_4K, 0, NO_REPORT },
	{ "FINALIZE", FINALIZE, 0, 0, NO_REPORT },
	{ "PAGE.ADD after FINALIZE", TDH_MEM_PAGE_ADD, AT_4K,
	  TDX_OP_STATE_INCORRECT, NO_REPORT },
	{ "PAGE.AUG", TDH_MEM_PAGE_AUG, AT_4K, 0, NO_REPORT },
	{ "PAGE.AUG twice", TDH_MEM_PAGE_AUG, AT_4K,
	  RCX(TDX_EPT_ENTRY_STATE_INCORRECT), REPORT(0, TDX_SEPT_PENDING) },
	{ "PAGE.REMOVE of PENDING", TDH_MEM_PAGE_REMOVE, AT_4K,
	  RCX(TDX_GPA_RANGE_NOT_BLOCKED), REPORT(0, TDX_SEPT_PENDING) },
	{ "RANGE.BLOCK of PENDING", TDH_MEM_RANGE_BLOCK, AT_4K, 0, NO_REPORT },
	{ "RANGE.BLOCK of PENDING_BLOCKED", TDH_MEM_RANGE_BLOCK, AT_4K,
	  RCX(TDX_GPA_RANGE_ALREADY_BLOCKED), REPORT(0, TDX_SEPT_PENDING_BLOCKED) },
	{ "PAGE.REMOVE before TRACK", TDH_MEM_PAGE_REMOVE, AT_4K,
	  RCX(TDX_TLB_TRACKING_NOT_DONE), 0 },
	{ "TRACK", TDH_MEM_TRACK, 0, 0, NO_REPORT },
	{ "PAGE.REMOVE after TRACK", TDH_MEM_PAGE_REMOVE, AT_4K, 0, NO_REPORT },
	{ "PAGE.REMOVE twice", TDH_MEM_PAGE_REMOVE, AT_4K,
	  RCX(TDX_EPT_ENTRY_STATE_INCORRECT), REPORT(0, TDX_SEPT_FREE) },
	{ "RANGE.BLOCK of a table", TDH_MEM_RANGE_BLOCK, AT_2M, 0, NO_REPORT },
	{ "PAGE.AUG below a blocked table", TDH_MEM_PAGE_AUG, AT_4K,
	  RCX(TDX_EPT_WALK_FAILED), REPORT(1, TDX_SEPT_NL_BLOCKED) },
};

static void sept_life_of_a_page(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_create(test);
	const struct sept_step *step;
	u64 unused = 0, mapped = 0;

	sim_test_td_advance(test, td, STAGE_INIT);

	for (step = sept_steps; step < sept_steps + ARRAY_SIZE(sept_steps); step++) {
		struct pt_regs regs = { .cx = step->info, .dx = td->tdr, .r9 = td->params };
		u64 status;

		if (step->leaf == FINALIZE) {
			sim_test_td_advance(test, td, STAGE_RUNNABLE);
			continue;
		}

		if (!unused)
			unused = sim_test_td_page(test, td);
		regs.r8 = unused;
		if (step->leaf == TDH_MEM_TRACK)
			regs.cx = td->tdr;
		status = sim_test_seamcall(step->leaf, &regs);
		sim_test_expect(test, step->name, step->want, status);
		if (step->report != NO_REPORT)
			KUNIT_EXPECT_EQ_MSG(test, regs.dx, step->report,
					    "%s: RDX: wanted 0x%x, got 0x%lx", step->name,
					    step->report, regs.dx);

		if (!status && step->leaf == TDH_MEM_PAGE_REMOVE) {
			KUNIT_EXPECT_EQ_MSG(test, regs.cx, mapped,
					    "%s: RCX: wanted the page 0x%llx, got 0x%lx",
					    step->name, mapped, regs.cx);
			KUNIT_EXPECT_EQ_MSG(test, sim_pamt_of(mapped)->type, PT_NDA,
					    "%s: wanted a free page, got type %u", step->name,
					    sim_pamt_of(mapped)->type);
		}
		if (sim_pamt_of(unused)->type != PT_NDA) {
			mapped = unused;
			unused = 0;
		}
	}
}

/* A blocked page can be removed when no vCPU inside may have cached it. */
static void sept_epochs(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_create(test);
	u64 source = sim_test_page(test);
	struct sim_tdcs *tdcs;

	sim_test_td_advance(test, td, STAGE_INIT);
	sim_test_map(test, td, TEST_GPA, source);
	sim_test_td_advance(test, td, STAGE_RUNNABLE);
	tdcs = __va(td->tdcx[SIM_TDCX_TDCS]);

	/* A vCPU entered in the epoch of the block, and stays. */
	atomic_inc(&tdcs->epoch_vcpus[tdcs->epoch & 1]);
	sim_test_expect(test, "RANGE.BLOCK", 0,
			sim_test_call(TDH_MEM_RANGE_BLOCK, AT_4K, td->tdr, 0, 0));
	sim_test_expect(test, "TRACK", 0, sim_test_call(TDH_MEM_TRACK, td->tdr, 0, 0, 0));
	sim_test_expect(test, "it is still inside", RCX(TDX_TLB_TRACKING_NOT_DONE),
			sim_test_call(TDH_MEM_PAGE_REMOVE, AT_4K, td->tdr, 0, 0));
	sim_test_expect(test, "TRACK meanwhile", TDX_PREVIOUS_TLB_EPOCH_BUSY,
			sim_test_call(TDH_MEM_TRACK, td->tdr, 0, 0, 0));
	atomic_dec(&tdcs->epoch_vcpus[!(tdcs->epoch & 1)]);

	/* A vCPU that entered later cannot have the translation. */
	atomic_inc(&tdcs->epoch_vcpus[tdcs->epoch & 1]);
	sim_test_expect(test, "it left", 0,
			sim_test_call(TDH_MEM_PAGE_REMOVE, AT_4K, td->tdr, 0, 0));
	atomic_dec(&tdcs->epoch_vcpus[tdcs->epoch & 1]);
}

static const struct {
	const char *name;
	u64 leaf;
	u64 info;
} page_leafs[] = {
	{ "SEPT.ADD", TDH_MEM_SEPT_ADD, 0x40000000 | 1 },
	{ "PAGE.ADD", TDH_MEM_PAGE_ADD, TEST_GPA - PAGE_SIZE },
	{ "PAGE.AUG", TDH_MEM_PAGE_AUG, TEST_GPA - PAGE_SIZE },
};

static const struct {
	const char *name;
	u64 leaf;
	int level;
} mem_leafs[] = {
	{ "SEPT.ADD", TDH_MEM_SEPT_ADD, 1 },
	{ "PAGE.ADD", TDH_MEM_PAGE_ADD },
	{ "PAGE.AUG", TDH_MEM_PAGE_AUG },
	{ "RANGE.BLOCK", TDH_MEM_RANGE_BLOCK },
	{ "PAGE.REMOVE", TDH_MEM_PAGE_REMOVE },
};

static const u64 bad_infos[] = {
	TEST_GPA | BIT(3), TEST_GPA | 5, TEST_GPA | 1, TEST_GPA | BIT_ULL(52),
	TEST_GPA | TDX_SHARED_GPA, TEST_GPA | BIT_ULL(48),
};

/* Page and source operands of leafs that map a page; the entries are good. */
static void sept_page_operands(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_create(test);
	u64 source = sim_test_page(test), page = sim_test_page(test);
	u64 key = BIT_ULL(boot_cpu_data.x86_phys_bits);
	const u64 alias = min(TDX_SHARED_GPA, key >> 1), top = alias >> 1;
	const struct sim_tdmr *last = &sim_sys.tdmr[sim_sys.nr_tdmrs - 1];
	int i, bad;

	sim_test_td_advance(test, td, STAGE_INIT);
	sim_test_map(test, td, TEST_GPA, source);
	for (i = 0; i < ARRAY_SIZE(page_leafs); i++) {
		const char *name = page_leafs[i].name;
		u64 leaf = page_leafs[i].leaf, info = page_leafs[i].info;

		sim_test_expect(test, name, TDX_OPERAND_INVALID | TDX_OPERAND_ID_R8,
				sim_test_call(leaf, info, td->tdr, page + 8, source));
		sim_test_expect(test, name, TDX_OPERAND_INVALID | TDX_OPERAND_ID_R8,
				sim_test_call(leaf, info, td->tdr, page | key, source));
		sim_test_expect(test, name, TDX_OPERAND_ADDR_RANGE_ERROR | TDX_OPERAND_ID_R8,
				sim_test_call(leaf, info, td->tdr, last->base + last->size,
					      source));
		sim_test_expect(test, name, TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_R8,
				sim_test_call(leaf, info, td->tdr, td->tdcx[0], source));
		sim_test_expect(test, name, TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_RDX,
				sim_test_call(leaf, info, page, page, source));
	}

	for (i = 0; i < ARRAY_SIZE(mem_leafs); i++) {
		for (bad = 0; bad < ARRAY_SIZE(bad_infos); bad++)
			sim_test_expect(test, mem_leafs[i].name, RCX(TDX_OPERAND_INVALID),
					sim_test_call(mem_leafs[i].leaf, bad_infos[bad], td->tdr,
						      page, source));
		sim_test_expect(test, mem_leafs[i].name, RCX(TDX_EPT_WALK_FAILED),
				sim_test_call(mem_leafs[i].leaf, top | mem_leafs[i].level, td->tdr,
					      page, source));
		/* The alias of the shared bit is not the TD's either. */
		if (alias != TDX_SHARED_GPA)
			sim_test_expect(test, mem_leafs[i].name, RCX(TDX_OPERAND_INVALID),
					sim_test_call(mem_leafs[i].leaf, alias | mem_leafs[i].level,
						      td->tdr, page, source));
	}

	/* The source comes before the page. */
	sim_test_expect(test, "source not aligned", TDX_OPERAND_INVALID | TDX_OPERAND_ID_R9,
			sim_test_call(TDH_MEM_PAGE_ADD, TEST_GPA - PAGE_SIZE, td->tdr, page + 8,
				      source + 8));
	sim_test_expect(test, "source with KeyID bits", TDX_OPERAND_INVALID | TDX_OPERAND_ID_R9,
			sim_test_call(TDH_MEM_PAGE_ADD, TEST_GPA - PAGE_SIZE, td->tdr, page,
				      source | key));
}

/* The CPU must not access a page that the TD has not accepted, or must not use. */
static void sept_entry_format(struct kunit *test)
{
	static const struct {
		u8 state;
		u64 access;
	} cases[] = {
		{ TDX_SEPT_BLOCKED,		0 },
		{ TDX_SEPT_PENDING,		0 },
		{ TDX_SEPT_PENDING_BLOCKED,	0 },
		{ TDX_SEPT_PRESENT,		VMX_EPT_RWX_MASK },
		{ TDX_SEPT_NL_BLOCKED,		0 },
		{ TDX_SEPT_NL_MAPPED,		VMX_EPT_RWX_MASK },
	};
	u64 hpa = 0x12345678000;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 entry = sim_sept_make(cases[i].state, TDX_PS_4K, hpa);
		u64 large = sim_sept_make(cases[i].state, TDX_PS_2M, hpa);

		KUNIT_EXPECT_EQ_MSG(test, sim_sept_state(entry), cases[i].state,
				    "state 0x%x", cases[i].state);
		KUNIT_EXPECT_EQ_MSG(test, entry & SEPT_HPA, hpa, "state 0x%x", cases[i].state);
		KUNIT_EXPECT_EQ_MSG(test, entry & VMX_EPT_RWX_MASK, cases[i].access,
				    "access in state 0x%x", cases[i].state);
		KUNIT_EXPECT_TRUE_MSG(test, entry & VMX_EPT_SUPPRESS_VE_BIT,
				      "#VE is not suppressed in state 0x%x", cases[i].state);

		/* The same for 2 MiB, with the bit that ends the CPU's walk. */
		if (sim_sept_is_leaf(cases[i].state))
			large ^= SEPT_LARGE_PAGE;
		KUNIT_EXPECT_EQ_MSG(test, entry, large, "2 MiB in state 0x%x", cases[i].state);
	}

	KUNIT_EXPECT_EQ(test, sim_sept_state(SEPT_ENTRY_FREE), TDX_SEPT_FREE);
	KUNIT_EXPECT_EQ(test, SEPT_ENTRY_FREE & ~VMX_EPT_SUPPRESS_VE_BIT, 0);
}

/* Byte @i of the measured page, so that each chunk of 256 is another. */
static u8 pattern(unsigned int i)
{
	return i * 7 + (i >> 8);
}

/*
 * The records of the page at TEST_GPA, one of PAGE.ADD and 16 of MR.EXTEND, as
 * "Measurement" of the ABI defines them; calculated with another SHA-384.
 */
static const u8 wanted_mrtd[SIM_MD_SIZE] = {
	0xf1, 0xac, 0x9e, 0x1e, 0x0b, 0x87, 0xf3, 0xcd, 0x32, 0xe8, 0x4b, 0xa5,
	0xe5, 0x9d, 0xb6, 0xe9, 0xcb, 0x10, 0xba, 0x16, 0xe1, 0xae, 0x16, 0xaa,
	0xf3, 0xfe, 0x96, 0x15, 0xd4, 0xe7, 0xb8, 0xa3, 0x06, 0x15, 0xfc, 0x3c,
	0x40, 0x3e, 0xdb, 0xb6, 0xd6, 0xf1, 0x92, 0xd8, 0x16, 0x35, 0x63, 0x87,
};

/* The same of 300 pages of zeros, from TEST_GPA downwards, 1 MR.EXTEND, and 1 page. */
#define NR_MANY_PAGES		300

static_assert(NR_MANY_PAGES > 2 * SIM_MRTD_NR_GPAS);

static const u8 wanted_mrtd_of_many[SIM_MD_SIZE] = {
	0x0f, 0x32, 0x2f, 0x10, 0x5a, 0x83, 0xc8, 0x9a, 0xf6, 0x0f, 0xa6, 0x36,
	0x9d, 0xa6, 0xcc, 0xa5, 0xf7, 0xfd, 0xaa, 0xe0, 0x76, 0x9a, 0x74, 0x0e,
	0xe0, 0xe5, 0x0a, 0x7c, 0x28, 0x5c, 0x0c, 0x2c, 0x2a, 0xfa, 0x6f, 0x0e,
	0xbb, 0xa9, 0x5c, 0xb7, 0x8c, 0xdf, 0x13, 0x6a, 0x72, 0xd4, 0x18, 0xaf,
};

/* MRTD as the host reads it, 8 bytes at a time. */
static void expect_mrtd(struct kunit *test, struct sim_test_td *td, const u8 *wanted)
{
	u64 mrtd[SIM_MD_MRTD_NR];
	struct pt_regs regs;
	int i;

	for (i = 0; i < SIM_MD_MRTD_NR; i++) {
		regs = (struct pt_regs) { .cx = td->tdr, .dx = SIM_MD_MRTD + i };
		sim_test_assert(test, "TDH_MNG_RD", 0, sim_test_seamcall(TDH_MNG_RD, &regs));
		mrtd[i] = regs.r8;
	}
	KUNIT_EXPECT_MEMEQ_MSG(test, (const u8 *)mrtd, wanted, sizeof(mrtd), "MRTD");
}

static void mrtd_of_a_page(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_create(test);
	u64 source = sim_test_page(test);
	int i;

	for (i = 0; i < PAGE_SIZE; i++)
		((u8 *)__va(source))[i] = pattern(i);

	sim_test_td_advance(test, td, STAGE_INIT);
	sim_test_map(test, td, TEST_GPA, source);

	sim_test_expect(test, "MR.EXTEND, not aligned", RCX(TDX_OPERAND_INVALID),
			sim_test_call(TDH_MR_EXTEND, TEST_GPA + 128, td->tdr, 0, 0));
	sim_test_expect(test, "MR.EXTEND, shared", RCX(TDX_OPERAND_INVALID),
			sim_test_call(TDH_MR_EXTEND, TEST_GPA | TDX_SHARED_GPA, td->tdr, 0, 0));
	sim_test_expect(test, "MR.EXTEND, no page", RCX(TDX_EPT_ENTRY_NOT_PRESENT),
			sim_test_call(TDH_MR_EXTEND, TEST_GPA - PAGE_SIZE, td->tdr, 0, 0));
	for (i = 0; i < PAGE_SIZE; i += TDX_EXTENDMR_CHUNKSIZE)
		sim_test_assert(test, "TDH_MR_EXTEND", 0,
				sim_test_call(TDH_MR_EXTEND, TEST_GPA + i, td->tdr, 0, 0));

	/* Neither a table nor a vCPU is measured. */
	sim_test_td_advance(test, td, STAGE_RUNNABLE);
	expect_mrtd(test, td, wanted_mrtd);
}

/*
 * More pages than the module can note, content of the last one, and one more page.  All
 * of them use the same memory, one after the other.
 */
static void mrtd_of_many_pages(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_create(test);
	u64 source = sim_test_page(test), page, gpa = TEST_GPA;
	unsigned int i;

	sim_test_td_advance(test, td, STAGE_INIT);
	page = sim_test_map(test, td, gpa, source);
	for (i = 1; i <= NR_MANY_PAGES; i++) {
		if (i == NR_MANY_PAGES)
			sim_test_assert(test, "TDH_MR_EXTEND", 0,
					sim_test_call(TDH_MR_EXTEND, gpa, td->tdr, 0, 0));
		sim_test_assert(test, "TDH_MEM_PAGE_REMOVE", 0,
				sim_test_call(TDH_MEM_PAGE_REMOVE, gpa, td->tdr, 0, 0));
		gpa -= PAGE_SIZE;
		sim_test_assert(test, "TDH_MEM_PAGE_ADD", 0,
				sim_test_call(TDH_MEM_PAGE_ADD, gpa, td->tdr, page, source));
	}

	sim_test_td_advance(test, td, STAGE_RUNNABLE);
	expect_mrtd(test, td, wanted_mrtd_of_many);
}

static struct kunit_case sim_sept_cases[] = {
	KUNIT_CASE(sept_life_of_a_page),
	KUNIT_CASE(sept_epochs),
	KUNIT_CASE(sept_page_operands),
	KUNIT_CASE(sept_entry_format),
	KUNIT_CASE(mrtd_of_a_page),
	KUNIT_CASE(mrtd_of_many_pages),
	{}
};

static struct kunit_suite sim_sept_suite = {
	.name = "tdx_sim_sept",
	.init = sim_test_init,
	.test_cases = sim_sept_cases,
};

kunit_test_suite(sim_sept_suite);
