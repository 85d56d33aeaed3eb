// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operands at the boundaries of what KVM takes: the last value that is good, the first
 * that is not, sums that wrap, addresses with the shared bit.  A TD that has run and an
 * ordinary VM give the same answers, except where a TD has its own rules.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx.h"
#include "tdx/tdx_ioctl.h"
#include "tdx/tdx_stage.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* Below the 39 bits of GPA that every CPU with EPT supports. */
#define TEST_GPA	0x1234600000ULL
#define TEST_SLOT	21
#define NO_SLOT_GPA	0x2345600000ULL

/* Limits of KVM, which it does not export. */
#define NR_SLOTS	32764
#define KVM_MEM_MAX_PAGES	(BIT_ULL(31) - 1)
#define KVM_MAX_IRQ_ROUTES	4096
#define MAX_IO_MSRS		256

static u8 memory[SZ_4K] __aligned(SZ_4K);

struct boundary {
	const char *name;
	enum tdx_ioctl_file file;
	unsigned long number;
	const void *operand;
	size_t size;
	int plain;		/* TDX_UNTRIED if it depends on the CPU or on KVM's options */
	int td;
	bool maps_shared;	/* makes page tables for shared memory of a TD */
};

#define ROW(_name, _file, _number, _plain, _td, type, args...)		\
	{ .name = (_name), .file = TDX_IOCTL_##_file, .number = (_number), \
	  .operand = &(const type) { args }, .size = sizeof(type),	\
	  .plain = (_plain), .td = (_td),				\
	  .maps_shared = (_number) == KVM_PRE_FAULT_MEMORY && (_td) == ENOENT }

#define SLOT(_name, _plain, _td, args...)				\
	ROW("slot: " _name, VM, KVM_SET_USER_MEMORY_REGION2, _plain, _td, \
	    struct kvm_userspace_memory_region2, args)
#define PAGES(_name, _td, args...)					\
	ROW("attributes: " _name, VM, KVM_SET_MEMORY_ATTRIBUTES, EINVAL, _td, \
	    struct kvm_memory_attributes, .attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE, args)
#define PRE_FAULT(_name, _plain, _td, args...)				\
	ROW("pre-fault: " _name, VCPU, KVM_PRE_FAULT_MEMORY, _plain, _td, \
	    struct kvm_pre_fault_memory, args)

static const struct boundary boundaries[] = {
	SLOT("deleted where there is none", EINVAL, EINVAL, .slot = TEST_SLOT),
	SLOT("unaligned GPA", EINVAL, EINVAL, .slot = TEST_SLOT, .guest_phys_addr = TEST_GPA + 1,
	     .memory_size = SZ_4K, .userspace_addr = (u64)memory),
	SLOT("unaligned size", EINVAL, EINVAL, .slot = TEST_SLOT, .guest_phys_addr = TEST_GPA,
	     .memory_size = SZ_4K - 1, .userspace_addr = (u64)memory),
	SLOT("unaligned memory", EINVAL, EINVAL, .slot = TEST_SLOT, .guest_phys_addr = TEST_GPA,
	     .memory_size = SZ_4K, .userspace_addr = (u64)memory + 1),
	SLOT("memory of the kernel", EINVAL, EINVAL, .slot = TEST_SLOT,
	     .guest_phys_addr = TEST_GPA, .memory_size = SZ_4K, .userspace_addr = BIT_ULL(63)),
	SLOT("first ID of KVM's own", EINVAL, EINVAL, .slot = NR_SLOTS,
	     .guest_phys_addr = TEST_GPA, .memory_size = SZ_4K, .userspace_addr = (u64)memory),
	SLOT("end of the GPAs", EINVAL, EINVAL, .slot = TEST_SLOT,
	     .guest_phys_addr = -(u64)SZ_4K, .memory_size = SZ_8K, .userspace_addr = (u64)memory),
	SLOT("too many pages", EINVAL, EINVAL, .slot = TEST_SLOT, .guest_phys_addr = TEST_GPA,
	     .memory_size = (KVM_MEM_MAX_PAGES + 1) * SZ_4K, .userspace_addr = SZ_4K),
	SLOT("over slot 0", EEXIST, EEXIST, .slot = TEST_SLOT, .guest_phys_addr = 0,
	     .memory_size = SZ_4K, .userspace_addr = (u64)memory),
	/* A GPA with the shared bit is another name of the one without it. */
	SLOT("shared bit", TDX_UNTRIED, EINVAL, .slot = TEST_SLOT,
	     .guest_phys_addr = TEST_GPA | TDX_SHARED_BIT, .memory_size = SZ_4K,
	     .userspace_addr = (u64)memory),
	SLOT("up to the shared bit", TDX_UNTRIED, EINVAL, .slot = TEST_SLOT,
	     .guest_phys_addr = TDX_SHARED_BIT - SZ_4K, .memory_size = SZ_8K,
	     .userspace_addr = (u64)memory),
	/* The one of SMM. */
	SLOT("of address space 1", TDX_UNTRIED, EINVAL, .slot = TEST_SLOT | 1 << 16,
	     .guest_phys_addr = TEST_GPA, .memory_size = SZ_4K, .userspace_addr = (u64)memory),
	SLOT("guest_memfd that is no file", EBADF, EBADF, .slot = TEST_SLOT,
	     .flags = KVM_MEM_GUEST_MEMFD, .guest_phys_addr = TEST_GPA, .memory_size = SZ_4K,
	     .userspace_addr = (u64)memory, .guest_memfd = -1),

	PAGES("unaligned address", EINVAL, .address = NO_SLOT_GPA + 1, .size = SZ_4K),
	PAGES("unaligned size", EINVAL, .address = NO_SLOT_GPA, .size = SZ_4K + 1),
	PAGES("end of the GPAs", EINVAL, .address = -(u64)SZ_4K, .size = SZ_8K),

	PRE_FAULT("unaligned GPA", EINVAL, EINVAL, .gpa = NO_SLOT_GPA + 1, .size = SZ_4K),
	PRE_FAULT("unaligned size", EINVAL, EINVAL, .gpa = NO_SLOT_GPA, .size = SZ_4K - 1),
	PRE_FAULT("end of the GPAs", EINVAL, EINVAL, .gpa = -(u64)SZ_4K, .size = SZ_8K),
	PRE_FAULT("no slot", ENOENT, ENOENT, .gpa = NO_SLOT_GPA, .size = SZ_4K),
	PRE_FAULT("shared bit", TDX_UNTRIED, EINVAL, .gpa = NO_SLOT_GPA | TDX_SHARED_BIT,
		  .size = SZ_4K),

	ROW("guest_memfd: unaligned size", VM, KVM_CREATE_GUEST_MEMFD, EINVAL, EINVAL,
	    struct kvm_create_guest_memfd, .size = SZ_4K - 1),
	ROW("guest_memfd: negative size", VM, KVM_CREATE_GUEST_MEMFD, EINVAL, EINVAL,
	    struct kvm_create_guest_memfd, .size = -(u64)SZ_4K),

	ROW("irqfd: GSI too high", VM, KVM_IRQFD, EINVAL, EINVAL, struct kvm_irqfd,
	    .gsi = KVM_MAX_IRQ_ROUTES),
	/* Only an I/O APIC resamples a level. */
	ROW("irqfd: resample", VM, KVM_IRQFD, EBADF, EINVAL, struct kvm_irqfd, .fd = -1,
	    .flags = KVM_IRQFD_FLAG_RESAMPLE),
	ROW("routing: too many", VM, KVM_SET_GSI_ROUTING, EINVAL, EINVAL,
	    struct kvm_irq_routing, .nr = KVM_MAX_IRQ_ROUTES + 1),
	ROW("MSI: flags", VM, KVM_SIGNAL_MSI, EINVAL, EINVAL, struct kvm_msi, .flags = BIT(1)),
	ROW("device: type too high", VM, KVM_CREATE_DEVICE, ENODEV, ENODEV,
	    struct kvm_create_device, .type = 1000),
	ROW("PMU filter: too many events", VM, KVM_SET_PMU_EVENT_FILTER, E2BIG, E2BIG,
	    struct kvm_pmu_event_filter, .nevents = 301),
	ROW("MSR filter: flags", VM, KVM_X86_SET_MSR_FILTER, EINVAL, EINVAL,
	    struct kvm_msr_filter, .flags = BIT(1)),
	ROW("clock: flags", VM, KVM_SET_CLOCK, EINVAL, EINVAL, struct kvm_clock_data,
	    .flags = BIT(4)),

	ROW("MSRs: too many to read", VCPU, KVM_GET_MSRS, E2BIG, E2BIG, struct kvm_msrs,
	    .nmsrs = MAX_IO_MSRS),
	ROW("MSRs: too many to write", VCPU, KVM_SET_MSRS, E2BIG, E2BIG, struct kvm_msrs,
	    .nmsrs = MAX_IO_MSRS),
	ROW("CPUID: too many entries", VCPU, KVM_SET_CPUID2, E2BIG, E2BIG, struct kvm_cpuid2,
	    .nent = KVM_MAX_CPUID_ENTRIES + 1),
	ROW("mp_state: first unknown", VCPU, KVM_SET_MP_STATE, EINVAL, EINVAL,
	    struct kvm_mp_state, .mp_state = 11),
	ROW("interrupt: first vector too high", VCPU, KVM_INTERRUPT, EINVAL, EINVAL,
	    struct kvm_interrupt, .irq = 256),
	ROW("events: flags", VCPU, KVM_SET_VCPU_EVENTS, EINVAL, EINVAL, struct kvm_vcpu_events,
	    .flags = BIT(6)),
	ROW("machine check: bank too high", VCPU, KVM_X86_SET_MCE, EINVAL, EINVAL,
	    struct kvm_x86_mce, .status = BIT_ULL(63), .bank = 32),
	ROW("attribute: group too high", VCPU, KVM_GET_DEVICE_ATTR, ENXIO, ENXIO,
	    struct kvm_device_attr, .group = 1),
};

static void check_boundaries(struct kvm_vm *vm, struct kvm_vcpu *vcpu, bool is_td)
{
	const struct boundary *row;
	u8 operand[256];
	int want, got;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(boundaries); i++) {
		row = &boundaries[i];
		want = is_td ? row->td : row->plain;
		if (want == TDX_UNTRIED ||
		    (is_td && row->maps_shared && tdx_leaks_page_tables()))
			continue;
		memcpy(operand, row->operand, min(row->size, sizeof(operand)));
		got = ioctl(row->file == TDX_IOCTL_VM ? vm->fd : vcpu->fd, row->number,
			    row->size > sizeof(operand) ? row->operand : operand) < 0 ? errno : 0;
		TEST_ASSERT(want == got, "%s: wanted %s, got %s", row->name, strerror(want),
			    strerror(got));
	}
}

TEST(td)
{
	struct tdx_td td = {};

	tdx_td_build(&td, TDX_STAGE_ENTERED);
	check_boundaries(td.vm, td.vcpu, true);
	tdx_td_finish(&td);
	kvm_vm_free(td.vm);
}

static void guest_code(void)
{
}

TEST(plain)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_code);

	check_boundaries(vm, vcpu, false);
	kvm_vm_free(vm);
}

TDX_TEST_MAIN()
