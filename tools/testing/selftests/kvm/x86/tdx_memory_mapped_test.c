// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest_memfd that userspace can map.  What it has for a TD is private, so that the
 * process cannot access its mapping.  But KVM takes also the shared memory of its slot
 * from it.  When a page leaves the file no guest may have it any more.
 */
#include <linux/sizes.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_kvm.h"
#include "tdx/tdx_mem.h"
#include "tdx/tdx_pages.h"
#include "tdx/tdx_stage.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* Below the 39 bits of GPA that every CPU with EPT supports. */
#define TEST_GPA	0x1234600000ULL
#define TEST_SLOT	21

#define GUEST_VALUE	0x7d7d7d7d7d7d7d7dULL

/* The bug for which tdx_leaks_page_tables() makes cases skip themselves. */
#define LEAK_FINDING	2

/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define NO_MMAP_REASON	"KVM has no guest_memfd that can be mapped"

static int create_memfd(struct kvm_vm *vm, u64 flags)
{
	struct kvm_create_guest_memfd operand = { .size = SZ_4K, .flags = flags };

	return __vm_ioctl(vm, KVM_CREATE_GUEST_MEMFD, &operand);
}

static bool can_map(void)
{
	struct kvm_vm *vm = vm_create_barebones();
	const int fd = create_memfd(vm, GUEST_MEMFD_FLAG_MMAP);

	if (fd >= 0)
		kvm_close(fd);
	kvm_vm_free(vm);
	return fd >= 0;
}

static void add_slot(struct kvm_vm *vm, int memfd)
{
	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, TEST_GPA, TEST_SLOT, 1, KVM_MEM_GUEST_MEMFD, memfd, 0);
}

static sigjmp_buf after_signal;

static void handle_signal(int sig)
{
	siglongjmp(after_signal, sig);
}

/* Returns the signal that an access to @word gets, 0 for none. */
static int signal_of_access(const u64 *word)
{
	const struct sigaction action = { .sa_handler = handle_signal };
	int sig;

	TEST_ASSERT_EQ(sigaction(SIGBUS, &action, NULL), 0);
	sig = sigsetjmp(after_signal, 1);
	if (!sig)
		READ_ONCE(*word);
	return sig;
}

/* Nor can the process copy it to the TD. */
TEST(private_memory)
{
	struct kvm_tdx_init_mem_region region = { .gpa = TEST_GPA, .nr_pages = 1 };
	struct tdx_td td = {};
	u64 hw_error;
	u64 *words;
	int memfd, r;

	if (!can_map())
		SKIP(return, NO_MMAP_REASON);

	tdx_td_build(&td, TDX_STAGE_VCPU_INITIALIZED);
	memfd = create_memfd(td.vm, GUEST_MEMFD_FLAG_MMAP);
	TEST_ASSERT(memfd >= 0, "KVM_CREATE_GUEST_MEMFD: %m");
	add_slot(td.vm, memfd);
	tdx_mem_set_private(td.vm, TEST_GPA, SZ_4K);

	TEST_ASSERT(mmap(NULL, SZ_4K, PROT_READ, MAP_PRIVATE, memfd, 0) == MAP_FAILED &&
		    errno == EINVAL, "wanted no private mapping, got one, or %m");
	words = kvm_mmap(SZ_4K, PROT_READ | PROT_WRITE, MAP_SHARED, memfd);
	TEST_ASSERT_EQ(signal_of_access(words), SIGBUS);

	region.source_addr = (u64)words;
	r = __tdx_vcpu_ioctl(td.vcpu, KVM_TDX_INIT_MEM_REGION, 0, &region, &hw_error);
	TEST_ASSERT(r == -1 && errno == EFAULT, "KVM_TDX_INIT_MEM_REGION: wanted EFAULT, got %s",
		    r ? strerror(errno) : "success");

	tdx_td_finish(&td);
	kvm_munmap(words, SZ_4K);
	kvm_close(memfd);
	kvm_vm_free(td.vm);
}

static void guest_store_and_load(u64 *word)
{
	WRITE_ONCE(*word, GUEST_VALUE);
	for (;;)
		GUEST_SYNC1(READ_ONCE(*word));
}

static u64 load(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);
	return uc.args[0];
}

/* A TD that accesses the page as shared. */
FIXTURE(mapped_shared)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	int memfd;
};

FIXTURE_SETUP(mapped_shared)
{
	gva_t gva;

	if (tdx_leaks_page_tables() && !tdx_kvm_has_fix(LEAK_FINDING))
		SKIP(return, TDX_LEAK_SKIP_REASON);
	if (!can_map())
		SKIP(return, NO_MMAP_REASON);

	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, guest_store_and_load);
	gva = vm_unused_gva_gap(self->vm, SZ_4K, KVM_UTIL_MIN_VADDR);
	virt_map(self->vm, gva, TEST_GPA, 1);
	*vm_get_pte(self->vm, gva) |= TDX_SHARED_BIT;
	tdx_vcpu_args_set(self->vcpu, 1, gva);
	tdx_vm_finalize(self->vm);

	/* After tdx_vm_finalize(), which makes memory private. */
	self->memfd = create_memfd(self->vm, GUEST_MEMFD_FLAG_MMAP);
	add_slot(self->vm, self->memfd);
}

FIXTURE_TEARDOWN(mapped_shared)
{
	if (self->memfd >= 0)
		kvm_close(self->memfd);
	kvm_vm_free(self->vm);
}

/* The page is freed, and the TD gets another one. */
TDX_TEST_F(mapped_shared, hole)
{
	TEST_ASSERT_EQ(load(self->vcpu), GUEST_VALUE);
	vm_guest_mem_punch_hole(self->vm, TEST_GPA, SZ_4K);
	tdx_assert_value("hole", "load", 1, "word", 0, load(self->vcpu));
}

TDX_FINDING(33, "mapped_shared.hole");

/* All pages are freed, and the slot has none any more. */
TDX_TEST_F(mapped_shared, closed)
{
	struct userspace_mem_region *slot = memslot2region(self->vm, TEST_SLOT);

	TEST_ASSERT_EQ(load(self->vcpu), GUEST_VALUE);
	kvm_close(self->memfd);
	self->memfd = -1;
	kvm_close(slot->region.guest_memfd);
	slot->region.guest_memfd = -1;
	tdx_run_to_memory_fault(self->vcpu, 0, TEST_GPA, 0);
}

TDX_FINDING(33, "mapped_shared.closed");

/* Of an ordinary VM the process may access what was created for it. */
static void check_plain(u64 flags)
{
	struct kvm_vm *vm = vm_create_barebones();
	const int memfd = create_memfd(vm, flags);
	u64 *words;

	TEST_ASSERT(memfd >= 0, "KVM_CREATE_GUEST_MEMFD: %m");
	add_slot(vm, memfd);
	words = kvm_mmap(SZ_4K, PROT_READ | PROT_WRITE, MAP_SHARED, memfd);

	if (flags & GUEST_MEMFD_FLAG_INIT_SHARED) {
		WRITE_ONCE(*words, GUEST_VALUE);
		vm_guest_mem_punch_hole(vm, TEST_GPA, SZ_4K);
		TEST_ASSERT_EQ(READ_ONCE(*words), 0ul);
	} else {
		TEST_ASSERT_EQ(signal_of_access(words), SIGBUS);
	}

	kvm_munmap(words, SZ_4K);
	kvm_close(memfd);
	kvm_vm_free(vm);
}

TEST(plain)
{
	if (!can_map())
		SKIP(return, NO_MMAP_REASON);

	check_plain(GUEST_MEMFD_FLAG_MMAP);
	check_plain(GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED);
}

TDX_TEST_MAIN()
