// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that KVM gives to the TDX module for a TD and for its vCPUs are charged to the
 * memory cgroup of the process, each of them, and uncharged at the end of the TD.
 */
#include <sys/mman.h>
#include <sys/sysinfo.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cgroup.h"
#include "tdx/tdx_sim.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define NO_CGROUP_REASON	"no memory controller of cgroup v2 can be had"

/* Enough that one page of each stands out from the kernel's other allocations. */
#define NR_TDS			16
/* Half as many pages as TDs, for the unrelated allocations. */
#define SLACK_PAGES		(NR_TDS / 2)

/* The kernel sums up the statistics of a CPU after this number of changes. */
#define STAT_BATCH		64

FIXTURE(memcg)
{
	struct tdx_cgroup cgroup;
};

FIXTURE_SETUP(memcg)
{
	if (!tdx_sim_has("pages"))
		SKIP(return, TDX_SIM_SKIP_REASON);
	if (!tdx_cgroup_create(&self->cgroup, "memory"))
		SKIP(return, NO_CGROUP_REASON);
	tdx_cgroup_join(&self->cgroup);
}

FIXTURE_TEARDOWN_PARENT(memcg)
{
	tdx_cgroup_remove(&self->cgroup);
}

/*
 * Returns the pages of the kernel that are charged to the cgroup, without those of the
 * slab: what kfree_rcu() frees, such as the APIC map before the newest, stays charged for
 * seconds.  A read shows all changes only if there were many: fault in pages and drop them.
 */
static s64 charged(const struct tdx_cgroup *cgroup)
{
	const size_t size = (2 + get_nprocs_conf()) * STAT_BATCH * PAGE_SIZE;
	static char *pages;
	s64 kernel, slab;
	size_t i;

	if (!pages) {
		pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
		TEST_ASSERT(pages != MAP_FAILED, "mmap() failed: %m");
		madvise(pages, size, MADV_NOHUGEPAGE);
	}
	for (i = 0; i < size; i += PAGE_SIZE)
		WRITE_ONCE(pages[i], 1);
	TEST_ASSERT_EQ(madvise(pages, size, MADV_DONTNEED), 0);

	kernel = tdx_cgroup_read(cgroup, "memory.stat", "kernel");
	slab = tdx_cgroup_read(cgroup, "memory.stat", "slab");
	return (kernel - slab) / (s64)PAGE_SIZE;
}

/* Returns the number of pages that the module holds, other than those with memory of TDs. */
static s64 given(void)
{
	static const char * const types[] = { "TDR", "TDCX", "TDVPR" };
	char *text = tdx_sim_read("pages");
	s64 sum = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		const char *line = strstr(text, types[i]);
		unsigned long count = 0;

		TEST_ASSERT(line && sscanf(line + strlen(types[i]), " %lu", &count) == 1,
			    "tdx_sim/pages has no %s", types[i]);
		sum += count;
	}
	free(text);

	return sum;
}

/*
 * A step of all TDs.  end() checks what it charged against what it gave to the module, and
 * returns the number of pages.
 */
struct step {
	const struct tdx_cgroup *cgroup;
	s64 charged;
	s64 given;
};

static struct step begin(const struct tdx_cgroup *cgroup)
{
	return (struct step) { cgroup, charged(cgroup), given() };
}

static s64 end(const struct step *step, const char *what)
{
	const s64 want = given() - step->given;
	const s64 got = charged(step->cgroup) - step->charged;

	TEST_ASSERT(want >= NR_TDS, "%s: wanted a page or more for each of %d TDs, got %ld", what,
		    NR_TDS, want);
	TEST_ASSERT(labs(got - want) <= SLACK_PAGES,
		    "%s: wanted %ld pages to be charged, got %ld", what, want, got);
	return want;
}

/*
 * All TDs are gone.  Of the pages that they gave to the module most must be uncharged:
 * the kernel keeps some of others for later.
 */
static void check_uncharged(const struct step *first, s64 nr_given)
{
	const s64 left = charged(first->cgroup) - first->charged;

	TEST_ASSERT(left <= nr_given / 2, "of %ld pages, wanted few to stay charged, got %ld",
		    nr_given, left);
}

/*
 * Let the kernel allocate what it allocates once, for the first TD, and begin the life of
 * the other ones.
 */
static struct step begin_after_first_td(const struct tdx_cgroup *cgroup)
{
	kvm_vm_free(tdx_vm_create(1));
	return begin(cgroup);
}

TDX_TEST_F_PARENT(memcg, td_pages)
{
	const struct step first = begin_after_first_td(&self->cgroup);
	struct kvm_vm *vms[NR_TDS];
	struct step step;
	s64 nr_given;
	int i;

	for (i = 0; i < NR_TDS; i++) {
		vms[i] = vm_create_barebones_type(KVM_X86_TDX_VM);
		vm_enable_cap(vms[i], KVM_CAP_SPLIT_IRQCHIP, 24);
	}
	step = begin(&self->cgroup);
	for (i = 0; i < NR_TDS; i++) {
		struct kvm_tdx_init_vm *params = tdx_vm_get_init_params(vms[i]);

		tdx_vm_ioctl(vms[i], KVM_TDX_INIT_VM, 0, params);
		free(params);
	}
	nr_given = end(&step, "KVM_TDX_INIT_VM");

	for (i = 0; i < NR_TDS; i++)
		kvm_vm_free(vms[i]);
	check_uncharged(&first, nr_given);
}

static void guest_code(void)
{
	GUEST_DONE();
}

TDX_TEST_F_PARENT(memcg, vcpu_pages)
{
	const struct step first = begin_after_first_td(&self->cgroup);
	struct kvm_vcpu *vcpus[NR_TDS];
	struct kvm_vm *vms[NR_TDS];
	struct step step;
	s64 nr_given;
	int i;

	for (i = 0; i < NR_TDS; i++) {
		vms[i] = tdx_vm_create(1);
		vcpus[i] = tdx_vcpu_create(vms[i], 0, guest_code);
	}
	step = begin(&self->cgroup);
	for (i = 0; i < NR_TDS; i++)
		tdx_vcpu_init(vcpus[i]);
	nr_given = end(&step, "KVM_TDX_INIT_VCPU");

	for (i = 0; i < NR_TDS; i++)
		kvm_vm_free(vms[i]);
	check_uncharged(&first, nr_given);
}

TDX_TEST_MAIN()
