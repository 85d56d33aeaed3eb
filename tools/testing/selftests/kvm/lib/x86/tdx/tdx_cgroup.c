// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test_util.h"
#include "tdx/tdx_cgroup.h"
#include "tdx/tdx_file.h"

#define MOUNT_TEMPLATE	"/tmp/tdx_cgroup_XXXXXX"
/* The cgroup below the mount. */
#define CGROUP		"tdx_cgroup_test"

static void make_path(char *path, const struct tdx_cgroup *cgroup, const char *name)
{
	snprintf(path, 2 * TDX_CGROUP_PATH_SIZE, "%s/%s", cgroup->mount, name);
}

/* Returns 0, or the errno of the file's open() or write(). */
static int write_file(const struct tdx_cgroup *cgroup, const char *name, const char *text)
{
	char path[2 * TDX_CGROUP_PATH_SIZE];

	make_path(path, cgroup, name);
	return tdx_file_write(path, text) ? 0 : errno;
}

bool tdx_cgroup_create(struct tdx_cgroup *cgroup, const char *controller)
{
	char path[2 * TDX_CGROUP_PATH_SIZE], enable[32];

	snprintf(cgroup->mount, sizeof(cgroup->mount), MOUNT_TEMPLATE);
	TEST_ASSERT(mkdtemp(cgroup->mount), "mkdtemp() failed: %m");

	snprintf(enable, sizeof(enable), "+%s", controller);
	make_path(path, cgroup, CGROUP);
	if (mount("none", cgroup->mount, "cgroup2", 0, NULL) ||
	    write_file(cgroup, "cgroup.subtree_control", enable) ||
	    (mkdir(path, 0755) && errno != EEXIST)) {
		tdx_cgroup_remove(cgroup);
		return false;
	}

	return true;
}

void tdx_cgroup_write(const struct tdx_cgroup *cgroup, const char *file, const char *text)
{
	char name[TDX_CGROUP_PATH_SIZE];
	int error;

	snprintf(name, sizeof(name), CGROUP "/%s", file);
	error = write_file(cgroup, name, text);
	TEST_ASSERT(!error, "'%s' to %s: %s", text, file, strerror(error));
}

void tdx_cgroup_join(const struct tdx_cgroup *cgroup)
{
	tdx_cgroup_write(cgroup, "cgroup.procs", "0");
}

u64 tdx_cgroup_read(const struct tdx_cgroup *cgroup, const char *file, const char *key)
{
	char path[2 * TDX_CGROUP_PATH_SIZE], name[TDX_CGROUP_PATH_SIZE], line[128];
	const size_t length = strlen(key);
	unsigned long value;
	bool found = false;
	FILE *f;

	snprintf(name, sizeof(name), CGROUP "/%s", file);
	make_path(path, cgroup, name);
	f = fopen(path, "r");
	TEST_ASSERT(f, "%s: %m", path);
	while (!found && fgets(line, sizeof(line), f))
		found = !strncmp(line, key, length) && sscanf(line + length, " %lu", &value) == 1;
	fclose(f);
	TEST_ASSERT(found, "%s: no number of %s", file, key);

	return value;
}

void tdx_cgroup_remove(struct tdx_cgroup *cgroup)
{
	char path[2 * TDX_CGROUP_PATH_SIZE];

	if (!tdx_cgroup_exists(cgroup))
		return;

	make_path(path, cgroup, CGROUP);
	rmdir(path);
	umount(cgroup->mount);
	rmdir(cgroup->mount);
	*cgroup->mount = '\0';
}
