/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: format of a secure EPT entry.
 *
 * The access bits, memory type, address and bit 63 are the CPU's ("Format of
 * EPT entries", Intel SDM).  The CPU ignores bits 62:52 with the controls that
 * a TD's VMCS has; the module's state lives there, as the code that the ABI
 * reports, so there is one encoding only.
 */
#ifndef _X86_VIRT_TDX_SIM_SEPT_H
#define _X86_VIRT_TDX_SIM_SEPT_H

#include "td.h"

#define SEPT_HPA		GENMASK_ULL(51, 12)
#define SEPT_STATE		GENMASK_ULL(59, 52)
#define SEPT_STATE_NON_LEAF	0x80
#define SEPT_LOCK_BIT		62
#define SEPT_ENTRY_FREE		BIT_ULL(63)	/* suppress #VE, nothing else */
#define SEPT_LARGE_PAGE		BIT_ULL(7)	/* leaf above level 0 */

/* Root of a 4-level table; level 0 is the entry that maps 4 KiB. */
#define SEPT_ROOT_LEVEL		3

/* The entry maps memory, or would if it were not blocked or pending. */
static inline bool sim_sept_is_leaf(u8 state)
{
	return state != TDX_SEPT_FREE && !(state & SEPT_STATE_NON_LEAF);
}

/* Row of a table of @level that @gpa is in; KVM's own tables are laid out alike. */
static inline unsigned int sim_sept_index(u64 gpa, int level)
{
	return (gpa >> (PAGE_SHIFT + 9 * level)) & (PTRS_PER_PTE - 1);
}

/* A private GPA: the shared bit clear and nothing above it. */
static inline bool sim_gpa_private(u64 gpa)
{
	return !(gpa >> TDX_SHARED_GPA_BIT);
}

/* @gpa is one that stands for shared memory on this CPU (td_shared.c). */
bool sim_shared_alias(u64 gpa);

/* Host side lock of one entry: a try-lock, @entry stays walkable meanwhile. */
bool sim_sept_trylock_entry(u64 *entry);
void sim_sept_unlock_entry(u64 *entry);

/* New value of a locked entry; vCPUs learn of changes of the root (level 3). */
void sim_sept_set(struct sim_tdcs *tdcs, u64 *entry, int level, u64 value);

/* Entry of @level in @state (TDX_SEPT_*) for the page or table at @hpa. */
u64 sim_sept_make(u8 state, int level, u64 hpa);

/* A table without any mapping. */
void sim_sept_clear_table(u64 *table);

#endif /* _X86_VIRT_TDX_SIM_SEPT_H */
