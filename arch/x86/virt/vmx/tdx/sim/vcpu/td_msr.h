/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: MSRs of a TD.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_MSR_H
#define _X86_VIRT_TDX_SIM_TD_MSR_H

#include <linux/types.h>

#include "vcpu/td_exit.h"

struct sim_tdcs;

/* Exits of RDMSR and WRMSR. */
enum sim_action sim_exit_rdmsr(struct sim_exit *exit);
enum sim_action sim_exit_wrmsr(struct sim_exit *exit);

/*
 * Fill the 4 KiB of MSR bitmaps: every MSR exits, except those that the CPU handles
 * alone.
 */
void sim_msr_bitmap_init(unsigned long *bitmap);

/* IBRS, STIBP or SSBD in the CPUID of the TD: it has IA32_SPEC_CTRL. */
bool sim_msr_has_spec_ctrl(const struct sim_tdcs *tdcs);

#endif /* _X86_VIRT_TDX_SIM_TD_MSR_H */
