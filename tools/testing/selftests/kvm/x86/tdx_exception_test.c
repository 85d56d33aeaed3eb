// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exceptions that a TD handles by itself.  They cause no exit, but an interrupt of the
 * host may come at any instruction, the first one of the handler among them.  The TD
 * must find its stack, its flags and the address of the faulting instruction.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cpus.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* Enough for interrupts of the host between most instructions. */
#define NR_EXCEPTIONS	20000
#define TIMER_US	200

#define NR_VCPUS	2

/* Nothing is mapped there. */
#define NOT_MAPPED	0x7000deadb000UL
#define NOT_CANONICAL	0xdead000000000000UL

enum kind {
	DIVIDE,
	PROTECTION,
	PAGE,
};

static const u8 vectors[] = {
	[DIVIDE]	= KVM_MAGIC_DE_VECTOR,
	[PROTECTION]	= GP_VECTOR,
	[PAGE]		= PF_VECTOR,
};

static u8 guest_raise(enum kind kind)
{
	switch (kind) {
	case DIVIDE:
		return kvm_asm_safe("divl %[zero]", "a"(1), "d"(0), [zero] "r"(0));
	case PROTECTION:
		return kvm_asm_safe("mov (%[address]), %%al", [address] "a"(NOT_CANONICAL));
	default:
		return kvm_asm_safe("mov (%[address]), %%al", [address] "a"(NOT_MAPPED));
	}
}

static u64 stack_pointer(void)
{
	u64 rsp;

	asm volatile("mov %%rsp, %0" : "=r"(rsp));
	return rsp;
}

static u64 flags(void)
{
	u64 rflags;

	asm volatile("pushfq\n\tpop %0" : "=r"(rflags) : : "memory");
	return rflags;
}

static void guest_code(u64 kind, u64 interruptible)
{
	u64 rsp, i;

	if (interruptible)
		asm volatile("sti");

	for (i = 0; i < NR_EXCEPTIONS; i++) {
		rsp = stack_pointer();
		GUEST_ASSERT_EQ(guest_raise(kind), vectors[kind]);
		__GUEST_ASSERT(stack_pointer() == rsp, "exception %lu: RSP moved by %ld", i,
			       (long)(stack_pointer() - rsp));
		GUEST_ASSERT_EQ(!!(flags() & X86_EFLAGS_IF), interruptible);
	}
	GUEST_DONE();
}

FIXTURE(exception)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_VARIANT(exception)
{
	enum kind kind;
	bool interruptible;
};

FIXTURE_VARIANT_ADD(exception, divide) {
	.kind = DIVIDE,
};

FIXTURE_VARIANT_ADD(exception, divide_interruptible) {
	.kind = DIVIDE, .interruptible = true,
};

FIXTURE_VARIANT_ADD(exception, protection) {
	.kind = PROTECTION,
};

FIXTURE_VARIANT_ADD(exception, protection_interruptible) {
	.kind = PROTECTION, .interruptible = true,
};

FIXTURE_VARIANT_ADD(exception, page) {
	.kind = PAGE,
};

FIXTURE_VARIANT_ADD(exception, page_interruptible) {
	.kind = PAGE, .interruptible = true,
};

FIXTURE_SETUP(exception)
{
	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, guest_code);
	tdx_vcpu_args_set(self->vcpu, 2, variant->kind, variant->interruptible);
	tdx_vm_finalize(self->vm);
}

TDX_FIXTURE_TEARDOWN(exception);

/* The signal is ignored: KVM_RUN goes on, but the CPU is interrupted for it. */
static void start_timer(void)
{
	const struct itimerval timer = {
		.it_value.tv_usec = TIMER_US, .it_interval.tv_usec = TIMER_US,
	};

	TEST_ASSERT(signal(SIGALRM, SIG_IGN) != SIG_ERR, "SIGALRM cannot be ignored");
	TEST_ASSERT_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

TDX_TEST_F(exception, handled_among_interrupts)
{
	const u64 irqs = vcpu_get_stat(self->vcpu, irq_exits);
	struct ucall uc;

	start_timer();
	tdx_vcpu_run_to_ucall(self->vcpu, UCALL_DONE, &uc);
	TEST_ASSERT(vcpu_get_stat(self->vcpu, irq_exits) > irqs, "the TD was not interrupted");
}

FIXTURE(exception_vcpus)
{
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[NR_VCPUS];
};

FIXTURE_VARIANT(exception_vcpus)
{
	enum kind kinds[NR_VCPUS];
	bool interruptible[NR_VCPUS];
};

FIXTURE_VARIANT_ADD(exception_vcpus, page) {
	.kinds = { PAGE, PAGE }, .interruptible = { false, true },
};

FIXTURE_VARIANT_ADD(exception_vcpus, different) {
	.kinds = { PROTECTION, DIVIDE }, .interruptible = { false, false },
};

FIXTURE_SETUP(exception_vcpus)
{
	u32 i;

	if (tdx_nr_present_cpus() < NR_VCPUS)
		SKIP(return, TDX_TWO_CPUS_REASON);

	self->vm = tdx_vm_create(NR_VCPUS);
	for (i = 0; i < NR_VCPUS; i++) {
		self->vcpus[i] = tdx_vcpu_add(self->vm, i, guest_code);
		tdx_vcpu_args_set(self->vcpus[i], 2, variant->kinds[i],
				  variant->interruptible[i]);
	}
	tdx_vm_finalize(self->vm);
}

FIXTURE_TEARDOWN(exception_vcpus)
{
	if (self->vm)
		kvm_vm_free(self->vm);
}

static void *run_to_done(void *vcpu)
{
	struct ucall uc;

	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);
	return NULL;
}

/* Two vCPUs at once, each with its own stack. */
TDX_TEST_F(exception_vcpus, handled_at_once)
{
	pthread_t thread;

	start_timer();
	TEST_ASSERT_EQ(pthread_create(&thread, NULL, run_to_done, self->vcpus[1]), 0);
	run_to_done(self->vcpus[0]);
	TEST_ASSERT_EQ(pthread_join(thread, NULL), 0);
}

TDX_TEST_MAIN()
