// SPDX-License-Identifier: GPL-2.0-only
/*
 * Userspace changes its answer to an exit of TDG.VP.VMCALL<MapGPA> while KVM reads it.
 * KVM must read it once: whatever value it finds, the result is one of the allowed
 * outcomes, for the chunk of that exit.
 *
 * A KVM that reads the answer twice may combine two answers into a third outcome.
 * Where there are only two answers, the test sees that the outcome belongs to neither.
 */
#include <pthread.h>
#include <sched.h>

#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_cpus.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_map_gpa.h"
#include "tdx/tdx_test_harness.h"

#define TEST_GPA	(TDX_SHARED_BIT | 0x1234600000ULL)
#define TEST_SIZE	(SZ_4M + SZ_4K)
#define NR_CHUNKS	3

#define NR_CALLS	300

/* Answers that the writer writes in one go. */
#define BURST		31

static const struct tdx_map_gpa_call call = {
	.name = "raced",
	.gpa = TEST_GPA,
	.size = TEST_SIZE,
	.nr_exits = NR_CHUNKS,
};

#define MAX_ANSWERS	9

struct answers {
	u64 ret[MAX_ANSWERS];
	u64 nr;
};

enum writer_state {
	WRITER_RESTS,
	WRITER_WRITES,
	WRITER_ENDS,
};

struct writer {
	struct kvm_run *run;
	const struct answers *answers;
	enum writer_state wanted, state;
	bool shares_cpu;
	pthread_t thread;
};

static void guest_code(u64 gpa, u64 size)
{
	u64 status, failed;

	for (;;) {
		status = __tdvmcall_map_gpa(gpa, size, &failed);
		GUEST_SYNC2(status, failed);
	}
}

/*
 * The order is random, since KVM and the writer might keep step in a fixed one, above
 * all in an emulator that runs one CPU after the other.  There is no branch, so that
 * each write takes the same time.
 */
static u64 random_answer(const struct answers *answers, u64 *random)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return answers->ret[(*random >> 32) * answers->nr >> 32];
}

static void *write_answers(void *arg)
{
	struct writer *writer = arg;
	const struct answers *answers = writer->answers;
	enum writer_state state;
	u64 random = 0;
	int i;

	do {
		state = READ_ONCE(writer->wanted);
		WRITE_ONCE(writer->state, state);
		for (i = 0; state == WRITER_WRITES && i < BURST; i++)
			WRITE_ONCE(writer->run->hypercall.ret,
				   random_answer(answers, &random));
		/* With a CPU of its own the writer must not pause. */
		if (state == WRITER_RESTS || writer->shares_cpu)
			sched_yield();
	} while (state != WRITER_ENDS);

	return NULL;
}

/* Wait until the writer writes, or has stopped. */
static void set_writer(struct writer *writer, enum writer_state state)
{
	WRITE_ONCE(writer->wanted, state);
	while (READ_ONCE(writer->state) != state)
		sched_yield();
}

/* Gives 0, or the errno of KVM_RUN. */
static int run_raced(struct kvm_vcpu *vcpu, struct writer *writer)
{
	int r;

	/*
	 * KVM may read before the writer writes: the 0 of the exit need not be one of
	 * the answers.
	 */
	vcpu->run->hypercall.ret = writer->answers->ret[0];
	set_writer(writer, WRITER_WRITES);
	r = __vcpu_run(vcpu) ? errno : 0;
	set_writer(writer, WRITER_RESTS);
	return r;
}

static bool is_possible(const struct answers *answers, enum tdx_map_gpa_outcome outcome)
{
	u64 i;

	for (i = 0; i < answers->nr; i++) {
		if (tdx_map_gpa_outcome(tdx_map_gpa_gen(), answers->ret[i]) == outcome)
			return true;
	}

	return false;
}

static void assert_next_is_possible(const struct answers *answers, u64 chunk)
{
	TEST_ASSERT(is_possible(answers, TDX_MAP_GPA_NEXT),
		    "chunk %lu: wanted a refusal, got what success is answered by", chunk);
}

/* Check the result of the TD, after the exit for @chunk was answered. */
static enum tdx_map_gpa_outcome check_outcome(const struct answers *answers, u64 chunk,
					      u64 r10, u64 r11)
{
	enum tdx_map_gpa_outcome outcome = TDX_MAP_GPA_NEXT;

	if (r10 == TDVMCALL_STATUS_RETRY && is_possible(answers, TDX_MAP_GPA_RETRY))
		outcome = TDX_MAP_GPA_RETRY;
	else if (r10 == TDVMCALL_STATUS_INVALID_OPERAND &&
		 is_possible(answers, TDX_MAP_GPA_INVALID))
		outcome = TDX_MAP_GPA_INVALID;

	tdx_assert_value(call.name, "chunk", chunk, "R10",
			 tdx_map_gpa_outcome_status(outcome), r10);
	if (outcome == TDX_MAP_GPA_NEXT) {
		tdx_assert_value(call.name, "successful call", 0, "last chunk",
				 NR_CHUNKS - 1, chunk);
		tdx_assert_value(call.name, "chunk", chunk, "R11", TDVMCALL_MAP_GPA, r11);
	} else {
		tdx_assert_value(call.name, "chunk", chunk, "R11",
				 TEST_GPA + chunk * TDX_MAP_GPA_MAX_LEN, r11);
	}

	return outcome;
}

/* Run one call, and count the outcomes of its exits in @seen. */
static void run_call(struct kvm_vcpu *vcpu, struct writer *writer, u64 *seen)
{
	const struct answers *answers = writer->answers;
	struct kvm_run *run = vcpu->run;
	enum tdx_map_gpa_outcome outcome;
	bool dropped = false;
	struct ucall uc;
	u64 chunk = 0;
	int error;

	tdx_map_gpa_run_exit(vcpu, &call, 0);

	for (;;) {
		error = run_raced(vcpu, writer);
		if (!error && run->exit_reason != KVM_EXIT_HYPERCALL)
			break;

		if (!error) {
			/* The writer may have written after KVM. */
			run->hypercall.ret = 0;
			assert_next_is_possible(answers, chunk);
			tdx_map_gpa_check_exit(vcpu, &call, ++chunk);
			seen[TDX_MAP_GPA_NEXT]++;
			continue;
		}

		TEST_ASSERT(error == EINVAL && is_possible(answers, TDX_MAP_GPA_RUN_EINVAL),
			    "chunk %lu: wanted %s, got %s from KVM_RUN", chunk,
			    is_possible(answers, TDX_MAP_GPA_RUN_EINVAL) ?
			    "success or EINVAL" : "success", strerror(error));
		seen[TDX_MAP_GPA_RUN_EINVAL]++;
		if (tdx_map_gpa_gen()->keeps_exit)
			continue;

		dropped = true;
		vcpu_run(vcpu);
		break;
	}

	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_MMIO);
	tdx_vcpu_get_sync(vcpu, call.name, &uc);

	/* The TD gets a success: see the cases of map_gpa_run_again. */
	if (dropped) {
		check_outcome(answers, NR_CHUNKS - 1, uc.args[0], uc.args[1]);
		return;
	}

	outcome = check_outcome(answers, chunk, uc.args[0], uc.args[1]);
	if (outcome == TDX_MAP_GPA_NEXT)
		assert_next_is_possible(answers, chunk);
	seen[outcome]++;
}

FIXTURE(map_gpa_race)
{
	struct writer writer;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
};

FIXTURE_VARIANT(map_gpa_race)
{
	struct answers answers;
};

/* KVM knows each of these answers: KVM_RUN must not fail. */
FIXTURE_VARIANT_ADD(map_gpa_race, known_answers) {
	.answers = { .ret = { 0, EAGAIN, 0, EINVAL, EAGAIN }, .nr = 5 },
};

/* The answers cover all outcomes of all generations. */
FIXTURE_VARIANT_ADD(map_gpa_race, all_answers) {
	.answers = {
		.ret = {
			0, EAGAIN, 0, EINVAL, 0, (u64)-EBUSY, 0, (u64)-EINVAL, EPERM,
		},
		.nr = 9,
	},
};

FIXTURE_VARIANT_ADD(map_gpa_race, success_or_retry) {
	.answers = { .ret = { 0, EAGAIN }, .nr = 2 },
};

FIXTURE_VARIANT_ADD(map_gpa_race, success_or_invalid) {
	.answers = { .ret = { 0, EINVAL }, .nr = 2 },
};

FIXTURE_VARIANT_ADD(map_gpa_race, success_or_unknown) {
	.answers = { .ret = { 0, EPERM }, .nr = 2 },
};

FIXTURE_VARIANT_ADD(map_gpa_race, retry_or_invalid) {
	.answers = { .ret = { EAGAIN, EINVAL }, .nr = 2 },
};

FIXTURE_VARIANT_ADD(map_gpa_race, retry_or_unknown) {
	.answers = { .ret = { EAGAIN, EPERM }, .nr = 2 },
};

FIXTURE_VARIANT_ADD(map_gpa_race, invalid_or_unknown) {
	.answers = { .ret = { EINVAL, EPERM }, .nr = 2 },
};

FIXTURE_SETUP(map_gpa_race)
{
	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, guest_code);
	tdx_map_gpa_enable_exits(self->vm);
	tdx_vcpu_args_set(self->vcpu, 2, call.gpa, call.size);
	tdx_vm_finalize(self->vm);

	self->writer.run = self->vcpu->run;
	self->writer.answers = &variant->answers;
	self->writer.shares_cpu = true;
	TEST_ASSERT_EQ(pthread_create(&self->writer.thread, NULL, write_answers,
				      &self->writer), 0);
}

FIXTURE_TEARDOWN(map_gpa_race)
{
	set_writer(&self->writer, WRITER_ENDS);
	pthread_join(self->writer.thread, NULL);
	kvm_vm_free(self->vm);
}

/*
 * The scheduler decides which outcomes there are.  More than one shows that answers
 * were changed.
 */
static void run_calls(struct kvm_vcpu *vcpu, struct writer *writer)
{
	u64 seen[TDX_MAP_GPA_RUN_EINVAL + 1] = {};
	int possible = 0, kinds = 0;
	unsigned int i;

	for (i = 0; i < NR_CALLS; i++)
		run_call(vcpu, writer, seen);

	for (i = 0; i < ARRAY_SIZE(seen); i++) {
		possible += is_possible(writer->answers, i);
		kinds += seen[i] > 0;
	}

	TEST_ASSERT(kinds >= min(possible, 2),
		    "wanted several outcomes, got success %lu, RETRY %lu, INVALID_OPERAND %lu, EINVAL %lu",
		    seen[TDX_MAP_GPA_NEXT], seen[TDX_MAP_GPA_RETRY], seen[TDX_MAP_GPA_INVALID],
		    seen[TDX_MAP_GPA_RUN_EINVAL]);
}

TDX_TEST_F(map_gpa_race, read_once)
{
	run_calls(self->vcpu, &self->writer);
}

/* Only a second CPU can write between two instructions of KVM. */
TDX_TEST_F(map_gpa_race, two_cpus)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, TDX_TWO_CPUS_REASON);

	WRITE_ONCE(self->writer.shares_cpu, false);
	run_calls(self->vcpu, &self->writer);
}

TDX_TEST_MAIN()
