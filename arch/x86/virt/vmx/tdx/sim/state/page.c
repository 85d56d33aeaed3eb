// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: the content of pages.
 */
#include <linux/array_size.h>
#include <linux/string.h>

#include <asm/barrier.h>
#include <asm/cpufeature.h>
#include <asm/page_types.h>
#include <asm/special_insns.h>

#include "state/page.h"

#define LINE_SIZE	64	/* bytes that one MOVDIR64B writes */

bool sim_page_cpu_ok(void)
{
	return boot_cpu_has(X86_FEATURE_MOVDIR64B);
}

void sim_page_fill(void *to, size_t size, u64 value)
{
	u64 line[LINE_SIZE / sizeof(value)];
	const void *end = to + size;

	memset64(line, value, ARRAY_SIZE(line));
	for (; to < end; to += LINE_SIZE)
		movdir64b(to, line);

	/* The CPU orders these writes with no others by itself. */
	mb();
}

void sim_page_clear(void *page)
{
	sim_page_fill(page, PAGE_SIZE, 0);
}

void sim_page_copy(void *to, const void *from, size_t size)
{
	const void *end = to + size;

	for (; to < end; to += LINE_SIZE, from += LINE_SIZE)
		movdir64b(to, from);

	/* As above. */
	mb();
}
