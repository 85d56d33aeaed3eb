// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "kvm_util.h"
#include "tdx/tdx_cpus.h"

#define PRESENT_CPUS	"/sys/devices/system/cpu/present"

/* The list is of numbers and ranges, such as 0-3,8. */
u32 tdx_nr_present_cpus(void)
{
	FILE *file = fopen(PRESENT_CPUS, "r");
	u32 first, last, nr = 0;
	int items;

	TEST_ASSERT(file, "%s: %s", PRESENT_CPUS, strerror(errno));

	do {
		items = fscanf(file, "%u-%u", &first, &last);
		TEST_ASSERT(items > 0, "%s is no list of CPUs", PRESENT_CPUS);
		nr += items == 2 ? last - first + 1 : 1;
	} while (fgetc(file) == ',');

	fclose(file);
	return nr;
}
