// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VMCALL<MapGPA>: the contract between a TD, KVM and userspace.
 *
 * KVM checks the range and offers it to userspace in chunks of 2 MiB, one
 * KVM_EXIT_HYPERCALL each.  It turns the answers of userspace into a status for the TD
 * or an error of KVM_RUN.  Nothing is converted here: what KVM does depends on the
 * answers alone, so the range needs no memory.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_map_gpa.h"
#include "tdx/tdx_test_harness.h"

/* A GPA that differs from all other numbers here. */
#define TEST_GPA	0x1234600000ULL

#define SHARED		TDX_SHARED_BIT

/* The base to which the GPA of a row is added. */
enum gpa_origin {
	GPA_ZERO,
	GPA_LIMIT,	/* the first GPA above the vCPU's MAXPHYADDR */
};

static u64 gpa_origin(struct kvm_vcpu *vcpu, enum gpa_origin origin)
{
	switch (origin) {
	case GPA_LIMIT:
		return BIT_ULL(kvm_cpuid_property(vcpu->cpuid, X86_PROPERTY_MAX_PHY_ADDR));
	case GPA_ZERO:
	default:
		return 0;
	}
}

/*
 * Calls that KVM refuses by itself: there is no exit, and R11 = R12.  KVM checks the
 * rules in the order in which they are listed.  A row that breaks two of them has
 * "before" in its name.
 */
TDX_FIXTURE(map_gpa_refused);

FIXTURE_VARIANT(map_gpa_refused)
{
	const char *name;
	bool no_exits;		/* KVM_CAP_EXIT_HYPERCALL is left off */
	enum gpa_origin from;
	u64 gpa;
	u64 size;
	u64 r10;
};

#define REFUSED(row, status, args...)					\
	FIXTURE_VARIANT_ADD(map_gpa_refused, row) {			\
		.name = #row,						\
		.r10 = TDVMCALL_STATUS_##status,			\
		args							\
	}

/* Userspace has not asked for the exits. */
REFUSED(exits_off, SUBFUNC_UNSUPPORTED,
	.no_exits = true, .gpa = TEST_GPA, .size = SZ_4K);
REFUSED(exits_off_shared, SUBFUNC_UNSUPPORTED,
	.no_exits = true, .gpa = SHARED | TEST_GPA, .size = SZ_4K);
REFUSED(exits_off_before_size_0, SUBFUNC_UNSUPPORTED,
	.no_exits = true, .gpa = TEST_GPA, .size = 0);
REFUSED(exits_off_before_limit, SUBFUNC_UNSUPPORTED,
	.no_exits = true, .from = GPA_LIMIT, .gpa = 0, .size = SZ_4K);
REFUSED(exits_off_before_end_above_limit, SUBFUNC_UNSUPPORTED,
	.no_exits = true, .from = GPA_LIMIT, .gpa = -SZ_4K, .size = SHARED + SZ_8K);
REFUSED(exits_off_before_shared_bit, SUBFUNC_UNSUPPORTED,
	.no_exits = true, .gpa = SHARED - SZ_4K, .size = SZ_8K);
REFUSED(exits_off_before_alignment, SUBFUNC_UNSUPPORTED,
	.no_exits = true, .gpa = TEST_GPA + 1, .size = SZ_4K);

/* The end of the range is not above its start. */
REFUSED(size_0, INVALID_OPERAND, .gpa = TEST_GPA, .size = 0);
REFUSED(size_0_shared, INVALID_OPERAND, .gpa = SHARED | TEST_GPA, .size = 0);
REFUSED(size_0_before_alignment, INVALID_OPERAND, .gpa = TEST_GPA + 1, .size = 0);
REFUSED(wrap, INVALID_OPERAND, .gpa = SZ_4M, .size = -SZ_2M);
REFUSED(wrap_by_a_page, INVALID_OPERAND, .gpa = SZ_4M, .size = -SZ_4K);
REFUSED(wrap_to_0, INVALID_OPERAND, .gpa = TEST_GPA, .size = -TEST_GPA);
REFUSED(wrap_before_alignment, INVALID_OPERAND, .gpa = SZ_4M + 1, .size = -SZ_2M);

/* The first or the last byte is above MAXPHYADDR. */
REFUSED(gpa_at_limit, INVALID_OPERAND, .from = GPA_LIMIT, .gpa = 0, .size = SZ_4K);
REFUSED(gpa_at_limit_shared, INVALID_OPERAND,
	.from = GPA_LIMIT, .gpa = SHARED, .size = SZ_4K);
REFUSED(gpa_bit_63, INVALID_OPERAND, .gpa = BIT_ULL(63) | TEST_GPA, .size = SZ_4K);
REFUSED(gpa_at_limit_before_alignment, INVALID_OPERAND,
	.from = GPA_LIMIT, .gpa = 1, .size = SZ_4K);
/* The first and the last byte have the same shared bit, so nothing else is wrong. */
REFUSED(end_above_limit, INVALID_OPERAND,
	.from = GPA_LIMIT, .gpa = -SZ_4K, .size = SHARED + SZ_8K);
REFUSED(end_above_limit_before_alignment, INVALID_OPERAND,
	.from = GPA_LIMIT, .gpa = -SZ_4K, .size = SHARED + SZ_8K - 1);

/* The first and the last byte differ in the shared bit. */
REFUSED(across_shared_bit, INVALID_OPERAND, .gpa = SHARED - SZ_4K, .size = SZ_8K);
REFUSED(across_shared_bit_by_2m, INVALID_OPERAND,
	.gpa = SHARED - SZ_2M, .size = SZ_4M);
REFUSED(across_shared_bit_by_a_byte_before_alignment, INVALID_OPERAND,
	.gpa = SHARED - SZ_4K, .size = SZ_4K + 1);
REFUSED(private_and_shared_halves, INVALID_OPERAND, .gpa = 0, .size = 2 * SHARED);

/* The start or the size is no multiple of 4 KiB. */
REFUSED(unaligned_gpa, ALIGN_ERROR, .gpa = TEST_GPA + 1, .size = SZ_4K);
REFUSED(unaligned_gpa_shared, ALIGN_ERROR,
	.gpa = SHARED | (TEST_GPA + SZ_2K), .size = SZ_4K);
REFUSED(unaligned_size, ALIGN_ERROR, .gpa = TEST_GPA, .size = SZ_4K + 1);
REFUSED(unaligned_size_1, ALIGN_ERROR, .gpa = TEST_GPA, .size = 1);
REFUSED(unaligned_size_shared, ALIGN_ERROR,
	.gpa = SHARED | TEST_GPA, .size = SZ_2M - 1);
REFUSED(unaligned_gpa_aligned_end, ALIGN_ERROR,
	.gpa = TEST_GPA + SZ_2K, .size = SZ_2K);

FIXTURE_SETUP(map_gpa_refused)
{
	self->vm = tdx_map_gpa_vm_create(&self->vcpu);
	if (!variant->no_exits)
		tdx_map_gpa_enable_exits(self->vm);
}

TDX_TEST_F(map_gpa_refused, without_exit)
{
	const u64 gpa = gpa_origin(self->vcpu, variant->from) + variant->gpa;
	const struct tdx_map_gpa_call call = {
		.name = variant->name,
		.gpa = gpa,
		.size = variant->size,
		.nr_exits = 0,
		.r10 = variant->r10,
		.r11 = gpa,
	};

	tdx_map_gpa_launch(self->vcpu, &call);
	tdx_map_gpa_run_exits(self->vcpu, &call);
	tdx_map_gpa_finish(self->vcpu, &call);
}

/* Ranges whose chunks are all answered with 0: success, and R11 is not written. */
TDX_FIXTURE(map_gpa_range);

FIXTURE_VARIANT(map_gpa_range)
{
	const char *name;
	enum gpa_origin from;
	u64 gpa;
	u64 size;
	u64 nr_exits;
};

#define RANGE(row, args...)						\
	FIXTURE_VARIANT_ADD(map_gpa_range, row) { .name = #row, args }

RANGE(size_4k,		.gpa = TEST_GPA, .size = SZ_4K, .nr_exits = 1);
RANGE(size_2m_minus_4k,	.gpa = TEST_GPA, .size = SZ_2M - SZ_4K, .nr_exits = 1);
RANGE(size_2m,		.gpa = TEST_GPA, .size = SZ_2M, .nr_exits = 1);
RANGE(size_2m_plus_4k,	.gpa = TEST_GPA, .size = SZ_2M + SZ_4K, .nr_exits = 2);
RANGE(size_4m_minus_4k,	.gpa = TEST_GPA, .size = SZ_4M - SZ_4K, .nr_exits = 2);
RANGE(size_8m,		.gpa = TEST_GPA, .size = SZ_8M, .nr_exits = 4);
RANGE(size_1g,		.gpa = TEST_GPA, .size = SZ_1G, .nr_exits = 512);
RANGE(size_1g_plus_4k,	.gpa = TEST_GPA, .size = SZ_1G + SZ_4K, .nr_exits = 513);

/* KVM counts chunks from the start of the range, not from multiples of 2 MiB. */
RANGE(start_4k_size_2m,	.gpa = TEST_GPA + SZ_4K, .size = SZ_2M, .nr_exits = 1);
RANGE(start_4k_size_4m,	.gpa = TEST_GPA + SZ_4K, .size = SZ_4M, .nr_exits = 2);

/* The limits of the private half and, since the bit is added, of the shared half. */
RANGE(first_page,	.gpa = 0, .size = SZ_4K, .nr_exits = 1);
RANGE(last_page,	.gpa = SHARED - SZ_4K, .size = SZ_4K, .nr_exits = 1);
RANGE(last_chunks,	.gpa = SHARED - SZ_4M, .size = SZ_4M, .nr_exits = 2);

/* KVM does not check whether the TD has such a GPA. */
RANGE(last_legal_pages,	.from = GPA_LIMIT, .gpa = -SZ_8K, .size = SZ_8K, .nr_exits = 1);
RANGE(last_legal_chunks, .from = GPA_LIMIT, .gpa = -SZ_4M, .size = SZ_4M, .nr_exits = 2);

FIXTURE_SETUP(map_gpa_range)
{
	self->vm = tdx_map_gpa_vm_create(&self->vcpu);
	tdx_map_gpa_enable_exits(self->vm);
}

static void test_range(struct kvm_vcpu *vcpu, const FIXTURE_VARIANT(map_gpa_range) *row,
		       bool to_shared)
{
	u64 gpa = gpa_origin(vcpu, row->from) + row->gpa;
	struct tdx_map_gpa_call call = {
		.name = row->name,
		.gpa = to_shared ? gpa | SHARED : gpa & ~SHARED,
		.size = row->size,
		.nr_exits = row->nr_exits,
		.r10 = TDVMCALL_STATUS_SUCCESS,
		.r11 = TDVMCALL_MAP_GPA,
	};

	tdx_map_gpa_launch(vcpu, &call);
	tdx_map_gpa_run_exits(vcpu, &call);
	tdx_map_gpa_finish(vcpu, &call);
}

TDX_TEST_F(map_gpa_range, to_shared)
{
	test_range(self->vcpu, variant, true);
}

TDX_TEST_F(map_gpa_range, to_private)
{
	test_range(self->vcpu, variant, false);
}

/*
 * Answers to one chunk of a range.  The chunks before it are answered with 0.  Those
 * after it must not be offered.
 */
TDX_FIXTURE(map_gpa_answer);

FIXTURE_VARIANT(map_gpa_answer)
{
	const char *name;
	u64 ret;
};

#define ANSWER(row, value)						\
	FIXTURE_VARIANT_ADD(map_gpa_answer, row) { .name = #row, .ret = (u64)(value) }

ANSWER(eagain,		EAGAIN);
ANSWER(einval,		EINVAL);
ANSWER(ebusy,		EBUSY);
ANSWER(enosys,		ENOSYS);
ANSWER(one,		1);
ANSWER(minus_eagain,	-EAGAIN);
ANSWER(minus_einval,	-EINVAL);
ANSWER(minus_ebusy,	-EBUSY);
/* The low 32 bits are a known answer, but all 64 bits count. */
ANSWER(bit_32,		BIT_ULL(32));
ANSWER(bit_32_eagain,	BIT_ULL(32) | EAGAIN);
ANSWER(bit_32_einval,	BIT_ULL(32) | EINVAL);
ANSWER(u32_minus_einval, (u32)-EINVAL);
/* Statuses of the TD are no answers.  KVM translates errno values to them. */
ANSWER(status_invalid_operand, TDVMCALL_STATUS_INVALID_OPERAND);
ANSWER(all_ones,	~0ULL);

/* 32 chunks and the short one. */
#define ANSWER_SIZE	(SZ_64M + SZ_4K)
#define ANSWER_LAST	32

FIXTURE_SETUP(map_gpa_answer)
{
	self->vm = tdx_map_gpa_vm_create(&self->vcpu);
	tdx_map_gpa_enable_exits(self->vm);
}

static struct tdx_map_gpa_call answered_call(const char *name, u64 ret, u64 gpa, u64 size,
					     u64 chunk)
{
	struct tdx_map_gpa_call call = {
		.name = name,
		.gpa = gpa,
		.size = size,
		.nr_exits = chunk + 1,
		.ret = ret,
		.r10 = tdx_map_gpa_outcome_status(tdx_map_gpa_outcome(tdx_map_gpa_gen(), ret)),
		.r11 = gpa + chunk * TDX_MAP_GPA_MAX_LEN,
	};

	return call;
}

static void test_answer(struct kvm_vcpu *vcpu, const FIXTURE_VARIANT(map_gpa_answer) *row,
			u64 gpa, u64 size, u64 chunk)
{
	struct tdx_map_gpa_call call = answered_call(row->name, row->ret, gpa, size, chunk);

	tdx_map_gpa_launch(vcpu, &call);
	tdx_map_gpa_run_exits(vcpu, &call);

	if (tdx_map_gpa_outcome(tdx_map_gpa_gen(), row->ret) == TDX_MAP_GPA_RUN_EINVAL)
		tdx_map_gpa_run_fails(vcpu, &call);
	else
		tdx_map_gpa_finish(vcpu, &call);
}

TDX_TEST_F(map_gpa_answer, to_only_page)
{
	test_answer(self->vcpu, variant, SHARED | TEST_GPA, SZ_4K, 0);
}

TDX_TEST_F(map_gpa_answer, to_first_chunk)
{
	test_answer(self->vcpu, variant, SHARED | TEST_GPA, ANSWER_SIZE, 0);
}

TDX_TEST_F(map_gpa_answer, to_middle_chunk)
{
	test_answer(self->vcpu, variant, SHARED | TEST_GPA, ANSWER_SIZE, ANSWER_LAST / 2);
}

TDX_TEST_F(map_gpa_answer, to_middle_chunk_private)
{
	test_answer(self->vcpu, variant, TEST_GPA, ANSWER_SIZE, ANSWER_LAST / 2);
}

TDX_TEST_F(map_gpa_answer, to_last_chunk)
{
	test_answer(self->vcpu, variant, SHARED | TEST_GPA, ANSWER_SIZE, ANSWER_LAST);
}

/* KVM_RUN is called again after it failed because of an unknown answer. */
TDX_FIXTURE(map_gpa_run_again);

FIXTURE_VARIANT(map_gpa_run_again)
{
	const char *name;
	u64 chunk;
};

FIXTURE_VARIANT_ADD(map_gpa_run_again, first_chunk) {
	.name = "first_chunk", .chunk = 0,
};

FIXTURE_VARIANT_ADD(map_gpa_run_again, middle_chunk) {
	.name = "middle_chunk", .chunk = ANSWER_LAST / 2,
};

FIXTURE_VARIANT_ADD(map_gpa_run_again, last_chunk) {
	.name = "last_chunk", .chunk = ANSWER_LAST,
};

FIXTURE_SETUP(map_gpa_run_again)
{
	self->vm = tdx_map_gpa_vm_create(&self->vcpu);
	tdx_map_gpa_enable_exits(self->vm);
}

/*
 * KVM_RUN fails until userspace gives an answer that KVM knows.  A TD that runs before
 * finds R10 = 0, as after a success.
 */
TDX_TEST_F(map_gpa_run_again, exit_stays)
{
	struct tdx_map_gpa_call call = answered_call(variant->name, ENOSYS, SHARED | TEST_GPA,
						     ANSWER_SIZE, variant->chunk);

	if (tdx_map_gpa_skips(TDX_MAP_GPA_RUN_EINVAL))
		SKIP(return, TDX_MAP_GPA_SKIP_REASON);
	call.r10 = TDVMCALL_STATUS_RETRY;

	tdx_map_gpa_launch(self->vcpu, &call);
	tdx_map_gpa_run_exits(self->vcpu, &call);
	tdx_map_gpa_run_fails(self->vcpu, &call);
	tdx_map_gpa_run_fails(self->vcpu, &call);

	self->vcpu->run->hypercall.ret = tdx_map_gpa_answer(tdx_map_gpa_gen(), TDX_MAP_GPA_RETRY);
	tdx_map_gpa_finish(self->vcpu, &call);
}

TDX_FINDING(1, "map_gpa_run_again.first_chunk.exit_stays");
TDX_FINDING(1, "map_gpa_run_again.middle_chunk.exit_stays");
TDX_FINDING(1, "map_gpa_run_again.last_chunk.exit_stays");

TDX_TEST_MAIN()
