// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDH.MR leafs.
 */
#include "state/mrtd.h"
#include "state/sept.h"
#include "tdh/tdh.h"

u64 sim_tdh_mr_extend(struct pt_regs *regs)
{
	u64 gpa = regs->cx;
	struct sim_td *td;
	u64 status, hpa;

	regs->cx = 0;
	status = sim_td_get(regs->dx, TDX_OPERAND_ID_RDX, SIM_EXCL, SIM_OPS_INIT, &td);
	regs->dx = 0;
	if (status)
		return status;

	if (gpa & (TDX_EXTENDMR_CHUNKSIZE - 1) || !sim_gpa_private(gpa)) {
		status = sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);
		goto put_td;
	}

	if (!sim_sept_translate(td->tdcs, gpa, &hpa)) {
		u64 rcx, rdx;
		int level;
		u64 *entry = sim_sept_walk(td->tdcs, gpa, 0, &level);

		sim_sept_report(*entry, level, &rcx, &rdx);
		regs->cx = rcx;
		regs->dx = rdx;
		status = sim_err(TDX_EPT_ENTRY_NOT_PRESENT, TDX_OPERAND_ID_RCX);
		goto put_td;
	}

	/* All checks passed: no failure below. */
	sim_mrtd_extend(td->tdcs, gpa, __va(hpa));
put_td:
	sim_td_put(td, SIM_EXCL);
	return status;
}

u64 sim_tdh_mr_finalize(struct pt_regs *regs)
{
	struct sim_td *td;
	u64 status;

	status = sim_td_get(regs->cx, TDX_OPERAND_ID_RCX, SIM_EXCL, SIM_OPS_INIT, &td);
	if (status)
		return status;

	if (!atomic_read(&td->tdcs->num_vcpus)) {
		status = TDX_NO_VCPUS;
		goto put_td;
	}

	/* All checks passed: no failure below. */
	sim_mrtd_finalize(td->tdcs);
	td->tdcs->op_state = SIM_OP_RUNNABLE;
put_td:
	sim_td_put(td, SIM_EXCL);
	return status;
}
