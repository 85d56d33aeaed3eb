/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the selftest library lacks for a TD, and its functions that do something else for
 * one.  The linker gives __wrap_NAME() in place of NAME() to the programs of the TDX tests,
 * and NAME() by the name of __real_NAME() (WRAP_TDX of Makefile.tdx).  A library that has
 * no such function any more, or one with other parameters, is noticed by the compiler.
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
 * vm_ioctl() and vcpu_ioctl() for a KVM_TDX_* command.
 *
 * KVM_MEMORY_ENCRYPT_OP is declared to take an unsigned long, but takes a struct
 * kvm_tdx_cmd.  A cast would be flagged: overlay the two.  Gives the result of the
 * ioctl, and the status of the TDX module in *(__hw_error).
 */
#define ____tdx_cmd(__ioctl, __obj, __cmd, __flags, __arg, __hw_error)	\
({									\
	union {								\
		struct kvm_tdx_cmd c;					\
		unsigned long raw;					\
	} tdx_cmd = { .c = {						\
		.id = (__cmd),						\
		.flags = (__flags),					\
		.data = (u64)(__arg),					\
	} };								\
	int r = __ioctl(__obj, KVM_MEMORY_ENCRYPT_OP, &tdx_cmd.raw);	\
									\
	*(__hw_error) = tdx_cmd.c.hw_error;				\
	r;								\
})

#define __tdx_vm_ioctl(vm, cmd, flags, arg, hw_error)			\
	____tdx_cmd(__vm_ioctl, vm, cmd, flags, arg, hw_error)

#define __tdx_vcpu_ioctl(vcpu, cmd, flags, arg, hw_error)		\
	____tdx_cmd(__vcpu_ioctl, vcpu, cmd, flags, arg, hw_error)

#define TEST_ASSERT_TDX_CMD(name, ret, hw_error, vm)			\
do {									\
	TEST_ASSERT(!(hw_error),					\
		    "%s failed, TDX module status 0x%lx, rc: %i errno: %i (%s)", \
		    name, hw_error, ret, errno, strerror(errno));	\
	__TEST_ASSERT_VM_VCPU_IOCTL(!(ret), name, ret, vm);		\
} while (0)

#define tdx_vm_ioctl(vm, cmd, flags, arg)				\
({									\
	u64 hw_error;							\
	int ret = __tdx_vm_ioctl(vm, cmd, flags, arg, &hw_error);	\
									\
	TEST_ASSERT_TDX_CMD(#cmd, ret, hw_error, vm);			\
})

#define tdx_vcpu_ioctl(vcpu, cmd, flags, arg)				\
({									\
	u64 hw_error;							\
	int ret = __tdx_vcpu_ioctl(vcpu, cmd, flags, arg, &hw_error);	\
									\
	TEST_ASSERT_TDX_CMD(#cmd, ret, hw_error, (vcpu)->vm);		\
})

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
