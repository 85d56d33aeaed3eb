/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: metadata fields of TDs and vCPUs, by the identifiers that
 * the ABI gives them.
 */
#ifndef _X86_VIRT_TDX_SIM_METADATA_H
#define _X86_VIRT_TDX_SIM_METADATA_H

#include <linux/types.h>

#include "abi.h"
#include "metadata/metadata_sys.h"

struct sim_td;
struct sim_vcpu;

/* MRTD, the first of its elements. */
#define SIM_MD_MRTD		0x1310000300000000ULL
#define SIM_MD_MRTD_NR		6

/* True if @id is an element of MRTD: sim_mrtd_settle() goes before a read of it. */
static inline bool sim_md_is_mrtd(u64 id)
{
	return (id & TDX_MD_FIELD_SELECT) - (SIM_MD_MRTD & TDX_MD_FIELD_SELECT) < SIM_MD_MRTD_NR;
}

/* Who asks: a TDH leaf for the host, or a TDG leaf for the TD. */
enum sim_md_side {
	SIM_MD_HOST,
	SIM_MD_GUEST,
	SIM_MD_NR_SIDES,
};

/*
 * Read field @id: *@value, 0 on failure, and in *@next (unless NULL) the
 * identifier of the next field that can be read, SIM_MD_NO_FIELD if there is
 * none.  An @id of SIM_MD_NO_FIELD asks for the first one, where @next is given.
 * Returns 0, TDX_METADATA_FIELD_ID_INCORRECT, TDX_METADATA_FIELD_NOT_READABLE or
 * TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT.
 */
u64 sim_md_td_read(struct sim_td *td, u64 id, enum sim_md_side side, u64 *value, u64 *next);
u64 sim_md_vp_read(struct sim_vcpu *vcpu, u64 id, enum sim_md_side side, u64 *value, u64 *next);

/*
 * Write the bits of @mask that the field has; *@old is its value before, 0 on
 * failure.  Returns 0, TDX_METADATA_FIELD_ID_INCORRECT,
 * TDX_METADATA_FIELD_NOT_WRITABLE, or what the field's own check says.
 */
u64 sim_md_td_write(struct sim_td *td, u64 id, enum sim_md_side side, u64 value, u64 mask,
		    u64 *old);
u64 sim_md_vp_write(struct sim_vcpu *vcpu, u64 id, enum sim_md_side side, u64 value, u64 mask,
		    u64 *old);

#endif /* _X86_VIRT_TDX_SIM_METADATA_H */
