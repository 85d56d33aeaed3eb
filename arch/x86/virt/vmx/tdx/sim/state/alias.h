/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: shared guest physical addresses on a CPU with narrow
 * physical addresses.
 *
 * Bit TDX_SHARED_GPA_BIT of a GPA says that it is shared.  A CPU without TDX may
 * have too few physical address bits for that.  The highest bit that it has then
 * stands in for the shared bit: that is the alias of a shared GPA.  td_shared.c
 * explains how a TD gets to use it.
 */
#ifndef _X86_VIRT_TDX_SIM_ALIAS_H
#define _X86_VIRT_TDX_SIM_ALIAS_H

#include <linux/types.h>

/*
 * sim_alias_cpu_ok():	 the CPU has enough address bits for an alias.
 * sim_alias_needed():	 the CPU lacks the shared bit.
 * sim_alias_bit():	 the bit that stands in for it, as a mask.
 * sim_alias_to_shared(): the GPA of an EPT violation as the TD meant it.
 * sim_gpa_is_alias():	 @gpa is an alias on this CPU, so that no private memory can be
 *			 there.
 */
bool sim_alias_cpu_ok(void);
bool sim_alias_needed(void);
u64 sim_alias_bit(void);
u64 sim_alias_to_shared(u64 gpa);
bool sim_gpa_is_alias(u64 gpa);

#endif /* _X86_VIRT_TDX_SIM_ALIAS_H */
