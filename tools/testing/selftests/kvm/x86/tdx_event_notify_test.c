// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VMCALL<SetupEventNotifyInterrupt>: R12 is the vector by which the TD wants to
 * be notified of events.  KVM checks that it is a legal vector.  Userspace remembers
 * it.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_exit.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define TEST_VECTOR	0xa5

static struct tdx_exit_call setup_event_notify(const char *name, u64 vector)
{
	struct tdx_exit_call call = {
		.name = name,
		.leaf = TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT,
		.r12 = vector,
		.r13 = 0x5eed,
		.ret = TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED,
		.nr_data = 1,
		.data = { vector },
	};

	return call;
}

TDX_FIXTURE(event_notify_refused);

FIXTURE_VARIANT(event_notify_refused)
{
	const char *name;
	u64 vector;
};

#define REFUSED(row, number)						\
	FIXTURE_VARIANT_ADD(event_notify_refused, row) { .name = #row, .vector = (number) }

/* Exceptions. */
REFUSED(vector_0,	0);
REFUSED(vector_1,	1);
REFUSED(vector_31,	31);
/* All 64 bits of R12 count: the low byte, or the low half, would be a vector. */
REFUSED(vector_256,	256);
REFUSED(low_byte,	0x100 | TEST_VECTOR);
REFUSED(bit_31,		BIT_ULL(31) | TEST_VECTOR);
REFUSED(bit_32,		BIT_ULL(32) | TEST_VECTOR);
REFUSED(bit_63,		BIT_ULL(63) | TEST_VECTOR);
REFUSED(all_ones,	~0ULL);

TDX_FIXTURE_SETUP(event_notify_refused, tdvmcall_vm_create);

TDX_TEST_F(event_notify_refused, without_exit)
{
	struct tdx_exit_call call = setup_event_notify(variant->name, variant->vector);

	tdx_exit_refused(self->vcpu, &call, TDVMCALL_STATUS_INVALID_OPERAND);
}

TDX_FIXTURE(event_notify_vector);

FIXTURE_VARIANT(event_notify_vector)
{
	const char *name;
	u64 vector;
};

#define VECTOR(number)							\
	FIXTURE_VARIANT_ADD(event_notify_vector, vector_##number) {	\
		.name = "vector_" #number, .vector = (number),		\
	}

VECTOR(32);
VECTOR(33);
VECTOR(127);
VECTOR(128);
VECTOR(254);
VECTOR(255);

TDX_FIXTURE_SETUP(event_notify_vector, tdvmcall_vm_create);

/* Userspace that does not know the leaf leaves the answer that KVM has put there. */
TDX_TEST_F(event_notify_vector, is_unsupported_unless_answered)
{
	struct tdx_exit_call call = setup_event_notify(variant->name, variant->vector);

	tdx_exit_run(self->vcpu, &call);
	tdx_exit_finish(self->vcpu, &call, TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
}

TDX_FIXTURE(event_notify_answer);

FIXTURE_VARIANT(event_notify_answer)
{
	const char *name;
	u64 ret;
};

#define ANSWER(row, value)						\
	FIXTURE_VARIANT_ADD(event_notify_answer, row) { .name = #row, .ret = (u64)(value) }

#include "tdx/tdx_exit_answers.def"

TDX_FIXTURE_SETUP(event_notify_answer, tdvmcall_vm_create);

/* The TD gets the answer in R10 unchanged.  Other words of the exit do not count. */
TDX_TEST_F(event_notify_answer, is_raw_status)
{
	struct tdx_exit_call call = setup_event_notify(variant->name, TEST_VECTOR);
	struct kvm_run *run = self->vcpu->run;

	tdx_exit_run(self->vcpu, &call);
	tdvmcall_poison_exit(self->vcpu);
	run->tdx.setup_event_notify.ret = variant->ret;
	tdx_exit_finish(self->vcpu, &call, variant->ret);
}

TDX_TEST_MAIN()
