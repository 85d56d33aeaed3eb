// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: CPUID of a TD, each bit of each leaf.
 *
 * The tests compare it with the CPU that they run on, so they hold for each model of an
 * emulator.
 */
#include <linux/array_size.h>
#include <linux/string.h>

#include <asm/cpuid/api.h>
#include <asm/fpu/types.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "state/cpuid.h"
#include "tests/sim_test.h"
#include "tests/sim_test_vcpu.h"
#include "vcpu/td_cr.h"

#define ANY			SIM_CPUID_NO_SUBLEAF

#define XFAM_SSE		SIM_XFAM_FIXED1
#define XFAM_AVX		(XFAM_SSE | XFEATURE_MASK_YMM)
#define XFAM_ALL		(XFAM_AVX | XFEATURE_MASK_AVX512 | XFEATURE_MASK_PKRU)

/* A component that no TD has here. */
#define NOT_IN_XFAM		BIT_ULL(63)

enum feature_kind {
	NATIVE, ALLOW, ONE, ABSENT,
};

#define FEATURE(_leaf, _subleaf, _reg, _bit, _kind, _xfam, _name)	\
	{ .leaf = _leaf, .subleaf = _subleaf, .reg = _reg, .bit = _bit,	\
	  .kind = _kind, .xfam = _xfam, .name = _name },

static const struct feature {
	u32 leaf;
	u32 subleaf;
	enum sim_cpuid_reg reg;
	unsigned int bit;
	enum feature_kind kind;
	u64 xfam;
	const char *name;
} features[] = {
#include "tests/cpuid_features.def"
};

#define R(reg)			BIT(SIM_##reg)
#define ALL_REGS		(R(EAX) | R(EBX) | R(ECX) | R(EDX))

/*
 * Registers that hold numbers in place of features.  @native: they are the CPU's; the
 * others are checked by td_numbers().
 */
static const struct numbers {
	u32 leaf;
	u32 subleaf;
	u32 regs;
	u32 native;
} numbers[] = {
	{ 0x0, ANY, ALL_REGS, R(EBX) | R(ECX) | R(EDX) },
	{ 0x1, ANY, R(EAX) | R(EBX) },
	{ 0x4, 0, ALL_REGS },
	{ 0x4, 1, ALL_REGS },
	{ 0x4, 2, ALL_REGS },
	{ 0x4, 3, ALL_REGS },
	{ 0x7, 0, R(EAX), R(EAX) },
	{ 0xd, 0, ALL_REGS },
	{ 0x15, ANY, ALL_REGS },
	{ 0x1e, ANY, ALL_REGS, ALL_REGS },
	{ 0x21, 0, ALL_REGS },
	{ 0x23, 0, R(EBX), R(EBX) },
	{ 0x23, 1, R(EAX) | R(EBX), R(EAX) | R(EBX) },
	{ 0x23, 3, R(EAX), R(EAX) },
	{ 0x80000000, ANY, R(EAX) },
	{ 0x80000008, ANY, R(EAX) },
};

/* A TD's CPUID by the host's choices: XFAM, and all or none of what is configurable. */
static const struct td_case {
	const char *name;
	u64 xfam;
	bool configured;
} td_cases[] = {
	{ "SSE_nothing", XFAM_SSE, false },
	{ "SSE_everything", XFAM_SSE, true },
	{ "AVX_nothing", XFAM_AVX, false },
	{ "AVX_everything", XFAM_AVX, true },
	{ "all_nothing", XFAM_ALL, false },
	{ "all_everything", XFAM_ALL, true },
};

KUNIT_ARRAY_PARAM_DESC(td, td_cases, name);

/* What the CPU has, 0 for a leaf above the last of its range. */
static u32 native(u32 leaf, u32 subleaf, enum sim_cpuid_reg reg)
{
	u32 regs[SIM_CPUID_NR_REGS];

	if (leaf > cpuid_eax(leaf & BIT(31)))
		return 0;
	cpuid_count(leaf, subleaf == ANY ? 0 : subleaf, &regs[SIM_EAX], &regs[SIM_EBX],
		    &regs[SIM_ECX], &regs[SIM_EDX]);
	return regs[reg];
}

/* The CPUID of a TD with @xfam, as far as the CPU has it. */
static struct sim_tdcs *td_cpuid(struct kunit *test, u64 xfam, bool configured)
{
	struct sim_tdcs *tdcs = kunit_kzalloc(test, sizeof(*tdcs), GFP_KERNEL);
	struct td_params *params = __va(sim_test_page(test));
	u64 leaf, bad, mask[2];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, tdcs);
	tdcs->cpuid = __va(sim_test_page(test));
	sim_test_params(params);
	params->xfam = xfam & sim_sys.xfam_fixed0;
	for (i = 0; configured && i < sim_cpuid_nr_config(); i++) {
		sim_cpuid_config(i, &leaf, mask);
		memcpy(&params->cpuid_values[i], mask, sizeof(mask));
		if (leaf == ((u64)ANY << 32 | 1))
			params->cpuid_values[i].eax = cpuid_eax(1);
	}
	sim_test_assert(test, "sim_cpuid_init", 0, sim_cpuid_init(tdcs, params, &bad));
	return tdcs;
}

static const struct feature *find_feature(u32 leaf, u32 subleaf, enum sim_cpuid_reg reg,
					  unsigned int bit)
{
	const struct feature *f;

	for (f = features; f < features + ARRAY_SIZE(features); f++) {
		if (f->leaf == leaf && f->subleaf == subleaf && f->reg == reg && f->bit == bit)
			return f;
	}
	return NULL;
}

static const struct numbers *find_numbers(u32 leaf, u32 subleaf)
{
	const struct numbers *n;

	for (n = numbers; n < numbers + ARRAY_SIZE(numbers); n++) {
		if (n->leaf == leaf && n->subleaf == subleaf)
			return n;
	}
	return NULL;
}

/* Whether a TD has the feature @f; @value is the register of the CPU. */
static bool wanted(const struct feature *f, u32 value, u64 xfam, bool configured)
{
	if (f->xfam & ~xfam)
		return false;

	switch (f->kind) {
	case NATIVE:
		return value & BIT(f->bit);
	case ALLOW:
		return configured && value & BIT(f->bit);
	case ONE:
		return true;
	default:
		return false;
	}
}

static void check_bits(struct kunit *test, const struct sim_cpuid_entry *entry,
		       enum sim_cpuid_reg reg, u64 xfam, bool configured)
{
	u32 value = native(entry->leaf, entry->subleaf, reg);
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		const struct feature *f = find_feature(entry->leaf, entry->subleaf, reg, bit);
		bool want = f && wanted(f, value, xfam, configured);

		KUNIT_EXPECT_EQ_MSG(test, !!(entry->regs[reg] & BIT(bit)), want,
				    "(0x%x, 0x%x), register %d, bit %u (%s): wanted %d; the CPU has %d",
				    entry->leaf, entry->subleaf, reg, bit,
				    f ? f->name : "no feature", want, !!(value & BIT(bit)));
	}
}

/* Leaf 0xd, subleafs of components: the CPU's for those in XFAM. */
static void check_component(struct kunit *test, const struct sim_cpuid_entry *entry,
			    enum sim_cpuid_reg reg, u64 xfam)
{
	u32 want = xfam & BIT_ULL(entry->subleaf) && reg != SIM_EDX ?
		   native(0xd, entry->subleaf, reg) : 0;

	KUNIT_EXPECT_EQ_MSG(test, entry->regs[reg], want,
			    "(0xd, %u), register %d: wanted 0x%x, got 0x%x", entry->subleaf, reg,
			    want, entry->regs[reg]);
}

static void every_bit(struct kunit *test)
{
	const struct td_case *c = test->param_value;
	struct sim_tdcs *tdcs = td_cpuid(test, c->xfam, c->configured);
	u64 xfam = c->xfam & sim_sys.xfam_fixed0;
	u32 i, reg;

	for (i = 0; i < tdcs->nr_cpuid; i++) {
		const struct sim_cpuid_entry *entry = &tdcs->cpuid[i];
		const struct numbers *n = find_numbers(entry->leaf, entry->subleaf);

		for (reg = 0; !entry->faulting && reg < SIM_CPUID_NR_REGS; reg++) {
			if (entry->leaf == 0xd && entry->subleaf > 1)
				check_component(test, entry, reg, xfam);
			else if (!n || !(n->regs & BIT(reg)))
				check_bits(test, entry, reg, xfam, c->configured);
			else if (n->native & BIT(reg))
				KUNIT_EXPECT_EQ_MSG(test, entry->regs[reg],
						    native(entry->leaf, entry->subleaf, reg),
						    "(0x%x, 0x%x), register %u", entry->leaf,
						    entry->subleaf, reg);
		}
	}
}

/* Rows of the table of features for bits that the module does not have are mistakes. */
static void every_feature_has_a_row(struct kunit *test)
{
	struct sim_tdcs *tdcs = td_cpuid(test, XFAM_SSE, false);
	const struct feature *f;

	for (f = features; f < features + ARRAY_SIZE(features); f++) {
		KUNIT_EXPECT_NOT_NULL_MSG(test, sim_cpuid_get(tdcs, f->leaf, f->subleaf),
					  "%s: (0x%x, 0x%x)", f->name, f->leaf, f->subleaf);
		KUNIT_EXPECT_PTR_EQ_MSG(test, find_feature(f->leaf, f->subleaf, f->reg, f->bit), f,
					"%s has two rows", f->name);
	}
}

/*
 * Each feature that a TD with everything does not see is hidden, or the CPU lacks it, or
 * it has no component in XFAM.  The report has registers of the table of features only.
 */
static void features_report(struct kunit *test)
{
	struct sim_tdcs *tdcs = td_cpuid(test, XFAM_ALL, true);
	u64 xfam = XFAM_ALL & sim_sys.xfam_fixed0;
	struct sim_cpuid_features report;
	unsigned int i, bit;

	for (i = 0; sim_cpuid_features(i, &report); i++) {
		const struct sim_cpuid_entry *entry = sim_cpuid_get(tdcs, report.leaf,
								    report.subleaf);
		u32 has = entry->regs[report.reg];

		KUNIT_EXPECT_EQ(test, report.cpu, native(report.leaf, report.subleaf, report.reg));
		KUNIT_EXPECT_EQ_MSG(test, report.lacking & report.cpu, 0, "0x%x", report.leaf);
		for (bit = 0; bit < 32; bit++) {
			const struct feature *f = find_feature(report.leaf, report.subleaf,
							       report.reg, bit);
			bool in_xfam = !f || !(f->xfam & ~xfam);
			bool want = report.cpu & ~report.hidden & BIT(bit) && in_xfam;

			if (f && f->kind != ONE)
				KUNIT_EXPECT_EQ_MSG(test, !!(has & BIT(bit)), want, "0x%x: %s",
						    report.leaf, f->name);
		}
	}
	KUNIT_EXPECT_GE(test, i, 12);
}

/* Registers with numbers, of a TD with all components and everything configured. */
static void td_numbers(struct kunit *test)
{
	struct sim_tdcs *tdcs = td_cpuid(test, XFAM_ALL, true);
	u64 xfam = XFAM_ALL & sim_sys.xfam_fixed0;
	const struct {
		u32 leaf;
		u32 subleaf;
		u32 regs[SIM_CPUID_NR_REGS];
		u32 ignored[SIM_CPUID_NR_REGS];
	} cases[] = {
		{ 0x0, ANY, { 0x23 }, { 0, U32_MAX, U32_MAX, U32_MAX } },
		/* CLFLUSH size in 15:8; logical processors are configured. */
		{ 0x1, ANY, { cpuid_eax(1), native(1, 0, SIM_EBX) & 0xff00 },
		  { 0, 0x00ff0000, U32_MAX, U32_MAX } },
		{ 0x4, 0, { 0xffffc3ff, 0xfffff000 | (native(4, 0, SIM_EBX) & 0xfff), U32_MAX,
			    0xfffffffb } },
		{ 0x4, 3, { 0xffffc3ff, 0xfffff000 | (native(4, 3, SIM_EBX) & 0xfff), U32_MAX,
			    0x7 } },
		{ 0xd, 0, { xfam, 0, xfam == XFAM_ALL ? 2696 : 0 },
		  { 0, 0, xfam == XFAM_ALL ? 0 : U32_MAX } },
		{ 0x15, ANY, { 1, 0, 25000000 }, { 0, U32_MAX } },
		{ 0x21, 0, { 0, 0x65746e49, 0x20202020, 0x5844546c } },
		{ 0x80000000, ANY, { 0x80000008 } },
		{ 0x80000008, ANY, { 57 << 8 | 52 }, { 0, U32_MAX } },
	};
	bool la57 = native(7, 0, SIM_ECX) & BIT(16);
	int i, reg;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct sim_cpuid_entry *entry = sim_cpuid_get(tdcs, cases[i].leaf,
								    cases[i].subleaf);

		KUNIT_ASSERT_NOT_NULL_MSG(test, entry, "0x%x: no row", cases[i].leaf);
		for (reg = 0; reg < SIM_CPUID_NR_REGS; reg++) {
			u32 got = entry->regs[reg] & ~cases[i].ignored[reg];
			u32 want = cases[i].regs[reg];

			if (cases[i].leaf == 0x80000008 && reg == SIM_EAX && !la57)
				want = 48 << 8 | 52;
			KUNIT_EXPECT_EQ_MSG(test, got, want,
					    "(0x%x, 0x%x), register %d: wanted 0x%x, got 0x%x",
					    entry->leaf, entry->subleaf, reg, want, got);
		}
	}
}

/* What the module leaves to the host, and what it answers with the last basic leaf. */
static void other_leafs(struct kunit *test)
{
	static const struct {
		u32 leaf;
		u32 subleaf;
		u32 same_as;	/* 0: #VE */
	} cases[] = {
		{ 0x2, 0 }, { 0x4, 5 }, { 0x6, 0 }, { 0x7, 3 }, { 0x9, 0 }, { 0xb, 0 },
		{ 0xb, 1 }, { 0xc, 0 }, { 0xd, 19 }, { 0xf, 0 }, { 0x10, 0 }, { 0x14, 2 },
		{ 0x16, 0 }, { 0x17, 0 }, { 0x18, 0 }, { 0x1a, 0 }, { 0x1b, 0 }, { 0x1d, 2 },
		{ 0x1f, 0 }, { 0x1f, 5 }, { 0x1f, 6 }, { 0x21, 1 }, { 0x23, 4 },
		{ 0x40000000, 0 }, { 0x40000001, 1 }, { 0x4fffffff, 0 },
		{ 0x80000002, 0 }, { 0x80000003, 0 }, { 0x80000004, 0 }, { 0x80000005, 0 },
		{ 0x80000006, 0 },
		{ 0x24, 0, 0x23 }, { 0x24, 1, 0x23 }, { 0x24, 4 }, { 0x3fffffff, 3, 0x23 },
		{ 0x50000000, 0, 0x23 }, { 0x7fffffff, 2, 0x23 }, { 0xc0000000, 0, 0x23 },
		{ U32_MAX, 1, 0x23 },
	};
	struct sim_tdcs *tdcs = td_cpuid(test, XFAM_SSE, true);
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 leaf = cases[i].leaf, subleaf = cases[i].subleaf;
		const struct sim_cpuid_entry *want = NULL;

		if (cases[i].same_as)
			want = sim_cpuid_get(tdcs, cases[i].same_as, subleaf);
		KUNIT_EXPECT_PTR_EQ_MSG(test, sim_cpuid_find(tdcs, leaf, subleaf), want,
					"(0x%x, 0x%x)", leaf, subleaf);
	}
}

/* A feature that a bit of CR4 enables: the TD has both or, as the CPU, neither. */
static void cr4_agrees(struct kunit *test)
{
	static const struct {
		u64 cr4;
		u32 leaf;
		u32 subleaf;
		enum sim_cpuid_reg reg;
		u32 bit;
	} cases[] = {
		{ X86_CR4_VME, 1, ANY, SIM_EDX, BIT(1) },
		{ X86_CR4_DE, 1, ANY, SIM_EDX, BIT(2) },
		{ X86_CR4_PSE, 1, ANY, SIM_EDX, BIT(3) },
		{ X86_CR4_PAE, 1, ANY, SIM_EDX, BIT(6) },
		{ X86_CR4_PGE, 1, ANY, SIM_EDX, BIT(13) },
		{ X86_CR4_OSFXSR, 1, ANY, SIM_EDX, BIT(24) },
		{ X86_CR4_OSXMMEXCPT, 1, ANY, SIM_EDX, BIT(25) },
		{ X86_CR4_UMIP, 7, 0, SIM_ECX, BIT(2) },
		{ X86_CR4_LA57, 7, 0, SIM_ECX, BIT(16) },
		{ X86_CR4_FSGSBASE, 7, 0, SIM_EBX, BIT(0) },
		{ X86_CR4_PCIDE, 1, ANY, SIM_ECX, BIT(17) },
		{ X86_CR4_OSXSAVE, 1, ANY, SIM_ECX, BIT(26) },
		{ X86_CR4_SMEP, 7, 0, SIM_EBX, BIT(7) },
		{ X86_CR4_SMAP, 7, 0, SIM_EBX, BIT(20) },
		{ X86_CR4_PKE, 7, 0, SIM_ECX, BIT(3) },
		{ X86_CR4_CET, 7, 0, SIM_ECX, BIT(7) },
		{ BIT(24), 7, 0, SIM_ECX, BIT(31) },	/* PKS */
		{ BIT(19), 7, 0, SIM_ECX, BIT(23) },	/* Key Locker */
		{ BIT(25), 7, 0, SIM_EDX, BIT(5) },	/* UINTR */
		{ X86_CR4_VMXE, 1, ANY, SIM_ECX, BIT(5) },
		{ X86_CR4_SMXE, 1, ANY, SIM_ECX, BIT(6) },
	};
	struct sim_tdcs *tdcs = td_cpuid(test, XFAM_ALL, true);
	struct sim_td td = { .tdcs = tdcs };
	struct sim_vcpu *vcpu = __va(sim_test_page(test));
	int i;

	tdcs->xfam = XFAM_ALL & sim_sys.xfam_fixed0;
	vcpu->td = &td;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		bool has = sim_cpuid_get(tdcs, cases[i].leaf, cases[i].subleaf)->regs[cases[i].reg]
			   & cases[i].bit;

		KUNIT_EXPECT_EQ_MSG(test, !(sim_cr4_owned(vcpu) & cases[i].cr4), has,
				    "bit 0x%llx of CR4: the TD may set it or not, unlike CPUID",
				    cases[i].cr4);
	}
}

/* MSRs that exist with a feature: the TD may ask the host for them, else #GP. */
static void msrs_of_features(struct kunit *test)
{
	static const struct {
		u32 msr;
		u32 leaf;
		u32 subleaf;
		enum sim_cpuid_reg reg;
		u32 bit;
	} cases[] = {
		{ MSR_IA32_TSC_DEADLINE, 1, ANY, SIM_ECX, BIT(24) },
		{ 0x1f8, 1, ANY, SIM_ECX, BIT(18) },
		{ 0x1fa, 1, ANY, SIM_ECX, BIT(18) },
		{ 0x981, 7, 0, SIM_ECX, BIT(13) },
		{ 0x984, 7, 0, SIM_ECX, BIT(13) },
		{ MSR_IA32_MKTME_KEYID_PARTITIONING, 7, 0, SIM_EDX, BIT(18) },
	};
	static const u8 vectors[] = { X86_TRAP_GP, X86_TRAP_VE };
	static const u32 reasons[] = { EXIT_REASON_MSR_READ, EXIT_REASON_MSR_WRITE };
	struct sim_test_td *td = sim_test_td_with_code(test, XFAM_SSE, NULL, 0);
	struct sim_vcpu *vcpu = __va(td->tdvpr);
	int i, j;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 *reg = (u32 *)&sim_cpuid_get(vcpu->td->tdcs, cases[i].leaf,
						 cases[i].subleaf)->regs[cases[i].reg];

		for (j = 0; j < 2 * ARRAY_SIZE(reasons); j++) {
			struct sim_test_guest guest = {
				.gpr = { [SIM_RCX] = cases[i].msr }, .reason = reasons[j / 2],
			};

			*reg &= ~cases[i].bit;
			if (j % 2)
				*reg |= cases[i].bit;
			sim_test_exit(test, td, &guest);
			vcpu->ve.valid = false;
			KUNIT_EXPECT_EQ_MSG(test, guest.event.info & INTR_INFO_VECTOR_MASK,
					    vectors[j % 2], "MSR 0x%x, exit %u, with feature: %d",
					    cases[i].msr, guest.reason, j % 2);
		}
	}
}

/* No TD has the bugs that no platform of the real module has. */
static void arch_capabilities(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_with_code(test, XFAM_SSE, NULL, 0);
	struct sim_test_guest guest = {
		.gpr = { [SIM_RCX] = MSR_IA32_ARCH_CAPABILITIES }, .reason = EXIT_REASON_MSR_READ,
	};

	sim_test_exit(test, td, &guest);
	KUNIT_EXPECT_EQ(test, guest.event.info, 0);
	/* RDCL, IBRS, L1DFL, MDS, page size change, TAA, three of stale data; RRSBA is native. */
	sim_test_expect(test, "value", 0xe16b, guest.gpr[SIM_RDX] << 32 |
			(guest.gpr[SIM_RAX] & ~BIT_ULL(19)));

	guest.reason = EXIT_REASON_MSR_WRITE;
	sim_test_exit(test, td, &guest);
	KUNIT_EXPECT_EQ(test, guest.event.info & INTR_INFO_VECTOR_MASK, X86_TRAP_GP);
}

static struct kunit_case sim_cpuid_cases[] = {
	KUNIT_CASE_PARAM(every_bit, td_gen_params),
	KUNIT_CASE(every_feature_has_a_row),
	KUNIT_CASE(features_report),
	KUNIT_CASE(td_numbers),
	KUNIT_CASE(other_leafs),
	KUNIT_CASE(cr4_agrees),
	KUNIT_CASE(msrs_of_features),
	KUNIT_CASE(arch_capabilities),
	{}
};

static struct kunit_suite sim_cpuid_suite = {
	.name = "tdx_sim_cpuid",
	.init = sim_test_init,
	.test_cases = sim_cpuid_cases,
};

kunit_test_suite(sim_cpuid_suite);
