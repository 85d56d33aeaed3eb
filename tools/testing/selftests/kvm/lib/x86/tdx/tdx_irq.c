// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <sys/time.h>

#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_util.h"

#define SPURIOUS_VECTOR		0xff

#define FIRST_VECTOR		0x20
#define NR_VECTORS		0x100

/* Time between two signals to KVM_RUN, and between two looks at a vCPU. */
#define SIGNAL_PERIOD_US	10000
#define POLL_PERIOD_US		1000

void tdx_guest_enable_apic(void)
{
	tdvmcall_wrmsr(APIC_BASE_MSR + (APIC_SPIV >> 4),
		       APIC_SPIV_APIC_ENABLED | SPURIOUS_VECTOR);
}

void tdx_guest_eoi(void)
{
	x2apic_write_reg(APIC_EOI, 0);
}

/* Vectors that the TD has taken, in this order.  Further ones are only counted. */
static u8 taken[2 * NR_VECTORS];
static u64 nr_taken;

static void guest_record_irq(struct ex_regs *regs)
{
	if (nr_taken < ARRAY_SIZE(taken))
		taken[nr_taken] = regs->vector;
	nr_taken++;

	if (regs->vector != NMI_VECTOR)
		tdx_guest_eoi();
}

void tdx_vm_record_irqs(struct kvm_vm *vm)
{
	int vector;

	vm_install_exception_handler(vm, NMI_VECTOR, guest_record_irq);
	for (vector = FIRST_VECTOR; vector < NR_VECTORS; vector++)
		vm_install_exception_handler(vm, vector, guest_record_irq);
}

/*
 * Interrupts are disabled before the HLT.  A pending one keeps the TD from halting, so
 * none is missed.
 */
void tdx_guest_halt_for_irq(void)
{
	while (!READ_ONCE(nr_taken)) {
		tdvmcall_hlt(0);
		sti_nop_cli();
	}
}

void tdx_guest_spin_for_irq(void)
{
	sti();
	while (!READ_ONCE(nr_taken))
		cpu_relax();
	cli();
}

void tdx_guest_tell_irqs(void)
{
	u64 i;

	GUEST_SYNC1(nr_taken);
	for (i = 0; i < nr_taken; i++)
		GUEST_SYNC1(taken[i]);
	nr_taken = 0;
}

void tdx_vcpu_check_irqs(struct kvm_vcpu *vcpu, const char *when, const u8 *vectors, u64 nr)
{
	struct ucall uc;
	u64 i;

	tdx_vcpu_get_sync(vcpu, "interrupts", &uc);
	tdx_assert_value("interrupts", when, 1, "number taken", nr, uc.args[0]);
	for (i = 0; i < nr; i++) {
		vcpu_run(vcpu);
		tdx_vcpu_get_sync(vcpu, "interrupts", &uc);
		tdx_assert_value("interrupts", when, i, "vector", vectors[i], uc.args[0]);
	}
}

int __tdx_vcpu_signal_msi(struct kvm_vcpu *vcpu, u32 data)
{
	struct kvm_msi msi = {
		.address_lo = APIC_DEFAULT_GPA | vcpu->id << 12,
		.data = data,
	};

	return __vm_ioctl(vcpu->vm, KVM_SIGNAL_MSI, &msi);
}

void tdx_vcpu_signal_msi(struct kvm_vcpu *vcpu, u32 data)
{
	int r = __tdx_vcpu_signal_msi(vcpu, data);

	TEST_ASSERT(r == 1, "KVM_SIGNAL_MSI of 0x%x: wanted 1 vCPU to get it, got %d",
		    data, r);
}

u32 tdx_vcpu_mp_state(struct kvm_vcpu *vcpu)
{
	struct kvm_mp_state state;

	vcpu_mp_state_get(vcpu, &state);
	return state.mp_state;
}

static void handle_signal(int sig)
{
}

/* Let @sig only interrupt system calls. */
static void catch_signal(int sig)
{
	const struct sigaction action = { .sa_handler = handle_signal };

	TEST_ASSERT_EQ(sigaction(sig, &action, NULL), 0);
}

/* A single signal could come before KVM_RUN, which would miss it: send many. */
int tdx_vcpu_run_with_signals(struct kvm_vcpu *vcpu)
{
	const struct timeval period = { .tv_usec = SIGNAL_PERIOD_US };
	const struct itimerval start = { .it_value = period, .it_interval = period };
	const struct itimerval stop = {};
	int r, err;

	catch_signal(SIGALRM);
	TEST_ASSERT_EQ(setitimer(ITIMER_REAL, &start, NULL), 0);
	r = __vcpu_run(vcpu);
	err = errno;
	TEST_ASSERT_EQ(setitimer(ITIMER_REAL, &stop, NULL), 0);

	errno = err;
	return r;
}

void tdx_vcpu_run_to_halt(struct kvm_vcpu *vcpu)
{
	int r;

	do {
		r = tdx_vcpu_run_with_signals(vcpu);
		TEST_ASSERT(r == -1 && errno == EINTR,
			    "wanted vCPU %u to halt, got %s", vcpu->id,
			    r ? strerror(errno) : exit_reason_str(vcpu->run->exit_reason));
	} while (tdx_vcpu_mp_state(vcpu) != KVM_MP_STATE_HALTED);
}

static void *run_once(void *arg)
{
	struct tdx_vcpu_thread *thread = arg;

	if (thread->cpu >= 0)
		pin_self_to_cpu(thread->cpu);
	thread->ret = __vcpu_run(thread->vcpu);
	thread->err = errno;
	WRITE_ONCE(thread->done, true);
	return NULL;
}

void tdx_vcpu_start(struct tdx_vcpu_thread *thread, struct kvm_vcpu *vcpu, int cpu)
{
	*thread = (struct tdx_vcpu_thread) { .vcpu = vcpu, .cpu = cpu };
	TEST_ASSERT_EQ(pthread_create(&thread->thread, NULL, run_once, thread), 0);
}

/* KVM_GET_MP_STATE would wait for KVM_RUN to end.  The statistics do not. */
void tdx_vcpu_block(struct tdx_vcpu_thread *thread, struct kvm_vcpu *vcpu, int cpu)
{
	tdx_vcpu_start(thread, vcpu, cpu);

	while (!vcpu_get_stat(vcpu, blocking)) {
		TEST_ASSERT(!READ_ONCE(thread->done), "wanted vCPU %u to halt, got %s",
			    vcpu->id, exit_reason_str(vcpu->run->exit_reason));
		usleep(POLL_PERIOD_US);
	}
}

void tdx_vcpu_interrupt(struct tdx_vcpu_thread *thread)
{
	catch_signal(SIGUSR1);
	TEST_ASSERT_EQ(pthread_kill(thread->thread, SIGUSR1), 0);
}

void tdx_vcpu_join(struct tdx_vcpu_thread *thread)
{
	TEST_ASSERT_EQ(pthread_join(thread->thread, NULL), 0);
}
