/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: TDs and vCPUs, and the functions that work on them.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_H
#define _X86_VIRT_TDX_SIM_TD_H

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/types.h>

#include <crypto/sha2.h>

#include <asm/io.h>

#include "sim.h"

struct sim_vcpu;

/* TD (TDR page, mng.c) */
enum sim_lifecycle {
	SIM_HKID_ASSIGNED,
	SIM_KEYS_CONFIGURED,
	SIM_BLOCKED,
	SIM_TEARDOWN,
};

enum sim_op_state {
	SIM_OP_UNINITIALIZED,
	SIM_OP_INITIALIZED,
	SIM_OP_RUNNABLE,
};

#define SIM_OPS_UNINIT		BIT(SIM_OP_UNINITIALIZED)
#define SIM_OPS_INIT		BIT(SIM_OP_INITIALIZED)
#define SIM_OPS_RUN		BIT(SIM_OP_RUNNABLE)
#define SIM_OPS_LIVE		(SIM_OPS_INIT | SIM_OPS_RUN)

struct sim_td {
	struct sim_pamt *pamt;		/* its lock is the TD's */
	u64 pa;
	enum sim_lifecycle lifecycle;
	bool fatal;
	u16 hkid;
	u32 num_tdcx;
	u64 tdcx_pa[TDX_TDCS_PAGES];
	atomic64_t chldcnt;		/* 4 KiB pages it owns, itself not counted */
	DECLARE_BITMAP(key_packages, SIM_MAX_PACKAGES);
	struct sim_tdcs *tdcs;		/* first TDCX page, NULL before it */
};

static_assert(sizeof(struct sim_td) <= PAGE_SIZE);

/* Use of the TDCX pages of a TD, in the order of TDH.MNG.ADDCX. */
enum sim_tdcx_page {
	SIM_TDCX_TDCS,
	SIM_TDCX_CPUID,
	SIM_TDCX_MSR_BITMAP,
	SIM_TDCX_SEPT_ROOT,
	SIM_TDCX_ZERO,
	SIM_TDCX_X2APIC_IDS,		/* u32 per vCPU index */
	SIM_TDCX_NR,
};

static_assert(SIM_TDCX_NR == TDX_TDCS_PAGES);

#define SIM_MD_SIZE		48	/* bytes, SHA-384 */
#define SIM_NR_RTMRS		4

/* TD control structure (first TDCX page). */
struct sim_tdcs {
	enum sim_op_state op_state;
	struct sim_lock sept_lock;	/* the tree, TDX_OPERAND_ID_SEPT */
	struct sim_lock epoch_lock;	/* TDX_OPERAND_ID_TD_EPOCH */
	struct sim_lock rtmr_lock;	/* TDX_OPERAND_ID_RTMR */
	u64 epoch;
	atomic_t epoch_vcpus[2];	/* vCPUs inside, by bit 0 of their epoch */

	u64 attributes;
	u64 xfam;
	u64 config_flags;
	u64 td_ctls;
	u64 notify_enables;
	u64 eptp_controls;
	u16 max_vcpus;
	u16 tsc_frequency;		/* units of TDX_TSC_UNIT_HZ */
	u64 tsc_offset;
	u64 tsc_multiplier;		/* 16.48 fixed point */
	bool topology_enum_configured;

	atomic_t num_vcpus;
	atomic_t num_assoc_vcpus;	/* with any CPU */
	atomic_t sept_root_gen;		/* changes with every entry of the root */

	u64 *sept_root;
	struct sim_cpuid_entry *cpuid;
	u32 nr_cpuid;
	unsigned long *msr_bitmap;

	struct sha384_ctx mrtd_ctx;
	u8 mrtd[SIM_MD_SIZE];
	u8 mrconfigid[SIM_MD_SIZE];
	u8 mrowner[SIM_MD_SIZE];
	u8 mrownerconfig[SIM_MD_SIZE];
	u8 rtmr[SIM_NR_RTMRS][SIM_MD_SIZE];
};

static_assert(sizeof(struct sim_tdcs) <= PAGE_SIZE);

/*
 * sim_td_get(): the TD whose TDR is at @pa, checked in the order of the ABI:
 * TDR page (status | @op), TDX_TD_FATAL, TDX_TD_KEYS_NOT_CONFIGURED,
 * TDX_TDCS_NOT_ALLOCATED, TDX_OP_STATE_INCORRECT unless the state is in
 * @op_states (SIM_OPS_*).  On success the TDR is locked; sim_td_put().
 */
u64 sim_td_get(u64 pa, u32 op, enum sim_lock_mode mode, u32 op_states,
	       struct sim_td **td);
void sim_td_put(struct sim_td *td, enum sim_lock_mode mode);

/* Only the TDR page itself is checked and locked: key and teardown leafs. */
u64 sim_tdr_get(u64 pa, u32 op, enum sim_lock_mode mode, struct sim_td **td);

/* CPUID of a TD (cpuid.c) */
struct sim_cpuid_entry {
	u32 leaf;
	u32 subleaf;			/* SIM_CPUID_NO_SUBLEAF: any */
	u32 eax, ebx, ecx, edx;
};

#define SIM_CPUID_NO_SUBLEAF	U32_MAX

/* Number of configurable leafs, and row @i as TDH.SYS.RD reports it. */
unsigned int sim_cpuid_nr_config(void);
void sim_cpuid_config(unsigned int i, u64 *leaf, u64 values[2]);

/*
 * Fill the TD's table from TD_PARAMS.  A bit outside the configurable ones is
 * refused: status TDX_OPERAND_INVALID | CPUID_CONFIG and @bad = subleaf in
 * 63:32, leaf in 31:0.
 */
u64 sim_cpuid_init(struct sim_tdcs *tdcs, const struct td_params *params,
		   u64 *bad);

/*
 * The TD's own value as CPUID gives it, NULL if the module leaves the leaf to
 * the host.  sim_cpuid_get() knows only what has a row, and a leaf without
 * subleafs only by SIM_CPUID_NO_SUBLEAF.
 */
const struct sim_cpuid_entry *sim_cpuid_get(const struct sim_tdcs *tdcs,
					    u32 leaf, u32 subleaf);
const struct sim_cpuid_entry *sim_cpuid_find(const struct sim_tdcs *tdcs,
					     u32 leaf, u32 subleaf);

/* Every MSR exits but those that the CPU handles alone (td_msr.c); 4 KiB. */
void sim_msr_bitmap_init(unsigned long *bitmap);

/* Measurement (mr.c) */
void sim_mr_init(struct sim_tdcs *tdcs);
void sim_mr_page_add(struct sim_tdcs *tdcs, u64 gpa);

/* vCPU (TDVPR page, vp.c) */
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
 * it (td_insn.c).
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

	bool vmcs_loaded;		/* active on @cpu */
	bool launched;
	bool vmcs_initialized;
	bool ept_stale;			/* caches of @ept_root must go first */
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
	u64 dr[4];
	u64 dr6;
	u64 msr[SIM_MSR_NR];
	u8 cpuid_ve;			/* TDG.VP.CPUIDVE.SET */

	struct sim_swap swap[SIM_MAX_SWAPS];	/* td_shared.c */
	u32 nr_swaps;
	u64 swap_rip;
	struct sim_code_page code;
	struct sim_ve_info ve;
};

static_assert(sizeof(struct sim_vcpu) <= PAGE_SIZE);

static inline void *sim_vcpu_page(const struct sim_vcpu *vcpu,
				  enum sim_tdvps_page page)
{
	return __va(vcpu->tdcx_pa[page]);
}

static inline void *sim_td_page(const struct sim_td *td, enum sim_tdcx_page page)
{
	return __va(td->tdcx_pa[page]);
}

/*
 * Associate @vcpu with this CPU: TDX_VCPU_ASSOCIATED if it is with another one.
 * Preemption is off.
 */
u64 sim_vcpu_associate(struct sim_vcpu *vcpu);

/* Bit 0 of VCPU_STATE_DETAILS: an interrupt above PPR waits (td_apic.c). */
bool sim_vcpu_intr_pending(struct sim_vcpu *vcpu);

/*
 * Secure EPT (sept.c).  @level: 0 is the entry that maps 4 KiB.
 *
 * sim_sept_walk() returns the entry for @gpa at @level, or where the walk
 * stopped, and the level of that in *@found.
 * sim_sept_report() gives RCX and RDX of a leaf that names an entry.
 * sim_sept_translate() gives the host physical address of a mapped private
 * @gpa; false if there is none.
 */
u64 *sim_sept_walk(struct sim_tdcs *tdcs, u64 gpa, int level, int *found);
u8 sim_sept_state(u64 entry);
void sim_sept_report(u64 entry, int level, u64 *rcx, u64 *rdx);
bool sim_sept_translate(struct sim_tdcs *tdcs, u64 gpa, u64 *hpa);

/*
 * Run the vCPU until an event is for the host (td_run.c).  Fills
 * @regs as the output of TDH.VP.ENTER and returns RAX.  Interrupts are off.
 */
u64 sim_td_run(struct sim_vcpu *vcpu, struct pt_regs *regs);

/*
 * VMCS of a vCPU (td_vmcs.c).  sim_vmcs_check_cpu() is -ENODEV on a CPU without
 * a VMX feature that a TD needs.  sim_vmcs_load() makes it current on this CPU,
 * initialized at the first call; sim_vmcs_clear() writes it back to memory.
 */
int sim_vmcs_check_cpu(void);
void sim_vmcs_load(struct sim_vcpu *vcpu);
void sim_vmcs_clear(struct sim_vcpu *vcpu);

#endif /* _X86_VIRT_TDX_SIM_TD_H */
