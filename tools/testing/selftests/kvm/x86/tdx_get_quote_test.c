// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VMCALL<GetQuote>: R12 is the GPA of a buffer, which must be shared, and R13
 * its size.  KVM checks only the shared bit of the GPA.  Userspace decides whether the
 * buffer can be used.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_exit.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define TEST_GPA	0x1234600000ULL
#define SHARED		TDX_SHARED_BIT

static struct tdx_exit_call get_quote(const char *name, u64 gpa, u64 size)
{
	struct tdx_exit_call call = {
		.name = name,
		.leaf = TDVMCALL_GET_QUOTE,
		.r12 = gpa,
		.r13 = size,
		.ret = TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED,
		.nr_data = 2,
		.data = { gpa & ~SHARED, size },
	};

	return call;
}

/* Buffers in private memory, at any address. */
TDX_FIXTURE(get_quote_refused);

FIXTURE_VARIANT(get_quote_refused)
{
	const char *name;
	u64 gpa;
	u64 size;
};

#define PRIVATE(row, args...)						\
	FIXTURE_VARIANT_ADD(get_quote_refused, row) { .name = #row, args }

PRIVATE(page,		.gpa = TEST_GPA, .size = SZ_4K);
PRIVATE(gpa_0,		.gpa = 0, .size = SZ_4K);
PRIVATE(last_page,	.gpa = SHARED - SZ_4K, .size = SZ_4K);
/* Only the start of the buffer counts, not its end. */
PRIVATE(across_shared_bit, .gpa = SHARED - SZ_4K, .size = SZ_8K);
PRIVATE(size_0,		.gpa = TEST_GPA, .size = 0);
/* A bit above the shared bit does not replace it. */
PRIVATE(bit_48,		.gpa = BIT_ULL(48) | TEST_GPA, .size = SZ_4K);
PRIVATE(bit_51,		.gpa = BIT_ULL(51) | TEST_GPA, .size = SZ_4K);
PRIVATE(all_but_shared_bit, .gpa = ~SHARED, .size = SZ_4K);

TDX_FIXTURE_SETUP(get_quote_refused, tdvmcall_vm_create);

TDX_TEST_F(get_quote_refused, without_exit)
{
	struct tdx_exit_call call = get_quote(variant->name, variant->gpa, variant->size);

	tdx_exit_refused(self->vcpu, &call, TDVMCALL_STATUS_INVALID_OPERAND);
}

/* Shared buffers.  KVM checks neither alignment, nor size, nor limits. */
TDX_FIXTURE(get_quote_buffer);

FIXTURE_VARIANT(get_quote_buffer)
{
	const char *name;
	u64 gpa;
	u64 size;
};

#define BUFFER(row, args...)						\
	FIXTURE_VARIANT_ADD(get_quote_buffer, row) { .name = #row, args }

BUFFER(page,		.gpa = SHARED | TEST_GPA, .size = SZ_4K);
BUFFER(size_16k,	.gpa = SHARED | TEST_GPA, .size = SZ_16K);
BUFFER(size_0,		.gpa = SHARED | TEST_GPA, .size = 0);
BUFFER(size_1,		.gpa = SHARED | TEST_GPA, .size = 1);
BUFFER(size_all_ones,	.gpa = SHARED | TEST_GPA, .size = ~0ULL);
BUFFER(unaligned,	.gpa = SHARED | (TEST_GPA + 1), .size = SZ_4K);
BUFFER(first_page,	.gpa = SHARED, .size = SZ_4K);
BUFFER(last_page,	.gpa = SHARED | (SHARED - SZ_4K), .size = SZ_4K);
BUFFER(end_above_shared_half, .gpa = SHARED | (SHARED - SZ_4K), .size = SZ_8K);
/* KVM removes only the shared bit. */
BUFFER(above_limit,	.gpa = BIT_ULL(63) | SHARED | TEST_GPA, .size = SZ_4K);
BUFFER(gpa_all_ones,	.gpa = ~0ULL, .size = ~0ULL);

TDX_FIXTURE_SETUP(get_quote_buffer, tdvmcall_vm_create);

/* Userspace that does not know the leaf leaves the answer that KVM has put there. */
TDX_TEST_F(get_quote_buffer, is_unsupported_unless_answered)
{
	struct tdx_exit_call call = get_quote(variant->name, variant->gpa, variant->size);

	tdx_exit_run(self->vcpu, &call);
	tdx_exit_finish(self->vcpu, &call, TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
}

TDX_FIXTURE(get_quote_answer);

FIXTURE_VARIANT(get_quote_answer)
{
	const char *name;
	u64 ret;
};

#define ANSWER(row, value)						\
	FIXTURE_VARIANT_ADD(get_quote_answer, row) { .name = #row, .ret = (u64)(value) }

#include "tdx/tdx_exit_answers.def"

TDX_FIXTURE_SETUP(get_quote_answer, tdvmcall_vm_create);

/* The TD gets the answer in R10 unchanged.  Other words of the exit do not count. */
TDX_TEST_F(get_quote_answer, is_raw_status)
{
	struct tdx_exit_call call = get_quote(variant->name, SHARED | TEST_GPA, SZ_8K);
	struct kvm_run *run = self->vcpu->run;

	tdx_exit_run(self->vcpu, &call);
	tdvmcall_poison_exit(self->vcpu);
	run->tdx.get_quote.ret = variant->ret;
	tdx_exit_finish(self->vcpu, &call, variant->ret);
}

TDX_TEST_MAIN()
