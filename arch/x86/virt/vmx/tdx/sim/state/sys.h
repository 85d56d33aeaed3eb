/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: the module as a whole.
 *
 * State is where the real module has it, in the pages that the host donates: the
 * TDR and TDCX pages of a TD (td.h), the TDVPR and TDCX pages of a vCPU (vcpu.h),
 * PAMT areas (pamt.h) and secure EPT pages (sept.h).  Only what is here has memory
 * of the kernel.  Nothing is allocated after boot, and what the host reclaims is
 * gone.
 */
#ifndef _X86_VIRT_TDX_SIM_SYS_H
#define _X86_VIRT_TDX_SIM_SYS_H

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/types.h>

#include "abi.h"
#include "state/lock.h"

struct sim_pamt;

/* A TDMR as TDH.SYS.CONFIG accepted it; physical addresses and bytes. */
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
	DECLARE_BITMAP(wbinvd, SIM_MAX_PACKAGES);	/* packages that have yet to be flushed */
};

/* States of the module, in the order in which TDH.SYS leafs lead through them. */
enum sim_sys_state {
	SIM_SYSINIT_PENDING,
	SIM_SYSINIT_DONE,
	SIM_SYSCONFIG_DONE,
	SIM_SYS_READY,
	SIM_SYS_DISABLED,
};

/* PT_* of a page is below it. */
#define SIM_NR_PAGE_TYPES	16

#define SIM_REPORT_KEY_SIZE	32	/* bytes */

struct sim_sys {
	enum sim_sys_state state;
	struct sim_lock lock;			/* TDX_SYS_BUSY if it is taken */
	struct cpumask lp_initialized;
	DECLARE_BITMAP(key_packages, SIM_MAX_PACKAGES);	/* global key configured */
	u32 keyid_start;			/* first TDX KeyID */
	u32 nr_keyids;
	u32 global_keyid;
	struct sim_lock kot_lock;		/* TDX_OPERAND_ID_KOT */
	DECLARE_BITMAP(wb_interrupted, SIM_MAX_PACKAGES);	/* TDH.PHYMEM.CACHE.WB */
	struct sim_kot_entry kot[SIM_MAX_KEYIDS];
	u32 nr_tdmrs;
	struct sim_tdmr tdmr[SIM_MAX_TDMRS];
	u64 xfam_fixed0;			/* XFAM bits that a TD may have */
	atomic_long_t pages[SIM_NR_PAGE_TYPES];	/* that the module holds, of 4 KiB, by PT_* */
	u64 last_page;				/* of TDH.MEM.PAGE.ADD or .AUG, for debugfs */
	u8 report_key[SIM_REPORT_KEY_SIZE];	/* of TDG.MR.REPORT, in place of the CPU's */
};

extern struct sim_sys sim_sys;

/* SEAMCALL is answered by the simulation: the command line asked for it (seam.c). */
extern bool sim_started;

/*
 * Packages take part in key configuration and in cache write-back.
 *
 * sim_packages():	sets a bit of @bitmap (SIM_MAX_PACKAGES bits) for each package
 *			with an online CPU.
 * sim_this_package():	number of the package of this CPU; preemption is off.
 */
void sim_packages(unsigned long *bitmap);
unsigned int sim_this_package(void);

#endif /* _X86_VIRT_TDX_SIM_SYS_H */
