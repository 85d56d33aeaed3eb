// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes of memory slots and of guest_memfd that KVM refuses, at each stage of a TD's
 * life: each row changes one thing of a good operand.  The slots stay as they are, the
 * TD finds the contents of its memory, and its hypercalls give the right registers.  An
 * ordinary VM gets the same answers, except where a TD has its own rules.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/sizes.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx.h"
#include "tdx/tdx_ioctl.h"
#include "tdx/tdx_pages.h"
#include "tdx/tdx_stage.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* A slot without guest_memfd. */
#define SHARED_GPA	0x1234a00000ULL
#define SHARED_SLOT	22
#define SHARED_SIZE	SZ_8K

/* A slot that does not exist.  It would have the half of the guest_memfd that is free. */
#define NEW_GPA		0x1234e00000ULL
#define NEW_SLOT	23
#define NEW_SIZE	SZ_8K

/* Operands that a row changes: those of the slots that exist, and a good one for the new one. */
enum base {
	PRIVATE,
	SHARED,
	NEW,
	NR_BASES,
};

/* Other files than the guest_memfd of the VM. */
enum file {
	OWN,
	OF_ANOTHER_VM,
	NO_GUEST_MEMFD,
	NR_FILES,
};

struct memory {
	struct kvm_vm *vm;
	struct kvm_vm *another;
	int files[NR_FILES];
	struct kvm_userspace_memory_region2 bases[NR_BASES];
};

struct change {
	const char *name;
	enum base base;
	int td;			/* errno */
	int plain;		/* TDX_UNTRIED if it depends on the CPU or changes the VM */
	/* What is added to the members, modulo 2^64. */
	u64 gpa;
	u64 size;
	u64 address;
	u64 offset;
	u32 set;		/* flags */
	u32 clear;
	bool no_size;		/* deletes the slot */
	bool v1;		/* KVM_SET_USER_MEMORY_REGION */
	enum file file;
};

#define GMEM		KVM_MEM_GUEST_MEMFD
#define LOG		KVM_MEM_LOG_DIRTY_PAGES
#define READONLY	KVM_MEM_READONLY

#define __CHANGE(_name, _base, _td, _plain, ...)			\
	{ .name = (_name), .base = (_base), .td = (_td), .plain = (_plain), __VA_ARGS__ }
#define OF_PRIVATE(_name, _error, ...)					\
	__CHANGE("private slot " _name, PRIVATE, _error, _error, __VA_ARGS__)
#define OF_SHARED(_name, _error, ...)					\
	__CHANGE("shared slot " _name, SHARED, _error, _error, __VA_ARGS__)
#define OF_NEW(_name, _error, ...)					\
	__CHANGE("new slot " _name, NEW, _error, _error, __VA_ARGS__)

static const struct change changes[] = {
	/* A slot with guest_memfd can only be deleted. */
	OF_PRIVATE("as it is", EINVAL),
	OF_PRIVATE("moved", EINVAL, .gpa = 2 * TDX_PAGES_SIZE),
	OF_PRIVATE("grown", EINVAL, .size = SZ_4K),
	OF_PRIVATE("shrunk", EINVAL, .size = -SZ_4K),
	OF_PRIVATE("with other shared memory", EINVAL, .address = SZ_4K),
	OF_PRIVATE("with another offset", EINVAL, .offset = SZ_4K),
	OF_PRIVATE("logged", EINVAL, .set = LOG),
	OF_PRIVATE("read-only", EINVAL, .set = READONLY),
	OF_PRIVATE("without guest_memfd", EINVAL, .clear = GMEM),
	OF_PRIVATE("logged, without guest_memfd", EINVAL, .set = LOG, .clear = GMEM),
	OF_PRIVATE("moved, without guest_memfd", EINVAL, .gpa = 2 * TDX_PAGES_SIZE, .clear = GMEM),
	OF_PRIVATE("by the older ioctl", EINVAL, .v1 = true),
	/* The rest of the operand is checked also where the slot is deleted. */
	OF_PRIVATE("deleted, logged", EINVAL, .no_size = true, .set = LOG),
	OF_PRIVATE("deleted, read-only", EINVAL, .no_size = true, .set = READONLY),
	OF_PRIVATE("deleted, unaligned GPA", EINVAL, .no_size = true, .gpa = 1),
	OF_PRIVATE("deleted, unaligned address", EINVAL, .no_size = true, .address = 1),
	OF_PRIVATE("deleted, unaligned offset", EINVAL, .no_size = true, .offset = 1),

	/* One without it can be moved, but not resized. */
	OF_SHARED("grown", EINVAL, .size = SZ_4K),
	OF_SHARED("shrunk", EINVAL, .size = -SZ_4K),
	OF_SHARED("with other memory", EINVAL, .address = SZ_4K),
	OF_SHARED("read-only", EINVAL, .set = READONLY),
	OF_SHARED("with guest_memfd", EINVAL, .set = GMEM, .offset = TDX_PAGES_SIZE),
	OF_SHARED("moved, unaligned", EINVAL, .gpa = SZ_4K / 2),
	OF_SHARED("moved, grown", EINVAL, .gpa = SZ_8K, .size = SZ_4K),
	OF_SHARED("moved into the private slot", EEXIST, .gpa = TDX_PAGES_GPA - SHARED_GPA),
	OF_SHARED("moved, logged, over its end", EEXIST, .set = LOG,
		  .gpa = TDX_PAGES_GPA + TDX_PAGES_SIZE - SZ_4K - SHARED_GPA),
	__CHANGE("shared slot moved to a shared GPA", SHARED, EINVAL, TDX_UNTRIED,
		 .gpa = TDX_SHARED_BIT),
	__CHANGE("shared slot moved up to the shared bit", SHARED, EINVAL, TDX_UNTRIED,
		 .gpa = TDX_SHARED_BIT - SZ_4K - SHARED_GPA),

	/* Slots do not overlap. */
	OF_NEW("over the start of the private one", EEXIST, .gpa = TDX_PAGES_GPA - SZ_4K - NEW_GPA),
	OF_NEW("over its end", EEXIST, .gpa = TDX_PAGES_GPA + TDX_PAGES_SIZE - SZ_4K - NEW_GPA),
	OF_NEW("in it", EEXIST, .gpa = TDX_PAGES_GPA + SZ_4K - NEW_GPA),
	OF_NEW("around it", EEXIST, .gpa = TDX_PAGES_GPA - SZ_4K - NEW_GPA, .size = TDX_PAGES_SIZE),
	OF_NEW("in it, without guest_memfd", EEXIST, .gpa = TDX_PAGES_GPA - NEW_GPA, .clear = GMEM),
	OF_NEW("over the shared one", EEXIST, .gpa = SHARED_GPA + SZ_4K - NEW_GPA),

	/* Nor do the parts of a guest_memfd that they have. */
	OF_NEW("with the start of the private one's file", EEXIST, .offset = -(u64)TDX_PAGES_SIZE),
	OF_NEW("with the end of its file", EEXIST, .offset = -(u64)SZ_8K),
	OF_NEW("with the last page of its file", EEXIST, .offset = -(u64)SZ_4K),
	OF_NEW("unaligned offset", EINVAL, .offset = 1),
	OF_NEW("over the end of the file", EINVAL, .offset = TDX_PAGES_SIZE - SZ_4K),
	OF_NEW("after the end of the file", EINVAL, .offset = TDX_PAGES_SIZE),
	OF_NEW("offset and size wrap", EINVAL, .offset = -(u64)TDX_PAGES_SIZE - SZ_4K),
	OF_NEW("with a file of another VM", EINVAL, .file = OF_ANOTHER_VM),
	OF_NEW("with a file that is no guest_memfd", EINVAL, .file = NO_GUEST_MEMFD),
	OF_NEW("unaligned address", EINVAL, .address = 1),
	OF_NEW("logged", EINVAL, .set = LOG),
	OF_NEW("read-only", EINVAL, .set = READONLY),
	OF_NEW("of no size", EINVAL, .no_size = true),
	__CHANGE("new slot read-only, without guest_memfd", NEW, EINVAL, TDX_UNTRIED,
		 .set = READONLY, .clear = GMEM),
};

static int errno_of(int r)
{
	return r < 0 ? errno : 0;
}

static int try_region(const struct memory *memory, const struct change *change)
{
	struct kvm_userspace_memory_region2 region = memory->bases[change->base];

	region.guest_phys_addr += change->gpa;
	region.memory_size = change->no_size ? 0 : region.memory_size + change->size;
	region.userspace_addr += change->address;
	region.guest_memfd_offset += change->offset;
	region.flags = (region.flags | change->set) & ~change->clear;
	region.guest_memfd = memory->files[change->file];

	/* The two structs begin alike. */
	return errno_of(ioctl(memory->vm->fd, change->v1 ? KVM_SET_USER_MEMORY_REGION :
						KVM_SET_USER_MEMORY_REGION2, &region));
}

/* What a guest_memfd cannot do.  The TD has the first half of it. */
static int map(int fd, int flags)
{
	void *place = mmap(NULL, SZ_4K, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (place == MAP_FAILED)
		return errno;
	munmap(place, SZ_4K);
	return 0;
}

static char buffer[SZ_4K];

static const struct {
	const char *name;
	int error;
	int mode;		/* of fallocate() */
	off_t offset;
	off_t size;
} fallocations[] = {
	{ "allocation that may resize it", EOPNOTSUPP, 0, 0, SZ_4K },
	{ "hole that may resize it", EOPNOTSUPP, FALLOC_FL_PUNCH_HOLE, 0, SZ_4K },
	{ "range of zeros", EOPNOTSUPP, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0, SZ_4K },
	{ "range cut out", EOPNOTSUPP, FALLOC_FL_COLLAPSE_RANGE, 0, SZ_4K },
	{ "hole at an unaligned offset", EINVAL, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	  SZ_4K / 2, SZ_4K },
	{ "hole of an unaligned size", EINVAL, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
	  SZ_4K - 1 },
	{ "hole of no size", EINVAL, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 0 },
	{ "allocation over the end", EINVAL, FALLOC_FL_KEEP_SIZE, 2 * TDX_PAGES_SIZE - SZ_4K,
	  SZ_8K },
	/* These are good, and change nothing. */
	{ "hole after the end", 0, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	  2 * TDX_PAGES_SIZE, TDX_PAGES_SIZE },
	{ "hole in the other half", 0, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	  TDX_PAGES_SIZE, TDX_PAGES_SIZE },
	{ "allocation of what is there", 0, FALLOC_FL_KEEP_SIZE, 0, SZ_4K },
};

static void compare(const char *name, int want, int got)
{
	TEST_ASSERT(want == got, "%s: wanted %s, got %s", name, want ? strerror(want) : "success",
		    got ? strerror(got) : "success");
}

static void try_file(int fd)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fallocations); i++)
		compare(fallocations[i].name, fallocations[i].error,
			errno_of(fallocate(fd, fallocations[i].mode, fallocations[i].offset,
					   fallocations[i].size)));
	compare("truncated", EINVAL, errno_of(ftruncate(fd, TDX_PAGES_SIZE)));
	compare("grown", EINVAL, errno_of(ftruncate(fd, 4 * TDX_PAGES_SIZE)));
	compare("mapped as shared", ENODEV, map(fd, MAP_SHARED));
	compare("mapped as private", ENODEV, map(fd, MAP_PRIVATE));
	compare("read", EINVAL, errno_of(read(fd, buffer, sizeof(buffer))));
	compare("written", EINVAL, errno_of(write(fd, buffer, sizeof(buffer))));
}

/* Each refusal has one reason: without its change the operand of the new slot is good. */
static void check_new_is_good(const struct memory *memory)
{
	struct kvm_userspace_memory_region2 region = memory->bases[NEW];

	vm_ioctl(memory->vm, KVM_SET_USER_MEMORY_REGION2, &region);
	region.memory_size = 0;
	vm_ioctl(memory->vm, KVM_SET_USER_MEMORY_REGION2, &region);
}

static void try_all(const struct memory *memory, bool is_td)
{
	const struct change *change;
	int want;

	check_new_is_good(memory);
	for (change = changes; change < changes + ARRAY_SIZE(changes); change++) {
		want = is_td ? change->td : change->plain;
		if (want != TDX_UNTRIED)
			compare(change->name, want, try_region(memory, change));
	}
	/* No refusal has left a part of it. */
	check_new_is_good(memory);
	try_file(memory->files[OWN]);
}

static void add_memory(struct memory *memory, struct kvm_vm *vm)
{
	const int memfd = tdx_pages_add(vm);
	struct kvm_userspace_memory_region2 *bases = memory->bases;

	memory->vm = vm;
	memory->another = vm_create_barebones();
	memory->files[OWN] = memfd;
	memory->files[OF_ANOTHER_VM] = vm_create_guest_memfd(memory->another,
							     2 * TDX_PAGES_SIZE, 0);
	memory->files[NO_GUEST_MEMFD] = memfd_create("tdx", 0);
	TEST_ASSERT(memory->files[NO_GUEST_MEMFD] >= 0, "memfd_create(): %m");

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, SHARED_GPA, SHARED_SLOT,
				    SHARED_SIZE / SZ_4K, 0);

	bases[PRIVATE] = memslot2region(vm, TDX_PAGES_SLOT)->region;
	bases[SHARED] = memslot2region(vm, SHARED_SLOT)->region;
	bases[NEW] = (struct kvm_userspace_memory_region2) {
		.slot = NEW_SLOT, .flags = GMEM, .guest_phys_addr = NEW_GPA,
		.memory_size = NEW_SIZE, .userspace_addr = bases[SHARED].userspace_addr,
		.guest_memfd = memfd, .guest_memfd_offset = TDX_PAGES_SIZE,
	};
}

/* The slots are there, and can be deleted. */
static void remove_memory(struct memory *memory)
{
	size_t i;

	vm_mem_region_delete(memory->vm, TDX_PAGES_SLOT);
	vm_mem_region_delete(memory->vm, SHARED_SLOT);
	for (i = 0; i < NR_FILES; i++)
		kvm_close(memory->files[i]);
	kvm_vm_free(memory->another);
}

FIXTURE(stage)
{
	struct tdx_td td;
	struct memory memory;
};

FIXTURE_VARIANT(stage)
{
	enum tdx_stage stage;
};

FIXTURE_VARIANT_ADD(stage, created)		{ .stage = TDX_STAGE_CREATED };
FIXTURE_VARIANT_ADD(stage, initialized)		{ .stage = TDX_STAGE_INITIALIZED };
FIXTURE_VARIANT_ADD(stage, vcpu_initialized)	{ .stage = TDX_STAGE_VCPU_INITIALIZED };
FIXTURE_VARIANT_ADD(stage, memory_added)	{ .stage = TDX_STAGE_MEMORY_ADDED };
FIXTURE_VARIANT_ADD(stage, finalized)		{ .stage = TDX_STAGE_FINALIZED };
FIXTURE_VARIANT_ADD(stage, entered)		{ .stage = TDX_STAGE_ENTERED };
FIXTURE_VARIANT_ADD(stage, in_hypercall)	{ .stage = TDX_STAGE_IN_HYPERCALL };
FIXTURE_VARIANT_ADD(stage, shut_down)		{ .stage = TDX_STAGE_SHUTDOWN };

FIXTURE_SETUP(stage)
{
	struct tdx_td *td = &self->td;

	const bool ended = variant->stage > TDX_STAGE_IN_HYPERCALL;

	td->code = tdx_pages_guest_fetch_loop;
	tdx_td_build(td, ended ? variant->stage : TDX_STAGE_CREATED);
	add_memory(&self->memory, td->vm);
	if (!ended)
		tdx_td_build(td, variant->stage);
}

FIXTURE_TEARDOWN(stage)
{
	kvm_vm_free(self->td.vm);
}

/* Two hypercalls: before the second one the TD looks at its memory, wherever it was. */
TDX_TEST_F(stage, refused)
{
	try_all(&self->memory, true);
	tdx_td_finish(&self->td);
	tdx_td_finish(&self->td);
	remove_memory(&self->memory);
}

static void guest_code(void)
{
}

TEST(plain)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_with_one_vcpu(&vcpu, guest_code);
	struct memory memory = {};

	add_memory(&memory, vm);
	try_all(&memory, false);
	remove_memory(&memory);
	kvm_vm_free(vm);
}

TDX_TEST_MAIN()
