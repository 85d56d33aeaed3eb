// SPDX-License-Identifier: GPL-2.0-only
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/td_boot.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_pages.h"
#include "tdx/tdx_util.h"

/* What the TD is asked to look at: a GPA, and in bit 0 whether to accept the page. */
#define REQUEST_ACCEPT	BIT_ULL(0)

#define FIRST_VALUE	0x9a9e0000c0ffee00ULL

gpa_t tdx_pages_gpa(unsigned int i)
{
	return i < TDX_NR_PAGES - 1 ? TDX_PAGES_GPA + i * PAGE_SIZE :
				      TDX_PAGES_GPA + TDX_PAGES_SIZE - PAGE_SIZE;
}

u64 tdx_pages_value(unsigned int i)
{
	return FIRST_VALUE + i;
}

int tdx_pages_add(struct kvm_vm *vm)
{
	const int memfd = vm_create_guest_memfd(vm, 2 * TDX_PAGES_SIZE, 0);
	unsigned int i;

	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, TDX_PAGES_GPA, TDX_PAGES_SLOT,
		   TDX_PAGES_SIZE / PAGE_SIZE, KVM_MEM_GUEST_MEMFD, memfd, 0);

	for (i = 0; i < TDX_NR_PAGES; i++) {
		vm_phy_pages_alloc(vm, 1, tdx_pages_gpa(i), TDX_PAGES_SLOT);
		virt_map(vm, tdx_pages_gpa(i), tdx_pages_gpa(i), 1);
		*(u64 *)addr_gpa2hva(vm, tdx_pages_gpa(i)) = tdx_pages_value(i);
	}

	return memfd;
}

static u64 guest_read(gpa_t gpa)
{
	return READ_ONCE(*(u64 *)gpa);
}

void tdx_pages_guest_look(void)
{
	u64 request;

	for (;;) {
		tdvmcall_mmio_read(TDX_SHARED_BIT | TD_TDVMCALL_GPA, &request);
		if (request & REQUEST_ACCEPT)
			tdx_guest_accept_page(request & PAGE_MASK);
		GUEST_SYNC1(guest_read(request & ~REQUEST_ACCEPT));
	}
}

void tdx_pages_guest_fetch_loop(void)
{
	unsigned int i;

	for (;;) {
		for (i = 0; i < TDX_NR_PAGES; i++)
			GUEST_ASSERT_EQ(guest_read(tdx_pages_gpa(i)), tdx_pages_value(i));
		tdvmcall_guest_fetch();
	}
}

static void request(struct kvm_vcpu *vcpu, u64 request)
{
	struct kvm_run *run = vcpu->run;

	vcpu_run(vcpu);
	TEST_ASSERT(run->exit_reason == KVM_EXIT_MMIO && !run->mmio.is_write &&
		    run->mmio.len == sizeof(request) && run->mmio.phys_addr == TD_TDVMCALL_GPA,
		    "wanted the TD to ask what to look at, got %s",
		    exit_reason_str(run->exit_reason));
	memcpy(run->mmio.data, &request, sizeof(request));
}

u64 tdx_pages_look(struct kvm_vcpu *vcpu, gpa_t gpa, bool accept)
{
	struct ucall uc;

	request(vcpu, gpa | (accept ? REQUEST_ACCEPT : 0));
	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);
	return uc.args[0];
}

void tdx_pages_look_fault(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	int r;

	/* The answer to the request lies where the exit comes: it cannot be poisoned. */
	request(vcpu, gpa);
	r = __vcpu_run(vcpu);
	tdx_check_memory_fault(vcpu, r, errno, 0, gpa, KVM_MEMORY_EXIT_FLAG_PRIVATE);
}

void tdx_check_memory_fault(struct kvm_vcpu *vcpu, int r, int error, u64 try, gpa_t gpa, u64 flags)
{
	const struct kvm_run *run = vcpu->run;

	TEST_ASSERT(r == -1 && error == EFAULT, "wanted KVM_RUN to fail with EFAULT, got %s",
		    r ? strerror(error) : exit_reason_str(run->exit_reason));
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_MEMORY_FAULT);
	tdx_assert_value("fault", "try", try, "flags", flags, run->memory_fault.flags);
	tdx_assert_value("fault", "try", try, "GPA", gpa, run->memory_fault.gpa);
	tdx_assert_value("fault", "try", try, "size", PAGE_SIZE, run->memory_fault.size);
}

void tdx_run_to_memory_fault(struct kvm_vcpu *vcpu, u64 try, gpa_t gpa, u64 flags)
{
	int r;

	memset(&vcpu->run->memory_fault, 0xa5, sizeof(vcpu->run->memory_fault));
	r = __vcpu_run(vcpu);
	tdx_check_memory_fault(vcpu, r, errno, try, gpa, flags);
}
