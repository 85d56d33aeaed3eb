/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: the secure EPT, its entries and the walk to them.
 *
 * The access bits, memory type, address and bit 63 are the CPU's ("Format of
 * EPT entries", Intel SDM).  The CPU ignores bits 62:52 with the controls that
 * a TD's VMCS has.  The module's state of the entry is there, as the code that the
 * ABI reports, so that there is one encoding only.
 */
#ifndef _X86_VIRT_TDX_SIM_SEPT_H
#define _X86_VIRT_TDX_SIM_SEPT_H

#include "state/td.h"

#define SEPT_HPA		GENMASK_ULL(51, 12)
#define SEPT_STATE		GENMASK_ULL(59, 52)
#define SEPT_STATE_NON_LEAF	0x80
#define SEPT_LOCK_BIT		62
#define SEPT_ENTRY_FREE		BIT_ULL(63)	/* suppress #VE, nothing else */
#define SEPT_LARGE_PAGE		BIT_ULL(7)	/* leaf above level 0 */

/* Root of a 4-level table; level 0 is the entry that maps 4 KiB. */
#define SEPT_ROOT_LEVEL		3

/* Lowest bit of the index into a table of @level, which KVM's own tables have too. */
#define SEPT_LEVEL_SHIFT(level)	(PAGE_SHIFT + 9 * (level))

/* Row of a table of @level that @gpa is in. */
static inline unsigned int sim_sept_index(u64 gpa, int level)
{
	return (gpa >> SEPT_LEVEL_SHIFT(level)) & (PTRS_PER_PTE - 1);
}

/* Bits of an address within the page that an entry of @level maps. */
static inline u64 sim_sept_offset_mask(int level)
{
	return BIT_ULL(SEPT_LEVEL_SHIFT(level)) - 1;
}

/* The entry maps memory, or would if it were not blocked or pending. */
static inline bool sim_sept_is_leaf(u8 state)
{
	return state != TDX_SEPT_FREE && !(state & SEPT_STATE_NON_LEAF);
}

/* A private GPA: the shared bit clear and nothing above it. */
static inline bool sim_gpa_private(u64 gpa)
{
	return !(gpa >> TDX_SHARED_GPA_BIT);
}

/* A GPA of a TD, private or shared: no bits above the GPA width. */
static inline bool sim_gpa_valid(u64 gpa)
{
	return !(gpa >> TDX_GPA_WIDTH);
}

/*
 * The entry for @gpa at @level, or the one above it at which the walk stopped;
 * *@found is the level of the entry that is returned.  The caller has the tree or
 * the TD locked, or is a vCPU inside of the TD: no table goes away meanwhile.
 */
u64 *sim_sept_walk(struct sim_tdcs *tdcs, u64 gpa, int level, int *found);

/* State of @entry, TDX_SEPT_*. */
u8 sim_sept_state(u64 entry);

/* RCX and RDX of a leaf that reports @entry, which is of @level. */
void sim_sept_report(u64 entry, int level, u64 *rcx, u64 *rdx);

/* *@hpa is the host physical address of the mapped private @gpa; false if it is none. */
bool sim_sept_translate(struct sim_tdcs *tdcs, u64 gpa, u64 *hpa);

/*
 * The host side lock of one entry, a try-lock.  A locked entry can be walked and
 * used by the CPU.
 */
bool sim_sept_trylock_entry(u64 *entry);
void sim_sept_unlock_entry(u64 *entry);

/* New value of a locked entry; vCPUs learn of changes of the root (level 3). */
void sim_sept_set(struct sim_tdcs *tdcs, u64 *entry, int level, u64 value);

/* An entry of @level in @state (TDX_SEPT_*) for the page or the table at @hpa. */
u64 sim_sept_make(u8 state, int level, u64 hpa);

/* Make the 4 KiB at @table a table without any mapping. */
void sim_sept_clear_table(u64 *table);

#endif /* _X86_VIRT_TDX_SIM_SEPT_H */
