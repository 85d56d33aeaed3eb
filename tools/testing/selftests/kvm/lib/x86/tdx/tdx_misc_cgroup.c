// SPDX-License-Identifier: GPL-2.0-only
#include "tdx/tdx_misc_cgroup.h"

bool tdx_misc_cgroup_join(struct tdx_cgroup *cgroup, const char *max)
{
	if (!tdx_cgroup_create(cgroup, "misc"))
		return false;

	tdx_cgroup_write(cgroup, "misc.max", max);
	tdx_cgroup_join(cgroup);
	return true;
}

u64 tdx_misc_cgroup_usage(const struct tdx_cgroup *cgroup)
{
	return tdx_cgroup_read(cgroup, "misc.current", "tdx");
}
