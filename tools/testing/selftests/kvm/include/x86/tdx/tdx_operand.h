/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Good operands of ioctls, one function for each kind: tdx_ioctl_vm.def and
 * tdx_ioctl_vcpu.def say which ioctl takes which.
 */
#ifndef SELFTEST_TDX_TDX_OPERAND_H
#define SELFTEST_TDX_TDX_OPERAND_H

#include "kvm_util.h"

/* On whom an ioctl is tried. */
struct tdx_target {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;	/* NULL where there is none yet */
	int kvm_fd;		/* /dev/kvm */
};

/* Fills in @operand, which is zeros, and large enough for entries after it. */
typedef void tdx_operand_fn(const struct tdx_target *target, void *operand);

/* Entries that fit after the head of an operand. */
#define TDX_OPERAND_ENTRIES	2048

/* The state of the VM or vCPU.  For a TD, whose state KVM does not give, it is zeros. */
tdx_operand_fn tdx_make_get_sregs;
tdx_operand_fn tdx_make_get_sregs2;
tdx_operand_fn tdx_make_get_mp_state;
tdx_operand_fn tdx_make_get_lapic;
tdx_operand_fn tdx_make_get_cpuid2;
tdx_operand_fn tdx_make_get_msr;
tdx_operand_fn tdx_make_get_one_reg;
tdx_operand_fn tdx_make_get_events;
tdx_operand_fn tdx_make_get_debugregs;
tdx_operand_fn tdx_make_get_xsave;
tdx_operand_fn tdx_make_get_xcrs;
tdx_operand_fn tdx_make_get_tsc_offset;
tdx_operand_fn tdx_make_get_pit;
tdx_operand_fn tdx_make_get_pit2;
tdx_operand_fn tdx_make_get_clock;

/* Of a vCPU. */
tdx_operand_fn tdx_make_signal_mask;
tdx_operand_fn tdx_make_pre_fault;		/* a page that the TD has */
tdx_operand_fn tdx_make_cpuid_room;
tdx_operand_fn tdx_make_one_msr;		/* one that KVM emulates for a TD */
tdx_operand_fn tdx_make_one_reg;
tdx_operand_fn tdx_make_reg_list_room;
tdx_operand_fn tdx_make_vapic_addr;
tdx_operand_fn tdx_make_mcg_cap;
tdx_operand_fn tdx_make_corrected_error;
tdx_operand_fn tdx_make_tsc_offset;		/* a place for an attribute */
tdx_operand_fn tdx_make_xen_no_vcpu_info;

/* Of a VM, or of /dev/kvm.  Those with "no" or "off" take the others back. */
tdx_operand_fn tdx_make_msr_list_room;
tdx_operand_fn tdx_make_feature_msr;
tdx_operand_fn tdx_make_slot;
tdx_operand_fn tdx_make_no_slot;
tdx_operand_fn tdx_make_mmio_zone;
tdx_operand_fn tdx_make_irqfd;
tdx_operand_fn tdx_make_irqfd_off;
tdx_operand_fn tdx_make_ioeventfd;
tdx_operand_fn tdx_make_ioeventfd_off;
tdx_operand_fn tdx_make_msi;
tdx_operand_fn tdx_make_msi_route;
tdx_operand_fn tdx_make_private;
tdx_operand_fn tdx_make_shared;
tdx_operand_fn tdx_make_vfio_test;
tdx_operand_fn tdx_make_guest_memfd;
tdx_operand_fn tdx_make_hv_eventfd;
tdx_operand_fn tdx_make_hv_eventfd_off;

#endif /* SELFTEST_TDX_TDX_OPERAND_H */
