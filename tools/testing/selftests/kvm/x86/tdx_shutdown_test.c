// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU of a TD that shuts down by a triple fault: KVM_EXIT_SHUTDOWN.  After it the
 * vCPU cannot run again, but neither the TD's other vCPU nor another TD is harmed.
 */
/* A failure here is mostly a hang: do not wait long for it. */
#define TDX_TEST_TIMEOUT	30

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cmd.h"
#include "tdx/tdx_cpus.h"
#include "tdx/tdx_interruption.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_warning.h"

/* Status of the TDX module for an entry to a vCPU that has shut down, without details. */
#define STATUS_MASK	GENMASK_ULL(63, 32)

/* The kernel lets messages through again after 5 seconds (DEFAULT_RATELIMIT_INTERVAL). */
#define NR_ATTEMPTS	60
#define ATTEMPT_US	100000

static void guest_done(void)
{
	GUEST_SYNC1(0);
	GUEST_DONE();
}

static void guest_load_no_idt(void)
{
	const struct desc_ptr none = {};

	asm volatile("lidt %0" : : "m"(none));
}

/* There is no handler, not even for #DF. */
static void guest_ud(void)
{
	guest_load_no_idt();
	asm volatile("ud2");
}

static void guest_int3(void)
{
	guest_load_no_idt();
	asm volatile("int3");
}

/* The stack has no page to push a frame to. */
static void guest_no_stack(void)
{
	asm volatile("mov %0, %%rsp\n\t"
		     "push %%rax" : : "r"(0xdead0000ul));
}

static void run_to_shutdown(struct kvm_vcpu *vcpu)
{
	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_SHUTDOWN);
}

/* KVM limits the rate of its message: repeat the exit until the message comes. */
static void run_to_message(struct kvm_vcpu *vcpu, int log)
{
	int i;

	for (i = 0; log >= 0 && i < NR_ATTEMPTS; i++) {
		if (tdx_log_has(log, "unexpected exit reason", ""))
			return;
		usleep(ATTEMPT_US);
		vcpu_run(vcpu);
	}
}

TDX_FIXTURE(shutdown);

FIXTURE_VARIANT(shutdown)
{
	void (*guest_code)(void);
};

FIXTURE_VARIANT_ADD(shutdown, ud)	{ .guest_code = guest_ud };
FIXTURE_VARIANT_ADD(shutdown, int3)	{ .guest_code = guest_int3 };
FIXTURE_VARIANT_ADD(shutdown, no_stack)	{ .guest_code = guest_no_stack };

FIXTURE_SETUP(shutdown)
{
	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, variant->guest_code);
	tdx_vm_finalize(self->vm);
}

TDX_TEST_F(shutdown, exits)
{
	run_to_shutdown(self->vcpu);
}

/*
 * The TDX module does not enter the vCPU again.  KVM gives its status, an error, to
 * userspace as an unknown exit reason.  KVM also logs that, without the RIP of the TD,
 * which it cannot read.
 */
TDX_TEST_F(shutdown, is_final)
{
	struct kvm_run *run = self->vcpu->run;
	const int log = tdx_log_open();
	u64 warnings;
	int i;

	if (!tdx_may_warn_of_finding(5))
		SKIP(return, TDX_WARN_REASON);

	run_to_shutdown(self->vcpu);
	warnings = tdx_count_warnings();
	for (i = 0; i < 2; i++) {
		vcpu_run(self->vcpu);
		TEST_ASSERT_KVM_EXIT_REASON(self->vcpu, KVM_EXIT_INTERNAL_ERROR);
		TEST_ASSERT_EQ(run->internal.suberror,
			       KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON);
		TEST_ASSERT(run->internal.ndata >= 1, "no status of the TDX module");
		tdx_assert_value("KVM_RUN", "try", i, "status of TDH.VP.ENTER",
				 TDX_VCPU_STATE_INCORRECT, run->internal.data[0] & STATUS_MASK);
	}
	run_to_message(self->vcpu, log);
	tdx_assert_no_warning(warnings);
}

TDX_FINDING(5, "shutdown.ud.is_final");
TDX_FINDING(5, "shutdown.int3.is_final");
TDX_FINDING(5, "shutdown.no_stack.is_final");

/*
 * The TDX module takes no NMI for a vCPU that has shut down.  That is no fault of KVM's, and
 * no reason to end the VM.  A signal lets KVM_RUN get as far as the NMI, but not enter the
 * vCPU.
 */
TDX_TEST_F(shutdown, nmi_does_no_harm)
{
	const struct tdx_interruption *by = &tdx_interrupted_by_signal;
	struct kvm_mp_state state;
	u64 warnings;
	int r;

	if (!tdx_may_warn_of_finding(35))
		SKIP(return, TDX_WARN_REASON);

	by->setup(self->vcpu);
	run_to_shutdown(self->vcpu);
	warnings = tdx_count_warnings();
	vcpu_ioctl(self->vcpu, KVM_NMI, NULL);

	by->start(self->vcpu);
	tdx_vcpu_run_to_eintr(self->vcpu, by->name);
	by->stop(self->vcpu);

	r = __vcpu_ioctl(self->vcpu, KVM_GET_MP_STATE, &state);
	TEST_ASSERT(!r, "KVM_GET_MP_STATE after the NMI: wanted success, got %m");
	tdx_assert_no_warning(warnings);
}

TDX_FINDING(35, "shutdown.ud.nmi_does_no_harm");
TDX_FINDING(35, "shutdown.int3.nmi_does_no_harm");
TDX_FINDING(35, "shutdown.no_stack.nmi_does_no_harm");

TEST(another_td)
{
	struct kvm_vcpu *bad_vcpu, *vcpu;
	struct kvm_vm *bad, *vm;
	struct ucall uc;

	bad = tdx_vm_create(1);
	bad_vcpu = tdx_vcpu_add(bad, 0, guest_ud);
	tdx_vm_finalize(bad);

	vm = tdx_vm_create(1);
	vcpu = tdx_vcpu_add(vm, 0, guest_done);
	tdx_vm_finalize(vm);

	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);
	run_to_shutdown(bad_vcpu);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);

	kvm_vm_free(bad);
	kvm_vm_free(vm);
}

TEST(another_vcpu)
{
	struct kvm_vcpu *bad, *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;

	if (tdx_nr_present_cpus() < 2)
		SKIP(return, TDX_TWO_CPUS_REASON);

	vm = tdx_vm_create(2);
	bad = tdx_vcpu_add(vm, 0, guest_ud);
	vcpu = tdx_vcpu_add(vm, 1, guest_done);
	tdx_vm_finalize(vm);

	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);
	run_to_shutdown(bad);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);
	kvm_vm_free(vm);
}

TDX_TEST_MAIN()
