// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VMCALL with a leaf in R11 that KVM does not know: the status is
 * SUBFUNC_UNSUPPORTED, no other register changes, and there is no exit.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

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

/* Leafs that mean something in GHCI, or as reason of a VM exit. */
TDX_FIXTURE(unknown_leaf);

FIXTURE_VARIANT(unknown_leaf)
{
	const char *name;
	u64 leaf;
};

#define UNKNOWN(row, number)						\
	FIXTURE_VARIANT_ADD(unknown_leaf, row) { .name = #row, .leaf = (number) }

UNKNOWN(rdpmc,		EXIT_REASON_RDPMC);
UNKNOWN(vmcall,		EXIT_REASON_VMCALL);	/* a VMCALL is R10 != 0 */
UNKNOWN(dr_access,	EXIT_REASON_DR_ACCESS);
UNKNOWN(mwait,		EXIT_REASON_MWAIT_INSTRUCTION);
UNKNOWN(monitor,	EXIT_REASON_MONITOR_INSTRUCTION);
UNKNOWN(ept_misconfig,	EXIT_REASON_EPT_MISCONFIG);	/* KVM uses it for MMIO */
UNKNOWN(wbinvd,		EXIT_REASON_WBINVD);
UNKNOWN(pconfig,	EXIT_REASON_PCONFIG);
UNKNOWN(tdcall,		EXIT_REASON_TDCALL);
UNKNOWN(service,	TDVMCALL_SERVICE);
UNKNOWN(migtd,		TDVMCALL_SERVICE_MIGTD);

TDX_FIXTURE_SETUP(unknown_leaf, tdvmcall_vm_create);

TDX_TEST_F(unknown_leaf, is_unsupported)
{
	assert_unknown(self->vcpu, variant->name, variant->leaf);
}

/* Ranges of numbers, without the leafs that KVM knows. */
TDX_FIXTURE(unknown_leafs);

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

TDX_FIXTURE_SETUP(unknown_leafs, tdvmcall_vm_create);

TDX_TEST_F(unknown_leafs, are_unsupported)
{
	const u64 nr = variant->last - variant->first + 1;
	u64 i;

	for (i = 0; i < nr; i++) {
		if (!is_known(variant->first + i))
			assert_unknown(self->vcpu, variant->name, variant->first + i);
	}
}

/* All 64 bits of R11 count: a known number with a further bit is unknown. */
TDX_FIXTURE(unknown_bit);

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

TDX_FIXTURE_SETUP(unknown_bit, tdvmcall_vm_create);

TDX_TEST_F(unknown_bit, with_known_leaf)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known_leafs); i++)
		assert_unknown(self->vcpu, variant->name, variant->bit | known_leafs[i]);
}

TDX_TEST_MAIN()
