// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: the vCPU that an operand names.
 */
#include <linux/atomic.h>
#include <linux/smp.h>

#include "state/vcpu.h"

u64 sim_vcpu_get(u64 pa, u32 op, enum sim_lock_mode mode, enum sim_lock_mode td_mode,
		 u32 op_states, struct sim_vcpu **vcpu)
{
	struct sim_pamt *pamt;
	struct sim_td *td;
	u64 status;

	status = sim_page_get(pa, op, PT_TDVPR, mode, &pamt);
	if (status)
		return status;

	status = sim_owner_td_get(pamt, td_mode, op_states, &td);
	if (status) {
		sim_page_put(pamt, mode);
		return status;
	}

	*vcpu = __va(pa);
	return 0;
}

u64 sim_vcpu_associate(struct sim_vcpu *vcpu)
{
	int cpu = raw_smp_processor_id();
	int old = -1;

	/* Two CPUs that share the lock of the vCPU may come here at once. */
	if (!try_cmpxchg(&vcpu->cpu, &old, cpu))
		return old == cpu ? 0 : TDX_VCPU_ASSOCIATED;

	vcpu->vmcs_loaded = false;
	atomic_inc(&vcpu->td->tdcs->num_assoc_vcpus);
	return 0;
}
