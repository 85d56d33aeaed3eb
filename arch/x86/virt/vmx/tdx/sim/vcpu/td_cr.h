/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: control registers of a TD, XCR0 among them.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_CR_H
#define _X86_VIRT_TDX_SIM_TD_CR_H

#include <linux/types.h>

#include "vcpu/td_exit.h"

/* Exits of MOV to CR0 or CR4 and LMSW, and of XSETBV. */
enum sim_action sim_exit_cr_access(struct sim_exit *exit);
enum sim_action sim_exit_xsetbv(struct sim_exit *exit);

/*
 * Bits of CR0 and CR4 that the module owns, for the guest/host masks, and what the TD
 * reads there, for the read shadows.
 */
u64 sim_cr0_owned(void);
u64 sim_cr0_shadow(void);
u64 sim_cr4_owned(const struct sim_vcpu *vcpu);
u64 sim_cr4_shadow(void);

#endif /* _X86_VIRT_TDX_SIM_TD_CR_H */
