/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions of the selftest library that do something else for a TD.  The linker gives
 * __wrap_NAME() in place of NAME() to the programs of the TDX tests, and NAME() by the
 * name of __real_NAME() (WRAP_TDX of Makefile.tdx).  A library that has no such function
 * any more, or one with other parameters, is noticed by the compiler.
 *
 * Other tests are linked with the same library, but without __real_NAME(), which is weak
 * for that reason.  They never call it.
 */
#ifndef SELFTEST_TDX_TDX_LIBKVM_H
#define SELFTEST_TDX_TDX_LIBKVM_H

#include "kvm_util.h"
#include "ucall_common.h"

#define REPLACED_FOR_TDX(name)	extern typeof(name) __real_##name __weak, __wrap_##name

static inline bool is_tdx_vm(struct kvm_vm *vm)
{
	return vm->type == KVM_X86_TDX_VM;
}

/* Does nothing for a TD, which has no I/O APIC: tdx_vm_init() gives it a split irqchip. */
REPLACED_FOR_TDX(vm_create_irqchip);

/*
 * A failed assertion fails the test.  The library's function skips the test instead if
 * errno is EACCES, which some earlier call may have left.
 */
REPLACED_FOR_TDX(test_assert);

/* The program in the memory of a TD, see tdx_image.c. */
REPLACED_FOR_TDX(kvm_vm_elf_load);

/* ucalls of a TD, see tdx_ucall.c. */
REPLACED_FOR_TDX(ucall_init);
REPLACED_FOR_TDX(ucall);
REPLACED_FOR_TDX(ucall_fmt);
REPLACED_FOR_TDX(ucall_assert);
REPLACED_FOR_TDX(ucall_arch_do_ucall);
REPLACED_FOR_TDX(ucall_arch_get_ucall);

/*
 * Back slot 0 of @vm by guest_memfd, which a TD's private memory has to come from.  The
 * library does so for the types of VMs that it knows.  The contents stay.
 */
void tdx_vm_back_by_guest_memfd(struct kvm_vm *vm);

/*
 * Create the VM of @vm again, after kvm_vm_release(), with slot 0 as its only memory, and
 * that backed by guest_memfd.  The contents stay.
 */
void tdx_vm_reopen(struct kvm_vm *vm);

#endif /* SELFTEST_TDX_TDX_LIBKVM_H */
