// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "test_util.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_misc_cgroup.h"
#include "tdx/tdx_remains.h"
#include "tdx/tdx_sim.h"
#include "tdx/tdx_warning.h"

void tdx_remains_begin(struct tdx_remains *remains)
{
	remains->leak = tdx_leak_begin();
	remains->warnings = tdx_count_warnings();
	remains->holdings = tdx_sim_has("pages") ? tdx_sim_holdings() : NULL;
	tdx_misc_cgroup_join(&remains->cgroup, "tdx max");
}

void tdx_remains_check(const struct tdx_remains *remains)
{
	char *after;

	if (remains->holdings) {
		after = tdx_sim_holdings();
		TEST_ASSERT(!strcmp(remains->holdings, after),
			    "the TDs are gone: wanted the module to hold\n%sgot\n%s",
			    remains->holdings, after);
		free(after);
	}
	if (tdx_cgroup_exists(&remains->cgroup))
		tdx_assert_value("the TDs are gone", "misc.current", 0, "TDs", 0,
				 tdx_misc_cgroup_usage(&remains->cgroup));
	tdx_assert_no_warning(remains->warnings);
	tdx_leak_check(&remains->leak);
}

void tdx_remains_end(struct tdx_remains *remains)
{
	tdx_cgroup_remove(&remains->cgroup);
}
