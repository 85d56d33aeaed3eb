// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDG.SYS leafs.
 */
#include "metadata/metadata_sys.h"
#include "state/vcpu.h"
#include "tdg/tdg.h"

u64 sim_tdg_sys_rd(struct sim_tdcall_ctx *ctx)
{
	return sim_md_sys_read(ctx->gpr[SIM_RDX], &ctx->gpr[SIM_R8], &ctx->gpr[SIM_RDX]);
}
