// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: shared guest physical addresses on a CPU with narrow
 * physical addresses.
 */
#include <asm/processor.h>

#include "abi.h"
#include "state/alias.h"
#include "state/sept.h"

/* The alias bit has a row of the EPT root, and private memory has at least another. */
#define SIM_MIN_PHYS_BITS	(SEPT_LEVEL_SHIFT(SEPT_ROOT_LEVEL) + 1)

bool sim_alias_cpu_ok(void)
{
	return boot_cpu_data.x86_phys_bits >= SIM_MIN_PHYS_BITS;
}

bool sim_alias_needed(void)
{
	return boot_cpu_data.x86_phys_bits <= TDX_SHARED_GPA_BIT;
}

u64 sim_alias_bit(void)
{
	return BIT_ULL(boot_cpu_data.x86_phys_bits - 1);
}

u64 sim_alias_to_shared(u64 gpa)
{
	if (!sim_alias_needed() || !(gpa & sim_alias_bit()))
		return gpa;

	return (gpa & ~sim_alias_bit()) | TDX_SHARED_GPA;
}

bool sim_gpa_is_alias(u64 gpa)
{
	return sim_alias_needed() && gpa >= sim_alias_bit();
}
