// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: the module as a whole.
 */
#include <linux/bitmap.h>
#include <linux/cache.h>
#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/random.h>
#include <linux/smp.h>
#include <linux/topology.h>

#include "state/sys.h"

struct sim_sys sim_sys;
bool sim_started __ro_after_init;

/* No leaf can draw it: the locks of the random number generator may sleep. */
static int __init sim_draw_report_key(void)
{
	if (sim_started)
		get_random_bytes(sim_sys.report_key, sizeof(sim_sys.report_key));
	return 0;
}
core_initcall(sim_draw_report_key);

unsigned int sim_this_package(void)
{
	return topology_logical_package_id(raw_smp_processor_id()) % SIM_MAX_PACKAGES;
}

void sim_packages(unsigned long *bitmap)
{
	int cpu;

	bitmap_zero(bitmap, SIM_MAX_PACKAGES);
	for_each_online_cpu(cpu)
		__set_bit(topology_logical_package_id(cpu) % SIM_MAX_PACKAGES, bitmap);
}
