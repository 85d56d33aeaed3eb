// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEAMCALLs that the TDX module refuses at a place where no state of the TD that KVM
 * knows of explains it: a bug of KVM or of the module.  The command fails, KVM warns once
 * and refuses every further command to the VM.  No call comes after the refused one, so
 * that nothing is finalized or measured by half.  The VM can be destroyed, and gives back
 * all that it took.  What the module keeps at the end of a TD KVM keeps too, and goes on
 * counting: another TD must not get it.
 *
 * KVM has such a place for each call of each leaf.  The cases name the statuses that the
 * module's ABI has there.  The cases of tdx_fault_test are about the same places where
 * KVM repeats a call, or userspace may.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdcall.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_refusal.h"
#include "tdx/tdx_sim.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_warning.h"

/* Calls of TDH.MNG.ADDCX for a TD, and of TDH.VP.ADDCX for a vCPU. */
#define NR_TDCX		6
#define NR_VCPU_TDCX	5

#define MAX_SIGNALS	100

#define BUSY(operand)		(TDX_OPERAND_BUSY | TDX_OPERAND_ID_##operand)
#define INVALID(operand)	(TDX_OPERAND_INVALID | TDX_OPERAND_ID_##operand)
#define WRONG_PAGE(operand)	(TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_##operand)

FIXTURE(fault_bug)
{
	struct tdx_refusal_host host;
};

FIXTURE_VARIANT(fault_bug)
{
	struct tdx_refusal refusal;
};

#define REFUSAL(name, step_name, leaf_name, ...)				\
FIXTURE_VARIANT_ADD(fault_bug, name) {						\
	.refusal = { .step = tdx_step_##step_name, .leaf = leaf_name, __VA_ARGS__ } \
}

/* The command is EIO.  KVM_TDX_FINALIZE_VM gives the status to userspace as well. */
#define FATAL(name, step_name, leaf_name, code, ...)				\
REFUSAL(name, step_name, leaf_name, .status = (code), .want_errno = EIO, .dead = true, \
	__VA_ARGS__)

/* The refused call is the last one of its leaf. */
#define NTH(n)			.nth = (n), .calls = (n)

FATAL(mng_create_busy, init_vm, "TDH_MNG_CREATE", BUSY(RCX), NTH(1));
FATAL(mng_create_page, init_vm, "TDH_MNG_CREATE", WRONG_PAGE(RCX), NTH(1));
FATAL(mng_create_hkid, init_vm, "TDH_MNG_CREATE", TDX_HKID_NOT_FREE, NTH(1));
FATAL(mng_key_config_busy, init_vm, "TDH_MNG_KEY_CONFIG", BUSY(KOT), NTH(1));
FATAL(mng_key_config_failed, init_vm, "TDH_MNG_KEY_CONFIG", TDX_KEY_GENERATION_FAILED, NTH(1));
/* No error, but no success either. */
FATAL(mng_key_config_done, init_vm, "TDH_MNG_KEY_CONFIG", TDX_KEY_CONFIGURED, NTH(1),
	.logged = true);
FATAL(mng_addcx_busy, init_vm, "TDH_MNG_ADDCX", BUSY(RDX), NTH(1));
FATAL(mng_addcx_page, init_vm, "TDH_MNG_ADDCX", WRONG_PAGE(RCX), NTH(3));
FATAL(mng_addcx_last, init_vm, "TDH_MNG_ADDCX", TDX_TDCX_NUM_INCORRECT, NTH(NR_TDCX));
FATAL(mng_init_busy, init_vm, "TDH_MNG_INIT", BUSY(RCX), NTH(1));
FATAL(mng_init_state, init_vm, "TDH_MNG_INIT", TDX_OP_STATE_INCORRECT, NTH(1));

/* An operand of userspace is invalid.  The VM lives on, and the command can be repeated. */
#define MNG_INIT_INVALID(name, operand)						\
REFUSAL(mng_init_##name, init_vm, "TDH_MNG_INIT", .status = INVALID(operand), NTH(1), \
	.want_errno = EINVAL, .want_hw_error = INVALID(operand))

MNG_INIT_INVALID(attributes, ATTRIBUTES);
MNG_INIT_INVALID(xfam, XFAM);
MNG_INIT_INVALID(max_vcpus, MAX_VCPUS);
MNG_INIT_INVALID(eptp_controls, EPTP_CONTROLS);
MNG_INIT_INVALID(tsc_frequency, TSC_FREQUENCY);

FATAL(vp_create_busy, init_vcpu, "TDH_VP_CREATE", BUSY(RDX), NTH(1));
FATAL(vp_create_page, init_vcpu, "TDH_VP_CREATE", WRONG_PAGE(RCX), NTH(1));
FATAL(vp_create_fatal, init_vcpu, "TDH_VP_CREATE", TDX_TD_FATAL, NTH(1));
FATAL(vp_addcx_busy, init_vcpu, "TDH_VP_ADDCX", BUSY(RDX), NTH(1));
FATAL(vp_addcx_last, init_vcpu, "TDH_VP_ADDCX", WRONG_PAGE(RCX), NTH(NR_VCPU_TDCX));
FATAL(vp_init_busy, init_vcpu, "TDH_VP_INIT", BUSY(TDR), NTH(1));
FATAL(vp_init_pages, init_vcpu, "TDH_VP_INIT", TDX_TDCX_NUM_INCORRECT, NTH(1));
FATAL(vp_create_second, init_second, "TDH_VP_CREATE", BUSY(RDX), NTH(1), .nr_vcpus = 2);
FATAL(vp_addcx_second, init_second, "TDH_VP_ADDCX", BUSY(RDX), NTH(2), .nr_vcpus = 2);
FATAL(vp_init_second_busy, init_second, "TDH_VP_INIT", BUSY(TDR), NTH(1), .nr_vcpus = 2);
FATAL(vp_init_second_x2apic, init_second, "TDH_VP_INIT", TDX_X2APIC_ID_NOT_UNIQUE, NTH(1),
	.nr_vcpus = 2);
FATAL(vp_init_second_max_vcpus, init_second, "TDH_VP_INIT", TDX_MAX_VCPUS_EXCEEDED, NTH(1),
	.nr_vcpus = 2);

/* A page of a new secure EPT needs three tables, of which each is added for itself. */
FATAL(mem_sept_add_1st, add_page, "TDH_MEM_SEPT_ADD", WRONG_PAGE(R8), NTH(1));
FATAL(mem_sept_add_2nd, add_page, "TDH_MEM_SEPT_ADD", TDX_EPT_WALK_FAILED | TDX_OPERAND_ID_RCX,
	NTH(2));
FATAL(mem_sept_add_3rd, add_page, "TDH_MEM_SEPT_ADD", TDX_TD_FATAL, NTH(3));
FATAL(mem_page_add_page, add_page, "TDH_MEM_PAGE_ADD", WRONG_PAGE(R8), NTH(1));
FATAL(mem_page_add_source, add_page, "TDH_MEM_PAGE_ADD", INVALID(R9), NTH(1));
FATAL(mem_page_add_2nd, measure, "TDH_MEM_PAGE_ADD", WRONG_PAGE(R8), NTH(2),
	.want_measured = 1);

/* KVM repeats no measurement, since it would count twice. */
FATAL(mr_extend_1st, measure, "TDH_MR_EXTEND", BUSY(RDX), NTH(1));
FATAL(mr_extend_middle, measure, "TDH_MR_EXTEND", TDX_EPT_ENTRY_NOT_PRESENT | TDX_OPERAND_ID_RCX,
	NTH(TDX_STEPS_EXTENDS / 2));
FATAL(mr_extend_end_of_page, measure, "TDH_MR_EXTEND", BUSY(RDX), NTH(TDX_STEPS_EXTENDS));
FATAL(mr_extend_2nd_page, measure, "TDH_MR_EXTEND", TDX_OP_STATE_INCORRECT,
	NTH(TDX_STEPS_EXTENDS + 1), .want_measured = 1);
FATAL(mr_extend_last, measure, "TDH_MR_EXTEND", INVALID(RCX),
	NTH(TDX_STEPS_EXTENDS * TDX_STEPS_MEASURED), .want_measured = 1);

FATAL(mr_finalize_no_vcpus, finalize, "TDH_MR_FINALIZE", TDX_NO_VCPUS, NTH(1),
	.want_hw_error = TDX_NO_VCPUS);
FATAL(mr_finalize_fatal, finalize, "TDH_MR_FINALIZE", TDX_TD_FATAL, NTH(1),
	.want_hw_error = TDX_TD_FATAL);

/* The address of the shared EPT, when KVM makes it, and an NMI. */
FATAL(vp_wr_shared_ept, add_page, "TDH_VP_WR", TDX_VCPU_ASSOCIATED, NTH(1));
FATAL(vp_wr_nmi, nmi, "TDH_VP_WR", BUSY(RCX), NTH(1));

/* KVM_PRE_FAULT_MEMORY warns of EIO too, whatever the reason. */
FATAL(mem_sept_add_fault, pre_fault, "TDH_MEM_SEPT_ADD", TDX_TD_FATAL, NTH(2),
	.finding_warns = true);
FATAL(mem_page_aug_page, pre_fault, "TDH_MEM_PAGE_AUG", WRONG_PAGE(R8), NTH(1),
	.finding_warns = true);
FATAL(mem_page_aug_state, pre_fault, "TDH_MEM_PAGE_AUG",
	TDX_EPT_ENTRY_STATE_INCORRECT | TDX_OPERAND_ID_RCX, NTH(1), .finding_warns = true);

/*
 * A page that cannot be removed.  No ioctl waits for the result: it shows in the next one.
 * The page stays with the module, which therefore keeps the TD's root page as well.  KVM
 * warns of that too.
 */
#define STUCK(name, leaf_name, code, ...)					\
REFUSAL(name, zap, leaf_name, .status = (code), .dead = true, .warnings = 2,	\
	.lost_pages = 2, .logged = true, __VA_ARGS__)

STUCK(mem_range_block_twice_busy, "TDH_MEM_RANGE_BLOCK", BUSY(SEPT), .times = 2, .calls = 2);
STUCK(mem_range_block_state, "TDH_MEM_RANGE_BLOCK",
	TDX_EPT_ENTRY_STATE_INCORRECT | TDX_OPERAND_ID_RCX, NTH(1));
STUCK(mem_range_block_done, "TDH_MEM_RANGE_BLOCK",
	TDX_GPA_RANGE_ALREADY_BLOCKED | TDX_OPERAND_ID_RCX, NTH(1));
STUCK(mem_track_twice_busy, "TDH_MEM_TRACK", BUSY(TD_EPOCH), .times = 2, .calls = 2);
STUCK(mem_track_previous, "TDH_MEM_TRACK", TDX_PREVIOUS_TLB_EPOCH_BUSY, NTH(1));
STUCK(mem_page_remove_twice_busy, "TDH_MEM_PAGE_REMOVE", BUSY(SEPT), .times = 2, .calls = 2);
STUCK(mem_page_remove_untracked, "TDH_MEM_PAGE_REMOVE",
	TDX_TLB_TRACKING_NOT_DONE | TDX_OPERAND_ID_RCX, NTH(1));

/* The page is the host's again, but its caches are not clean. */
REFUSAL(mem_page_wbinvd, zap, "TDH_PHYMEM_PAGE_WBINVD", .status = BUSY(RCX), NTH(1),
	.dead = true);

/* Without its KeyID a TD cannot be taken apart.  KVM keeps both, and the charge. */
#define LOST_KEYID(name, leaf_name, code, ...)					\
REFUSAL(name, destroy, leaf_name, .status = (code), .lost_keyids = 1, __VA_ARGS__)

LOST_KEYID(vp_flush_busy, "TDH_VP_FLUSH", BUSY(RCX), NTH(1), .warnings = 1);
LOST_KEYID(mng_vpflushdone_busy, "TDH_MNG_VPFLUSHDONE", BUSY(KOT), NTH(1), .warnings = 1);
LOST_KEYID(mng_vpflushdone_not_done, "TDH_MNG_VPFLUSHDONE", TDX_FLUSHVP_NOT_DONE, NTH(1),
	.warnings = 1);
LOST_KEYID(phymem_cache_wb_busy, "TDH_PHYMEM_CACHE_WB", BUSY(KOT), NTH(1), .warnings = 2);
LOST_KEYID(mng_key_freeid_busy, "TDH_MNG_KEY_FREEID", BUSY(KOT), NTH(1), .warnings = 1);

/* The vCPU goes to another CPU, and the module still has it on the first one in the end. */
REFUSAL(vp_flush_migration, migrate, "TDH_VP_FLUSH", .status = BUSY(RCX), NTH(1), .nr_vcpus = 2,
	.want_errno = EIO, .dead = true, .lost_keyids = 1);

/* A page that the module does not give back, and the root page of its TD. */
#define LOST_PAGE(name, step_name, code, n, lost)				\
REFUSAL(name, step_name, "TDH_PHYMEM_PAGE_RECLAIM", .status = (code), .nth = (n), \
	.calls = TDX_REFUSAL_ANY, .lost_pages = (lost), .warnings = 1)

LOST_PAGE(phymem_page_reclaim_1st, destroy, BUSY(RCX), 1, 2);
LOST_PAGE(phymem_page_reclaim_8th, destroy, TDX_LIFECYCLE_STATE_INCORRECT, 8, 2);
LOST_PAGE(phymem_page_reclaim_tdcx, init_and_destroy, BUSY(RCX), NR_TDCX, 2);
LOST_PAGE(phymem_page_reclaim_tdr, init_and_destroy, WRONG_PAGE(RCX), NR_TDCX + 1, 1);

/* The root page is the host's again, but its caches are not clean: KVM keeps it. */
REFUSAL(phymem_page_wbinvd_tdr, init_and_destroy, "TDH_PHYMEM_PAGE_WBINVD",
	.status = WRONG_PAGE(RCX), NTH(1), .warnings = 1);

/* The CPUID of a TD is metadata.  An error of a read is one of the command alone. */
REFUSAL(mng_rd_cpuid_1st, get_cpuid, "TDH_MNG_RD", .status = BUSY(RCX), .want_errno = EIO,
	.calls = TDX_REFUSAL_ANY);
REFUSAL(mng_rd_cpuid_2nd, get_cpuid, "TDH_MNG_RD", .status = BUSY(RCX), .nth = 2,
	.want_errno = EIO, .calls = TDX_REFUSAL_ANY, .warnings = 1);
REFUSAL(mng_rd_cpuid_3rd, get_cpuid, "TDH_MNG_RD", .status = BUSY(RCX), .nth = 3,
	.want_errno = EIO, .calls = TDX_REFUSAL_ANY);
TDX_FINDING(27, "fault_bug.mng_rd_cpuid_3rd.refused");

/* KVM must know the TSC of a TD, and the module where to post interrupts of a vCPU. */
FATAL(mng_rd_tsc_offset, init_vm, "TDH_MNG_RD", BUSY(RCX), .calls = TDX_REFUSAL_ANY);
FATAL(mng_rd_tsc_multiplier, init_vm, "TDH_MNG_RD", BUSY(RCX), .nth = 2,
	.calls = TDX_REFUSAL_ANY);
TDX_FINDING(25, "fault_bug.mng_rd_tsc_offset.refused");
TDX_FINDING(25, "fault_bug.mng_rd_tsc_multiplier.refused");

FATAL(vp_wr_vector, init_vcpu, "TDH_VP_WR", BUSY(RCX), .calls = TDX_REFUSAL_ANY);
FATAL(vp_wr_descriptor, init_vcpu, "TDH_VP_WR", BUSY(RCX), .nth = 2,
	.calls = TDX_REFUSAL_ANY);
FATAL(vp_wr_pin_controls, init_vcpu, "TDH_VP_WR", TDX_TD_VMCS_FIELD_NOT_INITIALIZED, .nth = 3,
	.calls = TDX_REFUSAL_ANY);
TDX_FINDING(26, "fault_bug.vp_wr_vector.refused");
TDX_FINDING(26, "fault_bug.vp_wr_descriptor.refused");
TDX_FINDING(26, "fault_bug.vp_wr_pin_controls.refused");

FIXTURE_SETUP(fault_bug)
{
	const char *reason = tdx_refusal_begin(&variant->refusal, &self->host);

	if (reason)
		SKIP(return, "%s", reason);
}

FIXTURE_TEARDOWN_PARENT(fault_bug)
{
	tdx_refusal_end(&self->host);
}

TDX_TEST_F_PARENT(fault_bug, refused)
{
	tdx_refusal_run(&variant->refusal, &self->host);
}

static void guest_halt(void)
{
	struct tdcall_regs regs;

	tdvmcall_seed_leaf(&regs, EXIT_REASON_HLT);
	regs.r12 = 0;
	tdcall_execute(&regs);
}

/* Only the module knows whether a TD that waits in HLT has an interrupt. */
TEST(vp_rd_in_hlt)
{
	struct tdx_steps td = {};
	u32 calls, refused;
	char *holdings, *after;
	u64 before, hw_error;
	int r, i;

	if (!tdx_sim_has("fault"))
		SKIP(return, TDX_SIM_SKIP_REASON);
	if (!tdx_may_announce())
		SKIP(return, TDX_WARN_REASON);

	holdings = tdx_sim_holdings();
	td.vm = tdx_vm_create(1);
	td.vcpu = tdx_vcpu_add(td.vm, 0, guest_halt);
	tdx_vm_finalize(td.vm);

	before = tdx_announce_warning("kvm/");
	tdx_sim_refuse("TDH_VP_RD", 1, BUSY(RCX), 1);
	/* A signal may end KVM_RUN before KVM looks for the interrupt. */
	for (i = 0, r = EINTR; i < MAX_SIGNALS && r == EINTR; i++)
		r = tdx_vcpu_run_with_signals(td.vcpu) ? errno : 0;
	tdx_sim_refused(&calls, &refused);
	tdx_sim_refuse_none();
	tdx_assert_value("KVM_RUN", "HLT", 0, "refused calls of TDH.VP.RD", 1, refused);
	TEST_ASSERT(r == EIO, "KVM_RUN: wanted EIO, got %s", strerror(r));
	TEST_ASSERT_EQ(tdx_step_run(&td, &hw_error), EIO);
	TEST_ASSERT_EQ(tdx_step_finalize(&td, &hw_error), EIO);

	kvm_vm_free(td.vm);
	tdx_assert_value("KVM_RUN", "HLT", 0, "warnings of the kernel", 1,
			 tdx_end_announcement(before));
	after = tdx_sim_holdings();
	TEST_ASSERT(!strcmp(holdings, after),
		    "the TD is gone: wanted the module to hold\n%sgot\n%s", holdings, after);
	free(holdings);
	free(after);
}

TDX_TEST_MAIN()
