// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kinds of memory that KVM_TDX_INIT_MEM_REGION copies from: KVM reads each that the
 * process can read, and no other one.  The TD finds what was in it.  A page at which KVM
 * fails is not added, and can be added from another source.  Then what another thread
 * does to the source while KVM waits for it.
 */
#include <linux/sizes.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_mem.h"
#include "tdx/tdx_pages.h"
#include "tdx/tdx_stage.h"
#include "tdx/tdx_stop.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_thread.h"
#include "tdx/tdx_util.h"

/* Below the 39 bits of GPA that every CPU with EPT supports. */
#define TEST_GPA	0x1234600000ULL
#define TEST_SLOT	21

/* Each source is two pages, and the second one may be bad. */
#define NR_PAGES	2
#define SIZE		(NR_PAGES * SZ_4K)

/* Milliseconds in which even an emulated CPU gets to a stop, or to the end of an ioctl. */
#define PATIENCE_MS	20000

/* What the source has where it has something: no page of the TD has it yet. */
static u64 value(unsigned int page)
{
	return 0x50c0e0000c0ffee0ULL + page;
}

struct source {
	u64 *words;
	u64 want[NR_PAGES];	/* first words of the pages that the TD gets */
};

static void fill(struct source *source)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++) {
		source->want[i] = value(i);
		source->words[i * SZ_4K / sizeof(u64)] = value(i);
	}
}

static void *map(size_t size, int prot, int flags, int fd)
{
	void *place = mmap(NULL, size, prot, flags, fd, 0);

	TEST_ASSERT(place != MAP_FAILED, "mmap(): %m");
	return place;
}

static void map_anonymous(struct source *source)
{
	source->words = map(SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void *page(const struct source *source, unsigned int i)
{
	return (void *)source->words + i * SZ_4K;
}

static void protect(struct source *source, unsigned int i, int prot)
{
	TEST_ASSERT_EQ(mprotect(page(source, i), (NR_PAGES - i) * SZ_4K, prot), 0);
}

/* Makers of sources. */
typedef void source_fn(struct source *source, struct kvm_vm *vm);

static void written(struct source *source, struct kvm_vm *vm)
{
	map_anonymous(source);
	fill(source);
}

static void never_written(struct source *source, struct kvm_vm *vm)
{
	map_anonymous(source);
}

static void never_writable(struct source *source, struct kvm_vm *vm)
{
	source->words = map(SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void read_only(struct source *source, struct kvm_vm *vm)
{
	written(source, vm);
	protect(source, 0, PROT_READ);
}

static void not_accessible(struct source *source, struct kvm_vm *vm)
{
	written(source, vm);
	protect(source, 0, PROT_NONE);
}

static void half_accessible(struct source *source, struct kvm_vm *vm)
{
	written(source, vm);
	protect(source, 1, PROT_NONE);
}

/* A file of @size bytes, with the contents of as many pages as fit. */
static void map_file(struct source *source, off_t size, bool has_content, int prot, int flags)
{
	const int fd = memfd_create("source", 0);
	struct source writable = {};
	unsigned int i;

	TEST_ASSERT(fd >= 0 && !ftruncate(fd, SIZE), "memfd_create(): %m");
	if (has_content) {
		writable.words = map(SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
		fill(&writable);
		for (i = 0; i < NR_PAGES; i++)
			source->want[i] = writable.want[i];
		munmap(writable.words, SIZE);
	}
	TEST_ASSERT(!ftruncate(fd, size), "ftruncate(): %m");
	source->words = map(SIZE, prot, flags, fd);
	close(fd);
}

static void shared_file(struct source *source, struct kvm_vm *vm)
{
	map_file(source, SIZE, true, PROT_READ | PROT_WRITE, MAP_SHARED);
}

static void private_file(struct source *source, struct kvm_vm *vm)
{
	map_file(source, SIZE, true, PROT_READ | PROT_WRITE, MAP_PRIVATE);
}

/* The process has copied the first page, so that it differs from the file's. */
static void copied_file(struct source *source, struct kvm_vm *vm)
{
	private_file(source, vm);
	source->want[0] = ~value(0);
	source->words[0] = ~value(0);
}

static void hole_of_file(struct source *source, struct kvm_vm *vm)
{
	map_file(source, SIZE, false, PROT_READ, MAP_SHARED);
}

static void end_of_file(struct source *source, struct kvm_vm *vm)
{
	map_file(source, SZ_4K, true, PROT_READ, MAP_SHARED);
}

/* Pages within a large page, if the host has one. */
static void large_page(struct source *source, struct kvm_vm *vm)
{
	void *place = map(2 * SZ_2M, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	place = (void *)(((u64)place + SZ_2M - 1) & ~(SZ_2M - 1ULL));
	madvise(place, SZ_2M, MADV_HUGEPAGE);
	WRITE_ONCE(*(u64 *)place, 1);
	source->words = place + SZ_2M - SIZE;
	fill(source);
}

struct copy {
	source_fn *make;
	unsigned int done;	/* pages that are added */
	int error;		/* errno */
};

struct region {
	struct kvm_vcpu *vcpu;
	struct kvm_tdx_init_mem_region region;
};

static struct region make_region(const struct tdx_td *td, const void *source, unsigned int done)
{
	return (struct region) {
		.vcpu = td->vcpu,
		.region = {
			.source_addr = (u64)source + done * SZ_4K,
			.gpa = TEST_GPA + done * SZ_4K,
			.nr_pages = NR_PAGES - done,
		},
	};
}

/* Returns errno. */
static int add(void *arg)
{
	struct region *region = arg;
	u64 hw_error;

	return __tdx_vcpu_ioctl(region->vcpu, KVM_TDX_INIT_MEM_REGION, 0, &region->region,
				&hw_error) ? errno : 0;
}

/* A TD to which the pages of the test can be added. */
static void create(struct tdx_td *td)
{
	tdx_td_build(td, TDX_STAGE_CREATED);
	td->code = tdx_pages_guest_look;
	vm_userspace_mem_region_add(td->vm, VM_MEM_SRC_ANONYMOUS, TEST_GPA, TEST_SLOT, NR_PAGES,
				    KVM_MEM_GUEST_MEMFD);
	virt_map(td->vm, TEST_GPA, TEST_GPA, NR_PAGES);
	tdx_mem_set_private(td->vm, TEST_GPA, SIZE);
	tdx_td_build(td, TDX_STAGE_VCPU_INITIALIZED);
}

/*
 * KVM has added @done pages.  Add the others from a good source, and let the TD look at
 * all of them.
 */
static void check(struct tdx_td *td, struct source *source, unsigned int done,
		  const struct region *region)
{
	const struct region want = make_region(td, source->words, done);
	struct source good = {};
	struct region rest;
	unsigned int i;

	tdx_assert_value("region", "pages done", done, "source_addr", want.region.source_addr,
			 region->region.source_addr);
	tdx_assert_value("region", "pages done", done, "gpa", want.region.gpa, region->region.gpa);
	tdx_assert_value("region", "pages done", done, "nr_pages", want.region.nr_pages,
			 region->region.nr_pages);

	written(&good, td->vm);
	rest = make_region(td, good.words, done);
	if (done < NR_PAGES)
		TEST_ASSERT_EQ(add(&rest), 0);

	tdx_td_build(td, TDX_STAGE_FINALIZED);
	for (i = 0; i < NR_PAGES; i++)
		tdx_assert_value("memory of the TD", "page", i, "first word",
				 i < done ? source->want[i] : good.want[i],
				 tdx_pages_look(td->vcpu, TEST_GPA + i * SZ_4K, false));
}

FIXTURE(memory_source)
{
	struct tdx_td td;
	struct source source;
};

FIXTURE_VARIANT(memory_source)
{
	struct copy copy;
};

#define SOURCE(_name, _done, _error)					\
	FIXTURE_VARIANT_ADD(memory_source, _name) {			\
		.copy = { _name, _done, _error },			\
	}

SOURCE(written, 2, 0);
SOURCE(never_written, 2, 0);
SOURCE(never_writable, 2, 0);
SOURCE(read_only, 2, 0);
SOURCE(not_accessible, 0, EFAULT);
SOURCE(half_accessible, 1, EFAULT);
SOURCE(shared_file, 2, 0);
SOURCE(private_file, 2, 0);
SOURCE(copied_file, 2, 0);
SOURCE(hole_of_file, 2, 0);
SOURCE(end_of_file, 1, EFAULT);
SOURCE(large_page, 2, 0);

FIXTURE_SETUP(memory_source)
{
	create(&self->td);
}

FIXTURE_TEARDOWN(memory_source)
{
	kvm_vm_free(self->td.vm);
}

TDX_TEST_F(memory_source, copied)
{
	const struct copy *copy = &variant->copy;
	struct source *source = &self->source;
	struct region region;
	int error;

	copy->make(source, self->td.vm);
	region = make_region(&self->td, source->words, 0);
	error = add(&region);
	TEST_ASSERT(error == copy->error, "wanted %s, got %s", strerror(copy->error),
		    strerror(error));
	check(&self->td, source, copy->done, &region);
}

/* What happens to the second page while KVM waits for it. */
typedef void meanwhile_fn(struct tdx_stop *stop, struct source *source);

static void filled(struct tdx_stop *stop, struct source *source)
{
	tdx_stop_release(stop);
}

static void unmapped(struct tdx_stop *stop, struct source *source)
{
	munmap(page(source, 1), SZ_4K);
	tdx_stop_wake(stop);
}

static void protected(struct tdx_stop *stop, struct source *source)
{
	protect(source, 1, PROT_NONE);
	tdx_stop_wake(stop);
}

static void replaced(struct tdx_stop *stop, struct source *source)
{
	u64 *place = mmap(page(source, 1), SZ_4K, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	TEST_ASSERT_EQ((u64)place, (u64)page(source, 1));
	source->want[1] = ~value(1);
	*place = ~value(1);
	tdx_stop_wake(stop);
}

struct meanwhile {
	meanwhile_fn *fn;
	unsigned int done;
	int error;
};

FIXTURE(source_changes)
{
	struct tdx_td td;
	struct source source;
	struct tdx_stop stop;
	struct tdx_thread thread;
	struct region region;
};

FIXTURE_VARIANT(source_changes)
{
	struct meanwhile meanwhile;
};

#define MEANWHILE(_name, _done, _error)					\
	FIXTURE_VARIANT_ADD(source_changes, _name) {			\
		.meanwhile = { _name, _done, _error },			\
	}

MEANWHILE(filled, 2, 0);
MEANWHILE(unmapped, 1, EFAULT);
MEANWHILE(protected, 1, EFAULT);
MEANWHILE(replaced, 2, 0);

FIXTURE_SETUP(source_changes)
{
	if (!tdx_stop_supported())
		SKIP(return, TDX_STOP_SKIP_REASON);
	tdx_stop_open(&self->stop);
	create(&self->td);
}

FIXTURE_TEARDOWN(source_changes)
{
	kvm_vm_free(self->td.vm);
	tdx_stop_close(&self->stop);
}

TDX_TEST_F(source_changes, copied)
{
	const struct meanwhile *meanwhile = &variant->meanwhile;
	struct source *source = &self->source;
	int error;

	source->words = self->stop.pages;
	fill(source);
	self->region = make_region(&self->td, source->words, 0);
	tdx_stop_arm(&self->stop, 1, TDX_STOP_READ);
	tdx_thread_start(&self->thread, add, &self->region);
	TEST_ASSERT(tdx_stop_wait(&self->stop, PATIENCE_MS), "KVM does not read the page");

	meanwhile->fn(&self->stop, source);
	TEST_ASSERT(tdx_thread_done(&self->thread, PATIENCE_MS), "the command does not end");
	error = tdx_thread_join(&self->thread);
	TEST_ASSERT(error == meanwhile->error, "wanted %s, got %s", strerror(meanwhile->error),
		    strerror(error));
	check(&self->td, source, meanwhile->done, &self->region);
}

TDX_TEST_MAIN()
