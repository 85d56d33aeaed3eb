// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interfaces of other hypervisors.  Userspace can ask KVM to look like Xen or Hyper-V to a
 * VM.  A TD has hypercalls of its own, and the MSRs in a list of KVM, which has none of
 * theirs.
 */
#include <linux/kvm_para.h>

#include "hyperv.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_msr.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define NO_XEN_REASON		"KVM cannot look like Xen"

/* "Hv#1" in EAX of the CPUID leaf of the interface. */
#define HYPERV_SIGNATURE	0x31237648

/* In the range that KVM allows for the MSR of Xen's hypercall page. */
#define XEN_MSR			0x40000200
/* A number that Xen knows, and KVM does not. */
#define XEN_SCHED_OP		29
/* In slot 0. */
#define PAGE_GPA		0x10000

TDX_FIXTURE(other);

/* Give @vcpu the CPUID leaf by which KVM knows a guest that may use Hyper-V's interface. */
static void add_hyperv_leaf(struct kvm_vcpu *vcpu)
{
	const u32 nent = vcpu->cpuid->nent;
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(nent + 1);

	memcpy(cpuid->entries, vcpu->cpuid->entries, nent * sizeof(*cpuid->entries));
	cpuid->entries[nent] = (struct kvm_cpuid_entry2) {
		.function = HYPERV_CPUID_INTERFACE,
		.eax = HYPERV_SIGNATURE,
	};
	cpuid->nent = nent + 1;
	vcpu_init_cpuid(vcpu, cpuid);
	free(cpuid);
}

FIXTURE_SETUP(other)
{
	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_create(self->vm, 0, tdvmcall_guest_fetch_loop);
	add_hyperv_leaf(self->vcpu);

	tdx_vcpu_init(self->vcpu);
	tdx_vm_finalize(self->vm);
}

static bool look_like_xen(struct kvm_vm *vm)
{
	struct kvm_xen_hvm_config config = {
		.flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL,
		.msr = XEN_MSR,
	};

	return kvm_check_cap(KVM_CAP_XEN_HVM) && !__vm_ioctl(vm, KVM_XEN_HVM_CONFIG, &config);
}

/* Issue hypercall @nr.  KVM does not know it, does not exit, and changes only R10. */
static void check_unknown(struct kvm_vcpu *vcpu, const char *name, u64 nr)
{
	struct tdcall_regs regs;

	tdvmcall_seed_regs(&regs);
	regs.r10 = nr;
	tdvmcall_issue(vcpu, name, &regs);
	tdvmcall_poison_exit(vcpu);
	regs.r10 = -(u64)KVM_ENOSYS;
	tdvmcall_finish(vcpu, name, 0, &regs);
}

TDX_TEST_F(other, xen_hypercall)
{
	if (!look_like_xen(self->vm))
		SKIP(return, NO_XEN_REASON);

	check_unknown(self->vcpu, "Xen's hypercall", XEN_SCHED_OP);
}

static void check_refused(struct kvm_vcpu *vcpu, u32 msr)
{
	struct tdx_insn insn;

	tdx_msr_init_read(&insn, msr, 0);
	insn.out = insn.in;
	tdx_insn_refused(&insn);
	tdx_insn_run(vcpu, &insn);

	tdx_msr_init_write(&insn, msr, PAGE_GPA);
	tdx_insn_refused(&insn);
	tdx_insn_run(vcpu, &insn);
}

/* A write would make KVM write code to the page in the value. */
TDX_TEST_F(other, xen_hypercall_page)
{
	if (!look_like_xen(self->vm))
		SKIP(return, NO_XEN_REASON);

	check_refused(self->vcpu, XEN_MSR);
}

TDX_TEST_F(other, hyperv_msrs)
{
	static const u32 msrs[] = {
		HV_X64_MSR_GUEST_OS_ID, HV_X64_MSR_HYPERCALL, HV_X64_MSR_VP_INDEX,
		HV_X64_MSR_TIME_REF_COUNT, HV_X64_MSR_SCONTROL,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(msrs); i++)
		check_refused(self->vcpu, msrs[i]);
}

TDX_TEST_MAIN()
