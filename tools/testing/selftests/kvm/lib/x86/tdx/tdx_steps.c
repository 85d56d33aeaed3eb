// SPDX-License-Identifier: GPL-2.0-only
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cpus.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_mem.h"
#include "tdx/tdx_steps.h"
#include "tdx/tdx_util.h"

/*
 * Pages with secure EPT tables of their own.  One is added, two are added and measured,
 * one is faulted in.
 */
#define INITIAL_GPA	0x1234600000ULL
#define MEASURED_GPA	0x1834600000ULL
#define FAULT_GPA	0x2345600000ULL
#define INITIAL_SLOT	21
#define MEASURED_SLOT	22
#define FAULT_SLOT	23

#define MAX_SIGNALS	100

static void guest_code(void)
{
	for (;;)
		GUEST_SYNC1(TDX_STEPS_SYNC);
}

int tdx_step_init_vm(struct tdx_steps *td, u64 *hw_error)
{
	struct kvm_tdx_init_vm *params;
	int r;

	if (!td->vm)
		td->vm = vm_create_barebones_type(KVM_X86_TDX_VM);

	params = tdx_vm_get_init_params(td->vm);
	r = __tdx_vm_ioctl(td->vm, KVM_TDX_INIT_VM, 0, params, hw_error) ? errno : 0;
	free(params);
	return r;
}

int tdx_step_init_and_destroy(struct tdx_steps *td, u64 *hw_error)
{
	int r = tdx_step_init_vm(td, hw_error);

	kvm_vm_free(td->vm);
	td->vm = NULL;
	return r;
}

static void add_slot(struct kvm_vm *vm, u64 gpa, u32 slot, u64 nr_pages)
{
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, gpa, slot, nr_pages,
				    KVM_MEM_GUEST_MEMFD);
	tdx_mem_set_private(vm, gpa, nr_pages * PAGE_SIZE);
}

int tdx_step_create(struct tdx_steps *td, u64 *hw_error)
{
	td->vm = tdx_vm_create(td->nr_vcpus ?: 1);
	td->vcpu = tdx_vcpu_create(td->vm, 0, guest_code);
	if (td->nr_vcpus > 1)
		td->second = tdx_vcpu_create(td->vm, 1, guest_code);

	add_slot(td->vm, INITIAL_GPA, INITIAL_SLOT, 1);
	add_slot(td->vm, MEASURED_GPA, MEASURED_SLOT, TDX_STEPS_MEASURED);
	add_slot(td->vm, FAULT_GPA, FAULT_SLOT, 1);
	return 0;
}

int tdx_step_get_cpuid(struct tdx_steps *td, u64 *hw_error)
{
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(KVM_MAX_CPUID_ENTRIES);
	int r;

	r = __tdx_vcpu_ioctl(td->vcpu, KVM_TDX_GET_CPUID, 0, cpuid, hw_error) ? errno : 0;
	free(cpuid);
	return r;
}

static int init_vcpu(struct kvm_vcpu *vcpu, u64 *hw_error)
{
	return __tdx_vcpu_ioctl(vcpu, KVM_TDX_INIT_VCPU, 0, 0, hw_error) ? errno : 0;
}

int tdx_step_init_vcpu(struct tdx_steps *td, u64 *hw_error)
{
	return init_vcpu(td->vcpu, hw_error);
}

int tdx_step_init_second(struct tdx_steps *td, u64 *hw_error)
{
	return td->second ? init_vcpu(td->second, hw_error) : 0;
}

int tdx_step_add_page(struct tdx_steps *td, u64 *hw_error)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)addr_gpa2hva(td->vm, INITIAL_GPA),
		.gpa = INITIAL_GPA,
		.nr_pages = 1,
	};

	return __tdx_vcpu_ioctl(td->vcpu, KVM_TDX_INIT_MEM_REGION, 0, &region,
				hw_error) ? errno : 0;
}

/*
 * KVM says by the region which pages are left, of which none is measured.  Repeated, the
 * step goes on with these.
 */
int tdx_step_measure(struct tdx_steps *td, u64 *hw_error)
{
	const u64 source = (u64)addr_gpa2hva(td->vm, MEASURED_GPA);
	struct kvm_tdx_init_mem_region region = {
		.source_addr = source + td->measured * PAGE_SIZE,
		.gpa = MEASURED_GPA + td->measured * PAGE_SIZE,
		.nr_pages = TDX_STEPS_MEASURED - td->measured,
	};
	u64 done;
	int r;

	r = __tdx_vcpu_ioctl(td->vcpu, KVM_TDX_INIT_MEM_REGION,
			     KVM_TDX_MEASURE_MEMORY_REGION, &region, hw_error) ? errno : 0;
	/* KVM could not write the region. */
	if (r == EFAULT)
		return r;

	done = TDX_STEPS_MEASURED - region.nr_pages;
	td->measured = done;
	tdx_assert_value("region", "pages done", done, "GPA",
			 MEASURED_GPA + done * PAGE_SIZE, region.gpa);
	tdx_assert_value("region", "pages done", done, "source", source + done * PAGE_SIZE,
			 region.source_addr);
	TEST_ASSERT(!r == !region.nr_pages, "region: errno %d and %llu pages left", r,
		    region.nr_pages);
	return r;
}

int tdx_step_add_memory(struct tdx_steps *td, u64 *hw_error)
{
	tdx_vm_add_memory(td->vm);
	return 0;
}

int tdx_step_finalize(struct tdx_steps *td, u64 *hw_error)
{
	return __tdx_vm_ioctl(td->vm, KVM_TDX_FINALIZE_VM, 0, 0, hw_error) ? errno : 0;
}

int tdx_step_run(struct tdx_steps *td, u64 *hw_error)
{
	/* Whatever the exit shows after this was written by KVM. */
	tdvmcall_poison_exit(td->vcpu);
	return __vcpu_run(td->vcpu) ? errno : 0;
}

/* Run the vCPU on two CPUs, the second of which takes it from the first. */
int tdx_step_migrate(struct tdx_steps *td, u64 *hw_error)
{
	const int other = tdx_pin_to_first_cpu();
	int r = tdx_step_run(td, hw_error);

	if (r)
		return r;
	pin_self_to_cpu(other);
	return tdx_step_run(td, hw_error);
}

/* A TD must be able to run on after each other step.  Signals end it if it is kept out. */
int tdx_step_run_on(struct tdx_steps *td, u64 *hw_error)
{
	int i, r = EINTR;

	for (i = 0; i < MAX_SIGNALS && r == EINTR; i++)
		r = tdx_vcpu_run_with_signals(td->vcpu) ? errno : 0;
	return r;
}

int tdx_step_pre_fault(struct tdx_steps *td, u64 *hw_error)
{
	struct kvm_pre_fault_memory range = { .gpa = FAULT_GPA, .size = PAGE_SIZE };

	return __vcpu_ioctl(td->vcpu, KVM_PRE_FAULT_MEMORY, &range) ? errno : 0;
}

/* Makes the page shared: KVM must remove the private page. */
int tdx_step_zap(struct tdx_steps *td, u64 *hw_error)
{
	return __tdx_mem_set_shared(td->vm, FAULT_GPA, PAGE_SIZE) ? errno : 0;
}

/* Requests an NMI, and runs the vCPU, to which KVM then gives it. */
int tdx_step_nmi(struct tdx_steps *td, u64 *hw_error)
{
	if (__vcpu_ioctl(td->vcpu, KVM_NMI, NULL))
		return errno;
	return tdx_step_run(td, hw_error);
}

int tdx_step_destroy(struct tdx_steps *td, u64 *hw_error)
{
	kvm_vm_free(td->vm);
	*td = (struct tdx_steps) {};
	return 0;
}

const struct tdx_step tdx_steps[] = {
	{ "creation of TD and vCPUs",		tdx_step_create,	false },
	{ "KVM_TDX_GET_CPUID",			tdx_step_get_cpuid,	true },
	{ "KVM_TDX_INIT_VCPU",			tdx_step_init_vcpu,	false },
	{ "KVM_TDX_INIT_VCPU of the second",	tdx_step_init_second,	false },
	{ "KVM_TDX_INIT_MEM_REGION",		tdx_step_add_page,	false },
	{ "KVM_TDX_MEASURE_MEMORY_REGION",	tdx_step_measure,	true },
	{ "all other initial memory",		tdx_step_add_memory,	false },
	{ "KVM_TDX_FINALIZE_VM",		tdx_step_finalize,	false },
	{ "KVM_RUN",				tdx_step_run,		false },
	{ "KVM_RUN on another CPU",		tdx_step_migrate,	true },
	{ "KVM_PRE_FAULT_MEMORY",		tdx_step_pre_fault,	false },
	{ "KVM_SET_MEMORY_ATTRIBUTES",		tdx_step_zap,		false },
	{ "KVM_RUN in the end",			tdx_step_run_on,	false },
	{ "KVM_NMI",				tdx_step_nmi,		true },
	{ "the end of the TD",			tdx_step_destroy,	false },
};

const size_t tdx_nr_steps = ARRAY_SIZE(tdx_steps);
