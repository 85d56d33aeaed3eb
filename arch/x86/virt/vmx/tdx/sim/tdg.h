/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: TDCALL and its leafs.
 */
#ifndef _X86_VIRT_TDX_SIM_TDG_H
#define _X86_VIRT_TDX_SIM_TDG_H

#include "td_run.h"

/*
 * A leaf of the guest: works on the GPRs of the vCPU and gives the status for
 * RAX.  Those that may leave the TD do it through @action, and set @again if the
 * instruction is to be executed once more afterwards.
 */
struct sim_tdcall_ctx {
	struct sim_exit *exit;
	u64 *gpr;
	enum sim_action action;
	bool again;
};

/* What to do with a GPA operand. */
enum sim_gpa_access {
	SIM_GPA_READ,
	SIM_GPA_WRITE,
};

/*
 * Where a TDCALL finds the bytes at @gpa, which are all in one page (td_mem.c).
 * NULL if the TD has no such page: then @ctx has what an access of the TD itself
 * would have led to, and the TDCALL is executed again after that.
 */
void *sim_tdcall_map(struct sim_tdcall_ctx *ctx, u64 gpa, enum sim_gpa_access access);

/* True if @gpa has no bits above the GPA width, the shared one excepted. */
static inline bool sim_gpa_valid(u64 gpa)
{
	return !(gpa >> TDX_GPA_WIDTH);
}

typedef u64 sim_tdcall_fn(struct sim_tdcall_ctx *ctx);

#define TDCALL(_name, ...)	sim_##_name,
#define TDCALL_ABSENT(...)
extern sim_tdcall_fn
#include "tdcalls.def"
sim_tdg_absent;

#endif /* _X86_VIRT_TDX_SIM_TDG_H */
