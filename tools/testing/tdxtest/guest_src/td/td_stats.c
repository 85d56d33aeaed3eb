// SPDX-License-Identifier: GPL-2.0-only
/* Reads what the kernel shows of its VMs: what KVM counts, and page tables. */
#include <stdio.h>

#include "td_stats.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

/* A folder of KVM's with a file for each count of all VMs. */
#define COUNTS	"debug/kvm"
/* Of each page table that KVM has, and of nothing else. */
#define CACHE	"slab/kvm_mmu_page_header"

static const char *const counts[] = {
	"exits", "io_exits", "mmio_exits", "halt_exits", "irq_exits", "pf_taken",
};

/* A number that a file begins with, -1 if there is none. */
static long read_number(const char *kernel, const char *folder, const char *name)
{
	char path[256];
	long value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/%s", kernel, folder, name);
	f = fopen(path, "r");
	if (f && fscanf(f, "%ld", &value) != 1)
		value = -1;
	if (f)
		fclose(f);
	return value;
}

long td_count(const char *kernel, const char *name)
{
	return read_number(kernel, COUNTS, name);
}

void td_counts(const char *kernel, char *text, int size)
{
	unsigned int i;
	int len = 0;

	*text = '\0';
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		const long value = td_count(kernel, counts[i]);

		if (value >= 0 && len < size)
			len += snprintf(text + len, size - len, "%s%s %ld", len ? ", " : "",
					counts[i], value);
	}
}

long td_page_tables(const char *kernel)
{
	char path[256];
	FILE *f;

	/* What is free already goes first; slabs with an object in use are left. */
	snprintf(path, sizeof(path), "%s/%s/shrink", kernel, CACHE);
	f = fopen(path, "w");
	if (!f)
		return -1;
	fputs("1", f);
	if (fclose(f))
		return -1;
	return read_number(kernel, CACHE, "partial");
}
