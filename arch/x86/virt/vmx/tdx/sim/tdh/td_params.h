/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: TD_PARAMS, the input of TDH.MNG.INIT.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_PARAMS_H
#define _X86_VIRT_TDX_SIM_TD_PARAMS_H

#include "state/td.h"

/*
 * Check TD_PARAMS in the order of the ABI: first what comes before CPUID, and then
 * what comes after it.  Return 0, or TDX_OPERAND_INVALID with the operand id of the
 * field, RDX if it is reserved.
 */
u64 sim_td_params_check(const struct td_params *params);
u64 sim_td_params_check_rest(const struct td_params *params);

/* Store checked TD_PARAMS, except for CPUID.  The TD's TSC starts at 0 now. */
void sim_td_params_take(struct sim_tdcs *tdcs, const struct td_params *params);

#endif /* _X86_VIRT_TDX_SIM_TD_PARAMS_H */
