// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: extended state of a TD.
 *
 * XCR0 and IA32_XSS say what XSAVE and its variants take.  A TD runs with its own,
 * while the host has enabled all that the CPU has.
 */
#include <linux/array_size.h>

#include <asm/fpu/types.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "tests/sim_test.h"
#include "tests/sim_test_code.h"
#include "tests/sim_test_vcpu.h"

#define XFAM_SSE		SIM_XFAM_FIXED1
#define XFAM_AVX		(XFAM_SSE | XFEATURE_MASK_YMM)
#define XFAM_AVX512		(XFAM_AVX | XFEATURE_MASK_AVX512)
#define XFAM_PKRU		(XFAM_SSE | XFEATURE_MASK_PKRU)
#define XFAM_ALL		(XFAM_AVX512 | XFEATURE_MASK_PKRU)

/* EBX of a TD that has passed all instructions before its end. */
#define MARK			0x600df00d

/* An area for XSAVE, in the page that holds the code. */
#define AREA			((u32)(SIM_TEST_RESET_VECTOR & PAGE_MASK) + 0x400)
#define AREA_XCOMP_BV		(AREA + offsetof(struct xregs_state, header.xcomp_bv))

/* The upper half of XCOMP_BV: the format is compacted. */
#define COMPACTED_HIGH		BIT(31)

static void start_code(struct sim_test_code *code, u32 xcr0)
{
	sim_test_code_set_cr4(code, X86_CR4_MCE | X86_CR4_OSXSAVE);
	sim_test_code_set_xcr0(code, xcr0);
}

/* EDX:EAX of XSAVES and XRSTORS: all components, and the address of the area. */
static void put_xsave(struct sim_test_code *code, const u8 *opcode, unsigned int size)
{
	u32 area = AREA;

	sim_test_code_mov(code, SIM_RAX, U32_MAX);
	sim_test_code_mov(code, SIM_RDX, U32_MAX);
	sim_test_code_put(code, opcode, size);
	sim_test_code_put(code, &area, sizeof(area));
}

static const u8 xsaves[] = { 0x0f, 0xc7, 0x2d };
static const u8 xrstors[] = { 0x0f, 0xc7, 0x1d };

/* No TD has a component that the CPU lacks. */
static void expect_refused(struct kunit *test, u64 xfam)
{
	struct sim_test_td *td = sim_test_td_create(test);
	struct td_params *params = __va(td->params);

	sim_test_td_advance(test, td, STAGE_PAGES);
	params->xfam = xfam;
	sim_test_expect(test, "TDH_MNG_INIT", TDX_OPERAND_INVALID | TDX_OPERAND_ID_XFAM,
			sim_test_call(TDH_MNG_INIT, td->tdr, td->params, 0, 0));
}

/* Run a TD with @xfam to its end; gives its vCPU, NULL if the CPU has no such TD. */
static struct sim_vcpu *run_code(struct kunit *test, u64 xfam, struct sim_test_code *code)
{
	struct pt_regs regs = {};
	struct sim_test_td *td;

	if (xfam & ~sim_sys.xfam_fixed0) {
		expect_refused(test, xfam);
		return NULL;
	}

	sim_test_code_end(code);
	td = sim_test_td_with_code(test, xfam, code->bytes, code->size);
	sim_test_assert(test, "the end of the TD",
			TDX_NON_RECOVERABLE_VCPU | EXIT_REASON_TRIPLE_FAULT,
			sim_test_enter(test, td, &regs));
	return __va(td->tdvpr);
}

/*
 * Sizes that leaf 0xd reports in EBX, from the offsets and sizes in the Intel SDM:
 * @standard for what XCR0 enables, @compacted for XCR0 and IA32_XSS.
 */
static const struct size_case {
	const char *name;
	u64 xfam;
	u32 xcr0;
	u32 standard;
	u32 compacted;
} size_cases[] = {
	{ "x87", XFAM_SSE, XFEATURE_MASK_FP, 576, 576 },
	{ "SSE", XFAM_SSE, XFAM_SSE, 576, 576 },
	{ "AVX", XFAM_AVX, XFAM_AVX, 832, 832 },
	{ "AVX_not_enabled", XFAM_AVX, XFAM_SSE, 576, 576 },
	{ "AVX512", XFAM_AVX512, XFAM_AVX512, 2688, 2432 },
	{ "AVX512_not_enabled", XFAM_AVX512, XFAM_AVX, 832, 832 },
	{ "PKRU", XFAM_PKRU, XFAM_PKRU, 2696, 584 },
	{ "all", XFAM_ALL, XFAM_ALL, 2696, 2440 },
};

KUNIT_ARRAY_PARAM_DESC(size, size_cases, name);

static void xsave_size(struct kunit *test, u32 subleaf, u32 want)
{
	static const u8 cpuid[] = { 0x0f, 0xa2 };
	const struct size_case *c = test->param_value;
	struct sim_test_code code = {};
	struct sim_vcpu *vcpu;

	start_code(&code, c->xcr0);
	sim_test_code_mov(&code, SIM_RAX, 0xd);
	sim_test_code_mov(&code, SIM_RCX, subleaf);
	sim_test_code_put(&code, cpuid, sizeof(cpuid));
	vcpu = run_code(test, c->xfam, &code);
	if (!vcpu)
		return;
	KUNIT_EXPECT_EQ_MSG(test, want, vcpu->gpr[SIM_RBX],
			    "(0xd, %u).EBX: wanted %u bytes, got %llu", subleaf, want,
			    vcpu->gpr[SIM_RBX]);
}

static void xsave_size_standard(struct kunit *test)
{
	const struct size_case *c = test->param_value;

	xsave_size(test, 0, c->standard);
}

static void xsave_size_compacted(struct kunit *test)
{
	const struct size_case *c = test->param_value;

	xsave_size(test, 1, c->compacted);
}

/* XSAVES for all components takes those that the TD has enabled. */
static void xsaves_takes(struct kunit *test)
{
	static const u8 mov_eax[] = { 0xa1 };
	const u32 low = AREA_XCOMP_BV, high = AREA_XCOMP_BV + 4;
	struct sim_test_code code = {};
	struct sim_vcpu *vcpu;

	start_code(&code, XFAM_SSE);
	put_xsave(&code, xsaves, sizeof(xsaves));
	sim_test_code_put(&code, mov_eax, sizeof(mov_eax));
	sim_test_code_put(&code, &high, sizeof(high));
	/* XCHG of EAX and EDX */
	sim_test_code_put(&code, (u8[]){ 0x92 }, 1);
	sim_test_code_put(&code, mov_eax, sizeof(mov_eax));
	sim_test_code_put(&code, &low, sizeof(low));
	sim_test_code_mov(&code, SIM_RBX, MARK);
	vcpu = run_code(test, XFAM_SSE, &code);

	KUNIT_ASSERT_EQ(test, vcpu->gpr[SIM_RBX], MARK);
	sim_test_expect(test, "XCOMP_BV, lower half", XFAM_SSE, vcpu->gpr[SIM_RAX]);
	sim_test_expect(test, "XCOMP_BV, upper half", COMPACTED_HIGH, vcpu->gpr[SIM_RDX]);
}

/* Components of an area that XRSTORS restores, and whether that is a #GP. */
static const struct xrstors_case {
	const char *name;
	u32 xcomp_bv;
	bool refused;
} xrstors_cases[] = {
	{ "own", XFAM_SSE, false },
	{ "AVX", XFEATURE_MASK_YMM, true },
	{ "PT", XFEATURE_MASK_PT, true },
	{ "PASID", XFEATURE_MASK_PASID, true },
	{ "CET_user", XFEATURE_MASK_CET_USER, true },
	{ "CET_kernel", XFEATURE_MASK_CET_KERNEL, true },
	{ "LBR", XFEATURE_MASK_LBR, true },
};

KUNIT_ARRAY_PARAM_DESC(xrstors, xrstors_cases, name);

static void xrstors_refuses(struct kunit *test)
{
	const struct xrstors_case *c = test->param_value;
	struct sim_test_code code = {};
	struct sim_vcpu *vcpu;

	start_code(&code, XFAM_SSE);
	sim_test_code_store(&code, AREA_XCOMP_BV, c->xcomp_bv);
	sim_test_code_store(&code, AREA_XCOMP_BV + 4, COMPACTED_HIGH);
	put_xsave(&code, xrstors, sizeof(xrstors));
	sim_test_code_mov(&code, SIM_RBX, MARK);
	vcpu = run_code(test, XFAM_SSE, &code);
	KUNIT_EXPECT_EQ_MSG(test, vcpu->gpr[SIM_RBX] != MARK, c->refused, "wanted %s, got %s",
			    c->refused ? "#GP" : "no exception",
			    c->refused ? "no exception" : "one");
}

static struct kunit_case sim_xstate_cases[] = {
	KUNIT_CASE_PARAM(xsave_size_standard, size_gen_params),
	KUNIT_CASE_PARAM(xsave_size_compacted, size_gen_params),
	KUNIT_CASE(xsaves_takes),
	KUNIT_CASE_PARAM(xrstors_refuses, xrstors_gen_params),
	{}
};

static struct kunit_suite sim_xstate_suite = {
	.name = "tdx_sim_xstate",
	.init = sim_test_init,
	.test_cases = sim_xstate_cases,
};

kunit_test_suite(sim_xstate_suite);
