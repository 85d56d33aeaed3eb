// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: 2 MiB into 512 pages, and back.
 */
#include <linux/array_size.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <asm/vmx.h>

#include "state/sept.h"
#include "tests/sim_test.h"
#include "tests/sim_test_vcpu.h"

#define AT_2M			SIM_TEST_HUGE
#define AT_4K			(SIM_TEST_HUGE_GPA + 5 * PAGE_SIZE)
#define HUGE_PAGES		(SZ_2M / PAGE_SIZE)

#define ID(code, operand)	((code) | TDX_OPERAND_ID_##operand)
#define TABLE_2M		(TDX_PS_2M | TDX_SEPT_NL_MAPPED << TDX_SEPT_STATE_SHIFT)
#define PROMOTE			(SIM_TDH_MEM_PAGE_PROMOTE | 1ULL << TDX_VERSION_SHIFT)

/* The 2 MiB of a TD, and a page for the table. */
struct split_fixture {
	struct sim_test_td *td;
	struct sim_td *tdr;
	struct sim_tdcs *tdcs;
	u64 hpa;
	u64 table;
};

static struct split_fixture *split_fixture(struct kunit *test, enum sim_test_stage stage)
{
	struct split_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->td = sim_test_huge_td(test, stage);
	f->tdr = __va(f->td->tdr);
	f->tdcs = __va(f->td->tdcx[SIM_TDCX_TDCS]);
	f->hpa = f->td->huge_page;
	f->table = sim_test_td_page(test, f->td);
	return f;
}

static u64 call(const struct split_fixture *f, u64 leaf, u64 r8)
{
	return sim_test_call(leaf, AT_2M, f->td->tdr, r8, 0);
}

static u64 *entry_of(const struct split_fixture *f, u64 gpa, int level)
{
	int found;
	u64 *entry = sim_sept_walk(f->tdcs, gpa, level, &found);

	return found == level ? entry : NULL;
}

/* TDH.PHYMEM.PAGE.RDMD of @pa gives @type, its TD and @level. */
static void expect_page(struct kunit *test, const char *what, const struct split_fixture *f,
			u64 pa, u64 type, u64 level)
{
	struct pt_regs regs = { .cx = pa };

	sim_test_expect(test, what, 0, sim_test_seamcall(TDH_PHYMEM_PAGE_RDMD, &regs));
	KUNIT_EXPECT_EQ_MSG(test, regs.cx, type, "%s: type: wanted %llu, got %lu", what, type,
			    regs.cx);
	KUNIT_EXPECT_EQ_MSG(test, regs.dx, type == PT_NDA ? 0 : f->td->tdr, "%s: owner", what);
	KUNIT_EXPECT_EQ_MSG(test, regs.r8, level, "%s: level: wanted %llu, got %lu", what, level,
			    regs.r8);
}

static void expect_small_pages(struct kunit *test, const struct split_fixture *f)
{
	u64 hpa;
	int i;

	KUNIT_EXPECT_EQ(test, sim_pamt_2m_of(f->hpa)->type, PT_NDA);
	expect_page(test, "the table", f, f->table, PT_EPT, TDX_PS_4K);
	for (i = 0; i < HUGE_PAGES; i++) {
		u64 *entry = entry_of(f, SIM_TEST_HUGE_GPA + i * PAGE_SIZE, TDX_PS_4K);

		KUNIT_ASSERT_NOT_NULL(test, entry);
		KUNIT_ASSERT_EQ_MSG(test, *entry,
				    sim_sept_make(TDX_SEPT_PRESENT, TDX_PS_4K,
						  f->hpa + i * PAGE_SIZE), "entry %d", i);
		expect_page(test, "4 KiB", f, f->hpa + i * PAGE_SIZE, PT_REG, TDX_PS_4K);
	}
	KUNIT_EXPECT_TRUE(test, sim_sept_translate(f->tdcs, AT_4K, &hpa));
	KUNIT_EXPECT_EQ(test, hpa, f->hpa + AT_4K - SIM_TEST_HUGE_GPA);
}

/* DEMOTE and PROMOTE of a page that the TD uses, with its contents. */
static void split_and_merge(struct kunit *test)
{
	struct split_fixture *f = split_fixture(test, STAGE_RUNNABLE);
	struct sim_test_guest guest = { .gpr = { [SIM_RCX] = AT_2M } };
	s64 pages = atomic64_read(&f->tdr->chldcnt);
	struct pt_regs regs = { .cx = AT_2M, .dx = f->td->tdr };
	u64 hpa;

	sim_test_assert(test, "AUG", 0, call(f, TDH_MEM_PAGE_AUG, f->hpa));
	KUNIT_EXPECT_EQ(test, atomic64_read(&f->tdr->chldcnt), pages + HUGE_PAGES);
	expect_page(test, "4 KiB of 2 MiB", f, f->hpa + PAGE_SIZE, PT_REG, TDX_PS_2M);
	sim_test_assert(test, "ACCEPT", 0,
			sim_test_tdcall(test, f->td, TDG_MEM_PAGE_ACCEPT, &guest));
	memset(__va(f->hpa + AT_4K - SIM_TEST_HUGE_GPA), 0x5a, PAGE_SIZE);

	sim_test_block(test, f->td, AT_2M);
	sim_test_assert(test, "DEMOTE", 0, call(f, SIM_TDH_MEM_PAGE_DEMOTE, f->table));
	KUNIT_EXPECT_EQ(test, atomic64_read(&f->tdr->chldcnt), pages + HUGE_PAGES + 1);
	expect_small_pages(test, f);

	/* The TD has used some of the pages meanwhile. */
	((u64 *)__va(f->table))[0] |= VMX_EPT_ACCESS_BIT;
	((u64 *)__va(f->table))[HUGE_PAGES - 1] |= VMX_EPT_ACCESS_BIT | VMX_EPT_DIRTY_BIT;

	sim_test_block(test, f->td, AT_2M);
	sim_test_expect(test, "PROMOTE", 0, sim_test_seamcall(PROMOTE, &regs));
	sim_test_expect(test, "RCX, the table", f->table, regs.cx);
	sim_test_expect(test, "RDX", 0, regs.dx);
	sim_test_expect(test, "R9, no table of a nested VM", U64_MAX, regs.r9);
	sim_test_expect(test, "R10", U64_MAX, regs.r10);
	sim_test_expect(test, "R11", U64_MAX, regs.r11);
	KUNIT_EXPECT_EQ(test, atomic64_read(&f->tdr->chldcnt), pages + HUGE_PAGES);
	KUNIT_EXPECT_EQ(test, *entry_of(f, SIM_TEST_HUGE_GPA, TDX_PS_2M),
			sim_sept_make(TDX_SEPT_PRESENT, TDX_PS_2M, f->hpa));
	expect_page(test, "the table of before", f, f->table, PT_NDA, TDX_PS_4K);
	expect_page(test, "2 MiB again", f, f->hpa + PAGE_SIZE, PT_REG, TDX_PS_2M);
	KUNIT_EXPECT_EQ(test, sim_pamt_of(f->hpa)->type, PT_NDA);
	KUNIT_EXPECT_TRUE(test, sim_sept_translate(f->tdcs, AT_4K + 8, &hpa));
	KUNIT_EXPECT_EQ(test, hpa, f->hpa + AT_4K - SIM_TEST_HUGE_GPA + 8);
	KUNIT_EXPECT_TRUE_MSG(test, !memchr_inv(__va(hpa & PAGE_MASK), 0x5a, PAGE_SIZE),
			      "the contents changed");

	/* Without the version there is no output about nested VMs. */
	sim_test_block(test, f->td, AT_2M);
	sim_test_assert(test, "DEMOTE", 0, call(f, SIM_TDH_MEM_PAGE_DEMOTE, f->table));
	sim_test_block(test, f->td, AT_2M);
	regs = (struct pt_regs) { .cx = AT_2M, .dx = f->td->tdr, .r9 = 1, .r10 = 2, .r11 = 3 };
	sim_test_expect(test, "PROMOTE", 0, sim_test_seamcall(SIM_TDH_MEM_PAGE_PROMOTE, &regs));
	sim_test_expect(test, "R9", 1, regs.r9);
	sim_test_expect(test, "R10", 2, regs.r10);
	sim_test_expect(test, "R11", 3, regs.r11);
}

static void fill_table(u64 *table, u8 state, u64 hpa)
{
	int i;

	for (i = 0; i < HUGE_PAGES; i++)
		table[i] = sim_sept_make(state, TDX_PS_4K, hpa + i * PAGE_SIZE);
}

/* Pages that do not make up 2 MiB, because of one entry of the table or of all. */
static void promote_conditions(struct kunit *test)
{
	struct split_fixture *f = split_fixture(test, STAGE_INIT);
	const struct {
		const char *name;
		int index;
		u64 entry;
	} cases[] = {
		{ "none", 0, SEPT_ENTRY_FREE },
		{ "a hole", HUGE_PAGES - 1, SEPT_ENTRY_FREE },
		{ "another state", 7,
		  sim_sept_make(TDX_SEPT_PRESENT, TDX_PS_4K, f->hpa + 7 * PAGE_SIZE) },
		{ "blocked", 0, sim_sept_make(TDX_SEPT_PENDING_BLOCKED, TDX_PS_4K, f->hpa) },
		{ "not in order", 1, sim_sept_make(TDX_SEPT_PENDING, TDX_PS_4K, f->hpa) },
		{ "of other 2 MiB", HUGE_PAGES - 1,
		  sim_sept_make(TDX_SEPT_PENDING, TDX_PS_4K, f->hpa - PAGE_SIZE) },
	};
	const struct {
		const char *name;
		u8 state;
		u64 hpa;
	} wholes[] = {
		{ "not aligned", TDX_SEPT_PENDING, f->hpa + PAGE_SIZE },
		{ "all blocked", TDX_SEPT_PENDING_BLOCKED, f->hpa },
	};
	u64 *table;
	int i;

	sim_test_assert(test, "AUG", 0, call(f, TDH_MEM_PAGE_AUG, f->hpa));
	sim_test_assert(test, "DEMOTE", 0, call(f, SIM_TDH_MEM_PAGE_DEMOTE, f->table));
	table = __va(f->table);

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 before = table[cases[i].index];
		struct pt_regs regs = { .cx = AT_2M, .dx = f->td->tdr };

		table[cases[i].index] = cases[i].entry;
		sim_test_expect(test, cases[i].name, ID(TDX_EPT_INVALID_PROMOTE_CONDITIONS, RCX),
				sim_test_seamcall(PROMOTE, &regs));
		sim_test_expect(test, "RDX", TABLE_2M, regs.dx);
		KUNIT_EXPECT_EQ_MSG(test, table[cases[i].index], cases[i].entry,
				    "%s: the entry changed", cases[i].name);
		table[cases[i].index] = before;
	}

	for (i = 0; i < ARRAY_SIZE(wholes); i++) {
		fill_table(table, wholes[i].state, wholes[i].hpa);
		sim_test_expect(test, wholes[i].name, ID(TDX_EPT_INVALID_PROMOTE_CONDITIONS, RCX),
				call(f, PROMOTE, 0));
	}
	fill_table(table, TDX_SEPT_PENDING, f->hpa);

	KUNIT_ASSERT_TRUE(test, sim_sept_trylock_entry(&table[9]));
	sim_test_expect(test, "an entry locked", ID(TDX_OPERAND_BUSY, RCX),
			call(f, PROMOTE, 0));
	sim_sept_unlock_entry(&table[9]);
	sim_test_assert(test, "PROMOTE", 0, call(f, PROMOTE, 0));
}

enum held { TDR, TREE, ENTRY, TABLE, PAGE };

static struct sim_lock *lock_of(const struct split_fixture *f, enum held held)
{
	switch (held) {
	case TDR:	return &sim_pamt_of(f->td->tdr)->lock;
	case TREE:	return &f->tdcs->sept_lock;
	case ENTRY:	return NULL;
	case TABLE:	return &sim_pamt_of(f->table)->lock;
	case PAGE:	return &sim_pamt_2m_of(f->hpa)->lock;
	}
	return NULL;
}

/* Objects that another caller has locked.  After the last row the leaf succeeds. */
static void split_locks(struct kunit *test)
{
	static const struct {
		const char *name;
		u64 leaf;
		enum held held;
		enum sim_lock_mode mode;
		u64 want;
		bool last;
	} cases[] = {
		{ "AUG, page", TDH_MEM_PAGE_AUG, PAGE, SIM_SHARED, ID(TDX_OPERAND_BUSY, R8), true },
		{ "DEMOTE, TD", SIM_TDH_MEM_PAGE_DEMOTE, TDR, SIM_EXCL, ID(TDX_OPERAND_BUSY, RDX) },
		{ "DEMOTE, tree", SIM_TDH_MEM_PAGE_DEMOTE, TREE, SIM_EXCL,
		  ID(TDX_OPERAND_BUSY, SEPT) },
		{ "DEMOTE, entry", SIM_TDH_MEM_PAGE_DEMOTE, ENTRY, SIM_EXCL,
		  ID(TDX_OPERAND_BUSY, RCX) },
		{ "DEMOTE, table", SIM_TDH_MEM_PAGE_DEMOTE, TABLE, SIM_SHARED,
		  ID(TDX_OPERAND_BUSY, R8) },
		{ "DEMOTE, page", SIM_TDH_MEM_PAGE_DEMOTE, PAGE, SIM_SHARED,
		  ID(TDX_OPERAND_BUSY, RCX), true },
		{ "PROMOTE, TD", PROMOTE, TDR, SIM_EXCL, ID(TDX_OPERAND_BUSY, RDX) },
		{ "PROMOTE, tree", PROMOTE, TREE, SIM_EXCL, ID(TDX_OPERAND_BUSY, SEPT) },
		{ "PROMOTE, entry", PROMOTE, ENTRY, SIM_EXCL, ID(TDX_OPERAND_BUSY, RCX) },
		{ "PROMOTE, table", PROMOTE, TABLE, SIM_SHARED, ID(TDX_OPERAND_BUSY, RCX) },
		{ "PROMOTE, page", PROMOTE, PAGE, SIM_SHARED, ID(TDX_OPERAND_BUSY, RCX), true },
	};
	struct split_fixture *f = split_fixture(test, STAGE_INIT);
	u64 *entry = entry_of(f, SIM_TEST_HUGE_GPA, TDX_PS_2M);
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sim_lock *lock = lock_of(f, cases[i].held);
		u64 got, r8 = f->table;

		if (cases[i].leaf == TDH_MEM_PAGE_AUG)
			r8 = f->hpa;
		if (lock)
			KUNIT_ASSERT_TRUE(test, sim_trylock(lock, cases[i].mode));
		else
			KUNIT_ASSERT_TRUE(test, sim_sept_trylock_entry(entry));
		got = call(f, cases[i].leaf, r8);
		if (lock)
			sim_unlock(lock, cases[i].mode);
		else
			sim_sept_unlock_entry(entry);
		sim_test_expect(test, cases[i].name, cases[i].want, got);
		if (cases[i].last)
			sim_test_assert(test, "without", 0, call(f, cases[i].leaf, r8));
	}
	for (i = TDR; i <= PAGE; i++) {
		struct sim_lock *lock = lock_of(f, i);

		if (lock)
			KUNIT_EXPECT_EQ_MSG(test, lock->state, 0, "lock %d was kept", i);
	}
}

/* RDX: bit 0 of DEMOTE is about nested VMs, which there are not. */
static void split_tdr(struct kunit *test)
{
	static const u64 leafs[] = { SIM_TDH_MEM_PAGE_DEMOTE, SIM_TDH_MEM_PAGE_PROMOTE, PROMOTE };
	const struct sim_tdmr *last = &sim_sys.tdmr[sim_sys.nr_tdmrs - 1];
	struct split_fixture *f = split_fixture(test, STAGE_INIT);
	u64 tdr = f->td->tdr, bit;
	int i;

	sim_test_assert(test, "AUG", 0, call(f, TDH_MEM_PAGE_AUG, f->hpa));
	for (i = 0; i < ARRAY_SIZE(leafs); i++) {
		for (bit = BIT_ULL(1); bit; bit <<= 1) {
			if (!(bit & GENMASK_ULL(51, 12)))
				sim_test_expect(test, "reserved", ID(TDX_OPERAND_INVALID, RDX),
						sim_test_call(leafs[i], AT_2M, tdr | bit, f->table,
							      0));
		}
		sim_test_expect(test, "outside", ID(TDX_OPERAND_ADDR_RANGE_ERROR, RDX),
				sim_test_call(leafs[i], AT_2M, last->base + last->size, f->table,
					      0));
		sim_test_expect(test, "no TDR", ID(TDX_PAGE_METADATA_INCORRECT, RDX),
				sim_test_call(leafs[i], AT_2M, f->table, f->table, 0));
	}
	sim_test_expect(test, "bit 0 of PROMOTE", ID(TDX_OPERAND_INVALID, RDX),
			sim_test_call(PROMOTE, AT_2M, tdr | 1, f->table, 0));
	sim_test_expect(test, "bit 0 of DEMOTE", 0,
			sim_test_call(SIM_TDH_MEM_PAGE_DEMOTE, AT_2M, tdr | 1, f->table, 0));
}

static struct kunit_case sim_split_cases[] = {
	KUNIT_CASE(split_and_merge),
	KUNIT_CASE(promote_conditions),
	KUNIT_CASE(split_locks),
	KUNIT_CASE(split_tdr),
	{}
};

static struct kunit_suite sim_split_suite = {
	.name = "tdx_sim_split",
	.init = sim_test_init,
	.test_cases = sim_split_cases,
};

kunit_test_suite(sim_split_suite);
