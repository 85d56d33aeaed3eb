// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: the EPT root of a vCPU.
 *
 * The lower half of the guest physical addresses is translated by the secure
 * EPT, the upper half by the host's own tables.  One root has to hold both, so
 * every vCPU has one with copies of the rows of the two.
 */
#include <linux/bitmap.h>

#include <asm/vmx.h>

#include "sept.h"
#include "td_run.h"

/* Rows of the root that each half has. */
#define EPT_HALF	(PTRS_PER_PTE / 2)

static_assert(EPT_HALF == SIM_SHARED_ROWS);

bool sim_sync_private_root(struct sim_vcpu *vcpu)
{
	struct sim_tdcs *tdcs = vcpu->td->tdcs;
	/* Pairs with sim_sept_set(): the number is not newer than the entries. */
	int gen = atomic_read_acquire(&tdcs->sept_root_gen);
	unsigned int row;

	if (vcpu->ept_root_gen == gen)
		return false;

	/* Whole entries: the CPU may walk the root meanwhile. */
	for (row = 0; row < EPT_HALF; row++)
		WRITE_ONCE(vcpu->ept_root[row], READ_ONCE(tdcs->sept_root[row]));
	vcpu->ept_root_gen = gen;
	/* A row of this half may stand in for one of the other. */
	sim_shared_sync_root(vcpu);
	return true;
}

/* True if the row leads on now, and did not or led elsewhere before. */
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
	sim_shared_sync_root(vcpu);
	return present;
}

/*
 * The host changes its half by plain stores into its own root.  What it adds the
 * vCPU finds by an EPT violation, as a CPU does; what it takes away must be gone
 * with the next entry, which is after the host's flush.
 */
void sim_sync_shared_root(struct sim_vcpu *vcpu)
{
	unsigned int row;

	for_each_set_bit(row, vcpu->shared_rows, SIM_SHARED_ROWS)
		sim_sync_shared_row(vcpu, row);
}

bool sim_sync_shared_gpa(struct sim_vcpu *vcpu, u64 gpa)
{
	unsigned int row = gpa >> (PAGE_SHIFT + 9 * SEPT_ROOT_LEVEL);

	return vcpu->shared_eptp && sim_sync_shared_row(vcpu, row & (EPT_HALF - 1));
}
