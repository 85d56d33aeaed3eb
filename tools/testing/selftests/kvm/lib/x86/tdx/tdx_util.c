// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>

#include "kvm_util.h"
#include "processor.h"
#include "sparsebit.h"
#include "tdx/td_boot.h"
#include "tdx/tdx_mem.h"
#include "tdx/tdx_util.h"

kvm_static_assert(sizeof(struct td_boot_parameters) <= PAGE_SIZE);
kvm_static_assert(TD_BOOT_PARAMETERS_GPA + PAGE_SIZE == TD_BOOT_CODE_GPA);

/* Of each vCPU.  The guest code of no test needs more, and each page costs time. */
#define TD_STACK_PAGES	2

/*
 * Stacks are in the 2 MiB of the program, which has a page table already, and far enough
 * from it that an overflow of the first is a page fault.
 */
#define TD_STACK_MIN_GVA	0x500000

static struct td_boot_parameters *td_boot_parameters(struct kvm_vm *vm)
{
	return addr_gpa2hva(vm, TD_BOOT_PARAMETERS_GPA);
}

static void vm_init_boot_pages(struct kvm_vm *vm)
{
	const gpa_t large = TD_BOOT_PARAMETERS_GPA & ~(PG_SIZE_2M - 1);
	struct td_boot_parameters *params;

	TEST_ASSERT_EQ((u64)(td_boot_page_end - td_boot_page), (u64)PAGE_SIZE);

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, TD_BOOT_PARAMETERS_GPA,
				    TD_BOOT_SLOT, 2, KVM_MEM_GUEST_MEMFD);
	vm_phy_pages_alloc(vm, 2, TD_BOOT_PARAMETERS_GPA, TD_BOOT_SLOT);
	/* With the 2 MiB around them: an entry for these needs no table of small pages. */
	virt_map_level(vm, large, large, PG_SIZE_2M, PG_LEVEL_2M);

	memcpy(addr_gpa2hva(vm, TD_BOOT_CODE_GPA), td_boot_page, PAGE_SIZE);

	TEST_ASSERT(vm->mmu.pgd == (u32)vm->mmu.pgd,
		    "CR3 0x%lx is out of reach of 32-bit code", vm->mmu.pgd);

	/* CR4.MCE is fixed to 1 in a TD.  A write without it raises #VE. */
	params = td_boot_parameters(vm);
	params->cr0 = X86_CR0_PE | X86_CR0_MP | X86_CR0_NE | X86_CR0_PG;
	params->cr3 = vm->mmu.pgd;
	params->cr4 = X86_CR4_PAE | X86_CR4_MCE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;
	if (vm->mmu.pgtable_levels == 5)
		params->cr4 |= X86_CR4_LA57;
}

/* The newest TD of tdx_vm_create(), which has the input of tdx_vm_get_init_params(). */
static const struct kvm_vm *default_td;

void tdx_vm_init(struct kvm_vm *vm, const struct kvm_tdx_init_vm *params)
{
	if (default_td == vm)
		default_td = NULL;

	/* The in-kernel I/O APIC needs EOI exits, which a TD does not have. */
	vm_enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, 24);
	vm->has_irqchip = true;

	tdx_vm_ioctl(vm, KVM_TDX_INIT_VM, 0, params);
	vm_init_boot_pages(vm);
	write_guest_global(vm, is_tdx_guest, true);
}

/* The memory of a TD that tdx_vm_prepare() has laid out, NULL once a TD has it. */
static struct kvm_vm *prepared;

static struct kvm_vm *create_with_memory(u32 nr_vcpus)
{
	const struct vm_shape shape = {
		.mode = VM_MODE_DEFAULT,
		.type = KVM_X86_TDX_VM,
	};
	struct kvm_vm *vm = __vm_create(shape, nr_vcpus, 0);

	/* No code of a TD loads TR: the next allocation may have the page of the TSS. */
	sparsebit_set(memslot2region(vm, 0)->unused_phy_pages,
		      addr_gva2gpa(vm, vm->arch.tss) >> vm->page_shift);
	return vm;
}

void tdx_vm_prepare(void)
{
	prepared = create_with_memory(TD_BOOT_MAX_VCPUS);
	tdx_params_prepare(prepared);
	kvm_vm_release(prepared);
}

struct kvm_vm *__tdx_vm_create(u32 nr_vcpus)
{
	struct kvm_vm *vm = prepared;

	TEST_ASSERT(nr_vcpus <= TD_BOOT_MAX_VCPUS, "%u vCPUs wanted, at most %u fit",
		    nr_vcpus, TD_BOOT_MAX_VCPUS);

	if (!vm) {
		vm = create_with_memory(nr_vcpus);
		tdx_vm_back_by_guest_memfd(vm);
	} else {
		prepared = NULL;
		tdx_vm_reopen(vm);
	}

	return vm;
}

struct kvm_vm *tdx_vm_create(u32 nr_vcpus)
{
	struct kvm_vm *vm = __tdx_vm_create(nr_vcpus);
	struct kvm_tdx_init_vm *params = tdx_vm_get_init_params(vm);

	tdx_vm_init(vm, params);
	default_td = vm;
	free(params);
	return vm;
}

struct kvm_vcpu *tdx_vcpu_create(struct kvm_vm *vm, u32 vcpu_id, void *guest_code)
{
	struct td_boot_parameters *params = td_boot_parameters(vm);
	const size_t stack_size = TD_STACK_PAGES * PAGE_SIZE;
	struct kvm_vcpu *vcpu;
	gva_t stack;

	TEST_ASSERT(vcpu_id < TD_BOOT_MAX_VCPUS, "vCPU %u wanted, the last is %u",
		    vcpu_id, TD_BOOT_MAX_VCPUS - 1);

	/* The tables are allocated after tdx_vm_init(). */
	params->gdtr = (struct td_boot_dtr) {
		.limit = PAGE_SIZE - 1,
		.base = vm->arch.gdt,
	};
	params->idtr = (struct td_boot_dtr) {
		.limit = PAGE_SIZE - 1,
		.base = vm->arch.idt,
	};

	vcpu = __vm_vcpu_add(vm, vcpu_id);
	tdx_params_init_cpuid(vcpu, vm == default_td);

	/* A C function expects RSP to be 8 bytes below a multiple of 16. */
	stack = __vm_alloc(vm, stack_size, TD_STACK_MIN_GVA, MEM_REGION_DATA);
	params->vcpus[vcpu_id].rsp = stack + stack_size - 8;
	params->vcpus[vcpu_id].entry = (u64)guest_code;
	return vcpu;
}

void tdx_vcpu_init(struct kvm_vcpu *vcpu)
{
	tdx_vcpu_ioctl(vcpu, KVM_TDX_INIT_VCPU, 0, 0);
}

struct kvm_vcpu *tdx_vcpu_add(struct kvm_vm *vm, u32 vcpu_id, void *guest_code)
{
	struct kvm_vcpu *vcpu = tdx_vcpu_create(vm, vcpu_id, guest_code);

	tdx_vcpu_init(vcpu);
	return vcpu;
}

void tdx_vcpu_args_set(struct kvm_vcpu *vcpu, unsigned int num, ...)
{
	struct td_boot_vcpu *boot = &td_boot_parameters(vcpu->vm)->vcpus[vcpu->id];
	unsigned int i;
	va_list ap;

	TEST_ASSERT(num <= TD_BOOT_NR_ARGS, "%u arguments wanted, at most %u fit",
		    num, TD_BOOT_NR_ARGS);

	va_start(ap, num);
	for (i = 0; i < num; i++)
		boot->args[i] = va_arg(ap, u64);
	va_end(ap);
}

void tdx_vm_add_pages(struct kvm_vm *vm, gpa_t gpa, u64 nr_pages, u32 flags)
{
	/* The list begins with the newest vCPU, which may not be initialized yet. */
	struct kvm_vcpu *vcpu = list_last_entry(&vm->vcpus, struct kvm_vcpu, list);
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)addr_gpa2hva(vm, gpa),
		.gpa = gpa,
		.nr_pages = nr_pages,
	};
	u64 hw_error;
	int ret;

	/* KVM advances @region, so that an interrupted command can be repeated. */
	do {
		ret = __tdx_vcpu_ioctl(vcpu, KVM_TDX_INIT_MEM_REGION, flags, &region, &hw_error);
	} while (ret == -1 && errno == EINTR);

	TEST_ASSERT_TDX_CMD("KVM_TDX_INIT_MEM_REGION", ret, hw_error, vm);
	TEST_ASSERT(!region.nr_pages, "KVM_TDX_INIT_MEM_REGION left %llu of %lu pages at 0x%lx",
		    region.nr_pages, nr_pages, gpa);
}

static void walk_region(struct kvm_vm *vm, struct userspace_mem_region *region,
			tdx_range_fn *fn, void *data)
{
	const struct sparsebit *unused = region->unused_phy_pages;
	u64 first = region->region.guest_phys_addr >> vm->page_shift;
	u64 end = first + (region->region.memory_size >> vm->page_shift);
	u64 i, j;

	for (i = first; i < end; i = j) {
		if (sparsebit_is_set(unused, i)) {
			j = sparsebit_next_clear(unused, i);
			continue;
		}

		/* 0 if there is no unused page any more. */
		j = sparsebit_next_set(unused, i);
		if (!j || j > end)
			j = end;
		fn(vm, i << vm->page_shift, j - i, data);
	}
}

static void set_private(struct kvm_vm *vm, gpa_t gpa, u64 nr_pages, void *unused)
{
	tdx_mem_set_private(vm, gpa, nr_pages << vm->page_shift);
}

void tdx_vm_walk_ranges(struct kvm_vm *vm, tdx_range_fn *fn, void *data)
{
	struct userspace_mem_region *region;
	unsigned int ctr;

	TEST_ASSERT(!list_empty(&vm->vcpus), "No vCPU to add the TD's memory with");

	hash_for_each(vm->regions.slot_hash, ctr, region, slot_node) {
		if (!(region->region.flags & KVM_MEM_GUEST_MEMFD))
			continue;

		/*
		 * KVM keeps attributes for each page, and most of slot 0 is a reserve
		 * for allocations by the test, which are not possible any more.
		 */
		if (!region->region.slot)
			walk_region(vm, region, set_private, NULL);
		else
			tdx_mem_set_private(vm, region->region.guest_phys_addr,
					    region->region.memory_size);
		walk_region(vm, region, fn, data);
	}
}

static void add_range(struct kvm_vm *vm, gpa_t gpa, u64 nr_pages, void *unused)
{
	tdx_vm_add_pages(vm, gpa, nr_pages, 0);
}

void tdx_vm_add_memory(struct kvm_vm *vm)
{
	tdx_vm_walk_ranges(vm, add_range, NULL);
}

void tdx_vm_finalize(struct kvm_vm *vm)
{
	tdx_vm_add_memory(vm);
	tdx_vm_ioctl(vm, KVM_TDX_FINALIZE_VM, 0, 0);
}

bool tdx_leaks_page_tables(void)
{
	const char *value = getenv(TDX_LEAK_ENV);

	return this_cpu_property(X86_PROPERTY_MAX_PHY_ADDR) < TDX_GPA_WIDTH &&
	       (!value || strcmp(value, "1"));
}
