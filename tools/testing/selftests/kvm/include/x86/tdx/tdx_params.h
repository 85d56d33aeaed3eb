/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What KVM tells userspace about TDs, and what userspace makes of it: the input of
 * KVM_TDX_INIT_VM, and the CPUID of a vCPU.
 */
#ifndef SELFTEST_TDX_TDX_PARAMS_H
#define SELFTEST_TDX_TDX_PARAMS_H

#include <stdbool.h>

#include "kvm_util.h"
#include "processor.h"

/* Limit of KVM, which does not export it (KVM_MAX_CPUID_ENTRIES of asm/kvm_host.h). */
#define KVM_MAX_CPUID_ENTRIES	256

/* CPUID leaf with MAXPHYADDR and the width of guest physical addresses. */
#define TDX_CPUID_ADDRESS_WIDTHS	0x80000008

/*
 * Returns what KVM_TDX_CAPABILITIES reports for @vm, with all CPUID entries.  The
 * caller frees it.
 */
struct kvm_tdx_capabilities *tdx_vm_get_capabilities(struct kvm_vm *vm);

/* Returns the XFAM that KVM_TDX_CAPABILITIES reports. */
u64 tdx_supported_xfam(void);

/*
 * Returns an input of KVM_TDX_INIT_VM: SEPT_VE_DISABLE, x87 and SSE state, a guest
 * physical address width of TDX_GPA_WIDTH, and the CPUID bits that are configurable and
 * supported by KVM.  The caller frees it.
 */
struct kvm_tdx_init_vm *tdx_vm_get_init_params(struct kvm_vm *vm);

/*
 * Ask KVM once for what it tells each TD with the input of tdx_vm_get_init_params(): that
 * input, and the CPUID of its vCPUs.  KVM makes over a hundred SEAMCALLs for them.
 * tdx_vm_get_init_params() and tdx_params_init_cpuid() then give the same answers without
 * them, also after fork().  What KVM fails to tell they ask for again.
 *
 * @vm is a TD without KVM_TDX_INIT_VM.  The caller releases it.
 */
void tdx_params_prepare(struct kvm_vm *vm);

/*
 * Give @vcpu the CPUID that the TDX module virtualizes, except that a MAXPHYADDR below
 * TDX_GPA_WIDTH is raised to that.  @is_default: its TD has the input of
 * tdx_vm_get_init_params(), and no other.
 */
void tdx_params_init_cpuid(struct kvm_vcpu *vcpu, bool is_default);

#endif /* SELFTEST_TDX_TDX_PARAMS_H */
