// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDH.MR leafs, the measurement of a TD's initial memory.
 *
 * MRTD is the SHA-384 of 128-byte records in the order of the host's calls
 * ("Measurement of the TD's initial contents", base architecture): the name of
 * the leaf, the GPA, and for TDH.MR.EXTEND the 256 bytes at that GPA.
 */
#include <linux/string.h>

#include "sept.h"

#define SIM_MR_RECORD_GPA	16	/* byte offset of the GPA in a record */

struct sim_mr_record {
	char leaf[SIM_MR_RECORD_GPA];	/* padded with zeros */
	__le64 gpa;
	u8 reserved[104];
};

static_assert(sizeof(struct sim_mr_record) == 128);

static void sim_mr_update(struct sim_tdcs *tdcs, const char *leaf, u64 gpa)
{
	struct sim_mr_record record = { .gpa = cpu_to_le64(gpa) };

	memcpy(record.leaf, leaf, strlen(leaf));
	sha384_update(&tdcs->mrtd_ctx, (const u8 *)&record, sizeof(record));
}

void sim_mr_init(struct sim_tdcs *tdcs)
{
	sha384_init(&tdcs->mrtd_ctx);
}

void sim_mr_page_add(struct sim_tdcs *tdcs, u64 gpa)
{
	sim_mr_update(tdcs, "MEM.PAGE.ADD", gpa);
}

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
	sim_mr_update(td->tdcs, "MR.EXTEND", gpa);
	sha384_update(&td->tdcs->mrtd_ctx, __va(hpa), TDX_EXTENDMR_CHUNKSIZE);
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
	sha384_final(&td->tdcs->mrtd_ctx, td->tdcs->mrtd);
	td->tdcs->op_state = SIM_OP_RUNNABLE;
put_td:
	sim_td_put(td, SIM_EXCL);
	return status;
}
