// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VMCALL<Instruction.RDMSR>: the MSRs that KVM emulates for a TD, and those that
 * it asks userspace for.
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

/* KVM emulates it for a TD, but it is invalid as long as the vCPU has no LMCE. */
#define INVALID_MSR	MSR_IA32_MCG_EXT_CTL
/* A TD accesses it itself: KVM does not emulate it. */
#define UNKNOWN_MSR	MSR_IA32_TSC

/* Memory types in the MTRRs and the PAT: WB, UC-, WP. */
#define FIXED_MTRR	0x0606050506060505ULL

TDX_FIXTURE(rdmsr);
TDX_FIXTURE_SETUP(rdmsr, tdvmcall_vm_create);

static void run_read(struct kvm_vcpu *vcpu, u64 index, u64 value)
{
	struct tdx_insn insn;

	tdx_msr_init_read(&insn, index, value);
	tdx_insn_run(vcpu, &insn);
}

/* After a refused read R11 is still the number of the leaf. */
static void run_refused(struct kvm_vcpu *vcpu, u64 index)
{
	struct tdx_insn insn;

	tdx_msr_init_read(&insn, index, EXIT_REASON_MSR_READ);
	tdx_insn_refused(&insn);
	tdx_insn_run(vcpu, &insn);
}

/* The TD reads all 64 bits of the value that userspace has set. */
TDX_TEST_F(rdmsr, set_by_userspace)
{
	static const struct {
		u32 index;
		u64 value;
	} rows[] = {
		{ MSR_IA32_UCODE_REV, TEST_DATA },
		{ MSR_IA32_POWER_CTL, TEST_DATA },
		{ MSR_IA32_CR_PAT, FIXED_MTRR },
		{ MTRRphysBase_MSR(0), 0x12345006 },
		{ MTRRphysMask_MSR(0), 0xabcde800 },
		{ MTRRphysBase_MSR(7), 0x765432005 },
		{ MTRRphysMask_MSR(7), 0xfedcba800 },
		{ MSR_MTRRfix64K_00000, FIXED_MTRR },
		{ MSR_MTRRfix16K_80000, FIXED_MTRR ^ 3 },
		{ MSR_MTRRfix16K_A0000, FIXED_MTRR },
		{ MSR_MTRRfix4K_C0000, FIXED_MTRR ^ 3 },
		{ MSR_MTRRfix4K_F8000, FIXED_MTRR },
		{ MSR_MTRRdefType, 0xc06 },
		{ MSR_IA32_MISC_ENABLE, TEST_DATA },
		{ MSR_PLATFORM_INFO, TEST_DATA | BIT_ULL(31) },
		{ MSR_MISC_FEATURES_ENABLES, 1 },
		{ MSR_IA32_MCG_STATUS, TEST_DATA },
		{ MSR_IA32_MCG_CTL, 0 },
		{ MSR_IA32_MCG_EXT_CTL, 1 },
		{ MSR_IA32_MC0_CTL, 0 },
		{ MSR_IA32_MC0_STATUS, TEST_DATA },
		{ MSR_IA32_MC0_ADDR, ~TEST_DATA },
		{ MSR_IA32_MCx_MISC(NR_BANKS - 1), TEST_DATA },
		{ MSR_IA32_MC0_CTL2, 1 },
		{ MSR_IA32_MCx_CTL2(NR_BANKS - 1), 2 },
		{ MSR_KVM_POLL_CONTROL, 0 },
	};
	size_t i;

	tdx_msr_setup_mce(self->vcpu, NR_BANKS);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		vcpu_set_msr(self->vcpu, rows[i].index, rows[i].value);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		run_read(self->vcpu, rows[i].index, rows[i].value);
}

/* Values that userspace cannot set. */
TDX_TEST_F(rdmsr, set_by_kvm)
{
	const u64 mcg_cap = tdx_msr_setup_mce(self->vcpu, NR_BANKS);

	/* WC and fixed ranges, 8 variable ones. */
	run_read(self->vcpu, MSR_MTRRcap, 0x508);
	run_read(self->vcpu, MSR_IA32_MCG_CAP, mcg_cap);
	run_read(self->vcpu, MSR_IA32_FEAT_CTL, FEAT_CTL_LOCKED | FEAT_CTL_LMCE_ENABLED);
	run_read(self->vcpu, MSR_IA32_APICBASE,
		 APIC_DEFAULT_GPA | MSR_IA32_APICBASE_ENABLE | MSR_IA32_APICBASE_EXTD |
		 MSR_IA32_APICBASE_BSP);
	run_read(self->vcpu, MSR_EFER, EFER_SCE | EFER_LME | EFER_LMA | EFER_NX);
	run_read(self->vcpu, MSR_IA32_TSC_DEADLINE, 0);
}

TDX_TEST_F(rdmsr, x2apic)
{
	static const struct {
		u32 index;
		u64 value;
	} rows[] = {
		{ X2APIC_MSR(APIC_ID), 0 },
		/* Version 0x14, 7 entries of the LVT, EOIs without broadcast. */
		{ X2APIC_MSR(APIC_LVR), 0x1060014 },
		/* The first one of cluster 0. */
		{ X2APIC_MSR(APIC_LDR), 1 },
		{ X2APIC_MSR(APIC_SPIV), 0xff },
		{ X2APIC_MSR(APIC_ESR), 0 },
		{ X2APIC_MSR(APIC_LVTCMCI), APIC_LVT_MASKED },
		{ X2APIC_MSR(APIC_ICR), 0 },
		{ X2APIC_MSR(APIC_LVTT), APIC_LVT_MASKED },
		{ X2APIC_MSR(APIC_LVTTHMR), APIC_LVT_MASKED },
		{ X2APIC_MSR(APIC_LVTPC), APIC_LVT_MASKED },
		/* ExtINT, as a BIOS leaves it on the first CPU. */
		{ X2APIC_MSR(APIC_LVT0), APIC_DM_EXTINT },
		{ X2APIC_MSR(APIC_LVT1), APIC_LVT_MASKED },
		{ X2APIC_MSR(APIC_LVTERR), APIC_LVT_MASKED },
		{ X2APIC_MSR(APIC_TMICT), 0 },
		{ X2APIC_MSR(APIC_TMCCT), 0 },
		{ X2APIC_MSR(APIC_TDCR), 0 },
	};
	size_t i;

	tdx_msr_setup_mce(self->vcpu, NR_BANKS);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		run_read(self->vcpu, rows[i].index, rows[i].value);
}

/* Neighbours of the list, and MSRs that a TD accesses itself or does not have. */
TDX_TEST_F(rdmsr, not_emulated)
{
	static const u64 indexes[] = {
		0, MSR_IA32_TSC, MSR_IA32_TSC_ADJUST, MSR_IA32_SPEC_CTRL, MSR_IA32_SYSENTER_CS,
		MSR_IA32_PERF_STATUS, MTRRphysBase_MSR(0) - 1, MSR_MTRRfix4K_F8000 + 1,
		MSR_IA32_MC0_CTL2 - 1, MSR_IA32_MCx_CTL2(32), MSR_IA32_MC0_CTL - 1,
		MSR_IA32_MCx_CTL(32), MSR_IA32_XSS, MSR_STAR, MSR_FS_BASE, MSR_TSC_AUX,
		MSR_KVM_WALL_CLOCK_NEW, MSR_KVM_SYSTEM_TIME_NEW, MSR_KVM_POLL_CONTROL + 1,
		/* x2APIC registers that a TD accesses itself, or does not have. */
		0x800, 0x801, X2APIC_MSR(APIC_TASKPRI), X2APIC_MSR(APIC_PROCPRI),
		X2APIC_MSR(APIC_EOI), X2APIC_MSR(APIC_ISR), X2APIC_MSR(APIC_IRR),
		X2APIC_MSR(APIC_ICR) + 1, X2APIC_MSR(APIC_SELF_IPI), 0x8ff, 0xffffffff,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(indexes); i++)
		run_refused(self->vcpu, indexes[i]);
}

/* In the list, but not present: holes, and banks that the vCPU does not have. */
TDX_TEST_F(rdmsr, listed_and_invalid)
{
	static const u64 indexes[] = {
		MTRRphysMask_MSR(7) + 1, MSR_MTRRfix64K_00000 - 1, MSR_MTRRfix64K_00000 + 1,
		MSR_MTRRfix16K_A0000 + 1, MSR_MTRRfix4K_C0000 - 1, MSR_IA32_MCx_CTL(1),
		MSR_IA32_MCx_CTL(32) - 1, MSR_IA32_MC0_CTL2, MSR_IA32_MCx_CTL2(31),
		MSR_IA32_MCG_CTL, MSR_IA32_MCG_EXT_CTL, X2APIC_MSR(APIC_LVTCMCI),
		MSR_KVM_POLL_CONTROL,
	};
	u64 mcg_cap = 1;
	size_t i;

	if (kvm_is_ignore_msrs())
		SKIP(return, TDX_MSR_IGNORED_REASON);

	/* There is one bank, and nothing else. */
	vcpu_ioctl(self->vcpu, KVM_X86_SETUP_MCE, &mcg_cap);
	vcpu_enable_cap(self->vcpu, KVM_CAP_ENFORCE_PV_FEATURE_CPUID, 1);
	for (i = 0; i < ARRAY_SIZE(indexes); i++)
		run_refused(self->vcpu, indexes[i]);

	run_read(self->vcpu, MSR_IA32_FEAT_CTL, FEAT_CTL_LOCKED);
}

/* MSRs that exist depending on the vCPU's CPUID are unknown to KVM without it. */
TDX_TEST_F(rdmsr, arch_capabilities)
{
	vcpu_set_cpuid_feature(self->vcpu, X86_FEATURE_ARCH_CAPABILITIES);
	vcpu_set_msr(self->vcpu, MSR_IA32_ARCH_CAPABILITIES, TEST_DATA);
	run_read(self->vcpu, MSR_IA32_ARCH_CAPABILITIES, TEST_DATA);
}

TDX_TEST_F(rdmsr, no_arch_capabilities)
{
	struct tdx_insn insn;

	if (kvm_is_ignore_msrs())
		SKIP(return, TDX_MSR_IGNORED_REASON);

	vcpu_clear_cpuid_feature(self->vcpu, X86_FEATURE_ARCH_CAPABILITIES);
	tdx_msr_init_read(&insn, MSR_IA32_ARCH_CAPABILITIES, 0);
	tdx_msr_run_reasons(self->vcpu, &insn, KVM_MSR_EXIT_REASON_UNKNOWN);
}

/* ECX has 32 bits: the upper half of R12 does not count. */
TDX_TEST_F(rdmsr, index_truncated)
{
	static const u64 above[] = { BIT_32, BIT_ULL(63), GENMASK_ULL(63, 32) };
	struct tdx_insn insn;
	size_t i;

	vcpu_set_msr(self->vcpu, MSR_IA32_POWER_CTL, TEST_DATA);
	tdx_msr_set_exits(self->vm, TDX_MSR_EXITS_ALL);

	for (i = 0; i < ARRAY_SIZE(above); i++) {
		run_read(self->vcpu, above[i] | MSR_IA32_POWER_CTL, TEST_DATA);
		run_read(self->vcpu, above[i] | X2APIC_MSR(APIC_SPIV), 0xff);

		tdx_msr_init_read(&insn, above[i] | INVALID_MSR, 0);
		tdx_msr_run_exit(self->vcpu, &insn, KVM_MSR_EXIT_REASON_INVAL);
		tdx_insn_finish(self->vcpu, &insn);
	}
}

/* KVM refuses an unknown reason, and changes nothing. */
TDX_TEST_F(rdmsr, unknown_reasons)
{
	struct tdx_insn insn;
	int bit, r;

	TEST_ASSERT_EQ(kvm_check_cap(KVM_CAP_X86_USER_SPACE_MSR), 1);
	tdx_msr_set_exits(self->vm, KVM_MSR_EXIT_REASON_INVAL);

	for (bit = 0; bit < 64; bit++) {
		if (BIT_ULL(bit) & TDX_MSR_EXITS_ALL)
			continue;

		r = __vm_enable_cap(self->vm, KVM_CAP_X86_USER_SPACE_MSR, BIT_ULL(bit));
		TEST_ASSERT(r == -1 && errno == EINVAL, "reason bit %i: wanted EINVAL, got %s",
			    bit, r ? strerror(errno) : "success");
	}

	tdx_msr_init_read(&insn, INVALID_MSR, 0);
	tdx_msr_run_exit(self->vcpu, &insn, KVM_MSR_EXIT_REASON_INVAL);
	tdx_insn_finish(self->vcpu, &insn);
}

/* Each reason with each set of reasons for which KVM asks userspace. */
TDX_TEST_F(rdmsr, reason_filter)
{
	static const struct tdx_msr_filter_row deny = {
		KVM_MSR_FILTER_READ, MSR_IA32_POWER_CTL, false,
	};
	struct tdx_insn insn;

	tdx_msr_set_filter(self->vm, KVM_MSR_FILTER_DEFAULT_ALLOW, &deny, 1);
	tdx_msr_init_read(&insn, MSR_IA32_POWER_CTL, 0);
	tdx_msr_run_reasons(self->vcpu, &insn, KVM_MSR_EXIT_REASON_FILTER);
}

TDX_TEST_F(rdmsr, reason_inval)
{
	struct tdx_insn insn;

	tdx_msr_init_read(&insn, INVALID_MSR, 0);
	tdx_msr_run_reasons(self->vcpu, &insn, KVM_MSR_EXIT_REASON_INVAL);
}

TDX_TEST_F(rdmsr, reason_unknown_of_unlisted)
{
	static const u32 indexes[] = { UNKNOWN_MSR, MSR_STAR, 0x800, X2APIC_MSR(APIC_TASKPRI) };
	struct tdx_insn insn;
	size_t i;

	if (kvm_is_ignore_msrs())
		SKIP(return, TDX_MSR_IGNORED_REASON);

	for (i = 0; i < ARRAY_SIZE(indexes); i++) {
		tdx_msr_init_read(&insn, indexes[i], 0);
		tdx_msr_run_reasons(self->vcpu, &insn, KVM_MSR_EXIT_REASON_UNKNOWN);
	}
}

TDX_FINDING(10, "rdmsr.reason_unknown_of_unlisted");

TDX_TEST_F(rdmsr, reason_unknown)
{
	struct tdx_insn insn;

	if (kvm_is_ignore_msrs())
		SKIP(return, TDX_MSR_IGNORED_REASON);

	vcpu_enable_cap(self->vcpu, KVM_CAP_ENFORCE_PV_FEATURE_CPUID, 1);
	tdx_msr_init_read(&insn, MSR_KVM_POLL_CONTROL, 0);
	tdx_msr_run_reasons(self->vcpu, &insn, KVM_MSR_EXIT_REASON_UNKNOWN);
}

/* KVM checks the filter first, whether or not the MSR exists. */
TDX_TEST_F(rdmsr, filter_before_list)
{
	static const struct tdx_msr_filter_row deny = { KVM_MSR_FILTER_READ, UNKNOWN_MSR, false };
	struct tdx_insn insn;

	tdx_msr_set_filter(self->vm, KVM_MSR_FILTER_DEFAULT_ALLOW, &deny, 1);
	tdx_msr_init_read(&insn, UNKNOWN_MSR, 0);
	tdx_msr_run_reasons(self->vcpu, &insn, KVM_MSR_EXIT_REASON_FILTER);
}

/* A filter that allows reads of one MSR.  A filter does not apply to x2APIC MSRs. */
TDX_TEST_F(rdmsr, default_deny)
{
	static const struct tdx_msr_filter_row rows[] = {
		{ KVM_MSR_FILTER_READ, MSR_IA32_MISC_ENABLE, true },
		{ KVM_MSR_FILTER_WRITE, MSR_IA32_POWER_CTL, true },
		{ KVM_MSR_FILTER_READ, X2APIC_MSR(APIC_SPIV), false },
	};
	static const u32 filtered[] = { MSR_IA32_POWER_CTL, MSR_IA32_APICBASE, 0x7ff, 0x900 };
	static const u32 absent[] = { 0x800, X2APIC_MSR(APIC_TASKPRI), 0x8ff };
	struct tdx_insn insn;
	size_t i;

	vcpu_set_msr(self->vcpu, MSR_IA32_MISC_ENABLE, TEST_DATA);
	vcpu_set_msr(self->vcpu, MSR_IA32_POWER_CTL, ~TEST_DATA);
	tdx_msr_set_filter(self->vm, KVM_MSR_FILTER_DEFAULT_DENY, rows, ARRAY_SIZE(rows));

	run_read(self->vcpu, MSR_IA32_MISC_ENABLE, TEST_DATA);
	run_read(self->vcpu, X2APIC_MSR(APIC_SPIV), 0xff);
	run_read(self->vcpu, X2APIC_MSR(APIC_ICR), 0);
	for (i = 0; i < ARRAY_SIZE(filtered); i++)
		run_refused(self->vcpu, filtered[i]);

	tdx_msr_set_exits(self->vm, TDX_MSR_EXITS_ALL);
	for (i = 0; i < ARRAY_SIZE(filtered); i++) {
		tdx_msr_init_read(&insn, filtered[i], 0);
		tdx_msr_run_exit(self->vcpu, &insn, KVM_MSR_EXIT_REASON_FILTER);
		tdx_insn_finish(self->vcpu, &insn);
	}
	tdx_msr_set_exits(self->vm, KVM_MSR_EXIT_REASON_FILTER);
	for (i = 0; i < ARRAY_SIZE(absent); i++)
		run_refused(self->vcpu, absent[i]);

	/* Without the filter the MSR can be read again. */
	tdx_msr_set_filter(self->vm, KVM_MSR_FILTER_DEFAULT_ALLOW, NULL, 0);
	run_read(self->vcpu, MSR_IA32_POWER_CTL, ~TEST_DATA);
}

/* Any value except 0 is an error.  Then the data does not count. */
TDX_TEST_F(rdmsr, answer)
{
	static const u8 errors[] = { 0, 1, 2, 0x80, 0xff };
	static const u64 data[] = { 0, 1, TEST_DATA, ~0ULL, BIT_32, BIT_ULL(31) };
	struct tdx_insn insn;
	size_t i, j;

	tdx_msr_set_exits(self->vm, KVM_MSR_EXIT_REASON_INVAL);

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		for (j = 0; j < ARRAY_SIZE(data); j++) {
			tdx_msr_init_read(&insn, INVALID_MSR,
					  errors[i] ? EXIT_REASON_MSR_READ : data[j]);
			if (errors[i])
				tdx_insn_refused(&insn);
			tdx_msr_run_exit(self->vcpu, &insn, KVM_MSR_EXIT_REASON_INVAL);
			tdx_msr_answer(self->vcpu, errors[i], data[j]);
			tdx_insn_finish(self->vcpu, &insn);
		}
	}
}

/* If userspace does nothing the TD reads 0. */
TDX_TEST_F(rdmsr, default_answer)
{
	struct tdx_insn insn;

	tdx_msr_set_exits(self->vm, KVM_MSR_EXIT_REASON_INVAL);
	tdx_msr_init_read(&insn, INVALID_MSR, 0);
	tdx_msr_run_exit(self->vcpu, &insn, KVM_MSR_EXIT_REASON_INVAL);
	tdx_insn_finish(self->vcpu, &insn);
}

/* Only the error and the data are the answer. */
TDX_TEST_F(rdmsr, edited_exit)
{
	struct kvm_run *run = self->vcpu->run;
	struct tdx_insn insn;

	tdx_msr_set_exits(self->vm, KVM_MSR_EXIT_REASON_INVAL);
	tdx_msr_init_read(&insn, INVALID_MSR, TEST_DATA);
	tdx_msr_run_exit(self->vcpu, &insn, KVM_MSR_EXIT_REASON_INVAL);

	tdx_msr_answer(self->vcpu, 0, TEST_DATA);
	run->exit_reason = KVM_EXIT_X86_WRMSR;
	run->msr.reason = KVM_MSR_EXIT_REASON_FILTER;
	run->msr.index = MSR_IA32_POWER_CTL;
	memset(run->msr.pad, 0xff, sizeof(run->msr.pad));
	tdx_insn_finish(self->vcpu, &insn);
}

TDX_TEST_F(rdmsr, immediate_exit)
{
	struct tdx_insn insn;

	tdx_msr_set_exits(self->vm, KVM_MSR_EXIT_REASON_INVAL);

	tdx_msr_init_read(&insn, INVALID_MSR, TEST_DATA);
	tdx_msr_run_exit(self->vcpu, &insn, KVM_MSR_EXIT_REASON_INVAL);
	tdx_msr_answer(self->vcpu, 0, TEST_DATA);
	tdx_insn_interrupt(self->vcpu, &insn);
	tdx_insn_finish(self->vcpu, &insn);

	tdx_msr_init_read(&insn, INVALID_MSR, EXIT_REASON_MSR_READ);
	tdx_insn_refused(&insn);
	tdx_msr_run_exit(self->vcpu, &insn, KVM_MSR_EXIT_REASON_INVAL);
	tdx_msr_answer(self->vcpu, 1, TEST_DATA);
	tdx_insn_interrupt(self->vcpu, &insn);
	tdx_insn_finish(self->vcpu, &insn);
}

static void guest_native_rdmsr(void)
{
	GUEST_SYNC1(rdmsr(MSR_IA32_POWER_CTL));
}

/* The instruction raises #VE, whose handler in the TD issues the hypercall. */
TEST(native_rdmsr)
{
	const struct tdx_ve_info ve = {
		.exit_reason = EXIT_REASON_MSR_READ,
		.instruction_length = 2,
	};
	struct kvm_vm *vm = tdx_vm_create(1);
	struct kvm_vcpu *vcpu = tdx_vcpu_add(vm, 0, guest_native_rdmsr);
	const u64 value = TEST_DATA;

	tdx_ve_install_handler(vm);
	vcpu_set_msr(vcpu, MSR_IA32_POWER_CTL, value);
	tdx_vm_finalize(vm);

	tdx_ve_run(vcpu, "RDMSR", &ve);
	tdx_ve_check_values(vcpu, "RDMSR", &value, 1);
	kvm_vm_free(vm);
}

TDX_TEST_MAIN()
