/* SPDX-License-Identifier: GPL-2.0-only */
/* Ways to make KVM_RUN return early, with EINTR. */
#ifndef SELFTEST_TDX_TDX_INTERRUPTION_H
#define SELFTEST_TDX_TDX_INTERRUPTION_H

#include "kvm_util.h"

struct tdx_interruption {
	const char *name;
	/* Called once, before the vCPU runs. */
	void (*setup)(struct kvm_vcpu *vcpu);
	/* Interrupt KVM_RUN, and stop that. */
	void (*start)(struct kvm_vcpu *vcpu);
	void (*stop)(struct kvm_vcpu *vcpu);
};

/* kvm_run.immediate_exit. */
extern const struct tdx_interruption tdx_interrupted_by_immediate_exit;

/* A signal that is blocked except in KVM_RUN. */
extern const struct tdx_interruption tdx_interrupted_by_signal;

/* Run @vcpu.  KVM_RUN must fail with EINTR.  @name is for messages. */
void tdx_vcpu_run_to_eintr(struct kvm_vcpu *vcpu, const char *name);

#endif /* SELFTEST_TDX_TDX_INTERRUPTION_H */
