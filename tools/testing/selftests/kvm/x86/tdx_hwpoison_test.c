// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page of a TD that has gone bad: the kernel takes it away from the TD.  KVM_RUN fails
 * with EHWPOISON when the TD accesses it, and says where.  The TD can go on with its other
 * pages, and its end gives all pages back.
 */
#include <fcntl.h>

#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_sim.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define HWPOISON_DIR	"/sys/kernel/debug/hwpoison/"

/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define NO_HWPOISON_REASON	"the kernel cannot spoil a page (CONFIG_HWPOISON_INJECT)"

/* Two pages: the first one goes bad. */
#define TEST_GPA	0x1234600000ULL
#define TEST_SLOT	21
#define NR_PAGES	2
#define TEST_VALUE	0x600d0000ULL

static void guest_code(u64 gva)
{
	u64 *bad = (u64 *)gva;
	u64 *good = (u64 *)(gva + SZ_4K);

	/* The last page that the TD gets is the one to go bad. */
	tdx_guest_accept_page(TEST_GPA + SZ_4K);
	*good = TEST_VALUE;
	tdx_guest_accept_page(TEST_GPA);
	WRITE_ONCE(*bad, ~TEST_VALUE);
	GUEST_SYNC1(READ_ONCE(*good));

	GUEST_SYNC1(READ_ONCE(*good));
	READ_ONCE(*bad);
	GUEST_DONE();
}

TDX_FIXTURE(hwpoison);

FIXTURE_SETUP(hwpoison)
{
	gva_t gva;

	if (!tdx_sim_has("pages"))
		SKIP(return, TDX_SIM_SKIP_REASON);
	if (access(HWPOISON_DIR "corrupt-pfn", W_OK))
		SKIP(return, NO_HWPOISON_REASON);

	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, guest_code);
	gva = vm_unused_gva_gap(self->vm, NR_PAGES * SZ_4K, KVM_UTIL_MIN_VADDR);
	virt_map(self->vm, gva, TEST_GPA, NR_PAGES);
	tdx_vcpu_args_set(self->vcpu, 1, gva);
	tdx_vm_finalize(self->vm);

	vm_userspace_mem_region_add(self->vm, VM_MEM_SRC_ANONYMOUS, TEST_GPA, TEST_SLOT,
				    NR_PAGES, KVM_MEM_GUEST_MEMFD);
	vm_mem_set_private(self->vm, TEST_GPA, NR_PAGES * SZ_4K);
}

static void write_pfn(const char *name, u64 pa)
{
	char path[64], text[32];
	int fd, length;

	snprintf(path, sizeof(path), HWPOISON_DIR "%s", name);
	fd = open(path, O_WRONLY);
	TEST_ASSERT(fd >= 0, "%s: %m", path);
	length = snprintf(text, sizeof(text), "0x%lx", (unsigned long)(pa / PAGE_SIZE));
	/*
	 * The result says nothing of the TD.  guest_memfd leaves the page in its file,
	 * which some kernels report as a failure, EBUSY.
	 */
	if (write(fd, text, length) != length)
		TEST_ASSERT(errno == EBUSY, "%s to %s: %m", text, path);
	close(fd);
}

static void run_to_good_value(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);
	tdx_assert_value("hwpoison", "page", 1, "value", TEST_VALUE, uc.args[0]);
}

/* Each access fails, the first as well as the next. */
static void check_poisoned(struct kvm_vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	int i, ret;

	for (i = 0; i < 2; i++) {
		tdvmcall_poison_exit(vcpu);
		ret = __vcpu_run(vcpu);
		TEST_ASSERT(ret == -1 && errno == EHWPOISON, "access %d: wanted %s, got %s", i,
			    strerror(EHWPOISON), ret ? strerror(errno) : "success");
		TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_MEMORY_FAULT);
		tdx_assert_value("hwpoison", "access", i, "flags", KVM_MEMORY_EXIT_FLAG_PRIVATE,
				 run->memory_fault.flags);
		tdx_assert_value("hwpoison", "access", i, "GPA", TEST_GPA, run->memory_fault.gpa);
		tdx_assert_value("hwpoison", "access", i, "size", SZ_4K, run->memory_fault.size);
	}
}

TDX_TEST_F(hwpoison, private_page)
{
	u64 pa;

	run_to_good_value(self->vcpu);
	pa = tdx_sim_last_page();
	write_pfn("corrupt-pfn", pa);

	run_to_good_value(self->vcpu);
	check_poisoned(self->vcpu);

	kvm_vm_free(self->vm);
	self->vm = NULL;
	write_pfn("unpoison-pfn", pa);
}

/* The module gives the bad page back at once. */
TDX_TEST_F(hwpoison, page_given_back)
{
	char *before, *after;
	u64 pa;

	run_to_good_value(self->vcpu);
	pa = tdx_sim_last_page();
	before = tdx_sim_holdings();
	write_pfn("corrupt-pfn", pa);
	after = tdx_sim_holdings();
	TEST_ASSERT(strcmp(before, after), "the module still has the bad page");
	free(before);
	free(after);

	kvm_vm_free(self->vm);
	self->vm = NULL;
	write_pfn("unpoison-pfn", pa);
}

TDX_TEST_MAIN()
