// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts that a TD sends to itself or to another vCPU: by SELF_IPI, which the CPU
 * virtualizes; by the x2APIC registers that KVM emulates, ICR and those of the timer;
 * and by a vector that it gives to the host by
 * TDG.VP.VMCALL<SetupEventNotifyInterrupt>.
 */
/* A failure here is mostly a hang: do not wait long for it. */
#define TDX_TEST_TIMEOUT	30

#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cpus.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_msr.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_ve.h"

#define IPI_VECTOR		0xa5
#define ICR_DEST_SHIFT		32

/* "Divide by 1" of the timer's divide configuration register. */
#define TDCR_BY_1		0xb
/* In units of the APIC's clock, and of the TSC. */
#define TIMER_COUNT		10000
/* 50 ms: even on a busy host the TD reports one interrupt before the next one comes. */
#define TIMER_PERIOD		50000000

/* How a TD interrupts the vCPU with APIC ID @dest. */
static void guest_self_ipi(u64 dest)
{
	x2apic_write_reg(APIC_SELF_IPI, IPI_VECTOR);
}

static void guest_icr_self(u64 dest)
{
	tdvmcall_wrmsr(X2APIC_MSR(APIC_ICR), APIC_DEST_SELF | IPI_VECTOR);
}

static void guest_icr_all(u64 dest)
{
	tdvmcall_wrmsr(X2APIC_MSR(APIC_ICR), APIC_DEST_ALLINC | IPI_VECTOR);
}

static void guest_icr_all_but_self(u64 dest)
{
	tdvmcall_wrmsr(X2APIC_MSR(APIC_ICR), APIC_DEST_ALLBUT | IPI_VECTOR);
}

static void guest_icr_physical(u64 dest)
{
	tdvmcall_wrmsr(X2APIC_MSR(APIC_ICR), dest << ICR_DEST_SHIFT | IPI_VECTOR);
}

/* x2APIC cluster and bit of an APIC ID below 16. */
static void guest_icr_logical(u64 dest)
{
	tdvmcall_wrmsr(X2APIC_MSR(APIC_ICR),
		       BIT_ULL(ICR_DEST_SHIFT + dest) | APIC_DEST_LOGICAL | IPI_VECTOR);
}

static void guest_icr_nmi(u64 dest)
{
	tdvmcall_wrmsr(X2APIC_MSR(APIC_ICR), dest << ICR_DEST_SHIFT | APIC_DM_NMI);
}

/* Use the instruction, as any guest would.  It raises #VE. */
static void guest_icr_by_ve(u64 dest)
{
	x2apic_write_reg(APIC_ICR, dest << ICR_DEST_SHIFT | IPI_VECTOR);
}

static void guest_ve(struct ex_regs *regs)
{
	struct tdx_ve_info ve;

	tdx_guest_get_ve_info(&ve);
	GUEST_ASSERT_EQ(ve.exit_reason, (u64)EXIT_REASON_MSR_WRITE);

	tdvmcall_wrmsr(regs->rcx, (u32)regs->rax | regs->rdx << 32);
	regs->rip += ve.instruction_length;
}

static void guest_timer_oneshot(u64 dest)
{
	tdvmcall_wrmsr(APIC_BASE_MSR + (APIC_TDCR >> 4), TDCR_BY_1);
	tdvmcall_wrmsr(APIC_BASE_MSR + (APIC_LVTT >> 4), APIC_LVT_TIMER_ONESHOT | IPI_VECTOR);
	tdvmcall_wrmsr(APIC_BASE_MSR + (APIC_TMICT >> 4), TIMER_COUNT);
}

/* It is started once. */
static void guest_timer_periodic(u64 dest)
{
	static bool started;

	if (started)
		return;

	started = true;
	tdvmcall_wrmsr(APIC_BASE_MSR + (APIC_TDCR >> 4), TDCR_BY_1);
	tdvmcall_wrmsr(APIC_BASE_MSR + (APIC_LVTT >> 4), APIC_LVT_TIMER_PERIODIC | IPI_VECTOR);
	tdvmcall_wrmsr(APIC_BASE_MSR + (APIC_TMICT >> 4), TIMER_PERIOD);
}

static void guest_timer_tsc_deadline(u64 dest)
{
	tdvmcall_wrmsr(APIC_BASE_MSR + (APIC_LVTT >> 4),
		       APIC_LVT_TIMER_TSCDEADLINE | IPI_VECTOR);
	tdvmcall_wrmsr(MSR_IA32_TSC_DEADLINE, rdtsc() + TIMER_COUNT);
}

static void guest_code(void (*interrupt)(u64 dest), u64 halts)
{
	tdx_guest_enable_apic();
	for (;;) {
		interrupt(0);
		if (halts)
			tdx_guest_halt_for_irq();
		else
			tdx_guest_spin_for_irq();
		tdx_guest_tell_irqs();
	}
}

TDX_FIXTURE(ipi);

FIXTURE_VARIANT(ipi)
{
	void (*interrupt)(u64 dest);
	u8 vector;
};

#define IPI(_name, _vector)							\
	FIXTURE_VARIANT_ADD(ipi, _name) {					\
		.interrupt = guest_##_name, .vector = _vector,			\
	}

IPI(self_ipi, IPI_VECTOR);
IPI(icr_self, IPI_VECTOR);
IPI(icr_all, IPI_VECTOR);
IPI(icr_physical, IPI_VECTOR);
IPI(icr_logical, IPI_VECTOR);
IPI(icr_by_ve, IPI_VECTOR);
IPI(icr_nmi, NMI_VECTOR);
IPI(timer_oneshot, IPI_VECTOR);
IPI(timer_periodic, IPI_VECTOR);
IPI(timer_tsc_deadline, IPI_VECTOR);

FIXTURE_SETUP(ipi)
{
	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, guest_code);
	/*
	 * KVM emulates the timer.  It looks at this table, whatever the TDX module
	 * reports.
	 */
	vcpu_set_cpuid_feature(self->vcpu, X86_FEATURE_TSC_DEADLINE_TIMER);
	tdx_vm_record_irqs(self->vm);
	vm_install_exception_handler(self->vm, VE_VECTOR, guest_ve);
}

static void test_ipis(struct kvm_vcpu *vcpu, void *interrupt, u8 vector, bool halts)
{
	int i;

	tdx_vcpu_args_set(vcpu, 2, interrupt, (u64)halts);
	tdx_vm_finalize(vcpu->vm);
	for (i = 0; i < 3; i++) {
		vcpu_run(vcpu);
		tdx_vcpu_check_irqs(vcpu, "caused by itself", &vector, 1);
	}
}

TDX_TEST_F(ipi, to_itself_running)
{
	test_ipis(self->vcpu, variant->interrupt, variant->vector, false);
}

TDX_TEST_F(ipi, to_itself_halted)
{
	test_ipis(self->vcpu, variant->interrupt, variant->vector, true);
}

/* From one vCPU to another. */
static void guest_sender(void (*interrupt)(u64 dest))
{
	tdx_guest_enable_apic();
	for (;;) {
		GUEST_SYNC1(0);
		interrupt(1);
	}
}

static void guest_receiver(u64 halts)
{
	tdx_guest_enable_apic();
	for (;;) {
		GUEST_SYNC1(0);
		if (halts)
			tdx_guest_halt_for_irq();
		else
			tdx_guest_spin_for_irq();
		tdx_guest_tell_irqs();
	}
}

FIXTURE(ipi_vcpus)
{
	struct kvm_vcpu *sender;
	struct kvm_vcpu *receiver;
	struct kvm_vm *vm;
};

FIXTURE_VARIANT(ipi_vcpus)
{
	void (*interrupt)(u64 dest);
	u8 vector;
};

#define IPI_VCPUS(_name, _vector)						\
	FIXTURE_VARIANT_ADD(ipi_vcpus, _name) {					\
		.interrupt = guest_##_name, .vector = _vector,			\
	}

IPI_VCPUS(icr_all_but_self, IPI_VECTOR);
IPI_VCPUS(icr_physical, IPI_VECTOR);
IPI_VCPUS(icr_logical, IPI_VECTOR);
IPI_VCPUS(icr_by_ve, IPI_VECTOR);
IPI_VCPUS(icr_nmi, NMI_VECTOR);

FIXTURE_SETUP(ipi_vcpus)
{
	if (tdx_nr_present_cpus() < 2)
		SKIP(return, TDX_TWO_CPUS_REASON);

	self->vm = tdx_vm_create(2);
	self->sender = tdx_vcpu_add(self->vm, 0, guest_sender);
	self->receiver = tdx_vcpu_add(self->vm, 1, guest_receiver);
	tdx_vm_record_irqs(self->vm);
	vm_install_exception_handler(self->vm, VE_VECTOR, guest_ve);
	tdx_vcpu_args_set(self->sender, 1, variant->interrupt);
}

TDX_FIXTURE_TEARDOWN(ipi_vcpus);

static void run_to_ready(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	vcpu_run(vcpu);
	tdx_vcpu_get_sync(vcpu, "ready", &uc);
}

static void test_two_vcpus(struct kvm_vcpu *sender, struct kvm_vcpu *receiver, u8 vector,
			   bool halts)
{
	struct tdx_vcpu_thread thread;
	int i;

	tdx_vcpu_args_set(receiver, 1, (u64)halts);
	tdx_vm_finalize(sender->vm);
	run_to_ready(sender);

	for (i = 0; i < 3; i++) {
		run_to_ready(receiver);
		if (halts)
			tdx_vcpu_block(&thread, receiver, -1);
		else
			tdx_vcpu_start(&thread, receiver, -1);

		run_to_ready(sender);
		tdx_vcpu_join(&thread);
		TEST_ASSERT(!thread.ret, "wanted KVM_RUN to go on, got %s", strerror(thread.err));
		tdx_vcpu_check_irqs(receiver, "sent by the other vCPU", &vector, 1);
	}
}

TDX_TEST_F(ipi_vcpus, to_running)
{
	test_two_vcpus(self->sender, self->receiver, variant->vector, false);
}

TDX_TEST_F(ipi_vcpus, to_halted)
{
	test_two_vcpus(self->sender, self->receiver, variant->vector, true);
}

static void guest_notified(u64 vector)
{
	tdx_guest_enable_apic();

	for (;;) {
		struct tdcall_regs regs = {
			.r11 = TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT,
			.r12 = vector,
		};

		tdvmcall(&regs);
		GUEST_SYNC1(0);
		tdx_guest_halt_for_irq();
		tdx_guest_tell_irqs();
	}
}

/*
 * The whole way: the TD gives a vector, the host remembers it, and signals an MSI with
 * this vector for an event.
 */
TEST(event_notification)
{
	const u8 vector = IPI_VECTOR;
	struct tdx_vcpu_thread thread;
	struct kvm_vcpu *vcpu;
	struct kvm_run *run;
	struct kvm_vm *vm;
	u8 noted;

	vm = tdx_vm_create(1);
	vcpu = tdx_vcpu_add(vm, 0, guest_notified);
	run = vcpu->run;
	tdx_vcpu_args_set(vcpu, 1, (u64)vector);
	tdx_vm_record_irqs(vm);
	tdx_vm_finalize(vm);

	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_TDX);
	TEST_ASSERT_EQ(run->tdx.nr, (u64)TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT);
	noted = run->tdx.setup_event_notify.vector;
	run->tdx.setup_event_notify.ret = TDVMCALL_STATUS_SUCCESS;
	run_to_ready(vcpu);

	tdx_vcpu_block(&thread, vcpu, -1);
	tdx_vcpu_signal_msi(vcpu, noted);
	tdx_vcpu_join(&thread);
	TEST_ASSERT(!thread.ret, "wanted KVM_RUN to go on, got %s", strerror(thread.err));
	tdx_vcpu_check_irqs(vcpu, "notified", &vector, 1);
	kvm_vm_free(vm);
}

TDX_TEST_MAIN()
