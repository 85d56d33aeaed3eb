/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit tests of the simulated TDX module: the cases of TDG.MEM leafs, for the list of
 * tdg_kunit.c.
 */
#ifndef _X86_VIRT_TDX_SIM_TDG_MEM_KUNIT_H
#define _X86_VIRT_TDX_SIM_TDG_MEM_KUNIT_H

struct kunit;

/* The case of TDG.MEM.PAGE.ACCEPT. */
void tdcall_accept(struct kunit *test);

#endif /* _X86_VIRT_TDX_SIM_TDG_MEM_KUNIT_H */
