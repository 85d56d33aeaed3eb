// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VMCALL<Instruction.HLT>: KVM halts the vCPU by itself until an event comes.
 * KVM cannot see RFLAGS.IF.  The TD says in R12 whether it has interrupts blocked; if
 * so, they do not wake it.
 */
/* A failure here is mostly a hang: do not wait long for it. */
#define TDX_TEST_TIMEOUT	30

#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cpus.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_sim.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define MSI_VECTOR	0xa5
/* A priority that only interrupts of the highest class exceed. */
#define TPR_MASKS_MSI	0xa0

/* Number of signals that must not wake a halted vCPU. */
#define NR_SIGNALS	3

/* This number of refused entries shows that the vCPU is awake. */
#define NR_BUSY		3

/* Within this time a vCPU that must be woken has been woken. */
#define GRACE_US	50000

static u64 nr_nmis, nr_msis;

static void guest_nmi(struct ex_regs *regs)
{
	nr_nmis++;
}

static void guest_msi(struct ex_regs *regs)
{
	nr_msis++;
	tdx_guest_eoi();
}

/*
 * After each HLT, report the events that were taken before it ended, and those that are
 * taken when interrupts are enabled.
 */
static void guest_code(u64 blocked, u64 interrupts_on, u64 tpr)
{
	tdx_guest_enable_apic();
	x2apic_write_reg(APIC_TASKPRI, tpr);
	if (interrupts_on)
		sti();

	for (;;) {
		tdvmcall_guest_issue(0, EXIT_REASON_HLT, blocked, 0, 0, 0);
		GUEST_SYNC2(nr_nmis, nr_msis);

		x2apic_write_reg(APIC_TASKPRI, 0);
		sti_nop_cli();
		GUEST_SYNC2(nr_nmis, nr_msis);

		x2apic_write_reg(APIC_TASKPRI, tpr);
		if (interrupts_on)
			sti();
	}
}

/* A kind of HLT, and whether an MSI ... */
struct hlt {
	const char *name;
	u64 blocked;		/* R12 */
	u64 interrupts_on;	/* RFLAGS.IF */
	u64 tpr;
	bool wakes;		/* ... wakes the TD from it */
	bool pending;		/* ... keeps it from halting if it is pending */
};

TDX_FIXTURE(hlt);

FIXTURE_VARIANT(hlt)
{
	struct hlt hlt;
};

FIXTURE_VARIANT_ADD(hlt, interrupts_on) {
	.hlt = { .name = "interrupts on", .interrupts_on = 1, .wakes = true },
};

/* R12 counts, not RFLAGS.IF. */
FIXTURE_VARIANT_ADD(hlt, interrupts_off) {
	.hlt = { .name = "interrupts off", .wakes = true, .pending = true },
};

/* KVM does not know the priority, but the TDX module does. */
FIXTURE_VARIANT_ADD(hlt, masked_by_tpr) {
	.hlt = { .name = "masked by TPR", .tpr = TPR_MASKS_MSI, .wakes = true },
};

FIXTURE_VARIANT_ADD(hlt, blocked) {
	.hlt = { .name = "blocked", .blocked = 1 },
};

FIXTURE_VARIANT_ADD(hlt, blocked_by_bit_32) {
	.hlt = { .name = "blocked by bit 32", .blocked = BIT_ULL(32) },
};

FIXTURE_VARIANT_ADD(hlt, blocked_interrupts_on) {
	.hlt = { .name = "blocked, interrupts on", .blocked = 1, .interrupts_on = 1 },
};

static struct kvm_vcpu *add_vcpu(struct kvm_vm *vm, const struct hlt *hlt)
{
	struct kvm_vcpu *vcpu = tdx_vcpu_add(vm, 0, guest_code);

	tdx_vcpu_args_set(vcpu, 3, hlt->blocked, hlt->interrupts_on, hlt->tpr);
	vm_install_exception_handler(vm, NMI_VECTOR, guest_nmi);
	vm_install_exception_handler(vm, MSI_VECTOR, guest_msi);
	tdx_vm_finalize(vm);
	return vcpu;
}

FIXTURE_SETUP(hlt)
{
	self->vm = tdx_vm_create(1);
	self->vcpu = add_vcpu(self->vm, &variant->hlt);
}

static void check_events(struct kvm_vcpu *vcpu, const struct hlt *hlt, const char *when,
			 u64 nmis, u64 msis)
{
	struct ucall uc;

	vcpu_run(vcpu);
	tdx_vcpu_get_sync(vcpu, hlt->name, &uc);
	tdx_assert_value(hlt->name, when, 1, "NMIs taken", nmis, uc.args[0]);
	tdx_assert_value(hlt->name, when, 1, "MSIs taken", msis, uc.args[1]);
}

/* The HLT has ended, and nothing has changed except by the events. */
static void check_hlt(struct kvm_vcpu *vcpu, const struct hlt *hlt, u64 nmis, u64 msis)
{
	const bool taken_at_once = hlt->interrupts_on && !hlt->tpr;
	struct tdcall_regs want;

	tdvmcall_seed_regs(&want);
	want.r10 = TDVMCALL_STATUS_SUCCESS;
	want.r11 = EXIT_REASON_HLT;
	want.r12 = hlt->blocked;
	want.r13 = 0;
	want.r14 = 0;
	want.r15 = 0;
	tdvmcall_check_regs(vcpu, hlt->name, 0, &want);

	check_events(vcpu, hlt, "before interrupts are let through", nmis,
		     taken_at_once ? msis : 0);
	check_events(vcpu, hlt, "after interrupts were let through", nmis, msis);
}

static void launch(struct kvm_vcpu *vcpu, const struct hlt *hlt)
{
	tdvmcall_launch(vcpu, hlt->name);
	tdx_vcpu_run_to_halt(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_INTR);
}

/* Run a vCPU that must stay halted. */
static void check_halted(struct kvm_vcpu *vcpu, const struct hlt *hlt)
{
	int r = tdx_vcpu_run_with_signals(vcpu);

	TEST_ASSERT(r == -1 && errno == EINTR, "%s: wanted the vCPU to stay halted, got %s",
		    hlt->name, r ? strerror(errno) : exit_reason_str(vcpu->run->exit_reason));
	tdx_assert_value(hlt->name, "KVM_GET_MP_STATE", 1, "mp_state", KVM_MP_STATE_HALTED,
			 tdx_vcpu_mp_state(vcpu));
}

static void set_mp_state(struct kvm_vcpu *vcpu, u32 state)
{
	struct kvm_mp_state mp_state = { .mp_state = state };

	vcpu_mp_state_set(vcpu, &mp_state);
}

static void inject_nmi(struct kvm_vcpu *vcpu)
{
	vcpu_ioctl(vcpu, KVM_NMI, NULL);
}

TDX_TEST_F(hlt, ended_by_nmi)
{
	launch(self->vcpu, &variant->hlt);
	inject_nmi(self->vcpu);
	vcpu_run(self->vcpu);
	check_hlt(self->vcpu, &variant->hlt, 1, 0);
}

/* An interrupt that does not wake the TD is not lost. */
TDX_TEST_F(hlt, ended_by_msi)
{
	launch(self->vcpu, &variant->hlt);
	tdx_vcpu_signal_msi(self->vcpu, MSI_VECTOR);

	if (!variant->hlt.wakes) {
		check_halted(self->vcpu, &variant->hlt);
		set_mp_state(self->vcpu, KVM_MP_STATE_RUNNABLE);
	}

	vcpu_run(self->vcpu);
	check_hlt(self->vcpu, &variant->hlt, 0, 1);
}

TDX_TEST_F(hlt, ended_by_mp_state)
{
	launch(self->vcpu, &variant->hlt);
	set_mp_state(self->vcpu, KVM_MP_STATE_RUNNABLE);
	tdx_assert_value(variant->hlt.name, "KVM_GET_MP_STATE", 1, "mp_state",
			 KVM_MP_STATE_RUNNABLE, tdx_vcpu_mp_state(self->vcpu));
	vcpu_run(self->vcpu);
	check_hlt(self->vcpu, &variant->hlt, 0, 0);
}

/* A signal ends KVM_RUN, not the halt. */
TDX_TEST_F(hlt, not_ended_by_signal)
{
	int i;

	launch(self->vcpu, &variant->hlt);
	for (i = 0; i < NR_SIGNALS; i++)
		check_halted(self->vcpu, &variant->hlt);

	inject_nmi(self->vcpu);
	vcpu_run(self->vcpu);
	check_hlt(self->vcpu, &variant->hlt, 1, 0);
}

/* The MSI is in the virtual APIC of the TD already, which KVM cannot read. */
TDX_TEST_F(hlt, with_msi_pending)
{
	const struct hlt *hlt = &variant->hlt;
	u64 nmis = 0;
	int r;

	tdvmcall_launch(self->vcpu, hlt->name);
	tdx_vcpu_signal_msi(self->vcpu, MSI_VECTOR);

	if (!hlt->pending) {
		tdx_vcpu_run_to_halt(self->vcpu);
		inject_nmi(self->vcpu);
		nmis++;
	}

	do {
		r = tdx_vcpu_run_with_signals(self->vcpu);
		TEST_ASSERT(!r || tdx_vcpu_mp_state(self->vcpu) != KVM_MP_STATE_HALTED,
			    "%s: wanted HLT to return at once, the vCPU halted", hlt->name);
	} while (r);

	check_hlt(self->vcpu, hlt, nmis, 1);
}

/* The TD gets both with one entry.  The MSI waits until interrupts are enabled. */
TDX_TEST_F(hlt, ended_by_nmi_and_msi)
{
	launch(self->vcpu, &variant->hlt);
	tdx_vcpu_signal_msi(self->vcpu, MSI_VECTOR);
	inject_nmi(self->vcpu);
	vcpu_run(self->vcpu);
	check_hlt(self->vcpu, &variant->hlt, 1, 1);
}

/* The vCPU is in KVM_RUN when the event comes. */
static void test_blocking(struct kvm_vcpu *vcpu, const struct hlt *hlt,
			  void (*signal)(struct kvm_vcpu *vcpu), int cpu)
{
	struct tdx_vcpu_thread thread;

	tdx_vcpu_block(&thread, vcpu, cpu);
	signal(vcpu);
	tdx_vcpu_join(&thread);
	TEST_ASSERT(!thread.ret, "%s: wanted KVM_RUN to go on, got %s", hlt->name,
		    strerror(thread.err));
}

static void signal_nmi(struct kvm_vcpu *vcpu)
{
	tdx_vcpu_signal_msi(vcpu, APIC_DM_NMI);
}

static void signal_msi(struct kvm_vcpu *vcpu)
{
	tdx_vcpu_signal_msi(vcpu, MSI_VECTOR);
}

/* The vCPU stays blocked.  A signal does not end the halt either. */
static void test_still_blocking(struct kvm_vcpu *vcpu, const struct hlt *hlt)
{
	struct tdx_vcpu_thread thread;

	tdx_vcpu_block(&thread, vcpu, -1);
	signal_msi(vcpu);
	usleep(GRACE_US);
	TEST_ASSERT(vcpu_get_stat(vcpu, blocking), "%s: an MSI has woken the vCPU", hlt->name);

	tdx_vcpu_interrupt(&thread);
	tdx_vcpu_join(&thread);
	TEST_ASSERT(thread.ret == -1 && thread.err == EINTR,
		    "%s: wanted KVM_RUN to fail with EINTR, got %s", hlt->name,
		    thread.ret ? strerror(thread.err) : exit_reason_str(vcpu->run->exit_reason));
	tdx_assert_value(hlt->name, "KVM_GET_MP_STATE", 1, "mp_state", KVM_MP_STATE_HALTED,
			 tdx_vcpu_mp_state(vcpu));

	set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
	vcpu_run(vcpu);
}

TDX_TEST_F(hlt, woken_by_nmi)
{
	tdvmcall_launch(self->vcpu, variant->hlt.name);
	test_blocking(self->vcpu, &variant->hlt, signal_nmi, -1);
	check_hlt(self->vcpu, &variant->hlt, 1, 0);
}

TDX_TEST_F(hlt, woken_by_msi)
{
	tdvmcall_launch(self->vcpu, variant->hlt.name);
	if (variant->hlt.wakes)
		test_blocking(self->vcpu, &variant->hlt, signal_msi, -1);
	else
		test_still_blocking(self->vcpu, &variant->hlt);
	check_hlt(self->vcpu, &variant->hlt, 0, 1);
}

/* Userspace halts a running vCPU.  The same events wake it. */
TDX_TEST_F(hlt, by_mp_state)
{
	const struct hlt *hlt = &variant->hlt;

	tdvmcall_launch(self->vcpu, hlt->name);
	set_mp_state(self->vcpu, KVM_MP_STATE_HALTED);
	check_halted(self->vcpu, hlt);
	inject_nmi(self->vcpu);

	/* This was the wait that comes before the TD's own HLT. */
	tdx_vcpu_run_to_halt(self->vcpu);
	inject_nmi(self->vcpu);
	vcpu_run(self->vcpu);
	check_hlt(self->vcpu, hlt, 2, 0);
}

/* The vCPU is woken from another CPU, or has moved to another CPU. */
FIXTURE(hlt_cpus)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int other_cpu;
};

FIXTURE_VARIANT(hlt_cpus)
{
	void (*signal)(struct kvm_vcpu *vcpu);
	u64 nmis;
	u64 msis;
};

FIXTURE_VARIANT_ADD(hlt_cpus, nmi) { .signal = signal_nmi, .nmis = 1 };
FIXTURE_VARIANT_ADD(hlt_cpus, msi) { .signal = signal_msi, .msis = 1 };

static const struct hlt hlt_cpus = { .name = "CPUs", .interrupts_on = 1 };

FIXTURE_SETUP(hlt_cpus)
{
	self->other_cpu = tdx_pin_to_first_cpu();
	if (self->other_cpu < 0)
		SKIP(return, TDX_TWO_CPUS_REASON);

	self->vm = tdx_vm_create(1);
	self->vcpu = add_vcpu(self->vm, &hlt_cpus);
	tdvmcall_launch(self->vcpu, hlt_cpus.name);
}

TDX_FIXTURE_TEARDOWN(hlt_cpus);

TDX_TEST_F(hlt_cpus, woken_from_another)
{
	test_blocking(self->vcpu, &hlt_cpus, variant->signal, self->other_cpu);
	check_hlt(self->vcpu, &hlt_cpus, variant->nmis, variant->msis);
}

TDX_TEST_F(hlt_cpus, halted_on_one_woken_on_another)
{
	tdx_vcpu_run_to_halt(self->vcpu);
	test_blocking(self->vcpu, &hlt_cpus, variant->signal, self->other_cpu);
	check_hlt(self->vcpu, &hlt_cpus, variant->nmis, variant->msis);
}

/*
 * The vCPU wakes up while the TDX module is busy.  It is not entered, and a signal ends
 * KVM_RUN.  It stays awake, and the TD gets the event as soon as the module lets it in.
 */
TEST(woken_while_busy)
{
	const struct hlt hlt = { .name = "busy", .interrupts_on = 1 };
	struct tdx_vcpu_thread thread;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	u32 calls, refused;

	if (!tdx_sim_has("fault"))
		SKIP(return, TDX_SIM_SKIP_REASON);

	vm = tdx_vm_create(1);
	vcpu = add_vcpu(vm, &hlt);
	tdvmcall_launch(vcpu, hlt.name);
	tdx_vcpu_block(&thread, vcpu, -1);

	tdx_sim_refuse("TDH_VP_ENTER", 1, TDX_OPERAND_BUSY | TDX_OPERAND_ID_TD_EPOCH,
		       TDX_SIM_EVER);
	signal_msi(vcpu);
	do {
		usleep(GRACE_US / 100);
		tdx_sim_refused(&calls, &refused);
	} while (refused < NR_BUSY);
	tdx_vcpu_interrupt(&thread);
	tdx_vcpu_join(&thread);
	TEST_ASSERT(thread.ret == -1 && thread.err == EINTR, "wanted EINTR, got %s",
		    thread.ret ? strerror(thread.err) : "success");

	tdx_sim_refuse_none();
	vcpu_run(vcpu);
	check_hlt(vcpu, &hlt, 0, 1);
	kvm_vm_free(vm);
}

TDX_TEST_MAIN()
