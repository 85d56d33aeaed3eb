// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_RUN that must return early, because of kvm_run.immediate_exit or of a signal,
 * during a TDG.VP.VMCALL<MapGPA>.  KVM always takes the answer to the last exit first.
 * As long as chunks are left it returns the next exit, without EINTR.  EINTR comes only
 * where it would enter the TD.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_interruption.h"
#include "tdx/tdx_map_gpa.h"
#include "tdx/tdx_test_harness.h"

#define TEST_GPA	(TDX_SHARED_BIT | 0x1234600000ULL)
/* Four full chunks and a short one. */
#define TEST_SIZE	(SZ_8M + SZ_4K)
#define NR_CHUNKS	5
#define REFUSED_CHUNK	2

TDX_FIXTURE(map_gpa_interrupted);

FIXTURE_VARIANT(map_gpa_interrupted)
{
	const struct tdx_interruption *by;
};

FIXTURE_VARIANT_ADD(map_gpa_interrupted, immediate_exit) {
	.by = &tdx_interrupted_by_immediate_exit,
};

FIXTURE_VARIANT_ADD(map_gpa_interrupted, signal) {
	.by = &tdx_interrupted_by_signal,
};

FIXTURE_SETUP(map_gpa_interrupted)
{
	self->vm = tdx_map_gpa_vm_create(&self->vcpu);
	tdx_map_gpa_enable_exits(self->vm);
	variant->by->setup(self->vcpu);
}

static struct tdx_map_gpa_call whole_call(const char *name)
{
	struct tdx_map_gpa_call call = {
		.name = name,
		.gpa = TEST_GPA,
		.size = TEST_SIZE,
		.nr_exits = NR_CHUNKS,
		.r10 = TDVMCALL_STATUS_SUCCESS,
		.r11 = TDVMCALL_MAP_GPA,
	};

	return call;
}

static struct tdx_map_gpa_call refused_call(const char *name, enum tdx_map_gpa_outcome outcome)
{
	struct tdx_map_gpa_call call = whole_call(name);

	call.nr_exits = REFUSED_CHUNK + 1;
	call.ret = tdx_map_gpa_answer(tdx_map_gpa_gen(), outcome);
	call.r10 = tdx_map_gpa_outcome_status(outcome);
	call.r11 = TEST_GPA + REFUSED_CHUNK * TDX_MAP_GPA_MAX_LEN;
	return call;
}

/* Before the call.  There is no exit to complete. */
TDX_TEST_F(map_gpa_interrupted, before_call)
{
	struct tdx_map_gpa_call call = whole_call(variant->by->name);

	tdx_map_gpa_launch(self->vcpu, &call);
	variant->by->start(self->vcpu);
	tdx_vcpu_run_to_eintr(self->vcpu, variant->by->name);
	variant->by->stop(self->vcpu);
	tdx_map_gpa_run_exits(self->vcpu, &call);
	tdx_map_gpa_finish(self->vcpu, &call);
}

/*
 * Interrupt KVM_RUN from the exit for chunk @first on.  Where the TD would be entered,
 * run twice: KVM takes the answer to the last exit the first time.
 */
static void test_interrupted(struct kvm_vcpu *vcpu, const struct tdx_interruption *by,
			     const struct tdx_map_gpa_call *call, u64 first)
{
	u64 i;

	tdx_map_gpa_launch(vcpu, call);

	for (i = 0; i < call->nr_exits; i++) {
		tdx_map_gpa_run_exit(vcpu, call, i);
		vcpu->run->hypercall.ret = i + 1 < call->nr_exits ? 0 : call->ret;
		if (i == first)
			by->start(vcpu);
	}

	tdx_vcpu_run_to_eintr(vcpu, by->name);
	vcpu->run->hypercall.ret = ~call->ret;
	tdx_vcpu_run_to_eintr(vcpu, by->name);

	by->stop(vcpu);
	tdx_map_gpa_finish(vcpu, call);
}

TDX_TEST_F(map_gpa_interrupted, from_first_chunk)
{
	struct tdx_map_gpa_call call = whole_call(variant->by->name);

	test_interrupted(self->vcpu, variant->by, &call, 0);
}

TDX_TEST_F(map_gpa_interrupted, from_middle_chunk)
{
	struct tdx_map_gpa_call call = whole_call(variant->by->name);

	test_interrupted(self->vcpu, variant->by, &call, NR_CHUNKS / 2);
}

TDX_TEST_F(map_gpa_interrupted, from_last_chunk)
{
	struct tdx_map_gpa_call call = whole_call(variant->by->name);

	test_interrupted(self->vcpu, variant->by, &call, NR_CHUNKS - 1);
}

/* KVM keeps a refusal until it enters the TD. */
TDX_TEST_F(map_gpa_interrupted, with_retry)
{
	struct tdx_map_gpa_call call = refused_call(variant->by->name, TDX_MAP_GPA_RETRY);

	if (tdx_map_gpa_skips(TDX_MAP_GPA_RETRY))
		SKIP(return, TDX_MAP_GPA_SKIP_REASON);
	test_interrupted(self->vcpu, variant->by, &call, REFUSED_CHUNK);
}

TDX_TEST_F(map_gpa_interrupted, with_invalid_operand)
{
	struct tdx_map_gpa_call call = refused_call(variant->by->name, TDX_MAP_GPA_INVALID);

	if (tdx_map_gpa_skips(TDX_MAP_GPA_INVALID))
		SKIP(return, TDX_MAP_GPA_SKIP_REASON);
	test_interrupted(self->vcpu, variant->by, &call, REFUSED_CHUNK);
}

/* An unknown answer gives EINVAL, not EINTR. */
TDX_TEST_F(map_gpa_interrupted, with_unknown_answer)
{
	struct tdx_map_gpa_call call = refused_call(variant->by->name, TDX_MAP_GPA_RUN_EINVAL);

	if (tdx_map_gpa_skips(TDX_MAP_GPA_RUN_EINVAL))
		SKIP(return, TDX_MAP_GPA_SKIP_REASON);
	tdx_map_gpa_launch(self->vcpu, &call);
	tdx_map_gpa_run_exits(self->vcpu, &call);
	variant->by->start(self->vcpu);
	tdx_map_gpa_run_fails(self->vcpu, &call);
	variant->by->stop(self->vcpu);
}

TDX_TEST_MAIN()
