// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: what a platform with TDX has and others may lack.
 *
 * A machine has TDX if an MSR says how many KeyIDs TDX may use.  An emulator can be
 * told to have that MSR.  A hypervisor that gives its guests VMX offers no choice of
 * their MSRs.  There the command line has the number: tdx_sim_keyids=N.
 */
#include <linux/bitfield.h>
#include <linux/init.h>
#include <linux/kstrtox.h>

#include "platform.h"

/* From the command line; 0: as the MSR has it. */
static u32 sim_nr_keyids __ro_after_init;

static int __init sim_parse_keyids(char *arg)
{
	return arg ? kstrtou32(arg, 0, &sim_nr_keyids) : -EINVAL;
}
early_param("tdx_sim_keyids", sim_parse_keyids);

int sim_keyid_partitioning(u64 *value)
{
	if (!sim_nr_keyids)
		return rdmsrq_safe(MSR_IA32_MKTME_KEYID_PARTITIONING, value);

	*value = FIELD_PREP(KEYID_PARTITIONING_TDX, sim_nr_keyids);
	return 0;
}
