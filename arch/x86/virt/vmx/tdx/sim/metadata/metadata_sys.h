/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: metadata fields of the module.
 */
#ifndef _X86_VIRT_TDX_SIM_METADATA_SYS_H
#define _X86_VIRT_TDX_SIM_METADATA_SYS_H

#include <linux/limits.h>
#include <linux/types.h>

/* Instead of an identifier: "the first field" on input, "none" on output. */
#define SIM_MD_NO_FIELD		U64_MAX

/*
 * Read field @id: *@value, 0 on failure, and in *@next the identifier of the next
 * field, SIM_MD_NO_FIELD if there is none.  An @id of SIM_MD_NO_FIELD asks for the
 * first one.  Returns 0, TDX_METADATA_FIELD_ID_INCORRECT or
 * TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT.
 */
u64 sim_md_sys_read(u64 id, u64 *value, u64 *next);

#endif /* _X86_VIRT_TDX_SIM_METADATA_SYS_H */
