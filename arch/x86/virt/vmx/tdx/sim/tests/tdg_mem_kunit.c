// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: TDG.MEM leafs.
 */
#include <linux/array_size.h>
#include <linux/string.h>

#include "state/sept.h"
#include "tests/tdg_fixture.h"
#include "tests/tdg_mem_kunit.h"

void tdcall_accept(struct kunit *test)
{
	struct guest_fixture *f = guest_fixture(test);
	static const struct {
		const char *name;
		u64 rcx, want;
	} refusals[] = {
		{ "1G", 0x40000000 | 2, ID(TDX_OPERAND_INVALID, RCX) },
		{ "not aligned", GPA_PAGE | 1, ID(TDX_OPERAND_INVALID, RCX) },
		{ "reserved bits", GPA_PAGE | BIT(3), ID(TDX_OPERAND_INVALID, RCX) },
		{ "shared", GPA_PAGE | TDX_SHARED_GPA, ID(TDX_OPERAND_INVALID, RCX) },
		{ "above the GPA width", GPA_PAGE | BIT_ULL(48), ID(TDX_OPERAND_INVALID, RCX) },
		{ "MAPPED", GPA_PAGE, TDX_PAGE_ALREADY_ACCEPTED },
		{ "a table", 0x7fe00000 | 1, TDX_PAGE_SIZE_MISMATCH | 1 },
	};
	static const struct {
		const char *name;
		u64 gpa;
		u64 bits_63_to_32;	/* wanted level, level and state of the entry, "leaf" */
	} exits[] = {
		{ "FREE", GPA_HOLE, 0 },
		{ "BLOCKED", GPA_BLOCKED, BIT(14) | TDX_SEPT_BLOCKED << 6 },
		{ "no table", 1ULL << 40, 3 << 3 },
	};
	u64 *entry;
	int i, level;

	for (i = 0; i < ARRAY_SIZE(refusals); i++)
		sim_test_expect(test, refusals[i].name, refusals[i].want,
				tdcall3(test, f, TDG_MEM_PAGE_ACCEPT, refusals[i].rcx, 0, 0));

	for (i = 0; i < ARRAY_SIZE(exits); i++)
		expect_exit(test, exits[i].name, f, TDG_MEM_PAGE_ACCEPT,
			    (struct sim_test_guest) { .gpr = { [SIM_RCX] = exits[i].gpa } },
			    EPT_VIOLATION_ACC_WRITE,
			    exits[i].bits_63_to_32 << 32 | TDX_EXT_EXIT_QUAL_ACCEPT, exits[i].gpa);

	entry = sim_sept_walk(f->tdcs, GPA_PENDING, 0, &level);
	KUNIT_ASSERT_TRUE(test, sim_sept_trylock_entry(entry));
	sim_test_expect(test, "entry locked", ID(TDX_OPERAND_BUSY, RCX),
			tdcall3(test, f, TDG_MEM_PAGE_ACCEPT, GPA_PENDING, 0, 0));
	sim_sept_unlock_entry(entry);

	/* What the host does to other entries does not concern the TD. */
	memset(__va(f->pending), 0xff, PAGE_SIZE);
	KUNIT_ASSERT_TRUE(test, sim_trylock(&f->tdcs->sept_lock, SIM_EXCL));
	sim_test_expect(test, "PENDING, tree locked", 0,
			tdcall3(test, f, TDG_MEM_PAGE_ACCEPT, GPA_PENDING, 0, 0));
	sim_unlock(&f->tdcs->sept_lock, SIM_EXCL);
	KUNIT_EXPECT_TRUE_MSG(test, !memchr_inv(__va(f->pending), 0, PAGE_SIZE),
			      "the page was not cleared");
	sim_test_expect(test, "again", TDX_PAGE_ALREADY_ACCEPTED,
			tdcall3(test, f, TDG_MEM_PAGE_ACCEPT, GPA_PENDING, 0, 0));
}
