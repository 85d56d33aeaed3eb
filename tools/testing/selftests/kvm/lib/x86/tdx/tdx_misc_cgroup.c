// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "test_util.h"
#include "tdx/tdx_misc_cgroup.h"

#define MOUNT_TEMPLATE	"/tmp/tdx_misc_cgroup_XXXXXX"
/* Name of the cgroup below the mount. */
#define CGROUP		"tdx_selftest"

/* Returns 0, or the errno of the file's open() or write(). */
static int write_file(const char *mount, const char *name, const char *text)
{
	char path[2 * TDX_CGROUP_PATH];
	int error = 0, fd;

	snprintf(path, sizeof(path), "%s/%s", mount, name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		error = errno;
	close(fd);

	return error;
}

bool tdx_misc_cgroup_join(struct tdx_misc_cgroup *cgroup, const char *max)
{
	char path[2 * TDX_CGROUP_PATH];

	snprintf(cgroup->mount, sizeof(cgroup->mount), MOUNT_TEMPLATE);
	TEST_ASSERT(mkdtemp(cgroup->mount), "mkdtemp() failed: %s", strerror(errno));

	snprintf(path, sizeof(path), "%s/" CGROUP, cgroup->mount);
	if (mount("none", cgroup->mount, "cgroup2", 0, NULL) ||
	    write_file(cgroup->mount, "cgroup.subtree_control", "+misc") ||
	    (mkdir(path, 0755) && errno != EEXIST)) {
		tdx_misc_cgroup_remove(cgroup);
		return false;
	}

	TEST_ASSERT_EQ(write_file(cgroup->mount, CGROUP "/misc.max", max), 0);
	TEST_ASSERT_EQ(write_file(cgroup->mount, CGROUP "/cgroup.procs", "0"), 0);
	return true;
}

u64 tdx_misc_cgroup_usage(const struct tdx_misc_cgroup *cgroup)
{
	char path[2 * TDX_CGROUP_PATH];
	unsigned long value;
	FILE *f;

	snprintf(path, sizeof(path), "%s/" CGROUP "/misc.current", cgroup->mount);
	f = fopen(path, "r");
	TEST_ASSERT(f, "%s: %s", path, strerror(errno));
	TEST_ASSERT(fscanf(f, "tdx %lu", &value) == 1, "%s says nothing of TDs", path);
	fclose(f);

	return value;
}

void tdx_misc_cgroup_remove(struct tdx_misc_cgroup *cgroup)
{
	char path[2 * TDX_CGROUP_PATH];

	if (!*cgroup->mount)
		return;

	snprintf(path, sizeof(path), "%s/" CGROUP, cgroup->mount);
	rmdir(path);
	umount(cgroup->mount);
	rmdir(cgroup->mount);
	*cgroup->mount = '\0';
}
