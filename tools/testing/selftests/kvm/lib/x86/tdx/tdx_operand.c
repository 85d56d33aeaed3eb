// SPDX-License-Identifier: GPL-2.0-only
#include <linux/sizes.h>
#include <sys/eventfd.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_operand.h"

/* Below the 39 bits of GPA that every CPU with EPT supports, and no memory of a test. */
#define TEST_GPA	0x3456700000ULL
#define TEST_SLOT	30
#define TEST_GSI	1
#define TEST_PORT	0x5ed
#define TEST_CONNECTION	1

/* An APIC ID that no vCPU has. */
#define NO_APIC_ID	0xfe
#define TEST_VECTOR	0x77

/* MCi_STATUS ("IA32_MCi_STATUS MSRs", Intel SDM): valid. */
#define MCI_STATUS_VAL	BIT_ULL(63)

/* The size of the kernel's sigset_t. */
#define SIGSET_SIZE	8

#define MAKE_BY_GET(name, fd, request)					\
	void tdx_make_get_##name(const struct tdx_target *target, void *operand) \
	{								\
		ioctl(fd, request, operand);				\
	}

MAKE_BY_GET(sregs, target->vcpu->fd, KVM_GET_SREGS)
MAKE_BY_GET(sregs2, target->vcpu->fd, KVM_GET_SREGS2)
MAKE_BY_GET(mp_state, target->vcpu->fd, KVM_GET_MP_STATE)
MAKE_BY_GET(lapic, target->vcpu->fd, KVM_GET_LAPIC)
MAKE_BY_GET(events, target->vcpu->fd, KVM_GET_VCPU_EVENTS)
MAKE_BY_GET(debugregs, target->vcpu->fd, KVM_GET_DEBUGREGS)
MAKE_BY_GET(xsave, target->vcpu->fd, KVM_GET_XSAVE)
MAKE_BY_GET(xcrs, target->vcpu->fd, KVM_GET_XCRS)
MAKE_BY_GET(pit, target->vm->fd, KVM_GET_PIT)
MAKE_BY_GET(pit2, target->vm->fd, KVM_GET_PIT2)

/* Values and memory that operands point to.  They are used while the ioctl lasts. */
static u64 pointee;
static u8 slot_memory[SZ_4K] __aligned(SZ_4K);

/* An eventfd for all uses, which a VM that is destroyed lets go. */
static int event_fd(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = eventfd(0, 0);
	TEST_ASSERT(fd >= 0, "eventfd() failed: %m");
	return fd;
}

void tdx_make_get_clock(const struct tdx_target *target, void *operand)
{
	struct kvm_clock_data *clock = operand;

	ioctl(target->vm->fd, KVM_GET_CLOCK, clock);
	clock->flags = 0;
}

void tdx_make_cpuid_room(const struct tdx_target *target, void *operand)
{
	((struct kvm_cpuid2 *)operand)->nent = TDX_OPERAND_ENTRIES;
}

void tdx_make_get_cpuid2(const struct tdx_target *target, void *operand)
{
	tdx_make_cpuid_room(target, operand);
	ioctl(target->vcpu->fd, KVM_GET_CPUID2, operand);
}

static void make_msr(void *operand, u32 index)
{
	struct kvm_msrs *msrs = operand;

	msrs->nmsrs = 1;
	msrs->entries[0].index = index;
}

void tdx_make_one_msr(const struct tdx_target *target, void *operand)
{
	make_msr(operand, MSR_IA32_MISC_ENABLE);
}

void tdx_make_get_msr(const struct tdx_target *target, void *operand)
{
	make_msr(operand, MSR_IA32_MISC_ENABLE);
	ioctl(target->vcpu->fd, KVM_GET_MSRS, operand);
}

void tdx_make_feature_msr(const struct tdx_target *target, void *operand)
{
	make_msr(operand, MSR_IA32_ARCH_CAPABILITIES);
}

void tdx_make_one_reg(const struct tdx_target *target, void *operand)
{
	struct kvm_one_reg *reg = operand;

	reg->id = KVM_X86_REG_MSR(MSR_IA32_MISC_ENABLE);
	reg->addr = (u64)&pointee;
}

void tdx_make_reg_list_room(const struct tdx_target *target, void *operand)
{
	((struct kvm_reg_list *)operand)->n = TDX_OPERAND_ENTRIES;
}

void tdx_make_get_one_reg(const struct tdx_target *target, void *operand)
{
	tdx_make_one_reg(target, operand);
	ioctl(target->vcpu->fd, KVM_GET_ONE_REG, operand);
}

void tdx_make_signal_mask(const struct tdx_target *target, void *operand)
{
	((struct kvm_signal_mask *)operand)->len = SIGSET_SIZE;
}

void tdx_make_pre_fault(const struct tdx_target *target, void *operand)
{
	struct kvm_pre_fault_memory *range = operand;

	range->gpa = target->vm->mmu.pgd;
	range->size = SZ_4K;
}

/* KVM keeps the TPR of a guest in a page that it takes for shared. */
void tdx_make_vapic_addr(const struct tdx_target *target, void *operand)
{
	((struct kvm_vapic_addr *)operand)->vapic_addr = target->vm->mmu.pgd;
}

void tdx_make_mcg_cap(const struct tdx_target *target, void *operand)
{
	const u64 one_bank = 1;

	memcpy(operand, &one_bank, sizeof(one_bank));
}

void tdx_make_corrected_error(const struct tdx_target *target, void *operand)
{
	((struct kvm_x86_mce *)operand)->status = MCI_STATUS_VAL;
}

void tdx_make_tsc_offset(const struct tdx_target *target, void *operand)
{
	((struct kvm_device_attr *)operand)->addr = (u64)&pointee;
}

void tdx_make_get_tsc_offset(const struct tdx_target *target, void *operand)
{
	tdx_make_tsc_offset(target, operand);
	ioctl(target->vcpu->fd, KVM_GET_DEVICE_ATTR, operand);
}

void tdx_make_xen_no_vcpu_info(const struct tdx_target *target, void *operand)
{
	struct kvm_xen_vcpu_attr *attr = operand;

	attr->type = KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO;
	attr->u.gpa = KVM_XEN_INVALID_GPA;
}

void tdx_make_msr_list_room(const struct tdx_target *target, void *operand)
{
	((struct kvm_msr_list *)operand)->nmsrs = TDX_OPERAND_ENTRIES;
}

/* The two structs of a memory slot begin alike. */
void tdx_make_slot(const struct tdx_target *target, void *operand)
{
	struct kvm_userspace_memory_region *region = operand;

	tdx_make_no_slot(target, operand);
	region->memory_size = sizeof(slot_memory);
}

void tdx_make_no_slot(const struct tdx_target *target, void *operand)
{
	struct kvm_userspace_memory_region *region = operand;

	region->slot = TEST_SLOT;
	region->guest_phys_addr = TEST_GPA;
	region->userspace_addr = (u64)slot_memory;
}

void tdx_make_mmio_zone(const struct tdx_target *target, void *operand)
{
	struct kvm_coalesced_mmio_zone *zone = operand;

	zone->addr = TEST_GPA;
	zone->size = SZ_4K;
}

void tdx_make_irqfd(const struct tdx_target *target, void *operand)
{
	struct kvm_irqfd *irqfd = operand;

	irqfd->fd = event_fd();
	irqfd->gsi = TEST_GSI;
}

void tdx_make_irqfd_off(const struct tdx_target *target, void *operand)
{
	tdx_make_irqfd(target, operand);
	((struct kvm_irqfd *)operand)->flags = KVM_IRQFD_FLAG_DEASSIGN;
}

void tdx_make_ioeventfd(const struct tdx_target *target, void *operand)
{
	struct kvm_ioeventfd *ioeventfd = operand;

	ioeventfd->addr = TEST_PORT;
	ioeventfd->len = 1;
	ioeventfd->fd = event_fd();
	ioeventfd->flags = KVM_IOEVENTFD_FLAG_PIO;
}

void tdx_make_ioeventfd_off(const struct tdx_target *target, void *operand)
{
	tdx_make_ioeventfd(target, operand);
	((struct kvm_ioeventfd *)operand)->flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
}

void tdx_make_msi(const struct tdx_target *target, void *operand)
{
	struct kvm_msi *msi = operand;

	msi->address_lo = 0xfee00000 | NO_APIC_ID << 12;
	msi->data = TEST_VECTOR;
}

void tdx_make_msi_route(const struct tdx_target *target, void *operand)
{
	struct kvm_irq_routing *routing = operand;

	routing->nr = 1;
	routing->entries[0].gsi = TEST_GSI;
	routing->entries[0].type = KVM_IRQ_ROUTING_MSI;
	routing->entries[0].u.msi.address_lo = 0xfee00000 | NO_APIC_ID << 12;
	routing->entries[0].u.msi.data = TEST_VECTOR;
}

void tdx_make_private(const struct tdx_target *target, void *operand)
{
	tdx_make_shared(target, operand);
	((struct kvm_memory_attributes *)operand)->attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE;
}

void tdx_make_shared(const struct tdx_target *target, void *operand)
{
	struct kvm_memory_attributes *attributes = operand;

	attributes->address = TEST_GPA;
	attributes->size = SZ_4K;
}

/* Only asks whether KVM could create the device. */
void tdx_make_vfio_test(const struct tdx_target *target, void *operand)
{
	struct kvm_create_device *device = operand;

	device->type = KVM_DEV_TYPE_VFIO;
	device->flags = KVM_CREATE_DEVICE_TEST;
}

void tdx_make_guest_memfd(const struct tdx_target *target, void *operand)
{
	((struct kvm_create_guest_memfd *)operand)->size = SZ_4K;
}

void tdx_make_hv_eventfd(const struct tdx_target *target, void *operand)
{
	struct kvm_hyperv_eventfd *eventfd = operand;

	eventfd->conn_id = TEST_CONNECTION;
	eventfd->fd = event_fd();
}

void tdx_make_hv_eventfd_off(const struct tdx_target *target, void *operand)
{
	tdx_make_hv_eventfd(target, operand);
	((struct kvm_hyperv_eventfd *)operand)->flags = KVM_HYPERV_EVENTFD_DEASSIGN;
}
