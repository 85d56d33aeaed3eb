// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_HC_MAP_GPA_RANGE from a TD: TDG.VP.VMCALL with a hypercall number of KVM, not 0,
 * in R10.  It requests the same as MapGPA, by other rules: KVM does not check the GPA
 * and does not split the range, and the answer of userspace goes to R10 unchanged, in
 * every generation of the MapGPA ABI.
 */
#include <linux/kvm_para.h>
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_map_gpa.h"
#include "tdx/tdx_test_harness.h"

#define TEST_GPA	0x1234600000ULL
#define SHARED		TDX_SHARED_BIT
#define PAGES(size)	((size) / SZ_4K)

struct hypercall {
	const char *name;
	bool no_exits;		/* KVM_CAP_EXIT_HYPERCALL is left off */
	u64 gpa;		/* R11 */
	u64 nr_pages;		/* R12 */
	u64 attributes;		/* R13 */
	u64 result;		/* R10 */
};

static void hypercall_regs(const struct hypercall *hc, struct tdcall_regs *regs)
{
	tdvmcall_seed_regs(regs);
	regs->r10 = KVM_HC_MAP_GPA_RANGE;
	regs->r11 = hc->gpa;
	regs->r12 = hc->nr_pages;
	regs->r13 = hc->attributes;
}

static void launch(struct kvm_vcpu *vcpu, const struct hypercall *hc)
{
	struct tdcall_regs regs;

	if (!hc->no_exits)
		tdx_map_gpa_enable_exits(vcpu->vm);

	hypercall_regs(hc, &regs);
	tdvmcall_set_regs(vcpu, &regs);
	tdx_vm_finalize(vcpu->vm);
	tdvmcall_launch(vcpu, hc->name);
}

/* No register but R10 differs from what it was at the call. */
static void finish(struct kvm_vcpu *vcpu, const struct hypercall *hc, u64 exits)
{
	struct tdcall_regs want;

	hypercall_regs(hc, &want);
	want.r10 = hc->result;
	tdvmcall_finish(vcpu, hc->name, exits, &want);
}

static void check_exit_value(const struct hypercall *hc, const char *what, u64 want,
			     u64 got)
{
	tdx_assert_value(hc->name, "exit", 0, what, want, got);
}

static void run_exit(struct kvm_vcpu *vcpu, const struct hypercall *hc)
{
	const struct kvm_run *run = vcpu->run;

	tdvmcall_poison_exit(vcpu);
	tdvmcall_run_exit(vcpu, hc->name, 0, KVM_EXIT_HYPERCALL);

	check_exit_value(hc, "hypercall.nr", KVM_HC_MAP_GPA_RANGE, run->hypercall.nr);
	check_exit_value(hc, "hypercall.ret", 0, run->hypercall.ret);
	check_exit_value(hc, "hypercall.args[0], GPA", hc->gpa, run->hypercall.args[0]);
	check_exit_value(hc, "hypercall.args[1], pages", hc->nr_pages,
			 run->hypercall.args[1]);
	check_exit_value(hc, "hypercall.args[2], attributes", hc->attributes,
			 run->hypercall.args[2]);
	check_exit_value(hc, "hypercall.flags", KVM_EXIT_HYPERCALL_LONG_MODE,
			 run->hypercall.flags);
}

TDX_FIXTURE(hypercall_refused);

FIXTURE_VARIANT(hypercall_refused)
{
	struct hypercall hc;
};

#define REFUSED(row, error, args...)					\
	FIXTURE_VARIANT_ADD(hypercall_refused, row) {			\
		.hc = { .name = #row, .result = -(u64)(error), args },	\
	}

/* Userspace has not asked for the exits.  The order of the rules. */
REFUSED(exits_off, KVM_ENOSYS,
	.no_exits = true, .gpa = TEST_GPA, .nr_pages = 1);
REFUSED(exits_off_before_alignment, KVM_ENOSYS,
	.no_exits = true, .gpa = TEST_GPA + 1, .nr_pages = 1);
REFUSED(exits_off_before_0_pages, KVM_ENOSYS,
	.no_exits = true, .gpa = TEST_GPA, .nr_pages = 0);

REFUSED(unaligned, KVM_EINVAL, .gpa = TEST_GPA + 1, .nr_pages = 1);
REFUSED(unaligned_2k_shared, KVM_EINVAL,
	.gpa = SHARED | (TEST_GPA + SZ_2K), .nr_pages = 1);
REFUSED(no_page, KVM_EINVAL, .gpa = TEST_GPA, .nr_pages = 0);
REFUSED(wrap, KVM_EINVAL, .gpa = SZ_4M, .nr_pages = -1ULL);
REFUSED(wrap_to_0, KVM_EINVAL, .gpa = TEST_GPA, .nr_pages = -PAGES(TEST_GPA));

TDX_FIXTURE_SETUP(hypercall_refused, tdx_map_gpa_vm_create);

TDX_TEST_F(hypercall_refused, without_exit)
{
	launch(self->vcpu, &variant->hc);
	finish(self->vcpu, &variant->hc, 0);
}

TDX_FIXTURE(hypercall_range);

FIXTURE_VARIANT(hypercall_range)
{
	struct hypercall hc;
};

#define ALLOWED(row, args...)						\
	FIXTURE_VARIANT_ADD(hypercall_range, row) { .hc = { .name = #row, args } }

ALLOWED(page_private, .gpa = TEST_GPA, .nr_pages = 1,
	.attributes = KVM_MAP_GPA_RANGE_ENCRYPTED);
/* KVM keeps the shared bit, and does not compare it with the attributes. */
ALLOWED(page_shared, .gpa = SHARED | TEST_GPA, .nr_pages = 1,
	.attributes = KVM_MAP_GPA_RANGE_DECRYPTED);
ALLOWED(shared_bit_encrypted, .gpa = SHARED | TEST_GPA, .nr_pages = 1,
	.attributes = KVM_MAP_GPA_RANGE_ENCRYPTED);
ALLOWED(attributes_all_ones, .gpa = TEST_GPA, .nr_pages = 1, .attributes = ~0ULL);
ALLOWED(size_2m_plus_4k, .gpa = TEST_GPA, .nr_pages = PAGES(SZ_2M) + 1);
ALLOWED(size_1g, .gpa = TEST_GPA, .nr_pages = PAGES(SZ_1G));
/* Ranges that MapGPA refuses. */
ALLOWED(across_shared_bit, .gpa = SHARED - SZ_4K, .nr_pages = 2);
ALLOWED(gpa_above_limit, .gpa = BIT_ULL(62), .nr_pages = 1);
ALLOWED(wrap_of_bytes, .gpa = TEST_GPA, .nr_pages = BIT_ULL(52));

TDX_FIXTURE_SETUP(hypercall_range, tdx_map_gpa_vm_create);

/* There is one exit, whatever the size. */
TDX_TEST_F(hypercall_range, one_exit)
{
	launch(self->vcpu, &variant->hc);
	run_exit(self->vcpu, &variant->hc);
	finish(self->vcpu, &variant->hc, 1);
}

TDX_FIXTURE(hypercall_answer);

FIXTURE_VARIANT(hypercall_answer)
{
	const char *name;
	u64 ret;
};

#define ANSWER(row, value)						\
	FIXTURE_VARIANT_ADD(hypercall_answer, row) { .name = #row, .ret = (u64)(value) }

ANSWER(zero,		0);
ANSWER(one,		1);
ANSWER(eagain,		EAGAIN);
ANSWER(einval,		EINVAL);
ANSWER(eperm,		EPERM);
ANSWER(minus_einval,	-EINVAL);
ANSWER(minus_kvm_enosys, -KVM_ENOSYS);
ANSWER(bit_32,		BIT_ULL(32));
ANSWER(status_invalid_operand, TDVMCALL_STATUS_INVALID_OPERAND);
ANSWER(all_ones,	~0ULL);

TDX_FIXTURE_SETUP(hypercall_answer, tdx_map_gpa_vm_create);

TDX_TEST_F(hypercall_answer, is_raw_result)
{
	const struct hypercall hc = {
		.name = variant->name,
		.gpa = SHARED | TEST_GPA,
		.nr_pages = PAGES(SZ_4M),
		.attributes = KVM_MAP_GPA_RANGE_DECRYPTED,
		.result = variant->ret,
	};

	launch(self->vcpu, &hc);
	run_exit(self->vcpu, &hc);
	self->vcpu->run->hypercall.ret = variant->ret;
	finish(self->vcpu, &hc, 1);
}

TDX_TEST_MAIN()
