// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <sys/time.h>

#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_vmcall.h"

#define SPURIOUS_VECTOR		0xff

/* Between two signals to KVM_RUN, and between two looks at a vCPU. */
#define SIGNAL_PERIOD_US	10000
#define POLL_PERIOD_US		1000

void tdvmcall_wrmsr(u32 msr, u64 value)
{
	struct tdcall_regs regs = {
		.r11 = TDVMCALL_WRMSR,
		.r12 = msr,
		.r13 = value,
	};

	GUEST_ASSERT_EQ(__tdvmcall(&regs), 0ul);
	GUEST_ASSERT_EQ(regs.r10, TDVMCALL_STATUS_SUCCESS);
}

void guest_enable_apic(void)
{
	tdvmcall_wrmsr(APIC_BASE_MSR + (APIC_SPIV >> 4),
		       APIC_SPIV_APIC_ENABLED | SPURIOUS_VECTOR);
}

void guest_eoi(void)
{
	x2apic_write_reg(APIC_EOI, 0);
}

int __tdx_signal_msi(struct kvm_vcpu *vcpu, u32 data)
{
	struct kvm_msi msi = {
		.address_lo = APIC_DEFAULT_GPA | vcpu->id << 12,
		.data = data,
	};

	return __vm_ioctl(vcpu->vm, KVM_SIGNAL_MSI, &msi);
}

void tdx_signal_msi(struct kvm_vcpu *vcpu, u32 data)
{
	int r = __tdx_signal_msi(vcpu, data);

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

/* Let @sig do nothing but interrupt a system call. */
static void catch_signal(int sig)
{
	const struct sigaction action = { .sa_handler = handle_signal };

	TEST_ASSERT_EQ(sigaction(sig, &action, NULL), 0);
}

/* A single signal could come before KVM_RUN, and be missed by it: send many. */
int tdx_vcpu_run_interrupted(struct kvm_vcpu *vcpu)
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
		r = tdx_vcpu_run_interrupted(vcpu);
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

/* KVM_GET_MP_STATE waits for KVM_RUN to end; the statistics do not. */
void tdx_vcpu_block(struct tdx_vcpu_thread *thread, struct kvm_vcpu *vcpu, int cpu)
{
	*thread = (struct tdx_vcpu_thread) { .vcpu = vcpu, .cpu = cpu };
	TEST_ASSERT_EQ(pthread_create(&thread->thread, NULL, run_once, thread), 0);

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
