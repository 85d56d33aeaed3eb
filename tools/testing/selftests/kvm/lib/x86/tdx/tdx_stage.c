// SPDX-License-Identifier: GPL-2.0-only
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_exit.h"
#include "tdx/tdx_mem.h"
#include "tdx/tdx_stage.h"
#include "tdx/tdx_util.h"

/* A page of the TD that is not there when the TD starts, so that KVM adds it pending. */
#define PENDING_GPA	0x2345600000ULL
#define PENDING_SLOT	25

static const char * const stage_names[] = {
	[TDX_STAGE_CREATED] = "created",
	[TDX_STAGE_INITIALIZED] = "initialized",
	[TDX_STAGE_VCPU_CREATED] = "vCPU created",
	[TDX_STAGE_VCPU_INITIALIZED] = "vCPU initialized",
	[TDX_STAGE_MEMORY_ADDED] = "memory added",
	[TDX_STAGE_FINALIZED] = "finalized",
	[TDX_STAGE_ENTERED] = "entered",
	[TDX_STAGE_IN_HYPERCALL] = "in a hypercall",
	[TDX_STAGE_SHUTDOWN] = "shut down",
	[TDX_STAGE_DEAD] = "dead",
};

kvm_static_assert(ARRAY_SIZE(stage_names) == NR_TDX_STAGES);

/* <GetQuote>: its operands go to userspace as they are, and KVM needs no memory for it. */
static const struct tdx_exit_call call = {
	.name = "the TD's hypercall",
	.leaf = TDVMCALL_GET_QUOTE,
	.r12 = TDX_SHARED_BIT | 0x1234567000ULL,
	.r13 = PAGE_SIZE,
	.ret = TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED,
	.nr_data = 2,
	.data = { 0x1234567000ULL, PAGE_SIZE },
};

const char *tdx_stage_name(enum tdx_stage stage)
{
	return stage < NR_TDX_STAGES ? stage_names[stage] : "unknown";
}

/* There is no handler, not even for #DF. */
static void guest_shut_down(void)
{
	const struct desc_ptr none = {};

	asm volatile("lidt %0\n\t"
		     "ud2" : : "m"(none));
}

/* The TD has SEPT_VE_DISABLE: KVM gives a TD up that uses a page without accepting it. */
static void guest_read_pending(void)
{
	READ_ONCE(*(u64 *)PENDING_GPA);
}

static void answer(struct tdx_td *td)
{
	td->vcpu->run->tdx.get_quote.ret = TDVMCALL_STATUS_RETRY;
	tdx_exit_finish(td->vcpu, &call, TDVMCALL_STATUS_RETRY);
	td->stage = TDX_STAGE_ENTERED;
}

/* A TD that ends takes all stages at once. */
static void build_ended(struct tdx_td *td, enum tdx_stage stage)
{
	const bool dead = stage == TDX_STAGE_DEAD;

	td->vm = tdx_vm_create(1);
	td->vcpu = tdx_vcpu_add(td->vm, 0, dead ? guest_read_pending : guest_shut_down);
	virt_map(td->vm, PENDING_GPA, PENDING_GPA, 1);
	tdx_vm_finalize(td->vm);
	td->stage = stage;

	if (!dead) {
		vcpu_run(td->vcpu);
		TEST_ASSERT_KVM_EXIT_REASON(td->vcpu, KVM_EXIT_SHUTDOWN);
		return;
	}

	/* After tdx_vm_finalize(), so that it is not part of the initial memory. */
	vm_userspace_mem_region_add(td->vm, VM_MEM_SRC_ANONYMOUS, PENDING_GPA, PENDING_SLOT, 1,
				    KVM_MEM_GUEST_MEMFD);
	tdx_mem_set_private(td->vm, PENDING_GPA, PAGE_SIZE);
	TEST_ASSERT(__vcpu_run(td->vcpu) == -1 && errno == EIO,
		    "use of a pending page: wanted EIO, got %m");
}

static void advance(struct tdx_td *td)
{
	struct kvm_tdx_init_vm *params;

	switch (++td->stage) {
	case TDX_STAGE_INITIALIZED:
		params = tdx_vm_get_init_params(td->vm);
		tdx_vm_init(td->vm, params);
		free(params);
		break;
	case TDX_STAGE_VCPU_CREATED:
		td->vcpu = tdx_vcpu_create(td->vm, 0,
					   td->code ?: (void *)tdvmcall_guest_fetch_loop);
		break;
	case TDX_STAGE_VCPU_INITIALIZED:
		tdx_vcpu_init(td->vcpu);
		break;
	case TDX_STAGE_MEMORY_ADDED:
		tdx_vm_add_memory(td->vm);
		break;
	case TDX_STAGE_FINALIZED:
		tdx_vm_ioctl(td->vm, KVM_TDX_FINALIZE_VM, 0, 0);
		break;
	case TDX_STAGE_ENTERED:
		tdx_exit_run(td->vcpu, &call);
		answer(td);
		break;
	case TDX_STAGE_IN_HYPERCALL:
		tdx_exit_run(td->vcpu, &call);
		break;
	default:
		TEST_FAIL("no stage %d", td->stage);
	}
}

void tdx_td_build(struct tdx_td *td, enum tdx_stage stage)
{
	if (stage > TDX_STAGE_IN_HYPERCALL) {
		build_ended(td, stage);
		return;
	}

	if (!td->vm)
		td->vm = __tdx_vm_create(1);
	while (td->stage < stage)
		advance(td);
}

void tdx_td_finish(struct tdx_td *td)
{
	if (td->stage > TDX_STAGE_IN_HYPERCALL)
		return;

	tdx_td_build(td, TDX_STAGE_IN_HYPERCALL);
	answer(td);
}
