// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each command of a TD's life while the kernel runs out of memory, or cannot copy from or to
 * userspace, at each place of the command at which that can happen.  The first allocation
 * or copy fails, then the second, and so on until the command has no more of them.
 *
 * The command then fails with ENOMEM or EFAULT, or does without.  Nothing is left half done:
 * the TDX module holds what it held before, the command succeeds at last, and the TD runs
 * to its end; or the TD is destroyed right after the failure.  No page, no KeyID, no
 * charge and no memory of the kernel is lost, and the kernel does not warn.
 */
#define TDX_TEST_TIMEOUT	600

#include <sys/mman.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdx_fail_each.h"
#include "tdx/tdx_fail_nth.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_mem.h"
#include "tdx/tdx_remains.h"
#include "tdx/tdx_steps.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_warning.h"

/*
 * Memory that no other part of a TD uses.  So many pages, from the second one of their
 * guest_memfd on, do not fit into one node of KVM's trees.
 */
#define TEST_GPA	0x3456700000ULL
#define TEST_SLOT	29
#define TEST_SIZE	(66 * PAGE_SIZE)
#define TEST_OFFSET	PAGE_SIZE

static void guest_accept(void)
{
	tdx_guest_accept_page(TEST_GPA);
	GUEST_DONE();
}

/* A file descriptor or an error: the file is closed. */
static int closed(int fd)
{
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static void open_kvm(struct tdx_fail_target *target)
{
	target->kvm = open_kvm_dev_path_or_exit();
}

static int create_vm(struct tdx_fail_target *target)
{
	return closed(ioctl(target->kvm, KVM_CREATE_VM, KVM_X86_TDX_VM));
}

static void build_vm(struct tdx_fail_target *target)
{
	target->td.vm = vm_create_barebones_type(KVM_X86_TDX_VM);
	vm_enable_cap(target->td.vm, KVM_CAP_SPLIT_IRQCHIP, 24);
	target->caps = tdx_vm_get_capabilities(target->td.vm);
	target->params = tdx_vm_get_init_params(target->td.vm);
}

static int vm_command(struct tdx_fail_target *target, u32 command, void *data)
{
	u64 hw_error;

	return __tdx_vm_ioctl(target->td.vm, command, 0, data, &hw_error) ? errno : 0;
}

static int capabilities(struct tdx_fail_target *target)
{
	return vm_command(target, KVM_TDX_CAPABILITIES, target->caps);
}

static int init_vm(struct tdx_fail_target *target)
{
	return vm_command(target, KVM_TDX_INIT_VM, target->params);
}

/* KVM takes vCPUs after KVM_TDX_INIT_VM only, and without it none has CPUID. */
static void finish_init_vm(struct tdx_fail_target *target)
{
	TEST_ASSERT(!closed(__vm_ioctl(target->td.vm, KVM_CREATE_VCPU, (void *)0)),
		    "KVM_CREATE_VCPU after KVM_TDX_INIT_VM: %m");
}

static void build_td(struct tdx_fail_target *target)
{
	target->td.vm = tdx_vm_create(1);
}

static int create_vcpu(struct tdx_fail_target *target)
{
	return closed(__vm_ioctl(target->td.vm, KVM_CREATE_VCPU, (void *)0));
}

static void build_vcpu(struct tdx_fail_target *target)
{
	build_td(target);
	target->td.vcpu = tdx_vcpu_create(target->td.vm, 0, guest_accept);
	target->cpuid = allocate_kvm_cpuid2(KVM_MAX_CPUID_ENTRIES);
}

static int get_cpuid(struct tdx_fail_target *target)
{
	u64 hw_error;

	target->cpuid->nent = KVM_MAX_CPUID_ENTRIES;
	return __tdx_vcpu_ioctl(target->td.vcpu, KVM_TDX_GET_CPUID, 0, target->cpuid,
				&hw_error) ? errno : 0;
}

static int set_cpuid(struct tdx_fail_target *target)
{
	return __vcpu_ioctl(target->td.vcpu, KVM_SET_CPUID2, target->td.vcpu->cpuid) ? errno : 0;
}

static int create_memfd(struct tdx_fail_target *target)
{
	return closed(__vm_create_guest_memfd(target->td.vm, TEST_SIZE, 0));
}

static void build_memory(struct tdx_fail_target *target)
{
	build_vm(target);
	target->memory_size = TEST_SIZE;
	target->memory = kvm_mmap(TEST_SIZE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1);
	target->memfd = vm_create_guest_memfd(target->td.vm, TEST_OFFSET + TEST_SIZE, 0);
}

/* The function of the library opens /dev/kvm first. */
static int set_slot(struct tdx_fail_target *target, u64 size)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = TEST_SLOT,
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = TEST_GPA,
		.memory_size = size,
		.userspace_addr = (u64)target->memory,
		.guest_memfd = target->memfd,
		.guest_memfd_offset = TEST_OFFSET,
	};

	return __vm_ioctl(target->td.vm, KVM_SET_USER_MEMORY_REGION2, &region) ? errno : 0;
}

static int create_slot(struct tdx_fail_target *target)
{
	return set_slot(target, TEST_SIZE);
}

static void build_slot(struct tdx_fail_target *target)
{
	build_memory(target);
	TEST_ASSERT_EQ(create_slot(target), 0);
}

static int delete_slot(struct tdx_fail_target *target)
{
	return set_slot(target, 0);
}

static int set_attributes(struct tdx_fail_target *target)
{
	struct kvm_memory_attributes range = {
		.address = TEST_GPA,
		.size = TEST_SIZE,
		.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE,
	};

	return __vm_ioctl(target->td.vm, KVM_SET_MEMORY_ATTRIBUTES, &range) ? errno : 0;
}

/* The TD waits for a page that KVM adds when the TD accepts it, and has never run. */
static void build_accept(struct tdx_fail_target *target)
{
	struct kvm_vm *vm;

	build_vcpu(target);
	vm = target->td.vm;
	tdx_vcpu_init(target->td.vcpu);
	tdx_vm_finalize(vm);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, TEST_GPA, TEST_SLOT, 1,
				    KVM_MEM_GUEST_MEMFD);
	tdx_mem_set_private(vm, TEST_GPA, PAGE_SIZE);
}

static int run(struct tdx_fail_target *target)
{
	return __vcpu_run(target->td.vcpu) ? errno : 0;
}

static void finish_accept(struct tdx_fail_target *target)
{
	struct ucall uc;

	TEST_ASSERT(get_ucall(target->td.vcpu, &uc) == UCALL_DONE,
		    "wanted UCALL_DONE, got exit %s",
		    exit_reason_str(target->td.vcpu->run->exit_reason));
}

FIXTURE(fault_injection)
{
	struct tdx_remains remains;
};

FIXTURE_VARIANT(fault_injection)
{
	struct tdx_fail_command command;
	bool destroys;
};

/* A command that is repeated for the same TD after each failure. */
#define COMMAND(name, ...)							\
FIXTURE_VARIANT_ADD(fault_injection, name) { .command = { __VA_ARGS__ } }

/* A command with two cases: it is repeated, or the TD is destroyed after each failure. */
#define COMMANDS(name, ...)							\
COMMAND(name, __VA_ARGS__);							\
FIXTURE_VARIANT_ADD(fault_injection, name##_then_destroy) {			\
	.command = { __VA_ARGS__ },						\
	.destroys = true,							\
}

COMMAND(create_vm, .build = open_kvm, .run = create_vm);
COMMAND(capabilities, .build = build_vm, .run = capabilities);
COMMANDS(init_vm, .build = build_vm, .run = init_vm, .finish = finish_init_vm, .again = EINVAL,
	 .late = true);
COMMANDS(create_vcpu, .build = build_td, .run = create_vcpu, .again = EEXIST);
COMMAND(get_cpuid, .build = build_vcpu, .run = get_cpuid);
COMMAND(set_cpuid, .build = build_vcpu, .run = set_cpuid);
COMMAND(create_memfd, .build = build_vm, .run = create_memfd);
COMMANDS(create_slot, .build = build_memory, .run = create_slot, .again = EINVAL);
COMMANDS(delete_slot, .build = build_slot, .run = delete_slot, .again = EINVAL);
COMMANDS(set_attributes, .build = build_vm, .run = set_attributes);
COMMANDS(init_vcpu, .step = tdx_step_init_vcpu, .again = EINVAL, .stops = true);
COMMAND(init_vcpu_and_run, .step = tdx_step_init_vcpu, .again = EINVAL, .finding = 32);
COMMANDS(add_page, .step = tdx_step_add_page, .again = EIO, .late = true);
COMMANDS(measure, .step = tdx_step_measure, .again = EIO, .late = true, .in_parts = true);
COMMANDS(finalize, .step = tdx_step_finalize, .again = EINVAL, .late = true);
COMMANDS(run, .build = build_accept, .run = run, .finish = finish_accept, .again = EINVAL);
COMMANDS(pre_fault, .step = tdx_step_pre_fault, .late = true);
COMMANDS(zap, .step = tdx_step_zap);

FIXTURE_SETUP(fault_injection)
{
	if (!tdx_fail_nth_prepare())
		SKIP(return, TDX_FAIL_NTH_REASON);
	if (variant->command.finding && !tdx_may_warn_of_finding(variant->command.finding))
		SKIP(return, TDX_WARN_REASON);

	/* What the kernel allocates for the first VM it keeps. */
	kvm_vm_free(tdx_vm_create(1));

	tdx_remains_begin(&self->remains);
}

FIXTURE_TEARDOWN_PARENT(fault_injection)
{
	tdx_remains_end(&self->remains);
}

TDX_TEST_F_PARENT(fault_injection, each)
{
	tdx_fail_each(&variant->command, variant->destroys);
	tdx_remains_check(&self->remains);
}

TDX_FINDING(32, "fault_injection.init_vcpu_and_run.each");

TDX_TEST_MAIN()
