// SPDX-License-Identifier: GPL-2.0-only
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdx_exit_reason.h"
#include "tdx/tdx_kvm.h"
#include "tdx/tdx_sim.h"

/* Of the TD's TSC. */
#define SPIN_CYCLES	1000000ul

const char *tdx_exit_reason_skip(void)
{
	if (!tdx_sim_has("fault"))
		return TDX_SIM_SKIP_REASON;
	if (tdx_kvm_lacks(TDX_KVM_BUS_LOCK_EXIT))
		return TDX_KVM_LACKS_REASON;

	tdx_sim_refuse_none();
	return NULL;
}

void tdx_guest_spin_and_sync(void)
{
	const u64 end = rdtsc() + SPIN_CYCLES;

	asm volatile("sti");
	while (rdtsc() < end)
		cpu_relax();
	asm volatile("cli");
	GUEST_SYNC1(0);
}
