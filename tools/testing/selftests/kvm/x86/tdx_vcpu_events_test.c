// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_SET_VCPU_EVENTS for a vCPU of a TD.  KVM can inject neither exceptions nor
 * interrupts into a TD, and a TD has no system management mode: KVM refuses all of that
 * and keeps nothing of it.  NMIs still get to the TD afterwards.
 */
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_warning.h"

#define VECTOR	0xa5

static u64 nr_nmis;

static void guest_nmi(struct ex_regs *regs)
{
	nr_nmis++;
}

static void guest_code(void)
{
	for (;;)
		GUEST_SYNC1(READ_ONCE(nr_nmis));
}

TDX_FIXTURE(vcpu_events);

FIXTURE_VARIANT(vcpu_events)
{
	const char *name;
	unsigned int finding;
	struct kvm_vcpu_events events;
	bool payload;		/* needs KVM_CAP_EXCEPTION_PAYLOAD */
};

#define EVENTS(row, nr, args...)					\
	FIXTURE_VARIANT_ADD(vcpu_events, row) {				\
		.name = #row, .finding = (nr), .events = { args },	\
	}

EVENTS(exception, 8, .exception.injected = 1, .exception.nr = UD_VECTOR);
EVENTS(interrupt, 8, .interrupt.injected = 1, .interrupt.nr = VECTOR);
EVENTS(smi, 7, .flags = KVM_VCPUEVENT_VALID_SMM, .smi.pending = 1);
EVENTS(smm, 7, .flags = KVM_VCPUEVENT_VALID_SMM, .smi.smm = 1);
FIXTURE_VARIANT_ADD(vcpu_events, pending_exception) {
	.name = "pending_exception",
	.finding = 8,
	.events = {
		.flags = KVM_VCPUEVENT_VALID_PAYLOAD,
		.exception = { .pending = 1, .nr = UD_VECTOR },
	},
	.payload = true,
};

FIXTURE_SETUP(vcpu_events)
{
	struct ucall uc;

	if (!tdx_may_warn_of_finding(variant->finding))
		SKIP(return, TDX_WARN_REASON);

	/* On any other CPU a KVM that accepts the state of SMM brings the host down. */
	pin_self_to_cpu(0);

	self->vm = tdx_vm_create(1);
	if (variant->payload)
		vm_enable_cap(self->vm, KVM_CAP_EXCEPTION_PAYLOAD, -2UL);
	self->vcpu = tdx_vcpu_add(self->vm, 0, guest_code);
	vm_install_exception_handler(self->vm, NMI_VECTOR, guest_nmi);
	tdx_vm_finalize(self->vm);
	tdx_vcpu_run_to_ucall(self->vcpu, UCALL_SYNC, &uc);
}

/* The TD takes an NMI, and KVM does not warn. */
static void check_nmi(struct kvm_vcpu *vcpu, const char *name)
{
	const u64 warnings = tdx_count_warnings();
	struct ucall uc;

	vcpu_ioctl(vcpu, KVM_NMI, NULL);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);
	tdx_assert_value(name, "after", 1, "NMIs taken by the TD", 1, uc.args[0]);
	tdx_assert_no_warning(warnings);
}

/* NMIs work, and what KVM says of the vCPU can be set again. */
TEST(nothing_pending)
{
	struct kvm_vcpu_events events;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;

	vm = tdx_vm_create(1);
	vcpu = tdx_vcpu_add(vm, 0, guest_code);
	vm_install_exception_handler(vm, NMI_VECTOR, guest_nmi);
	tdx_vm_finalize(vm);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);

	vcpu_events_get(vcpu, &events);
	vcpu_events_set(vcpu, &events);
	check_nmi(vcpu, "nothing pending");
	kvm_vm_free(vm);
}

TDX_TEST_F(vcpu_events, are_refused)
{
	struct kvm_vcpu_events events = variant->events;
	int r;

	r = __vcpu_ioctl(self->vcpu, KVM_SET_VCPU_EVENTS, &events);
	TEST_ASSERT(r == -1 && errno == EINVAL, "%s: wanted %s, got %s", variant->name,
		    strerror(EINVAL), r ? strerror(errno) : "success");
	check_nmi(self->vcpu, variant->name);
}

TDX_FINDING(8, "vcpu_events.exception.are_refused");
TDX_FINDING(8, "vcpu_events.pending_exception.are_refused");
TDX_FINDING(8, "vcpu_events.interrupt.are_refused");
TDX_FINDING(7, "vcpu_events.smi.are_refused");
TDX_FINDING(7, "vcpu_events.smm.are_refused");

TDX_TEST_MAIN()
