/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions of the selftest library that do something else for a TD.  The linker gives
 * __wrap_NAME() in place of NAME() to the programs of the TDX tests, and NAME() by the
 * name of __real_NAME() (WRAP_TDX of Makefile.tdx).  A library that has no such function
 * any more, or one with other parameters, is noticed by the compiler.
 */
#ifndef SELFTEST_TDX_TDX_LIBKVM_H
#define SELFTEST_TDX_TDX_LIBKVM_H

#include "kvm_util.h"
#include "ucall_common.h"

static inline bool is_tdx_vm(struct kvm_vm *vm)
{
	return vm->type == KVM_X86_TDX_VM;
}

/* No I/O APIC for a TD, which KVM_TDX_INIT_VM comes with a split irqchip for. */
extern typeof(vm_create_irqchip) __real_vm_create_irqchip, __wrap_vm_create_irqchip;

/*
 * A failure is a failure: the library skips a test whose errno is EACCES when an assertion
 * fails, which may be of some earlier call, while a register of a TD is what is wrong.
 */
extern typeof(test_assert) __real_test_assert, __wrap_test_assert;

/* ucalls of a TD, see tdx_ucall.c. */
extern typeof(ucall_init) __real_ucall_init, __wrap_ucall_init;
extern typeof(ucall) __real_ucall, __wrap_ucall;
extern typeof(ucall_fmt) __real_ucall_fmt, __wrap_ucall_fmt;
extern typeof(ucall_assert) __real_ucall_assert, __wrap_ucall_assert;
extern typeof(ucall_arch_do_ucall) __real_ucall_arch_do_ucall, __wrap_ucall_arch_do_ucall;
extern typeof(ucall_arch_get_ucall) __real_ucall_arch_get_ucall, __wrap_ucall_arch_get_ucall;

/*
 * Back slot 0 of @vm by guest_memfd, which a TD's private memory has to come from.  The
 * library does so for the types of VMs that it knows.  The contents stay.
 */
void tdx_vm_back_by_guest_memfd(struct kvm_vm *vm);

#endif /* SELFTEST_TDX_TDX_LIBKVM_H */
