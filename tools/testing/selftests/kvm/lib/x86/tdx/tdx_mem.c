// SPDX-License-Identifier: GPL-2.0-only
#include "kvm_util.h"
#include "tdx/tdx_mem.h"

bool tdx_mem_has_vm_attributes(struct kvm_vm *vm)
{
	return vm_check_cap(vm, KVM_CAP_MEMORY_ATTRIBUTES) & KVM_MEMORY_ATTRIBUTE_PRIVATE;
}

/* The headers are those of the kernel if they are newer: then they have the numbers. */
#ifdef KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES
bool tdx_mem_has_memfd_attributes(struct kvm_vm *vm)
{
	return vm_check_cap(vm, KVM_CAP_GUEST_MEMFD_MEMORY_ATTRIBUTES) &
	       KVM_MEMORY_ATTRIBUTE_PRIVATE;
}

static int set_by_memfd(int fd, u64 offset, u64 size, u64 attributes)
{
	struct kvm_memory_attributes2 range = {
		.offset = offset,
		.size = size,
		.attributes = attributes,
	};

	return ioctl(fd, KVM_SET_MEMORY_ATTRIBUTES2, &range);
}
#else
bool tdx_mem_has_memfd_attributes(struct kvm_vm *vm)
{
	return false;
}

static int set_by_memfd(int fd, u64 offset, u64 size, u64 attributes)
{
	errno = ENOTTY;
	return -1;
}
#endif

static int set_by_vm(struct kvm_vm *vm, gpa_t gpa, u64 size, u64 attributes)
{
	struct kvm_memory_attributes range = {
		.address = gpa,
		.size = size,
		.attributes = attributes,
	};

	return __vm_ioctl(vm, KVM_SET_MEMORY_ATTRIBUTES, &range);
}

/* Set the attributes of what the guest_memfds of @vm have of the range. */
static int set_by_memfds(struct kvm_vm *vm, gpa_t gpa, u64 size, u64 attributes)
{
	struct userspace_mem_region *slot;
	unsigned int ctr;

	hash_for_each(vm->regions.slot_hash, ctr, slot, slot_node) {
		const u64 first = slot->region.guest_phys_addr;
		const u64 last = first + slot->region.memory_size;
		const u64 begin = gpa > first ? gpa : first;
		const u64 end = gpa + size < last ? gpa + size : last;

		if (!(slot->region.flags & KVM_MEM_GUEST_MEMFD) || begin >= end)
			continue;

		if (set_by_memfd(slot->region.guest_memfd,
				 slot->region.guest_memfd_offset + begin - first, end - begin,
				 attributes))
			return -1;
	}

	return 0;
}

static int set_attributes(struct kvm_vm *vm, gpa_t gpa, u64 size, u64 attributes)
{
	const bool by_vm = tdx_mem_has_vm_attributes(vm);
	const bool by_memfd = tdx_mem_has_memfd_attributes(vm);

	TEST_ASSERT(by_vm || by_memfd,
		    "KVM takes attributes of memory neither for a VM nor for a guest_memfd");

	if (by_memfd && set_by_memfds(vm, gpa, size, attributes))
		return -1;

	return by_vm ? set_by_vm(vm, gpa, size, attributes) : 0;
}

int __tdx_mem_set_shared(struct kvm_vm *vm, gpa_t gpa, u64 size)
{
	return set_attributes(vm, gpa, size, 0);
}

void tdx_mem_set_shared(struct kvm_vm *vm, gpa_t gpa, u64 size)
{
	int r = __tdx_mem_set_shared(vm, gpa, size);

	TEST_ASSERT(!r, "0x%lx, 0x%lx bytes made shared: %m", gpa, size);
}

void tdx_mem_set_private(struct kvm_vm *vm, gpa_t gpa, u64 size)
{
	int r = set_attributes(vm, gpa, size, KVM_MEMORY_ATTRIBUTE_PRIVATE);

	TEST_ASSERT(!r, "0x%lx, 0x%lx bytes made private: %m", gpa, size);
}
