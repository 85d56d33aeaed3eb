// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: operands of a TDCALL in memory.
 */
#include <linux/mm.h>

#include <asm/vmx.h>

#include "state/vcpu.h"
#include "tdg/tdcall_map.h"
#include "tdg/tdg.h"
#include "vcpu/td_event.h"
#include "vcpu/td_mem.h"

/* Bits 5:3 of the exit qualification: access that the translation allows. */
#define SIM_EPT_QUAL_RWX_SHIFT	3

void *sim_tdcall_map(struct sim_tdcall_ctx *ctx, u64 gpa, enum sim_gpa_access access)
{
	u64 wanted = VMX_EPT_READABLE_MASK |
		     (access == SIM_GPA_WRITE ? VMX_EPT_WRITABLE_MASK : 0);
	struct sim_exit *exit = ctx->exit;
	u64 rwx, hpa;

	if (sim_gpa_translate(exit->vcpu, gpa, wanted, &rwx, &hpa)) {
		if (pfn_range_is_mapped(PHYS_PFN(hpa), PHYS_PFN(hpa) + 1))
			return __va(hpa);
		/* The kernel has not mapped it, so that it is a device: not simulated. */
		ctx->action = sim_to_host_fatal(exit);
		ctx->again = true;
		return NULL;
	}

	exit->reason = EXIT_REASON_EPT_VIOLATION;
	exit->intr_info = 0;
	exit->qualification = (wanted & ~rwx) | rwx << SIM_EPT_QUAL_RWX_SHIFT;
	ctx->action = sim_ept_violation(exit, gpa, 0);
	ctx->again = true;
	return NULL;
}
