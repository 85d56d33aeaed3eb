/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: a TD, which is its TDR page and its TDCX pages.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_H
#define _X86_VIRT_TDX_SIM_TD_H

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/types.h>

#include <crypto/sha2.h>

#include "abi.h"
#include "state/pamt.h"
#include "state/sys.h"

struct sim_cpuid_entry;

/* ATTRIBUTES that a TD may have and must have, as SYS metadata reports them. */
#define SIM_ATTRIBUTES_FIXED0	TDX_TD_ATTR_SEPT_VE_DISABLE
#define SIM_ATTRIBUTES_FIXED1	0ULL

/* XFAM that a TD must have; sim_sys.xfam_fixed0 is what it may have. */
#define SIM_XFAM_FIXED1		3ULL

/* vCPUs of a TD: the number of the real module; each has an x2APIC id in one page. */
#define SIM_MAX_VCPUS		576
static_assert(SIM_MAX_VCPUS * sizeof(u32) <= PAGE_SIZE);

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

/* Sets of enum sim_op_state. */
#define SIM_OPS_UNINIT		BIT(SIM_OP_UNINITIALIZED)
#define SIM_OPS_INIT		BIT(SIM_OP_INITIALIZED)
#define SIM_OPS_RUN		BIT(SIM_OP_RUNNABLE)
#define SIM_OPS_LIVE		(SIM_OPS_INIT | SIM_OPS_RUN)

/* The TDR page. */
struct sim_td {
	struct sim_pamt *pamt;		/* its lock is the TD's */
	u64 pa;				/* of this page */
	enum sim_lifecycle lifecycle;
	bool fatal;
	u16 hkid;
	u32 num_tdcx;
	u64 tdcx_pa[TDX_TDCS_PAGES];
	atomic64_t chldcnt;		/* 4 KiB pages that it owns, without this one */
	DECLARE_BITMAP(key_packages, SIM_MAX_PACKAGES);
	struct sim_tdcs *tdcs;		/* first TDCX page, NULL until it is added */
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

/* Slots by which the CPUID entry of a leaf is found, a power of two. */
#define SIM_CPUID_NR_SLOTS	64

#define SIM_MD_SIZE		48	/* bytes, SHA-384 */
#define SIM_NR_RTMRS		4

/* Added pages that a TD can note before it must hash their records. */
#define SIM_MRTD_NR_GPAS	128

/* TD control structure, the first TDCX page. */
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
	u16 tsc_frequency;		/* in units of TDX_TSC_UNIT_HZ */
	u64 tsc_offset;
	u64 tsc_multiplier;		/* 16.48 fixed point */
	bool topology_enum_configured;

	atomic_t num_vcpus;
	atomic_t num_assoc_vcpus;	/* with any CPU */
	atomic_t sept_root_gen;		/* changes with every entry of the root */

	u64 *sept_root;
	struct sim_cpuid_entry *cpuid;
	u32 nr_cpuid;
	u8 cpuid_first[SIM_CPUID_NR_SLOTS];	/* 1 + index of an entry, 0 for none */
	unsigned long *msr_bitmap;
	bool has_spec_ctrl;		/* IBRS, STIBP or SSBD, with a bit in IA32_SPEC_CTRL */

	struct sha384_ctx mrtd_ctx;	/* of the records before those of @mrtd_gpas */
	u64 mrtd_gpas[SIM_MRTD_NR_GPAS];	/* mrtd.c */
	u32 nr_mrtd_gpas;
	bool mrtd_pending;		/* finalized, but not in @mrtd yet */
	u8 mrtd[SIM_MD_SIZE];
	u8 mrconfigid[SIM_MD_SIZE];
	u8 mrowner[SIM_MD_SIZE];
	u8 mrownerconfig[SIM_MD_SIZE];
	u8 rtmr[SIM_NR_RTMRS][SIM_MD_SIZE];
};

static_assert(sizeof(struct sim_tdcs) <= PAGE_SIZE);

/* The TDCX page for @page, which TDH.MNG.ADDCX has added. */
static inline void *sim_td_page(const struct sim_td *td, enum sim_tdcx_page page)
{
	return __va(td->tdcx_pa[page]);
}

/*
 * sim_page_assign():	a PT_NDA page, locked exclusively, becomes a page of @type and
 *			@level of @td (NULL: of no TD), which counts it.  Its content
 *			stays.
 * sim_page_free():	back to PT_NDA; @td, unless NULL, counts it no more.
 */
void sim_page_assign(struct sim_pamt *pamt, u8 type, int level, struct sim_td *td);
void sim_page_free(struct sim_pamt *pamt, struct sim_td *td);

/*
 * The TD whose TDR is at the physical address @pa, the operand @op
 * (TDX_OPERAND_ID_*) of a leaf.  On success its TDR is locked in @mode; release it
 * with sim_td_put().
 *
 * sim_tdr_get():	checks the page itself, as sim_page_get() does.  The leafs of
 *			keys and of teardown look at the state by themselves.
 * sim_td_get():	checks, in this order, the page, then TDX_TD_FATAL,
 *			TDX_TD_KEYS_NOT_CONFIGURED, TDX_TDCS_NOT_ALLOCATED, and
 *			TDX_OP_STATE_INCORRECT unless the state is one of @op_states
 *			(SIM_OPS_*).
 *
 * The same for the TD that owns the page of @pamt, which is locked: the TDR is known, so
 * that only its lock, TDX_OPERAND_ID_TDR, and its state are checked.
 */
u64 sim_tdr_get(u64 pa, u32 op, enum sim_lock_mode mode, struct sim_td **td);
u64 sim_td_get(u64 pa, u32 op, enum sim_lock_mode mode, u32 op_states,
	       struct sim_td **td);
u64 sim_owner_get(const struct sim_pamt *pamt, enum sim_lock_mode mode, struct sim_td **td);
u64 sim_owner_td_get(const struct sim_pamt *pamt, enum sim_lock_mode mode, u32 op_states,
		     struct sim_td **td);

static inline void sim_td_put(struct sim_td *td, enum sim_lock_mode mode)
{
	sim_page_put(td->pamt, mode);
}

#endif /* _X86_VIRT_TDX_SIM_TD_H */
