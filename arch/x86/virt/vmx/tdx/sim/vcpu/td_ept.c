// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: the EPT root of a vCPU.
 *
 * The lower half of the guest physical addresses is translated by the secure
 * EPT, the upper half by the host's own tables.  One root must hold both, so
 * every vCPU has a root with copies of the rows of the two.
 */
#include <linux/bitmap.h>
#include <linux/bitops.h>

#include <asm/vmx.h>

#include "state/alias.h"
#include "state/sept.h"
#include "state/vcpu.h"
#include "vcpu/td_ept.h"

/* Rows of the root that each half has. */
#define EPT_HALF	(PTRS_PER_PTE / 2)

static_assert(EPT_HALF == SIM_SHARED_ROWS);

u64 sim_eptp(const struct sim_vcpu *vcpu)
{
	return __pa(vcpu->ept_root) | VMX_EPTP_MT_WB | VMX_EPTP_PWL_4 |
	       VMX_EPTP_AD_ENABLE_BIT;
}

/* Rows of the private half that lead to shared memory, see alias.h. */
static void sync_alias_rows(struct sim_vcpu *vcpu)
{
	unsigned int shared = TDX_SHARED_GPA >> SEPT_LEVEL_SHIFT(SEPT_ROOT_LEVEL);
	unsigned int alias = sim_alias_bit() >> SEPT_LEVEL_SHIFT(SEPT_ROOT_LEVEL);
	unsigned int i;

	if (!sim_alias_needed())
		return;

	/* The alias bit is a power of two: there are as many rows from it as below it. */
	for (i = 0; i < alias; i++)
		WRITE_ONCE(vcpu->ept_root[alias + i], READ_ONCE(vcpu->ept_root[shared + i]));
}

bool sim_sync_private_root(struct sim_vcpu *vcpu)
{
	struct sim_tdcs *tdcs = vcpu->td->tdcs;
	/* Pairs with sim_sept_set(): the number is not newer than the entries. */
	int gen = atomic_read_acquire(&tdcs->sept_root_gen);
	unsigned int row;

	if (vcpu->ept_root_gen == gen)
		return false;

	/* Single stores: the CPU may walk the root meanwhile. */
	for (row = 0; row < EPT_HALF; row++)
		WRITE_ONCE(vcpu->ept_root[row], READ_ONCE(tdcs->sept_root[row]));
	vcpu->ept_root_gen = gen;
	/* Some rows of this half may be those of the alias. */
	sync_alias_rows(vcpu);
	return true;
}

/* True if the row is new or changed, and present. */
static bool sim_sync_shared_row(struct sim_vcpu *vcpu, unsigned int row)
{
	const u64 *from = (u64 *)__va(vcpu->shared_eptp) + EPT_HALF;
	u64 *to = vcpu->ept_root + EPT_HALF;
	u64 entry = READ_ONCE(from[row]);
	bool present = entry & VMX_EPT_RWX_MASK;

	if (to[row] == entry)
		return false;

	WRITE_ONCE(to[row], entry);
	assign_bit(row, vcpu->shared_rows, present);
	sync_alias_rows(vcpu);
	return present;
}

/*
 * The host changes its half by plain stores into its own root.  The vCPU finds new
 * rows by an EPT violation, as a CPU does.  Rows that the host has removed must be
 * gone at the next entry, which is after the host's flush.
 */
void sim_sync_shared_root(struct sim_vcpu *vcpu)
{
	unsigned int word;

	/* Each entry comes here, and most bits are clear: for_each_set_bit() is dearer. */
	for (word = 0; word < BITS_TO_LONGS(SIM_SHARED_ROWS); word++) {
		unsigned long rows = vcpu->shared_rows[word];

		for (; rows; rows &= rows - 1)
			sim_sync_shared_row(vcpu, word * BITS_PER_LONG + __ffs(rows));
	}
}

bool sim_sync_shared_gpa(struct sim_vcpu *vcpu, u64 gpa)
{
	unsigned int row = gpa >> SEPT_LEVEL_SHIFT(SEPT_ROOT_LEVEL);

	return vcpu->shared_eptp && sim_sync_shared_row(vcpu, row & (EPT_HALF - 1));
}
