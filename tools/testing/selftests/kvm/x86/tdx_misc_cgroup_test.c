// SPDX-License-Identifier: GPL-2.0-only
/*
 * The misc cgroup's limit on TDs: KVM_TDX_INIT_VM charges the cgroup for a TD, fails with
 * EBUSY where that is too much, and then leaves the usage as it was.
 */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_kvm.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_warning.h"

#define NO_CGROUP_REASON	"no misc controller of cgroup v2 can be had"

/*
 * A KVM that uncharges what it never charged leaves a negative usage behind, also in the
 * root cgroup.  After that no TD can be created until the host is booted again.
 */
#define MISC_CGROUP_ENV		"TDX_MISC_CGROUP"
#define MISC_CGROUP_REASON	"KVM would lose count of TDs and " MISC_CGROUP_ENV " is not 1"
#define FINDING			4

#define MOUNT_TEMPLATE	"/tmp/tdx_misc_cgroup_XXXXXX"
/* The test's own cgroup below the mount. */
#define CGROUP		"tdx_misc_cgroup_test"
#define PATH_SIZE	128

/* More attempts than any limit of a case allows. */
#define NR_ATTEMPTS	4

FIXTURE(misc_cgroup)
{
	char mount[PATH_SIZE];
};

FIXTURE_VARIANT(misc_cgroup)
{
	const char *max;	/* for misc.max */
	int limit;		/* the same number */
};

FIXTURE_VARIANT_ADD(misc_cgroup, limit_0) { .max = "tdx 0", .limit = 0 };
FIXTURE_VARIANT_ADD(misc_cgroup, limit_1) { .max = "tdx 1", .limit = 1 };
FIXTURE_VARIANT_ADD(misc_cgroup, limit_2) { .max = "tdx 2", .limit = 2 };

/* Returns 0, or the errno of the file's open() or write(). */
static int write_file(const char *mount, const char *name, const char *text)
{
	char path[2 * PATH_SIZE];
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

/* Returns the usage of the test's cgroup as the kernel shows it, without a sign. */
static u64 usage(const char *mount)
{
	char path[2 * PATH_SIZE];
	unsigned long value;
	FILE *f;

	snprintf(path, sizeof(path), "%s/" CGROUP "/misc.current", mount);
	f = fopen(path, "r");
	TEST_ASSERT(f, "%s: %s", path, strerror(errno));
	TEST_ASSERT(fscanf(f, "tdx %lu", &value) == 1, "%s says nothing of TDs", path);
	fclose(f);

	return value;
}

static void make_cgroup(struct __test_metadata *_metadata, const char *mount, const char *max)
{
	char path[2 * PATH_SIZE];

	snprintf(path, sizeof(path), "%s/" CGROUP, mount);
	if (write_file(mount, "cgroup.subtree_control", "+misc") || mkdir(path, 0755))
		SKIP(return, NO_CGROUP_REASON);
	TEST_ASSERT_EQ(write_file(mount, CGROUP "/misc.max", max), 0);
	TEST_ASSERT_EQ(write_file(mount, CGROUP "/cgroup.procs", "0"), 0);
}

FIXTURE_SETUP(misc_cgroup)
{
	const char *asked = getenv(MISC_CGROUP_ENV);

	if (!tdx_kvm_has_fix(FINDING) && (!asked || strcmp(asked, "1")))
		SKIP(return, MISC_CGROUP_REASON);

	snprintf(self->mount, sizeof(self->mount), MOUNT_TEMPLATE);
	TEST_ASSERT(mkdtemp(self->mount), "mkdtemp() failed: %s", strerror(errno));
	if (mount("none", self->mount, "cgroup2", 0, NULL))
		SKIP(return, NO_CGROUP_REASON);
	make_cgroup(_metadata, self->mount, variant->max);
}

FIXTURE_TEARDOWN_PARENT(misc_cgroup)
{
	char path[2 * PATH_SIZE];

	if (!*self->mount)
		return;

	snprintf(path, sizeof(path), "%s/" CGROUP, self->mount);
	rmdir(path);
	umount(self->mount);
	rmdir(self->mount);
}

static int init_vm(struct kvm_vm *vm)
{
	struct kvm_tdx_init_vm *params = tdx_vm_get_init_params(vm);
	u64 hw_error;
	int error;

	errno = 0;
	error = __tdx_vm_ioctl(vm, KVM_TDX_INIT_VM, 0, params, &hw_error) ? errno : 0;
	free(params);

	return error;
}

TDX_TEST_F(misc_cgroup, holds)
{
	const u64 warnings = tdx_count_warnings();
	struct kvm_vm *vms[NR_ATTEMPTS];
	int i, want;

	for (i = 0; i < NR_ATTEMPTS; i++) {
		vms[i] = vm_create_barebones_type(KVM_X86_TDX_VM);
		vm_enable_cap(vms[i], KVM_CAP_SPLIT_IRQCHIP, 24);

		want = i < variant->limit ? 0 : EBUSY;
		tdx_assert_value("KVM_TDX_INIT_VM", "attempt", i, "errno", want,
				 init_vm(vms[i]));
		tdx_assert_value("misc.current", "attempt", i, "TDs",
				 min(i + 1, variant->limit), usage(self->mount));
	}

	for (i = 0; i < NR_ATTEMPTS; i++)
		kvm_vm_free(vms[i]);
	tdx_assert_value("misc.current", "TDs left", 0, "TDs", 0, usage(self->mount));
	tdx_assert_no_warning(warnings);
}

TDX_FINDING(4, "misc_cgroup.limit_0.holds");
TDX_FINDING(4, "misc_cgroup.limit_1.holds");
TDX_FINDING(4, "misc_cgroup.limit_2.holds");

TDX_TEST_MAIN()
