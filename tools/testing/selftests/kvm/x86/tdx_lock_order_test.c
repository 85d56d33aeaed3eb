// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEAMCALLs that KVM's own locks keep apart.  The locks of the TDX module are try-locks,
 * so that a lock that KVM lacks shows as a refusal.  One CPU makes a call whose locks a
 * simulated module does not release for a while.  Meanwhile another CPU does something
 * else to the same TD, or to the module.  The module counts the calls that have met: only
 * those that KVM repeats may be among them.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cpus.h"
#include "tdx/tdx_mem.h"
#include "tdx/tdx_sim.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_thread.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_warning.h"

/* A page that was added, and one that was not, of two guest_memfds. */
#define ADDED_GPA	0x1234600000ULL
#define ADDED_SLOT	21
#define NEW_GPA		0x2345600000ULL
#define NEW_SLOT	22

/* Microseconds of a call: enough for the other CPU to get to its own SEAMCALL. */
#define HOLD_US		50000
#define POLL_US		100

/* The module gives way to the host: no lock. */
#define GIVES_WAY	"TDH_VP_ENTER SEPT"

/*
 * A page is measured by 16 calls.  KVM repeats the removal of another page at once, and
 * gives the VM up if that meets the next of these calls.  So it meets the last one.
 */
#define LAST_CHUNK	16

#define NR_TDS		2

struct tds {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_vcpu *new_vcpu;	/* without KVM_TDX_INIT_VCPU */
	struct kvm_vm *raw[NR_TDS];	/* without KVM_TDX_INIT_VM */
	struct kvm_tdx_init_vm *params;
	struct kvm_vm *old;		/* to be destroyed */
	int cpu;
};

static void guest_code(void)
{
	for (;;)
		GUEST_SYNC1(0);
}

/* What the CPUs do.  Each returns 0 or errno. */
static int init_vm(struct kvm_vm *vm, const struct kvm_tdx_init_vm *params)
{
	u64 hw_error;

	return __tdx_vm_ioctl(vm, KVM_TDX_INIT_VM, 0, params, &hw_error) ? errno : 0;
}

static int init_first(struct tds *tds)
{
	return init_vm(tds->raw[0], tds->params);
}

static int init_second(struct tds *tds)
{
	return init_vm(tds->raw[1], tds->params);
}

static int destroy(struct tds *tds)
{
	kvm_vm_free(tds->old);
	tds->old = NULL;
	return 0;
}

static int init_vcpu(struct tds *tds)
{
	u64 hw_error;

	return __tdx_vcpu_ioctl(tds->new_vcpu, KVM_TDX_INIT_VCPU, 0, 0, &hw_error) ? errno : 0;
}

static int add_page(struct tds *tds)
{
	tdx_vm_add_pages(tds->vm, NEW_GPA, 1, 0);
	return 0;
}

static int measure_page(struct tds *tds)
{
	tdx_vm_add_pages(tds->vm, NEW_GPA, 1, KVM_TDX_MEASURE_MEMORY_REGION);
	return 0;
}

static int punch_hole(struct tds *tds)
{
	vm_guest_mem_punch_hole(tds->vm, ADDED_GPA, SZ_4K);
	return 0;
}

static int make_shared(struct tds *tds)
{
	tdx_mem_set_shared(tds->vm, ADDED_GPA, SZ_4K);
	return 0;
}

static int get_cpuid(struct tds *tds)
{
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(KVM_MAX_CPUID_ENTRIES);
	u64 hw_error;
	int r = __tdx_vcpu_ioctl(tds->vcpu, KVM_TDX_GET_CPUID, 0, cpuid, &hw_error) ? errno : 0;

	free(cpuid);
	return r;
}

static int finalize(struct tds *tds)
{
	u64 hw_error;

	return __tdx_vm_ioctl(tds->vm, KVM_TDX_FINALIZE_VM, 0, 0, &hw_error) ? errno : 0;
}

static int run(struct tds *tds)
{
	return __vcpu_run(tds->vcpu) ? errno : 0;
}

/* A call that is held, and the operation that makes it; the operation of the other CPU. */
struct pair {
	const char *leaf;
	int (*first)(struct tds *tds);
	int (*second)(struct tds *tds);
	const char *allowed;	/* leaf and lock, of a call that KVM repeats */
	bool finalized;
	int error;		/* errno of the second operation */
	u32 nth;		/* call of the leaf that is held, 0: the first one */
	unsigned int finding;	/* known bug of KVM, which then may warn; or 0 */
};

FIXTURE(lock_order)
{
	struct tds tds;
	struct tdx_thread thread;
};

FIXTURE_VARIANT(lock_order)
{
	struct pair pair;
};

#define PAIR(_name, _leaf, _first, _second, ...)				\
	FIXTURE_VARIANT_ADD(lock_order, _name) {				\
		.pair = {							\
			.leaf = _leaf, .first = _first, .second = _second,	\
			__VA_ARGS__						\
		},								\
	}

/* The table of KeyIDs belongs to all TDs. */
PAIR(create_and_create, "TDH_MNG_CREATE", init_first, init_second);
PAIR(create_and_destroy, "TDH_MNG_CREATE", init_first, destroy);
PAIR(vpflushdone_and_create, "TDH_MNG_VPFLUSHDONE", destroy, init_first);
PAIR(key_freeid_and_create, "TDH_MNG_KEY_FREEID", destroy, init_first);

/* The TDR, which the commands of one TD take. */
PAIR(vp_init_and_hole, "TDH_VP_INIT", init_vcpu, punch_hole);
PAIR(vp_init_and_conversion, "TDH_VP_INIT", init_vcpu, make_shared);
PAIR(vp_init_and_get_cpuid, "TDH_VP_INIT", init_vcpu, get_cpuid);
PAIR(vp_init_and_page_add, "TDH_VP_INIT", init_vcpu, add_page);
PAIR(range_block_and_vp_init, "TDH_MEM_RANGE_BLOCK", punch_hole, init_vcpu);
PAIR(mng_rd_and_vp_init, "TDH_MNG_RD", get_cpuid, init_vcpu);
PAIR(mng_rd_and_page_add, "TDH_MNG_RD", get_cpuid, add_page);
PAIR(mng_rd_and_finalize, "TDH_MNG_RD", get_cpuid, finalize);
PAIR(page_add_and_hole, "TDH_MEM_PAGE_ADD", add_page, punch_hole);
PAIR(page_add_and_get_cpuid, "TDH_MEM_PAGE_ADD", add_page, get_cpuid);
PAIR(page_add_and_finalize, "TDH_MEM_PAGE_ADD", add_page, finalize);
PAIR(range_block_and_page_add, "TDH_MEM_RANGE_BLOCK", make_shared, add_page);
PAIR(extend_and_conversion, "TDH_MR_EXTEND", measure_page, make_shared);
PAIR(extend_and_finalize, "TDH_MR_EXTEND", measure_page, finalize);
PAIR(extend_and_hole, "TDH_MR_EXTEND", measure_page, punch_hole, .nth = LAST_CHUNK,
	.finding = 30);
PAIR(finalize_and_get_cpuid, "TDH_MR_FINALIZE", finalize, get_cpuid, .error = EINVAL);
PAIR(finalize_and_conversion, "TDH_MR_FINALIZE", finalize, make_shared);
PAIR(finalize_and_hole, "TDH_MR_FINALIZE", finalize, punch_hole, .finding = 30);

TDX_FINDING(30, "lock_order.extend_and_hole.kept_apart");
TDX_FINDING(30, "lock_order.finalize_and_hole.kept_apart");

/* A vCPU that runs has the epoch: KVM lets it exit, and repeats the call. */
PAIR(enter_and_hole, "TDH_VP_ENTER", run, punch_hole, .finalized = true,
	.allowed = "TDH_MEM_TRACK TD_EPOCH");

static void add_slot(struct kvm_vm *vm, u64 gpa, u32 slot)
{
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, gpa, slot, 1,
				    KVM_MEM_GUEST_MEMFD);
	tdx_mem_set_private(vm, gpa, SZ_4K);
}

static void create(struct tds *tds, bool finalized)
{
	struct kvm_pre_fault_memory range = { .gpa = ADDED_GPA, .size = SZ_4K };
	int i;

	for (i = 0; i < NR_TDS; i++)
		tds->raw[i] = vm_create_barebones_type(KVM_X86_TDX_VM);
	tds->params = tdx_vm_get_init_params(tds->raw[0]);
	tds->old = vm_create_barebones_type(KVM_X86_TDX_VM);
	TEST_ASSERT_EQ(init_vm(tds->old, tds->params), 0);

	tds->vm = tdx_vm_create(2);
	tds->vcpu = tdx_vcpu_add(tds->vm, 0, guest_code);
	tds->new_vcpu = tdx_vcpu_create(tds->vm, 1, guest_code);
	if (finalized)
		tdx_vcpu_init(tds->new_vcpu);
	add_slot(tds->vm, ADDED_GPA, ADDED_SLOT);
	add_slot(tds->vm, NEW_GPA, NEW_SLOT);
	if (!finalized) {
		tdx_vm_add_pages(tds->vm, ADDED_GPA, 1, 0);
		return;
	}
	tdx_vm_finalize(tds->vm);
	vcpu_ioctl(tds->vcpu, KVM_PRE_FAULT_MEMORY, &range);
}

FIXTURE_SETUP(lock_order)
{
	if (!tdx_sim_has("hold"))
		SKIP(return, TDX_SIM_SKIP_REASON);
	if (tdx_nr_present_cpus() < 2)
		SKIP(return, TDX_TWO_CPUS_REASON);
	if (variant->pair.finding && !tdx_may_warn_of_finding(variant->pair.finding))
		SKIP(return, TDX_WARN_REASON);

	/*
	 * A vCPU that was last on the CPU of the held call must leave it first, by an
	 * interrupt that this CPU takes after the call.
	 */
	self->tds.cpu = tdx_pin_to_first_cpu();
	create(&self->tds, variant->pair.finalized);
}

FIXTURE_TEARDOWN(lock_order)
{
	int i;

	for (i = 0; i < NR_TDS; i++)
		kvm_vm_free(self->tds.raw[i]);
	kvm_vm_free(self->tds.old);
	kvm_vm_free(self->tds.vm);
	free(self->tds.params);
}

struct holder {
	struct tds *tds;
	const struct pair *pair;
};

static int make_held_call(void *arg)
{
	struct holder *holder = arg;

	pin_self_to_cpu(holder->tds->cpu);
	return holder->pair->first(holder->tds);
}

static bool hold_is(const char *state)
{
	char *text = tdx_sim_read("hold");
	const bool is = !strncmp(text, state, strlen(state));

	free(text);
	return is;
}

/* Each line of the file names a call, the lock that it met, and how often. */
static void check_calls_that_met(const struct pair *pair)
{
	char *text = tdx_sim_read("busy"), *line;

	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (!strncmp(line, GIVES_WAY, strlen(GIVES_WAY)))
			continue;
		TEST_ASSERT(pair->allowed && !strncmp(line, pair->allowed, strlen(pair->allowed)),
			    "%s is held: wanted KVM to keep other calls away, but this one met it: %s",
			    pair->leaf, line);
	}
	free(text);
}

TDX_TEST_F(lock_order, kept_apart)
{
	const struct pair *pair = &variant->pair;
	struct holder holder = { .tds = &self->tds, .pair = pair };
	char request[64];
	int first, second;

	tdx_sim_write("busy", "clear");
	snprintf(request, sizeof(request), "%s %u %u", pair->leaf, HOLD_US, pair->nth ?: 1);
	tdx_sim_write("hold", request);

	tdx_thread_start(&self->thread, make_held_call, &holder);
	while (hold_is("armed") && !tdx_thread_done(&self->thread, 0))
		usleep(POLL_US);
	second = pair->second(&self->tds);
	first = tdx_thread_join(&self->thread);
	TEST_ASSERT(hold_is("done"), "%s was not held", pair->leaf);
	tdx_sim_write("hold", "clear");

	check_calls_that_met(pair);
	TEST_ASSERT(!first, "%s is held: wanted success, got %s", pair->leaf, strerror(first));
	TEST_ASSERT(second == pair->error, "%s is held: wanted %s of the other ioctl, got %s",
		    pair->leaf, strerror(pair->error), strerror(second));
}

TDX_TEST_MAIN()
