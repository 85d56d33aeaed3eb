/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: the measurements of a TD, for leafs of other files.
 */
#ifndef _X86_VIRT_TDX_SIM_TDG_MR_H
#define _X86_VIRT_TDX_SIM_TDG_MR_H

struct sim_tdcall_ctx;

/* Before a leaf reads MRTD: it may have to be calculated (mrtd.h). */
void sim_tdg_mrtd_settle(struct sim_tdcall_ctx *ctx);

#endif /* _X86_VIRT_TDX_SIM_TDG_MR_H */
