// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDG.VM leafs.
 */
#include <linux/bitfield.h>

#include "metadata/metadata.h"
#include "state/vcpu.h"
#include "tdg/tdg.h"
#include "tdg/tdg_mr.h"

/* TDG.VM.RD and TDG.VM.WR.  RCX names the VM, 0 is the one that calls. */
u64 sim_tdg_vm_rd(struct sim_tdcall_ctx *ctx)
{
	bool version_1 = FIELD_GET(TDX_LEAF_VERSION_MASK, ctx->gpr[SIM_RAX]);
	u64 *next = version_1 ? &ctx->gpr[SIM_RDX] : NULL;

	if (ctx->gpr[SIM_RCX]) {
		ctx->gpr[SIM_R8] = 0;
		if (next)
			*next = SIM_MD_NO_FIELD;
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);
	}

	if (sim_md_is_mrtd(ctx->gpr[SIM_RDX]))
		sim_tdg_mrtd_settle(ctx);

	return sim_md_td_read(ctx->exit->vcpu->td, ctx->gpr[SIM_RDX], SIM_MD_GUEST,
			      &ctx->gpr[SIM_R8], next);
}

u64 sim_tdg_vm_wr(struct sim_tdcall_ctx *ctx)
{
	if (ctx->gpr[SIM_RCX]) {
		ctx->gpr[SIM_R8] = 0;
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);
	}

	return sim_md_td_write(ctx->exit->vcpu->td, ctx->gpr[SIM_RDX], SIM_MD_GUEST,
			       ctx->gpr[SIM_R8], ctx->gpr[SIM_R9], &ctx->gpr[SIM_R8]);
}
