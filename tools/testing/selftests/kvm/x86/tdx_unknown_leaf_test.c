// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VMCALL with a leaf in R11 that KVM does not know: SUBFUNC_UNSUPPORTED,
 * no register but R10 is written, and userspace does not hear of it.
 */
#include "kselftest_harness.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_util.h"

#define TIMEOUT_SECONDS	120

/* Not in asm/vmx.h. */
#define EXIT_REASON_PCONFIG	65

static const u64 known_leafs[] = {
#define LEAF(leaf) leaf,
	TDVMCALL_LEAFS(LEAF)
};

static bool is_known(u64 leaf)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known_leafs); i++) {
		if (known_leafs[i] == leaf)
			return true;
	}

	return false;
}

static void assert_unknown(struct kvm_vcpu *vcpu, const char *name, u64 leaf)
{
	struct tdcall_regs regs;
	char call[64];

	snprintf(call, sizeof(call), "%s, R11 = 0x%lx", name, leaf);

	tdvmcall_seed_leaf(&regs, leaf);
	tdvmcall_issue(vcpu, call, &regs);
	tdvmcall_poison_exit(vcpu);
	regs.r10 = TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED;
	tdvmcall_finish(vcpu, call, 0, &regs);
}

/* Leafs with a meaning, in GHCI or as a reason of a VM exit. */
FIXTURE(unknown_leaf)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
};

FIXTURE_VARIANT(unknown_leaf)
{
	const char *name;
	u64 leaf;
};

#define UNKNOWN(row, number)						\
	FIXTURE_VARIANT_ADD(unknown_leaf, row) { .name = #row, .leaf = (number) }

UNKNOWN(rdpmc,		EXIT_REASON_RDPMC);
UNKNOWN(vmcall,		EXIT_REASON_VMCALL);	/* in R11: a VMCALL has R10 != 0 */
UNKNOWN(dr_access,	EXIT_REASON_DR_ACCESS);
UNKNOWN(mwait,		EXIT_REASON_MWAIT_INSTRUCTION);
UNKNOWN(monitor,	EXIT_REASON_MONITOR_INSTRUCTION);
UNKNOWN(ept_misconfig,	EXIT_REASON_EPT_MISCONFIG);	/* KVM's own for MMIO */
UNKNOWN(wbinvd,		EXIT_REASON_WBINVD);
UNKNOWN(pconfig,	EXIT_REASON_PCONFIG);
UNKNOWN(tdcall,		EXIT_REASON_TDCALL);
UNKNOWN(service,	TDVMCALL_SERVICE);
UNKNOWN(migtd,		TDVMCALL_SERVICE_MIGTD);

FIXTURE_SETUP(unknown_leaf)
{
	self->vm = tdvmcall_vm_create(&self->vcpu);
}

FIXTURE_TEARDOWN(unknown_leaf)
{
	kvm_vm_free(self->vm);
}

TEST_F_TIMEOUT(unknown_leaf, is_unsupported, TIMEOUT_SECONDS)
{
	assert_unknown(self->vcpu, variant->name, variant->leaf);
}

/* Ranges of numbers without those that KVM knows. */
FIXTURE(unknown_leafs)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
};

FIXTURE_VARIANT(unknown_leafs)
{
	const char *name;
	u64 first;
	u64 last;
};

#define RANGE(row, from, to)						\
	FIXTURE_VARIANT_ADD(unknown_leafs, row) { .name = #row, .first = (from), .last = (to) }

RANGE(exit_reasons,	0, 80);
RANGE(below_ghci,	0xfff8, 0xffff);
RANGE(above_ghci,	TDVMCALL_SERVICE, 0x10020);
RANGE(below_bit_32,	BIT_ULL(32) - 2, BIT_ULL(32));
RANGE(below_bit_63,	BIT_ULL(63) - 2, BIT_ULL(63));
RANGE(last,		~0ULL - 2, ~0ULL);

FIXTURE_SETUP(unknown_leafs)
{
	self->vm = tdvmcall_vm_create(&self->vcpu);
}

FIXTURE_TEARDOWN(unknown_leafs)
{
	kvm_vm_free(self->vm);
}

TEST_F_TIMEOUT(unknown_leafs, are_unsupported, TIMEOUT_SECONDS)
{
	const u64 nr = variant->last - variant->first + 1;
	u64 i;

	for (i = 0; i < nr; i++) {
		if (!is_known(variant->first + i))
			assert_unknown(self->vcpu, variant->name, variant->first + i);
	}
}

/* All of R11 counts: a known number with a bit above it is not known. */
FIXTURE(unknown_bit)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
};

FIXTURE_VARIANT(unknown_bit)
{
	const char *name;
	u64 bit;
};

#define UNKNOWN_BIT(nr)							\
	FIXTURE_VARIANT_ADD(unknown_bit, bit_##nr) { .name = "bit " #nr, .bit = BIT_ULL(nr) }

UNKNOWN_BIT(8);
UNKNOWN_BIT(17);
UNKNOWN_BIT(31);
UNKNOWN_BIT(32);
UNKNOWN_BIT(63);

FIXTURE_SETUP(unknown_bit)
{
	self->vm = tdvmcall_vm_create(&self->vcpu);
}

FIXTURE_TEARDOWN(unknown_bit)
{
	kvm_vm_free(self->vm);
}

TEST_F_TIMEOUT(unknown_bit, with_known_leaf, TIMEOUT_SECONDS)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known_leafs); i++)
		assert_unknown(self->vcpu, variant->name, variant->bit | known_leafs[i]);
}

int main(int argc, char **argv)
{
	__TEST_REQUIRE(is_tdx_supported(), TDX_SKIP_REASON);

	return test_harness_run(argc, argv);
}
