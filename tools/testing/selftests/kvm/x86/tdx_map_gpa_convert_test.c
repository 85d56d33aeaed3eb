// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VMCALL<MapGPA> that converts memory: userspace answers an exit after it has
 * set the attributes of the chunk.  The TD and the host share the contents of shared
 * memory.  Private memory belongs to the TD alone.  The TD must accept it, and finds
 * zeros in it.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_map_gpa.h"
#include "tdx/tdx_mem.h"
#include "tdx/tdx_test_harness.h"

/* Below the 39 bits of GPA that every CPU with EPT supports. */
#define TEST_GPA	0x1234600000ULL
#define TEST_SLOT	21
#define SHARED		TDX_SHARED_BIT

/* The first of the values, one per page, which one side writes and the other reads. */
#define INITIAL		0x1111000000000000ULL
#define FROM_TD		0x2222000000000000ULL
#define FROM_HOST	0x3333000000000000ULL
#define PRIVATE		0x4444000000000000ULL

#define WORDS_PER_PAGE	(SZ_4K / sizeof(u64))

/* Arguments of the ucalls, in the order in which they come. */
enum step {
	STEP_INITIAL,		/* the TD has read its initial memory */
	STEP_SHARED,		/* it has written the shared memory */
	STEP_ANSWERED,		/* it has read what the host wrote there */
	STEP_PRIVATE,		/* it has accepted and written private memory */
	STEP_SHARED_AGAIN,	/* it has read the host's values once more */
};

static void fill(u64 *words, u64 nr_pages, u64 value)
{
	u64 i;

	for (i = 0; i < nr_pages; i++) {
		WRITE_ONCE(words[i * WORDS_PER_PAGE], value + i);
		WRITE_ONCE(words[(i + 1) * WORDS_PER_PAGE - 1], ~(value + i));
	}
}

static void guest_expect(u64 *words, u64 nr_pages, u64 value)
{
	u64 i;

	for (i = 0; i < nr_pages; i++) {
		GUEST_ASSERT_EQ(READ_ONCE(words[i * WORDS_PER_PAGE]), value + i);
		GUEST_ASSERT_EQ(READ_ONCE(words[(i + 1) * WORDS_PER_PAGE - 1]), ~(value + i));
	}
}

/* Go on at R11 until the whole range is mapped. */
static void guest_map_gpa(u64 gpa, u64 size)
{
	const u64 end = gpa + size;
	u64 status;

	do {
		status = __tdvmcall_map_gpa(gpa, end - gpa, &gpa);
	} while (status == TDVMCALL_STATUS_RETRY);

	GUEST_ASSERT_EQ(status, TDVMCALL_STATUS_SUCCESS);
}

static void guest_accept(u64 *words, u64 gpa, u64 nr_pages)
{
	u64 i, j;

	for (i = 0; i < nr_pages; i++) {
		tdx_guest_accept_page(gpa + i * SZ_4K);
		for (j = 0; j < WORDS_PER_PAGE; j++)
			GUEST_ASSERT_EQ(READ_ONCE(words[i * WORDS_PER_PAGE + j]), 0ul);
	}
}

static void guest_code(u64 *private, u64 *shared, u64 gpa, u64 nr_pages)
{
	guest_expect(private, nr_pages, INITIAL);
	GUEST_SYNC1(STEP_INITIAL);

	guest_map_gpa(SHARED | gpa, nr_pages * SZ_4K);
	fill(shared, nr_pages, FROM_TD);
	GUEST_SYNC1(STEP_SHARED);
	guest_expect(shared, nr_pages, FROM_HOST);
	GUEST_SYNC1(STEP_ANSWERED);

	guest_map_gpa(gpa, nr_pages * SZ_4K);
	guest_accept(private, gpa, nr_pages);
	fill(private, nr_pages, PRIVATE);
	guest_expect(private, nr_pages, PRIVATE);
	GUEST_SYNC1(STEP_PRIVATE);

	guest_map_gpa(SHARED | gpa, nr_pages * SZ_4K);
	guest_expect(shared, nr_pages, FROM_HOST);
	GUEST_SYNC1(STEP_SHARED_AGAIN);

	GUEST_DONE();
}

static void expect(const char *who, u64 *words, u64 nr_pages, u64 value)
{
	u64 i;

	for (i = 0; i < nr_pages; i++) {
		tdx_assert_value(who, "page", i, "first word", value + i,
				 READ_ONCE(words[i * WORDS_PER_PAGE]));
		tdx_assert_value(who, "page", i, "last word", ~(value + i),
				 READ_ONCE(words[(i + 1) * WORDS_PER_PAGE - 1]));
	}
}

/* The range that is converted, and the address of its shared memory in the host. */
struct range {
	u64 gpa;
	u64 nr_pages;
	u64 *host;
};

FIXTURE(map_gpa_convert)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct range range;
};

FIXTURE_VARIANT(map_gpa_convert)
{
	u64 offset;		/* of the range in the slot */
	u64 size;
	u64 slot_size;
	u64 nr_chunks;
};

FIXTURE_VARIANT_ADD(map_gpa_convert, page) {
	.offset = 0, .size = SZ_4K, .slot_size = SZ_4K, .nr_chunks = 1,
};

FIXTURE_VARIANT_ADD(map_gpa_convert, page_in_the_middle) {
	.offset = SZ_8K, .size = SZ_4K, .slot_size = SZ_16K, .nr_chunks = 1,
};

FIXTURE_VARIANT_ADD(map_gpa_convert, chunk_and_a_page) {
	.offset = 0, .size = SZ_2M + SZ_4K, .slot_size = SZ_2M + SZ_4K, .nr_chunks = 2,
};

/* A mapping of [gpa, gpa + size) in the TD's page tables. */
static gva_t map(struct kvm_vm *vm, u64 gpa, u64 size, bool shared)
{
	gva_t gva = vm_unused_gva_gap(vm, size, KVM_UTIL_MIN_VADDR);
	u64 i;

	virt_map(vm, gva, gpa, size / SZ_4K);
	for (i = 0; shared && i < size; i += SZ_4K)
		*vm_get_pte(vm, gva + i) |= SHARED;

	return gva;
}

FIXTURE_SETUP(map_gpa_convert)
{
	const u64 slot_pages = variant->slot_size / SZ_4K;

	self->range.gpa = TEST_GPA + variant->offset;
	self->range.nr_pages = variant->size / SZ_4K;

	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, guest_code);
	tdx_map_gpa_enable_exits(self->vm);

	vm_userspace_mem_region_add(self->vm, VM_MEM_SRC_ANONYMOUS, TEST_GPA, TEST_SLOT,
				    slot_pages, KVM_MEM_GUEST_MEMFD);
	vm_phy_pages_alloc(self->vm, slot_pages, TEST_GPA, TEST_SLOT);
	self->range.host = addr_gpa2hva(self->vm, self->range.gpa);
	fill(self->range.host, self->range.nr_pages, INITIAL);

	tdx_vcpu_args_set(self->vcpu, 4, map(self->vm, self->range.gpa, variant->size, false),
			  map(self->vm, self->range.gpa, variant->size, true), self->range.gpa,
			  self->range.nr_pages);
	tdx_vm_finalize(self->vm);
}

TDX_FIXTURE_TEARDOWN(map_gpa_convert);

static void convert(struct kvm_vm *vm, const struct kvm_run *run)
{
	const u64 size = run->hypercall.args[1] * SZ_4K;

	if (run->hypercall.args[2] & KVM_MAP_GPA_RANGE_ENCRYPTED)
		tdx_mem_set_private(vm, run->hypercall.args[0], size);
	else
		tdx_mem_set_shared(vm, run->hypercall.args[0], size);
}

static void run_to_step(struct kvm_vcpu *vcpu, enum step step)
{
	struct ucall uc;

	vcpu_run(vcpu);
	tdx_vcpu_get_sync(vcpu, "TD", &uc);
	tdx_assert_value("TD", "ucall", 0, "step", step, uc.args[0]);
}

/*
 * Convert the range, and run to @step.  If @refusal is not 0, it is the answer to each
 * chunk that is offered for the first time.
 */
static void convert_to_step(struct kvm_vcpu *vcpu, u64 gpa, u64 size, u64 refusal,
			    enum step step)
{
	struct tdx_map_gpa_call rest = { .name = "conversion", .gpa = gpa, .size = size };
	bool answered = false;

	while (rest.size) {
		tdx_map_gpa_poison_exit(vcpu, answered);
		vcpu_run(vcpu);
		tdx_map_gpa_check_exit(vcpu, &rest, 0);
		answered = true;

		if (refusal) {
			vcpu->run->hypercall.ret = refusal;
			vcpu_run(vcpu);
			tdx_map_gpa_check_exit(vcpu, &rest, 0);
		}

		convert(vcpu->vm, vcpu->run);
		rest.gpa += TDX_MAP_GPA_MAX_LEN;
		rest.size -= min_t(u64, rest.size, TDX_MAP_GPA_MAX_LEN);
	}

	run_to_step(vcpu, step);
}

static void test_conversions(struct kvm_vcpu *vcpu, const struct range *range,
			     u64 refusal)
{
	const u64 gpa = range->gpa, size = range->nr_pages * SZ_4K;

	run_to_step(vcpu, STEP_INITIAL);

	convert_to_step(vcpu, SHARED | gpa, size, refusal, STEP_SHARED);
	expect("shared memory", range->host, range->nr_pages, FROM_TD);
	fill(range->host, range->nr_pages, FROM_HOST);
	run_to_step(vcpu, STEP_ANSWERED);

	/* The TD's private values do not reach the host. */
	convert_to_step(vcpu, gpa, size, refusal, STEP_PRIVATE);
	expect("memory of the host", range->host, range->nr_pages, FROM_HOST);

	convert_to_step(vcpu, SHARED | gpa, size, refusal, STEP_SHARED_AGAIN);
}

TDX_TEST_F(map_gpa_convert, to_shared_and_back)
{
	if (tdx_leaks_page_tables())
		SKIP(return, TDX_LEAK_SKIP_REASON);
	test_conversions(self->vcpu, &self->range, 0);
}

TDX_TEST_F(map_gpa_convert, with_every_chunk_retried)
{
	if (tdx_map_gpa_skips(TDX_MAP_GPA_RETRY))
		SKIP(return, TDX_MAP_GPA_SKIP_REASON);
	if (tdx_leaks_page_tables())
		SKIP(return, TDX_LEAK_SKIP_REASON);
	test_conversions(self->vcpu, &self->range,
			 tdx_map_gpa_answer(tdx_map_gpa_gen(), TDX_MAP_GPA_RETRY));
}

/*
 * Userspace answers 0 and converts nothing.  KVM accepts that, and stops the TD when it
 * accesses memory that is not there.
 */
TDX_TEST_F(map_gpa_convert, promised_only)
{
	const struct tdx_map_gpa_call call = {
		.name = "promise",
		.gpa = SHARED | self->range.gpa,
		.size = variant->size,
		.nr_exits = variant->nr_chunks,
	};
	const struct kvm_run *run = self->vcpu->run;
	int r;

	run_to_step(self->vcpu, STEP_INITIAL);
	tdx_map_gpa_run_exits(self->vcpu, &call);

	r = __vcpu_run(self->vcpu);
	TEST_ASSERT(r == -1 && errno == EFAULT, "wanted KVM_RUN to fail with EFAULT, got %s",
		    r ? strerror(errno) : exit_reason_str(run->exit_reason));
	TEST_ASSERT_KVM_EXIT_REASON(self->vcpu, KVM_EXIT_MEMORY_FAULT);
	tdx_assert_value(call.name, "fault", 0, "flags", 0, run->memory_fault.flags);
	tdx_assert_value(call.name, "fault", 0, "GPA", self->range.gpa, run->memory_fault.gpa);
	tdx_assert_value(call.name, "fault", 0, "size", SZ_4K, run->memory_fault.size);
}

TDX_TEST_MAIN()
