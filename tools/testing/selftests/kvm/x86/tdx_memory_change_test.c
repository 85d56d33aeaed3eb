// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes of a TD's memory that KVM carries out: of its slots, of the guest_memfd and of
 * the attributes, before the TD is finalized, after it has run, and while it runs.  The
 * TD then keeps exactly the pages that the change leaves alone.  Others are new pages,
 * which it has to accept, or no memory at all, which KVM reports to userspace.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/sizes.h>
#include <sys/mman.h>

#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_mem.h"
#include "tdx/tdx_pages.h"
#include "tdx/tdx_stage.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_thread.h"
#include "tdx/tdx_util.h"

/* A slot without guest_memfd, and one for the free half of the guest_memfd. */
#define SHARED_GPA	0x1234a00000ULL
#define SHARED_SLOT	22
#define SHARED_SIZE	SZ_8K
#define SECOND_GPA	0x1234e00000ULL
#define SECOND_SLOT	23

#define SIZE		TDX_PAGES_SIZE

/* Milliseconds in which even an emulated CPU gets to the end of KVM_RUN. */
#define PATIENCE_MS	20000

struct memory {
	struct tdx_td td;
	int memfd;
};

static void create(struct memory *memory, void *guest_code)
{
	struct tdx_td *td = &memory->td;

	tdx_td_build(td, TDX_STAGE_CREATED);
	td->code = guest_code;
	memory->memfd = tdx_pages_add(td->vm);
	vm_userspace_mem_region_add(td->vm, VM_MEM_SRC_ANONYMOUS, SHARED_GPA, SHARED_SLOT,
				    SHARED_SIZE / SZ_4K, 0);
}

static void destroy(struct memory *memory)
{
	if (memory->memfd >= 0)
		kvm_close(memory->memfd);
	kvm_vm_free(memory->td.vm);
}

/* Changes.  Those with a range take what the row says, from the start of the slot. */
typedef void change_fn(struct memory *memory, u64 start, u64 size);

static void punch(struct memory *memory, u64 start, u64 size)
{
	TEST_ASSERT(!fallocate(memory->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start,
			       size), "fallocate(): %m");
}

static void allocate(struct memory *memory, u64 start, u64 size)
{
	TEST_ASSERT(!fallocate(memory->memfd, FALLOC_FL_KEEP_SIZE, start, size),
		    "fallocate(): %m");
}

static void make_shared(struct memory *memory, u64 start, u64 size)
{
	tdx_mem_set_shared(memory->td.vm, TDX_PAGES_GPA + start, size);
}

static void make_private(struct memory *memory, u64 start, u64 size)
{
	tdx_mem_set_private(memory->td.vm, TDX_PAGES_GPA + start, size);
}

static void make_shared_and_private(struct memory *memory, u64 start, u64 size)
{
	make_shared(memory, start, size);
	make_private(memory, start, size);
}

static void set_slot(struct memory *memory, u32 slot, u32 flags, gpa_t gpa, u64 size, u64 offset)
{
	struct kvm_vm *vm = memory->td.vm;

	vm_set_user_memory_region2(vm, slot, flags, gpa, size, addr_gpa2hva(vm, SHARED_GPA),
				   memory->memfd, offset);
}

static void delete(struct memory *memory, u64 start, u64 size)
{
	set_slot(memory, TDX_PAGES_SLOT, 0, TDX_PAGES_GPA, 0, 0);
}

/* @start is the offset in the guest_memfd. */
static void delete_and_add(struct memory *memory, u64 start, u64 size)
{
	delete(memory, 0, 0);
	set_slot(memory, TDX_PAGES_SLOT, KVM_MEM_GUEST_MEMFD, TDX_PAGES_GPA, size, start);
}

/* The last reference to the file.  A slot without it stays. */
static void close_file(struct memory *memory, u64 start, u64 size)
{
	struct userspace_mem_region *slot = memslot2region(memory->td.vm, TDX_PAGES_SLOT);

	kvm_close(memory->memfd);
	memory->memfd = -1;
	kvm_close(slot->region.guest_memfd);
	slot->region.guest_memfd = -1;
}

static void add_and_delete_second(struct memory *memory, u64 start, u64 size)
{
	set_slot(memory, SECOND_SLOT, KVM_MEM_GUEST_MEMFD, SECOND_GPA, size, start);
	set_slot(memory, SECOND_SLOT, 0, SECOND_GPA, 0, 0);
}

static void move_shared(struct memory *memory, u64 start, u64 size)
{
	set_slot(memory, SHARED_SLOT, 0, SECOND_GPA, SHARED_SIZE, 0);
}

static void delete_shared(struct memory *memory, u64 start, u64 size)
{
	set_slot(memory, SHARED_SLOT, 0, SHARED_GPA, 0, 0);
}

static int get_log(struct memory *memory, u32 slot, u64 *bitmap)
{
	struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = bitmap };

	return __vm_ioctl(memory->td.vm, KVM_GET_DIRTY_LOG, &log) ? errno : 0;
}

/* A log of shared memory, which the TD does not write.  Private memory has none. */
static void log_shared(struct memory *memory, u64 start, u64 size)
{
	u64 bitmap = ~0ull;

	set_slot(memory, SHARED_SLOT, KVM_MEM_LOG_DIRTY_PAGES, SHARED_GPA, SHARED_SIZE, 0);
	TEST_ASSERT_EQ(get_log(memory, SHARED_SLOT, &bitmap), 0);
	TEST_ASSERT_EQ(bitmap, 0ul);
	TEST_ASSERT_EQ(get_log(memory, TDX_PAGES_SLOT, &bitmap), ENOENT);
	set_slot(memory, SHARED_SLOT, 0, SHARED_GPA, SHARED_SIZE, 0);
	TEST_ASSERT_EQ(get_log(memory, SHARED_SLOT, &bitmap), ENOENT);
}

struct change {
	change_fn *fn;
	u64 start;
	u64 size;
	/* For each page: k: it is kept, n: it is a new one, -: there is none. */
	const char *pages;
};

FIXTURE(memory_change)
{
	struct memory memory;
};

FIXTURE_VARIANT(memory_change)
{
	struct change change;
};

#define CHANGE(_name, _fn, _start, _size, _pages)			\
	FIXTURE_VARIANT_ADD(memory_change, _name) {			\
		.change = { _fn, _start, _size, _pages },		\
	}

CHANGE(hole, punch, 0, SIZE, "nnnn");
CHANGE(hole_of_first_page, punch, 0, SZ_4K, "nkkk");
CHANGE(hole_of_page, punch, SZ_4K, SZ_4K, "knkk");
CHANGE(hole_of_part, punch, SZ_4K, SIZE - SZ_8K, "knnk");
CHANGE(hole_over_end_of_slot, punch, SIZE - SZ_4K, SZ_8K, "kkkn");
CHANGE(hole_of_other_half, punch, SIZE, SIZE, "kkkk");
CHANGE(allocation, allocate, 0, SZ_16K, "kkkk");

CHANGE(deleted, delete, 0, 0, "----");
CHANGE(added_again, delete_and_add, 0, SIZE, "nnnn");
CHANGE(added_with_other_half, delete_and_add, SIZE, SIZE, "nnnn");
CHANGE(added_smaller, delete_and_add, 0, SZ_8K, "nn--");
CHANGE(closed, close_file, 0, 0, "----");

CHANGE(shared, make_shared, 0, SIZE, "----");
CHANGE(shared_page, make_shared, SZ_4K, SZ_4K, "k-kk");
CHANGE(shared_last_page, make_shared, SIZE - SZ_4K, SZ_4K, "kkk-");
CHANGE(shared_and_private, make_shared_and_private, 0, SIZE, "nnnn");
CHANGE(shared_and_private_page, make_shared_and_private, SZ_4K, SZ_4K, "knkk");
CHANGE(still_private, make_private, 0, SIZE, "kkkk");

CHANGE(second_slot_deleted, add_and_delete_second, SIZE, SIZE, "kkkk");
CHANGE(shared_slot_moved, move_shared, 0, 0, "kkkk");
CHANGE(shared_slot_deleted, delete_shared, 0, 0, "kkkk");
CHANGE(shared_slot_logged, log_shared, 0, 0, "kkkk");

FIXTURE_SETUP(memory_change)
{
	create(&self->memory, tdx_pages_guest_look);
}

FIXTURE_TEARDOWN(memory_change)
{
	destroy(&self->memory);
}

/*
 * The TD looks at each page.  It cannot go on from one that does not exist: of these it
 * looks at the last one only, and last.
 */
static void check_pages(struct kvm_vcpu *vcpu, const char *pages)
{
	const char *none = strrchr(pages, '-');
	unsigned int i;

	for (i = 0; i < TDX_NR_PAGES; i++) {
		if (pages[i] == '-')
			continue;
		tdx_assert_value(pages, "page", i, "first word",
				 pages[i] == 'k' ? tdx_pages_value(i) : 0,
				 tdx_pages_look(vcpu, tdx_pages_gpa(i), pages[i] == 'n'));
	}

	if (none)
		tdx_pages_look_fault(vcpu, tdx_pages_gpa(none - pages));
}

TDX_TEST_F(memory_change, after_run)
{
	const struct change *change = &variant->change;
	struct tdx_td *td = &self->memory.td;

	tdx_td_build(td, TDX_STAGE_FINALIZED);
	check_pages(td->vcpu, "kkkk");
	change->fn(&self->memory, change->start, change->size);
	check_pages(td->vcpu, change->pages);
}

/*
 * Changes before the TD is finalized, which take away what was added.  What is there
 * already cannot be added again.
 */
static const struct change early_changes[] = {
	{ punch, 0, SIZE, "nnnn" },
	{ punch, SZ_4K, SZ_4K, "knkk" },
	{ punch, SZ_4K, SIZE - SZ_8K, "knnk" },
	{ punch, SIZE, SIZE, "kkkk" },
	{ make_shared_and_private, SIZE - SZ_4K, SZ_4K, "kkkn" },
	{ make_private, 0, SIZE, "kkkk" },
	{ add_and_delete_second, SIZE, SIZE, "kkkk" },
	{ delete_and_add, SIZE, SIZE, "nnnn" },
	/* The last one is not added again, and the TD has to do without. */
	{ make_shared, SIZE - SZ_4K, SZ_4K, "kkk-" },
};

static int add_page(struct tdx_td *td, gpa_t gpa)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)addr_gpa2hva(td->vm, gpa), .gpa = gpa, .nr_pages = 1,
	};
	u64 hw_error;

	return __tdx_vcpu_ioctl(td->vcpu, KVM_TDX_INIT_MEM_REGION, 0, &region, &hw_error) ?
		errno : 0;
}

TEST(before_finalize)
{
	const struct change *change = early_changes;
	struct memory memory = {};
	struct tdx_td *td = &memory.td;
	unsigned int i, j;
	int want;

	create(&memory, tdx_pages_guest_look);
	tdx_td_build(td, TDX_STAGE_MEMORY_ADDED);
	for (i = 0; i < ARRAY_SIZE(early_changes); i++, change++) {
		change->fn(&memory, change->start, change->size);
		for (j = 0; j < TDX_NR_PAGES; j++) {
			want = change->pages[j] == 'n' ? 0 : change->pages[j] == 'k' ? EIO : EINVAL;
			tdx_assert_value(change->pages, "change", i, "errno of a page", want,
					 add_page(td, tdx_pages_gpa(j)));
		}
	}

	tdx_td_build(td, TDX_STAGE_FINALIZED);
	check_pages(td->vcpu, change[-1].pages);
	destroy(&memory);
}

static bool guest_has_nmi;

static void guest_nmi(struct ex_regs *regs)
{
	WRITE_ONCE(guest_has_nmi, true);
}

/* Reads the first page again and again, without an exit to userspace, until an NMI comes. */
static void guest_reads(void)
{
	GUEST_SYNC1(0);
	while (!READ_ONCE(guest_has_nmi))
		GUEST_ASSERT_EQ(READ_ONCE(*(u64 *)tdx_pages_gpa(0)), tdx_pages_value(0));
	GUEST_DONE();
}

struct run {
	struct kvm_vcpu *vcpu;
	int error;
};

static int run_vcpu(void *arg)
{
	struct run *run = arg;
	int r = __vcpu_run(run->vcpu);

	run->error = errno;
	return r;
}

FIXTURE(running)
{
	struct memory memory;
	struct tdx_thread thread;
	struct run run;
};

FIXTURE_VARIANT(running)
{
	struct change change;
};

#define RUNNING(_name, _fn, _start, _size, _pages)			\
	FIXTURE_VARIANT_ADD(running, _name) {				\
		.change = { _fn, _start, _size, _pages },		\
	}

/* Of the page that the TD reads. */
RUNNING(deleted, delete, 0, 0, "----");
RUNNING(closed, close_file, 0, 0, "----");
RUNNING(shared, make_shared, 0, SIZE, "----");
RUNNING(shared_page, make_shared, 0, SZ_4K, "-kkk");
/* Of others, and of what it does not have. */
RUNNING(hole_after_it, punch, SZ_4K, SIZE, "knnn");
RUNNING(all_others_shared, make_shared, SZ_4K, SIZE - SZ_4K, "k---");
RUNNING(shared_slot_moved, move_shared, 0, 0, "kkkk");

FIXTURE_SETUP(running)
{
	create(&self->memory, guest_reads);
}

FIXTURE_TEARDOWN(running)
{
	destroy(&self->memory);
}

TDX_TEST_F(running, vcpu)
{
	const struct change *change = &variant->change;
	struct tdx_td *td = &self->memory.td;
	struct ucall uc;
	int r;

	tdx_td_build(td, TDX_STAGE_VCPU_INITIALIZED);
	vm_install_exception_handler(td->vm, NMI_VECTOR, guest_nmi);
	tdx_td_build(td, TDX_STAGE_FINALIZED);
	tdx_vcpu_run_to_ucall(td->vcpu, UCALL_SYNC, &uc);

	self->run.vcpu = td->vcpu;
	tdx_thread_start(&self->thread, run_vcpu, &self->run);
	change->fn(&self->memory, change->start, change->size);
	if (change->pages[0] == 'k')
		tdx_vcpu_signal_msi(td->vcpu, APIC_DM_NMI);

	TEST_ASSERT(tdx_thread_done(&self->thread, PATIENCE_MS), "KVM_RUN does not end");
	r = tdx_thread_join(&self->thread);
	if (change->pages[0] == 'k') {
		TEST_ASSERT(!r, "wanted KVM_RUN to succeed, got %s", strerror(self->run.error));
		TEST_ASSERT_EQ(get_ucall(td->vcpu, &uc), UCALL_DONE);
	} else {
		tdx_check_memory_fault(td->vcpu, r, self->run.error, 0, tdx_pages_gpa(0),
				       KVM_MEMORY_EXIT_FLAG_PRIVATE);
	}
}

TDX_TEST_MAIN()
