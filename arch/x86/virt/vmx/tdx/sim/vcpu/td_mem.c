// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: guest physical addresses of a TD, private and shared.
 *
 * The same rules decide for an access that the CPU made and for the memory
 * operand of a TDCALL ("EPT violations", base architecture).
 */
#include <asm/trap_pf.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "state/sept.h"
#include "state/vcpu.h"
#include "vcpu/td_ept.h"
#include "vcpu/td_event.h"
#include "vcpu/td_mem.h"
#include "vcpu/vmx_insn.h"

/* Exit qualification of an EPT violation: bits that the ABI shows to the host. */
#define SIM_EPT_QUAL_MASK	GENMASK_ULL(6, 0)

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

/* A #PF as if the page table entry that led here had a reserved bit set. */
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
 * KVM marks an address of emulated devices by an entry without access and without
 * "suppress #VE".  It maps everything else.
 */
static enum sim_action shared_violation(struct sim_exit *exit, u64 gpa, u64 gla)
{
	int level;
	u64 rwx;

	/* A CPU with SEAM executes nothing from shared memory, and does not exit. */
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
	if (!sim_gpa_valid(gpa)) {
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

bool sim_gpa_translate(struct sim_vcpu *vcpu, u64 gpa, u64 wanted, u64 *rwx, u64 *hpa)
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
	offset_mask = sim_sept_offset_mask(level);
	*hpa = (entry & SEPT_HPA & ~offset_mask) | (gpa & offset_mask);
	return (*rwx & wanted) == wanted;
}
