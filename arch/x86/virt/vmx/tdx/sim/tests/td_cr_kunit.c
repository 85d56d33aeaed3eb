// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: control registers of a TD.
 *
 * A TD executes each instruction, in the 32-bit mode that it starts in and
 * without an IDT.  Any exception ends it, and a #VE leaves its information.
 */
#include <linux/array_size.h>

#include <asm/cpufeature.h>
#include <asm/fpu/types.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "tests/sim_test.h"
#include "tests/sim_test_code.h"
#include "tests/sim_test_vcpu.h"

#define XFAM_SSE		SIM_XFAM_FIXED1
#define XFAM_AVX		(XFAM_SSE | XFEATURE_MASK_YMM)
#define XFAM_AVX512		(XFAM_AVX | XFEATURE_MASK_AVX512)
#define XFAM_PKRU		(XFAM_SSE | XFEATURE_MASK_PKRU)

/* CR0 and CR4 of a TD that has just started, as it reads them. */
#define CR0_START		(X86_CR0_PE | X86_CR0_ET | X86_CR0_NE)
#define CR4_START		X86_CR4_MCE

#define CR4_KL			BIT_ULL(19)
#define CR4_PKS			BIT_ULL(24)
#define CR4_UINTR		BIT_ULL(25)

/* EBX after the instruction that is tested, and the number of a GPR in it. */
#define MARK			0x600df00d
#define QUALIFICATION_EAX	(SIM_RAX << 8)

enum insn {
	NOTHING_CR0, NOTHING_CR4, NOTHING_XCR0, NOTHING_MSR,
	MOV_CR0, MOV_CR4, XSETBV, WRMSR,
	LMSW, CLTS,
};

enum outcome {
	DONE,
	GP,
	VE,
};

/* Machine code that writes EDX:EAX to a register, and code that reads it back. */
static const struct {
	u8 write[3];
	u8 length;
	u8 read[3];
	u8 read_length;
} insns[] = {
	[NOTHING_CR0]	= { .read = { 0x0f, 0x20, 0xc0 }, .read_length = 3 },
	[NOTHING_CR4]	= { .read = { 0x0f, 0x20, 0xe0 }, .read_length = 3 },
	[NOTHING_XCR0]	= { .read = { 0x0f, 0x01, 0xd0 }, .read_length = 3 },
	[NOTHING_MSR]	= { .read = { 0x0f, 0x32 }, .read_length = 2 },
	[MOV_CR0]	= { { 0x0f, 0x22, 0xc0 }, 3, { 0x0f, 0x20, 0xc0 }, 3 },
	[MOV_CR4]	= { { 0x0f, 0x22, 0xe0 }, 3, { 0x0f, 0x20, 0xe0 }, 3 },
	[XSETBV]	= { { 0x0f, 0x01, 0xd1 }, 3, { 0x0f, 0x01, 0xd0 }, 3 },
	[WRMSR]		= { { 0x0f, 0x30 }, 2, { 0x0f, 0x32 }, 2 },
	[LMSW]		= { { 0x0f, 0x01, 0xf0 }, 3, { 0x0f, 0x20, 0xc0 }, 3 },
	[CLTS]		= { { 0x0f, 0x06 }, 2, { 0x0f, 0x20, 0xc0 }, 3 },
};

/*
 * @index:   ECX, an MSR or XCR
 * @read:    value that is read afterwards, of a write that is done
 * @cr4:     without these in IA32_VMX_CR4_FIXED1 the CPU refuses the write: GP
 */
struct cr_case {
	const char *name;
	enum insn insn;
	u64 value;
	enum outcome want;
	u64 read;
	u32 index;
	u64 xfam;
	u64 cr4;
};

static const struct cr_case cr_cases[] = {
	{ "CR0.at_start", NOTHING_CR0, 0, DONE, CR0_START },
	{ "CR0.MP_TS_WP_AM", MOV_CR0,
	  CR0_START | X86_CR0_MP | X86_CR0_TS | X86_CR0_WP | X86_CR0_AM, DONE,
	  CR0_START | X86_CR0_MP | X86_CR0_TS | X86_CR0_WP | X86_CR0_AM },
	{ "CR0.no_NE", MOV_CR0, CR0_START & ~X86_CR0_NE, GP },
	{ "CR0.no_PE", MOV_CR0, CR0_START & ~X86_CR0_PE, VE },
	{ "CR0.no_PE_no_NE", MOV_CR0, X86_CR0_ET, GP },
	{ "CR0.PG_no_PE", MOV_CR0, (CR0_START & ~X86_CR0_PE) | X86_CR0_PG, GP },
	{ "CR0.CD", MOV_CR0, CR0_START | X86_CR0_CD, VE },
	{ "CR0.NW", MOV_CR0, CR0_START | X86_CR0_NW, VE },
	{ "CR0.CD_NW", MOV_CR0, CR0_START | X86_CR0_CD | X86_CR0_NW, VE },
	{ "CR0.CD_no_NE", MOV_CR0, (CR0_START & ~X86_CR0_NE) | X86_CR0_CD, GP },
	{ "CR0.bit_6", MOV_CR0, CR0_START | BIT(6), DONE, CR0_START },
	{ "CR0.bit_15", MOV_CR0, CR0_START | BIT(15), DONE, CR0_START },
	{ "CR0.bit_17", MOV_CR0, CR0_START | BIT(17), DONE, CR0_START },
	{ "CR0.bit_28_and_WP", MOV_CR0, CR0_START | BIT(28) | X86_CR0_WP, DONE,
	  CR0_START | X86_CR0_WP },
	{ "CR0.LMSW", LMSW, X86_CR0_MP | X86_CR0_TS, DONE, CR0_START | X86_CR0_MP | X86_CR0_TS },
	{ "CR0.LMSW_keeps_PE", LMSW, 0, DONE, CR0_START },
	{ "CR0.CLTS", CLTS, 0, DONE, CR0_START },

	{ "CR4.at_start", NOTHING_CR4, 0, DONE, CR4_START },
	{ "CR4.PAE_PGE_OSFXSR", MOV_CR4,
	  CR4_START | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_OSFXSR, DONE,
	  CR4_START | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_OSFXSR },
	{ "CR4.SMEP_SMAP", MOV_CR4, CR4_START | X86_CR4_SMEP | X86_CR4_SMAP, DONE,
	  CR4_START | X86_CR4_SMEP | X86_CR4_SMAP, .cr4 = X86_CR4_SMEP | X86_CR4_SMAP },
	{ "CR4.UMIP", MOV_CR4, CR4_START | X86_CR4_UMIP, DONE, CR4_START | X86_CR4_UMIP,
	  .cr4 = X86_CR4_UMIP },
	{ "CR4.FSGSBASE", MOV_CR4, CR4_START | X86_CR4_FSGSBASE, DONE,
	  CR4_START | X86_CR4_FSGSBASE, .cr4 = X86_CR4_FSGSBASE },
	{ "CR4.no_MCE", MOV_CR4, 0, VE },
	{ "CR4.VMXE", MOV_CR4, CR4_START | X86_CR4_VMXE, VE },
	{ "CR4.SMXE", MOV_CR4, CR4_START | X86_CR4_SMXE, VE, .cr4 = X86_CR4_SMXE },
	{ "CR4.bit_15", MOV_CR4, CR4_START | BIT(15), GP },
	{ "CR4.bit_31", MOV_CR4, CR4_START | BIT(31), GP },
	{ "CR4.bit_31_no_MCE", MOV_CR4, BIT(31), GP },
	{ "CR4.PKE", MOV_CR4, CR4_START | X86_CR4_PKE, DONE, CR4_START | X86_CR4_PKE,
	  .xfam = XFAM_PKRU },
	{ "CR4.PKE_not_in_XFAM", MOV_CR4, CR4_START | X86_CR4_PKE, GP },
	{ "CR4.PKE_not_in_XFAM_no_MCE", MOV_CR4, X86_CR4_PKE, GP },
	{ "CR4.CET_not_in_XFAM", MOV_CR4, CR4_START | X86_CR4_CET, GP },
	{ "CR4.UINTR_not_in_XFAM", MOV_CR4, CR4_START | CR4_UINTR, GP },
	{ "CR4.KL_not_in_ATTRIBUTES", MOV_CR4, CR4_START | CR4_KL, GP },
	{ "CR4.PKS_not_in_ATTRIBUTES", MOV_CR4, CR4_START | CR4_PKS, GP },

	{ "XCR0.at_start", NOTHING_XCR0, 0, DONE, XFEATURE_MASK_FP },
	{ "XCR0.SSE", XSETBV, XFAM_SSE, DONE, XFAM_SSE },
	{ "XCR0.no_FP", XSETBV, XFEATURE_MASK_SSE, GP },
	{ "XCR0.nothing", XSETBV, 0, GP },
	{ "XCR0.AVX_not_in_XFAM", XSETBV, XFAM_AVX, GP },
	{ "XCR0.AVX", XSETBV, XFAM_AVX, DONE, XFAM_AVX, .xfam = XFAM_AVX },
	{ "XCR0.less_than_XFAM", XSETBV, XFAM_SSE, DONE, XFAM_SSE, .xfam = XFAM_AVX },
	{ "XCR0.AVX_no_SSE", XSETBV, XFEATURE_MASK_FP | XFEATURE_MASK_YMM, GP, .xfam = XFAM_AVX },
	{ "XCR0.AVX512", XSETBV, XFAM_AVX512, DONE, XFAM_AVX512, .xfam = XFAM_AVX512 },
	{ "XCR0.part_of_AVX512", XSETBV, XFAM_AVX512 & ~XFEATURE_MASK_Hi16_ZMM, GP,
	  .xfam = XFAM_AVX512 },
	{ "XCR0.AVX512_no_AVX", XSETBV, XFAM_AVX512 & ~XFEATURE_MASK_YMM, GP,
	  .xfam = XFAM_AVX512 },
	{ "XCR0.bit_8", XSETBV, XFAM_SSE | BIT(8), GP },
	{ "XCR0.bit_11", XSETBV, XFAM_SSE | BIT(11), GP },
	{ "XCR0.bit_63", XSETBV, XFAM_SSE | BIT_ULL(63), GP },
	{ "XCR1", XSETBV, XFAM_SSE, GP, .index = 1 },

	{ "EFER.at_start", NOTHING_MSR, 0, DONE, EFER_SCE | EFER_LME | EFER_NX,
	  .index = MSR_EFER },
	{ "EFER.no_SCE", WRMSR, EFER_LME | EFER_NX, DONE, EFER_LME | EFER_NX, .index = MSR_EFER },
	{ "EFER.LMA", WRMSR, EFER_LMA | EFER_LME | EFER_NX, DONE, EFER_LME | EFER_NX,
	  .index = MSR_EFER },
	{ "EFER.no_NX", WRMSR, EFER_SCE | EFER_LME, VE, .index = MSR_EFER },
	{ "EFER.no_LME", WRMSR, EFER_SCE | EFER_NX, VE, .index = MSR_EFER },
	{ "EFER.bit_1", WRMSR, EFER_SCE | EFER_LME | EFER_NX | BIT(1), VE, .index = MSR_EFER },
	{ "EFER.bit_63", WRMSR, EFER_SCE | EFER_LME | EFER_NX | BIT_ULL(63), VE,
	  .index = MSR_EFER },

	{ "SPEC_CTRL.at_start", NOTHING_MSR, 0, DONE, 0, .index = MSR_IA32_SPEC_CTRL },
	{ "SPEC_CTRL.STIBP", WRMSR, SPEC_CTRL_STIBP, DONE, SPEC_CTRL_STIBP,
	  .index = MSR_IA32_SPEC_CTRL },
	{ "SPEC_CTRL.bit_63", WRMSR, BIT_ULL(63), GP, .index = MSR_IA32_SPEC_CTRL },

	{ "XSS.at_start", NOTHING_MSR, 0, DONE, 0, .index = MSR_IA32_XSS },
	{ "XSS.nothing", WRMSR, 0, DONE, 0, .index = MSR_IA32_XSS },
	{ "XSS.FP", WRMSR, XFEATURE_MASK_FP, GP, .index = MSR_IA32_XSS },
	{ "XSS.PT", WRMSR, BIT(8), GP, .index = MSR_IA32_XSS },
	{ "XSS.CET", WRMSR, BIT(11), GP, .index = MSR_IA32_XSS },
	{ "XSS.bit_63", WRMSR, BIT_ULL(63), GP, .index = MSR_IA32_XSS },
};

KUNIT_ARRAY_PARAM_DESC(cr, cr_cases, name);

/* Gives the linear address of the instruction that is tested. */
static u64 make_code(const struct cr_case *c, struct sim_test_code *code)
{
	u64 insn;

	if (c->insn == XSETBV || c->insn == NOTHING_XCR0)
		sim_test_code_set_cr4(code, CR4_START | X86_CR4_OSXSAVE);
	sim_test_code_mov(code, SIM_RCX, c->index);
	sim_test_code_mov(code, SIM_RDX, c->value >> 32);
	sim_test_code_mov(code, SIM_RAX, c->value);
	insn = (SIM_TEST_RESET_VECTOR & PAGE_MASK) + code->size;
	sim_test_code_put(code, insns[c->insn].write, insns[c->insn].length);
	sim_test_code_mov(code, SIM_RBX, MARK);
	sim_test_code_put(code, insns[c->insn].read, insns[c->insn].read_length);
	sim_test_code_end(code);
	return insn;
}

static u32 ve_reason(const struct cr_case *c)
{
	return c->insn == WRMSR ? EXIT_REASON_MSR_WRITE : EXIT_REASON_CR_ACCESS;
}

static u64 ve_qualification(const struct cr_case *c)
{
	switch (c->insn) {
	case MOV_CR0:	return QUALIFICATION_EAX;
	case MOV_CR4:	return QUALIFICATION_EAX | 4;
	default:	return 0;
	}
}

/* An exit that changes nothing, to read what the last one left. */
static u64 guest_rip(struct kunit *test, struct sim_test_td *td)
{
	struct sim_test_guest guest = {
		.reason = EXIT_REASON_NMI_WINDOW, .get = { { GUEST_RIP } },
	};

	sim_test_exit(test, td, &guest);
	return guest.get[0].value;
}

static void cr_write(struct kunit *test)
{
	const struct cr_case *c = test->param_value;
	u64 xfam = (c->xfam ?: XFAM_SSE) & sim_sys.xfam_fixed0;
	u64 fixed1 = __rdmsr(MSR_IA32_VMX_CR4_FIXED1);
	/* A TD has no component that the CPU lacks, and cannot set its bit in CR4. */
	bool absent = c->xfam & ~xfam || c->cr4 & ~fixed1 ||
		      (c->index == MSR_IA32_SPEC_CTRL && !boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL));
	enum outcome want = absent ? GP : c->want;
	struct sim_test_code code = {};
	u64 insn = make_code(c, &code);
	struct pt_regs regs = {};
	struct sim_test_td *td;
	struct sim_vcpu *vcpu;
	u64 got;

	td = sim_test_td_with_code(test, xfam, code.bytes, code.size);
	vcpu = __va(td->tdvpr);
	sim_test_assert(test, "the end of the TD",
			TDX_NON_RECOVERABLE_VCPU | EXIT_REASON_TRIPLE_FAULT,
			sim_test_enter(test, td, &regs));

	if (want == DONE) {
		KUNIT_ASSERT_EQ_MSG(test, vcpu->gpr[SIM_RBX], MARK, "wanted no exception, got %s",
				    vcpu->ve.valid ? "#VE" : "another than #VE");
		got = vcpu->gpr[SIM_RAX];
		/* A MOV from a control register leaves EDX alone. */
		if (insns[c->insn].read[1] != 0x20)
			got |= vcpu->gpr[SIM_RDX] << 32;
		KUNIT_EXPECT_EQ_MSG(test, got, c->read, "read back: wanted 0x%llx, got 0x%llx",
				    c->read, got);
		return;
	}

	KUNIT_EXPECT_NE_MSG(test, vcpu->gpr[SIM_RBX], MARK, "wanted an exception, got none");
	KUNIT_EXPECT_EQ_MSG(test, guest_rip(test, td), insn, "RIP is not at the instruction");
	KUNIT_EXPECT_EQ_MSG(test, vcpu->ve.valid, want == VE, "wanted %s, got %s",
			    want == VE ? "#VE" : "#GP", vcpu->ve.valid ? "#VE" : "no #VE");
	if (want == VE) {
		sim_test_expect(test, "exit reason", ve_reason(c), vcpu->ve.exit_reason);
		sim_test_expect(test, "qualification", ve_qualification(c),
				vcpu->ve.exit_qualification);
		sim_test_expect(test, "length", insns[c->insn].length, vcpu->ve.instruction_length);
	}
}

#define MOV_TO(cr, gpr)		((cr) | (u64)(gpr) << 8)
#define LMSW_OF(source)		(3ULL << 4 | (u64)(source) << 16)

/* Values of 64 bits, and accesses that no mask makes exit: by the exits themselves. */
static const struct {
	const char *name;
	u64 qualification;
	u64 value;		/* of the GPR */
	struct sim_test_field set;
	enum sim_action action;
	u8 vector;		/* exception for the TD */
	u64 cr0;		/* afterwards, unless there is one */
} exit_cases[] = {
	{ "CR0: bit 32", MOV_TO(0, SIM_RAX), CR0_START | BIT_ULL(32), {}, SIM_RESUME,
	  X86_TRAP_GP },
	{ "CR0: bit 32, no PE", MOV_TO(0, SIM_RAX), X86_CR0_NE | BIT_ULL(32), {},
	  SIM_RESUME, X86_TRAP_GP },
	{ "CR4: bit 32", MOV_TO(4, SIM_R15), CR4_START | BIT_ULL(32), {}, SIM_RESUME,
	  X86_TRAP_GP },
	{ "CR4: VMXE from R15", MOV_TO(4, SIM_R15), CR4_START | X86_CR4_VMXE, {},
	  SIM_RESUME, X86_TRAP_VE },
	{ "CR0: no WP below CET", MOV_TO(0, SIM_RBX), CR0_START | BIT(6),
	  { GUEST_CR4, CR4_START | X86_CR4_VMXE | X86_CR4_CET }, SIM_RESUME,
	  X86_TRAP_GP },
	{ "CR0: WP and CET", MOV_TO(0, SIM_RBX), CR0_START | X86_CR0_WP | BIT(6),
	  { GUEST_CR4, CR4_START | X86_CR4_VMXE | X86_CR4_CET }, SIM_RESUME,
	  0, CR0_START | X86_CR0_WP },
	{ "CR0: from RSP", MOV_TO(0, SIM_RSP), 0,
	  { GUEST_RSP, CR0_START | X86_CR0_AM | BIT(6) }, SIM_RESUME,
	  0, CR0_START | X86_CR0_AM },
	{ "LMSW", LMSW_OF(0xfffa), 0, { GUEST_CR0, CR0_START | X86_CR0_EM },
	  SIM_RESUME, 0, CR0_START | X86_CR0_MP | X86_CR0_TS },
	{ "MOV to CR3", MOV_TO(3, SIM_RAX), 0, {}, SIM_TO_HOST },
	{ "MOV to CR8", MOV_TO(8, SIM_RAX), 0, {}, SIM_TO_HOST },
	{ "MOV from CR3", 1 << 4 | 3, 0, {}, SIM_TO_HOST },
	{ "CLTS", 2 << 4, 0, {}, SIM_TO_HOST },
};

static void cr_exit(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_with_code(test, XFAM_SSE, NULL, 0);
	struct sim_vcpu *vcpu = __va(td->tdvpr);
	int i;

	for (i = 0; i < ARRAY_SIZE(exit_cases); i++) {
		struct sim_test_guest guest = {
			.reason = EXIT_REASON_CR_ACCESS,
			.qualification = exit_cases[i].qualification,
			.set = { { GUEST_CR0, CR0_START }, exit_cases[i].set },
			.get = { { GUEST_CR0 } },
		};
		const char *name = exit_cases[i].name;

		guest.gpr[SIM_RAX] = exit_cases[i].value;
		guest.gpr[SIM_RBX] = exit_cases[i].value;
		guest.gpr[SIM_R15] = exit_cases[i].value;
		sim_test_exit(test, td, &guest);
		vcpu->ve.valid = false;
		KUNIT_EXPECT_EQ_MSG(test, guest.action, exit_cases[i].action, "%s: action", name);
		KUNIT_EXPECT_EQ_MSG(test, guest.event.info & INTR_INFO_VECTOR_MASK,
				    exit_cases[i].vector, "%s: vector", name);
		if (exit_cases[i].action == SIM_RESUME && !exit_cases[i].vector)
			sim_test_expect(test, name, exit_cases[i].cr0, guest.get[0].value);
		if (exit_cases[i].action == SIM_TO_HOST) {
			sim_test_expect(test, name,
					TDX_NON_RECOVERABLE_TD | EXIT_REASON_CR_ACCESS,
					guest.regs.ax);
			vcpu->td->fatal = false;
			vcpu->state = SIM_VCPU_READY;
		}
	}
}

/* Emulators may exit for XSETBV of a program of the TD, CPUs do not. */
static void xsetbv_user(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_with_code(test, XFAM_SSE, NULL, 0);
	struct sim_vcpu *vcpu = __va(td->tdvpr);
	struct sim_test_guest guest = {
		.gpr = { [SIM_RAX] = XFAM_SSE }, .reason = EXIT_REASON_XSETBV,
		.set = { { GUEST_SS_AR_BYTES, 0xc0f3 } },
	};

	sim_test_exit(test, td, &guest);
	KUNIT_EXPECT_EQ(test, guest.event.info & INTR_INFO_VECTOR_MASK, X86_TRAP_GP);
	KUNIT_EXPECT_EQ(test, vcpu->xcr0, XFEATURE_MASK_FP);
}

static struct kunit_case sim_cr_cases[] = {
	KUNIT_CASE_PARAM(cr_write, cr_gen_params),
	KUNIT_CASE(cr_exit),
	KUNIT_CASE(xsetbv_user),
	{}
};

static struct kunit_suite sim_cr_suite = {
	.name = "tdx_sim_cr",
	.init = sim_test_init,
	.test_cases = sim_cr_cases,
};

kunit_test_suite(sim_cr_suite);
