// SPDX-License-Identifier: GPL-2.0-only
/* Reads what KVM counts of its VMs, summed over all of them. */
#include <stdio.h>

#include "td_stats.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

/* A folder of KVM's with a file for each count of all VMs. */
#define STATS	"/sys/kernel/debug/kvm/"

static const char *const counts[] = {
	"exits", "io_exits", "mmio_exits", "halt_exits", "irq_exits", "pf_taken",
};

void td_stats(char *text, int size)
{
	char path[128], value[32];
	unsigned int i;
	int len = 0;
	FILE *f;

	*text = '\0';
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		snprintf(path, sizeof(path), STATS "%s", counts[i]);
		f = fopen(path, "r");
		if (f && fscanf(f, "%31s", value) == 1 && len < size)
			len += snprintf(text + len, size - len, "%s%s %s", len ? ", " : "",
					counts[i], value);
		if (f)
			fclose(f);
	}
}
