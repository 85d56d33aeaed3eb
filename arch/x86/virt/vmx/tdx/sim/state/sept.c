// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: entries of the secure EPT and the walk to them.
 *
 * The tables are those that the CPU walks: an entry is an EPT entry whose
 * ignored bits hold the module's state.  PENDING and BLOCKED entries have no
 * access bits, so their address can stay in place.
 */
#include <linux/bitfield.h>

#include <asm/vmx.h>

#include "state/page.h"
#include "state/sept.h"

/* What a report shows of a leaf entry: access, memory type, IPAT, PS, HPA. */
#define SEPT_REPORT_LEAF	(VMX_EPT_RWX_MASK | VMX_EPT_MT_MASK | VMX_EPT_IPAT_BIT | \
				 SEPT_LARGE_PAGE | SEPT_HPA | VMX_EPT_SUPPRESS_VE_BIT)

/* The same of a non-leaf entry.  The address of its table is the module's secret. */
#define SEPT_REPORT_NL		(VMX_EPT_RWX_MASK | SEPT_LARGE_PAGE | VMX_EPT_SUPPRESS_VE_BIT)

u8 sim_sept_state(u64 entry)
{
	return FIELD_GET(SEPT_STATE, entry);
}

u64 *sim_sept_walk(struct sim_tdcs *tdcs, u64 gpa, int level, int *found)
{
	u64 *table = tdcs->sept_root;
	u64 *entry, value;

	for (*found = SEPT_ROOT_LEVEL; ; (*found)--) {
		entry = &table[sim_sept_index(gpa, *found)];
		value = READ_ONCE(*entry);
		if (*found == level || sim_sept_state(value) != TDX_SEPT_NL_MAPPED)
			return entry;
		table = __va(value & SEPT_HPA);
	}
}

void sim_sept_report(u64 entry, int level, u64 *rcx, u64 *rdx)
{
	u8 state = sim_sept_state(entry);

	if (state == TDX_SEPT_FREE)
		*rcx = VMX_EPT_SUPPRESS_VE_BIT;
	else if (state & SEPT_STATE_NON_LEAF)
		*rcx = entry & SEPT_REPORT_NL;
	else
		*rcx = entry & SEPT_REPORT_LEAF;

	*rdx = level | (u64)state << TDX_SEPT_STATE_SHIFT;
}

bool sim_sept_translate(struct sim_tdcs *tdcs, u64 gpa, u64 *hpa)
{
	u64 entry, offset_mask;
	int level;

	if (!sim_gpa_private(gpa))
		return false;

	entry = READ_ONCE(*sim_sept_walk(tdcs, gpa, 0, &level));
	if (sim_sept_state(entry) != TDX_SEPT_PRESENT)
		return false;

	offset_mask = sim_sept_offset_mask(level);
	*hpa = (entry & SEPT_HPA & ~offset_mask) | (gpa & offset_mask);
	return true;
}

bool sim_sept_trylock_entry(u64 *entry)
{
	return !test_and_set_bit_lock(SEPT_LOCK_BIT, (unsigned long *)entry);
}

void sim_sept_unlock_entry(u64 *entry)
{
	clear_bit_unlock(SEPT_LOCK_BIT, (unsigned long *)entry);
}

void sim_sept_set(struct sim_tdcs *tdcs, u64 *entry, int level, u64 value)
{
	/* The lock bit stays: the caller has the entry locked. */
	WRITE_ONCE(*entry, value | BIT_ULL(SEPT_LOCK_BIT));
	/* After the entry: a vCPU that sees the new number copies the new root. */
	if (level == SEPT_ROOT_LEVEL)
		atomic_inc_return_release(&tdcs->sept_root_gen);
}

u64 sim_sept_make(u8 state, int level, u64 hpa)
{
	u64 entry = FIELD_PREP(SEPT_STATE, state) | VMX_EPT_SUPPRESS_VE_BIT | hpa;

	if (state == TDX_SEPT_NL_MAPPED || state == TDX_SEPT_PRESENT)
		entry |= VMX_EPT_RWX_MASK;
	if (state & SEPT_STATE_NON_LEAF)
		return entry;
	if (level)
		entry |= SEPT_LARGE_PAGE;
	return entry | (X86_MEMTYPE_WB << VMX_EPT_MT_EPTE_SHIFT) | VMX_EPT_IPAT_BIT;
}

void sim_sept_clear_table(u64 *table)
{
	sim_page_fill(table, PAGE_SIZE, SEPT_ENTRY_FREE);
}
