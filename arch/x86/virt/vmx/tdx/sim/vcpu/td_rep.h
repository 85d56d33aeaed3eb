/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: string instructions with a REP prefix on shared memory.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_REP_H
#define _X86_VIRT_TDX_SIM_TD_REP_H

#include <linux/types.h>

struct sim_vcpu;

/*
 * The TD was stopped after an iteration of the instruction at its RIP, which has more
 * to do.  Makes the next iterations of REP MOVS and REP STOS up to the end of a page,
 * all but the last of the instruction.  True if the next one is on other pages.
 */
bool sim_rep_advance(struct sim_vcpu *vcpu);

#endif /* _X86_VIRT_TDX_SIM_TD_REP_H */
