// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDG.MEM leafs.
 */
#include <asm/vmx.h>

#include "state/page.h"
#include "state/sept.h"
#include "state/vcpu.h"
#include "tdg/tdg.h"
#include "vcpu/td_event.h"

/* The host must map the page: exit as by an EPT violation, then repeat the TDCALL. */
static u64 sim_accept_violation(struct sim_tdcall_ctx *ctx, u64 gpa, int wanted,
				int level, u64 entry)
{
	u8 state = sim_sept_state(entry);
	u64 info = wanted | level << 3 | (u64)state << 6 |
		   (u64)sim_sept_is_leaf(state) << 14;

	ctx->exit->reason = EXIT_REASON_EPT_VIOLATION;
	ctx->exit->intr_info = 0;
	ctx->action = sim_to_host(ctx->exit, TDX_SUCCESS, EPT_VIOLATION_ACC_WRITE,
				  info << 32 | TDX_EXT_EXIT_QUAL_ACCEPT, gpa);
	ctx->again = true;
	return TDX_SUCCESS;
}

u64 sim_tdg_mem_page_accept(struct sim_tdcall_ctx *ctx)
{
	struct sim_tdcs *tdcs = ctx->exit->vcpu->td->tdcs;
	u64 info = ctx->gpr[SIM_RCX];
	u64 gpa = info & TDX_PAGE_INFO_GPA;
	int wanted = info & TDX_PAGE_INFO_LEVEL;
	u64 *entry, value, status = TDX_SUCCESS;
	int level;

	if (info & ~(TDX_PAGE_INFO_GPA | TDX_PAGE_INFO_LEVEL) || wanted > TDX_PS_2M ||
	    gpa & sim_sept_offset_mask(wanted) || !sim_gpa_private(gpa))
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);

	/*
	 * The walk takes no lock of the tree.  While this vCPU is inside, it holds up
	 * the epoch that the host needs before it can take a table away.
	 */
	entry = sim_sept_walk(tdcs, gpa, wanted, &level);
	value = READ_ONCE(*entry);
	if (level != wanted) {
		if (sim_sept_state(value) == TDX_SEPT_PRESENT)
			return sim_err(TDX_PAGE_ALREADY_ACCEPTED, level);
		return sim_accept_violation(ctx, gpa, wanted, level, value);
	}

	if (!sim_sept_trylock_entry(entry))
		return sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_RCX);

	value = READ_ONCE(*entry);
	switch (sim_sept_state(value)) {
	case TDX_SEPT_NL_MAPPED:
	case TDX_SEPT_NL_BLOCKED:
		status = sim_err(TDX_PAGE_SIZE_MISMATCH, level);
		break;
	case TDX_SEPT_PRESENT:
		status = sim_err(TDX_PAGE_ALREADY_ACCEPTED, level);
		break;
	case TDX_SEPT_PENDING:
		sim_page_fill(__va(value & SEPT_HPA), PAGE_SIZE << (9 * level), 0);
		sim_sept_set(tdcs, entry, level,
			     sim_sept_make(TDX_SEPT_PRESENT, level, value & SEPT_HPA));
		break;
	default:
		status = sim_accept_violation(ctx, gpa, wanted, level, value);
		break;
	}

	sim_sept_unlock_entry(entry);
	return status;
}
