// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VMCALL<MapGPA> that is answered with RETRY: what a TD has to do then, what
 * existing TDs do, and what follows from the answers of a VMM.
 *
 * KVM does not limit the number of RETRY answers, and R11 never leaves the range.  The
 * VMM must know how many refusals a TD accepts.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_map_gpa.h"
#include "tdx/tdx_test_harness.h"

#define TEST_GPA	0x1234600000ULL
#define SHARED		TDX_SHARED_BIT

/* Four full chunks and a short one. */
#define TEST_SIZE	(SZ_8M + SZ_4K)
#define NR_CHUNKS	5
#define LAST		(NR_CHUNKS - 1)

/* Retries without progress that Linux accepts.  td-shim counts all retries. */
#define MAX_RETRIES	3

static u64 nr_calls;

/* Issue one MapGPA for [start, end).  Gives its status, and R11 in *failed. */
static u64 map_gpa(u64 start, u64 end, u64 *failed)
{
	nr_calls++;
	return __tdvmcall_map_gpa(start, end - start, failed);
}

/* As the specification says: continue at R11 until the status is not RETRY. */
static bool guest_spec(u64 start, u64 end)
{
	u64 failed, status;

	while ((status = map_gpa(start, end, &failed)) == TDVMCALL_STATUS_RETRY) {
		GUEST_ASSERT(failed >= start && failed < end);
		GUEST_ASSERT(!(failed & (SZ_4K - 1)));
		start = failed;
	}

	return status == TDVMCALL_STATUS_SUCCESS;
}

/* Linux, tdx_map_gpa(): gives up at the third retry without progress. */
static bool guest_linux(u64 start, u64 end)
{
	int retries = 0;
	u64 failed, status;

	while (retries < MAX_RETRIES) {
		status = map_gpa(start, end, &failed);
		if (status != TDVMCALL_STATUS_RETRY)
			return status == TDVMCALL_STATUS_SUCCESS;

		if (failed < start || failed >= end)
			return false;

		retries = failed == start ? retries + 1 : 0;
		start = failed;
	}

	return false;
}

/* td-shim, in the first proposed version: counts retries with progress as well. */
static bool guest_td_shim(u64 start, u64 end)
{
	int retries = 0;
	u64 failed, status;

	while ((status = map_gpa(start, end, &failed)) == TDVMCALL_STATUS_RETRY) {
		if (++retries > MAX_RETRIES)
			return false;
		start = failed;
	}

	return status == TDVMCALL_STATUS_SUCCESS;
}

/* edk2, before its issue 9431: RETRY is an error. */
static bool guest_edk2(u64 start, u64 end)
{
	u64 failed;

	return map_gpa(start, end, &failed) == TDVMCALL_STATUS_SUCCESS;
}

/* gramine, before its change 34: compares R11 with the range without the shared bit. */
static bool guest_gramine(u64 start, u64 end)
{
	const u64 lowest = start & ~SHARED, highest = end & ~SHARED;
	u64 failed, status;

	while ((status = map_gpa(start, end, &failed)) == TDVMCALL_STATUS_RETRY) {
		if (failed < lowest || failed >= highest)
			return false;
		start = failed;
	}

	return status == TDVMCALL_STATUS_SUCCESS;
}

static void guest_code(bool (*loop)(u64 start, u64 end), u64 gpa, u64 size)
{
	bool mapped = loop(gpa, gpa + size);

	GUEST_SYNC2(mapped, nr_calls);
	GUEST_DONE();
}

struct scenario {
	const char *name;
	bool (*loop)(u64 start, u64 end);
	bool to_private;
	/*
	 * What the VMM does: it refuses the chunks from first to last, each this many
	 * times.
	 */
	u64 first, last, times;
	enum tdx_map_gpa_outcome outcome;
	/* The expected result. */
	bool mapped;
	u64 nr_exits;
};

TDX_FIXTURE(map_gpa_retry);

FIXTURE_VARIANT(map_gpa_retry)
{
	struct scenario scenario;
};

#define RETRIES(guest, row, args...)					\
	FIXTURE_VARIANT_ADD(map_gpa_retry, guest##_##row) {		\
		.scenario = {						\
			.name = #guest "_" #row,			\
			.loop = guest_##guest,				\
			.outcome = TDX_MAP_GPA_RETRY,			\
			args						\
		},							\
	}

RETRIES(spec, first_chunk_refused,
	.first = 0, .last = 0, .times = 1, .mapped = true, .nr_exits = NR_CHUNKS + 1);
RETRIES(spec, middle_chunk_refused,
	.first = 2, .last = 2, .times = 1, .mapped = true, .nr_exits = NR_CHUNKS + 1);
RETRIES(spec, last_chunk_refused,
	.first = LAST, .last = LAST, .times = 1, .mapped = true, .nr_exits = NR_CHUNKS + 1);
RETRIES(spec, private_chunk_refused, .to_private = true,
	.first = 2, .last = 2, .times = 1, .mapped = true, .nr_exits = NR_CHUNKS + 1);
RETRIES(spec, every_chunk_refused_7_times,
	.first = 0, .last = LAST, .times = 7, .mapped = true, .nr_exits = NR_CHUNKS * 8);
/* KVM has no limit of its own.  R11 stays the same. */
RETRIES(spec, first_chunk_refused_1000_times,
	.first = 0, .last = 0, .times = 1000, .mapped = true, .nr_exits = NR_CHUNKS + 1000);
RETRIES(spec, middle_chunk_refused_1000_times,
	.first = 2, .last = 2, .times = 1000, .mapped = true, .nr_exits = NR_CHUNKS + 1000);

FIXTURE_VARIANT_ADD(map_gpa_retry, spec_middle_chunk_invalid) {
	.scenario = {
		.name = "spec_middle_chunk_invalid",
		.loop = guest_spec,
		.outcome = TDX_MAP_GPA_INVALID,
		.first = 2, .last = 2, .times = 1, .mapped = false, .nr_exits = 3,
	},
};

/*
 * The first refusal of a chunk other than the first one is a progress to that chunk.
 * The TD does not count it.
 */
RETRIES(linux, every_chunk_refused,
	.first = 0, .last = LAST, .times = 1, .mapped = true, .nr_exits = NR_CHUNKS * 2);
RETRIES(linux, first_chunk_refused_2_times,
	.first = 0, .last = 0, .times = 2, .mapped = true, .nr_exits = NR_CHUNKS + 2);
RETRIES(linux, gives_up_first_chunk_refused_3_times,
	.first = 0, .last = 0, .times = 3, .mapped = false, .nr_exits = 3);
RETRIES(linux, middle_chunk_refused_3_times,
	.first = 2, .last = 2, .times = 3, .mapped = true, .nr_exits = NR_CHUNKS + 3);
RETRIES(linux, gives_up_middle_chunk_refused_4_times,
	.first = 2, .last = 2, .times = 4, .mapped = false, .nr_exits = 2 + 4);
RETRIES(linux, gives_up_private_chunk_refused_4_times, .to_private = true,
	.first = 2, .last = 2, .times = 4, .mapped = false, .nr_exits = 2 + 4);

RETRIES(td_shim, middle_chunk_refused_3_times,
	.first = 2, .last = 2, .times = 3, .mapped = true, .nr_exits = NR_CHUNKS + 3);
RETRIES(td_shim, three_chunks_refused,
	.first = 0, .last = 2, .times = 1, .mapped = true, .nr_exits = NR_CHUNKS + 3);
RETRIES(td_shim, gives_up_four_chunks_refused,
	.first = 0, .last = 3, .times = 1, .mapped = false, .nr_exits = 3 + 4);

RETRIES(edk2, no_chunk_refused, .times = 0, .mapped = true, .nr_exits = NR_CHUNKS);
RETRIES(edk2, fails_first_chunk_refused,
	.first = 0, .last = 0, .times = 1, .mapped = false, .nr_exits = 1);
RETRIES(edk2, fails_last_chunk_refused,
	.first = LAST, .last = LAST, .times = 1, .mapped = false, .nr_exits = NR_CHUNKS);

RETRIES(gramine, no_chunk_refused, .times = 0, .mapped = true, .nr_exits = NR_CHUNKS);
RETRIES(gramine, fails_shared_chunk_refused,
	.first = 2, .last = 2, .times = 1, .mapped = false, .nr_exits = 3);
RETRIES(gramine, private_chunk_refused, .to_private = true,
	.first = 2, .last = 2, .times = 1, .mapped = true, .nr_exits = NR_CHUNKS + 1);

FIXTURE_SETUP(map_gpa_retry)
{
	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, guest_code);
	tdx_map_gpa_enable_exits(self->vm);
}

/* The VMM.  Returns the number of calls that the TD must have issued for these answers. */
static u64 answer_exits(struct kvm_vcpu *vcpu, const struct scenario *row, u64 gpa)
{
	const u64 refusal = tdx_map_gpa_answer(tdx_map_gpa_gen(), row->outcome);
	u64 i, chunk = 0, refused = 0, nr_refused = 0;

	for (i = 0; i < row->nr_exits; i++) {
		/* In either case the TD goes on at the next chunk. */
		const struct tdx_map_gpa_call rest = {
			.name = row->name,
			.gpa = gpa + chunk * TDX_MAP_GPA_MAX_LEN,
			.size = TEST_SIZE - chunk * TDX_MAP_GPA_MAX_LEN,
			.nr_exits = row->nr_exits,
		};

		tdx_map_gpa_poison_exit(vcpu, i);
		vcpu_run(vcpu);
		tdx_map_gpa_check_exit(vcpu, &rest, 0);

		if (chunk >= row->first && chunk <= row->last && refused < row->times) {
			vcpu->run->hypercall.ret = refusal;
			refused++;
			nr_refused++;
		} else {
			vcpu->run->hypercall.ret = 0;
			refused = 0;
			chunk++;
		}
	}

	/* One call for each refusal, and one for the success, if any. */
	return nr_refused + row->mapped;
}

TDX_TEST_F(map_gpa_retry, loop)
{
	const struct scenario *row = &variant->scenario;
	const u64 gpa = row->to_private ? TEST_GPA : SHARED | TEST_GPA;
	struct ucall uc;
	u64 calls;

	if (row->times && tdx_map_gpa_skips(row->outcome))
		SKIP(return, TDX_MAP_GPA_SKIP_REASON);

	tdx_vcpu_args_set(self->vcpu, 3, row->loop, gpa, (u64)TEST_SIZE);
	tdx_vm_finalize(self->vm);

	calls = answer_exits(self->vcpu, row, gpa);

	vcpu_run(self->vcpu);
	tdx_vcpu_get_sync(self->vcpu, row->name, &uc);
	tdx_assert_value(row->name, "exits done", row->nr_exits, "range mapped",
			 row->mapped, uc.args[0]);
	tdx_assert_value(row->name, "exits done", row->nr_exits, "MapGPA calls",
			 calls, uc.args[1]);
}

TDX_TEST_MAIN()
