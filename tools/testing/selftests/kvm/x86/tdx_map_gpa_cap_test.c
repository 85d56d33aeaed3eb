// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_CAP_EXIT_HYPERCALL and TDG.VP.VMCALL<MapGPA>: without the bit of
 * KVM_HC_MAP_GPA_RANGE in the capability MapGPA is unsupported.  KVM checks the
 * capability at the call, not at each chunk of the call.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_map_gpa.h"
#include "tdx/tdx_test_harness.h"

#define TEST_GPA	(TDX_SHARED_BIT | 0x1234600000ULL)
#define TEST_SIZE	(SZ_4M + SZ_4K)
#define NR_CHUNKS	3

#define MAP_GPA_RANGE	BIT_ULL(KVM_HC_MAP_GPA_RANGE)

static const struct tdx_map_gpa_call supported = {
	.name = "exits on",
	.gpa = TEST_GPA,
	.size = TEST_SIZE,
	.nr_exits = NR_CHUNKS,
	.r10 = TDVMCALL_STATUS_SUCCESS,
	.r11 = TDVMCALL_MAP_GPA,
};

static const struct tdx_map_gpa_call unsupported = {
	.name = "exits off",
	.gpa = TEST_GPA,
	.size = TEST_SIZE,
	.nr_exits = 0,
	.r10 = TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED,
	.r11 = TEST_GPA,
};

TDX_FIXTURE(map_gpa_cap);
TDX_FIXTURE_SETUP(map_gpa_cap, tdx_map_gpa_vm_create);

static void set_exits(struct kvm_vm *vm, u64 hypercalls)
{
	vm_enable_cap(vm, KVM_CAP_EXIT_HYPERCALL, hypercalls);
}

static void finish_call(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call)
{
	tdx_map_gpa_run_exits(vcpu, call);
	tdx_map_gpa_finish(vcpu, call);
}

static void next_call(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call)
{
	tdvmcall_launch(vcpu, call->name);
	finish_call(vcpu, call);
}

/* Userspace may ask for the exits of one hypercall, and KVM reports which one. */
TDX_TEST_F(map_gpa_cap, check_extension)
{
	TEST_ASSERT_EQ((u64)kvm_check_cap(KVM_CAP_EXIT_HYPERCALL), MAP_GPA_RANGE);
	TEST_ASSERT_EQ((u64)vm_check_cap(self->vm, KVM_CAP_EXIT_HYPERCALL), MAP_GPA_RANGE);
}

TDX_TEST_F(map_gpa_cap, off_by_default)
{
	tdx_map_gpa_launch(self->vcpu, &unsupported);
	finish_call(self->vcpu, &unsupported);
	next_call(self->vcpu, &unsupported);
}

/* This works after KVM_TDX_FINALIZE_VM too, and while the TD runs. */
TDX_TEST_F(map_gpa_cap, switched_between_calls)
{
	tdx_map_gpa_launch(self->vcpu, &unsupported);
	finish_call(self->vcpu, &unsupported);

	set_exits(self->vm, MAP_GPA_RANGE);
	next_call(self->vcpu, &supported);
	next_call(self->vcpu, &supported);

	set_exits(self->vm, 0);
	next_call(self->vcpu, &unsupported);

	set_exits(self->vm, MAP_GPA_RANGE);
	set_exits(self->vm, MAP_GPA_RANGE);
	next_call(self->vcpu, &supported);
}

/* A call that has begun is completed: KVM still offers its other chunks. */
TDX_TEST_F(map_gpa_cap, off_between_chunks)
{
	u64 i;

	set_exits(self->vm, MAP_GPA_RANGE);
	tdx_map_gpa_launch(self->vcpu, &supported);

	for (i = 0; i < NR_CHUNKS; i++) {
		tdx_map_gpa_run_exit(self->vcpu, &supported, i);
		if (!i)
			set_exits(self->vm, 0);
	}

	tdx_map_gpa_finish(self->vcpu, &supported);
	next_call(self->vcpu, &unsupported);
}

static void assert_bits_refused(struct kvm_vm *vm, u64 hypercalls)
{
	int r = __vm_enable_cap(vm, KVM_CAP_EXIT_HYPERCALL, hypercalls);

	TEST_ASSERT(r == -1 && errno == EINVAL,
		    "KVM_ENABLE_CAP(KVM_CAP_EXIT_HYPERCALL, 0x%lx): wanted EINVAL, got %s",
		    hypercalls, r ? strerror(errno) : "success");
}

static void assert_unknown_bits_refused(struct kvm_vm *vm)
{
	int bit;

	for (bit = 0; bit < 64; bit++) {
		if (BIT_ULL(bit) == MAP_GPA_RANGE)
			continue;
		assert_bits_refused(vm, BIT_ULL(bit));
		assert_bits_refused(vm, BIT_ULL(bit) | MAP_GPA_RANGE);
	}

	assert_bits_refused(vm, ~0ULL);
}

/* KVM refuses an unknown bit and changes nothing, whether the exits are on or off. */
TDX_TEST_F(map_gpa_cap, unknown_bits)
{
	assert_unknown_bits_refused(self->vm);
	tdx_map_gpa_launch(self->vcpu, &unsupported);
	finish_call(self->vcpu, &unsupported);

	set_exits(self->vm, MAP_GPA_RANGE);
	assert_unknown_bits_refused(self->vm);
	next_call(self->vcpu, &supported);
}

TDX_TEST_MAIN()
