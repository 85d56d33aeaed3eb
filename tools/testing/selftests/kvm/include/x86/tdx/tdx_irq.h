/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts and halts of a TD.  A TD's local APIC is an x2APIC of which the CPU
 * has the registers that matter for delivery; KVM sees the others, by hypercall,
 * and gets interrupts into the TD by posting them.
 */
#ifndef SELFTEST_TDX_TDX_IRQ_H
#define SELFTEST_TDX_TDX_IRQ_H

#include <pthread.h>

#include "kvm_util.h"
#include "tdx/tdcall.h"

/* Code of a TD: switch the local APIC on, without which KVM posts nothing. */
void tdx_guest_enable_apic(void);

/* Code of a TD: end of interrupt, which a TD signals without its VMM. */
void tdx_guest_eoi(void);

/*
 * Record what a TD takes: tdx_vm_record_irqs() before it is finalized, the NMI and
 * vectors from 0x20 on included.  The TD waits for one by either of the next two
 * functions, with interrupts off before and after, and tells them by
 * tdx_guest_tell_irqs(), which forgets them.  The first ucall of that is what @vcpu has
 * exited with when the host calls tdx_vcpu_check_irqs(), which runs it through the
 * others and checks that the TD took these @nr vectors in this order.  One vCPU
 * at a time can do so.
 */
void tdx_vm_record_irqs(struct kvm_vm *vm);
void tdx_guest_halt_for_irq(void);
void tdx_guest_spin_for_irq(void);
void tdx_guest_tell_irqs(void);
void tdx_vcpu_check_irqs(struct kvm_vcpu *vcpu, const char *when, const u8 *vectors, u64 nr);

/*
 * Signal an MSI to @vcpu, of @data: a vector from 16 to 255, or APIC_DM_NMI.
 * Unlike KVM_NMI this does not wait for KVM_RUN to end.  Returns the result of
 * KVM_SIGNAL_MSI: 1 if the vCPU took it, 0 if it did not.
 */
int __tdx_vcpu_signal_msi(struct kvm_vcpu *vcpu, u32 data);
void tdx_vcpu_signal_msi(struct kvm_vcpu *vcpu, u32 data);

/* Give the vCPU's mp_state, one of KVM_MP_STATE_*. */
u32 tdx_vcpu_mp_state(struct kvm_vcpu *vcpu);

/*
 * KVM_RUN that a signal ends after a while.  Returns its result: -1 with errno
 * EINTR if the signal did end it.
 */
int tdx_vcpu_run_with_signals(struct kvm_vcpu *vcpu);

/* Run @vcpu, which must do nothing that exits before, until it has halted. */
void tdx_vcpu_run_to_halt(struct kvm_vcpu *vcpu);

/* A thread that is in KVM_RUN, once. */
struct tdx_vcpu_thread {
	struct kvm_vcpu *vcpu;
	pthread_t thread;
	int cpu;		/* to run on, -1 for any */
	int ret;		/* of KVM_RUN */
	int err;		/* its errno */
	bool done;
};

/* Start a thread on @cpu, -1 for any, that runs @vcpu once. */
void tdx_vcpu_start(struct tdx_vcpu_thread *thread, struct kvm_vcpu *vcpu, int cpu);

/* The same, and wait until the vCPU blocks in KVM_RUN because it has halted. */
void tdx_vcpu_block(struct tdx_vcpu_thread *thread, struct kvm_vcpu *vcpu, int cpu);

/* Send the thread, which must be in KVM_RUN, a signal: that ends it with EINTR. */
void tdx_vcpu_interrupt(struct tdx_vcpu_thread *thread);

/* Wait for the thread's KVM_RUN to end, and leave its result in *@thread. */
void tdx_vcpu_join(struct tdx_vcpu_thread *thread);

#endif /* SELFTEST_TDX_TDX_IRQ_H */
