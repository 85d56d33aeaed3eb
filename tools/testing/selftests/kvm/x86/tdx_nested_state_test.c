// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested state of a TD's vCPU, which has none: KVM refuses to get it and to set it, also
 * if the vCPU's CPUID has VMX.
 */
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_warning.h"

/* Below the 39 bits of GPA that every CPU with EPT supports. */
#define VMXON_GPA	0x1234600000ULL

#define NO_NESTED_REASON	"KVM does not offer nested virtualization"

static void guest_code(void)
{
	GUEST_SYNC1(0);
	GUEST_DONE();
}

TDX_FIXTURE(nested_state);

FIXTURE_SETUP(nested_state)
{
	struct ucall uc;

	if (!kvm_check_cap(KVM_CAP_NESTED_STATE))
		SKIP(return, NO_NESTED_REASON);
	if (!tdx_may_warn_of_finding(3))
		SKIP(return, TDX_WARN_REASON);

	/* On any other CPU a KVM that accepts the state brings the host down. */
	pin_self_to_cpu(0);

	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_create(self->vm, 0, guest_code);
	if (kvm_cpu_has(X86_FEATURE_VMX))
		vcpu_set_cpuid_feature(self->vcpu, X86_FEATURE_VMX);
	tdx_vcpu_init(self->vcpu);
	tdx_vm_finalize(self->vm);
	tdx_vcpu_run_to_ucall(self->vcpu, UCALL_SYNC, &uc);
}

/* The ioctl fails with EINVAL, KVM does not warn, and the TD runs on. */
static void check_refused(struct kvm_vcpu *vcpu, unsigned long request, const char *name,
			  struct kvm_nested_state *state)
{
	const u64 warnings = tdx_count_warnings();
	struct ucall uc;
	int r;

	r = ioctl(vcpu->fd, request, state);
	TEST_ASSERT(r == -1 && errno == EINVAL, "%s: wanted %s, got %s", name,
		    strerror(EINVAL), r ? strerror(errno) : "success");
	tdx_assert_no_warning(warnings);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);
}

TDX_TEST_F(nested_state, get)
{
	struct {
		struct kvm_nested_state header;
		struct kvm_vmx_nested_state_data data;
	} state = {
		.header.size = sizeof(state),
	};

	check_refused(self->vcpu, KVM_GET_NESTED_STATE, "KVM_GET_NESTED_STATE",
		      &state.header);
}

TDX_TEST_F(nested_state, set_empty)
{
	struct kvm_nested_state state = {
		.size = sizeof(state),
		.hdr.vmx.vmxon_pa = -1ULL,
		.hdr.vmx.vmcs12_pa = -1ULL,
	};

	check_refused(self->vcpu, KVM_SET_NESTED_STATE, "empty state", &state);
}

TDX_TEST_F(nested_state, set_vmxon)
{
	struct kvm_nested_state state = {
		.size = sizeof(state),
		.hdr.vmx.vmxon_pa = VMXON_GPA,
		.hdr.vmx.vmcs12_pa = -1ULL,
	};

	check_refused(self->vcpu, KVM_SET_NESTED_STATE, "state after VMXON", &state);
}

TDX_FINDING(3, "nested_state.get");
TDX_FINDING(3, "nested_state.set_empty");
TDX_FINDING(3, "nested_state.set_vmxon");

TDX_TEST_MAIN()
