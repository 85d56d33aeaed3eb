// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts and NMIs that the host sends to a TD.  KVM cannot access a TD's local
 * APIC.  It posts interrupts in the vCPU's descriptor, where the CPU finds them, and
 * leaves NMIs to the TDX module.
 */
/* A failure here is mostly a hang: do not wait long for it. */
#define TDX_TEST_TIMEOUT	30

#include <sys/eventfd.h>

#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cpus.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define MSI_VECTOR	0xa5
#define FIRST_VECTOR	0x20
#define NR_VECTORS	0x100

/* The first interrupt number after those of the I/O APIC of the split irqchip. */
#define MSI_GSI		24

/* Within this time a running vCPU has entered the TD. */
#define GRACE_US	20000

static void guest_halts(void)
{
	tdx_guest_enable_apic();
	for (;;) {
		GUEST_SYNC1(0);
		tdx_guest_halt_for_irq();
		tdx_guest_tell_irqs();
	}
}

static void guest_runs(void)
{
	tdx_guest_enable_apic();
	for (;;) {
		GUEST_SYNC1(0);
		tdx_guest_spin_for_irq();
		tdx_guest_tell_irqs();
	}
}

/* Take pending interrupts with the priority @tpr, and then without. */
static void guest_opens_windows(u64 tpr)
{
	tdx_guest_enable_apic();
	for (;;) {
		x2apic_write_reg(APIC_TASKPRI, tpr);
		GUEST_SYNC1(0);
		sti_nop_cli();
		tdx_guest_tell_irqs();
		x2apic_write_reg(APIC_TASKPRI, 0);
		sti_nop_cli();
		tdx_guest_tell_irqs();
	}
}

/* The local APIC is off, as it is when a TD starts. */
static void guest_without_apic(void)
{
	GUEST_SYNC1(0);
	sti_nop_cli();
	tdx_guest_tell_irqs();
	tdx_guest_enable_apic();
	guest_runs();
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void *guest_code)
{
	struct kvm_vm *vm = tdx_vm_create(1);

	*vcpu = tdx_vcpu_add(vm, 0, guest_code);
	tdx_vm_record_irqs(vm);
	return vm;
}

/* Run to the ucall before the wait, or before a window. */
static void run_to_ready(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	vcpu_run(vcpu);
	tdx_vcpu_get_sync(vcpu, "ready", &uc);
}

/* Where the vCPU is when the interrupt comes. */
enum vcpu_place {
	VCPU_OUT,		/* not in KVM_RUN */
	VCPU_HALTED,		/* not in KVM_RUN, in HLT */
	VCPU_BLOCKING,		/* in KVM_RUN, in HLT */
	VCPU_RUNNING,		/* in KVM_RUN, mostly in the TD */
	VCPU_ELSEWHERE,		/* in KVM_RUN, on another CPU than the sender */
};

struct source {
	int eventfd;		/* of an MSI with MSI_VECTOR */
};

static void send_msi(struct kvm_vcpu *vcpu, struct source *source)
{
	tdx_vcpu_signal_msi(vcpu, MSI_VECTOR);
}

static void send_lowest_priority(struct kvm_vcpu *vcpu, struct source *source)
{
	tdx_vcpu_signal_msi(vcpu, APIC_DM_LOWEST | MSI_VECTOR);
}

static void send_irqfd(struct kvm_vcpu *vcpu, struct source *source)
{
	const u64 one = 1;

	TEST_ASSERT_EQ(write(source->eventfd, &one, sizeof(one)), sizeof(one));
}

/* The interrupt of the irqfd, by its number: an edge. */
static void send_irq_line(struct kvm_vcpu *vcpu, struct source *source)
{
	struct kvm_irq_level level = { .irq = MSI_GSI, .level = 1 };

	vm_ioctl(vcpu->vm, KVM_IRQ_LINE, &level);
}

static void send_nmi(struct kvm_vcpu *vcpu, struct source *source)
{
	tdx_vcpu_signal_msi(vcpu, APIC_DM_NMI);
}

FIXTURE(interrupt)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct source source;
	int cpu;		/* where the vCPU runs, -1 for anywhere */
};

FIXTURE_VARIANT(interrupt)
{
	enum vcpu_place place;
};

FIXTURE_VARIANT_ADD(interrupt, out)	 { .place = VCPU_OUT };
FIXTURE_VARIANT_ADD(interrupt, halted)	 { .place = VCPU_HALTED };
FIXTURE_VARIANT_ADD(interrupt, blocking) { .place = VCPU_BLOCKING };
FIXTURE_VARIANT_ADD(interrupt, running)	 { .place = VCPU_RUNNING };
FIXTURE_VARIANT_ADD(interrupt, elsewhere) { .place = VCPU_ELSEWHERE };

static void route_msi(struct kvm_vm *vm, struct source *source)
{
	struct kvm_irq_routing *routing = kvm_gsi_routing_create();

	routing->entries[routing->nr++] = (struct kvm_irq_routing_entry) {
		.gsi = MSI_GSI,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi.address_lo = APIC_DEFAULT_GPA,
		.u.msi.data = MSI_VECTOR,
	};
	kvm_gsi_routing_write(vm, routing);

	source->eventfd = eventfd(0, 0);
	TEST_ASSERT(source->eventfd >= 0, "eventfd() failed");
	kvm_assign_irqfd(vm, MSI_GSI, source->eventfd);
}

FIXTURE_SETUP(interrupt)
{
	const bool halts = variant->place == VCPU_HALTED || variant->place == VCPU_BLOCKING;

	self->cpu = variant->place == VCPU_ELSEWHERE ? tdx_pin_to_first_cpu() : -1;
	if (variant->place == VCPU_ELSEWHERE && self->cpu < 0)
		SKIP(return, TDX_TWO_CPUS_REASON);

	self->vm = create(&self->vcpu, halts ? guest_halts : guest_runs);
	route_msi(self->vm, &self->source);
	tdx_vm_finalize(self->vm);
}

TDX_FIXTURE_TEARDOWN(interrupt);

/* Send to a vCPU that is at the ucall before its wait, and let it report. */
static void send_to(struct kvm_vcpu *vcpu, int cpu, enum vcpu_place place,
		    struct source *source,
		    void (*send)(struct kvm_vcpu *vcpu, struct source *source), u8 vector)
{
	struct tdx_vcpu_thread thread;

	run_to_ready(vcpu);

	switch (place) {
	case VCPU_HALTED:
		tdx_vcpu_run_to_halt(vcpu);
		break;
	case VCPU_BLOCKING:
		tdx_vcpu_block(&thread, vcpu, -1);
		break;
	case VCPU_RUNNING:
	case VCPU_ELSEWHERE:
		tdx_vcpu_start(&thread, vcpu, cpu);
		usleep(GRACE_US);
		break;
	default:
		break;
	}

	send(vcpu, source);

	if (place == VCPU_BLOCKING || place == VCPU_RUNNING || place == VCPU_ELSEWHERE) {
		tdx_vcpu_join(&thread);
		TEST_ASSERT(!thread.ret, "wanted KVM_RUN to go on, got %s",
			    strerror(thread.err));
	} else {
		vcpu_run(vcpu);
	}

	tdx_vcpu_check_irqs(vcpu, "sent", &vector, 1);
}

/* Several of each: the end of the first lets the second in. */
#define SEND_TEST(_send, _vector)						\
TDX_TEST_F(interrupt, _send)				\
{										\
	int i;									\
										\
	for (i = 0; i < 3; i++)							\
		send_to(self->vcpu, self->cpu, variant->place, &self->source,	\
			_send, _vector);					\
}

SEND_TEST(send_msi, MSI_VECTOR)
SEND_TEST(send_lowest_priority, MSI_VECTOR)
SEND_TEST(send_irqfd, MSI_VECTOR)
SEND_TEST(send_irq_line, MSI_VECTOR)
SEND_TEST(send_nmi, NMI_VECTOR)

/*
 * Interrupts that are sent while they are disabled, and the order in which they are
 * taken.
 */
TDX_FIXTURE(pending);

struct vectors {
	u64 nr;
	u8 vectors[8];
};

FIXTURE_VARIANT(pending)
{
	u64 tpr;
	struct vectors sent;
	struct vectors first;	/* taken with this TPR */
	struct vectors second;	/* taken without */
};

/* The highest vector comes first, whatever was sent first. */
FIXTURE_VARIANT_ADD(pending, by_priority) {
	.sent = { 6, { 0x31, 0xa5, 0x72, 0xfe, 0x35, 0x20 } },
	.first = { 6, { 0xfe, 0xa5, 0x72, 0x35, 0x31, 0x20 } },
};

FIXTURE_VARIANT_ADD(pending, one_class) {
	.sent = { 4, { 0xa1, 0xa0, 0xaf, 0xa8 } },
	.first = { 4, { 0xaf, 0xa8, 0xa1, 0xa0 } },
};

/* A vector cannot be pending twice. */
FIXTURE_VARIANT_ADD(pending, same_vector) {
	.sent = { 3, { 0xa5, 0xa5, 0xa5 } },
	.first = { 1, { 0xa5 } },
};

/* Vectors of the class of TPR, and of those below, wait. */
FIXTURE_VARIANT_ADD(pending, masked_by_tpr) {
	.tpr = 0xa0,
	.sent = { 4, { 0x31, 0xa5, 0xb0, 0xaf } },
	.first = { 1, { 0xb0 } },
	.second = { 3, { 0xaf, 0xa5, 0x31 } },
};

FIXTURE_VARIANT_ADD(pending, all_masked) {
	.tpr = 0xf0,
	.sent = { 2, { 0xa5, 0xf1 } },
	.second = { 2, { 0xf1, 0xa5 } },
};

FIXTURE_SETUP(pending)
{
	self->vm = create(&self->vcpu, guest_opens_windows);
	tdx_vcpu_args_set(self->vcpu, 1, variant->tpr);
	tdx_vm_finalize(self->vm);
	run_to_ready(self->vcpu);
}

TDX_TEST_F(pending, taken)
{
	u64 i;

	for (i = 0; i < variant->sent.nr; i++)
		tdx_vcpu_signal_msi(self->vcpu, variant->sent.vectors[i]);

	vcpu_run(self->vcpu);
	tdx_vcpu_check_irqs(self->vcpu, "first", variant->first.vectors, variant->first.nr);
	vcpu_run(self->vcpu);
	tdx_vcpu_check_irqs(self->vcpu, "second", variant->second.vectors, variant->second.nr);
}

/* Each bit of the posted-interrupt descriptor. */
TEST(every_vector)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_opens_windows);
	u8 vectors[NR_VECTORS];
	u64 nr = 0;
	int vector;

	tdx_vm_finalize(vm);
	run_to_ready(vcpu);
	for (vector = FIRST_VECTOR; vector < NR_VECTORS; vector++)
		tdx_vcpu_signal_msi(vcpu, vector);
	while (vector-- > FIRST_VECTOR)
		vectors[nr++] = vector;

	vcpu_run(vcpu);
	tdx_vcpu_check_irqs(vcpu, "first", vectors, nr);
	kvm_vm_free(vm);
}

/* KVM knows that a TD's local APIC is off, and reports it to the sender. */
TEST(apic_off)
{
	const u8 vector = MSI_VECTOR;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_without_apic);

	tdx_vm_finalize(vm);
	run_to_ready(vcpu);
	TEST_ASSERT_EQ(__tdx_vcpu_signal_msi(vcpu, vector), 0);
	vcpu_run(vcpu);
	tdx_vcpu_check_irqs(vcpu, "with the APIC off", NULL, 0);

	run_to_ready(vcpu);
	tdx_vcpu_signal_msi(vcpu, vector);
	vcpu_run(vcpu);
	tdx_vcpu_check_irqs(vcpu, "with the APIC on", &vector, 1);
	kvm_vm_free(vm);
}

/*
 * KVM_INTERRUPT is for interrupts of an external PIC.  KVM cannot inject one into a TD,
 * and must refuse it: an interrupt that KVM keeps is in the way of NMIs.
 */
TEST(external_interrupt)
{
	struct kvm_interrupt interrupt = { .irq = MSI_VECTOR };
	const u8 vector = FIRST_VECTOR;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_runs);

	tdx_vm_finalize(vm);
	run_to_ready(vcpu);
	TEST_ASSERT_EQ(__vcpu_ioctl(vcpu, KVM_INTERRUPT, &interrupt), -1);
	TEST_ASSERT_EQ(errno, EINVAL);

	/* When the TD has taken the lowest vector, it has taken all others before. */
	tdx_vcpu_signal_msi(vcpu, vector);
	vcpu_run(vcpu);
	tdx_vcpu_check_irqs(vcpu, "sent", &vector, 1);
	kvm_vm_free(vm);
}

TDX_FINDING(8, "global.external_interrupt");

/*
 * NMIs that the TDX module has not delivered yet count as one.  None is left for KVM to
 * inject when it looks for events again, as it does for KVM_SET_MP_STATE.
 */
TEST(nmis_collapse)
{
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	const u8 nmi = NMI_VECTOR, vector = MSI_VECTOR;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_runs);
	int i;

	tdx_vm_finalize(vm);
	run_to_ready(vcpu);
	for (i = 0; i < 3; i++)
		vcpu_ioctl(vcpu, KVM_NMI, NULL);
	vcpu_run(vcpu);
	tdx_vcpu_check_irqs(vcpu, "after three NMIs", &nmi, 1);

	run_to_ready(vcpu);
	vcpu_mp_state_set(vcpu, &runnable);
	tdx_vcpu_signal_msi(vcpu, vector);
	vcpu_run(vcpu);
	tdx_vcpu_check_irqs(vcpu, "after that", &vector, 1);
	kvm_vm_free(vm);
}

/* KVM says that a vCPU of a TD does not get INIT and SIPI. */
TEST(init_sipi_are_blocked)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_runs);

	tdx_vm_finalize(vm);
	run_to_ready(vcpu);
	TEST_ASSERT_EQ(__tdx_vcpu_signal_msi(vcpu, APIC_DM_INIT), 0);
	TEST_ASSERT_EQ(__tdx_vcpu_signal_msi(vcpu, APIC_DM_STARTUP), 0);
	kvm_vm_free(vm);
}

TDX_FINDING(14, "global.init_sipi_are_blocked");

/* INIT and SIPI have no effect on a vCPU of a TD.  There is no SMM. */
TEST(init_sipi_smi)
{
	const u8 vector = MSI_VECTOR;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_runs);

	tdx_vm_finalize(vm);
	run_to_ready(vcpu);
	__tdx_vcpu_signal_msi(vcpu, APIC_DM_INIT);
	__tdx_vcpu_signal_msi(vcpu, APIC_DM_STARTUP);
	TEST_ASSERT_EQ(__tdx_vcpu_signal_msi(vcpu, APIC_DM_SMI), 0);
	TEST_ASSERT_EQ(__vcpu_ioctl(vcpu, KVM_SMI, NULL), -1);
	TEST_ASSERT_EQ(errno, ENOTTY);
	TEST_ASSERT_EQ(tdx_vcpu_mp_state(vcpu), KVM_MP_STATE_RUNNABLE);

	/* The vCPU goes on where it was, with the same registers. */
	tdx_vcpu_signal_msi(vcpu, vector);
	vcpu_run(vcpu);
	tdx_vcpu_check_irqs(vcpu, "sent", &vector, 1);
	kvm_vm_free(vm);
}

TDX_TEST_MAIN()
