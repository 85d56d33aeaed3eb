/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: guest physical addresses of a TD, private and shared.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_MEM_H
#define _X86_VIRT_TDX_SIM_TD_MEM_H

#include <linux/types.h>

#include "vcpu/td_exit.h"

/*
 * The TD, or a TDCALL of it, cannot access @gpa as @exit's qualification says.  Gives the
 * TD a #VE, or leaves for the host, or lets the TD try again if the access has become
 * possible.  @gla: the guest linear address, 0 if there is none.
 */
enum sim_action sim_ept_violation(struct sim_exit *exit, u64 gpa, u64 gla);

/*
 * True if the TD may access @gpa as @wanted says (VMX_EPT_READABLE_MASK and others);
 * *@hpa is its host physical address then.  *@rwx has the rights of the TD in any case.
 */
bool sim_gpa_translate(struct sim_vcpu *vcpu, u64 gpa, u64 wanted, u64 *rwx, u64 *hpa);

#endif /* _X86_VIRT_TDX_SIM_TD_MEM_H */
