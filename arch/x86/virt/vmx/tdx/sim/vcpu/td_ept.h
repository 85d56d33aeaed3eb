/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: the EPT root of a vCPU.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_EPT_H
#define _X86_VIRT_TDX_SIM_TD_EPT_H

#include <linux/types.h>

struct sim_vcpu;

/* EPTP of the vCPU, as the VMCS has it. */
u64 sim_eptp(const struct sim_vcpu *vcpu);

/*
 * The halves of the root are brought up to date at each entry, and at an EPT
 * violation: true if the access can be tried again.
 *
 * sim_sync_private_root(): all of the private half.
 * sim_sync_shared_root(): all rows of the shared half that lead on.
 * sim_sync_shared_gpa(): the row of the shared GPA @gpa, shared bit included.
 */
bool sim_sync_private_root(struct sim_vcpu *vcpu);
void sim_sync_shared_root(struct sim_vcpu *vcpu);
bool sim_sync_shared_gpa(struct sim_vcpu *vcpu, u64 gpa);

#endif /* _X86_VIRT_TDX_SIM_TD_EPT_H */
