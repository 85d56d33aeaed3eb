/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files in debugfs by which a simulated TDX module lets tests inspect and disturb it;
 * see Documentation/arch/x86/tdx-sim.rst.  A test that needs them is skipped with
 * TDX_SIM_SKIP_REASON where there are none.
 */
#ifndef SELFTEST_TDX_TDX_SIM_H
#define SELFTEST_TDX_TDX_SIM_H

#include <limits.h>
#include <stdbool.h>

#include "kvm_util_types.h"

/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define TDX_SIM_SKIP_REASON	"the TDX module is not a simulated one"

/* Returns true if debugfs has the file tdx_sim/@name. */
bool tdx_sim_has(const char *name);

/*
 * Have the @nth call of @leaf from now, and @times - 1 calls after it, refused
 * with @status in RAX.  @leaf is a name such as TDH_MNG_INIT, @nth counts from 1.
 * @regs are other registers of the answer, such as "RCX=1 R9=0x80000202", NULL for
 * none.  Any request before it ends.
 */
void tdx_sim_refuse(const char *leaf, u32 nth, u64 status, u32 times);
void tdx_sim_refuse_with_regs(const char *leaf, u32 nth, u64 status, u32 times,
			      const char *regs);

/* So many @times that only tdx_sim_refuse_none() ends it. */
#define TDX_SIM_EVER	UINT_MAX

/*
 * Have @bits set in RAX after the @nth call of @leaf from now that answers @status by
 * itself, and after @times - 1 such calls after it.  Requests before it stay.
 */
void tdx_sim_mark(const char *leaf, u32 nth, u64 status, u64 bits, u32 times);

/*
 * Give the @calls of the leaf since the only request, and how many were @refused, or
 * marked.
 */
void tdx_sim_refused(u32 *calls, u32 *refused);

/* Returns true if there is a request. */
bool tdx_sim_refuses(void);

/* End all requests. */
void tdx_sim_refuse_none(void);

/*
 * Returns what the module holds, its pages by type and its KeyIDs by state, as text for
 * a comparison: lines with a name and a number each.  The caller frees it.
 */
char *tdx_sim_holdings(void);

/* Returns true if the file tdx_sim/@name takes @text. */
bool tdx_sim_takes(const char *name, const char *text);
/* Returns the physical address of the page that a TD got last. */
u64 tdx_sim_last_page(void);

/* Write @text to, or return all of, the file tdx_sim/@name.  The caller frees the text. */
void tdx_sim_write(const char *name, const char *text);
char *tdx_sim_read(const char *name);

#endif /* SELFTEST_TDX_TDX_SIM_H */
