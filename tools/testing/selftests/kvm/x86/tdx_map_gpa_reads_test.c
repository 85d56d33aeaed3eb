// SPDX-License-Identifier: GPL-2.0-only
/*
 * How often KVM reads the answer of userspace to an exit of TDG.VP.VMCALL<MapGPA>.
 * Another thread of userspace may change the answer.  So KVM must check the same value
 * that it uses.  A watchpoint counts the reads, so that the test sees a second read
 * without winning a race.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_map_gpa.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_watch.h"

#define TEST_GPA	(TDX_SHARED_BIT | 0x1234600000ULL)
/* Three chunks.  The middle one is neither the first nor the last. */
#define TEST_SIZE	(SZ_4M + SZ_4K)
#define NR_CHUNKS	3

FIXTURE(map_gpa_reads)
{
	struct tdx_watch watch;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
};

FIXTURE_VARIANT(map_gpa_reads)
{
	const char *name;
	u64 ret;
	u64 chunk;		/* to which this is the answer */
};

#define ANSWER(row, value, to)							\
	FIXTURE_VARIANT_ADD(map_gpa_reads, row) {				\
		.name = #row,							\
		.ret = (value),							\
		.chunk = (to),							\
	}

ANSWER(success, 0, NR_CHUNKS - 1);
ANSWER(eagain, EAGAIN, 0);
ANSWER(eagain_to_middle_chunk, EAGAIN, 1);
ANSWER(einval, EINVAL, 0);
ANSWER(einval_to_last_chunk, EINVAL, NR_CHUNKS - 1);
ANSWER(unknown, EPERM, 0);
ANSWER(unknown_with_bit_32, BIT_ULL(32) | EAGAIN, 1);

FIXTURE_SETUP(map_gpa_reads)
{
	self->vm = tdx_map_gpa_vm_create(&self->vcpu);
	tdx_map_gpa_enable_exits(self->vm);
	if (!tdx_watch_open(&self->watch, &self->vcpu->run->hypercall.ret))
		SKIP(return, TDX_WATCH_SKIP_REASON);
}

FIXTURE_TEARDOWN(map_gpa_reads)
{
	tdx_watch_close(&self->watch);
	kvm_vm_free(self->vm);
}

static void check_count(struct tdx_watch *watch, const char *name, u64 exit, u64 want)
{
	tdx_assert_value(name, "exit", exit, "accesses of KVM to hypercall.ret", want,
			 tdx_watch_count(watch));
}

TDX_TEST_F(map_gpa_reads, once)
{
	const enum tdx_map_gpa_outcome outcome = tdx_map_gpa_outcome(tdx_map_gpa_gen(),
								     variant->ret);
	const bool refused = outcome != TDX_MAP_GPA_NEXT;
	const struct tdx_map_gpa_call call = {
		.name = variant->name,
		.gpa = TEST_GPA,
		.size = TEST_SIZE,
		.nr_exits = variant->chunk + 1,
		.ret = variant->ret,
		.r10 = tdx_map_gpa_outcome_status(outcome),
		.r11 = refused ? TEST_GPA + variant->chunk * TDX_MAP_GPA_MAX_LEN :
				 TDVMCALL_MAP_GPA,
	};
	u64 i;

	tdx_map_gpa_launch(self->vcpu, &call);
	tdx_watch_count(&self->watch);

	/*
	 * KVM writes the field at an exit.  After the first exit it has read the answer
	 * before.
	 */
	for (i = 0; i < call.nr_exits; i++) {
		tdx_map_gpa_run_exit(self->vcpu, &call, i);
		check_count(&self->watch, call.name, i, i ? 2 : 1);
		self->vcpu->run->hypercall.ret = i + 1 < call.nr_exits ? 0 : call.ret;
	}

	if (outcome == TDX_MAP_GPA_RUN_EINVAL)
		tdx_map_gpa_run_fails(self->vcpu, &call);
	else
		tdx_map_gpa_finish(self->vcpu, &call);
	check_count(&self->watch, call.name, call.nr_exits, 1);
}

TDX_TEST_MAIN()
