/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a simulated TDX module offers to tests beside its ABI, in debugfs; see
 * Documentation/arch/x86/tdx-sim.rst.  A test that cannot do without skips where
 * there is none of it, with TDX_SIM_SKIP_REASON.
 */
#ifndef SELFTEST_TDX_SIM_H
#define SELFTEST_TDX_SIM_H

#include <stdbool.h>

#include "kvm_util_types.h"

/* The reason of a skip is part of the result's name for some: keep it. */
#define TDX_SIM_SKIP_REASON	"the TDX module is not a simulated one"

/* True if there is the file tdx_sim/@name in debugfs. */
bool tdx_sim_has(const char *name);

/*
 * Have the @nth call of @leaf from now, and @times - 1 calls after it, refused
 * with @status in RAX.  @leaf is a name such as TDH_MNG_INIT, @nth counts from 1.
 */
void tdx_sim_refuse(const char *leaf, u32 nth, u64 status, u32 times);

/* Give the @calls of the leaf since tdx_sim_refuse(), and how many were @refused. */
void tdx_sim_refused(u32 *calls, u32 *refused);

/* Refuse nothing any more. */
void tdx_sim_refuse_none(void);

/*
 * What the module holds: its pages of every type and its KeyIDs in every state,
 * as text that is the same if the numbers are.  To be freed by the caller.
 */
char *tdx_sim_holdings(void);

/* Write @text to, and read all of, a file tdx_sim/@name. */
void tdx_sim_write(const char *name, const char *text);
char *tdx_sim_read(const char *name);

#endif /* SELFTEST_TDX_SIM_H */
