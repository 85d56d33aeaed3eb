// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_PRE_FAULT_MEMORY of private memory at each stage of a TD's life: what it answers,
 * how far it says that it has come, and that pages which are there keep their contents.
 * An ordinary VM gets the same answers.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_mem.h"
#include "tdx/tdx_pages.h"
#include "tdx/tdx_stage.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* From where the slot has pages that nothing has used yet. */
#define MISSING		(3 * SZ_4K)

struct range {
	const char *name;
	u64 start;		/* from the start of the slot */
	u64 size;
	u64 done;		/* bytes of it */
	int error;		/* errno */
};

static const struct range ranges[] = {
	{ "page", 0, SZ_4K, SZ_4K, 0 },
	{ "pages", 0, MISSING, MISSING, 0 },
	{ "missing page", MISSING, SZ_4K, SZ_4K, 0 },
	{ "page that is missing no longer", MISSING, SZ_4K, SZ_4K, 0 },
	{ "pages, of which some are missing", SZ_4K, 6 * SZ_4K, 6 * SZ_4K, 0 },
	{ "last page", TDX_PAGES_SIZE - SZ_4K, SZ_4K, SZ_4K, 0 },
	{ "end of the slot, and a page after it", TDX_PAGES_SIZE - SZ_4K, SZ_8K, SZ_4K, 0 },
	{ "no page", 0, 0, 0, EINVAL },
	{ "part of a page", 0, SZ_4K / 2, 0, EINVAL },
	{ "start within a page", SZ_4K / 2, SZ_4K, 0, EINVAL },
};

static const struct range after_slot = {
	"page after the slot", TDX_PAGES_SIZE, SZ_4K, 0, ENOENT,
};

/* Before @too_early has its end, what is not a wrong operand is an early one. */
static void check_range(struct kvm_vcpu *vcpu, const struct range *range, bool too_early)
{
	const int want = !too_early || range->error == EINVAL ? range->error : EOPNOTSUPP;
	const u64 done = want ? 0 : range->done;
	struct kvm_pre_fault_memory operand = {
		.gpa = TDX_PAGES_GPA + range->start,
		.size = range->size,
	};
	const int got = __vcpu_ioctl(vcpu, KVM_PRE_FAULT_MEMORY, &operand) ? errno : 0;

	TEST_ASSERT(want == got, "%s: wanted %s, got %s", range->name, strerror(want),
		    strerror(got));
	tdx_assert_value(range->name, "bytes done", done, "gpa",
			 TDX_PAGES_GPA + range->start + done, operand.gpa);
	tdx_assert_value(range->name, "bytes done", done, "size", range->size - done,
			 operand.size);
}

static void check_ranges(struct kvm_vcpu *vcpu, bool too_early)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		check_range(vcpu, &ranges[i], too_early);
}

/* The memory after the slot is private too, so that no table for shared memory is made. */
static int add_memory(struct kvm_vm *vm)
{
	const struct kvm_memory_attributes private = {
		.address = TDX_PAGES_GPA,
		.size = TDX_PAGES_SIZE + SZ_4K,
		.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE,
	};
	const int memfd = tdx_pages_add(vm);

	if (tdx_mem_has_vm_attributes(vm))
		vm_ioctl(vm, KVM_SET_MEMORY_ATTRIBUTES, &private);
	else
		tdx_mem_set_private(vm, TDX_PAGES_GPA, TDX_PAGES_SIZE);
	return memfd;
}

FIXTURE(pre_fault)
{
	struct tdx_td td;
	int memfd;
};

FIXTURE_VARIANT(pre_fault)
{
	enum tdx_stage stage;
};

FIXTURE_VARIANT_ADD(pre_fault, vcpu_initialized) { .stage = TDX_STAGE_VCPU_INITIALIZED };
FIXTURE_VARIANT_ADD(pre_fault, memory_added)	{ .stage = TDX_STAGE_MEMORY_ADDED };
FIXTURE_VARIANT_ADD(pre_fault, finalized)	{ .stage = TDX_STAGE_FINALIZED };
FIXTURE_VARIANT_ADD(pre_fault, in_hypercall)	{ .stage = TDX_STAGE_IN_HYPERCALL };
FIXTURE_VARIANT_ADD(pre_fault, shut_down)	{ .stage = TDX_STAGE_SHUTDOWN };

FIXTURE_SETUP(pre_fault)
{
	const bool ended = variant->stage > TDX_STAGE_IN_HYPERCALL;
	struct tdx_td *td = &self->td;

	tdx_td_build(td, ended ? variant->stage : TDX_STAGE_CREATED);
	td->code = tdx_pages_guest_fetch_loop;
	self->memfd = add_memory(td->vm);
	if (!ended)
		tdx_td_build(td, variant->stage);
}

FIXTURE_TEARDOWN(pre_fault)
{
	kvm_close(self->memfd);
	kvm_vm_free(self->td.vm);
}

/* Two hypercalls: before the second one the TD looks at its memory, wherever it was. */
TDX_TEST_F(pre_fault, ranges)
{
	check_ranges(self->td.vcpu, variant->stage < TDX_STAGE_FINALIZED);
	tdx_td_finish(&self->td);
	tdx_td_finish(&self->td);
}

/* A page that it has made is new: the TD has to accept it, and its contents are zeros. */
TEST(accepted)
{
	const struct range hole = { "hole", SZ_4K, SZ_4K, SZ_4K, 0 };
	struct tdx_td td = {};
	int memfd;

	tdx_td_build(&td, TDX_STAGE_CREATED);
	td.code = tdx_pages_guest_look;
	memfd = add_memory(td.vm);
	tdx_td_build(&td, TDX_STAGE_FINALIZED);

	vm_guest_mem_punch_hole(td.vm, tdx_pages_gpa(1), SZ_4K);
	check_range(td.vcpu, &hole, false);
	tdx_assert_value("hole", "page", 0, "first word", tdx_pages_value(0),
			 tdx_pages_look(td.vcpu, tdx_pages_gpa(0), false));
	tdx_assert_value("hole", "page", 1, "first word", 0,
			 tdx_pages_look(td.vcpu, tdx_pages_gpa(1), true));
	check_range(td.vcpu, &hole, false);
	tdx_assert_value("hole", "page", 1, "first word", 0,
			 tdx_pages_look(td.vcpu, tdx_pages_gpa(1), false));

	kvm_close(memfd);
	kvm_vm_free(td.vm);
}

/* What is in no slot is ENOENT, be it private or not. */
TEST(no_slot)
{
	struct tdx_td td = {};
	int memfd;

	tdx_td_build(&td, TDX_STAGE_CREATED);
	memfd = add_memory(td.vm);
	tdx_td_build(&td, TDX_STAGE_FINALIZED);
	check_range(td.vcpu, &after_slot, false);
	tdx_td_finish(&td);

	kvm_close(memfd);
	kvm_vm_free(td.vm);
}

TDX_FINDING(34, "global.no_slot");

static void guest_code(void)
{
}

TEST(plain)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	const int memfd = tdx_pages_add(vm);

	check_ranges(vcpu, false);
	check_range(vcpu, &after_slot, false);
	kvm_close(memfd);
	kvm_vm_free(vm);
}

TDX_TEST_MAIN()
