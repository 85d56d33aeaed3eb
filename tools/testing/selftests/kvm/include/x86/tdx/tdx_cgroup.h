/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cgroup for the process of one case, in a hierarchy of cgroup v2 that only this mount
 * shows.  The parent of the case removes it: a cgroup with a process in it stays.
 *
 *	FIXTURE_SETUP(x)
 *	{
 *		if (!tdx_cgroup_create(&self->cgroup, "misc"))
 *			SKIP(return, NO_CGROUP_REASON);
 *		tdx_cgroup_write(&self->cgroup, "misc.max", "tdx 1");
 *		tdx_cgroup_join(&self->cgroup);
 *	}
 *
 *	FIXTURE_TEARDOWN_PARENT(x)
 *	{
 *		tdx_cgroup_remove(&self->cgroup);
 *	}
 */
#ifndef SELFTEST_TDX_TDX_CGROUP_H
#define SELFTEST_TDX_TDX_CGROUP_H

#include <stdbool.h>

#include "kvm_util_types.h"

#define TDX_CGROUP_PATH_SIZE	128

struct tdx_cgroup {
	char mount[TDX_CGROUP_PATH_SIZE];	/* "" if there is none */
};

/* Returns false if there is no such controller, or if cgroups cannot be mounted. */
bool tdx_cgroup_create(struct tdx_cgroup *cgroup, const char *controller);

/* Write @text to @file of the cgroup, which must take it. */
void tdx_cgroup_write(const struct tdx_cgroup *cgroup, const char *file, const char *text);

/* Move the calling process into the cgroup. */
void tdx_cgroup_join(const struct tdx_cgroup *cgroup);

/* Returns the number after @key, which begins a line of @file of the cgroup. */
u64 tdx_cgroup_read(const struct tdx_cgroup *cgroup, const char *file, const char *key);

/* Returns true between tdx_cgroup_create(), if that made a cgroup, and tdx_cgroup_remove(). */
static inline bool tdx_cgroup_exists(const struct tdx_cgroup *cgroup)
{
	return *cgroup->mount;
}

/* Remove the cgroup, if it was created.  No process must be in it. */
void tdx_cgroup_remove(struct tdx_cgroup *cgroup);

#endif /* SELFTEST_TDX_TDX_CGROUP_H */
