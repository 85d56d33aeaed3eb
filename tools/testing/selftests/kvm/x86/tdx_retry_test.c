// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM repeats SEAMCALLs that map memory, and the entry of a vCPU, while the TDX module is
 * busy.  It must go on when the module does, and until then let signals and the death of
 * the VM end the ioctl, deliver interrupts, and let memory be taken away.
 */
/* A failure here is mostly a hang: do not wait long for it. */
#define TDX_TEST_TIMEOUT	30

#include <signal.h>
#include <sys/wait.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cpus.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_mem.h"
#include "tdx/tdx_sim.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_thread.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_warning.h"

/* A page with secure EPT tables of its own, and one that is there but not accepted. */
#define TEST_GPA	0x2345600000ULL
#define TEST_SLOT	21
#define PENDING_GPA	0x1234600000ULL
#define PENDING_SLOT	22

#define IRQ_VECTOR	0xa5
#define IRQ_VALUE	0x1a5ul

/* This number of refusals shows that KVM repeats the call. */
#define NR_REFUSED	3

/* The number of tables that KVM has pages for (KVM_ARCH_NR_OBJS_PER_MEMORY_CACHE). */
#define CACHED_TABLES	40

/* Milliseconds in which even an emulated CPU gets to the end of an ioctl. */
#define PATIENCE_MS	5000
#define POLL_US		500
#define NR_POLLS	1000

/* How often KVM repeats an interrupted flush of caches (TDX_SEAMCALL_RETRIES). */
#define CACHE_WB_CALLS	10000

struct td {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_vcpu *second;
	struct kvm_tdx_init_mem_region region;
};

static void guest_irq(struct ex_regs *regs)
{
	tdx_guest_eoi();
	GUEST_SYNC1(IRQ_VALUE);
}

static void guest_accept(void)
{
	tdx_guest_enable_apic();
	sti();
	tdx_guest_accept_page(TEST_GPA);
	GUEST_SYNC1(0);
	GUEST_DONE();
}

static void guest_touch(u64 *pending)
{
	READ_ONCE(*pending);
	GUEST_DONE();
}

/* Ioctls that end when the page at TEST_GPA is mapped.  They return 0 or errno. */
static int run(void *arg)
{
	struct td *td = arg;

	return __vcpu_run(td->vcpu) ? errno : 0;
}

static int pre_fault(void *arg)
{
	struct kvm_pre_fault_memory range = { .gpa = TEST_GPA, .size = PAGE_SIZE };
	struct td *td = arg;

	return __vcpu_ioctl(td->vcpu, KVM_PRE_FAULT_MEMORY, &range) ? errno : 0;
}

static int add_page(void *arg)
{
	struct td *td = arg;
	u64 hw_error;

	return __tdx_vcpu_ioctl(td->vcpu, KVM_TDX_INIT_MEM_REGION, 0, &td->region,
				&hw_error) ? errno : 0;
}

/* Ways to take the memory away. */
static int delete_slot(void *arg)
{
	struct td *td = arg;

	vm_mem_region_delete(td->vm, TEST_SLOT);
	return 0;
}

static int make_shared(void *arg)
{
	struct td *td = arg;

	tdx_mem_set_shared(td->vm, TEST_GPA, PAGE_SIZE);
	return 0;
}

static int punch_hole(void *arg)
{
	struct td *td = arg;

	vm_guest_mem_punch_hole(td->vm, TEST_GPA, PAGE_SIZE);
	return 0;
}

static void add_slot(struct kvm_vm *vm, u64 gpa, u32 slot)
{
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, gpa, slot, 1,
				    KVM_MEM_GUEST_MEMFD);
	tdx_mem_set_private(vm, gpa, PAGE_SIZE);
}

static void create(struct td *td, int (*fn)(void *td), u32 nr_vcpus)
{
	gva_t pending;

	td->vm = tdx_vm_create(nr_vcpus);
	td->vcpu = tdx_vcpu_add(td->vm, 0, guest_accept);
	vm_install_exception_handler(td->vm, IRQ_VECTOR, guest_irq);
	if (nr_vcpus > 1) {
		td->second = tdx_vcpu_add(td->vm, 1, guest_touch);
		pending = vm_unused_gva_gap(td->vm, PAGE_SIZE, KVM_UTIL_MIN_VADDR);
		virt_map(td->vm, pending, PENDING_GPA, 1);
		tdx_vcpu_args_set(td->second, 1, pending);
	}
	if (fn != add_page)
		tdx_vm_finalize(td->vm);
	add_slot(td->vm, TEST_GPA, TEST_SLOT);
	add_slot(td->vm, PENDING_GPA, PENDING_SLOT);
	td->region = (struct kvm_tdx_init_mem_region) {
		.source_addr = (u64)addr_gpa2hva(td->vm, TEST_GPA),
		.gpa = TEST_GPA,
		.nr_pages = 1,
	};
}

static void wait_for_retries(struct tdx_thread *thread)
{
	u32 calls, refused;

	do {
		usleep(POLL_US);
		tdx_sim_refused(&calls, &refused);
		if (thread && tdx_thread_done(thread, 0))
			TEST_FAIL("wanted KVM to repeat the call, got %s",
				  strerror(thread->result));
	} while (refused < NR_REFUSED);
}

/* What KVM repeats, and how the ioctl ends if the memory is taken away. */
struct busy {
	int (*fn)(void *td);
	const char *leaf;
	u64 operand;
	bool locks;		/* memory is taken away only after the ioctl */
	bool stays;		/* the ioctl ends only if the module is no longer busy */
	int deleted;		/* errno */
	int shared;
};

/* Check that the ioctl of the thread ends with errno @want. */
static void check_end(struct tdx_thread *thread, const char *when, int want)
{
	const bool done = tdx_thread_done(thread, PATIENCE_MS);
	int got;

	/* A thread that KVM does not let go could not even be killed. */
	if (!done)
		tdx_sim_refuse_none();
	TEST_ASSERT(done, "%s: the ioctl does not end", when);
	got = tdx_thread_join(thread);
	TEST_ASSERT(got == want, "%s: wanted %s, got %s", when,
		    want ? strerror(want) : "success", got ? strerror(got) : "success");
}

FIXTURE(retry)
{
	struct td td;
	struct tdx_thread thread;
	struct tdx_thread other;
};

FIXTURE_VARIANT(retry)
{
	struct busy busy;
};

#define RETRY(_name, _fn, _leaf, _operand, ...)					\
	FIXTURE_VARIANT_ADD(retry, _name) {					\
		.busy = {							\
			.fn = _fn, .leaf = _leaf,				\
			.operand = TDX_OPERAND_ID_ ## _operand, __VA_ARGS__	\
		},								\
	}

RETRY(run_sept_add, run, "TDH_MEM_SEPT_ADD", SEPT, .deleted = EFAULT, .shared = EFAULT);
RETRY(run_page_aug, run, "TDH_MEM_PAGE_AUG", RCX, .deleted = EFAULT, .shared = EFAULT);
RETRY(run_vp_enter, run, "TDH_VP_ENTER", TD_EPOCH, .stays = true, .deleted = EFAULT,
	.shared = EFAULT);
RETRY(pre_fault_sept_add, pre_fault, "TDH_MEM_SEPT_ADD", SEPT, .deleted = EAGAIN,
	.shared = EFAULT);
RETRY(pre_fault_page_aug, pre_fault, "TDH_MEM_PAGE_AUG", RCX, .deleted = EAGAIN,
	.shared = EFAULT);
RETRY(add_page_add, add_page, "TDH_MEM_PAGE_ADD", RDX, .locks = true, .stays = true);

FIXTURE_SETUP(retry)
{
	if (!tdx_sim_has("fault"))
		SKIP(return, TDX_SIM_SKIP_REASON);
	/* A case that failed may have left its request. */
	tdx_sim_refuse_none();
}

FIXTURE_TEARDOWN(retry)
{
	kvm_vm_free(self->td.vm);
}

static void be_busy(const struct busy *busy)
{
	tdx_sim_refuse(busy->leaf, 1, TDX_OPERAND_BUSY | busy->operand, TDX_SIM_EVER);
}

/* Let a thread get into the retries. */
static void start(FIXTURE_DATA(retry) *self, const struct busy *busy)
{
	create(&self->td, busy->fn, 1);
	be_busy(busy);
	tdx_thread_start(&self->thread, busy->fn, &self->td);
	wait_for_retries(&self->thread);
}

TDX_TEST_F(retry, cleared)
{
	start(self, &variant->busy);
	tdx_sim_refuse_none();
	check_end(&self->thread, "the module is no longer busy", 0);
}

/* The module holds what it held @before the TD was created. */
static void check_nothing_is_lost(char *before)
{
	char *after = tdx_sim_holdings();

	TEST_ASSERT(!strcmp(before, after), "the TD is gone: wanted the module to hold\n%sgot\n%s",
		    before, after);
	free(after);
	free(before);
}

static void ignore(int sig)
{
}

/* The ioctl ends, and succeeds when it is repeated. */
TDX_TEST_F(retry, signal)
{
	signal(SIGUSR1, ignore);
	start(self, &variant->busy);
	tdx_thread_signal(&self->thread, SIGUSR1);
	check_end(&self->thread, "signal", EINTR);

	tdx_thread_start(&self->thread, variant->busy.fn, &self->td);
	wait_for_retries(&self->thread);
	tdx_sim_refuse_none();
	check_end(&self->thread, "after the signal", 0);
}

/* Take the memory away by @take.  The ioctl ends with @want. */
static void take_away(FIXTURE_DATA(retry) *self, const struct busy *busy,
		      int (*take)(void *td), int want)
{
	start(self, busy);
	tdx_thread_start(&self->other, take, &self->td);
	if (busy->locks)
		TEST_ASSERT(tdx_thread_waits(&self->other),
			    "wanted the memory to stay until it is added");
	else
		check_end(&self->other, "taking the memory away", 0);

	if (busy->stays)
		tdx_sim_refuse_none();
	check_end(&self->thread, "without the memory", want);
	tdx_sim_refuse_none();
	if (busy->locks)
		check_end(&self->other, "taking the memory away, which was added", 0);
}

TDX_TEST_F(retry, slot_deleted)
{
	take_away(self, &variant->busy, delete_slot, variant->busy.deleted);
}

TDX_TEST_F(retry, made_shared)
{
	take_away(self, &variant->busy, make_shared, variant->busy.shared);
}

/* The page is gone before it was mapped: there is another one. */
TDX_TEST_F(retry, hole_punched)
{
	struct busy busy = variant->busy;

	busy.stays = true;
	take_away(self, &busy, punch_hole, 0);
}

/* The end of the process does not wait for the module. */
TDX_TEST_F(retry, owner_killed)
{
	char *before = tdx_sim_holdings();
	const pid_t owner = fork();
	int status, i;

	TEST_ASSERT(owner >= 0, "fork: %m");
	if (!owner) {
		/* The fixture is shared with this process: it must not have the TD. */
		struct td td = {};

		create(&td, variant->busy.fn, 1);
		be_busy(&variant->busy);
		variant->busy.fn(&td);
		_exit(KSFT_FAIL);
	}

	while (!tdx_sim_refuses())
		usleep(POLL_US);
	wait_for_retries(NULL);
	kill(owner, SIGKILL);
	for (i = 0; i < NR_POLLS && waitpid(owner, &status, WNOHANG) != owner; i++)
		usleep(POLL_US);
	tdx_sim_refuse_none();
	TEST_ASSERT(i < NR_POLLS && WIFSIGNALED(status), "the killed process does not end");
	check_nothing_is_lost(before);
}

/* Cases of the retries of a page fault. */
FIXTURE(page_fault)
{
	struct td td;
	struct tdx_thread thread;
};

FIXTURE_VARIANT(page_fault)
{
	struct busy busy;
};

FIXTURE_VARIANT_ADD(page_fault, sept_add) {
	.busy = { .fn = run, .leaf = "TDH_MEM_SEPT_ADD", .operand = TDX_OPERAND_ID_SEPT },
};

FIXTURE_VARIANT_ADD(page_fault, page_aug) {
	.busy = { .fn = run, .leaf = "TDH_MEM_PAGE_AUG", .operand = TDX_OPERAND_ID_RCX },
};

FIXTURE_SETUP(page_fault)
{
	if (!tdx_sim_has("fault"))
		SKIP(return, TDX_SIM_SKIP_REASON);
	tdx_sim_refuse_none();
}

FIXTURE_TEARDOWN(page_fault)
{
	kvm_vm_free(self->td.vm);
}

/* The TD gets the interrupt, in its handler, before its page. */
TDX_TEST_F(page_fault, interrupt)
{
	struct ucall uc;

	create(&self->td, run, 1);
	be_busy(&variant->busy);
	tdx_thread_start(&self->thread, run, &self->td);
	wait_for_retries(&self->thread);
	tdx_vcpu_signal_msi(self->td.vcpu, IRQ_VECTOR);
	check_end(&self->thread, "interrupt", 0);
	tdx_vcpu_get_sync(self->td.vcpu, "interrupt", &uc);
	TEST_ASSERT_EQ(uc.args[0], IRQ_VALUE);

	tdx_sim_refuse_none();
	tdx_vcpu_run_to_ucall(self->td.vcpu, UCALL_SYNC, &uc);
	TEST_ASSERT_EQ(uc.args[0], 0ul);
}

/* The second vCPU kills the VM: it reads a page that it has not accepted. */
static void die(struct td *td, struct tdx_thread *thread, const struct busy *busy)
{
	struct kvm_pre_fault_memory range = { .gpa = PENDING_GPA, .size = PAGE_SIZE };

	create(td, busy->fn, 2);
	vcpu_ioctl(td->second, KVM_PRE_FAULT_MEMORY, &range);
	be_busy(busy);
	tdx_thread_start(thread, busy->fn, td);
	wait_for_retries(thread);
	TEST_ASSERT_EQ(__vcpu_run(td->second), -1);
	TEST_ASSERT_EQ(errno, EIO);
	check_end(thread, "the VM is dead", EIO);
	tdx_sim_refuse_none();
}

TDX_TEST_F(page_fault, vm_dead)
{
	if (tdx_nr_present_cpus() < 2)
		SKIP(return, TDX_TWO_CPUS_REASON);

	die(&self->td, &self->thread, &variant->busy);
}

TDX_TEST_F(page_fault, vm_dead_in_pre_fault)
{
	struct busy busy = variant->busy;
	u64 warnings;

	if (tdx_nr_present_cpus() < 2)
		SKIP(return, TDX_TWO_CPUS_REASON);
	if (!tdx_may_warn_of_finding(29))
		SKIP(return, TDX_WARN_REASON);

	busy.fn = pre_fault;
	warnings = tdx_count_warnings();
	die(&self->td, &self->thread, &busy);
	tdx_assert_no_warning(warnings);
}

TDX_FINDING(29, "page_fault.sept_add.vm_dead_in_pre_fault");
TDX_FINDING(29, "page_fault.page_aug.vm_dead_in_pre_fault");

/* Each try takes pages for a table.  They are back for the next one. */
TEST(tables_while_busy)
{
	struct td td = {};
	u64 warnings;
	int r;

	if (!tdx_sim_has("fault"))
		SKIP(return, TDX_SIM_SKIP_REASON);
	if (!tdx_may_warn_of_finding(31))
		SKIP(return, TDX_WARN_REASON);

	create(&td, add_page, 1);
	tdx_sim_refuse("TDH_MEM_SEPT_ADD", 1, TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT,
		       CACHED_TABLES + 1);
	warnings = tdx_count_warnings();
	r = add_page(&td);
	tdx_sim_refuse_none();
	TEST_ASSERT(!r, "KVM_TDX_INIT_MEM_REGION: wanted success, got %s", strerror(r));
	tdx_assert_no_warning(warnings);
	kvm_vm_free(td.vm);
}

TDX_FINDING(31, "global.tables_while_busy");

/* The flush of caches goes on where it was interrupted. */
TEST(cache_wb_interrupted)
{
	struct td td = {};
	u32 calls, refused;
	char *before;

	if (!tdx_sim_has("fault"))
		SKIP(return, TDX_SIM_SKIP_REASON);

	before = tdx_sim_holdings();
	create(&td, run, 1);
	tdx_sim_refuse("TDH_PHYMEM_CACHE_WB", 1, TDX_INTERRUPTED_RESUMABLE, CACHE_WB_CALLS - 1);
	kvm_vm_free(td.vm);
	tdx_sim_refused(&calls, &refused);
	tdx_sim_refuse_none();
	tdx_assert_value("TDH_PHYMEM_CACHE_WB", "end of the TD", 1, "refused calls",
			 CACHE_WB_CALLS - 1, refused);

	check_nothing_is_lost(before);
}

TDX_TEST_MAIN()
