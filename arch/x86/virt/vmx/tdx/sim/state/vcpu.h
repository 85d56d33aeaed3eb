/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: a vCPU, which is its TDVPR page and its TDCX pages.
 */
#ifndef _X86_VIRT_TDX_SIM_VCPU_H
#define _X86_VIRT_TDX_SIM_VCPU_H

#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/types.h>

#include "state/td.h"

enum sim_vcpu_state {
	SIM_VCPU_UNINITIALIZED,
	SIM_VCPU_READY,
	SIM_VCPU_DISABLED,
};

enum sim_last_exit {
	SIM_EXIT_ASYNC_FAULT,
	SIM_EXIT_VMCALL,
};

/* Use of the TDCX pages of a vCPU, in the order of TDH.VP.ADDCX. */
enum sim_tdvps_page {
	SIM_TDVPS_VMCS,
	SIM_TDVPS_VAPIC,
	SIM_TDVPS_EPT_ROOT,
	SIM_TDVPS_XSAVE,
	SIM_TDVPS_XSAVE_INIT,		/* INIT state, for the host */
	SIM_TDVPS_NR,
};

static_assert(SIM_TDVPS_NR + 1 == TDX_TDVPS_PAGES);

/* GPRs in the order of their encoding, which is that of the VMCALL mask. */
enum sim_gpr {
	SIM_RAX, SIM_RCX, SIM_RDX, SIM_RBX, SIM_RSP, SIM_RBP, SIM_RSI, SIM_RDI,
	SIM_R8, SIM_R9, SIM_R10, SIM_R11, SIM_R12, SIM_R13, SIM_R14, SIM_R15,
	SIM_NR_GPRS,
};

/* Rows of an EPT root for the upper half of the guest physical addresses. */
#define SIM_SHARED_ROWS		256

/*
 * The page of the last TDCALL, and the guest's page table entries that lead to
 * it (td_guest_mem.c).
 */
#define SIM_MAX_PT_LEVELS	5

struct sim_code_page {
	const void *page;		/* NULL: none is known */
	u64 epoch;
	u64 cr3;
	u64 linear;
	int levels;
	struct {
		const u64 *pte;
		u64 value;
	} walk[SIM_MAX_PT_LEVELS];
};

/* What a #VE handler finds with TDG.VP.VEINFO.GET. */
struct sim_ve_info {
	bool valid;
	u32 exit_reason;
	u64 exit_qualification;
	u64 gla;
	u64 gpa;
	u32 instruction_length;
	u32 instruction_info;
};

/* An event as VM entry takes it; .info is 0 if there is none. */
struct sim_event {
	u32 info;
	u32 error_code;
	u32 length;
};

/* A guest page table entry that is exchanged for one instruction (td_shared.c). */
struct sim_swap {
	u64 *pte;
	u64 shared;			/* as the guest has it */
	u64 alias;
};

/* Leaf entries that one instruction can need: two operands across pages. */
#define SIM_MAX_SWAPS		8

/* Guest MSRs that neither the VMCS nor XSAVES switches. */
enum sim_guest_msr {
	SIM_MSR_STAR,
	SIM_MSR_LSTAR,
	SIM_MSR_SYSCALL_MASK,
	SIM_MSR_TSC_AUX,
	SIM_MSR_KERNEL_GS_BASE,
	SIM_MSR_NR,
};

/* The TDVPR page. */
struct sim_vcpu {
	u64 gpr[SIM_NR_GPRS];		/* RSP is in the VMCS; td_entry.S */
	u64 cr2;
	struct sim_pamt *pamt;		/* its lock is the vCPU's */
	struct sim_td *td;
	enum sim_vcpu_state state;
	u32 num_tdcx;
	u64 tdcx_pa[SIM_TDVPS_NR];
	u32 index;
	u32 x2apic_id;
	int cpu;			/* associated with, -1: none */

	bool vmcs_loaded;		/* has the host state of @cpu */
	bool launched;
	bool vmcs_initialized;
	bool ept_stale;			/* caches of @ept_root must go first */
	u32 vmcs_revision;		/* of this CPU, once @vmcs_initialized */
	u64 epoch;
	enum sim_last_exit last_exit;
	u32 vmcall_mask;

	u64 shared_eptp;		/* physical address of KVM's root */
	u64 *ept_root;			/* private half and @shared_eptp's half */
	DECLARE_BITMAP(shared_rows, SIM_SHARED_ROWS);	/* that lead on */
	int ept_root_gen;
	u64 pi_desc_pa;
	u16 pi_nv;
	u64 pin_controls;		/* bits the host may set */
	u8 pend_nmi;

	struct sim_event event;		/* to be delivered with the next entry */
	u16 intr_status;		/* RVI and SVI at the last exit */
	u32 cpu_controls;		/* CPU_BASED_VM_EXEC_CONTROL, as the VMCS has it */

	u64 xcr0;
	u64 host_xcr0;			/* at TDH.VP.ENTER */
	u64 xss;
	u64 host_xss;			/* at TDH.VP.ENTER */
	u64 dr[4];
	u64 dr6;
	u64 msr[SIM_MSR_NR];
	u64 spec_ctrl;
	u8 cpuid_ve;			/* TDG.VP.CPUIDVE.SET */

	struct sim_swap swap[SIM_MAX_SWAPS];	/* td_shared.c */
	u32 nr_swaps;
	u64 swap_rip;
	struct sim_code_page code;
	struct sim_ve_info ve;
};

static_assert(sizeof(struct sim_vcpu) <= PAGE_SIZE);

/* The TDCX page for @page, which TDH.VP.ADDCX has added. */
static inline void *sim_vcpu_page(const struct sim_vcpu *vcpu,
				  enum sim_tdvps_page page)
{
	return __va(vcpu->tdcx_pa[page]);
}

/*
 * The vCPU whose TDVPR is at the physical address @pa, the operand @op
 * (TDX_OPERAND_ID_*) of a leaf, with its TD.  Checks, in this order, the TDVPR page
 * as sim_page_get() does, then what sim_owner_td_get() checks of its TD.  On success the
 * TDVPR is locked in @mode and the TDR in @td_mode; release both with sim_vcpu_put().
 */
u64 sim_vcpu_get(u64 pa, u32 op, enum sim_lock_mode mode, enum sim_lock_mode td_mode,
		 u32 op_states, struct sim_vcpu **vcpu);

static inline void sim_vcpu_put(struct sim_vcpu *vcpu, enum sim_lock_mode mode,
				enum sim_lock_mode td_mode)
{
	sim_td_put(vcpu->td, td_mode);
	sim_page_put(vcpu->pamt, mode);
}

/*
 * Associate @vcpu with this CPU.  Returns 0, or TDX_VCPU_ASSOCIATED if it is with
 * another one.  Preemption is off.
 */
u64 sim_vcpu_associate(struct sim_vcpu *vcpu);

#endif /* _X86_VIRT_TDX_SIM_VCPU_H */
