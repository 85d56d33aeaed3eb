/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: leafs of TDCALL, what all of them share.
 */
#ifndef _X86_VIRT_TDX_SIM_TDG_H
#define _X86_VIRT_TDX_SIM_TDG_H

#include <linux/types.h>

#include "abi.h"
#include "vcpu/td_exit.h"

/*
 * A leaf works on the GPRs of the vCPU, and returns the status for RAX.  A leaf that
 * may leave the TD does it by @action.  It sets @again if the TD must execute the
 * instruction again afterwards; RAX then stays as it was.
 */
struct sim_tdcall_ctx {
	struct sim_exit *exit;
	u64 *gpr;		/* by enum sim_gpr */
	enum sim_action action;
	bool again;
};

/* Numbers of the leafs, absent ones included: SIM_TDG_VP_RD and so on. */
enum sim_tdcall_leaf {
#define TDCALL(_name, _leaf, _number, ...)	SIM_##_leaf = _number,
#define TDCALL_ABSENT(_leaf, _number, ...)	SIM_##_leaf = _number,
#include "tdg/tdcalls.def"
};

typedef u64 sim_tdcall_fn(struct sim_tdcall_ctx *ctx);

#define TDCALL(_name, ...)	sim_tdcall_fn sim_##_name;
#define TDCALL_ABSENT(...)
#include "tdg/tdcalls.def"

#endif /* _X86_VIRT_TDX_SIM_TDG_H */
