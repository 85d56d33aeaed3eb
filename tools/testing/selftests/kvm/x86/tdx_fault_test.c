// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEAMCALLs that the TDX module refuses: which of them KVM repeats by itself, and what
 * it reports to userspace for the others.  A refused call changes nothing.  So the step
 * that failed succeeds when it is repeated, the TD runs, and neither a page nor a KeyID
 * is lost.
 *
 * KVM takes some refusals for a bug of its own: it warns and refuses every further
 * command to the VM.  It also warns about an exit that it does not know, since its
 * message contains a RIP, which it cannot read from a TD.  A kernel log with a warning
 * makes a run fail, so these cases run only if TDX_KVM_WARN=1 is in the environment.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cmd.h"
#include "tdx/tdx_kvm.h"
#include "tdx/tdx_sim.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_warning.h"

/* Two pages, each with secure EPT tables of its own.  One is added, one is faulted in. */
#define INITIAL_GPA	0x1234600000ULL
#define FAULT_GPA	0x2345600000ULL
#define INITIAL_SLOT	21
#define FAULT_SLOT	22

#define SYNC_VALUE	0xfa017ul

/* Not in asm/vmx.h: an exit that KVM does not know, and a flag in its reason. */
#define EXIT_REASON_GETSEC	11
#define BUS_LOCK_DETECTED	BIT_ULL(26)

/* A VM entry that failed because of the guest's state. */
#define FAILED_ENTRY	(VMX_EXIT_REASONS_FAILED_VMENTRY | EXIT_REASON_INVALID_STATE)

/* SEAMCALL itself raised #UD. */
#define SEAMCALL_FAULT	(GENMASK_ULL(63, 32) | UD_VECTOR)

/*
 * The kernel repeats a call that finds no entropy up to this number
 * (RDRAND_RETRY_LOOPS).
 */
#define ENTROPY_CALLS	10

struct td {
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
};

static void guest_code(void)
{
	for (;;)
		GUEST_SYNC1(SYNC_VALUE);
}

/*
 * The steps of a TD's life.  Each returns 0 or errno, and in *hw_error the status of
 * the TDX module if KVM reports it.
 */

/* This step has a VM of its own: the library initializes the one of the other steps. */
static int init_vm(struct td *td, u64 *hw_error)
{
	struct kvm_tdx_init_vm *params;
	int r;

	if (!td->vm)
		td->vm = vm_create_barebones_type(KVM_X86_TDX_VM);

	params = tdx_vm_get_init_params(td->vm);
	r = __tdx_vm_ioctl(td->vm, KVM_TDX_INIT_VM, 0, params, hw_error) ? errno : 0;
	free(params);
	return r;
}

static void add_slot(struct kvm_vm *vm, u64 gpa, u32 slot)
{
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, gpa, slot, 1,
				    KVM_MEM_GUEST_MEMFD);
	vm_mem_set_private(vm, gpa, PAGE_SIZE);
}

static int create(struct td *td, u64 *hw_error)
{
	td->vm = tdx_vm_create(1);
	td->vcpu = tdx_vcpu_create(td->vm, 0, guest_code);
	add_slot(td->vm, INITIAL_GPA, INITIAL_SLOT);
	add_slot(td->vm, FAULT_GPA, FAULT_SLOT);
	return 0;
}

static int init_vcpu(struct td *td, u64 *hw_error)
{
	return __tdx_vcpu_ioctl(td->vcpu, KVM_TDX_INIT_VCPU, 0, 0, hw_error) ? errno : 0;
}

static int add_page(struct td *td, u64 *hw_error)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)addr_gpa2hva(td->vm, INITIAL_GPA),
		.gpa = INITIAL_GPA,
		.nr_pages = 1,
	};

	return __tdx_vcpu_ioctl(td->vcpu, KVM_TDX_INIT_MEM_REGION, 0, &region,
				hw_error) ? errno : 0;
}

static int add_memory(struct td *td, u64 *hw_error)
{
	tdx_vm_add_memory(td->vm);
	return 0;
}

static int finalize(struct td *td, u64 *hw_error)
{
	return __tdx_vm_ioctl(td->vm, KVM_TDX_FINALIZE_VM, 0, 0, hw_error) ? errno : 0;
}

static int run(struct td *td, u64 *hw_error)
{
	/* Whatever the exit shows after this was written by KVM. */
	tdvmcall_poison_exit(td->vcpu);
	return __vcpu_run(td->vcpu) ? errno : 0;
}

static int pre_fault(struct td *td, u64 *hw_error)
{
	struct kvm_pre_fault_memory range = { .gpa = FAULT_GPA, .size = PAGE_SIZE };

	return __vcpu_ioctl(td->vcpu, KVM_PRE_FAULT_MEMORY, &range) ? errno : 0;
}

/* Makes the page shared: KVM must remove the private page. */
static int zap(struct td *td, u64 *hw_error)
{
	struct kvm_memory_attributes attributes = {
		.address = FAULT_GPA,
		.size = PAGE_SIZE,
	};

	return __vm_ioctl(td->vm, KVM_SET_MEMORY_ATTRIBUTES, &attributes) ? errno : 0;
}

static const struct {
	const char *name;
	int (*fn)(struct td *td, u64 *hw_error);
} steps[] = {
	{ "creation of TD and vCPU",	create },
	{ "KVM_TDX_INIT_VCPU",		init_vcpu },
	{ "KVM_TDX_INIT_MEM_REGION",	add_page },
	{ "all other initial memory",	add_memory },
	{ "KVM_TDX_FINALIZE_VM",	finalize },
	{ "KVM_RUN",			run },
	{ "KVM_PRE_FAULT_MEMORY",	pre_fault },
	{ "KVM_SET_MEMORY_ATTRIBUTES",	zap },
};

/* A refusal, and what the step returns then. */
struct refusal {
	int (*step)(struct td *td, u64 *hw_error);
	const char *leaf;
	u64 status;
	u32 times;		/* calls of the leaf that are refused */
	u32 nth;		/* number of the first refused call, 0: 1 */
	u32 calls;		/* number of calls by KVM, 0: one more than are refused */
	int want_errno;
	u64 want_hw_error;
	u32 want_exit;		/* exit reason of KVM_RUN, 0: a ucall */
	u64 want_detail;	/* of that exit */
	u16 want_flags;		/* kvm_run.flags, whatever the exit */
	bool needs_bus_lock_exit;	/* which not every KVM has for TDs */
	bool warns;
	bool dead;		/* KVM gives the VM up, and warns */
};

static void check_cpu(u64 cpu)
{
	const u64 nr_cpus = sysconf(_SC_NPROCESSORS_CONF);

	TEST_ASSERT(cpu < nr_cpus, "wanted a CPU, got 0x%lx", cpu);
}

static u64 exit_detail(const struct kvm_run *run)
{
	switch (run->exit_reason) {
	case KVM_EXIT_INTERNAL_ERROR:
		TEST_ASSERT_EQ(run->internal.suberror,
			       KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON);
		TEST_ASSERT_EQ(run->internal.ndata, 2);
		check_cpu(run->internal.data[1]);
		return run->internal.data[0];
	case KVM_EXIT_FAIL_ENTRY:
		check_cpu(run->fail_entry.cpu);
		return run->fail_entry.hardware_entry_failure_reason;
	case KVM_EXIT_EXCEPTION:
		return (u64)run->ex.error_code << 32 | run->ex.exception;
	default:
		return 0;
	}
}

static void check_run(struct td *td, u32 want_exit, u64 want_detail, u16 want_flags)
{
	struct kvm_run *run = td->vcpu->run;
	struct ucall uc;

	TEST_ASSERT(run->flags == want_flags, "KVM_RUN: wanted flags 0x%x, got 0x%x", want_flags,
		    run->flags);
	if (want_exit) {
		TEST_ASSERT(run->exit_reason == want_exit, "KVM_RUN: wanted %s, got %s",
			    exit_reason_str(want_exit), exit_reason_str(run->exit_reason));
		TEST_ASSERT(exit_detail(run) == want_detail, "%s: wanted 0x%lx, got 0x%lx",
			    exit_reason_str(want_exit), want_detail, exit_detail(run));
		return;
	}

	TEST_ASSERT(get_ucall(td->vcpu, &uc) == UCALL_SYNC, "KVM_RUN: wanted a ucall, got %s",
		    exit_reason_str(run->exit_reason));
	TEST_ASSERT_EQ(uc.args[0], SYNC_VALUE);
}

static void succeed(struct td *td, int (*step)(struct td *, u64 *), const char *name)
{
	u64 hw_error = 0;
	int r = step(td, &hw_error);

	errno = r;
	TEST_ASSERT(!r && !hw_error, "%s: wanted success, got errno %d, status 0x%lx", name,
		    r, hw_error);
	if (step == run)
		check_run(td, 0, 0, 0);
}

static void check_calls(const struct refusal *refusal)
{
	u32 want_calls = refusal->calls ?: refusal->times + (refusal->nth ?: 1);
	u32 calls, refused;

	tdx_sim_refused(&calls, &refused);
	TEST_ASSERT(refused == refusal->times, "%s: wanted %u refused calls, got %u of %u",
		    refusal->leaf, refusal->times, refused, calls);
	TEST_ASSERT(refusal->calls ? calls == want_calls : calls >= want_calls,
		    "%s: wanted %s%u calls, got %u", refusal->leaf,
		    refusal->calls ? "" : "at least ", want_calls, calls);
}

/* Take the step while the module refuses. */
static void be_refused(struct td *td, const struct refusal *refusal, const char *name)
{
	u64 hw_error = 0;
	int r;

	tdx_sim_refuse(refusal->leaf, refusal->nth ?: 1, refusal->status, refusal->times);
	r = refusal->step(td, &hw_error);
	check_calls(refusal);
	tdx_sim_refuse_none();

	errno = r;
	TEST_ASSERT(r == refusal->want_errno, "%s: wanted errno %d (%s), got %d", name,
		    refusal->want_errno, strerror(refusal->want_errno), r);
	TEST_ASSERT(hw_error == refusal->want_hw_error, "%s: wanted status 0x%lx, got 0x%lx",
		    name, refusal->want_hw_error, hw_error);
	if (refusal->step == run && !refusal->want_errno)
		check_run(td, refusal->want_exit, refusal->want_detail,
			  refusal->want_flags);
}

/* After a bug KVM refuses everything to the VM. */
static void check_dead(struct td *td)
{
	u64 hw_error;

	TEST_ASSERT_EQ(finalize(td, &hw_error), EIO);
	if (td->vcpu)
		TEST_ASSERT_EQ(run(td, &hw_error), EIO);
}

FIXTURE(fault)
{
	struct td td;
	char *holdings;
};

FIXTURE_VARIANT(fault)
{
	struct refusal refusal;
};

#define FAULT(name, ...) \
FIXTURE_VARIANT_ADD(fault, name) { .refusal = { __VA_ARGS__ } }

#define NO_ENTROPY(leaf_name)							\
	.leaf = leaf_name, .status = TDX_RND_NO_ENTROPY,			\
	.times = ENTROPY_CALLS - 1

#define NO_ENTROPY_AT_ALL(leaf_name)						\
	.leaf = leaf_name, .status = TDX_RND_NO_ENTROPY,			\
	.times = ENTROPY_CALLS, .calls = ENTROPY_CALLS

#define BUSY(leaf_name, operand, nr)						\
	.leaf = leaf_name, .status = TDX_OPERAND_BUSY | TDX_OPERAND_ID_##operand, .times = nr

/* The kernel calls ten times for entropy.  Where KVM returns EAGAIN userspace repeats. */
FAULT(mng_create_entropy, .step = init_vm, NO_ENTROPY("TDH_MNG_CREATE"),
	.calls = ENTROPY_CALLS);
FAULT(mng_create_no_entropy, .step = init_vm, NO_ENTROPY_AT_ALL("TDH_MNG_CREATE"),
	.want_errno = EAGAIN);
FAULT(mng_key_config_entropy, .step = init_vm, NO_ENTROPY("TDH_MNG_KEY_CONFIG"));
FAULT(mng_addcx_no_entropy, .step = init_vm, NO_ENTROPY_AT_ALL("TDH_MNG_ADDCX"),
	.want_errno = EAGAIN);
FAULT(mng_addcx_4th_no_entropy, .step = init_vm, .leaf = "TDH_MNG_ADDCX", .nth = 4,
	.status = TDX_RND_NO_ENTROPY, .times = ENTROPY_CALLS, .calls = ENTROPY_CALLS + 3,
	.want_errno = EAGAIN);
FAULT(mng_init_entropy, .step = init_vm, NO_ENTROPY("TDH_MNG_INIT"),
	.calls = ENTROPY_CALLS);
FAULT(vp_create_entropy, .step = init_vcpu, NO_ENTROPY("TDH_VP_CREATE"),
	.calls = ENTROPY_CALLS);
FAULT(vp_addcx_entropy, .step = init_vcpu, NO_ENTROPY("TDH_VP_ADDCX"));
FAULT(vp_init_entropy, .step = init_vcpu, NO_ENTROPY("TDH_VP_INIT"), .calls = ENTROPY_CALLS);

/* A mistake of userspace is reported with its operand. */
FAULT(mng_init_invalid, .step = init_vm, .leaf = "TDH_MNG_INIT", .times = 1, .calls = 1,
	.status = TDX_OPERAND_INVALID | TDX_OPERAND_ID_CPUID_CONFIG, .want_errno = EINVAL,
	.want_hw_error = TDX_OPERAND_INVALID | TDX_OPERAND_ID_CPUID_CONFIG);

/* KVM repeats a fault until the module is not busy, but not the end of the measurement. */
FAULT(mem_sept_add_busy, .step = add_page, BUSY("TDH_MEM_SEPT_ADD", SEPT, 1));
FAULT(mem_sept_add_2nd_busy, .step = add_page, BUSY("TDH_MEM_SEPT_ADD", RCX, 3),
	.nth = 2);
FAULT(mem_page_add_busy, .step = add_page, BUSY("TDH_MEM_PAGE_ADD", RDX, 3),
	.calls = 4);
FAULT(mr_finalize_busy, .step = finalize, BUSY("TDH_MR_FINALIZE", RCX, 1), .calls = 1,
	.want_errno = EBUSY, .want_hw_error = TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX);
FAULT(mem_sept_add_fault_busy, .step = pre_fault, BUSY("TDH_MEM_SEPT_ADD", SEPT, 5));
FAULT(mem_page_aug_busy, .step = pre_fault, BUSY("TDH_MEM_PAGE_AUG", R8, 5),
	.calls = 6);

/* Calls that must not fail: KVM stops all vCPUs of the TD and repeats the call once. */
FAULT(mem_range_block_busy, .step = zap, BUSY("TDH_MEM_RANGE_BLOCK", SEPT, 1),
	.calls = 2);
FAULT(mem_track_busy, .step = zap, BUSY("TDH_MEM_TRACK", TD_EPOCH, 1), .calls = 2);
FAULT(mem_page_remove_busy, .step = zap, BUSY("TDH_MEM_PAGE_REMOVE", SEPT, 1),
	.calls = 2);

/* KVM enters a vCPU again if its TD or secure EPT was busy.  Anything else is an exit. */
FAULT(vp_enter_busy_sept, .step = run, BUSY("TDH_VP_ENTER", SEPT, 1));
FAULT(vp_enter_busy_epoch, .step = run, BUSY("TDH_VP_ENTER", TD_EPOCH, 7));

/* TDH.VP.ENTER gives @code once. */
#define ENTER(code)								\
	.step = run, .leaf = "TDH_VP_ENTER", .times = 1, .calls = 1, .status = (code)

/* KVM does not know the status; see above for the warning. */
#define ENTER_UNEXPECTED(code)							\
	ENTER(code), .want_exit = KVM_EXIT_INTERNAL_ERROR,			\
	.want_detail = (code), .warns = true

FAULT(vp_enter_invalid, ENTER_UNEXPECTED(TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX));
FAULT(vp_enter_td_fatal, ENTER_UNEXPECTED(TDX_TD_FATAL));
FAULT(vp_enter_vcpu_associated, ENTER_UNEXPECTED(TDX_VCPU_ASSOCIATED));

/* Bits 31:0 are an exit reason. */
FAULT(vp_enter_non_recoverable_td,
	ENTER_UNEXPECTED(TDX_NON_RECOVERABLE_TD | EXIT_REASON_EPT_VIOLATION));
FAULT(vp_enter_non_accessible, ENTER_UNEXPECTED(TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE));
FAULT(vp_enter_wrong_apic_mode, ENTER_UNEXPECTED(TDX_NON_RECOVERABLE_TD_WRONG_APIC_MODE));
FAULT(vp_enter_triple_fault, ENTER(TDX_NON_RECOVERABLE_VCPU | EXIT_REASON_TRIPLE_FAULT),
	.want_exit = KVM_EXIT_SHUTDOWN);
/* Without an error they are exits of a TD that runs. */
FAULT(vp_enter_exception, ENTER(EXIT_REASON_EXCEPTION_NMI), .want_exit = KVM_EXIT_EXCEPTION);
FAULT(vp_enter_other_smi, .step = run, .leaf = "TDH_VP_ENTER", .times = 3,
	.status = EXIT_REASON_OTHER_SMI);
FAULT(vp_enter_unknown_reason, ENTER_UNEXPECTED(EXIT_REASON_GETSEC));
FAULT(vp_enter_failed, ENTER(TDX_NON_RECOVERABLE_TD | FAILED_ENTRY),
	.want_exit = KVM_EXIT_FAIL_ENTRY, .want_detail = FAILED_ENTRY);

/* A KVM that does not have these exits for TDs ends with an internal error, and warns. */
#define ENTER_BUS_LOCK(code, exit)						\
	ENTER(code), .want_exit = exit, .want_flags = KVM_RUN_X86_BUS_LOCK,	\
	.needs_bus_lock_exit = true

/* KVM only counts exits for the notify window, unless userspace has asked for them. */
FAULT(vp_enter_notify, .step = run, .leaf = "TDH_VP_ENTER", .times = 3,
	.status = EXIT_REASON_NOTIFY, .needs_bus_lock_exit = true);
/* A bus lock is an exit of its own, or a flag of another exit. */
FAULT(vp_enter_bus_lock, ENTER_BUS_LOCK(EXIT_REASON_BUS_LOCK, KVM_EXIT_X86_BUS_LOCK));
FAULT(vp_enter_smi_with_bus_lock,
	ENTER_BUS_LOCK(BUS_LOCK_DETECTED | EXIT_REASON_OTHER_SMI, KVM_EXIT_X86_BUS_LOCK));
FAULT(vp_enter_exception_with_bus_lock,
	ENTER_BUS_LOCK(BUS_LOCK_DETECTED | EXIT_REASON_EXCEPTION_NMI, KVM_EXIT_EXCEPTION));

/*
 * No TDX module says these.  An EPT misconfiguration of a TD without an error is one of
 * KVM's own tables, and RAX of all ones above bit 31 is a fault of SEAMCALL itself.
 */
FAULT(vp_enter_ept_misconfig, ENTER(EXIT_REASON_EPT_MISCONFIG), .want_errno = EIO,
	.dead = true);
FAULT(vp_enter_seamcall_fault, ENTER(SEAMCALL_FAULT), .dead = true,
	.want_exit = KVM_EXIT_INTERNAL_ERROR, .want_detail = SEAMCALL_FAULT);

/* TDX_BUG_ON(): no state of the TD that KVM knows of explains the status. */
FAULT(mng_key_config_no_entropy, .step = init_vm, NO_ENTROPY_AT_ALL("TDH_MNG_KEY_CONFIG"),
	.want_errno = EIO, .dead = true);
FAULT(mng_init_no_entropy, .step = init_vm, NO_ENTROPY_AT_ALL("TDH_MNG_INIT"),
	.want_errno = EIO, .dead = true);
FAULT(vp_create_no_entropy, .step = init_vcpu, NO_ENTROPY_AT_ALL("TDH_VP_CREATE"),
	.want_errno = EIO, .dead = true);
FAULT(vp_addcx_3rd_no_entropy, .step = init_vcpu, .leaf = "TDH_VP_ADDCX", .nth = 3,
	.status = TDX_RND_NO_ENTROPY, .times = ENTROPY_CALLS, .calls = ENTROPY_CALLS + 2,
	.want_errno = EIO, .dead = true);
FAULT(vp_init_no_entropy, .step = init_vcpu, NO_ENTROPY_AT_ALL("TDH_VP_INIT"),
	.want_errno = EIO, .dead = true);
FAULT(mem_page_add_state, .step = add_page, .leaf = "TDH_MEM_PAGE_ADD", .times = 1,
	.calls = 1, .status = TDX_EPT_ENTRY_STATE_INCORRECT | TDX_OPERAND_ID_RCX, .want_errno = EIO,
	.dead = true);
FAULT(mr_finalize_op_state, .step = finalize, .leaf = "TDH_MR_FINALIZE", .times = 1,
	.calls = 1, .status = TDX_OP_STATE_INCORRECT, .want_errno = EIO,
	.want_hw_error = TDX_OP_STATE_INCORRECT, .dead = true);
FAULT(mem_sept_add_state, .step = pre_fault, .leaf = "TDH_MEM_SEPT_ADD", .times = 1,
	.calls = 1, .status = TDX_EPT_ENTRY_STATE_INCORRECT | TDX_OPERAND_ID_RCX, .want_errno = EIO,
	.dead = true);
FAULT(mem_page_aug_walk_failed, .step = pre_fault, .leaf = "TDH_MEM_PAGE_AUG", .times = 1,
	.calls = 1, .status = TDX_EPT_WALK_FAILED | TDX_OPERAND_ID_RCX, .want_errno = EIO,
	.dead = true);

FIXTURE_SETUP(fault)
{
	if (!tdx_sim_has("fault"))
		SKIP(return, TDX_SIM_SKIP_REASON);
	if ((variant->refusal.warns || variant->refusal.dead) && !tdx_may_warn())
		SKIP(return, TDX_WARN_REASON);
	if (variant->refusal.needs_bus_lock_exit && tdx_kvm_lacks(TDX_KVM_BUS_LOCK_EXIT))
		SKIP(return, TDX_KVM_LACKS_REASON);

	/* A case that failed may have left its request. */
	tdx_sim_refuse_none();
	self->holdings = tdx_sim_holdings();
}

FIXTURE_TEARDOWN(fault)
{
}

TDX_TEST_F(fault, refused)
{
	const struct refusal *refusal = &variant->refusal;
	struct td *td = &self->td;
	char *holdings;
	size_t i;

	if (refusal->step == init_vm) {
		be_refused(td, refusal, "KVM_TDX_INIT_VM");
		if (refusal->want_errno && !refusal->dead)
			succeed(td, init_vm, "KVM_TDX_INIT_VM again");
	}

	for (i = 0; refusal->step != init_vm && i < ARRAY_SIZE(steps); i++) {
		if (steps[i].fn == refusal->step) {
			be_refused(td, refusal, steps[i].name);
			if (refusal->dead) {
				check_dead(td);
				break;
			}
			/* The step is done, unless it ended with an error or an exit. */
			if (!refusal->want_errno && !refusal->want_exit)
				continue;
		}
		succeed(td, steps[i].fn, steps[i].name);
	}

	kvm_vm_free(td->vm);

	holdings = tdx_sim_holdings();
	TEST_ASSERT(!strcmp(self->holdings, holdings),
		    "the TD is gone: wanted the module to hold\n%sgot\n%s", self->holdings,
		    holdings);
	free(holdings);
	free(self->holdings);
}

TDX_TEST_MAIN()
