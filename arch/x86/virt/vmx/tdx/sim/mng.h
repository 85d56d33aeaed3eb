/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: the parts of TDH.MNG.INIT.
 */
#ifndef _X86_VIRT_TDX_SIM_MNG_H
#define _X86_VIRT_TDX_SIM_MNG_H

#include "td.h"

/* ATTRIBUTES that a TD may have, as SYS metadata reports them. */
#define SIM_ATTRIBUTES_FIXED0	TDX_TD_ATTR_SEPT_VE_DISABLE
#define SIM_ATTRIBUTES_FIXED1	0ULL

/* XFAM that a TD must have; what it may have is sim_sys.xfam_fixed0. */
#define SIM_XFAM_FIXED1		3ULL

#define SIM_CONFIG_FLAGS_FIXED0	TDX_CONFIG_FLAGS_NO_RBP_MOD
#define SIM_CONFIG_FLAGS_FIXED1	0ULL

/* Of the real module; the table of x2APIC ids has room for more. */
#define SIM_MAX_VCPUS		576
static_assert(SIM_MAX_VCPUS * sizeof(u32) <= PAGE_SIZE);

/*
 * TD_PARAMS in the order of the ABI (td_params.c): what comes before CPUID, and
 * what comes after it.  A fault is TDX_OPERAND_INVALID with the operand id of the
 * field, RDX if it is reserved.
 */
u64 sim_td_params_check(const struct td_params *params);
u64 sim_td_params_check_rest(const struct td_params *params);

/* Store checked TD_PARAMS but for CPUID; the TD's TSC starts at 0 now. */
void sim_td_params_take(struct sim_tdcs *tdcs, const struct td_params *params);

#endif /* _X86_VIRT_TDX_SIM_MNG_H */
