/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: enumeration of the SYS metadata fields.
 */
#ifndef _X86_VIRT_TDX_SIM_METADATA_H
#define _X86_VIRT_TDX_SIM_METADATA_H

#include <linux/limits.h>
#include <linux/types.h>

/* RDX of TDH.SYS.RD: "the first field" on input, "no further field" on output. */
#define SIM_MD_NO_FIELD		U64_MAX

/* Identifier of the first field, and of the one after @field. */
u64 sim_md_sys_first(void);
u64 sim_md_sys_next(u64 field);

#endif /* _X86_VIRT_TDX_SIM_METADATA_H */
