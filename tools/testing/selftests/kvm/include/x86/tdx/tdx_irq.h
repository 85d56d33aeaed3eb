/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts and halts of a TD.  The local APIC of a TD is an x2APIC.  The CPU
 * virtualizes the registers for delivery.  KVM emulates the others, by hypercalls, and
 * delivers interrupts by posting them.
 */
#ifndef SELFTEST_TDX_TDX_IRQ_H
#define SELFTEST_TDX_TDX_IRQ_H

#include <pthread.h>

#include "kvm_util.h"
#include "tdx/tdcall.h"

/* Code of a TD: enable the local APIC.  KVM posts nothing before. */
void tdx_guest_enable_apic(void);

/* Code of a TD: signal the end of an interrupt.  The VMM does not see it. */
void tdx_guest_eoi(void);

/*
 * Record the interrupts that a TD takes.
 *
 * tdx_vm_record_irqs(), before the TD is finalized, installs handlers for NMI and for
 * the vectors from 0x20 on.  The TD waits for an interrupt by tdx_guest_halt_for_irq()
 * or tdx_guest_spin_for_irq(), with interrupts disabled before and after, and reports
 * what it has taken by tdx_guest_tell_irqs(), which forgets it.
 *
 * The host calls tdx_vcpu_check_irqs() when @vcpu has exited with the first ucall of
 * that.  It runs @vcpu through the others, and checks that the TD has taken these @nr
 * vectors in this order.  Only one vCPU at a time can do all this.
 */
void tdx_vm_record_irqs(struct kvm_vm *vm);
void tdx_guest_halt_for_irq(void);
void tdx_guest_spin_for_irq(void);
void tdx_guest_tell_irqs(void);
void tdx_vcpu_check_irqs(struct kvm_vcpu *vcpu, const char *when, const u8 *vectors, u64 nr);

/*
 * Signal an MSI to @vcpu.  @data is a vector from 16 to 255, or APIC_DM_NMI.  Unlike
 * KVM_NMI this does not wait for KVM_RUN to end.  The function with "__" returns the
 * result of KVM_SIGNAL_MSI: 1 if the vCPU took it, 0 if not.
 */
int __tdx_vcpu_signal_msi(struct kvm_vcpu *vcpu, u32 data);
void tdx_vcpu_signal_msi(struct kvm_vcpu *vcpu, u32 data);

/* Returns the mp_state of the vCPU, one of KVM_MP_STATE_*. */
u32 tdx_vcpu_mp_state(struct kvm_vcpu *vcpu);

/*
 * Run @vcpu with periodic signals.  Returns the result of KVM_RUN: -1 with errno EINTR
 * if a signal ended it.
 */
int tdx_vcpu_run_with_signals(struct kvm_vcpu *vcpu);

/* Run @vcpu until it has halted.  It must not exit before. */
void tdx_vcpu_run_to_halt(struct kvm_vcpu *vcpu);

/* A thread that calls KVM_RUN once. */
struct tdx_vcpu_thread {
	struct kvm_vcpu *vcpu;
	pthread_t thread;
	int cpu;		/* CPU to run on, -1 for any */
	int ret;		/* of KVM_RUN */
	int err;		/* its errno */
	bool done;
};

/* Start a thread on @cpu, -1 for any, that runs @vcpu once. */
void tdx_vcpu_start(struct tdx_vcpu_thread *thread, struct kvm_vcpu *vcpu, int cpu);

/* The same, and wait until the vCPU has halted and blocks in KVM_RUN. */
void tdx_vcpu_block(struct tdx_vcpu_thread *thread, struct kvm_vcpu *vcpu, int cpu);

/* Send a signal to the thread, which must be in KVM_RUN: that ends it with EINTR. */
void tdx_vcpu_interrupt(struct tdx_vcpu_thread *thread);

/* Wait for KVM_RUN of the thread to end.  Its result is in *@thread then. */
void tdx_vcpu_join(struct tdx_vcpu_thread *thread);

#endif /* SELFTEST_TDX_TDX_IRQ_H */
