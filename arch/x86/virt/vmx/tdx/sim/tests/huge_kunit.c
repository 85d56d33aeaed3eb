// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: pages of 2 MiB.
 */
#include <linux/align.h>
#include <linux/array_size.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <asm/vmx.h>

#include "state/sept.h"
#include "tests/sim_test.h"
#include "tests/sim_test_vcpu.h"

#define AT_2M			SIM_TEST_HUGE
#define AT_1G			(SIM_TEST_HUGE_GPA | TDX_PS_1G)
#define AT_4K			(SIM_TEST_HUGE_GPA + 5 * PAGE_SIZE)
/* In a table of its own, for a page out of the 2 MiB. */
#define SMALL_GPA		(SIM_TEST_HUGE_GPA + SZ_2M)

#define ID(code, operand)	((code) | TDX_OPERAND_ID_##operand)
#define REPORT(level, state)	((level) | (u64)(state) << TDX_SEPT_STATE_SHIFT)
#define NO_REPORT		U64_MAX
#define PROMOTE			(SIM_TDH_MEM_PAGE_PROMOTE | 1ULL << TDX_VERSION_SHIFT)

/* R8 of a step. */
enum step_page {
	ALL,			/* the 2 MiB */
	ONE,			/* 4 KiB of them */
	OWN,			/* a page of the TD's, in use */
	TABLE,
	TABLE_UNALIGNED,
	BEYOND,			/* outside of the TDMRs */
};

/* The life of 2 MiB: each step that succeeds, after calls that are refused. */
struct huge_step {
	const char *name;
	u64 leaf;
	u64 info;
	enum step_page r8;
	u64 want;
	u64 report;		/* RDX */
};

#define PENDING_2M	REPORT(1, TDX_SEPT_PENDING)
#define BLOCKED_2M	REPORT(1, TDX_SEPT_PENDING_BLOCKED)
#define TABLE_2M	REPORT(1, TDX_SEPT_NL_MAPPED)

static const struct huge_step huge_steps[] = {
	{ "DEMOTE of FREE", SIM_TDH_MEM_PAGE_DEMOTE, AT_2M, TABLE,
	  ID(TDX_EPT_ENTRY_STATE_INCORRECT, RCX), REPORT(1, TDX_SEPT_FREE) },
	{ "PROMOTE of FREE", PROMOTE, AT_2M, TABLE,
	  ID(TDX_EPT_ENTRY_STATE_INCORRECT, RCX), REPORT(1, TDX_SEPT_FREE) },
	{ "AUG of 1 GiB", TDH_MEM_PAGE_AUG, AT_1G, ALL, ID(TDX_OPERAND_INVALID, RCX), 0 },
	{ "AUG, GPA not aligned", TDH_MEM_PAGE_AUG, AT_4K | TDX_PS_2M, ALL,
	  ID(TDX_OPERAND_INVALID, RCX), 0 },
	{ "AUG, page not aligned", TDH_MEM_PAGE_AUG, AT_2M, ONE, ID(TDX_OPERAND_INVALID, R8), 0 },
	{ "AUG, page outside", TDH_MEM_PAGE_AUG, AT_2M, BEYOND,
	  ID(TDX_OPERAND_ADDR_RANGE_ERROR, R8), 0 },
	{ "a table for 4 KiB", TDH_MEM_SEPT_ADD, SMALL_GPA | TDX_PS_2M, TABLE, 0, 0 },
	{ "AUG of 4 KiB out of the 2 MiB", TDH_MEM_PAGE_AUG, SMALL_GPA, ONE, 0, 0 },
	{ "AUG, 4 KiB in use", TDH_MEM_PAGE_AUG, AT_2M, ALL,
	  ID(TDX_PAGE_METADATA_INCORRECT, R8), 0 },
	{ "BLOCK of the 4 KiB", TDH_MEM_RANGE_BLOCK, SMALL_GPA, ONE, 0, 0 },
	{ "TRACK", TDH_MEM_TRACK, 0, ONE, 0, NO_REPORT },
	{ "REMOVE of the 4 KiB", TDH_MEM_PAGE_REMOVE, SMALL_GPA, ONE, 0, 0 },
	{ "AUG", TDH_MEM_PAGE_AUG, AT_2M, ALL, 0, 0 },
	{ "AUG twice", TDH_MEM_PAGE_AUG, AT_2M, ALL,
	  ID(TDX_EPT_ENTRY_STATE_INCORRECT, RCX), PENDING_2M },
	{ "AUG of 4 KiB in it", TDH_MEM_PAGE_AUG, AT_4K, TABLE,
	  ID(TDX_EPT_WALK_FAILED, RCX), PENDING_2M },
	{ "SEPT.ADD for it", TDH_MEM_SEPT_ADD, AT_2M, TABLE,
	  ID(TDX_EPT_ENTRY_STATE_INCORRECT, RCX), PENDING_2M },
	{ "AUG of 4 KiB of the page", TDH_MEM_PAGE_AUG, SMALL_GPA, ONE,
	  ID(TDX_PAGE_METADATA_INCORRECT, R8), 0 },
	{ "BLOCK of 4 KiB in it", TDH_MEM_RANGE_BLOCK, AT_4K, ONE,
	  ID(TDX_EPT_WALK_FAILED, RCX), PENDING_2M },
	{ "REMOVE of 4 KiB in it", TDH_MEM_PAGE_REMOVE, AT_4K, ONE,
	  ID(TDX_EPT_WALK_FAILED, RCX), PENDING_2M },
	{ "PROMOTE of a page", PROMOTE, AT_2M, TABLE,
	  ID(TDX_EPT_ENTRY_STATE_INCORRECT, RCX), PENDING_2M },
	{ "REMOVE, not blocked", TDH_MEM_PAGE_REMOVE, AT_2M, ALL,
	  ID(TDX_GPA_RANGE_NOT_BLOCKED, RCX), PENDING_2M },
	{ "DEMOTE, not blocked", SIM_TDH_MEM_PAGE_DEMOTE, AT_2M, TABLE_UNALIGNED,
	  ID(TDX_GPA_RANGE_NOT_BLOCKED, RCX), PENDING_2M },
	{ "BLOCK", TDH_MEM_RANGE_BLOCK, AT_2M, ALL, 0, 0 },
	{ "BLOCK twice", TDH_MEM_RANGE_BLOCK, AT_2M, ALL,
	  ID(TDX_GPA_RANGE_ALREADY_BLOCKED, RCX), BLOCKED_2M },
	{ "REMOVE before TRACK", TDH_MEM_PAGE_REMOVE, AT_2M, ALL,
	  ID(TDX_TLB_TRACKING_NOT_DONE, RCX), 0 },
	{ "DEMOTE before TRACK", SIM_TDH_MEM_PAGE_DEMOTE, AT_2M, TABLE_UNALIGNED,
	  ID(TDX_TLB_TRACKING_NOT_DONE, RCX), 0 },
	{ "TRACK", TDH_MEM_TRACK, 0, ALL, 0, NO_REPORT },
	{ "DEMOTE of 1 GiB", SIM_TDH_MEM_PAGE_DEMOTE, AT_1G, TABLE,
	  ID(TDX_EPT_ENTRY_STATE_INCORRECT, RCX), REPORT(2, TDX_SEPT_NL_MAPPED) },
	{ "DEMOTE of 4 KiB", SIM_TDH_MEM_PAGE_DEMOTE, AT_4K, TABLE,
	  ID(TDX_OPERAND_INVALID, RCX), 0 },
	{ "DEMOTE, table not aligned", SIM_TDH_MEM_PAGE_DEMOTE, AT_2M, TABLE_UNALIGNED,
	  ID(TDX_OPERAND_INVALID, R8), 0 },
	{ "DEMOTE, table outside", SIM_TDH_MEM_PAGE_DEMOTE, AT_2M, BEYOND,
	  ID(TDX_OPERAND_ADDR_RANGE_ERROR, R8), 0 },
	{ "DEMOTE, table in use", SIM_TDH_MEM_PAGE_DEMOTE, AT_2M, OWN,
	  ID(TDX_PAGE_METADATA_INCORRECT, R8), 0 },
	{ "DEMOTE, table out of the page", SIM_TDH_MEM_PAGE_DEMOTE, AT_2M, ONE,
	  ID(TDX_PAGE_METADATA_INCORRECT, R8), 0 },
	{ "DEMOTE", SIM_TDH_MEM_PAGE_DEMOTE, AT_2M, TABLE, 0, 0 },
	{ "DEMOTE of a table", SIM_TDH_MEM_PAGE_DEMOTE, AT_2M, TABLE,
	  ID(TDX_EPT_ENTRY_STATE_INCORRECT, RCX), TABLE_2M },
	{ "AUG of a table", TDH_MEM_PAGE_AUG, AT_2M, ALL,
	  ID(TDX_EPT_ENTRY_STATE_INCORRECT, RCX), TABLE_2M },
	{ "REMOVE of a table", TDH_MEM_PAGE_REMOVE, AT_2M, ALL,
	  ID(TDX_EPT_ENTRY_STATE_INCORRECT, RCX), TABLE_2M },
	{ "PROMOTE, not blocked", PROMOTE, AT_2M, ALL,
	  ID(TDX_GPA_RANGE_NOT_BLOCKED, RCX), TABLE_2M },
	{ "BLOCK of a table", TDH_MEM_RANGE_BLOCK, AT_2M, ALL, 0, 0 },
	{ "PROMOTE before TRACK", PROMOTE, AT_2M, ALL, ID(TDX_TLB_TRACKING_NOT_DONE, RCX), 0 },
	{ "TRACK", TDH_MEM_TRACK, 0, ALL, 0, NO_REPORT },
	{ "PROMOTE to 1 GiB", PROMOTE, AT_1G, ALL, ID(TDX_OPERAND_INVALID, RCX), 0 },
	{ "PROMOTE of 4 KiB", PROMOTE, AT_4K, ALL, ID(TDX_OPERAND_INVALID, RCX), 0 },
	{ "PROMOTE", PROMOTE, AT_2M, ALL, 0, 0 },
	{ "BLOCK once more", TDH_MEM_RANGE_BLOCK, AT_2M, ALL, 0, 0 },
	{ "TRACK", TDH_MEM_TRACK, 0, ALL, 0, NO_REPORT },
	{ "REMOVE", TDH_MEM_PAGE_REMOVE, AT_2M, ALL, 0, 0 },
	{ "REMOVE twice", TDH_MEM_PAGE_REMOVE, AT_2M, ALL,
	  ID(TDX_EPT_ENTRY_STATE_INCORRECT, RCX), REPORT(1, TDX_SEPT_FREE) },
};

static void huge_life_of_a_page(struct kunit *test)
{
	const struct sim_tdmr *last = &sim_sys.tdmr[sim_sys.nr_tdmrs - 1];
	struct sim_test_td *td = sim_test_huge_td(test, STAGE_RUNNABLE);
	const u64 pages[] = {
		[ALL] = td->huge_page, [ONE] = td->huge_page + 3 * PAGE_SIZE,
		[OWN] = td->tdcx[0], [BEYOND] = ALIGN(last->base + last->size, SZ_2M),
	};
	u64 table = sim_test_td_page(test, td);
	const struct huge_step *step;

	for (step = huge_steps; step < huge_steps + ARRAY_SIZE(huge_steps); step++) {
		struct pt_regs regs = { .cx = step->info, .dx = td->tdr };

		regs.r8 = step->r8 == TABLE ? table :
			  step->r8 == TABLE_UNALIGNED ? table + 8 : pages[step->r8];
		if (step->leaf == TDH_MEM_TRACK)
			regs.cx = td->tdr;
		sim_test_expect(test, step->name, step->want,
				sim_test_seamcall(step->leaf, &regs));
		if (step->report != NO_REPORT)
			KUNIT_EXPECT_EQ_MSG(test, regs.dx, step->report,
					    "%s: RDX: wanted 0x%llx, got 0x%lx", step->name,
					    step->report, regs.dx);
		/* The TD has used the table, which is reclaimed with it. */
		if (sim_pamt_of(table)->type != PT_NDA)
			table = sim_test_td_page(test, td);
	}
	KUNIT_EXPECT_EQ_MSG(test, sim_pamt_2m_of(td->huge_page)->type, PT_NDA,
			    "the 2 MiB are not free");
}

/* What the host does after a TDG.MEM.PAGE.ACCEPT. */
enum between { NOTHING, AUG, BLOCK, DEMOTE };

static void between(struct kunit *test, struct sim_test_td *td, enum between what)
{
	switch (what) {
	case NOTHING:
		break;
	case AUG:
		sim_test_assert(test, "TDH_MEM_PAGE_AUG", 0,
				sim_test_call(TDH_MEM_PAGE_AUG, AT_2M, td->tdr, td->huge_page, 0));
		break;
	case BLOCK:
		sim_test_block(test, td, AT_2M);
		break;
	case DEMOTE:
		sim_test_assert(test, "TDH_MEM_PAGE_DEMOTE", 0,
				sim_test_call(SIM_TDH_MEM_PAGE_DEMOTE, AT_2M, td->tdr,
					      sim_test_td_page(test, td), 0));
		break;
	}
}

/* Wanted level, level and state of the entry, in bits 63:32. */
#define EXIT(wanted, state) \
	((u64)((wanted) | TDX_PS_2M << 3 | (state) << 6) << 32 | TDX_EXT_EXIT_QUAL_ACCEPT)
#define EXIT_LEAF(wanted, state)	(EXIT(wanted, state) | BIT_ULL(14 + 32))

/* TDG.MEM.PAGE.ACCEPT of 2 MiB and of 4 KiB, also of a page of the other size. */
static void huge_accept(struct kunit *test)
{
	static const struct {
		const char *name;
		u64 rcx;
		u64 want;
		u64 exit;		/* extended qualification of one */
		enum between then;
	} cases[] = {
		{ "FREE", AT_2M, EXIT_REASON_EPT_VIOLATION,
		  EXIT(TDX_PS_2M, TDX_SEPT_FREE), AUG },
		{ "4 KiB of PENDING", AT_4K, EXIT_REASON_EPT_VIOLATION,
		  EXIT_LEAF(TDX_PS_4K, TDX_SEPT_PENDING) },
		{ "PENDING", AT_2M, 0 },
		{ "again", AT_2M, TDX_PAGE_ALREADY_ACCEPTED | TDX_PS_2M },
		{ "4 KiB of MAPPED", AT_4K, TDX_PAGE_ALREADY_ACCEPTED | TDX_PS_2M, .then = BLOCK },
		{ "BLOCKED", AT_2M, EXIT_REASON_EPT_VIOLATION,
		  EXIT_LEAF(TDX_PS_2M, TDX_SEPT_BLOCKED) },
		{ "4 KiB of BLOCKED", AT_4K, EXIT_REASON_EPT_VIOLATION,
		  EXIT_LEAF(TDX_PS_4K, TDX_SEPT_BLOCKED), DEMOTE },
		{ "a table", AT_2M, TDX_PAGE_SIZE_MISMATCH | TDX_PS_2M },
		{ "4 KiB in it", AT_4K, TDX_PAGE_ALREADY_ACCEPTED, .then = BLOCK },
		{ "a blocked table", AT_2M, TDX_PAGE_SIZE_MISMATCH | TDX_PS_2M },
		{ "4 KiB of a blocked table", AT_4K, EXIT_REASON_EPT_VIOLATION,
		  EXIT(TDX_PS_4K, TDX_SEPT_NL_BLOCKED) },
	};
	struct sim_test_td *td = sim_test_huge_td(test, STAGE_RUNNABLE);
	int i;

	memset(__va(td->huge_page), 0xff, SZ_2M);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sim_test_guest guest = { .gpr = { [SIM_RCX] = cases[i].rcx } };

		sim_test_expect(test, cases[i].name, cases[i].want,
				sim_test_tdcall(test, td, TDG_MEM_PAGE_ACCEPT, &guest));
		KUNIT_EXPECT_EQ_MSG(test, guest.action == SIM_TO_HOST, !!cases[i].exit,
				    "%s: an exit, or none", cases[i].name);
		if (cases[i].exit) {
			sim_test_expect(test, "extended qualification", cases[i].exit,
					guest.regs.dx);
			sim_test_expect(test, "GPA", cases[i].rcx & PAGE_MASK, guest.regs.r8);
		}
		if (!cases[i].want)
			KUNIT_EXPECT_TRUE_MSG(test, !memchr_inv(__va(td->huge_page), 0, SZ_2M),
					      "the 2 MiB were not cleared");
		between(test, td, cases[i].then);
	}
}

/*
 * The TD executes code in 2 MiB, as one page or as 512 of them: it leaves a mark and
 * ends by an exception that it has no handler for.
 */
static void run_in_huge_page(struct kunit *test, bool split)
{
	static const u8 code[] = {
		0xbb, 0x0d, 0xf0, 0x0d, 0x60,	/* mov $0x600df00d, %ebx */
		0x0f, 0x0b,			/* ud2 */
	};
	const u64 gpa = ALIGN_DOWN(SIM_TEST_RESET_VECTOR, SZ_2M);
	struct sim_test_td *td = sim_test_huge_td(test, STAGE_INIT);
	struct sim_test_guest guest = { .gpr = { [SIM_RCX] = gpa | TDX_PS_2M } };
	struct sim_vcpu *vcpu = __va(td->tdvpr);
	struct pt_regs regs = {};

	sim_test_tables(test, td, gpa, TDX_PS_1G);
	sim_test_td_advance(test, td, STAGE_RUNNABLE);
	sim_test_assert(test, "TDH_MEM_PAGE_AUG", 0,
			sim_test_call(TDH_MEM_PAGE_AUG, gpa | TDX_PS_2M, td->tdr,
				      td->huge_page, 0));
	sim_test_assert(test, "TDG_MEM_PAGE_ACCEPT", 0,
			sim_test_tdcall(test, td, TDG_MEM_PAGE_ACCEPT, &guest));
	/* RIP is after the TDCALL. */
	memcpy(__va(td->huge_page + (SIM_TEST_RESET_VECTOR - gpa) + guest.skipped), code,
	       sizeof(code));

	if (split) {
		sim_test_block(test, td, gpa | TDX_PS_2M);
		sim_test_assert(test, "TDH_MEM_PAGE_DEMOTE", 0,
				sim_test_call(SIM_TDH_MEM_PAGE_DEMOTE, gpa | TDX_PS_2M, td->tdr,
					      sim_test_td_page(test, td), 0));
	}

	sim_test_expect(test, "the end of the TD",
			TDX_NON_RECOVERABLE_VCPU | EXIT_REASON_TRIPLE_FAULT,
			sim_test_enter(test, td, &regs));
	KUNIT_EXPECT_EQ(test, vcpu->gpr[SIM_RBX], 0x600df00d);
}

static void huge_run(struct kunit *test)
{
	run_in_huge_page(test, false);
}

static void huge_run_split(struct kunit *test)
{
	run_in_huge_page(test, true);
}

/* The host reclaims it as a whole, by the address of its beginning only. */
static void huge_reclaim(struct kunit *test)
{
	struct sim_test_td *td = sim_test_huge_td(test, STAGE_RUNNABLE);
	struct pt_regs regs = {};

	between(test, td, AUG);
	sim_test_td_advance(test, td, STAGE_TEARDOWN);
	sim_test_expect(test, "WBINVD of 4 KiB of it",
			ID(TDX_PAGE_METADATA_INCORRECT, RCX),
			sim_test_call(TDH_PHYMEM_PAGE_WBINVD, td->huge_page + PAGE_SIZE, 0, 0, 0));

	regs.cx = td->huge_page + PAGE_SIZE;
	sim_test_expect(test, "4 KiB of it", ID(TDX_OPERAND_INVALID, RCX),
			sim_test_seamcall(TDH_PHYMEM_PAGE_RECLAIM, &regs));
	sim_test_expect(test, "level in R8 of the refusal", TDX_PS_2M, regs.r8);

	KUNIT_ASSERT_TRUE(test, sim_trylock(&sim_pamt_2m_of(td->huge_page)->lock, SIM_SHARED));
	sim_test_expect(test, "locked", ID(TDX_OPERAND_BUSY, RCX),
			sim_test_call(TDH_PHYMEM_PAGE_RECLAIM, td->huge_page, 0, 0, 0));
	sim_unlock(&sim_pamt_2m_of(td->huge_page)->lock, SIM_SHARED);

	regs.cx = td->huge_page;
	sim_test_expect(test, "2 MiB", 0, sim_test_seamcall(TDH_PHYMEM_PAGE_RECLAIM, &regs));
	sim_test_expect(test, "type", PT_REG, regs.cx);
	sim_test_expect(test, "owner", td->tdr, regs.dx);
	sim_test_expect(test, "level", TDX_PS_2M, regs.r8);
	KUNIT_EXPECT_EQ(test, sim_pamt_2m_of(td->huge_page)->type, PT_NDA);
	sim_test_expect(test, "again", ID(TDX_PAGE_METADATA_INCORRECT, RCX),
			sim_test_call(TDH_PHYMEM_PAGE_RECLAIM, td->huge_page, 0, 0, 0));
}

static struct kunit_case sim_huge_cases[] = {
	KUNIT_CASE(huge_life_of_a_page),
	KUNIT_CASE(huge_accept),
	KUNIT_CASE(huge_run),
	KUNIT_CASE(huge_run_split),
	KUNIT_CASE(huge_reclaim),
	{}
};

static struct kunit_suite sim_huge_suite = {
	.name = "tdx_sim_huge",
	.init = sim_test_init,
	.test_cases = sim_huge_cases,
};

kunit_test_suite(sim_huge_suite);
