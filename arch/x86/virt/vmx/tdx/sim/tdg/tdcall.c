// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDCALL, from RAX to the function of the leaf.
 */
#include <linux/array_size.h>
#include <linux/bitfield.h>

#include "debug/trace.h"
#include "state/vcpu.h"
#include "tdg/tdcall.h"
#include "tdg/tdg.h"
#include "vcpu/td_event.h"

struct sim_tdcall {
	sim_tdcall_fn *handler;
	u8 version;
};

#define TDCALL(_name, _leaf, _number, _version)			\
	[_number] = { .handler = sim_##_name, .version = _version },
#define TDCALL_ABSENT(...)

static const struct sim_tdcall sim_tdcalls[] = {
#include "tdg/tdcalls.def"
};

static u64 sim_tdcall_dispatch(struct sim_tdcall_ctx *ctx)
{
	u64 rax = ctx->gpr[SIM_RAX];
	u64 leaf = rax & TDX_LEAF_MASK;

	if (rax & ~(TDX_LEAF_MASK | TDX_LEAF_VERSION_MASK) || leaf >= ARRAY_SIZE(sim_tdcalls) ||
	    !sim_tdcalls[leaf].handler ||
	    FIELD_GET(TDX_LEAF_VERSION_MASK, rax) > sim_tdcalls[leaf].version)
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RAX);

	return sim_tdcalls[leaf].handler(ctx);
}

enum sim_action sim_tdcall(struct sim_exit *exit)
{
	struct sim_tdcall_ctx ctx = {
		.exit = exit,
		.gpr = exit->vcpu->gpr,
		.action = SIM_RESUME,
	};
	u64 leaf = ctx.gpr[SIM_RAX];
	u64 status = sim_tdcall_dispatch(&ctx);

	trace_tdcall(exit->vcpu, leaf, status);
	if (!ctx.again) {
		ctx.gpr[SIM_RAX] = status;
		sim_skip_insn(TDX_INSN_LEN);
	}
	return ctx.action;
}
