/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attributes of memory, by the uAPI.  KVM takes them for ranges of a VM, or of a
 * guest_memfd, or for both.  It is asked, and gets them by all ways that it has.
 */
#ifndef SELFTEST_TDX_TDX_MEM_H
#define SELFTEST_TDX_TDX_MEM_H

#include "kvm_util.h"

/* True if KVM takes the attributes of @vm's memory for ranges of the VM. */
bool tdx_mem_has_vm_attributes(struct kvm_vm *vm);

/* True if KVM takes them for ranges of a guest_memfd. */
bool tdx_mem_has_memfd_attributes(struct kvm_vm *vm);

/*
 * Make @size bytes at @gpa, which have memory, private or shared.  The function with
 * "__" returns 0, or -1 with errno set.
 */
void tdx_mem_set_private(struct kvm_vm *vm, gpa_t gpa, u64 size);
void tdx_mem_set_shared(struct kvm_vm *vm, gpa_t gpa, u64 size);
int __tdx_mem_set_shared(struct kvm_vm *vm, gpa_t gpa, u64 size);

#endif /* SELFTEST_TDX_TDX_MEM_H */
