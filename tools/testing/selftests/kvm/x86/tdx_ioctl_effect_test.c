// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctls that KVM may accept for a TD, but whose effect must not reach it: a TSC
 * frequency after the TDX module has got one, and events of Xen, which a TD cannot
 * take.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_stage.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_warning.h"

/* The TDX module takes multiples of 25 MHz. */
#define TSC_STEP_KHZ	25000

#define XEN_VECTOR	0xf3
#define XEN_MSR		0x40000200

/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define NO_XEN_REASON	"KVM is built without support for Xen guests"
#define NO_TSC_REASON	"KVM does not know the frequency of the TSC"

static void guest_code(void)
{
	GUEST_DONE();
}

/*
 * KVM_TDX_INIT_VM gives the frequency to the TDX module for good.  KVM must not take the
 * TSC for faster or slower afterwards: it is what timers of the TD's APIC count by.
 */
TEST(tsc_frequency)
{
	struct kvm_vm *vm = tdx_vm_create(1);
	const int khz = __vm_ioctl(vm, KVM_GET_TSC_KHZ, NULL);
	struct kvm_vcpu *vcpu;
	struct ucall uc;

	if (khz <= TSC_STEP_KHZ)
		SKIP(return, NO_TSC_REASON);

	__vm_ioctl(vm, KVM_SET_TSC_KHZ, (void *)(unsigned long)(khz - TSC_STEP_KHZ));
	vcpu = tdx_vcpu_add(vm, 0, guest_code);
	tdx_assert_value("KVM_GET_TSC_KHZ", "vCPU", 0, "frequency", khz,
			 __vcpu_ioctl(vcpu, KVM_GET_TSC_KHZ, NULL));

	tdx_vm_finalize(vm);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);
	kvm_vm_free(vm);
}

TDX_FINDING(23, "global.tsc_frequency");

static u64 nr_nmis;

static void guest_nmi(struct ex_regs *regs)
{
	nr_nmis++;
}

static void guest_tell_nmis(void)
{
	for (;;)
		GUEST_SYNC1(READ_ONCE(nr_nmis));
}

/* struct vcpu_info of Xen begins with these bytes. */
struct xen_vcpu_info {
	u8 evtchn_upcall_pending;
	u8 evtchn_upcall_mask;
	u8 rest[62];
};

/*
 * Let an event of Xen be pending for @vcpu, by a vector of the whole VM, as a VMM does
 * that runs guests of Xen.  KVM may refuse each step.
 */
static void raise_xen_event(struct kvm_vcpu *vcpu)
{
	static struct xen_vcpu_info info __aligned(SZ_4K) = { .evtchn_upcall_pending = 1 };
	struct kvm_xen_hvm_config config = { .msr = XEN_MSR };
	struct kvm_xen_hvm_attr vector = {
		.type = KVM_XEN_ATTR_TYPE_UPCALL_VECTOR,
		.u.vector = XEN_VECTOR,
	};
	struct kvm_xen_vcpu_attr place = {
		.type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA,
		.u.hva = (u64)&info,
	};

	__vm_ioctl(vcpu->vm, KVM_XEN_HVM_CONFIG, &config);
	__vm_ioctl(vcpu->vm, KVM_XEN_HVM_SET_ATTR, &vector);
	__vcpu_ioctl(vcpu, KVM_XEN_VCPU_SET_ATTR, &place);
}

/*
 * KVM cannot inject the vector, so it must not count it as injected: the TD still gets
 * an NMI, and KVM does not warn.
 */
TEST(xen_event)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;
	u64 warnings;

	if (!kvm_check_cap(KVM_CAP_XEN_HVM))
		SKIP(return, NO_XEN_REASON);
	if (!tdx_may_warn_of_finding(24))
		SKIP(return, TDX_WARN_REASON);

	vm = tdx_vm_create(1);
	vcpu = tdx_vcpu_add(vm, 0, guest_tell_nmis);
	vm_install_exception_handler(vm, NMI_VECTOR, guest_nmi);
	tdx_vm_finalize(vm);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);

	warnings = tdx_count_warnings();
	raise_xen_event(vcpu);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);
	vcpu_ioctl(vcpu, KVM_NMI, NULL);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);
	tdx_assert_value("event of Xen", "after", 1, "NMIs taken by the TD", 1, uc.args[0]);
	tdx_assert_no_warning(warnings);
	kvm_vm_free(vm);
}

TDX_FINDING(24, "global.xen_event");

TDX_TEST_MAIN()
