// SPDX-License-Identifier: GPL-2.0-only
/*
 * The misc cgroup's limit on TDs: KVM_TDX_INIT_VM charges the cgroup for a TD, fails with
 * EBUSY where that is too much, and then leaves the usage as it was.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_kvm.h"
#include "tdx/tdx_misc_cgroup.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_warning.h"

/*
 * A KVM that uncharges what it never charged leaves a negative usage behind, also in the
 * root cgroup.  After that no TD can be created until the host is booted again.
 */
#define MISC_CGROUP_ENV		"TDX_MISC_CGROUP"
#define MISC_CGROUP_REASON	"KVM would lose count of TDs and " MISC_CGROUP_ENV " is not 1"
#define FINDING			4

/* More attempts than any limit of a case allows. */
#define NR_ATTEMPTS	4

FIXTURE(misc_cgroup)
{
	struct tdx_cgroup cgroup;
};

FIXTURE_VARIANT(misc_cgroup)
{
	const char *max;	/* for misc.max */
	int limit;		/* the same number */
};

FIXTURE_VARIANT_ADD(misc_cgroup, limit_0) { .max = "tdx 0", .limit = 0 };
FIXTURE_VARIANT_ADD(misc_cgroup, limit_1) { .max = "tdx 1", .limit = 1 };
FIXTURE_VARIANT_ADD(misc_cgroup, limit_2) { .max = "tdx 2", .limit = 2 };

FIXTURE_SETUP(misc_cgroup)
{
	const char *asked = getenv(MISC_CGROUP_ENV);

	if (!tdx_kvm_has_fix(FINDING) && (!asked || strcmp(asked, "1")))
		SKIP(return, MISC_CGROUP_REASON);
	if (!tdx_misc_cgroup_join(&self->cgroup, variant->max))
		SKIP(return, TDX_NO_CGROUP_REASON);
}

FIXTURE_TEARDOWN_PARENT(misc_cgroup)
{
	tdx_cgroup_remove(&self->cgroup);
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

TDX_TEST_F_PARENT(misc_cgroup, holds)
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
				 min(i + 1, variant->limit),
				 tdx_misc_cgroup_usage(&self->cgroup));
	}

	for (i = 0; i < NR_ATTEMPTS; i++)
		kvm_vm_free(vms[i]);
	tdx_assert_value("misc.current", "TDs left", 0, "TDs", 0,
			 tdx_misc_cgroup_usage(&self->cgroup));
	tdx_assert_no_warning(warnings);
}

TDX_FINDING(4, "misc_cgroup.limit_0.holds");
TDX_FINDING(4, "misc_cgroup.limit_1.holds");
TDX_FINDING(4, "misc_cgroup.limit_2.holds");

TDX_TEST_MAIN()
