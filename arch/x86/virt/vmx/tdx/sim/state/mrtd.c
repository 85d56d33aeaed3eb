// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: MRTD, the measurement of a TD's initial memory.
 *
 * MRTD is the SHA-384 of 128-byte records in the order of the host's calls
 * ("Measurement of the TD's initial contents", base architecture): the name of
 * the leaf, the GPA, and for TDH.MR.EXTEND the 256 bytes at that GPA.
 */
#include <linux/string.h>

#include "state/mrtd.h"
#include "state/td.h"

#define SIM_MR_RECORD_GPA	16	/* byte offset of the GPA in a record */

struct sim_mr_record {
	char leaf[SIM_MR_RECORD_GPA];	/* padded with zeros */
	__le64 gpa;
	u8 reserved[104];
};

static_assert(sizeof(struct sim_mr_record) == 128);

static void sim_mr_update(struct sim_tdcs *tdcs, const char *leaf, u64 gpa)
{
	struct sim_mr_record record = { .gpa = cpu_to_le64(gpa) };

	memcpy(record.leaf, leaf, strlen(leaf));
	sha384_update(&tdcs->mrtd_ctx, (const u8 *)&record, sizeof(record));
}

void sim_mrtd_init(struct sim_tdcs *tdcs)
{
	sha384_init(&tdcs->mrtd_ctx);
}

void sim_mrtd_page_add(struct sim_tdcs *tdcs, u64 gpa)
{
	sim_mr_update(tdcs, "MEM.PAGE.ADD", gpa);
}

void sim_mrtd_extend(struct sim_tdcs *tdcs, u64 gpa, const void *chunk)
{
	sim_mr_update(tdcs, "MR.EXTEND", gpa);
	sha384_update(&tdcs->mrtd_ctx, chunk, TDX_EXTENDMR_CHUNKSIZE);
}

void sim_mrtd_finalize(struct sim_tdcs *tdcs)
{
	sha384_final(&tdcs->mrtd_ctx, tdcs->mrtd);
}
