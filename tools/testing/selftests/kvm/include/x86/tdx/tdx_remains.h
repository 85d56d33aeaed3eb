/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What must not be left in the host after TDs are gone: pages and KeyIDs in the TDX
 * module, page tables, a charge to the misc cgroup, memory of the kernel, a warning.  Each
 * is checked where the host lets it be seen.
 */
#ifndef SELFTEST_TDX_TDX_REMAINS_H
#define SELFTEST_TDX_TDX_REMAINS_H

#include "tdx/tdx_cgroup.h"
#include "tdx/tdx_leak.h"

/*
 * Returns what all TDs have of the host, as text that the caller frees: what the simulated
 * module holds, if it tells, and the size of the page tables of VMs.
 */
char *tdx_remains_of_tds(void);

/*
 * Wait until TDs have no more of the host than @before, a text of tdx_remains_of_tds(),
 * but not for long.  Returns NULL, or the text of what they have, which the caller frees.
 */
char *tdx_remains_settle(const char *before);

struct tdx_remains {
	struct tdx_cgroup cgroup;	/* empty: charges are not checked */
	struct tdx_leak leak;
	char *of_tds;			/* as tdx_remains_of_tds() gives it */
	u64 warnings;
};

/* Take the state of the host, in which there is no TD, and move the caller to a cgroup. */
void tdx_remains_begin(struct tdx_remains *remains);

/* Fail if anything has come to it since then. */
void tdx_remains_check(const struct tdx_remains *remains);

/* Remove the cgroup.  For the parent of the process that was moved. */
void tdx_remains_end(struct tdx_remains *remains);

#endif /* SELFTEST_TDX_TDX_REMAINS_H */
