// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>

#include "tdx/tdx_libkvm.h"

void __wrap_vm_create_irqchip(struct kvm_vm *vm)
{
	if (!is_tdx_vm(vm))
		__real_vm_create_irqchip(vm);
}

static noinline void fail_assertion(const char *exp_str, const char *file,
				    unsigned int line, const char *fmt, va_list va)
{
	const bool stale = errno == EACCES;
	char text[1024] = "";

	if (fmt)
		vsnprintf(text, sizeof(text), fmt, va);

	if (stale)
		errno = 0;
	__real_test_assert(false, exp_str, file, line, "%s%s", text,
			   stale ? " (errno was EACCES)" : "");
}

/* Each function of the library makes some assertions: one that holds must cost little. */
void __wrap_test_assert(bool exp, const char *exp_str, const char *file, unsigned int line,
			const char *fmt, ...)
{
	va_list va;

	if (exp)
		return;

	va_start(va, fmt);
	fail_assertion(exp_str, file, line, fmt, va);
	va_end(va);
}

/* Give slot 0 of @vm, which KVM does not have, to KVM: with a guest_memfd. */
static void add_slot(struct kvm_vm *vm, struct kvm_userspace_memory_region2 *region)
{
	struct kvm_create_guest_memfd memfd = { .size = region->memory_size };
	int fd = __vm_ioctl(vm, KVM_CREATE_GUEST_MEMFD, &memfd);

	TEST_ASSERT(fd >= 0, KVM_IOCTL_ERROR(KVM_CREATE_GUEST_MEMFD, fd));

	region->flags |= KVM_MEM_GUEST_MEMFD;
	region->guest_memfd = fd;
	region->guest_memfd_offset = 0;
	vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION2, region);
}

void tdx_vm_back_by_guest_memfd(struct kvm_vm *vm)
{
	struct kvm_userspace_memory_region2 *region = &memslot2region(vm, 0)->region;
	const u64 size = region->memory_size;

	if (region->flags & KVM_MEM_GUEST_MEMFD)
		return;

	/* KVM lets no slot get a guest_memfd later: it is deleted and made again. */
	region->memory_size = 0;
	vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION2, region);
	region->memory_size = size;
	add_slot(vm, region);
}

void tdx_vm_reopen(struct kvm_vm *vm)
{
	struct userspace_mem_region *slot = memslot2region(vm, 0);

	/* kvm_vm_restart() would add the slot as it is, without a guest_memfd. */
	hash_del(&slot->slot_node);
	kvm_vm_restart(vm);
	hash_add(vm->regions.slot_hash, &slot->slot_node, slot->region.slot);
	add_slot(vm, &slot->region);
}
