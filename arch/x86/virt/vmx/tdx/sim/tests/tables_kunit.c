// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: locks, and the tables of leafs, CPUID
 * and MSRs.
 */
#include <linux/array_size.h>
#include <linux/string.h>

#include <asm/cpuid/api.h>
#include <asm/msr-index.h>

#include "state/cpuid.h"
#include "tests/sim_test.h"
#include "vcpu/td_msr.h"

/* Rows that TD_PARAMS has room for.  Linux has room for more. */
/* An entry of CPUID_CONFIG_LEAVES for a leaf without subleafs. */
#define NO_SUBLEAF(leaf)	(BIT_ULL(32) * SIM_CPUID_NO_SUBLEAF + (leaf))

#define MAX_CPUID_CONFIG	(sizeof_field(struct td_params, reserved3) / \
				 sizeof(struct tdx_cpuid_value))

static void lock_modes(struct kunit *test)
{
	struct sim_lock lock = {};

	KUNIT_EXPECT_TRUE(test, sim_trylock(&lock, SIM_SHARED));
	KUNIT_EXPECT_TRUE(test, sim_trylock(&lock, SIM_SHARED));
	KUNIT_EXPECT_FALSE(test, sim_trylock(&lock, SIM_EXCL));
	sim_unlock(&lock, SIM_SHARED);
	KUNIT_EXPECT_FALSE(test, sim_trylock(&lock, SIM_EXCL));
	sim_unlock(&lock, SIM_SHARED);

	KUNIT_EXPECT_TRUE(test, sim_trylock(&lock, SIM_EXCL));
	KUNIT_EXPECT_FALSE(test, sim_trylock(&lock, SIM_EXCL));
	KUNIT_EXPECT_FALSE(test, sim_trylock(&lock, SIM_SHARED));
	sim_unlock(&lock, SIM_EXCL);
	KUNIT_EXPECT_EQ(test, lock.state, 0);

	/* One more sharer would look like an exclusive owner. */
	lock.state = SIM_LOCK_EXCL - 1;
	KUNIT_EXPECT_FALSE(test, sim_trylock(&lock, SIM_SHARED));
}

struct leaf_row {
	const char *name;
	u64 number;
	bool absent;
	u8 version;
};

#define SEAMCALL(_name, _leaf, _number, _version, ...) \
	{ .name = #_name, .number = _number, .version = _version },
#define SEAMCALL_ABSENT(_leaf, _number, ...) \
	{ .name = #_leaf, .number = _number, .absent = true },

static const struct leaf_row leaf_rows[] = {
#include "tdh/seamcalls.def"
};

static void leaf_table_order(struct kunit *test)
{
	int i;

	for (i = 1; i < ARRAY_SIZE(leaf_rows); i++)
		KUNIT_EXPECT_LT_MSG(test, leaf_rows[i - 1].number, leaf_rows[i].number,
				    "%s is not in the order of the numbers", leaf_rows[i].name);
}

/* Leafs that do not exist, and versions and flags of those that do. */
static void leaf_dispatch(struct kunit *test)
{
	const u64 refused = TDX_OPERAND_INVALID | TDX_OPERAND_ID_RAX;
	const struct leaf_row *row = leaf_rows;
	u64 number;

	for (number = 0; number < 256; number++) {
		if (row == leaf_rows + ARRAY_SIZE(leaf_rows) || row->number != number) {
			sim_test_expect(test, "a leaf without a row", refused,
					sim_test_call(number, 0, 0, 0, 0));
			continue;
		}

		if (row->absent)
			sim_test_expect(test, row->name, refused,
					sim_test_call(number, 0, 0, 0, 0));
		sim_test_expect(test, row->name, refused,
				sim_test_call(number | (u64)(row->version + 1) << TDX_VERSION_SHIFT,
					      0, 0, 0, 0));
		sim_test_expect(test, row->name, refused,
				sim_test_call(number | BIT_ULL(24), 0, 0, 0, 0));
		row++;
	}
}

/* No P-SEAMLDR: VMfailInvalid, as on a CPU on which none is loaded. */
static void leaf_seamldr(struct kunit *test)
{
	struct pt_regs regs = {};

	sim_test_seamcall(TDX_LEAF_SEAMLDR, &regs);
	KUNIT_EXPECT_TRUE(test, regs.flags & X86_EFLAGS_CF);

	/* A leaf of the module clears CF. */
	sim_test_seamcall(TDH_PHYMEM_PAGE_RDMD, &regs);
	KUNIT_EXPECT_FALSE(test, regs.flags & X86_EFLAGS_CF);
}

/* A CPUID table as TDH.MNG.INIT makes it. */
struct cpuid_fixture {
	struct sim_tdcs *tdcs;
	struct td_params *params;
};

static void cpuid_fixture_init(struct kunit *test, struct cpuid_fixture *f)
{
	f->tdcs = kunit_kzalloc(test, sizeof(*f->tdcs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->tdcs);
	f->tdcs->cpuid = __va(sim_test_page(test));
	f->params = __va(sim_test_page(test));
	sim_test_params(f->params);
}

static void cpuid_values(struct kunit *test)
{
	const struct {
		const char *name;
		u32 leaf;
		u32 subleaf;
		enum sim_cpuid_reg reg;
		u32 mask;
		u32 want;
	} cases[] = {
		{ "last basic leaf", 0, 0, SIM_EAX, U32_MAX, 0x23 },
		{ "the CPU's family, model, stepping", 1, 0, SIM_EAX, U32_MAX, cpuid_eax(1) },
		{ "hypervisor", 1, 0, SIM_ECX, BIT(31), BIT(31) },
		{ "x2APIC", 1, 0, SIM_ECX, BIT(21), BIT(21) },
		{ "VMX and SMX", 1, 0, SIM_ECX, BIT(5) | BIT(6), 0 },
		{ "AVX without XFAM", 1, 0, SIM_ECX, BIT(12) | BIT(28) | BIT(29), 0 },
		{ "AVX2 without XFAM", 7, 0, SIM_EBX, BIT(5), 0 },
		{ "AVX-512 without XFAM", 7, 0, SIM_EBX, 0xdc230000, 0 },
		{ "PKU without XFAM", 7, 0, SIM_ECX, BIT(3), 0 },
		{ "SGX", 7, 0, SIM_EBX, BIT(2), 0 },
		{ "TSX", 7, 0, SIM_EBX, BIT(4) | BIT(11), 0 },
		{ "XFAM", 0xd, 0, SIM_EAX, U32_MAX, 3 },
		{ "size of XFAM", 0xd, 0, SIM_ECX, U32_MAX, 576 },
		{ "XFD", 0xd, 1, SIM_EAX, BIT(4), 0 },
		{ "AVX state without XFAM", 0xd, 2, SIM_EAX, U32_MAX, 0 },
		{ "crystal clock", 0x15, 0, SIM_ECX, U32_MAX, 25000000 },
		{ "\"Inte\"", 0x21, 0, SIM_EBX, U32_MAX, 0x65746e49 },
		{ "\"lTDX\"", 0x21, 0, SIM_EDX, U32_MAX, 0x5844546c },
		{ "\"    \"", 0x21, 0, SIM_ECX, U32_MAX, 0x20202020 },
		{ "above the last basic leaf", 0x24, 0, SIM_EAX, U32_MAX, 0 },
		{ "last extended leaf", 0x80000000, 0, SIM_EAX, U32_MAX, 0x80000008 },
		{ "invariant TSC", 0x80000007, 0, SIM_EDX, BIT(8), BIT(8) },
		{ "physical width", 0x80000008, 0, SIM_EAX, 0xff, 52 },
		{ "linear width", 0x80000008, 0, SIM_EAX, 0xff00, 48 << 8 },
	};
	struct cpuid_fixture f;
	u64 bad;
	int i;

	cpuid_fixture_init(test, &f);
	sim_test_assert(test, "sim_cpuid_init", 0, sim_cpuid_init(f.tdcs, f.params, &bad));

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct sim_cpuid_entry *entry;
		u32 got;

		entry = sim_cpuid_find(f.tdcs, cases[i].leaf, cases[i].subleaf);
		KUNIT_ASSERT_NOT_NULL_MSG(test, entry, "%s: no row", cases[i].name);
		got = entry->regs[cases[i].reg] & cases[i].mask;
		KUNIT_EXPECT_EQ_MSG(test, got, cases[i].want, "%s: wanted 0x%x, got 0x%x",
				    cases[i].name, cases[i].want, got);
	}

	/* Left to the host, by #VE. */
	KUNIT_EXPECT_NULL(test, sim_cpuid_find(f.tdcs, 2, 0));
	KUNIT_EXPECT_NULL(test, sim_cpuid_find(f.tdcs, 0x16, 0));
	KUNIT_EXPECT_NULL(test, sim_cpuid_find(f.tdcs, 0x40000000, 0));
	KUNIT_EXPECT_NULL(test, sim_cpuid_find(f.tdcs, 0x80000002, 0));
}

/* KVM reads the subleafs of a leaf up to the first one that is missing. */
static void cpuid_subleafs(struct kunit *test)
{
	struct cpuid_fixture f;
	u64 bad;
	u32 i;

	cpuid_fixture_init(test, &f);
	sim_test_assert(test, "sim_cpuid_init", 0, sim_cpuid_init(f.tdcs, f.params, &bad));

	for (i = 0; i < f.tdcs->nr_cpuid; i++) {
		u32 leaf = f.tdcs->cpuid[i].leaf, subleaf = f.tdcs->cpuid[i].subleaf;

		if (f.tdcs->cpuid[i].faulting)
			continue;
		KUNIT_EXPECT_PTR_EQ_MSG(test, sim_cpuid_get(f.tdcs, leaf, subleaf),
					&f.tdcs->cpuid[i], "0x%x.0x%x has two rows", leaf, subleaf);
		if (subleaf == SIM_CPUID_NO_SUBLEAF)
			continue;
		KUNIT_EXPECT_NULL_MSG(test, sim_cpuid_get(f.tdcs, leaf, SIM_CPUID_NO_SUBLEAF),
				      "0x%x has rows with and without subleaf", leaf);
		if (subleaf)
			KUNIT_EXPECT_NOT_NULL_MSG(test, sim_cpuid_get(f.tdcs, leaf, subleaf - 1),
						  "0x%x.%u comes after a gap", leaf, subleaf);
	}
}

/*
 * What TD_PARAMS may have, EBX:EAX and EDX:ECX, in the order of the list that
 * TDH.SYS.RD reports.  Without MONITOR, TSX, WAITPKG, TSXLDTRK and DDPD_U, which no
 * TD has here.  The module takes a bit that the CPU lacks, without effect.
 */
static const struct {
	u64 leaf;
	u64 taken[2];
} cpuid_configs[] = {
	{ NO_SUBLEAF(0x1), { 0x00ff00000fff3fff, 0xb844000031044d80 } },
	{ 0x4, { 0xfffff000ffffc3ff, 0xfffffffbffffffff } },
	{ 1ULL << 32 | 0x4, { 0xfffff000ffffc3ff, 0xfffffffbffffffff } },
	{ 2ULL << 32 | 0x4, { 0xfffff000ffffc3ff, 0xfffffffbffffffff } },
	{ 3ULL << 32 | 0x4, { 0xfffff000ffffc3ff, 0x00000007ffffffff } },
	{ 0x7, { 0xdc2b930800000000, 0x0004411c02417f45 } },
	{ 1ULL << 32 | 0x7, { 0x0000000000001d30, 0 } },
	{ NO_SUBLEAF(0xa) },
	{ NO_SUBLEAF(0x1c), { 0x00000000000000ff, 0 } },
	{ NO_SUBLEAF(0x80000008), { 0x0000020000000000, 0 } },
	{ 2ULL << 32 | 0x7, { 0, 0x0000002000000000 } },
	{ 0x23, { 0x000000000000000f, 0 } },
};

/* Each bit of each configurable leaf: taken, or refused. */
static void cpuid_config(struct kunit *test)
{
	unsigned int nr = sim_cpuid_nr_config();
	struct cpuid_fixture f;
	unsigned int i, bit;
	u64 bad = 0;

	KUNIT_ASSERT_LE(test, nr, MAX_CPUID_CONFIG);
	KUNIT_ASSERT_EQ(test, nr, ARRAY_SIZE(cpuid_configs));
	cpuid_fixture_init(test, &f);

	for (i = 0; i < nr; i++) {
		u64 leaf, masks[2];
		u32 *values = &f.params->cpuid_values[i].eax;
		const u64 *taken = cpuid_configs[i].taken;

		sim_cpuid_config(i, &leaf, masks);
		KUNIT_EXPECT_EQ(test, leaf, cpuid_configs[i].leaf);
		KUNIT_EXPECT_EQ_MSG(test, masks[0] & ~taken[0], 0, "row %u", i);
		KUNIT_EXPECT_EQ_MSG(test, masks[1] & ~taken[1], 0, "row %u", i);

		for (bit = 0; bit < 128; bit++) {
			bool listed = taken[bit / 64] & BIT_ULL(bit % 64) &&
				      (leaf != NO_SUBLEAF(0x1) || bit >= 32);
			u64 want = listed ? 0 : TDX_OPERAND_INVALID | TDX_OPERAND_ID_CPUID_CONFIG;
			u64 got;

			values[bit / 32] = BIT(bit % 32);
			got = sim_cpuid_init(f.tdcs, f.params, &bad);
			values[bit / 32] = 0;
			KUNIT_EXPECT_EQ_MSG(test, want, got,
					    "leaf 0x%x bit %u: wanted 0x%llx, got 0x%llx",
					    (u32)leaf, bit, want, got);
			if (!listed)
				KUNIT_EXPECT_EQ_MSG(test, bad, leaf, "leaf 0x%x bit %u", (u32)leaf,
						    bit);
		}
	}

	/* Of family, model and stepping only the CPU's are taken, as a whole. */
	f.params->cpuid_values[0].eax = cpuid_eax(1);
	sim_test_expect(test, "the CPU's family", 0, sim_cpuid_init(f.tdcs, f.params, &bad));
	f.params->cpuid_values[0].eax ^= 1;
	sim_test_expect(test, "another stepping", TDX_OPERAND_INVALID | TDX_OPERAND_ID_CPUID_CONFIG,
			sim_cpuid_init(f.tdcs, f.params, &bad));
}

static void msr_bitmap(struct kunit *test)
{
	/* 1 KiB of bits each: reads of low and high MSRs, writes of both. */
	static const struct {
		u32 msr;
		bool read_exits;
		bool write_exits;
	} cases[] = {
		{ MSR_IA32_TSC,			false,	true },
		{ MSR_IA32_APICBASE,		true,	true },
		{ MSR_IA32_SYSENTER_ESP,	false,	false },
		{ MSR_IA32_CR_PAT,		false,	false },
		{ MSR_IA32_TSC_DEADLINE,	true,	true },
		{ 0x802,			true,	true },		/* APIC ID */
		{ 0x808,			false,	false },	/* TPR */
		{ 0x80b,			false,	false },	/* EOI */
		{ 0x827,			false,	false },	/* last of IRR */
		{ 0x830,			true,	true },		/* ICR */
		{ 0x83f,			false,	false },	/* SELF_IPI */
		{ MSR_EFER,			false,	true },
		{ MSR_LSTAR,			false,	false },
		{ MSR_CSTAR,			true,	true },
		{ MSR_TSC_AUX,			false,	false },
		{ 0x1fff,			true,	true },
		{ 0xc0001fff,			true,	true },
	};
	u8 *bitmap = __va(sim_test_page(test));
	int i;

	sim_msr_bitmap_init((unsigned long *)bitmap);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 high = cases[i].msr >> 31;
		u32 byte = (cases[i].msr & 0x1fff) / 8 + high * 1024;
		u8 bit = BIT(cases[i].msr & 7);

		KUNIT_EXPECT_EQ_MSG(test, !!(bitmap[byte] & bit), cases[i].read_exits,
				    "read of MSR 0x%x", cases[i].msr);
		KUNIT_EXPECT_EQ_MSG(test, !!(bitmap[byte + 2048] & bit), cases[i].write_exits,
				    "write of MSR 0x%x", cases[i].msr);
	}
}

static struct kunit_case sim_cases[] = {
	KUNIT_CASE(lock_modes),
	KUNIT_CASE(leaf_table_order),
	KUNIT_CASE(leaf_dispatch),
	KUNIT_CASE(leaf_seamldr),
	KUNIT_CASE(cpuid_values),
	KUNIT_CASE(cpuid_subleafs),
	KUNIT_CASE(cpuid_config),
	KUNIT_CASE(msr_bitmap),
	{}
};

static struct kunit_suite sim_suite = {
	.name = "tdx_sim",
	.init = sim_test_init,
	.test_cases = sim_cases,
};

kunit_test_suite(sim_suite);
