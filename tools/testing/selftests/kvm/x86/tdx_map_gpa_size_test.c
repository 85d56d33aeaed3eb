// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VMCALL<MapGPA> of large ranges, and of ranges with memory.  KVM does not look
 * at the memory slots: memory makes no difference.
 *
 * The largest range takes 524,288 exits: a second on hardware, more than half a minute
 * on an emulated CPU.  Its cases run only if TDX_MAP_GPA_1TIB=1 is in the environment.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_map_gpa.h"
#include "tdx/tdx_test_harness.h"

#define TIMEOUT_SECONDS_1TIB	1800

#define OPT_IN_ENV	"TDX_MAP_GPA_1TIB"
/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define SKIP_REASON	OPT_IN_ENV " is not 1"

/* Below the 39 bits of GPA that every CPU with EPT supports. */
#define SLOT_GPA	0x1234600000ULL
#define SLOT_SIZE	SZ_16M
#define SLOT		21

#define GPA_1TIB	0x1234600000ULL
#define SIZE_1TIB	BIT_ULL(40)

TDX_FIXTURE(map_gpa_slot);

FIXTURE_VARIANT(map_gpa_slot)
{
	const char *name;
	u64 gpa;
	u64 size;
	u64 nr_exits;
};

#define SLOTTED(row, args...)						\
	FIXTURE_VARIANT_ADD(map_gpa_slot, row) { .name = #row, args }

SLOTTED(whole,		.gpa = SLOT_GPA, .size = SLOT_SIZE, .nr_exits = 8);
SLOTTED(first_page,	.gpa = SLOT_GPA, .size = SZ_4K, .nr_exits = 1);
SLOTTED(last_page,	.gpa = SLOT_GPA + SLOT_SIZE - SZ_4K, .size = SZ_4K, .nr_exits = 1);
/* A part of the range, and of a chunk, is outside of the slot. */
SLOTTED(across_start,	.gpa = SLOT_GPA - SZ_1M, .size = SZ_4M, .nr_exits = 2);
SLOTTED(across_end,	.gpa = SLOT_GPA + SLOT_SIZE - SZ_1M, .size = SZ_4M, .nr_exits = 2);
/* The slots of the TD's own memory, and the gap between them. */
SLOTTED(first_4g,	.gpa = 0, .size = SZ_4G, .nr_exits = 2048);

FIXTURE_SETUP(map_gpa_slot)
{
	self->vm = tdx_map_gpa_vm_create(&self->vcpu);
	vm_userspace_mem_region_add(self->vm, VM_MEM_SRC_ANONYMOUS, SLOT_GPA, SLOT,
				    SLOT_SIZE / SZ_4K, KVM_MEM_GUEST_MEMFD);
	tdx_map_gpa_enable_exits(self->vm);
}

static void test_range(struct kvm_vcpu *vcpu, const char *name, u64 gpa, u64 size,
		       u64 nr_exits)
{
	const struct tdx_map_gpa_call call = {
		.name = name,
		.gpa = gpa,
		.size = size,
		.nr_exits = nr_exits,
		.r10 = TDVMCALL_STATUS_SUCCESS,
		.r11 = TDVMCALL_MAP_GPA,
	};

	tdx_map_gpa_launch(vcpu, &call);
	tdx_map_gpa_run_exits(vcpu, &call);
	tdx_map_gpa_finish(vcpu, &call);
}

TDX_TEST_F(map_gpa_slot, to_shared)
{
	test_range(self->vcpu, variant->name, TDX_SHARED_BIT | variant->gpa, variant->size,
		   variant->nr_exits);
}

TDX_TEST_F(map_gpa_slot, to_private)
{
	test_range(self->vcpu, variant->name, variant->gpa, variant->size,
		   variant->nr_exits);
}

TDX_FIXTURE(map_gpa_1tib);

FIXTURE_SETUP(map_gpa_1tib)
{
	const char *value = getenv(OPT_IN_ENV);

	if (!value || strcmp(value, "1"))
		SKIP(return, SKIP_REASON);

	self->vm = tdx_map_gpa_vm_create(&self->vcpu);
	tdx_map_gpa_enable_exits(self->vm);
}

TEST_F_TIMEOUT(map_gpa_1tib, to_shared, TIMEOUT_SECONDS_1TIB)
{
	test_range(self->vcpu, "1 TiB", TDX_SHARED_BIT | GPA_1TIB, SIZE_1TIB,
		   SIZE_1TIB / TDX_MAP_GPA_MAX_LEN);
}

TEST_F_TIMEOUT(map_gpa_1tib, to_private_with_short_chunk, TIMEOUT_SECONDS_1TIB)
{
	test_range(self->vcpu, "1 TiB and a page", GPA_1TIB, SIZE_1TIB + SZ_4K,
		   SIZE_1TIB / TDX_MAP_GPA_MAX_LEN + 1);
}

TDX_TEST_MAIN()
