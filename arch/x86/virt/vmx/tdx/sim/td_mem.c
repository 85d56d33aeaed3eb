// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: guest physical addresses without a translation.
 *
 * The same rules decide for an access that the CPU made and for the memory
 * operand of a TDCALL ("EPT violations", base architecture).
 */
#include <asm/trap_pf.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "sept.h"
#include "tdg.h"
#include "vmx_insn.h"

/* Exit qualification of an EPT violation: what the ABI lets the host see. */
#define SIM_EPT_QUAL_MASK	GENMASK_ULL(6, 0)

/* Bits 5:3 of the qualification: access that the translation allows. */
#define SIM_EPT_QUAL_RWX_SHIFT	3

/*
 * The host's entry for the shared @gpa, or where its tables end; the level of
 * that, and the access that all levels allow.
 */
static u64 shared_entry(const struct sim_vcpu *vcpu, u64 gpa, int *level, u64 *rwx)
{
	const u64 *table = vcpu->ept_root;
	u64 entry;

	*rwx = VMX_EPT_RWX_MASK;
	for (*level = SEPT_ROOT_LEVEL; ; (*level)--) {
		entry = READ_ONCE(table[sim_sept_index(gpa, *level)]);
		*rwx &= entry;
		if (!*level || !(entry & VMX_EPT_RWX_MASK) || entry & SEPT_LARGE_PAGE)
			return entry;
		table = __va(entry & SEPT_HPA);
	}
}

/* To the TD the page table entry that led here has a reserved bit set. */
static enum sim_action reserved_bit_fault(struct sim_exit *exit, u64 gla)
{
	u32 error_code = X86_PF_PROT | X86_PF_RSVD;

	if (exit->qualification & EPT_VIOLATION_ACC_WRITE)
		error_code |= X86_PF_WRITE;
	if (exit->qualification & EPT_VIOLATION_ACC_INSTR)
		error_code |= X86_PF_INSTR;
	if (VMX_AR_DPL(sim_vmread(GUEST_SS_AR_BYTES)) == 3)
		error_code |= X86_PF_USER;

	exit->vcpu->cr2 = gla;
	return sim_inject_error(exit->vcpu, X86_TRAP_PF, error_code);
}

/*
 * KVM marks an address of emulated devices by an entry without access and
 * without "suppress #VE"; everything else is for KVM to map.
 */
static enum sim_action shared_violation(struct sim_exit *exit, u64 gpa, u64 gla)
{
	int level;
	u64 rwx;

	/* A CPU with SEAM executes nothing from there, and asks nobody. */
	if (exit->qualification & EPT_VIOLATION_ACC_INSTR)
		return reserved_bit_fault(exit, gla);

	if (sim_sync_shared_gpa(exit->vcpu, gpa))
		return SIM_RESUME;

	if (shared_entry(exit->vcpu, gpa, &level, &rwx) & VMX_EPT_SUPPRESS_VE_BIT)
		return sim_to_host(exit, TDX_SUCCESS,
				   exit->qualification & SIM_EPT_QUAL_MASK, 0, gpa);

	return sim_inject_ve(exit, exit->qualification, gla, gpa);
}

enum sim_action sim_ept_violation(struct sim_exit *exit, u64 gpa, u64 gla)
{
	struct sim_tdcs *tdcs = exit->vcpu->td->tdcs;
	u64 extended = 0;
	int level;
	u64 entry;

	/* The CPU may know more address bits than the TD has. */
	if (gpa >> TDX_GPA_WIDTH) {
		if (exit->qualification & EPT_VIOLATION_GVA_IS_VALID)
			return reserved_bit_fault(exit, gla);
		return sim_to_host(exit, TDX_SUCCESS,
				   exit->qualification & SIM_EPT_QUAL_MASK, 0, gpa);
	}

	if (gpa & TDX_SHARED_GPA)
		return shared_violation(exit, gpa, gla);

	/* Another vCPU or the host changed the tree since this one entered. */
	if (sim_sync_private_root(exit->vcpu))
		return SIM_RESUME;

	entry = READ_ONCE(*sim_sept_walk(tdcs, gpa, 0, &level));
	switch (sim_sept_state(entry)) {
	case TDX_SEPT_PRESENT:
		return SIM_RESUME;

	case TDX_SEPT_PENDING:
		if (!(tdcs->td_ctls & TD_CTLS_PENDING_VE_DISABLE))
			return sim_inject_ve(exit, exit->qualification, gla, gpa);
		extended = TDX_EXT_EXIT_QUAL_TYPE_PENDING_EPT_VIOLATION;
		fallthrough;

	default:
		return sim_to_host(exit, TDX_SUCCESS,
				   exit->qualification & SIM_EPT_QUAL_MASK, extended, gpa);
	}
}

/* Host physical address of @gpa if the TD may access it; @rwx: what it may. */
static bool translate(struct sim_vcpu *vcpu, u64 gpa, u64 wanted, u64 *rwx, u64 *hpa)
{
	u64 entry, offset_mask;
	int level;

	if (!(gpa & TDX_SHARED_GPA)) {
		*rwx = 0;
		if (!sim_sept_translate(vcpu->td->tdcs, gpa, hpa))
			return false;
		*rwx = VMX_EPT_RWX_MASK;
		return true;
	}

	sim_sync_shared_gpa(vcpu, gpa);
	entry = shared_entry(vcpu, gpa, &level, rwx);
	offset_mask = BIT_ULL(PAGE_SHIFT + 9 * level) - 1;
	*hpa = (entry & SEPT_HPA & ~offset_mask) | (gpa & offset_mask);
	return (*rwx & wanted) == wanted;
}

void *sim_tdcall_map(struct sim_tdcall_ctx *ctx, u64 gpa, enum sim_gpa_access access)
{
	u64 wanted = VMX_EPT_READABLE_MASK |
		     (access == SIM_GPA_WRITE ? VMX_EPT_WRITABLE_MASK : 0);
	struct sim_exit *exit = ctx->exit;
	u64 rwx, hpa;

	if (translate(exit->vcpu, gpa, wanted, &rwx, &hpa)) {
		if (pfn_range_is_mapped(PHYS_PFN(hpa), PHYS_PFN(hpa) + 1))
			return __va(hpa);
		/* Memory of a device is none of the kernel's: not simulated. */
		ctx->action = sim_to_host_fatal(exit);
		ctx->again = true;
		return NULL;
	}

	exit->reason = EXIT_REASON_EPT_VIOLATION;
	exit->intr_info = 0;
	exit->qualification = (wanted & ~rwx) | rwx << SIM_EPT_QUAL_RWX_SHIFT;
	ctx->action = sim_ept_violation(exit, gpa, 0);
	ctx->again = true;
	return NULL;
}
