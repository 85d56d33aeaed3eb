/* SPDX-License-Identifier: GPL-2.0-only */
/* The misc cgroup, to which KVM charges the KeyID of each TD. */
#ifndef SELFTEST_TDX_TDX_MISC_CGROUP_H
#define SELFTEST_TDX_TDX_MISC_CGROUP_H

#include <stdbool.h>

#include "kvm_util_types.h"
#include "tdx/tdx_cgroup.h"

/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define TDX_NO_CGROUP_REASON	"no misc controller of cgroup v2 can be had"

/*
 * Make a cgroup whose limit on TDs is @max, a line for misc.max, and move the caller
 * into it.  Returns false if the kernel has no such cgroup.  tdx_cgroup_remove() removes
 * it.
 */
bool tdx_misc_cgroup_join(struct tdx_cgroup *cgroup, const char *max);

/* Returns the number of TDs in the cgroup as the kernel shows it, without a sign. */
u64 tdx_misc_cgroup_usage(const struct tdx_cgroup *cgroup);

#endif /* SELFTEST_TDX_TDX_MISC_CGROUP_H */
