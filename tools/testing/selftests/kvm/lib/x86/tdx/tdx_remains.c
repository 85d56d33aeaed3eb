// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test_util.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_misc_cgroup.h"
#include "tdx/tdx_remains.h"
#include "tdx/tdx_sim.h"
#include "tdx/tdx_warning.h"

/* Of /proc/meminfo. */
#define PAGE_TABLES		"SecPageTables:"

/*
 * KVM may destroy a VM after its process is gone, when an irqfd lets it go, and page tables
 * go after a grace period.  With CONFIG_HZ=250 that took over 500 attempts now and then.
 */
#define SETTLE_US		1000
#define SETTLE_ATTEMPTS		1500

/* The line of /proc/meminfo with the page tables of all VMs. */
static void read_page_tables(char *line, size_t size)
{
	FILE *f = fopen("/proc/sys/vm/stat_refresh", "r");

	/* Each CPU has a part of the count until somebody reads this file. */
	if (f) {
		fgetc(f);
		fclose(f);
	}

	f = fopen("/proc/meminfo", "r");
	TEST_ASSERT(f, "/proc/meminfo: %m");
	while (fgets(line, size, f)) {
		if (!strncmp(line, PAGE_TABLES, strlen(PAGE_TABLES)))
			break;
	}
	fclose(f);
}

char *tdx_remains_of_tds(void)
{
	char *module = tdx_sim_has("pages") ? tdx_sim_holdings() : strdup("");
	char line[128], *all = NULL;

	read_page_tables(line, sizeof(line));
	TEST_ASSERT(module && asprintf(&all, "%s%s", module, line) > 0, "no memory for a text");
	free(module);
	return all;
}

/*
 * Returns true if @now has no more than @before: what the module holds is equal, and page
 * tables are not more.  Those of an earlier test may still go.
 */
static bool no_more(const char *now, const char *before)
{
	const char *tables = strstr(now, PAGE_TABLES), *tables_before = strstr(before, PAGE_TABLES);

	TEST_ASSERT(tables && tables_before, "/proc/meminfo: there is no " PAGE_TABLES);
	return tables - now == tables_before - before && !strncmp(now, before, tables - now) &&
	       strtoul(tables + strlen(PAGE_TABLES), NULL, 10) <=
	       strtoul(tables_before + strlen(PAGE_TABLES), NULL, 10);
}

char *tdx_remains_settle(const char *before)
{
	char *now = tdx_remains_of_tds();
	unsigned int i;

	for (i = 0; i < SETTLE_ATTEMPTS && !no_more(now, before); i++) {
		free(now);
		usleep(SETTLE_US);
		now = tdx_remains_of_tds();
	}
	if (!no_more(now, before))
		return now;

	free(now);
	return NULL;
}

void tdx_remains_begin(struct tdx_remains *remains)
{
	remains->leak = tdx_leak_begin();
	remains->warnings = tdx_count_warnings();
	remains->of_tds = tdx_remains_of_tds();
	tdx_misc_cgroup_join(&remains->cgroup, "tdx max");
}

void tdx_remains_check(const struct tdx_remains *remains)
{
	char *after = tdx_remains_settle(remains->of_tds);

	TEST_ASSERT(!after, "the TDs are gone: wanted in the host\n%sgot\n%s",
		    remains->of_tds, after);
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
