/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: operands of a TDCALL in memory.
 */
#ifndef _X86_VIRT_TDX_SIM_TDCALL_MAP_H
#define _X86_VIRT_TDX_SIM_TDCALL_MAP_H

#include <linux/types.h>

struct sim_tdcall_ctx;

/* What to do with a GPA operand. */
enum sim_gpa_access {
	SIM_GPA_READ,
	SIM_GPA_WRITE,
};

/*
 * Where a TDCALL finds the bytes at @gpa, which are all in one page.  NULL if the TD
 * has no such page.  @ctx is then what an access of the TD itself would have led to,
 * and the TDCALL will be executed again.
 */
void *sim_tdcall_map(struct sim_tdcall_ctx *ctx, u64 gpa, enum sim_gpa_access access);

#endif /* _X86_VIRT_TDX_SIM_TDCALL_MAP_H */
