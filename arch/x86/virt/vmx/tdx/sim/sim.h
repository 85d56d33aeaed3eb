/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: the module as a whole, its locks and its pages.
 *
 * A leaf is a function of the register file of the SEAMCALL: it reads its
 * operands from @regs, returns the completion status (RAX) and writes only the
 * registers that the ABI lists as output.  All of them run with preemption
 * off, mostly with interrupts off, also in IPI handlers, below mmu_lock and in
 * noinstr context: nothing here may sleep or wait for another CPU's task.
 *
 * State lives where the real module keeps it, in the pages that the host
 * donates: TDR and TDCX pages of a TD, TDVPR and TDCX pages of a vCPU (td.h),
 * PAMT areas, secure EPT pages.  So nothing is allocated after boot, and
 * whatever the host reclaims is gone.
 */
#ifndef _X86_VIRT_TDX_SIM_H
#define _X86_VIRT_TDX_SIM_H

#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/types.h>

#include <asm/io.h>
#include <asm/ptrace.h>

#include "abi.h"

struct sim_td;

/* Status @code with operand @id (TDX_OPERAND_ID_*) in bits 31:0. */
static inline u64 sim_err(u64 code, u32 id)
{
	return code | id;
}

/*
 * Locks (pamt.c).  The module's locks are try-locks: a caller that does not get
 * one answers TDX_OPERAND_BUSY, it never waits.
 */
enum sim_lock_mode {
	SIM_SHARED,
	SIM_EXCL,
};

struct sim_lock {
	u16 state;		/* 0 free, SIM_LOCK_EXCL, else number of sharers */
};

#define SIM_LOCK_EXCL	U16_MAX

bool sim_trylock(struct sim_lock *lock, enum sim_lock_mode mode);
void sim_unlock(struct sim_lock *lock, enum sim_lock_mode mode);

/*
 * Physical Address Metadata Table (pamt.c): one entry for each 4 KiB of a TDMR and
 * one for each 2 MiB, kept in the memory that the host gave for it with
 * TDH.SYS.CONFIG.  An entry's lock is the lock of the object that the page holds,
 * e.g. of the TDR.  An entry for 2 MiB is PT_REG if all of it is one page, and
 * PT_NDA if those for 4 KiB say what its pages are.
 */
struct sim_pamt {
	u8 type;		/* PT_* */
	u8 level;		/* TDX_PS_* of the page */
	struct sim_lock lock;
	u32 bepoch;		/* TD epoch of the last TDH.MEM.RANGE.BLOCK */
	u64 owner;		/* physical address of the TDR */
};

static_assert(sizeof(struct sim_pamt) == 16);

/* TDMR as TDH.SYS.CONFIG accepted it; physical addresses and bytes. */
#define SIM_MAX_TDMRS		64
#define SIM_MAX_RESERVED	16

struct sim_tdmr {
	u64 base;
	u64 size;
	u64 initialized;	/* end of the part that TDH.SYS.TDMR.INIT did */
	struct sim_pamt *pamt_4k;
	struct sim_pamt *pamt_2m;
	struct tdmr_reserved_area reserved[SIM_MAX_RESERVED];
	struct sim_lock lock;
};

/* KeyID ownership table; index 0 is the first TDX KeyID. */
#define SIM_MAX_KEYIDS		256
#define SIM_MAX_PACKAGES	64

enum sim_kot_state {
	SIM_KOT_FREE,
	SIM_KOT_ASSIGNED,
	SIM_KOT_FLUSHED,
	SIM_KOT_RESERVED,
};

struct sim_kot_entry {
	enum sim_kot_state state;
	DECLARE_BITMAP(wbinvd, SIM_MAX_PACKAGES);	/* packages yet to be flushed */
};

enum sim_sys_state {
	SIM_SYSINIT_PENDING,
	SIM_SYSINIT_DONE,
	SIM_SYSCONFIG_DONE,
	SIM_SYS_READY,
	SIM_SYS_DISABLED,
};

#define SIM_REPORT_KEY_SIZE	32

/* The module as a whole (sys.c). */
struct sim_sys {
	enum sim_sys_state state;
	struct sim_lock lock;			/* SYS_BUSY if taken */
	struct cpumask lp_initialized;
	DECLARE_BITMAP(key_packages, SIM_MAX_PACKAGES);	/* global key configured */
	u32 keyid_start;			/* first TDX KeyID */
	u32 nr_keyids;
	u32 global_keyid;
	struct sim_lock kot_lock;
	struct sim_kot_entry kot[SIM_MAX_KEYIDS];
	u32 nr_tdmrs;
	struct sim_tdmr tdmr[SIM_MAX_TDMRS];
	u64 xfam_fixed0;
	u8 report_key[SIM_REPORT_KEY_SIZE];	/* of TDG.MR.REPORT, in place of the CPU's */
};

extern struct sim_sys sim_sys;

/* SEAMCALL is answered here: the command line asked for it (seam.c). */
extern bool sim_started;

/* Packages that must take part in key configuration and cache write-back. */
void sim_packages(unsigned long *bitmap);
unsigned int sim_this_package(void);

/*
 * Pages (pamt.c).
 *
 * sim_pamt_of():   entry for the 4 KiB page at @pa, PT_RSVD in a reserved area;
 *                  NULL outside TDMRs or not yet initialized.  No checks, no lock.
 * sim_pamt_2m_of(): the same for the 2 MiB around @pa, which are in a TDMR.
 * sim_pamt_leaf_of(): that of the two which says what the page at @pa is.
 * sim_page_get():  operand check of the 4 KiB page of an object: @pa aligned,
 *                  without KeyID bits (OPERAND_INVALID), in a TDMR
 *                  (ADDR_RANGE_ERROR), lock taken (BUSY), of @type
 *                  (PAGE_METADATA_INCORRECT); @op is or-ed into the status.
 *                  Release with sim_page_put().
 * sim_page_check(): the same of any page, without the lock.
 * sim_free_page_get(): the same of a page of size TDX_PS_4K or TDX_PS_2M, all of
 *                  which is PT_NDA.  Release with sim_page_ref_put().
 * sim_any_page_get(): the same of any page, of whatever size it is.
 * sim_page_assign(): make a PT_NDA page with the lock held a page of @td (NULL:
 *                  of nobody) and count it; does not touch its content.
 * sim_page_free(): back to PT_NDA; uncounts it from @td unless that is NULL.
 */
struct sim_page_ref {
	struct sim_pamt *pamt;		/* locked */
	struct sim_pamt *around;	/* of the 2 MiB, shared; NULL if they are the page */
	enum sim_lock_mode mode;
};

struct sim_pamt *sim_pamt_of(u64 pa);
struct sim_pamt *sim_pamt_2m_of(u64 pa);
struct sim_pamt *sim_pamt_leaf_of(u64 pa);
u64 sim_page_get(u64 pa, u32 op, u8 type, enum sim_lock_mode mode,
		 struct sim_pamt **pamt);
u64 sim_page_check(u64 pa, u32 op, struct sim_pamt **pamt);
void sim_page_put(struct sim_pamt *pamt, enum sim_lock_mode mode);
u64 sim_free_page_get(u64 pa, u32 op, int level, enum sim_lock_mode mode,
		      struct sim_page_ref *ref);
u64 sim_any_page_get(u64 pa, u32 op, enum sim_lock_mode mode, struct sim_page_ref *ref);
void sim_page_ref_put(const struct sim_page_ref *ref);
void sim_page_assign(struct sim_pamt *pamt, u8 type, int level, struct sim_td *td);
void sim_page_free(struct sim_pamt *pamt, struct sim_td *td);

/* 4 KiB pages in a page of @level. */
static inline u64 sim_level_pages(int level)
{
	return BIT_ULL(9 * level);
}

/* A shared HPA operand of @size bytes: aligned to @align, plain RAM of the host. */
bool sim_shared_hpa_ok(u64 pa, u64 size, u64 align);

/* Answer a SEAMCALL: RAX and CF of @regs, and what the leaf returns (dispatch.c). */
void sim_seamcall(struct pt_regs *regs);

/* Every leaf, and the one that answers for those without a row. */
typedef u64 sim_seamcall_fn(struct pt_regs *regs);

#define SEAMCALL(_name, ...)	sim_##_name,
#define SEAMCALL_ABSENT(...)
extern sim_seamcall_fn
#include "seamcalls.def"
sim_tdh_absent;

#endif /* _X86_VIRT_TDX_SIM_H */
