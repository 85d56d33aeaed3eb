// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>

#include "kvm_util.h"
#include "tdx/tdx_interruption.h"

/* Size of sigset_t in the kernel, which KVM_SET_SIGNAL_MASK takes. */
#define KERNEL_SIGSET_SIZE	8

static void handle_signal(int sig)
{
}

/* Block SIGUSR1 except in KVM_RUN. */
static void block_signal(struct kvm_vcpu *vcpu)
{
	struct {
		struct kvm_signal_mask mask;
		u8 sigset[KERNEL_SIGSET_SIZE];
	} none = { .mask.len = KERNEL_SIGSET_SIZE };
	struct sigaction action = { .sa_handler = handle_signal };
	sigset_t blocked;

	TEST_ASSERT_EQ(sigaction(SIGUSR1, &action, NULL), 0);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	TEST_ASSERT_EQ(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
	vcpu_ioctl(vcpu, KVM_SET_SIGNAL_MASK, &none.mask);
}

static void raise_signal(struct kvm_vcpu *vcpu)
{
	TEST_ASSERT_EQ(raise(SIGUSR1), 0);
}

static void take_signal(struct kvm_vcpu *vcpu)
{
	struct timespec now = {};
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	TEST_ASSERT_EQ(sigtimedwait(&blocked, NULL, &now), SIGUSR1);
}

static void no_setup(struct kvm_vcpu *vcpu)
{
}

static void set_immediate_exit(struct kvm_vcpu *vcpu)
{
	vcpu->run->immediate_exit = 1;
}

static void clear_immediate_exit(struct kvm_vcpu *vcpu)
{
	vcpu->run->immediate_exit = 0;
}

const struct tdx_interruption tdx_interrupted_by_immediate_exit = {
	.name = "immediate_exit",
	.setup = no_setup,
	.start = set_immediate_exit,
	.stop = clear_immediate_exit,
};

const struct tdx_interruption tdx_interrupted_by_signal = {
	.name = "signal",
	.setup = block_signal,
	.start = raise_signal,
	.stop = take_signal,
};

void tdx_vcpu_run_to_eintr(struct kvm_vcpu *vcpu, const char *name)
{
	int r = __vcpu_run(vcpu);

	TEST_ASSERT(r == -1 && errno == EINTR, "%s: wanted KVM_RUN to fail with EINTR, got %s",
		    name, r ? strerror(errno) : exit_reason_str(vcpu->run->exit_reason));
}
