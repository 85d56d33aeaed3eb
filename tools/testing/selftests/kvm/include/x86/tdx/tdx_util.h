/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Life of a TD:
 *
 *	vm = tdx_vm_create(nr_vcpus);			KVM_TDX_INIT_VM
 *	vcpu = tdx_vcpu_add(vm, id, guest_code);	KVM_TDX_INIT_VCPU
 *	tdx_vm_finalize(vm);				KVM_TDX_INIT_MEM_REGION
 *							KVM_TDX_FINALIZE_VM
 *	vcpu_run(vcpu); get_ucall(vcpu, &uc);		as with any VM
 *	kvm_vm_free(vm);
 *
 * The host's view of a TD's memory is its initial image: what the host writes
 * reaches the TD until tdx_vm_finalize(), what the TD writes never reaches the
 * host.  Only a ucall, and what a test sends by its arguments, gets out.
 */
#ifndef SELFTEST_TDX_TDX_UTIL_H
#define SELFTEST_TDX_TDX_UTIL_H

#include <stdbool.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdx.h"
#include "tdx/tdx_libkvm.h"
#include "tdx/tdx_params.h"

/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define TDX_SKIP_REASON "KVM does not offer KVM_X86_TDX_VM"

/* If this environment variable is 1, cases also run where KVM leaks, see below. */
#define TDX_LEAK_ENV		"TDX_SHARED_LEAK"
#define TDX_LEAK_SKIP_REASON	"KVM would leak page tables and " TDX_LEAK_ENV " is not 1"

static inline bool is_tdx_supported(void)
{
	return kvm_check_cap(KVM_CAP_VM_TYPES) & BIT(KVM_X86_TDX_VM);
}

/*
 * Lay out the memory of a TD: the program, page tables and descriptor tables.  Ask KVM for
 * what it tells each TD of tdx_vm_create().  main() does so once, before the harness forks
 * the processes of the cases.  Each of them then has a copy of its own: the first TD that
 * it creates gets the memory.
 */
void tdx_vm_prepare(void);

/*
 * Create a TD with memory for @nr_vcpus vCPUs, at most TD_BOOT_MAX_VCPUS, and
 * initialize it with the input that tdx_vm_get_init_params() returns.
 */
struct kvm_vm *tdx_vm_create(u32 nr_vcpus);

/*
 * The two steps of tdx_vm_create(), for a test that wants another input: create the VM
 * with its memory; and give it a split irqchip, initialize it by KVM_TDX_INIT_VM with
 * @params, and add the boot pages.  It must have no vCPU yet.  A test of
 * KVM_TDX_INIT_VM itself starts from vm_create_barebones_type(KVM_X86_TDX_VM) instead.
 */
struct kvm_vm *__tdx_vm_create(u32 nr_vcpus);
void tdx_vm_init(struct kvm_vm *vm, const struct kvm_tdx_init_vm *params);

/*
 * Add vCPU @vcpu_id with a stack, and with @guest_code, without arguments, as its entry
 * point in 64-bit mode.  Its CPUID is what the TDX module virtualizes, except that a
 * MAXPHYADDR below TDX_GPA_WIDTH is raised to that.
 */
struct kvm_vcpu *tdx_vcpu_add(struct kvm_vm *vm, u32 vcpu_id, void *guest_code);

/*
 * The two steps of tdx_vcpu_add(), for tests of what comes between them:
 * KVM_CREATE_VCPU with all that the vCPU needs, and KVM_TDX_INIT_VCPU.
 */
struct kvm_vcpu *tdx_vcpu_create(struct kvm_vm *vm, u32 vcpu_id, void *guest_code);
void tdx_vcpu_init(struct kvm_vcpu *vcpu);

/* Set the arguments of the guest code: @num values of type u64, at most TD_BOOT_NR_ARGS. */
void tdx_vcpu_args_set(struct kvm_vcpu *vcpu, unsigned int num, ...);

/*
 * Add all used memory to the TD, by its first vCPU, which must be initialized.
 * tdx_vm_finalize() does this and then finalizes the TD by KVM_TDX_FINALIZE_VM.
 */
void tdx_vm_add_memory(struct kvm_vm *vm);
void tdx_vm_finalize(struct kvm_vm *vm);

/*
 * Run @vcpu to its next ucall, which must be @cmd, one of UCALL_*.  It is returned in
 * *@uc.
 */
void tdx_vcpu_run_to_ucall(struct kvm_vcpu *vcpu, u64 cmd, struct ucall *uc);

/*
 * Returns true if a case in which the TD accesses shared memory must be skipped, by
 * SKIP(return, TDX_LEAK_SKIP_REASON).
 *
 * When KVM destroys a TD it frees page tables up to the MAXPHYADDR of the host.  If
 * that is below the shared bit, as on emulated and some nested hosts but not on a CPU
 * with TDX, KVM leaks the tables for shared memory.  The only sign of it is a warning
 * when the module is unloaded.  So these cases run there on request only.
 */
bool tdx_leaks_page_tables(void);

/*
 * The steps of tdx_vm_add_memory(), for a test that takes them itself.
 * tdx_vm_walk_ranges() makes all memory private, except unused pages of slot 0, and
 * calls @fn for each range of used pages, in the order in which tdx_vm_add_memory()
 * adds them.  tdx_vm_add_pages() adds one range, with @flags
 * (KVM_TDX_MEASURE_MEMORY_REGION).
 */
typedef void tdx_range_fn(struct kvm_vm *vm, gpa_t gpa, u64 nr_pages, void *data);

void tdx_vm_walk_ranges(struct kvm_vm *vm, tdx_range_fn *fn, void *data);
void tdx_vm_add_pages(struct kvm_vm *vm, gpa_t gpa, u64 nr_pages, u32 flags);

/* True in a TD: only its copy of the globals has it set. */
extern bool is_tdx_guest;

#endif /* SELFTEST_TDX_TDX_UTIL_H */
