// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VMCALL<MapGPA> and the MAXPHYADDR in the vCPU's own CPUID, which limits the
 * range, whatever the host and the TDX module support.  On a vCPU with a small
 * MAXPHYADDR no shared GPA is legal.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_map_gpa.h"
#include "tdx/tdx_test_harness.h"

#define SHARED		TDX_SHARED_BIT

TDX_FIXTURE(map_gpa_width);

FIXTURE_VARIANT(map_gpa_width)
{
	u32 maxphyaddr;		/* in CPUID, 0 if it has no such leaf */
	u32 limit;
};

/* KVM's own default. */
FIXTURE_VARIANT_ADD(map_gpa_width, none_is_36) { .maxphyaddr = 0, .limit = 36 };
FIXTURE_VARIANT_ADD(map_gpa_width, of_40) { .maxphyaddr = 40, .limit = 40 };
FIXTURE_VARIANT_ADD(map_gpa_width, of_47) { .maxphyaddr = 47, .limit = 47 };
FIXTURE_VARIANT_ADD(map_gpa_width, of_48) { .maxphyaddr = 48, .limit = 48 };
FIXTURE_VARIANT_ADD(map_gpa_width, of_49) { .maxphyaddr = 49, .limit = 49 };
FIXTURE_VARIANT_ADD(map_gpa_width, of_52) { .maxphyaddr = 52, .limit = 52 };

static void set_maxphyaddr(struct kvm_vcpu *vcpu, u32 maxphyaddr)
{
	struct kvm_cpuid_entry2 *entry = vcpu_get_cpuid_entry(vcpu, TDX_CPUID_ADDRESS_WIDTHS);

	if (maxphyaddr)
		entry->eax = (entry->eax & ~GENMASK(7, 0)) | maxphyaddr;
	else
		*entry = vcpu->cpuid->entries[--vcpu->cpuid->nent];
	vcpu_set_cpuid(vcpu);
}

static struct kvm_vm *vm_create_of_width(struct kvm_vcpu **vcpu, u32 maxphyaddr)
{
	struct kvm_vm *vm = tdx_vm_create(1);

	*vcpu = tdx_vcpu_add(vm, 0, tdvmcall_guest_fetch_loop);
	set_maxphyaddr(*vcpu, maxphyaddr);
	tdx_map_gpa_enable_exits(vm);
	tdx_vm_finalize(vm);
	return vm;
}

FIXTURE_SETUP(map_gpa_width)
{
	self->vm = vm_create_of_width(&self->vcpu, variant->maxphyaddr);
}

static void issue(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call)
{
	struct tdcall_regs regs;

	tdvmcall_seed_leaf(&regs, TDVMCALL_MAP_GPA);
	regs.r12 = call->gpa;
	regs.r13 = call->size;
	tdvmcall_issue(vcpu, call->name, &regs);
	tdx_map_gpa_run_exits(vcpu, call);
	tdx_map_gpa_finish(vcpu, call);
}

/* One exit, or a refusal if the range is above the limit. */
static void test_width(struct kvm_vcpu *vcpu, const char *name, u64 gpa, u64 size, bool legal)
{
	const struct tdx_map_gpa_call call = {
		.name = name,
		.gpa = gpa,
		.size = size,
		.nr_exits = legal,
		.r10 = legal ? TDVMCALL_STATUS_SUCCESS : TDVMCALL_STATUS_INVALID_OPERAND,
		.r11 = legal ? TDVMCALL_MAP_GPA : gpa,
	};

	issue(vcpu, &call);
}

TDX_TEST_F(map_gpa_width, is_the_limit)
{
	const u64 limit = BIT_ULL(variant->limit);
	const bool shared_is_legal = limit > SHARED;

	test_width(self->vcpu, "last page", limit - SZ_4K, SZ_4K, true);
	test_width(self->vcpu, "page above the limit", limit, SZ_4K, false);
	test_width(self->vcpu, "highest bit", BIT_ULL(51), SZ_4K, limit > BIT_ULL(51));
	/* The start is legal, the end is not, and the shared bit is the same. */
	test_width(self->vcpu, "end above the limit", limit - SZ_4K,
		   (limit > SHARED ? SHARED : 0) + SZ_8K, false);
	test_width(self->vcpu, "shared page", SHARED, SZ_4K, shared_is_legal);
	test_width(self->vcpu, "private page", SZ_4G, SZ_4K, true);
}

/*
 * From below the shared half to above it.  The first and the last byte have the same
 * shared bit, but the bytes between them do not.
 */
static void test_around_shared_half(u32 maxphyaddr)
{
	const struct tdx_map_gpa_call call = {
		.name = "around the shared half",
		.gpa = SHARED - TDX_MAP_GPA_MAX_LEN,
		.size = SHARED + 2 * TDX_MAP_GPA_MAX_LEN,
		.r10 = TDVMCALL_STATUS_INVALID_OPERAND,
		.r11 = SHARED - TDX_MAP_GPA_MAX_LEN,
	};
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = vm_create_of_width(&vcpu, maxphyaddr);

	issue(vcpu, &call);
	kvm_vm_free(vm);
}

TEST(around_shared_half_of_49)
{
	test_around_shared_half(49);
}

TEST(around_shared_half_of_52)
{
	test_around_shared_half(52);
}

TDX_FINDING(15, "global.around_shared_half_of_49");
TDX_FINDING(15, "global.around_shared_half_of_52");

TDX_TEST_MAIN()
