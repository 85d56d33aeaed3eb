// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: shared memory on a CPU with narrow physical addresses.
 *
 * A TD maps shared memory by page table entries with bit 47 set.  CPUs with TDX
 * have at least 48 physical address bits, but many that can run the simulation
 * have fewer, and to those bit 47 is reserved: the access raises #PF with RSVD
 * set.  That fault is intercepted, and no other.  For the one instruction the
 * entry gets the highest bit that the CPU has instead (alias.h), which leads
 * through the EPT root to the same shared tables.  The monitor trap flag stops the
 * TD after the instruction, and the entry is restored.
 *
 * The price is that the TD cannot use that highest bit itself: leafs that map
 * private memory refuse it.  The host's side of memory is not involved.
 *
 * An address with a bit between the two is out of the CPU's reach.  Firmware puts
 * devices there.  KVM marks no address beyond those of its CPU as a device's, so the
 * access is #VE without an exit to the host.
 */
#include <asm/page_types.h>
#include <asm/pgtable_types.h>
#include <asm/processor.h>
#include <asm/trap_pf.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "state/alias.h"
#include "state/vcpu.h"
#include "vcpu/td_event.h"
#include "vcpu/td_guest_mem.h"
#include "vcpu/td_rep.h"
#include "vcpu/td_shared.h"
#include "vcpu/td_vmcs.h"
#include "vcpu/vmx_insn.h"

/* All exceptions while an entry is exchanged, see sim_shared_arm(). */
#define SIM_ALL_EXCEPTIONS	U32_MAX

/*
 * With the monitor trap flag, an emulator with several CPUs may stop a TD before the
 * first instruction of an exception handler: the frame is pushed, but RIP is that of
 * the faulting instruction.  Let all exceptions exit, so that it cannot.
 */
static void sim_shared_arm(struct sim_vcpu *vcpu, bool on)
{
	sim_set_cpu_control(vcpu, CPU_BASED_MONITOR_TRAP_FLAG, on);
	if (on) {
		sim_vmwrite(EXCEPTION_BITMAP, SIM_ALL_EXCEPTIONS);
		sim_vmwrite(PAGE_FAULT_ERROR_CODE_MASK, 0);
		sim_vmwrite(PAGE_FAULT_ERROR_CODE_MATCH, 0);
	} else {
		sim_vmcs_init_exceptions();
	}
}

/* Restore the entries, if any, with the A and D bits of the access. */
static void sim_shared_restore(struct sim_vcpu *vcpu)
{
	if (!vcpu->nr_swaps)
		return;

	while (vcpu->nr_swaps) {
		struct sim_swap *swap = &vcpu->swap[--vcpu->nr_swaps];
		u64 now = READ_ONCE(*swap->pte);
		u64 used = now & (_PAGE_ACCESSED | _PAGE_DIRTY);

		/* Not if the guest has rewritten the entry meanwhile. */
		while ((now & ~(_PAGE_ACCESSED | _PAGE_DIRTY)) ==
		       (swap->alias & ~(_PAGE_ACCESSED | _PAGE_DIRTY)) &&
		       !try_cmpxchg(swap->pte, &now, swap->shared | used))
			used = now & (_PAGE_ACCESSED | _PAGE_DIRTY);
	}
	sim_shared_arm(vcpu, false);
}

static bool sim_is_pf(const struct sim_exit *exit, u32 error_bits)
{
	return (u16)exit->reason == EXIT_REASON_EXCEPTION_NMI &&
	       (exit->intr_info & INTR_INFO_VECTOR_MASK) == X86_TRAP_PF &&
	       (sim_vmread(VM_EXIT_INTR_ERROR_CODE) & error_bits) == error_bits;
}

bool sim_shared_exit(struct sim_exit *exit)
{
	struct sim_vcpu *vcpu = exit->vcpu;
	bool same_insn;

	if (!vcpu->nr_swaps)
		return false;

	/* A REP instruction traps at each iteration, at the same RIP. */
	same_insn = sim_vmread(GUEST_RIP) == vcpu->swap_rip;
	if ((u16)exit->reason == EXIT_REASON_MONITOR_TRAP_FLAG) {
		/* The entries of pages that are done must make room for those of others. */
		if (!same_insn || sim_rep_advance(vcpu))
			sim_shared_restore(vcpu);
		return true;
	}

	/* One more operand of the instruction is in shared memory. */
	if (same_insn && sim_is_pf(exit, X86_PF_RSVD))
		return false;

	/* After any other exit the instruction faults again, and starts from the beginning. */
	sim_shared_restore(vcpu);
	if ((u16)exit->reason != EXIT_REASON_EXCEPTION_NMI ||
	    BIT(exit->intr_info & INTR_INFO_VECTOR_MASK) & TDX_EXCEPTION_BITMAP ||
	    (exit->intr_info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_NMI_INTR)
		return false;

	sim_reflect_exception(exit);
	return true;
}

/*
 * On a CPU that has the shared bit the entry is good, so that only access rights can
 * fault.  A fault of the guest by its access rights therefore comes first.
 */
static bool sim_shared_allowed(struct sim_vcpu *vcpu, u64 rights, u32 error_code)
{
	bool user = error_code & X86_PF_USER;

	if (error_code & X86_PF_INSTR)
		return false;
	if (user && !(rights & _PAGE_USER))
		return false;
	return !(error_code & X86_PF_WRITE) || (rights & _PAGE_RW) ||
	       (!user && !(sim_vmread(GUEST_CR0) & X86_CR0_WP));
}

/* @pte faulted and @value would not: another vCPU has exchanged the entry since. */
static bool sim_shared_stale(const struct sim_vcpu *vcpu, const u64 *pte, u64 value,
			     u64 reserved)
{
	u32 i;

	/* It is no longer present: the CPU will raise another fault. */
	if (!(value & _PAGE_PRESENT))
		return true;
	if (!(value & sim_alias_bit()) || value & (reserved | TDX_SHARED_GPA))
		return false;

	/* It faults although it is exchanged: another bit of it is reserved. */
	for (i = 0; i < vcpu->nr_swaps; i++) {
		if (vcpu->swap[i].pte == pte)
			return false;
	}
	return true;
}

/* Bits of a shared address that the CPU lacks, or that have another meaning. */
static u64 sim_shared_far_bits(void)
{
	return GENMASK_ULL(TDX_SHARED_GPA_BIT - 1, boot_cpu_data.x86_phys_bits - 1);
}

/* #VE as for the EPT violation of a device at @gpa. */
static enum sim_action sim_shared_far(struct sim_exit *exit, u64 gpa, u32 error_code)
{
	u64 gla = exit->qualification;
	u64 qualification = EPT_VIOLATION_GVA_IS_VALID | EPT_VIOLATION_GVA_TRANSLATED;

	qualification |= error_code & X86_PF_WRITE ? EPT_VIOLATION_ACC_WRITE :
						     EPT_VIOLATION_ACC_READ;
	sim_shared_restore(exit->vcpu);
	exit->reason = EXIT_REASON_EPT_VIOLATION;
	return sim_inject_ve(exit, qualification, gla, gpa);
}

/* The guest gets the exception, without the monitor trap flag. */
static enum sim_action sim_shared_reflect(struct sim_exit *exit)
{
	sim_shared_restore(exit->vcpu);
	return sim_reflect_exception(exit);
}

enum sim_action sim_shared_fault(struct sim_exit *exit)
{
	struct sim_vcpu *vcpu = exit->vcpu;
	u64 reserved = GENMASK_ULL(51, boot_cpu_data.x86_phys_bits) & ~TDX_SHARED_GPA;
	u32 error_code = sim_vmread(VM_EXIT_INTR_ERROR_CODE);
	u64 *pte, value, rights, offset_mask;
	struct sim_swap *swap;

	pte = sim_guest_walk(vcpu, exit->qualification, &rights, &offset_mask);
	value = pte ? READ_ONCE(*pte) : 0;

	if (pte && sim_shared_stale(vcpu, pte, value, reserved))
		return SIM_RESUME;

	if (!(value & TDX_SHARED_GPA) || value & GENMASK_ULL(51, TDX_GPA_WIDTH))
		return sim_shared_reflect(exit);

	if (!sim_shared_allowed(vcpu, rights, error_code)) {
		sim_shared_reflect(exit);
		/*
		 * A CPU that has the shared bit does not execute shared memory
		 * either, and says so by a #PF with RSVD set.
		 */
		if (!(error_code & X86_PF_INSTR))
			vcpu->event.error_code &= ~X86_PF_RSVD;
		return SIM_RESUME;
	}

	if (value & sim_shared_far_bits())
		return sim_shared_far(exit, (value & GENMASK_ULL(TDX_SHARED_GPA_BIT, PAGE_SHIFT) &
					     ~offset_mask) | (exit->qualification & offset_mask),
				      error_code);

	if (vcpu->nr_swaps == ARRAY_SIZE(vcpu->swap)) {
		sim_shared_restore(vcpu);
		return sim_to_host_fatal(exit);
	}

	swap = &vcpu->swap[vcpu->nr_swaps];
	swap->pte = pte;
	swap->shared = value;
	swap->alias = (value & ~TDX_SHARED_GPA) | sim_alias_bit();
	if (!try_cmpxchg(pte, &value, swap->alias))
		return SIM_RESUME;

	vcpu->nr_swaps++;
	vcpu->swap_rip = sim_vmread(GUEST_RIP);
	sim_shared_arm(vcpu, true);
	return SIM_RESUME;
}
