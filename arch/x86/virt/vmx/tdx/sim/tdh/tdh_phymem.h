/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: leafs of SEAMCALL on physical memory.
 */
#ifndef _X86_VIRT_TDX_SIM_TDH_PHYMEM_H
#define _X86_VIRT_TDX_SIM_TDH_PHYMEM_H

/*
 * A TDH.PHYMEM.CACHE.WB on this package was answered as interrupted, which only a request
 * in debugfs does: the next call may resume it.
 */
void sim_cache_wb_interrupt(void);

#endif /* _X86_VIRT_TDX_SIM_TDH_PHYMEM_H */
