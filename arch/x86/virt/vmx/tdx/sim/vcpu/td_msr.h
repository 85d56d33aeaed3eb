/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: MSRs of a TD.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_MSR_H
#define _X86_VIRT_TDX_SIM_TD_MSR_H

#include <linux/types.h>

#include "vcpu/td_exit.h"

/* Exits of RDMSR and WRMSR. */
enum sim_action sim_exit_rdmsr(struct sim_exit *exit);
enum sim_action sim_exit_wrmsr(struct sim_exit *exit);

/*
 * Fill the 4 KiB of MSR bitmaps: every MSR exits, except those that the CPU handles
 * alone.
 */
void sim_msr_bitmap_init(unsigned long *bitmap);

#endif /* _X86_VIRT_TDX_SIM_TD_MSR_H */
