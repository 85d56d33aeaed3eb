// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: exits of a TD, and MSRs.
 */
#include <linux/array_size.h>

#include <asm/debugreg.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/trap_pf.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "debug/names.h"
#include "tests/sim_test.h"
#include "tests/sim_test_vcpu.h"
#include "vcpu/td_event.h"
#include "vcpu/td_mem.h"
#include "vcpu/vmx_insn.h"

#define QUALIFICATION		0x5a5a
#define GPA_PAGE		0x7ffff000ULL

static struct sim_test_td *running_td(struct kunit *test)
{
	return sim_test_td_with_code(test, SIM_XFAM_FIXED1, NULL, 0);
}

static u8 vector_of(const struct sim_test_guest *guest)
{
	return guest->event.info & INTR_INFO_VECTOR_MASK;
}

enum result {
	RESUMED,
	VE,			/* qualification 0 */
	VE_QUALIFIED,
	UD,
	GP,
	HOST,
	FATAL,
};

/* Exits that depend only on their reason. */
static const struct {
	const char *name;
	u32 reason;
	enum result result;
} reason_cases[] = {
	{ "INIT", EXIT_REASON_INIT_SIGNAL, HOST },
	{ "SMI", EXIT_REASON_OTHER_SMI, HOST },
	{ "task switch", EXIT_REASON_TASK_SWITCH, HOST },
	{ "interrupt window", EXIT_REASON_INTERRUPT_WINDOW, RESUMED },
	{ "NMI window", EXIT_REASON_NMI_WINDOW, RESUMED },
	{ "HLT", EXIT_REASON_HLT, VE },
	{ "INVD", EXIT_REASON_INVD, VE },
	{ "VMCALL", EXIT_REASON_VMCALL, VE },
	{ "MWAIT", EXIT_REASON_MWAIT_INSTRUCTION, VE },
	{ "MONITOR", EXIT_REASON_MONITOR_INSTRUCTION, VE },
	{ "WBINVD", EXIT_REASON_WBINVD, VE },
	{ "PCONFIG", 65, VE },
	{ "IN", EXIT_REASON_IO_INSTRUCTION, VE_QUALIFIED },
	{ "APIC write", EXIT_REASON_APIC_WRITE, VE_QUALIFIED },
	{ "RDPMC", EXIT_REASON_RDPMC, GP },
	{ "GETSEC", 11, UD },
	{ "RSM", 17, UD },
	{ "VMCLEAR", EXIT_REASON_VMCLEAR, UD },
	{ "VMLAUNCH", EXIT_REASON_VMLAUNCH, UD },
	{ "VMPTRLD", EXIT_REASON_VMPTRLD, UD },
	{ "VMPTRST", EXIT_REASON_VMPTRST, UD },
	{ "VMREAD", EXIT_REASON_VMREAD, UD },
	{ "VMRESUME", EXIT_REASON_VMRESUME, UD },
	{ "VMWRITE", EXIT_REASON_VMWRITE, UD },
	{ "VMXOFF", EXIT_REASON_VMOFF, UD },
	{ "VMXON", EXIT_REASON_VMON, UD },
	{ "INVEPT", EXIT_REASON_INVEPT, UD },
	{ "INVVPID", EXIT_REASON_INVVPID, UD },
	{ "VMFUNC", EXIT_REASON_VMFUNC, UD },
	{ "ENCLS", EXIT_REASON_ENCLS, UD },
	{ "ENCLV", 70, UD },
	{ "SEAMCALL", EXIT_REASON_SEAMCALL, UD },
	{ "MOV DR", EXIT_REASON_DR_ACCESS, FATAL },
	{ "virtual EOI", EXIT_REASON_EOI_INDUCED, FATAL },
	{ "EPT misconfiguration", EXIT_REASON_EPT_MISCONFIG, FATAL },
	{ "above the table", 0x1ff, FATAL },
};

static void exit_reasons(struct kunit *test)
{
	static const u8 vectors[] = {
		[VE] = X86_TRAP_VE, [VE_QUALIFIED] = X86_TRAP_VE, [UD] = X86_TRAP_UD,
		[GP] = X86_TRAP_GP, [FATAL] = 0,
	};
	struct sim_test_td *td = running_td(test);
	struct sim_vcpu *vcpu = __va(td->tdvpr);
	int i;

	for (i = 0; i < ARRAY_SIZE(reason_cases); i++) {
		struct sim_test_guest guest = {
			.reason = reason_cases[i].reason, .qualification = QUALIFICATION,
			.set = { { GUEST_RFLAGS, X86_EFLAGS_FIXED } },
			.get = { { GUEST_RFLAGS } },
		};
		enum result result = reason_cases[i].result;
		bool to_host = result == HOST || result == FATAL;
		u64 status = result == FATAL ? TDX_NON_RECOVERABLE_TD : TDX_SUCCESS;
		const char *name = reason_cases[i].name;

		sim_test_exit(test, td, &guest);
		KUNIT_EXPECT_EQ_MSG(test, guest.action, to_host ? SIM_TO_HOST : SIM_RESUME,
				    "%s: action", name);
		KUNIT_EXPECT_EQ_MSG(test, guest.skipped, 0, "%s: RIP moved on", name);
		KUNIT_EXPECT_EQ_MSG(test, vector_of(&guest), vectors[result], "%s: vector", name);
		/* The exception is a fault. */
		KUNIT_EXPECT_EQ_MSG(test, guest.get[0].value & X86_EFLAGS_RF,
				    vectors[result] ? X86_EFLAGS_RF : 0, "%s: RFLAGS.RF", name);
		KUNIT_EXPECT_EQ_MSG(test, vcpu->ve.valid, result == VE || result == VE_QUALIFIED,
				    "%s: VE_INFO", name);
		if (vcpu->ve.valid) {
			sim_test_expect(test, name, reason_cases[i].reason, vcpu->ve.exit_reason);
			sim_test_expect(test, name, result == VE ? 0 : QUALIFICATION,
					vcpu->ve.exit_qualification);
		}
		if (to_host) {
			sim_test_expect(test, name, status | reason_cases[i].reason, guest.regs.ax);
			sim_test_expect(test, name, QUALIFICATION, guest.regs.cx);
			sim_test_tell(&sim_seamcall_names, TDH_VP_ENTER, guest.regs.ax);
		}
		KUNIT_EXPECT_EQ_MSG(test, vcpu->td->fatal, result == FATAL, "%s: fatal", name);
		vcpu->ve.valid = false;
		vcpu->td->fatal = false;
		vcpu->state = SIM_VCPU_READY;
	}
}

/* An event whose delivery led to a #VE is lost, and does not cause #DF. */
static enum sim_action ve_amid_event(struct sim_exit *exit)
{
	exit->vcpu->event.info = INTR_INFO_VALID_MASK | INTR_TYPE_EXT_INTR | 0x55;
	return sim_inject_ve(exit, 0, 0, 0);
}

/* A #VE while the information of another one is unread is #DF, and changes none. */
static void exit_double_fault(struct kunit *test)
{
	struct sim_test_td *td = running_td(test);
	struct sim_vcpu *vcpu = __va(td->tdvpr);
	struct sim_test_guest guest = { .reason = EXIT_REASON_HLT };

	vcpu->ve = (struct sim_ve_info) { .valid = true, .exit_reason = EXIT_REASON_CPUID };
	sim_test_exit(test, td, &guest);
	KUNIT_EXPECT_EQ(test, guest.event.info,
			INTR_INFO_VALID_MASK | INTR_TYPE_HARD_EXCEPTION |
			INTR_INFO_DELIVER_CODE_MASK | X86_TRAP_DF);
	KUNIT_EXPECT_EQ(test, guest.event.error_code, 0);
	KUNIT_EXPECT_TRUE(test, vcpu->ve.valid);
	KUNIT_EXPECT_EQ(test, vcpu->ve.exit_reason, EXIT_REASON_CPUID);

	vcpu->ve.valid = false;
	sim_test_run_handler(test, td, &guest, ve_amid_event);
	KUNIT_EXPECT_EQ(test, guest.event.info,
			INTR_INFO_VALID_MASK | INTR_TYPE_HARD_EXCEPTION | X86_TRAP_VE);
	vcpu->ve.valid = false;
}

/* After an exit that ends the TD, the other vCPUs end at their next exit. */
static void exit_of_a_fatal_td(struct kunit *test)
{
	static const u32 nmi = INTR_INFO_VALID_MASK | INTR_TYPE_NMI_INTR | X86_TRAP_NMI;
	static const u32 mc = INTR_INFO_VALID_MASK | INTR_TYPE_HARD_EXCEPTION | X86_TRAP_MC;
	struct sim_test_td *td = running_td(test);
	struct sim_vcpu *vcpu = __va(td->tdvpr);
	struct sim_test_guest guest = { .reason = EXIT_REASON_EXCEPTION_NMI, .intr_info = nmi };

	sim_test_exit(test, td, &guest);
	sim_test_expect(test, "NMI", TDX_SUCCESS, guest.regs.ax);
	sim_test_expect(test, "NMI: R9", nmi, guest.regs.r9);
	KUNIT_EXPECT_FALSE(test, vcpu->td->fatal);

	guest.intr_info = mc;
	sim_test_exit(test, td, &guest);
	sim_test_expect(test, "#MC", TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE, guest.regs.ax);
	sim_test_expect(test, "#MC: R9", mc, guest.regs.r9);
	sim_test_tell(&sim_seamcall_names, TDH_VP_ENTER, guest.regs.ax);
	KUNIT_EXPECT_TRUE(test, vcpu->td->fatal);

	guest = (struct sim_test_guest) { .reason = EXIT_REASON_HLT };
	sim_test_exit(test, td, &guest);
	KUNIT_EXPECT_EQ(test, guest.action, SIM_TO_HOST);
	sim_test_expect(test, "HLT", TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE | EXIT_REASON_HLT,
			guest.regs.ax);
	vcpu->td->fatal = false;
}

/* Single-step works over an instruction that the module carries out. */
static void exit_single_step(struct kunit *test)
{
	static const struct {
		const char *name;
		u64 rflags;
		u64 debugctl;
		u64 want;
	} cases[] = {
		{ "no stepping", X86_EFLAGS_FIXED, 0, 0 },
		{ "RF", X86_EFLAGS_FIXED | X86_EFLAGS_RF, 0, 0 },
		{ "TF", X86_EFLAGS_FIXED | X86_EFLAGS_TF, 0, DR_STEP },
		{ "TF by branch", X86_EFLAGS_FIXED | X86_EFLAGS_TF, DEBUGCTLMSR_BTF, 0 },
	};
	struct sim_test_td *td = running_td(test);
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sim_test_guest guest = {
			.gpr = { [SIM_RAX] = 0x21 }, .reason = EXIT_REASON_CPUID,
			.set = { { GUEST_RFLAGS, cases[i].rflags },
				 { GUEST_IA32_DEBUGCTL, cases[i].debugctl },
				 { GUEST_PENDING_DBG_EXCEPTIONS, 0 } },
			.get = { { GUEST_PENDING_DBG_EXCEPTIONS }, { GUEST_RFLAGS } },
		};

		sim_test_exit(test, td, &guest);
		sim_test_expect(test, cases[i].name, cases[i].want, guest.get[0].value);
		/* The breakpoint of the next instruction must not be missed. */
		sim_test_expect(test, cases[i].name, cases[i].rflags & ~X86_EFLAGS_RF,
				guest.get[1].value);
	}
}

/* Bits that an earlier exception set in DR6 stay there until the TD clears them. */
static void exit_debug_exception(struct kunit *test)
{
	struct sim_test_td *td = running_td(test);
	struct sim_vcpu *vcpu = __va(td->tdvpr);
	struct sim_test_guest guest = {
		.reason = EXIT_REASON_EXCEPTION_NMI,
		.intr_info = INTR_INFO_VALID_MASK | INTR_TYPE_HARD_EXCEPTION | X86_TRAP_DB,
		.qualification = DR_TRAP0,
	};

	sim_test_run_handler(test, td, &guest, sim_reflect_exception);
	KUNIT_EXPECT_EQ(test, vector_of(&guest), X86_TRAP_DB);
	sim_test_expect(test, "DR6", DR6_RESERVED | DR_TRAP0, vcpu->dr6);
	guest.qualification = DR_STEP;
	sim_test_run_handler(test, td, &guest, sim_reflect_exception);
	sim_test_expect(test, "DR6", DR6_RESERVED | DR_TRAP0 | DR_STEP, vcpu->dr6);
}

/* An access with a bit set above the GPA width, which a CPU may have and a TD not. */
static enum sim_action wide_gpa(struct sim_exit *exit)
{
	return sim_ept_violation(exit, GPA_PAGE | BIT_ULL(TDX_GPA_WIDTH), 0x123000);
}

/* A fetch from shared memory. */
static enum sim_action shared_fetch(struct sim_exit *exit)
{
	return sim_ept_violation(exit, GPA_PAGE | TDX_SHARED_GPA, 0x123000);
}

static void exit_ept_violation(struct kunit *test)
{
	struct sim_test_td *td = running_td(test);
	struct sim_vcpu *vcpu = __va(td->tdvpr);
	struct sim_test_guest guest = {
		.reason = EXIT_REASON_EPT_VIOLATION,
		.qualification = EPT_VIOLATION_ACC_WRITE | EPT_VIOLATION_GVA_IS_VALID,
		.set = { { GUEST_SS_AR_BYTES, 0xc0f3 } },
	};

	sim_test_run_handler(test, td, &guest, wide_gpa);
	KUNIT_EXPECT_EQ(test, guest.action, SIM_RESUME);
	KUNIT_EXPECT_EQ(test, vector_of(&guest), X86_TRAP_PF);
	KUNIT_EXPECT_EQ(test, guest.event.error_code,
			X86_PF_PROT | X86_PF_WRITE | X86_PF_USER | X86_PF_RSVD);
	KUNIT_EXPECT_EQ(test, vcpu->cr2, 0x123000);

	guest.qualification = EPT_VIOLATION_ACC_INSTR | EPT_VIOLATION_GVA_IS_VALID;
	sim_test_run_handler(test, td, &guest, shared_fetch);
	KUNIT_EXPECT_EQ(test, guest.action, SIM_RESUME);
	KUNIT_EXPECT_EQ(test, vector_of(&guest), X86_TRAP_PF);
	KUNIT_EXPECT_EQ(test, guest.event.error_code,
			X86_PF_PROT | X86_PF_INSTR | X86_PF_USER | X86_PF_RSVD);

	/* An access to a page table has no linear address. */
	guest.qualification = EPT_VIOLATION_ACC_READ;
	sim_test_run_handler(test, td, &guest, wide_gpa);
	KUNIT_EXPECT_EQ(test, guest.action, SIM_TO_HOST);
	sim_test_expect(test, "R8", GPA_PAGE | BIT_ULL(TDX_GPA_WIDTH), guest.regs.r8);

	/* IRET cannot read its stack: NMIs stay blocked, and the host learns no details. */
	guest = (struct sim_test_guest) {
		.reason = EXIT_REASON_EPT_VIOLATION,
		.qualification = GENMASK_ULL(12, 7) | EPT_VIOLATION_ACC_READ,
		.set = { { GUEST_INTERRUPTIBILITY_INFO, 0 } },
		.get = { { GUEST_INTERRUPTIBILITY_INFO } },
	};
	sim_test_exit(test, td, &guest);
	sim_test_expect(test, "RCX", EPT_VIOLATION_ACC_READ, guest.regs.cx);
	sim_test_expect(test, "blocking", GUEST_INTR_STATE_NMI, guest.get[0].value);
}

enum msr_result {
	MSR_NATIVE,
	MSR_VE,
	MSR_GP,
	MSR_VALUE,
};

/* The first, or the only one, of each kind of MSR, and neighbours of ranges. */
static const struct {
	u32 msr;
	enum msr_result read;
	enum msr_result write;		/* of 0; MSR_VALUE: done */
	u64 value;
} msr_cases[] = {
	{ MSR_IA32_TSC, MSR_NATIVE, MSR_VE },
	{ MSR_IA32_APICBASE, MSR_VE, MSR_VE },
	{ MSR_IA32_TSC_ADJUST, MSR_VE, MSR_VE },
	{ MSR_IA32_SPEC_CTRL, MSR_NATIVE, MSR_NATIVE },
	{ MSR_IA32_PRED_CMD, MSR_NATIVE, MSR_NATIVE },
	{ MSR_IA32_MKTME_KEYID_PARTITIONING, MSR_GP, MSR_GP },
	{ MSR_IA32_UCODE_REV, MSR_VE, MSR_VE },
	{ MSR_IA32_SGXLEPUBKEYHASH0, MSR_GP, MSR_GP },
	{ 0x9c, MSR_VE, MSR_VE },
	{ MSR_IA32_XAPIC_DISABLE_STATUS, MSR_VALUE, MSR_GP, LEGACY_XAPIC_DISABLED },
	{ MSR_IA32_PERFCTR0 + 7, MSR_GP, MSR_GP },
	{ MSR_IA32_PERFCTR0 + 8, MSR_VE, MSR_VE },
	{ MSR_IA32_FLUSH_CMD, MSR_NATIVE, MSR_NATIVE },
	{ MSR_IA32_TSX_CTRL, MSR_GP, MSR_GP },
	{ MSR_IA32_SYSENTER_EIP, MSR_NATIVE, MSR_NATIVE },
	{ MSR_IA32_MCG_CAP, MSR_VE, MSR_VE },
	{ 0x195, MSR_GP, MSR_GP },
	{ MSR_IA32_DEBUGCTLMSR, MSR_VALUE, MSR_VALUE, 0 },
	{ 0x1fa, MSR_GP, MSR_GP },
	{ MSR_IA32_POWER_CTL, MSR_VE, MSR_VE },
	{ MSR_IA32_CR_PAT, MSR_NATIVE, MSR_NATIVE },
	{ 0x2ff, MSR_VE, MSR_VE },		/* MTRRs */
	{ MSR_IA32_PERF_CAPABILITIES, MSR_VALUE, MSR_GP, 0 },
	{ 0x392, MSR_GP, MSR_GP },
	{ 0x3f3, MSR_VE, MSR_VE },
	{ MSR_IA32_VMX_BASIC, MSR_VE, MSR_GP },
	{ 0x492, MSR_VE, MSR_GP },
	{ 0x493, MSR_VE, MSR_VE },
	{ 0x4c8, MSR_GP, MSR_GP },
	{ 0x562, MSR_VE, MSR_VE },
	{ MSR_IA32_U_CET, MSR_GP, MSR_GP },
	{ 0x6a1, MSR_VE, MSR_VE },
	{ MSR_IA32_TSC_DEADLINE, MSR_GP, MSR_GP },
	{ 0x6e1, MSR_GP, MSR_GP },
	{ 0x801, MSR_GP, MSR_GP },
	{ 0x802, MSR_VE, MSR_VE },
	{ 0x808, MSR_NATIVE, MSR_NATIVE },
	{ 0x809, MSR_GP, MSR_GP },
	{ 0x80b, MSR_NATIVE, MSR_NATIVE },
	{ 0x80d, MSR_VE, MSR_VE },
	{ 0x80e, MSR_GP, MSR_GP },
	{ 0x827, MSR_NATIVE, MSR_NATIVE },
	{ 0x830, MSR_VE, MSR_VE },
	{ 0x83f, MSR_NATIVE, MSR_NATIVE },
	{ 0x8ff, MSR_GP, MSR_GP },
	{ 0x980, MSR_VE, MSR_VE },
	{ 0x984, MSR_GP, MSR_GP },
	{ MSR_IA32_PASID, MSR_GP, MSR_GP },
	{ MSR_IA32_XSS, MSR_VALUE, MSR_VALUE, 0 },
	{ 0x12ff, MSR_GP, MSR_GP },
	{ 0x14cd, MSR_VE, MSR_VE },
	{ 0x16ff, MSR_GP, MSR_GP },
	{ 0x2000, MSR_VE, MSR_VE },
	{ 0x40000000, MSR_VE, MSR_VE },
	{ MSR_EFER, MSR_NATIVE, MSR_VE },	/* 0 would turn long mode off */
	{ MSR_CSTAR, MSR_VE, MSR_VE },
	{ MSR_TSC_AUX, MSR_NATIVE, MSR_NATIVE },
	{ 0xc0002000, MSR_VE, MSR_VE },
};

/* Bit of @msr in the bitmaps: reads of low and high MSRs, then writes. */
static bool msr_exits(const u8 *bitmap, u32 msr, bool write)
{
	u32 byte = (msr & 0x1fff) / 8 + (msr >> 31) * 1024 + write * 2048;

	if ((msr & ~BIT(31) & ~BIT(30)) >= 0x2000)
		return true;
	return bitmap[byte] & BIT(msr & 7);
}

static void expect_msr(struct kunit *test, struct sim_test_td *td, int i, bool write)
{
	enum msr_result want = write ? msr_cases[i].write : msr_cases[i].read;
	const char *what = write ? "write" : "read";
	struct sim_vcpu *vcpu = __va(td->tdvpr);
	struct sim_tdcs *tdcs = __va(td->tdcx[SIM_TDCX_TDCS]);
	u32 msr = msr_cases[i].msr;
	struct sim_test_guest guest = {
		.gpr = { [SIM_RCX] = msr },
		.reason = write ? EXIT_REASON_MSR_WRITE : EXIT_REASON_MSR_READ,
	};

	KUNIT_EXPECT_EQ_MSG(test, msr_exits((u8 *)tdcs->msr_bitmap, msr, write),
			    want != MSR_NATIVE, "%s of MSR 0x%x: does it exit?", what, msr);
	if (want == MSR_NATIVE)
		return;

	sim_test_exit(test, td, &guest);
	KUNIT_EXPECT_EQ_MSG(test, vector_of(&guest),
			    want == MSR_VE ? X86_TRAP_VE : want == MSR_GP ? X86_TRAP_GP : 0,
			    "%s of MSR 0x%x: vector", what, msr);
	if (want == MSR_VE)
		KUNIT_EXPECT_EQ_MSG(test, vcpu->ve.exit_reason, guest.reason,
				    "%s of MSR 0x%x: exit reason", what, msr);
	vcpu->ve.valid = false;
	if (want == MSR_VALUE && !write)
		KUNIT_EXPECT_EQ_MSG(test, guest.gpr[SIM_RDX] << 32 | guest.gpr[SIM_RAX],
				    msr_cases[i].value, "read of MSR 0x%x", msr);
}

static void msr_access(struct kunit *test)
{
	struct sim_test_td *td = running_td(test);
	int i;

	for (i = 0; i < ARRAY_SIZE(msr_cases); i++) {
		expect_msr(test, td, i, false);
		expect_msr(test, td, i, true);
	}
}

static void msr_debugctl(struct kunit *test)
{
	static const struct {
		u64 value;
		u8 vector;
		u64 want;
	} cases[] = {
		{ DEBUGCTLMSR_BTF, 0, DEBUGCTLMSR_BTF },
		{ DEBUGCTLMSR_BTF | BIT(13), 0, DEBUGCTLMSR_BTF },
		{ DEBUGCTLMSR_TR, X86_TRAP_VE },
		{ DEBUGCTLMSR_TR | BIT(3), X86_TRAP_GP },
		{ BIT(5), X86_TRAP_GP },
		{ BIT(16), X86_TRAP_GP },
		{ BIT_ULL(63), X86_TRAP_GP },
	};
	struct sim_test_td *td = running_td(test);
	struct sim_vcpu *vcpu = __va(td->tdvpr);
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sim_test_guest guest = {
			.gpr = { [SIM_RCX] = MSR_IA32_DEBUGCTLMSR, [SIM_RAX] = cases[i].value,
				 [SIM_RDX] = cases[i].value >> 32 },
			.reason = EXIT_REASON_MSR_WRITE, .set = { { GUEST_IA32_DEBUGCTL, 0 } },
			.get = { { GUEST_IA32_DEBUGCTL } },
		};

		sim_test_exit(test, td, &guest);
		vcpu->ve.valid = false;
		KUNIT_EXPECT_EQ_MSG(test, vector_of(&guest), cases[i].vector,
				    "0x%llx: vector", cases[i].value);
		KUNIT_EXPECT_EQ_MSG(test, guest.get[0].value, cases[i].want,
				    "0x%llx: field", cases[i].value);
	}
}

static struct kunit_case sim_exits_cases[] = {
	KUNIT_CASE(exit_reasons),
	KUNIT_CASE(exit_double_fault),
	KUNIT_CASE(exit_of_a_fatal_td),
	KUNIT_CASE(exit_single_step),
	KUNIT_CASE(exit_debug_exception),
	KUNIT_CASE(exit_ept_violation),
	KUNIT_CASE(msr_access),
	KUNIT_CASE(msr_debugctl),
	{}
};

static struct kunit_suite sim_exits_suite = {
	.name = "tdx_sim_exits",
	.init = sim_test_init,
	.test_cases = sim_exits_cases,
};

kunit_test_suite(sim_exits_suite);
