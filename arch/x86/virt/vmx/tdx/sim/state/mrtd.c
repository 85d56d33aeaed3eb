// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: MRTD, the measurement of a TD's initial memory.
 *
 * MRTD is the SHA-384 of 128-byte records in the order of the host's calls
 * ("Measurement of the TD's initial contents", base architecture): the name of
 * the leaf, the GPA, and for TDH.MR.EXTEND the 256 bytes at that GPA.
 *
 * A hash costs more than all else that TDH.MEM.PAGE.ADD does, and few ask for MRTD.
 * So the GPAs of added pages are noted, and hashed when their number or the order of the
 * records demands it, or when somebody reads MRTD.
 */
#include <linux/atomic.h>
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

static void sim_mr_update(struct sha384_ctx *ctx, const char *leaf, u64 gpa)
{
	struct sim_mr_record record = { .gpa = cpu_to_le64(gpa) };

	memcpy(record.leaf, leaf, strlen(leaf));
	sha384_update(ctx, (const u8 *)&record, sizeof(record));
}

/* Hash the records of the pages that are noted. */
static void sim_mr_update_noted(const struct sim_tdcs *tdcs, struct sha384_ctx *ctx)
{
	u32 i;

	for (i = 0; i < tdcs->nr_mrtd_gpas; i++)
		sim_mr_update(ctx, "MEM.PAGE.ADD", tdcs->mrtd_gpas[i]);
}

static void sim_mr_flush(struct sim_tdcs *tdcs)
{
	sim_mr_update_noted(tdcs, &tdcs->mrtd_ctx);
	tdcs->nr_mrtd_gpas = 0;
}

void sim_mrtd_init(struct sim_tdcs *tdcs)
{
	sha384_init(&tdcs->mrtd_ctx);
}

void sim_mrtd_page_add(struct sim_tdcs *tdcs, u64 gpa)
{
	if (tdcs->nr_mrtd_gpas == SIM_MRTD_NR_GPAS)
		sim_mr_flush(tdcs);
	tdcs->mrtd_gpas[tdcs->nr_mrtd_gpas++] = gpa;
}

void sim_mrtd_extend(struct sim_tdcs *tdcs, u64 gpa, const void *chunk)
{
	sim_mr_flush(tdcs);
	sim_mr_update(&tdcs->mrtd_ctx, "MR.EXTEND", gpa);
	sha384_update(&tdcs->mrtd_ctx, chunk, TDX_EXTENDMR_CHUNKSIZE);
}

void sim_mrtd_finalize(struct sim_tdcs *tdcs)
{
	/* After the records.  Pairs with sim_mrtd_settle(). */
	smp_store_release(&tdcs->mrtd_pending, true);
}

/* Callers on several CPUs calculate the same value, from what no longer changes. */
void sim_mrtd_settle(struct sim_tdcs *tdcs)
{
	struct sha384_ctx ctx;

	/* Pairs with the release below and with that of sim_mrtd_finalize(). */
	if (!smp_load_acquire(&tdcs->mrtd_pending))
		return;

	ctx = tdcs->mrtd_ctx;
	sim_mr_update_noted(tdcs, &ctx);
	sha384_final(&ctx, tdcs->mrtd);
	/* After the value, for a caller that does not calculate it. */
	smp_store_release(&tdcs->mrtd_pending, false);
}
