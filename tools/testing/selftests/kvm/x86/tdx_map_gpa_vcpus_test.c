// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two vCPUs of a TD in TDG.VP.VMCALL<MapGPA> at the same time: the chunks and answers
 * of one do not affect the other, whatever ranges they request.
 */
#include <pthread.h>

#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_cpus.h"
#include "tdx/tdx_map_gpa.h"
#include "tdx/tdx_test_harness.h"

#define TEST_GPA	0x1234600000ULL
#define SHARED		TDX_SHARED_BIT

/* 16 chunks and the short one. */
#define TEST_SIZE	(SZ_32M + SZ_4K)
#define NR_CHUNKS	17

#define NR_VCPUS	2
/* Calls of each vCPU that are under way at the same time. */
#define NR_ROUNDS	10

struct pair {
	struct tdx_map_gpa_call calls[NR_VCPUS];
	struct kvm_vcpu *vcpus[NR_VCPUS];
};

FIXTURE(map_gpa_vcpus)
{
	struct pair pair;
	struct kvm_vm *vm;
};

FIXTURE_VARIANT(map_gpa_vcpus)
{
	u64 gpas[NR_VCPUS];
};

FIXTURE_VARIANT_ADD(map_gpa_vcpus, different_ranges) {
	.gpas = { SHARED | TEST_GPA, SHARED | (TEST_GPA + SZ_1G) },
};

FIXTURE_VARIANT_ADD(map_gpa_vcpus, same_range) {
	.gpas = { SHARED | TEST_GPA, SHARED | TEST_GPA },
};

FIXTURE_VARIANT_ADD(map_gpa_vcpus, overlapping_ranges) {
	.gpas = { SHARED | TEST_GPA, SHARED | (TEST_GPA + SZ_1M) },
};

/* One requests a shared range, the other a private one. */
FIXTURE_VARIANT_ADD(map_gpa_vcpus, same_range_both_ways) {
	.gpas = { SHARED | TEST_GPA, TEST_GPA },
};

static const char * const call_names[NR_VCPUS] = { "vCPU 0", "vCPU 1" };

FIXTURE_SETUP(map_gpa_vcpus)
{
	u32 i;

	if (tdx_nr_present_cpus() < NR_VCPUS)
		SKIP(return, TDX_TWO_CPUS_REASON);

	self->vm = tdx_vm_create(NR_VCPUS);
	for (i = 0; i < NR_VCPUS; i++) {
		self->pair.vcpus[i] = tdx_vcpu_add(self->vm, i, tdvmcall_guest_issue_loop);
		self->pair.calls[i] = (struct tdx_map_gpa_call) {
			.name = call_names[i],
			.gpa = variant->gpas[i],
			.size = TEST_SIZE,
			.nr_exits = NR_CHUNKS,
			.r10 = TDVMCALL_STATUS_SUCCESS,
			.r11 = TDVMCALL_MAP_GPA,
		};
		tdx_map_gpa_set(self->pair.vcpus[i], &self->pair.calls[i]);
	}

	tdx_map_gpa_enable_exits(self->vm);
	tdx_vm_finalize(self->vm);
}

TDX_FIXTURE_TEARDOWN(map_gpa_vcpus);

/* Let @call end at @chunk, with the answer of @outcome to it. */
static void refuse(struct tdx_map_gpa_call *call, u64 chunk, enum tdx_map_gpa_outcome outcome)
{
	call->nr_exits = chunk + 1;
	call->ret = tdx_map_gpa_answer(tdx_map_gpa_gen(), outcome);
	call->r10 = tdx_map_gpa_outcome_status(outcome);
	call->r11 = call->gpa + chunk * TDX_MAP_GPA_MAX_LEN;
}

static void launch(struct pair *pair)
{
	u32 i;

	for (i = 0; i < NR_VCPUS; i++)
		tdvmcall_launch(pair->vcpus[i], pair->calls[i].name);
}

static void run_exit(struct pair *pair, u32 i, u64 exit)
{
	const struct tdx_map_gpa_call *call = &pair->calls[i];

	tdx_map_gpa_run_exit(pair->vcpus[i], call, exit);
	pair->vcpus[i]->run->hypercall.ret = exit + 1 < call->nr_exits ? 0 : call->ret;
}

/* The exits alternate: both calls are under way all the time. */
static void run_in_turn(struct pair *pair)
{
	u64 exit;
	u32 i;

	launch(pair);

	for (exit = 0; exit < NR_CHUNKS; exit++) {
		for (i = 0; i < NR_VCPUS; i++) {
			if (exit < pair->calls[i].nr_exits)
				run_exit(pair, i, exit);
		}
	}

	for (i = 0; i < NR_VCPUS; i++)
		tdx_map_gpa_finish(pair->vcpus[i], &pair->calls[i]);
}

TDX_TEST_F(map_gpa_vcpus, in_turn)
{
	run_in_turn(&self->pair);
}

TDX_TEST_F(map_gpa_vcpus, in_turn_one_retry)
{
	if (tdx_map_gpa_skips(TDX_MAP_GPA_RETRY))
		SKIP(return, TDX_MAP_GPA_SKIP_REASON);
	refuse(&self->pair.calls[1], 3, TDX_MAP_GPA_RETRY);
	run_in_turn(&self->pair);
}

TDX_TEST_F(map_gpa_vcpus, in_turn_retry_and_invalid)
{
	if (tdx_map_gpa_skips(TDX_MAP_GPA_RETRY) || tdx_map_gpa_skips(TDX_MAP_GPA_INVALID))
		SKIP(return, TDX_MAP_GPA_SKIP_REASON);
	refuse(&self->pair.calls[0], 5, TDX_MAP_GPA_RETRY);
	refuse(&self->pair.calls[1], 3, TDX_MAP_GPA_INVALID);
	run_in_turn(&self->pair);
}

/* One whole call between two exits of the other. */
TDX_TEST_F(map_gpa_vcpus, one_within_the_other)
{
	u64 exit;

	launch(&self->pair);

	for (exit = 0; exit < NR_CHUNKS; exit++) {
		run_exit(&self->pair, 0, exit);
		if (exit == NR_CHUNKS / 2) {
			tdx_map_gpa_run_exits(self->pair.vcpus[1], &self->pair.calls[1]);
			tdx_map_gpa_finish(self->pair.vcpus[1], &self->pair.calls[1]);
		}
	}

	tdx_map_gpa_finish(self->pair.vcpus[0], &self->pair.calls[0]);
}

struct runner {
	pthread_barrier_t *barrier;
	const struct tdx_map_gpa_call *call;
	struct kvm_vcpu *vcpu;
	pthread_t thread;
};

static void *run_calls(void *arg)
{
	struct runner *runner = arg;
	int i;

	for (i = 0; i < NR_ROUNDS; i++) {
		tdvmcall_launch(runner->vcpu, runner->call->name);
		pthread_barrier_wait(runner->barrier);
		tdx_map_gpa_run_exits(runner->vcpu, runner->call);
		tdx_map_gpa_finish(runner->vcpu, runner->call);
	}

	return NULL;
}

static void run_at_once(struct pair *pair)
{
	struct runner runners[NR_VCPUS];
	pthread_barrier_t barrier;
	int i;

	pthread_barrier_init(&barrier, NULL, NR_VCPUS);

	for (i = 0; i < NR_VCPUS; i++) {
		runners[i].barrier = &barrier;
		runners[i].call = &pair->calls[i];
		runners[i].vcpu = pair->vcpus[i];
		TEST_ASSERT_EQ(pthread_create(&runners[i].thread, NULL, run_calls,
					      &runners[i]), 0);
	}

	for (i = 0; i < NR_VCPUS; i++)
		TEST_ASSERT_EQ(pthread_join(runners[i].thread, NULL), 0);
}

TDX_TEST_F(map_gpa_vcpus, at_once)
{
	run_at_once(&self->pair);
}

TDX_TEST_F(map_gpa_vcpus, at_once_one_retry)
{
	if (tdx_map_gpa_skips(TDX_MAP_GPA_RETRY))
		SKIP(return, TDX_MAP_GPA_SKIP_REASON);
	refuse(&self->pair.calls[1], NR_CHUNKS / 2, TDX_MAP_GPA_RETRY);
	run_at_once(&self->pair);
}

TDX_TEST_MAIN()
