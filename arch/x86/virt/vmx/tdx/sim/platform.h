/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: what a platform with TDX has and others may lack.
 */
#ifndef _X86_VIRT_TDX_SIM_PLATFORM_H
#define _X86_VIRT_TDX_SIM_PLATFORM_H

#include <linux/bits.h>
#include <linux/types.h>

#include <asm/msr.h>

/* IA32_MKTME_KEYID_PARTITIONING: KeyIDs of MKTME, and after them of TDX. */
#define KEYID_PARTITIONING_MKTME	GENMASK_ULL(31, 0)
#define KEYID_PARTITIONING_TDX		GENMASK_ULL(63, 32)

#ifdef CONFIG_INTEL_TDX_SIM

/*
 * IA32_MKTME_KEYID_PARTITIONING: the number of MKTME KeyIDs in bits 31:0 of
 * *@value, of TDX KeyIDs in bits 63:32 (Intel TDX Module Base Architecture
 * Specification, "Platform Configuration").  Returns 0, or a negative errno on
 * a CPU that has no such MSR and a command line without tdx_sim_keyids=.
 */
int sim_keyid_partitioning(u64 *value);

#else

static inline int sim_keyid_partitioning(u64 *value)
{
	return rdmsrq_safe(MSR_IA32_MKTME_KEYID_PARTITIONING, value);
}

#endif

#endif /* _X86_VIRT_TDX_SIM_PLATFORM_H */
