// SPDX-License-Identifier: GPL-2.0-only
#include "tdx/tdx_misc_cgroup.h"

bool tdx_misc_cgroup_join(struct tdx_misc_cgroup *cgroup, const char *max)
{
	if (!tdx_cgroup_create(&cgroup->cgroup, "misc"))
		return false;

	tdx_cgroup_write(&cgroup->cgroup, "misc.max", max);
	tdx_cgroup_join(&cgroup->cgroup);
	return true;
}

u64 tdx_misc_cgroup_usage(const struct tdx_misc_cgroup *cgroup)
{
	return tdx_cgroup_read(&cgroup->cgroup, "misc.current", "tdx");
}

void tdx_misc_cgroup_remove(struct tdx_misc_cgroup *cgroup)
{
	tdx_cgroup_remove(&cgroup->cgroup);
}
