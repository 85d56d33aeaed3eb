// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses of a TD to memory that does not exist, or that is shared where the TD takes
 * it for private, or the reverse.  KVM reports them to userspace, which may provide the
 * memory.  KVM never converts memory by itself.
 */
/* A failure here is mostly a hang: do not wait long for it. */
#define TDX_TEST_TIMEOUT	30

#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "vmx.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cpus.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_mem.h"
#include "tdx/tdx_pages.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_ve.h"

/* Below the 39 bits of GPA that every CPU with EPT supports. */
#define TEST_GPA	0x1234600000ULL
#define TEST_SLOT	21

/* Each KVM_RUN ends with the same exit until userspace does something about it. */
#define NR_TRIES	3

#define GUEST_VALUE	0x7d7d7d7d7d7d7d7dULL

/* How long a vCPU may take to learn of the end of its VM. */
#define NR_POLLS	100
#define POLL_US		1000

static void guest_load(u64 *word)
{
	READ_ONCE(*word);
	GUEST_DONE();
}

static void guest_store(u64 *word)
{
	WRITE_ONCE(*word, GUEST_VALUE);
	GUEST_DONE();
}

/* This needs the page like a load, but may be the first access to it. */
static void guest_accept(u64 *word)
{
	tdx_guest_accept_page(TEST_GPA);
	GUEST_ASSERT_EQ(READ_ONCE(*word), 0ul);
	guest_store(word);
}

/* Accept it twice, since the page is another one the second time. */
static void guest_accept_again(u64 *word)
{
	int i;

	for (i = 0; i < 2; i++) {
		tdx_guest_accept_page(TEST_GPA);
		GUEST_ASSERT_EQ(READ_ONCE(*word), 0ul);
		WRITE_ONCE(*word, GUEST_VALUE);
		GUEST_SYNC1(i);
	}

	GUEST_DONE();
}

enum memory {
	NO_SLOT,
	SHARED_SLOT,		/* without guest_memfd */
	PRIVATE_SLOT,
};

struct place {
	enum memory memory;
	bool private;		/* by its attribute */
	bool shared_access;	/* the TD's page table has the shared bit */
	/* The TD's handler of #VE; one without it is created with SEPT_VE_DISABLE. */
	void (*handle_ve)(struct ex_regs *regs);
};

static struct kvm_vm *create_td(bool ve_disable, u32 nr_vcpus)
{
	struct kvm_vm *vm = __tdx_vm_create(nr_vcpus);
	struct kvm_tdx_init_vm *params = tdx_vm_get_init_params(vm);

	if (!ve_disable)
		params->attributes &= ~TDX_TD_ATTR_SEPT_VE_DISABLE;
	tdx_vm_init(vm, params);
	free(params);
	return vm;
}

/* @other: NULL, or the second vCPU of the TD, which runs @other_code. */
static struct kvm_vm *create_two(struct kvm_vcpu **vcpu, void *guest_code,
				 const struct place *place, struct kvm_vcpu **other,
				 void *other_code)
{
	struct kvm_vm *vm = create_td(!place->handle_ve, other ? 2 : 1);
	gva_t gva;

	*vcpu = tdx_vcpu_add(vm, 0, guest_code);
	if (other)
		*other = tdx_vcpu_add(vm, 1, other_code);

	gva = vm_unused_gva_gap(vm, SZ_4K, KVM_UTIL_MIN_VADDR);
	virt_map(vm, gva, TEST_GPA, 1);
	if (place->shared_access)
		*vm_get_pte(vm, gva) |= TDX_SHARED_BIT;
	tdx_vcpu_args_set(*vcpu, 1, gva);
	if (place->handle_ve)
		vm_install_exception_handler(vm, VE_VECTOR, place->handle_ve);
	tdx_vm_finalize(vm);

	/* After tdx_vm_finalize(), so that it is not part of the initial memory. */
	if (place->memory != NO_SLOT)
		vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, TEST_GPA, TEST_SLOT, 1,
					    place->memory == PRIVATE_SLOT ?
					    KVM_MEM_GUEST_MEMFD : 0);
	if (place->private)
		tdx_mem_set_private(vm, TEST_GPA, SZ_4K);

	return vm;
}

static struct kvm_vm *create(struct kvm_vcpu **vcpu, void *guest_code, const struct place *place)
{
	return create_two(vcpu, guest_code, place, NULL, NULL);
}

TDX_FIXTURE(memory_fault);

FIXTURE_VARIANT(memory_fault)
{
	void (*guest_code)(u64 *word);
	struct place place;
	u64 flags;		/* of the exit */
};

/* Private accesses. */
FIXTURE_VARIANT_ADD(memory_fault, load_no_slot) {
	.guest_code = guest_load, .flags = KVM_MEMORY_EXIT_FLAG_PRIVATE,
	.place = { .memory = NO_SLOT, .private = true },
};

FIXTURE_VARIANT_ADD(memory_fault, store_no_slot) {
	.guest_code = guest_store, .flags = KVM_MEMORY_EXIT_FLAG_PRIVATE,
	.place = { .memory = NO_SLOT, .private = true },
};

FIXTURE_VARIANT_ADD(memory_fault, load_no_slot_shared) {
	.guest_code = guest_load, .flags = KVM_MEMORY_EXIT_FLAG_PRIVATE,
	.place = { .memory = NO_SLOT },
};

FIXTURE_VARIANT_ADD(memory_fault, load_no_guest_memfd) {
	.guest_code = guest_load, .flags = KVM_MEMORY_EXIT_FLAG_PRIVATE,
	.place = { .memory = SHARED_SLOT, .private = true },
};

FIXTURE_VARIANT_ADD(memory_fault, load_no_guest_memfd_shared) {
	.guest_code = guest_load, .flags = KVM_MEMORY_EXIT_FLAG_PRIVATE,
	.place = { .memory = SHARED_SLOT },
};

FIXTURE_VARIANT_ADD(memory_fault, load_shared) {
	.guest_code = guest_load, .flags = KVM_MEMORY_EXIT_FLAG_PRIVATE,
	.place = { .memory = PRIVATE_SLOT },
};

FIXTURE_VARIANT_ADD(memory_fault, accept_no_slot) {
	.guest_code = guest_accept, .flags = KVM_MEMORY_EXIT_FLAG_PRIVATE,
	.place = { .memory = NO_SLOT, .private = true },
};

FIXTURE_VARIANT_ADD(memory_fault, accept_shared) {
	.guest_code = guest_accept, .flags = KVM_MEMORY_EXIT_FLAG_PRIVATE,
	.place = { .memory = PRIVATE_SLOT },
};

/* Shared accesses. */
FIXTURE_VARIANT_ADD(memory_fault, shared_load_private) {
	.guest_code = guest_load,
	.place = { .memory = PRIVATE_SLOT, .private = true, .shared_access = true },
};

FIXTURE_VARIANT_ADD(memory_fault, shared_store_private) {
	.guest_code = guest_store,
	.place = { .memory = PRIVATE_SLOT, .private = true, .shared_access = true },
};

FIXTURE_SETUP(memory_fault)
{
	self->vm = create(&self->vcpu, variant->guest_code, &variant->place);
}

static void run_to_fault(struct kvm_vcpu *vcpu, u64 try, u64 flags)
{
	tdx_run_to_memory_fault(vcpu, try, TEST_GPA, flags);
}

TDX_TEST_F(memory_fault, exits)
{
	u64 i;

	for (i = 0; i < NR_TRIES; i++)
		run_to_fault(self->vcpu, i, variant->flags);
}

/*
 * An implicit conversion: the TD accesses the page as private, userspace learns that by
 * the exit and makes it private, and the TD accepts it and goes on.
 */
TEST(converted_to_private)
{
	const struct place place = { .memory = PRIVATE_SLOT };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_accept, &place);
	u64 *word = addr_gpa2hva(vm, TEST_GPA);
	struct ucall uc;

	*word = 1;
	run_to_fault(vcpu, 0, KVM_MEMORY_EXIT_FLAG_PRIVATE);
	tdx_mem_set_private(vm, TEST_GPA, SZ_4K);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);

	/* The memory of the TD is not that of the host. */
	TEST_ASSERT_EQ(*word, 1ul);
	kvm_vm_free(vm);
}

/* The reverse conversion.  This memory is that of the host. */
TEST(converted_to_shared)
{
	const struct place place = { PRIVATE_SLOT, .private = true, .shared_access = true };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;

	if (tdx_leaks_page_tables())
		SKIP(return, TDX_LEAK_SKIP_REASON);

	vm = create(&vcpu, guest_store, &place);
	run_to_fault(vcpu, 0, 0);
	tdx_mem_set_shared(vm, TEST_GPA, SZ_4K);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);
	TEST_ASSERT_EQ(*(u64 *)addr_gpa2hva(vm, TEST_GPA), GUEST_VALUE);
	kvm_vm_free(vm);
}

/* A slot that is added after the TD has accessed it. */
TEST(slot_added)
{
	const struct place place = { NO_SLOT, .private = true };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_accept, &place);
	struct ucall uc;

	run_to_fault(vcpu, 0, KVM_MEMORY_EXIT_FLAG_PRIVATE);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, TEST_GPA, TEST_SLOT, 1,
				    KVM_MEM_GUEST_MEMFD);
	/* A KVM that keeps attributes with the guest_memfd has not seen it before. */
	tdx_mem_set_private(vm, TEST_GPA, SZ_4K);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);
	kvm_vm_free(vm);
}

/* The contents of a removed page are lost, and the TD has to accept the next one. */
TEST(hole_punched)
{
	const struct place place = { PRIVATE_SLOT, .private = true };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_accept_again, &place);
	struct ucall uc;

	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);
	vm_guest_mem_punch_hole(vm, TEST_GPA, SZ_4K);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);
	kvm_vm_free(vm);
}

/* The same for a slot, whose memory is another one when it is added again. */
TEST(slot_deleted)
{
	const struct place place = { PRIVATE_SLOT, .private = true };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_accept_again, &place);
	struct ucall uc;

	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);
	vm_mem_region_delete(vm, TEST_SLOT);
	run_to_fault(vcpu, 0, KVM_MEMORY_EXIT_FLAG_PRIVATE);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, TEST_GPA, TEST_SLOT, 1,
				    KVM_MEM_GUEST_MEMFD);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);
	kvm_vm_free(vm);
}

/*
 * A page that is added while the TD runs does not belong to the TD until the TD accepts
 * it.  A TD with SEPT_VE_DISABLE is stopped for good when it accesses the page before.
 */
TEST(not_accepted)
{
	const struct place place = { PRIVATE_SLOT, .private = true };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_load, &place);

	TEST_ASSERT_EQ(__vcpu_run(vcpu), -1);
	TEST_ASSERT_EQ(errno, EIO);

	TEST_ASSERT_EQ(__vcpu_run(vcpu), -1);
	TEST_ASSERT_EQ(errno, EIO);
	TEST_ASSERT_EQ(__vm_ioctl(vm, KVM_CHECK_EXTENSION, (void *)KVM_CAP_VM_TYPES), -1);
	TEST_ASSERT_EQ(errno, EIO);
	kvm_vm_free(vm);
}

static void guest_spin(void)
{
	for (;;)
		cpu_relax();
}

static void guest_halt(void)
{
	tdvmcall_hlt(0);
}

/* The second vCPU of a TD that is stopped for good. */
FIXTURE(stopped)
{
	struct tdx_vcpu_thread thread;
	struct kvm_vcpu *vcpu, *other;
	struct kvm_vm *vm;
};

FIXTURE_VARIANT(stopped)
{
	void (*other_code)(void);
	bool halts;
};

FIXTURE_VARIANT_ADD(stopped, spins) { .other_code = guest_spin };
FIXTURE_VARIANT_ADD(stopped, halts) { .other_code = guest_halt, .halts = true };

FIXTURE_SETUP(stopped)
{
	const struct place place = { PRIVATE_SLOT, .private = true };

	if (tdx_nr_present_cpus() < 2)
		SKIP(return, TDX_TWO_CPUS_REASON);

	self->vm = create_two(&self->vcpu, guest_load, &place, &self->other,
			      variant->other_code);
}

FIXTURE_TEARDOWN(stopped)
{
	if (self->vm)
		kvm_vm_free(self->vm);
}

/* The thread of each vCPU learns of it, and not only the one of the vCPU that caused it. */
TDX_TEST_F(stopped, ends_kvm_run)
{
	struct tdx_vcpu_thread *thread = &self->thread;
	bool told;
	int i;

	if (variant->halts)
		tdx_vcpu_block(thread, self->other, -1);
	else
		tdx_vcpu_start(thread, self->other, -1);
	TEST_ASSERT_EQ(__vcpu_run(self->vcpu), -1);
	TEST_ASSERT_EQ(errno, EIO);

	for (i = 0; i < NR_POLLS && !READ_ONCE(thread->done); i++)
		usleep(POLL_US);
	told = READ_ONCE(thread->done);
	if (!told)
		tdx_vcpu_interrupt(thread);
	tdx_vcpu_join(thread);
	TEST_ASSERT(told, "the VM is dead: wanted KVM_RUN of its other vCPU to end in %u ms",
		    NR_POLLS * POLL_US / 1000);
	TEST_ASSERT(thread->ret == -1 && thread->err == EIO,
		    "KVM_RUN of the other vCPU: wanted EIO, got %s",
		    thread->ret ? strerror(thread->err) : "success");
}

TDX_FINDING(36, "stopped.halts.ends_kvm_run");

static void guest_accept_by_ve(struct ex_regs *regs)
{
	struct tdx_ve_info ve;

	tdx_guest_get_ve_info(&ve);
	GUEST_ASSERT_EQ(ve.exit_reason, (u64)EXIT_REASON_EPT_VIOLATION);
	GUEST_ASSERT_EQ(ve.gpa & ~(SZ_4K - 1ul), TEST_GPA);
	tdx_guest_accept_page(TEST_GPA);
}

static void guest_load_zero(u64 *word)
{
	GUEST_ASSERT_EQ(READ_ONCE(*word), 0ul);
	guest_store(word);
}

/* A TD that is created without SEPT_VE_DISABLE gets #VE for such a page, and accepts it. */
TEST(accepted_by_ve)
{
	const struct place place = {
		PRIVATE_SLOT, .private = true, .handle_ve = guest_accept_by_ve,
	};
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;

	vm = create(&vcpu, guest_load_zero, &place);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);
	kvm_vm_free(vm);
}

static int pre_fault(struct kvm_vcpu *vcpu, u64 gpa)
{
	struct kvm_pre_fault_memory range = { .gpa = gpa, .size = SZ_4K };

	return __vcpu_ioctl(vcpu, KVM_PRE_FAULT_MEMORY, &range);
}

/* KVM_PRE_FAULT_MEMORY is refused until the initial memory is complete. */
TEST(pre_fault_before_finalize)
{
	struct kvm_vm *vm = tdx_vm_create(1);
	struct kvm_vcpu *vcpu = tdx_vcpu_add(vm, 0, guest_load);

	TEST_ASSERT_EQ(pre_fault(vcpu, TEST_GPA), -1);
	TEST_ASSERT_EQ(errno, EOPNOTSUPP);
	kvm_vm_free(vm);
}

TEST(pre_fault_then_accept)
{
	const struct place place = { PRIVATE_SLOT, .private = true };
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, guest_accept, &place);
	struct ucall uc;

	TEST_ASSERT_EQ(pre_fault(vcpu, TEST_GPA | TDX_SHARED_BIT), -1);
	TEST_ASSERT_EQ(errno, EINVAL);
	TEST_ASSERT(!pre_fault(vcpu, TEST_GPA), "KVM_PRE_FAULT_MEMORY: %m");
	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);
	kvm_vm_free(vm);
}

/* No address of the host leads to private memory. */
TEST(private_memory_not_mappable)
{
	struct kvm_vm *vm = tdx_vm_create(1);
	const int gmem = vm_create_guest_memfd(vm, SZ_4K, 0);

	TEST_ASSERT(mmap(NULL, SZ_4K, PROT_READ, MAP_SHARED, gmem, 0) == MAP_FAILED,
		    "wanted no mapping of guest_memfd, got one");
	TEST_ASSERT_EQ(errno, ENODEV);
	kvm_close(gmem);
	kvm_vm_free(vm);
}

TDX_TEST_MAIN()
