// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole list of MSRs that KVM emulates for a TD.  The TD reads, or writes 0 to,
 * each MSR of the ranges that contain any.  It must succeed for the MSRs of the list
 * and get INVALID_OPERAND for all others.  The values are tested by tdx_rdmsr_test and
 * tdx_wrmsr_test.
 *
 * The TD reports nothing in between: this takes half a second on an emulated CPU.
 */
#include <asm/mtrr.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_msr.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define NR_BANKS	2

/* Accesses that KVM allows a TD. */
#define R	BIT(0)
#define W	BIT(1)		/* at least for the value 0 */
#define RW	(R | W)

struct msr_range {
	u32 first;
	u32 last;
	u32 access;
};

#define MSRS(from, to, rights)	{ (from), (to), (rights) }
#define MSR(index, rights)	MSRS(index, index, rights)

/*
 * The list in the order of the numbers, for a vCPU with two banks of machine checks,
 * MCG_CTL, CMCI and LMCE, whose CPUID has ARCH_CAPABILITIES.
 */
static const struct msr_range emulated[] = {
	MSR(MSR_IA32_APICBASE, R),
	MSR(MSR_IA32_FEAT_CTL, R),
	MSR(MSR_IA32_UCODE_REV, RW),
	MSR(MSR_PLATFORM_INFO, R),
	MSR(MSR_MTRRcap, R),
	MSR(MSR_IA32_ARCH_CAPABILITIES, R),
	MSR(MSR_MISC_FEATURES_ENABLES, RW),
	MSR(MSR_IA32_MCG_CAP, R),
	MSRS(MSR_IA32_MCG_STATUS, MSR_IA32_MCG_CTL, RW),
	/* It has bits that cannot be cleared. */
	MSR(MSR_IA32_MISC_ENABLE, R),
	MSR(MSR_IA32_POWER_CTL, RW),
	/* Eight pairs, then the fixed ranges. */
	MSRS(MTRRphysBase_MSR(0), MTRRphysMask_MSR(7), RW),
	MSR(MSR_MTRRfix64K_00000, RW),
	MSRS(MSR_MTRRfix16K_80000, MSR_MTRRfix16K_A0000, RW),
	MSRS(MSR_MTRRfix4K_C0000, MSR_MTRRfix4K_F8000, RW),
	MSR(MSR_IA32_CR_PAT, RW),
	MSRS(MSR_IA32_MC0_CTL2, MSR_IA32_MCx_CTL2(NR_BANKS - 1), RW),
	MSR(MSR_MTRRdefType, RW),
	MSRS(MSR_IA32_MC0_CTL, MSR_IA32_MCx_MISC(NR_BANKS - 1), RW),
	MSR(MSR_IA32_MCG_EXT_CTL, RW),
	MSR(MSR_IA32_TSC_DEADLINE, RW),
	MSRS(X2APIC_MSR(APIC_ID), X2APIC_MSR(APIC_LVR), R),
	MSR(X2APIC_MSR(APIC_LDR), R),
	MSR(X2APIC_MSR(APIC_SPIV), RW),
	MSR(X2APIC_MSR(APIC_ESR), RW),
	MSRS(X2APIC_MSR(APIC_LVTCMCI), X2APIC_MSR(APIC_ICR), RW),
	MSRS(X2APIC_MSR(APIC_LVTT), X2APIC_MSR(APIC_TMICT), RW),
	MSR(X2APIC_MSR(APIC_TMCCT), R),
	MSR(X2APIC_MSR(APIC_TDCR), RW),
	MSR(MSR_KVM_POLL_CONTROL, RW),
	MSR(MSR_EFER, R),
};

static u32 access_of(u32 index)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(emulated); i++) {
		if (index >= emulated[i].first && index <= emulated[i].last)
			return emulated[i].access;
	}

	return 0;
}

static void guest_code(u64 leaf, u64 first, u64 last)
{
	const u32 right = leaf == EXIT_REASON_MSR_READ ? R : W;
	struct tdcall_regs regs;
	u64 index, want;

	for (index = first; index <= last; index++) {
		regs = (struct tdcall_regs) { .r11 = leaf, .r12 = index };
		__tdvmcall(&regs);

		want = access_of(index) & right ? TDVMCALL_STATUS_SUCCESS :
						  TDVMCALL_STATUS_INVALID_OPERAND;
		__GUEST_ASSERT(regs.r10 == want, "%s of MSR 0x%lx: wanted 0x%lx, got 0x%lx",
			       right == R ? "RDMSR" : "WRMSR", index, want, regs.r10);
	}

	GUEST_DONE();
}

TDX_FIXTURE(msr_list);

/* Ranges in which an x86 CPU or a hypervisor has MSRs. */
FIXTURE_VARIANT(msr_list)
{
	u32 first;
	u32 last;
};

FIXTURE_VARIANT_ADD(msr_list, below_4096)  { .first = 0, .last = 0xfff };
FIXTURE_VARIANT_ADD(msr_list, hyper_v)	   { .first = 0x40000000, .last = 0x400001ff };
FIXTURE_VARIANT_ADD(msr_list, kvm)	   { .first = 0x4b564cf0, .last = 0x4b564e0f };
FIXTURE_VARIANT_ADD(msr_list, long_mode)   { .first = 0xbffffff0, .last = 0xc00002ff };
FIXTURE_VARIANT_ADD(msr_list, amd)	   { .first = 0xc0010000, .last = 0xc00102ff };
FIXTURE_VARIANT_ADD(msr_list, amd_lwp)	   { .first = 0xc0011000, .last = 0xc001103f };
FIXTURE_VARIANT_ADD(msr_list, last)	   { .first = 0xfffffff0, .last = 0xffffffff };

FIXTURE_SETUP(msr_list)
{
	if (kvm_is_ignore_msrs())
		SKIP(return, TDX_MSR_IGNORED_REASON);

	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, guest_code);
	vcpu_set_cpuid_feature(self->vcpu, X86_FEATURE_ARCH_CAPABILITIES);
	tdx_msr_setup_mce(self->vcpu, NR_BANKS);
}

static void test_list(struct kvm_vcpu *vcpu, u64 leaf, u64 first, u64 last)
{
	struct ucall uc;

	tdx_vcpu_args_set(vcpu, 3, leaf, first, last);
	tdx_vm_finalize(vcpu->vm);
	/* This reports a failed assertion of the TD. */
	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);
}

TDX_TEST_F(msr_list, read)
{
	test_list(self->vcpu, EXIT_REASON_MSR_READ, variant->first, variant->last);
}

/* The local APIC is off: an IPI with vector 0 to itself, by ICR, has no effect. */
TDX_TEST_F(msr_list, written_with_0)
{
	test_list(self->vcpu, EXIT_REASON_MSR_WRITE, variant->first, variant->last);
}

TDX_TEST_MAIN()
