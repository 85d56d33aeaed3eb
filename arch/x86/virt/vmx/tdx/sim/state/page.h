/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: the content of pages.
 *
 * The real module writes pages by MOVDIR64B, which gives a whole cache line to another
 * KeyID.  An emulated CPU needs far fewer instructions for 64 bytes at a time than for
 * REP STOS and REP MOVS, of which it executes each iteration.
 */
#ifndef _X86_VIRT_TDX_SIM_PAGE_H
#define _X86_VIRT_TDX_SIM_PAGE_H

#include <linux/types.h>

/*
 * sim_page_cpu_ok():	the CPU has MOVDIR64B, which the others need.
 * sim_page_fill():	@size bytes at @to become copies of @value.
 * sim_page_clear():	the 4 KiB at @page become 0.
 * sim_page_copy():	@size bytes at @to become those at @from, which do not overlap.
 *
 * @to is aligned to 64 bytes, and @size is a multiple of them.
 */
bool sim_page_cpu_ok(void);
void sim_page_fill(void *to, size_t size, u64 value);
void sim_page_clear(void *page);
void sim_page_copy(void *to, const void *from, size_t size);

#endif /* _X86_VIRT_TDX_SIM_PAGE_H */
