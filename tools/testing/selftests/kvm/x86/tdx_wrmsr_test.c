// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VMCALL<Instruction.WRMSR>: the MSRs that KVM emulates for a TD, with the
 * values that it accepts, and those that it asks userspace for.
 */
#include <asm/mtrr.h>

#include "kvm_util.h"
#include "processor.h"
#include "vmx.h"
#include "tdx/tdx_msr.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_ve.h"

#define BIT_32		BIT_ULL(32)

/* All bytes differ. */
#define TEST_DATA	0x1122334455667788ULL

#define NR_BANKS	2

/* KVM emulates it for a TD, but it is read-only, which makes a write invalid. */
#define INVALID_MSR	MSR_EFER
/* A TD accesses it itself: KVM does not emulate it. */
#define UNKNOWN_MSR	MSR_IA32_TSC

/* Memory types in the MTRRs and the PAT: WB, WP. */
#define FIXED_MTRR	0x0606050506060505ULL

struct msr_row {
	u32 index;
	u64 value;
};

TDX_FIXTURE(wrmsr);
TDX_FIXTURE_SETUP(wrmsr, tdvmcall_vm_create);

static void run_write(struct kvm_vcpu *vcpu, u64 index, u64 value)
{
	struct tdx_insn insn;

	tdx_msr_init_write(&insn, index, value);
	tdx_insn_run(vcpu, &insn);
}

static void run_refused(struct kvm_vcpu *vcpu, u64 index, u64 value)
{
	struct tdx_insn insn;

	tdx_msr_init_write(&insn, index, value);
	tdx_insn_refused(&insn);
	tdx_insn_run(vcpu, &insn);
}

static void check_msr(struct kvm_vcpu *vcpu, u32 index, u64 value)
{
	const u64 got = vcpu_get_msr(vcpu, index);

	TEST_ASSERT(got == value, "MSR 0x%x after WRMSR: wanted 0x%lx, got 0x%lx", index, value,
		    got);
}

/* Userspace reads all 64 bits of the value that the TD has written. */
TDX_TEST_F(wrmsr, seen_by_userspace)
{
	static const struct msr_row rows[] = {
		{ MSR_IA32_POWER_CTL, TEST_DATA },
		{ MSR_IA32_POWER_CTL, ~TEST_DATA },
		{ MSR_IA32_CR_PAT, FIXED_MTRR },
		{ MTRRphysBase_MSR(0), 0x12345006 },
		{ MTRRphysMask_MSR(7), 0xfedcba800 },
		{ MSR_MTRRfix64K_00000, FIXED_MTRR },
		{ MSR_MTRRfix16K_A0000, FIXED_MTRR },
		{ MSR_MTRRfix4K_F8000, FIXED_MTRR },
		{ MSR_MTRRdefType, 0xc06 },
		{ MSR_IA32_MCG_STATUS, TEST_DATA },
		{ MSR_IA32_MCG_CTL, 0 },
		{ MSR_IA32_MCG_CTL, ~0ULL },
		{ MSR_IA32_MCG_EXT_CTL, 1 },
		{ MSR_IA32_MC0_CTL, 0 },
		{ MSR_IA32_MC0_STATUS, 0 },
		{ MSR_IA32_MC0_ADDR, TEST_DATA },
		{ MSR_IA32_MCx_MISC(NR_BANKS - 1), ~TEST_DATA },
		{ MSR_IA32_MCx_CTL2(NR_BANKS - 1), BIT(30) | 1 },
		{ MSR_KVM_POLL_CONTROL, 0 },
		{ MSR_KVM_POLL_CONTROL, 1 },
	};
	size_t i;

	tdx_msr_setup_mce(self->vcpu, NR_BANKS);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		run_write(self->vcpu, rows[i].index, rows[i].value);
		check_msr(self->vcpu, rows[i].index, rows[i].value);
	}
}

/* A TD cannot change the bits of EMON and of the PMU. */
TDX_TEST_F(wrmsr, misc_enable)
{
	const u64 old = MSR_IA32_MISC_ENABLE_FAST_STRING | MSR_IA32_MISC_ENABLE_EMON;

	vcpu_set_msr(self->vcpu, MSR_IA32_MISC_ENABLE, old);

	run_write(self->vcpu, MSR_IA32_MISC_ENABLE, BIT_ULL(63) | MSR_IA32_MISC_ENABLE_TM1);
	check_msr(self->vcpu, MSR_IA32_MISC_ENABLE,
		  BIT_ULL(63) | MSR_IA32_MISC_ENABLE_TM1 | MSR_IA32_MISC_ENABLE_EMON);

	run_refused(self->vcpu, MSR_IA32_MISC_ENABLE, MSR_IA32_MISC_ENABLE_BTS_UNAVAIL);
	run_refused(self->vcpu, MSR_IA32_MISC_ENABLE, MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL);
	check_msr(self->vcpu, MSR_IA32_MISC_ENABLE,
		  BIT_ULL(63) | MSR_IA32_MISC_ENABLE_TM1 | MSR_IA32_MISC_ENABLE_EMON);
}

/* KVM ignores a write to the microcode revision. */
TDX_TEST_F(wrmsr, ignored)
{
	vcpu_set_msr(self->vcpu, MSR_IA32_UCODE_REV, TEST_DATA);
	run_write(self->vcpu, MSR_IA32_UCODE_REV, ~TEST_DATA);
	check_msr(self->vcpu, MSR_IA32_UCODE_REV, TEST_DATA);
}

/* Read-only for a TD, even if it writes the present value. */
TDX_TEST_F(wrmsr, read_only)
{
	static const u32 indexes[] = {
		MSR_IA32_APICBASE, MSR_EFER, MSR_IA32_FEAT_CTL, MSR_IA32_MCG_CAP, MSR_MTRRcap,
		MSR_PLATFORM_INFO, MSR_IA32_ARCH_CAPABILITIES,
	};
	u64 old;
	size_t i;

	if (kvm_is_ignore_msrs())
		SKIP(return, TDX_MSR_IGNORED_REASON);

	for (i = 0; i < ARRAY_SIZE(indexes); i++) {
		old = vcpu_get_msr(self->vcpu, indexes[i]);
		run_refused(self->vcpu, indexes[i], old);
		run_refused(self->vcpu, indexes[i], old ^ 1);
		run_refused(self->vcpu, indexes[i], 0);
		check_msr(self->vcpu, indexes[i], old);
	}
}

static void write_and_read(struct kvm_vcpu *vcpu, u64 index, u64 value)
{
	struct tdx_insn insn;

	run_write(vcpu, index, value);
	tdx_msr_init_read(&insn, index, value);
	tdx_insn_run(vcpu, &insn);
}

TDX_TEST_F(wrmsr, x2apic)
{
	static const u32 lvt[] = {
		X2APIC_MSR(APIC_LVTCMCI), X2APIC_MSR(APIC_LVTT), X2APIC_MSR(APIC_LVTTHMR),
		X2APIC_MSR(APIC_LVTPC), X2APIC_MSR(APIC_LVT0), X2APIC_MSR(APIC_LVT1),
		X2APIC_MSR(APIC_LVTERR),
	};
	static const u32 read_only[] = {
		X2APIC_MSR(APIC_ID), X2APIC_MSR(APIC_LVR), X2APIC_MSR(APIC_LDR),
		X2APIC_MSR(APIC_TMCCT),
	};
	size_t i;

	tdx_msr_setup_mce(self->vcpu, NR_BANKS);

	/* All entries stay masked while the local APIC is off. */
	write_and_read(self->vcpu, X2APIC_MSR(APIC_SPIV), APIC_SPIV_APIC_ENABLED | 0xe1);
	for (i = 0; i < ARRAY_SIZE(lvt); i++)
		write_and_read(self->vcpu, lvt[i], APIC_LVT_MASKED | (0xe0 + i));
	write_and_read(self->vcpu, X2APIC_MSR(APIC_TDCR), 0xb);

	run_write(self->vcpu, X2APIC_MSR(APIC_ESR), 0);
	run_write(self->vcpu, X2APIC_MSR(APIC_TMICT), 0);
	run_write(self->vcpu, MSR_IA32_TSC_DEADLINE, 0);

	run_refused(self->vcpu, X2APIC_MSR(APIC_ESR), 1);
	for (i = 0; i < ARRAY_SIZE(read_only); i++)
		run_refused(self->vcpu, read_only[i], 0);
	/* All registers except ICR have 32 bits. */
	run_refused(self->vcpu, X2APIC_MSR(APIC_TDCR), BIT_32 | 0xb);
	run_refused(self->vcpu, X2APIC_MSR(APIC_SPIV), BIT_32 | 0xff);
}

/* Neighbours of the list, and MSRs that a TD accesses itself or does not have. */
TDX_TEST_F(wrmsr, not_emulated)
{
	static const u64 indexes[] = {
		0, MSR_IA32_TSC, MSR_IA32_TSC_ADJUST, MSR_IA32_SPEC_CTRL, MSR_IA32_SYSENTER_CS,
		MSR_IA32_PERF_CTL, MTRRphysBase_MSR(0) - 1, MSR_MTRRfix4K_F8000 + 1,
		MSR_IA32_MC0_CTL2 - 1, MSR_IA32_MCx_CTL2(32), MSR_IA32_MC0_CTL - 1,
		MSR_IA32_MCx_CTL(32), MSR_IA32_XSS, MSR_STAR, MSR_FS_BASE, MSR_TSC_AUX,
		MSR_KVM_WALL_CLOCK_NEW, MSR_KVM_SYSTEM_TIME_NEW, MSR_KVM_POLL_CONTROL + 1,
		/* x2APIC registers that a TD accesses itself, or does not have. */
		0x800, 0x801, X2APIC_MSR(APIC_TASKPRI), X2APIC_MSR(APIC_EOI),
		X2APIC_MSR(APIC_ISR), X2APIC_MSR(APIC_ICR) + 1, X2APIC_MSR(APIC_SELF_IPI),
		0x8ff, 0xffffffff,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(indexes); i++)
		run_refused(self->vcpu, indexes[i], 0);
}

/* Values that an MSR of the list cannot have, and MSRs that do not exist. */
TDX_TEST_F(wrmsr, value_refused)
{
	static const struct msr_row rows[] = {
		{ MSR_IA32_CR_PAT, 2 },
		{ MSR_IA32_CR_PAT, 8ULL << 56 },
		{ MTRRphysBase_MSR(0), 2 },
		{ MTRRphysBase_MSR(0), BIT_ULL(63) | 6 },
		{ MTRRphysMask_MSR(0), 1 },
		{ MTRRphysMask_MSR(7) + 1, 0 },
		{ MSR_MTRRfix64K_00000, 2ULL << 56 },
		{ MSR_MTRRfix64K_00000 + 1, 0 },
		{ MSR_MTRRdefType, BIT_32 },
		{ MSR_MTRRdefType, 7 },
		{ MSR_MISC_FEATURES_ENABLES, 2 },
		{ MSR_IA32_MCG_CTL, 1 },
		{ MSR_IA32_MCG_EXT_CTL, 2 },
		{ MSR_IA32_MC0_CTL, 2 },
		{ MSR_IA32_MC0_STATUS, 1 },
		{ MSR_IA32_MC0_CTL2, BIT_32 },
		{ MSR_IA32_MCx_CTL(NR_BANKS), 0 },
		{ MSR_IA32_MCx_CTL2(NR_BANKS), 0 },
		{ MSR_KVM_POLL_CONTROL, 2 },
		{ MSR_KVM_POLL_CONTROL, BIT_32 },
	};
	size_t i;

	tdx_msr_setup_mce(self->vcpu, NR_BANKS);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		run_refused(self->vcpu, rows[i].index, rows[i].value);
}

/* ECX has 32 bits: the upper half of R12 does not count. */
TDX_TEST_F(wrmsr, index_truncated)
{
	static const u64 above[] = { BIT_32, BIT_ULL(63), GENMASK_ULL(63, 32) };
	struct tdx_insn insn;
	size_t i;

	tdx_msr_set_exits(self->vm, TDX_MSR_EXITS_ALL);

	for (i = 0; i < ARRAY_SIZE(above); i++) {
		run_write(self->vcpu, above[i] | MSR_IA32_POWER_CTL, TEST_DATA + i);
		check_msr(self->vcpu, MSR_IA32_POWER_CTL, TEST_DATA + i);

		tdx_msr_init_write(&insn, above[i] | MSR_EFER, TEST_DATA);
		tdx_msr_run_exit(self->vcpu, &insn, KVM_MSR_EXIT_REASON_INVAL);
		tdx_insn_finish(self->vcpu, &insn);
	}
}

/* Each reason with each set of reasons for which KVM asks userspace. */
TDX_TEST_F(wrmsr, reason_filter)
{
	static const struct tdx_msr_filter_row deny = {
		KVM_MSR_FILTER_WRITE, MSR_IA32_POWER_CTL, false,
	};
	const u64 old = vcpu_get_msr(self->vcpu, MSR_IA32_POWER_CTL);
	struct tdx_insn insn;

	tdx_msr_set_filter(self->vm, KVM_MSR_FILTER_DEFAULT_ALLOW, &deny, 1);
	tdx_msr_init_write(&insn, MSR_IA32_POWER_CTL, TEST_DATA);
	tdx_msr_run_reasons(self->vcpu, &insn, KVM_MSR_EXIT_REASON_FILTER);
	check_msr(self->vcpu, MSR_IA32_POWER_CTL, old);
}

TDX_TEST_F(wrmsr, reason_inval)
{
	struct tdx_insn insn;

	tdx_msr_init_write(&insn, INVALID_MSR, TEST_DATA);
	tdx_msr_run_reasons(self->vcpu, &insn, KVM_MSR_EXIT_REASON_INVAL);
}

TDX_TEST_F(wrmsr, reason_unknown_of_unlisted)
{
	static const u32 indexes[] = { UNKNOWN_MSR, MSR_STAR, 0x800, X2APIC_MSR(APIC_TASKPRI) };
	struct tdx_insn insn;
	size_t i;

	if (kvm_is_ignore_msrs())
		SKIP(return, TDX_MSR_IGNORED_REASON);

	for (i = 0; i < ARRAY_SIZE(indexes); i++) {
		tdx_msr_init_write(&insn, indexes[i], TEST_DATA);
		tdx_msr_run_reasons(self->vcpu, &insn, KVM_MSR_EXIT_REASON_UNKNOWN);
	}
}

TDX_FINDING(10, "wrmsr.reason_unknown_of_unlisted");

/*
 * The reason is not "unknown", even where code that is common to all VMs refuses the
 * write.
 */
TDX_TEST_F(wrmsr, reason_inval_of_read_only)
{
	static const u32 indexes[] = { MSR_IA32_APICBASE, MSR_EFER, MSR_IA32_FEAT_CTL };
	struct tdx_insn insn;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(indexes); i++) {
		tdx_msr_init_write(&insn, indexes[i], TEST_DATA);
		tdx_msr_run_reasons(self->vcpu, &insn, KVM_MSR_EXIT_REASON_INVAL);
	}
}

TDX_TEST_F(wrmsr, reason_unknown)
{
	struct tdx_insn insn;

	if (kvm_is_ignore_msrs())
		SKIP(return, TDX_MSR_IGNORED_REASON);

	vcpu_enable_cap(self->vcpu, KVM_CAP_ENFORCE_PV_FEATURE_CPUID, 1);
	tdx_msr_init_write(&insn, MSR_KVM_POLL_CONTROL, 1);
	tdx_msr_run_reasons(self->vcpu, &insn, KVM_MSR_EXIT_REASON_UNKNOWN);
}

/* KVM checks the filter first, whether the MSR is read-only, absent, or neither. */
TDX_TEST_F(wrmsr, filter_before_list)
{
	static const struct tdx_msr_filter_row deny[] = {
		{ KVM_MSR_FILTER_WRITE, UNKNOWN_MSR, false },
		{ KVM_MSR_FILTER_WRITE, MSR_EFER, false },
		{ KVM_MSR_FILTER_WRITE, MSR_IA32_CR_PAT, false },
	};
	struct tdx_insn insn;
	size_t i;

	tdx_msr_set_filter(self->vm, KVM_MSR_FILTER_DEFAULT_ALLOW, deny, ARRAY_SIZE(deny));
	tdx_msr_set_exits(self->vm, TDX_MSR_EXITS_ALL);

	for (i = 0; i < ARRAY_SIZE(deny); i++) {
		tdx_msr_init_write(&insn, deny[i].index, ~0ULL);
		tdx_msr_run_exit(self->vcpu, &insn, KVM_MSR_EXIT_REASON_FILTER);
		tdx_insn_finish(self->vcpu, &insn);
	}
}

/* A filter that allows writes of one MSR.  A filter does not apply to x2APIC MSRs. */
TDX_TEST_F(wrmsr, default_deny)
{
	static const struct tdx_msr_filter_row rows[] = {
		{ KVM_MSR_FILTER_READ, MSR_IA32_MISC_ENABLE, true },
		{ KVM_MSR_FILTER_WRITE, MSR_IA32_POWER_CTL, true },
		{ KVM_MSR_FILTER_WRITE, X2APIC_MSR(APIC_TDCR), false },
	};
	static const u32 filtered[] = { MSR_IA32_MISC_ENABLE, MSR_IA32_CR_PAT, 0x7ff, 0x900 };
	static const u32 absent[] = { 0x800, X2APIC_MSR(APIC_TASKPRI), 0x8ff };
	struct tdx_insn insn;
	size_t i;

	tdx_msr_set_filter(self->vm, KVM_MSR_FILTER_DEFAULT_DENY, rows, ARRAY_SIZE(rows));

	run_write(self->vcpu, MSR_IA32_POWER_CTL, TEST_DATA);
	check_msr(self->vcpu, MSR_IA32_POWER_CTL, TEST_DATA);
	write_and_read(self->vcpu, X2APIC_MSR(APIC_TDCR), 0xb);
	/* An IPI to no vCPU: logical destination 0. */
	run_write(self->vcpu, X2APIC_MSR(APIC_ICR), APIC_DEST_LOGICAL | 0xe0);
	for (i = 0; i < ARRAY_SIZE(filtered); i++)
		run_refused(self->vcpu, filtered[i], 0);

	tdx_msr_set_exits(self->vm, TDX_MSR_EXITS_ALL);
	for (i = 0; i < ARRAY_SIZE(filtered); i++) {
		tdx_msr_init_write(&insn, filtered[i], TEST_DATA);
		tdx_msr_run_exit(self->vcpu, &insn, KVM_MSR_EXIT_REASON_FILTER);
		tdx_insn_finish(self->vcpu, &insn);
	}
	tdx_msr_set_exits(self->vm, KVM_MSR_EXIT_REASON_FILTER);
	for (i = 0; i < ARRAY_SIZE(absent); i++)
		run_refused(self->vcpu, absent[i], TEST_DATA);
}

/* Any value except 0 is an error.  KVM returns nothing and does nothing. */
TDX_TEST_F(wrmsr, answer)
{
	static const u8 errors[] = { 0, 1, 2, 0x80, 0xff };
	static const u64 values[] = { 0, TEST_DATA, ~0ULL, BIT_32, BIT_ULL(31) };
	const u64 old = vcpu_get_msr(self->vcpu, MSR_EFER);
	struct tdx_insn insn;
	size_t i, j;

	tdx_msr_set_exits(self->vm, KVM_MSR_EXIT_REASON_INVAL);

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		for (j = 0; j < ARRAY_SIZE(values); j++) {
			tdx_msr_init_write(&insn, MSR_EFER, values[j]);
			if (errors[i])
				tdx_insn_refused(&insn);
			tdx_msr_run_exit(self->vcpu, &insn, KVM_MSR_EXIT_REASON_INVAL);
			tdx_msr_answer(self->vcpu, errors[i], ~values[j]);
			tdx_insn_finish(self->vcpu, &insn);
		}
	}

	check_msr(self->vcpu, MSR_EFER, old);
}

/* If userspace does nothing the write succeeds. */
TDX_TEST_F(wrmsr, default_answer)
{
	struct tdx_insn insn;

	tdx_msr_set_exits(self->vm, KVM_MSR_EXIT_REASON_INVAL);
	tdx_msr_init_write(&insn, INVALID_MSR, TEST_DATA);
	tdx_msr_run_exit(self->vcpu, &insn, KVM_MSR_EXIT_REASON_INVAL);
	tdx_insn_finish(self->vcpu, &insn);
}

/* Only the error is the answer. */
TDX_TEST_F(wrmsr, edited_exit)
{
	struct kvm_run *run = self->vcpu->run;
	struct tdx_insn insn;

	tdx_msr_set_exits(self->vm, KVM_MSR_EXIT_REASON_INVAL);
	tdx_msr_init_write(&insn, INVALID_MSR, TEST_DATA);
	tdx_msr_run_exit(self->vcpu, &insn, KVM_MSR_EXIT_REASON_INVAL);

	run->exit_reason = KVM_EXIT_X86_RDMSR;
	run->msr.reason = KVM_MSR_EXIT_REASON_FILTER;
	run->msr.index = MSR_IA32_POWER_CTL;
	run->msr.data = ~TEST_DATA;
	memset(run->msr.pad, 0xff, sizeof(run->msr.pad));
	tdx_insn_finish(self->vcpu, &insn);
	check_msr(self->vcpu, MSR_IA32_POWER_CTL, 0);
}

TDX_TEST_F(wrmsr, immediate_exit)
{
	struct tdx_insn insn;

	tdx_msr_set_exits(self->vm, KVM_MSR_EXIT_REASON_INVAL);

	tdx_msr_init_write(&insn, INVALID_MSR, TEST_DATA);
	tdx_msr_run_exit(self->vcpu, &insn, KVM_MSR_EXIT_REASON_INVAL);
	tdx_insn_interrupt(self->vcpu, &insn);
	tdx_insn_finish(self->vcpu, &insn);

	tdx_insn_refused(&insn);
	tdx_msr_run_exit(self->vcpu, &insn, KVM_MSR_EXIT_REASON_INVAL);
	tdx_msr_answer(self->vcpu, 1, 0);
	tdx_insn_interrupt(self->vcpu, &insn);
	tdx_insn_finish(self->vcpu, &insn);
}

static void guest_native_wrmsr(void)
{
	wrmsr(MSR_IA32_POWER_CTL, TEST_DATA);
	GUEST_SYNC1(TEST_DATA);
}

/* The instruction raises #VE, whose handler in the TD issues the hypercall. */
TEST(native_wrmsr)
{
	const struct tdx_ve_info ve = {
		.exit_reason = EXIT_REASON_MSR_WRITE,
		.instruction_length = 2,
	};
	struct kvm_vm *vm = tdx_vm_create(1);
	struct kvm_vcpu *vcpu = tdx_vcpu_add(vm, 0, guest_native_wrmsr);
	const u64 value = TEST_DATA;

	tdx_ve_install_handler(vm);
	tdx_vm_finalize(vm);

	tdx_ve_run(vcpu, "WRMSR", &ve);
	tdx_ve_check_values(vcpu, "WRMSR", &value, 1);
	check_msr(vcpu, MSR_IA32_POWER_CTL, value);
	kvm_vm_free(vm);
}

TDX_TEST_MAIN()
