/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: the CPUID instruction of a TD.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_CPUID_H
#define _X86_VIRT_TDX_SIM_TD_CPUID_H

#include <linux/types.h>

#include "vcpu/td_exit.h"

/* Exit of CPUID: the TD's own value, or #VE. */
enum sim_action sim_exit_cpuid(struct sim_exit *exit);

#endif /* _X86_VIRT_TDX_SIM_TD_CPUID_H */
