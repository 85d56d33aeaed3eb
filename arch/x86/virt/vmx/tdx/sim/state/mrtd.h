/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: MRTD, the measurement of a TD's initial memory.
 */
#ifndef _X86_VIRT_TDX_SIM_MRTD_H
#define _X86_VIRT_TDX_SIM_MRTD_H

#include <linux/types.h>

struct sim_tdcs;

/*
 * The TDR is locked exclusively in all of them but the last one.
 *
 * sim_mrtd_init():	begins the measurement.
 * sim_mrtd_page_add():	measures TDH.MEM.PAGE.ADD of the page at @gpa.
 * sim_mrtd_extend():	measures TDH.MR.EXTEND of the TDX_EXTENDMR_CHUNKSIZE bytes at
 *			@gpa, which are @chunk.
 * sim_mrtd_finalize():	ends it.
 * sim_mrtd_settle():	makes @tdcs->mrtd the result if the measurement has ended.  The TDR
 *			is locked, and extended state is the host's.
 */
void sim_mrtd_init(struct sim_tdcs *tdcs);
void sim_mrtd_page_add(struct sim_tdcs *tdcs, u64 gpa);
void sim_mrtd_extend(struct sim_tdcs *tdcs, u64 gpa, const void *chunk);
void sim_mrtd_finalize(struct sim_tdcs *tdcs);
void sim_mrtd_settle(struct sim_tdcs *tdcs);

#endif /* _X86_VIRT_TDX_SIM_MRTD_H */
