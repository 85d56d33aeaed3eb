// SPDX-License-Identifier: GPL-2.0-only
#include <sched.h>
#include <stdio.h>

#include "kvm_util.h"
#include "tdx/tdx_cpus.h"

#define PRESENT_CPUS	"/sys/devices/system/cpu/present"

/* The file is a list of numbers and ranges, such as 0-3,8. */
u32 tdx_nr_present_cpus(void)
{
	FILE *file = fopen(PRESENT_CPUS, "r");
	u32 first, last, nr = 0;
	int items;

	TEST_ASSERT(file, "%s: %m", PRESENT_CPUS);

	do {
		items = fscanf(file, "%u-%u", &first, &last);
		TEST_ASSERT(items > 0, "%s is no list of CPUs", PRESENT_CPUS);
		nr += items == 2 ? last - first + 1 : 1;
	} while (fgetc(file) == ',');

	fclose(file);
	return nr;
}

int tdx_pin_to_first_cpu(void)
{
	int cpu, first = -1;
	cpu_set_t allowed;

	TEST_ASSERT_EQ(sched_getaffinity(0, sizeof(allowed), &allowed), 0);

	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed))
			continue;
		if (first >= 0) {
			pin_self_to_cpu(first);
			return cpu;
		}
		first = cpu;
	}

	return -1;
}
