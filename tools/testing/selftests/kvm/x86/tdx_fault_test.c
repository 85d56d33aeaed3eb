// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEAMCALLs that the TDX module refuses: which of them KVM repeats by itself, and what
 * it reports to userspace for the others.  A refused call changes nothing.  So the step
 * that failed succeeds when it is repeated, the TD runs, and neither a page nor a KeyID
 * is lost.
 *
 * KVM takes some refusals for a bug of its own: it warns and refuses every further
 * command to the VM.  tdx_fault_bug_test has the others of these.  KVM also warns about an
 * exit that it does not know, since its message contains a RIP, which it cannot read from
 * a TD.  These cases announce the warning (tdx_warning.h).
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_refusal.h"
#include "tdx/tdx_sim.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

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

FIXTURE(fault)
{
	struct tdx_refusal_host host;
};

FIXTURE_VARIANT(fault)
{
	struct tdx_refusal refusal;
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
FAULT(mng_create_entropy, .step = tdx_step_init_vm, NO_ENTROPY("TDH_MNG_CREATE"),
	.calls = ENTROPY_CALLS);
FAULT(mng_create_no_entropy, .step = tdx_step_init_vm, NO_ENTROPY_AT_ALL("TDH_MNG_CREATE"),
	.want_errno = EAGAIN);
FAULT(mng_key_config_entropy, .step = tdx_step_init_vm, NO_ENTROPY("TDH_MNG_KEY_CONFIG"));
FAULT(mng_addcx_no_entropy, .step = tdx_step_init_vm, NO_ENTROPY_AT_ALL("TDH_MNG_ADDCX"),
	.want_errno = EAGAIN);
FAULT(mng_addcx_4th_no_entropy, .step = tdx_step_init_vm, .leaf = "TDH_MNG_ADDCX", .nth = 4,
	.status = TDX_RND_NO_ENTROPY, .times = ENTROPY_CALLS, .calls = ENTROPY_CALLS + 3,
	.want_errno = EAGAIN);
FAULT(mng_init_entropy, .step = tdx_step_init_vm, NO_ENTROPY("TDH_MNG_INIT"),
	.calls = ENTROPY_CALLS);
FAULT(vp_create_entropy, .step = tdx_step_init_vcpu, NO_ENTROPY("TDH_VP_CREATE"),
	.calls = ENTROPY_CALLS);
FAULT(vp_addcx_entropy, .step = tdx_step_init_vcpu, NO_ENTROPY("TDH_VP_ADDCX"));
FAULT(vp_init_entropy, .step = tdx_step_init_vcpu, NO_ENTROPY("TDH_VP_INIT"),
	.calls = ENTROPY_CALLS);

/* A mistake of userspace is reported with its operand. */
FAULT(mng_init_invalid, .step = tdx_step_init_vm, .leaf = "TDH_MNG_INIT", .times = 1, .calls = 1,
	.status = TDX_OPERAND_INVALID | TDX_OPERAND_ID_CPUID_CONFIG, .want_errno = EINVAL,
	.want_hw_error = TDX_OPERAND_INVALID | TDX_OPERAND_ID_CPUID_CONFIG);

/* KVM repeats a fault until the module is not busy, but not the end of the measurement. */
FAULT(mem_sept_add_busy, .step = tdx_step_add_page, BUSY("TDH_MEM_SEPT_ADD", SEPT, 1));
FAULT(mem_sept_add_2nd_busy, .step = tdx_step_add_page, BUSY("TDH_MEM_SEPT_ADD", RCX, 3),
	.nth = 2);
FAULT(mem_page_add_busy, .step = tdx_step_add_page, BUSY("TDH_MEM_PAGE_ADD", RDX, 3),
	.calls = 4);
FAULT(mr_finalize_busy, .step = tdx_step_finalize, BUSY("TDH_MR_FINALIZE", RCX, 1), .calls = 1,
	.want_errno = EBUSY, .want_hw_error = TDX_OPERAND_BUSY | TDX_OPERAND_ID_RCX);
FAULT(mem_sept_add_fault_busy, .step = tdx_step_pre_fault, BUSY("TDH_MEM_SEPT_ADD", SEPT, 5));
FAULT(mem_page_aug_busy, .step = tdx_step_pre_fault, BUSY("TDH_MEM_PAGE_AUG", R8, 5),
	.calls = 6);

/* Calls that must not fail: KVM stops all vCPUs of the TD and repeats the call once. */
FAULT(mem_range_block_busy, .step = tdx_step_zap, BUSY("TDH_MEM_RANGE_BLOCK", SEPT, 1),
	.calls = 2);
FAULT(mem_track_busy, .step = tdx_step_zap, BUSY("TDH_MEM_TRACK", TD_EPOCH, 1), .calls = 2);
FAULT(mem_page_remove_busy, .step = tdx_step_zap, BUSY("TDH_MEM_PAGE_REMOVE", SEPT, 1),
	.calls = 2);

/* KVM enters a vCPU again if its TD or secure EPT was busy.  Anything else is an exit. */
FAULT(vp_enter_busy_sept, .step = tdx_step_run, BUSY("TDH_VP_ENTER", SEPT, 1));
FAULT(vp_enter_busy_epoch, .step = tdx_step_run, BUSY("TDH_VP_ENTER", TD_EPOCH, 7));

/* TDH.VP.ENTER gives @code once. */
#define ENTER(code)								\
	.step = tdx_step_run, .leaf = "TDH_VP_ENTER", .times = 1, .calls = 1, .status = (code)

/* KVM does not know the status; see above for the warning. */
#define ENTER_UNEXPECTED(code)							\
	ENTER(code), .want_exit = KVM_EXIT_INTERNAL_ERROR,			\
	.want_detail = (code), .finding_warns = true

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
FAULT(vp_enter_other_smi, .step = tdx_step_run, .leaf = "TDH_VP_ENTER", .times = 3,
	.status = EXIT_REASON_OTHER_SMI);
FAULT(vp_enter_unknown_reason, ENTER_UNEXPECTED(EXIT_REASON_GETSEC));
FAULT(vp_enter_failed, ENTER(TDX_NON_RECOVERABLE_TD | FAILED_ENTRY),
	.want_exit = KVM_EXIT_FAIL_ENTRY, .want_detail = FAILED_ENTRY);

/* A KVM that does not have these exits for TDs ends with an internal error, and warns. */
#define ENTER_BUS_LOCK(code, exit)						\
	ENTER(code), .want_exit = exit, .want_flags = KVM_RUN_X86_BUS_LOCK,	\
	.needs_bus_lock_exit = true

/* KVM only counts exits for the notify window, unless userspace has asked for them. */
FAULT(vp_enter_notify, .step = tdx_step_run, .leaf = "TDH_VP_ENTER", .times = 3,
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
FAULT(vp_enter_seamcall_fault, ENTER(SEAMCALL_FAULT), .dead = true, .finding_warns = true,
	.want_exit = KVM_EXIT_INTERNAL_ERROR, .want_detail = SEAMCALL_FAULT);

/* TDX_BUG_ON(): no state of the TD that KVM knows of explains the status. */
FAULT(mng_key_config_no_entropy, .step = tdx_step_init_vm, NO_ENTROPY_AT_ALL("TDH_MNG_KEY_CONFIG"),
	.want_errno = EIO, .dead = true);
FAULT(mng_init_no_entropy, .step = tdx_step_init_vm, NO_ENTROPY_AT_ALL("TDH_MNG_INIT"),
	.want_errno = EIO, .dead = true);
FAULT(vp_create_no_entropy, .step = tdx_step_init_vcpu, NO_ENTROPY_AT_ALL("TDH_VP_CREATE"),
	.want_errno = EIO, .dead = true);
FAULT(vp_addcx_3rd_no_entropy, .step = tdx_step_init_vcpu, .leaf = "TDH_VP_ADDCX", .nth = 3,
	.status = TDX_RND_NO_ENTROPY, .times = ENTROPY_CALLS, .calls = ENTROPY_CALLS + 2,
	.want_errno = EIO, .dead = true);
FAULT(vp_init_no_entropy, .step = tdx_step_init_vcpu, NO_ENTROPY_AT_ALL("TDH_VP_INIT"),
	.want_errno = EIO, .dead = true);
FAULT(mem_page_add_state, .step = tdx_step_add_page, .leaf = "TDH_MEM_PAGE_ADD", .times = 1,
	.calls = 1, .status = TDX_EPT_ENTRY_STATE_INCORRECT | TDX_OPERAND_ID_RCX, .want_errno = EIO,
	.dead = true);
FAULT(mr_finalize_op_state, .step = tdx_step_finalize, .leaf = "TDH_MR_FINALIZE", .times = 1,
	.calls = 1, .status = TDX_OP_STATE_INCORRECT, .want_errno = EIO,
	.want_hw_error = TDX_OP_STATE_INCORRECT, .dead = true);
/* KVM_PRE_FAULT_MEMORY warns of EIO too, whatever the reason. */
FAULT(mem_sept_add_state, .step = tdx_step_pre_fault, .leaf = "TDH_MEM_SEPT_ADD", .times = 1,
	.calls = 1, .status = TDX_EPT_ENTRY_STATE_INCORRECT | TDX_OPERAND_ID_RCX, .want_errno = EIO,
	.dead = true, .finding_warns = true);
FAULT(mem_page_aug_walk_failed, .step = tdx_step_pre_fault, .leaf = "TDH_MEM_PAGE_AUG", .times = 1,
	.calls = 1, .status = TDX_EPT_WALK_FAILED | TDX_OPERAND_ID_RCX, .want_errno = EIO,
	.dead = true, .finding_warns = true);

FIXTURE_SETUP(fault)
{
	const char *reason = tdx_refusal_begin(&variant->refusal, &self->host);

	if (reason)
		SKIP(return, "%s", reason);
}

FIXTURE_TEARDOWN_PARENT(fault)
{
	tdx_refusal_end(&self->host);
}

TDX_TEST_F_PARENT(fault, refused)
{
	tdx_refusal_run(&variant->refusal, &self->host);
}

/* Requests that the module must not take: it would answer something else. */
static const char * const bad_requests[] = {
	"TDH_VP_ENTER",
	"TDH_VP_ENTER 1",
	"TDH_VP_NONE 1 75",
	"TDH_VP_ENTER 0 75",
	"TDH_VP_ENTER 1 TDX_NONE",
	"TDH_VP_ENTER 1 75 0",
	"TDH_VP_ENTER 1 75 1 1",
	"TDH_VP_ENTER 1 75 RCX",
	"TDH_VP_ENTER 1 75 1 RCX",
	"TDH_VP_ENTER 1 75 1 RCX=",
	"TDH_VP_ENTER 1 75 1 RBX=1",
	"TDH_VP_ENTER 1 75 1 RAX=1",
	"TDH_VP_ENTER 1 75+",
	"TDH_VP_ENTER 1 75+0",
	"TDH_VP_ENTER 1 75+0x4000000 1 RCX=1",
};

TEST(bad_request)
{
	char *requests;
	size_t i;

	if (!tdx_sim_has("fault"))
		SKIP(return, TDX_SIM_SKIP_REASON);

	tdx_sim_refuse_none();
	for (i = 0; i < ARRAY_SIZE(bad_requests); i++)
		TEST_ASSERT(!tdx_sim_takes("fault", bad_requests[i]),
			    "'%s': wanted a refusal", bad_requests[i]);

	requests = tdx_sim_read("fault");
	TEST_ASSERT(!*requests, "wanted no request, got '%s'", requests);
	free(requests);
}

/* Reading shows a request as it was written, and what came of it. */
TEST(good_request)
{
	static const char * const shown[] = {
		"TDH_VP_ENTER 2 0x000000000000004b 3 RCX=0x1 R9=0x80000202: 0 calls, 0 refused\n",
		"TDH_VP_ENTER 1 0x000000000000004d+0x4000000 1: 0 calls, 0 marked\n",
	};
	char *requests;

	if (!tdx_sim_has("fault"))
		SKIP(return, TDX_SIM_SKIP_REASON);

	tdx_sim_refuse_with_regs("TDH_VP_ENTER", 2, EXIT_REASON_NOTIFY, 3, "RCX=1 R9=0x80000202");
	tdx_sim_mark("TDH_VP_ENTER", 1, 77, BUS_LOCK_DETECTED, 1);
	requests = tdx_sim_read("fault");
	tdx_sim_refuse_none();
	TEST_ASSERT(!strncmp(requests, shown[0], strlen(shown[0])) &&
		    !strcmp(requests + strlen(shown[0]), shown[1]),
		    "wanted\n%s%sgot\n%s", shown[0], shown[1], requests);
	free(requests);
}

TDX_TEST_MAIN()
