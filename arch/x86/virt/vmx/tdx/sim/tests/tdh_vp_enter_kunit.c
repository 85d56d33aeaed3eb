// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: TDH.VP.ENTER, with a TD that runs.
 */
#include <linux/array_size.h>

#include <asm/vmx.h>

#include "tests/sim_test.h"
#include "tests/sim_test_vcpu.h"

#define GPA_RESET		(SIM_TEST_RESET_VECTOR & PAGE_MASK)

#define ID(code, operand)	((code) | TDX_OPERAND_ID_##operand)

static struct sim_test_td *td_with_code(struct kunit *test, const u8 *code, size_t size)
{
	return sim_test_td_with_code(test, SIM_XFAM_FIXED1, code, size);
}

/* Registers that an asynchronous exit does not use are 0. */
static void expect_rest_is_zero(struct kunit *test, const struct pt_regs *regs)
{
	sim_test_expect(test, "RBX", 0, regs->bx);
	sim_test_expect(test, "RSI", 0, regs->si);
	sim_test_expect(test, "RDI", 0, regs->di);
	sim_test_expect(test, "R9", 0, regs->r9);
	sim_test_expect(test, "R10", 0, regs->r10);
	sim_test_expect(test, "R15", 0, regs->r15);
}

static void enter_operands(struct kunit *test)
{
	struct sim_test_td *td = td_with_code(test, NULL, 0);
	struct pt_regs regs;
	u64 flag;

	sim_test_expect(test, "reserved bit 0", ID(TDX_OPERAND_INVALID, RCX),
			sim_test_call(TDH_VP_ENTER, td->tdvpr | 1, 0, 0, 0));
	for (flag = BIT_ULL(52); flag; flag <<= 1)
		sim_test_expect(test, "flags and reserved bits", ID(TDX_OPERAND_INVALID, RCX),
				sim_test_call(TDH_VP_ENTER, td->tdvpr | flag, 0, 0, 0));
	sim_test_expect(test, "no TDVPR", ID(TDX_PAGE_METADATA_INCORRECT, RCX),
			sim_test_call(TDH_VP_ENTER, td->tdr, 0, 0, 0));

	/* A refused call has no output but RAX. */
	regs = (struct pt_regs) { .cx = td->tdr, .dx = 2, .bx = 3, .r8 = 4, .r9 = 5, .r10 = 6 };
	sim_test_seamcall(TDH_VP_ENTER, &regs);
	sim_test_expect(test, "RCX", td->tdr, regs.cx);
	sim_test_expect(test, "RDX", 2, regs.dx);
	sim_test_expect(test, "RBX", 3, regs.bx);
	sim_test_expect(test, "R8", 4, regs.r8);
	sim_test_expect(test, "R9", 5, regs.r9);
	sim_test_expect(test, "R10", 6, regs.r10);
}

static void enter_on_another_cpu(struct kunit *test)
{
	struct sim_test_td *td;
	struct pt_regs regs;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");
	td = td_with_code(test, NULL, 0);

	/* TDH.VP.INIT associated the vCPU with CPU 0. */
	regs = (struct pt_regs) { .cx = td->tdvpr };
	sim_test_expect(test, "TDH_VP_ENTER", TDX_VCPU_ASSOCIATED,
			sim_test_seamcall_on(1, TDH_VP_ENTER, &regs));
	regs = (struct pt_regs) { .cx = td->tdvpr, .dx = TDVPS_VMCS(POSTED_INTR_NV) };
	sim_test_expect(test, "TDH_VP_RD", TDX_VCPU_ASSOCIATED,
			sim_test_seamcall_on(1, TDH_VP_RD, &regs));
	regs = (struct pt_regs) { .cx = td->tdvpr, .dx = TDVPS_VMCS(POSTED_INTR_NV) };
	sim_test_expect(test, "TDH_VP_WR", TDX_VCPU_ASSOCIATED,
			sim_test_seamcall_on(1, TDH_VP_WR, &regs));
	regs = (struct pt_regs) { .cx = td->tdvpr };
	sim_test_expect(test, "TDH_VP_FLUSH", TDX_VCPU_NOT_ASSOCIATED,
			sim_test_seamcall_on(1, TDH_VP_FLUSH, &regs));

	/* Flushed on its CPU, it is associated with the CPU that uses it next. */
	sim_test_expect(test, "TDH_VP_FLUSH", 0, sim_test_call(TDH_VP_FLUSH, td->tdvpr, 0, 0, 0));
	regs = (struct pt_regs) { .cx = td->tdvpr, .dx = TDVPS_VMCS(POSTED_INTR_NV) };
	sim_test_expect(test, "TDH_VP_RD", 0, sim_test_seamcall_on(1, TDH_VP_RD, &regs));
	sim_test_expect(test, "TDH_VP_RD", TDX_VCPU_ASSOCIATED,
			sim_test_call(TDH_VP_RD, td->tdvpr, TDVPS_VMCS(POSTED_INTR_NV), 0, 0));
	sim_test_expect(test, "TDH_MNG_VPFLUSHDONE", TDX_FLUSHVP_NOT_DONE,
			sim_test_call(TDH_MNG_VPFLUSHDONE, td->tdr, 0, 0, 0));
	regs = (struct pt_regs) { .cx = td->tdvpr };
	sim_test_expect(test, "TDH_VP_FLUSH", 0, sim_test_seamcall_on(1, TDH_VP_FLUSH, &regs));
}

static void enter_ept_violation(struct kunit *test)
{
	struct sim_test_td *td = td_with_code(test, NULL, 0);
	struct pt_regs regs = { .bx = 1, .si = 2, .di = 3, .r9 = 4, .r10 = 5, .r15 = 6 };

	sim_test_expect(test, "no page", EXIT_REASON_EPT_VIOLATION,
			sim_test_enter(test, td, &regs));
	sim_test_expect(test, "RCX: fetch", EPT_VIOLATION_ACC_INSTR, regs.cx);
	sim_test_expect(test, "RDX", 0, regs.dx);
	sim_test_expect(test, "R8", GPA_RESET, regs.r8);
	expect_rest_is_zero(test, &regs);

	/* For a page that the TD has not accepted RDX has the type of the details. */
	sim_test_map(test, td, GPA_RESET, 0);
	sim_test_expect(test, "PENDING", EXIT_REASON_EPT_VIOLATION,
			sim_test_enter(test, td, &regs));
	sim_test_expect(test, "RDX", TDX_EXT_EXIT_QUAL_TYPE_PENDING_EPT_VIOLATION, regs.dx);
	sim_test_expect(test, "R8", GPA_RESET, regs.r8);
}

/* An exception without an IDT ends the vCPU. */
static void enter_triple_fault(struct kunit *test)
{
	static const u8 ud2[] = { 0x0f, 0x0b };
	struct sim_test_td *td = td_with_code(test, ud2, sizeof(ud2));
	u64 field = TDVPS_VMCS(POSTED_INTR_NV);
	struct pt_regs regs = { .bx = 1, .si = 2, .di = 3, .r9 = 4, .r10 = 5, .r15 = 6 };

	sim_test_expect(test, "UD2", TDX_NON_RECOVERABLE_VCPU | EXIT_REASON_TRIPLE_FAULT,
			sim_test_enter(test, td, &regs));
	expect_rest_is_zero(test, &regs);
	sim_test_expect(test, "a disabled vCPU", TDX_VCPU_STATE_INCORRECT,
			sim_test_enter(test, td, &regs));
	sim_test_expect(test, "it can be read", 0,
			sim_test_call(TDH_VP_RD, td->tdvpr, field, 0, 0));
	sim_test_expect(test, "it cannot be written", TDX_VCPU_STATE_INCORRECT,
			sim_test_call(TDH_VP_WR, td->tdvpr, field, 0, U16_MAX));
}

/* TDCALL needs 64-bit mode.  In the mode of the reset vector it is #GP. */
static void enter_tdcall_in_32_bit_mode(struct kunit *test)
{
	static const u8 tdcall[] = { 0x66, 0x0f, 0x01, 0xcc };
	struct sim_test_td *td = td_with_code(test, tdcall, sizeof(tdcall));
	struct sim_vcpu *vcpu = __va(td->tdvpr);
	struct pt_regs regs = {};

	vcpu->gpr[SIM_RAX] = TDG_VP_INFO;
	sim_test_expect(test, "TDCALL", TDX_NON_RECOVERABLE_VCPU | EXIT_REASON_TRIPLE_FAULT,
			sim_test_enter(test, td, &regs));
	sim_test_expect(test, "RAX of the TD", TDG_VP_INFO, vcpu->gpr[SIM_RAX]);
}

/* A TD with interrupts off would never leave the CPU of some emulators. */
static void expect_taken_out(struct kunit *test, const u8 *code, size_t size)
{
	struct sim_test_td *td = td_with_code(test, code, size);
	struct pt_regs regs = {};

	sim_test_expect(test, "loop", ID(TDX_OPERAND_BUSY, SEPT), sim_test_enter(test, td, &regs));
	sim_test_expect(test, "again", ID(TDX_OPERAND_BUSY, SEPT), sim_test_enter(test, td, &regs));
}

static void enter_spinning(struct kunit *test)
{
	static const u8 jump_to_itself[] = { 0xeb, 0xfe };

	expect_taken_out(test, jump_to_itself, sizeof(jump_to_itself));
}

static void enter_spinning_in_exits(struct kunit *test)
{
	/* xor %eax, %eax; cpuid; jmp to the first: the module answers, over and over. */
	static const u8 cpuid_loop[] = { 0x31, 0xc0, 0x0f, 0xa2, 0xeb, 0xfa };

	expect_taken_out(test, cpuid_loop, sizeof(cpuid_loop));
}

/* The state of a vCPU at its first instruction, which it stores for the test. */
static void enter_initial_state(struct kunit *test)
{
	static const u8 ud2[] = { 0x0f, 0x0b };
	struct sim_test_td *td = td_with_code(test, ud2, sizeof(ud2));
	const struct sim_vcpu *vcpu = __va(td->tdvpr);
	const struct {
		const char *name;
		enum sim_gpr gpr;
		u64 want;
	} cases[] = {
		{ "RAX", SIM_RAX, 0 }, { "RBX: GPA width", SIM_RBX, 48 }, { "RBP", SIM_RBP, 0 },
		{ "RSI: index", SIM_RSI, 0 }, { "RDI", SIM_RDI, 0 },
		{ "R9", SIM_R9, 0 }, { "R15", SIM_R15, 0 },
		{ "RDX: CPUID(1).EAX", SIM_RDX, SIM_TEST_FMS },
		/* The value from TDH.VP.INIT, in two registers. */
		{ "RCX", SIM_RCX, SIM_TEST_INITIAL_RCX }, { "R8", SIM_R8, SIM_TEST_INITIAL_RCX },
	};
	struct pt_regs regs = {};
	int i;

	sim_test_enter(test, td, &regs);
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		sim_test_expect(test, cases[i].name, cases[i].want, vcpu->gpr[cases[i].gpr]);
}

static struct kunit_case sim_enter_cases[] = {
	KUNIT_CASE(enter_operands),
	KUNIT_CASE(enter_on_another_cpu),
	KUNIT_CASE(enter_ept_violation),
	KUNIT_CASE(enter_triple_fault),
	KUNIT_CASE(enter_tdcall_in_32_bit_mode),
	KUNIT_CASE(enter_spinning),
	KUNIT_CASE(enter_spinning_in_exits),
	KUNIT_CASE(enter_initial_state),
	{}
};

static struct kunit_suite sim_enter_suite = {
	.name = "tdx_sim_enter",
	.init = sim_test_init,
	.test_cases = sim_enter_cases,
};

kunit_test_suite(sim_enter_suite);
