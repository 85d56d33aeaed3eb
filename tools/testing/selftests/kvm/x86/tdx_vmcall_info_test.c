// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VMCALL<GetTdVmCallInfo>: which leafs the VMM supports.  R12 = 0 asks for those
 * that every VMM must have, and KVM answers.  R12 = 1 asks for the optional ones, which
 * only userspace knows.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_exit.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* Answers of userspace, for R11 to R14. */
#define TEST_R11	0x11aaaaaaaaaaaa11ULL
#define TEST_R12	0x12bbbbbbbbbbbb12ULL
#define TEST_R13	0x13cccccccccccc13ULL
#define TEST_R14	0x14dddddddddddd14ULL

static struct tdx_exit_call get_info(const char *name, u64 which)
{
	struct tdx_exit_call call = {
		.name = name,
		.leaf = TDVMCALL_GET_TD_VM_CALL_INFO,
		.r12 = which,
		.r13 = 0x5eed,
		.ret = TDVMCALL_STATUS_SUCCESS,
		.nr_data = 5,
		.data = { which },
	};

	return call;
}

/* Answer the exit of @vcpu in all words, and check that the TD gets them. */
static void answer(struct kvm_vcpu *vcpu, const struct tdx_exit_call *call, u64 ret,
		   u64 r11, u64 r12, u64 r13, u64 r14)
{
	struct kvm_run *run = vcpu->run;
	struct tdcall_regs want;

	tdx_exit_regs(call, &want);
	want.r10 = ret;
	want.r11 = r11;
	want.r12 = r12;
	want.r13 = r13;
	want.r14 = r14;

	/* Userspace cannot change what the exit was for. */
	tdvmcall_poison_exit(vcpu);
	run->tdx.get_tdvmcall_info.ret = ret;
	run->tdx.get_tdvmcall_info.r11 = r11;
	run->tdx.get_tdvmcall_info.r12 = r12;
	run->tdx.get_tdvmcall_info.r13 = r13;
	run->tdx.get_tdvmcall_info.r14 = r14;

	tdvmcall_finish(vcpu, call->name, 1, &want);
}

TDX_FIXTURE(vmcall_info);
TDX_FIXTURE_SETUP(vmcall_info, tdvmcall_vm_create);

/* In GHCI all zeros mean "only the mandatory leafs". */
TDX_TEST_F(vmcall_info, mandatory_without_exit)
{
	struct tdcall_regs regs, want;

	tdvmcall_seed_leaf(&regs, TDVMCALL_GET_TD_VM_CALL_INFO);
	regs.r12 = 0;
	want = regs;
	want.r11 = 0;
	want.r13 = 0;
	want.r14 = 0;

	tdvmcall_issue(self->vcpu, "mandatory", &regs);
	tdvmcall_poison_exit(self->vcpu);
	tdvmcall_finish(self->vcpu, "mandatory", 0, &want);
}

TDX_TEST_F(vmcall_info, optional_is_none_unless_answered)
{
	struct tdx_exit_call call = get_info("not answered", 1);
	struct tdcall_regs want;

	tdx_exit_run(self->vcpu, &call);
	tdx_exit_regs(&call, &want);
	want.r10 = TDVMCALL_STATUS_SUCCESS;
	want.r11 = 0;
	want.r12 = 0;
	want.r13 = 0;
	want.r14 = 0;
	tdvmcall_finish(self->vcpu, call.name, 1, &want);
}

/* Values of R12 that are not supported: GHCI reserves all except 0 and 1. */
TDX_FIXTURE(vmcall_info_refused);

FIXTURE_VARIANT(vmcall_info_refused)
{
	const char *name;
	u64 which;
};

#define REFUSED(row, number)						\
	FIXTURE_VARIANT_ADD(vmcall_info_refused, row) { .name = #row, .which = (number) }

REFUSED(r12_2,		2);
REFUSED(r12_3,		3);
REFUSED(r12_leaf,	TDVMCALL_GET_TD_VM_CALL_INFO);
/* All 64 bits of R12 count: the low half would be 0 or 1. */
REFUSED(bit_32,		BIT_ULL(32));
REFUSED(bit_32_and_1,	BIT_ULL(32) | 1);
REFUSED(bit_63,		BIT_ULL(63));
REFUSED(all_ones,	~0ULL);

TDX_FIXTURE_SETUP(vmcall_info_refused, tdvmcall_vm_create);

TDX_TEST_F(vmcall_info_refused, without_exit)
{
	struct tdx_exit_call call = get_info(variant->name, variant->which);

	tdx_exit_refused(self->vcpu, &call, TDVMCALL_STATUS_INVALID_OPERAND);
}

TDX_FIXTURE(vmcall_info_answer);

FIXTURE_VARIANT(vmcall_info_answer)
{
	const char *name;
	u64 ret;
};

#define ANSWER(row, value)						\
	FIXTURE_VARIANT_ADD(vmcall_info_answer, row) { .name = #row, .ret = (u64)(value) }

#include "tdx/tdx_exit_answers.def"

TDX_FIXTURE_SETUP(vmcall_info_answer, tdvmcall_vm_create);

/* R10 to R14 are the answer unchanged, whether or not it is a success. */
TDX_TEST_F(vmcall_info_answer, is_raw)
{
	struct tdx_exit_call call = get_info(variant->name, 1);

	tdx_exit_run(self->vcpu, &call);
	answer(self->vcpu, &call, variant->ret, TEST_R11, TEST_R12, TEST_R13, TEST_R14);
	tdx_exit_run(self->vcpu, &call);
	answer(self->vcpu, &call, variant->ret, ~0ULL, ~0ULL, ~0ULL, ~0ULL);
}

/* Bits of R11 that KVM_TDX_CAPABILITIES allows to userspace, and their leafs. */
static const struct {
	const char *name;
	u64 bit;
	u64 leaf;
	u64 r12;
} user_leafs[] = {
	{ "SetupEventNotifyInterrupt", BIT_ULL(1), TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT, 32 },
};

/* Userspace may offer leafs that reach it: each leaf that KVM reports gives an exit. */
TDX_TEST_F(vmcall_info, capabilities)
{
	struct kvm_tdx_capabilities *caps = tdx_vm_get_capabilities(self->vm);
	u64 known = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(user_leafs); i++) {
		const struct tdx_exit_call call = {
			.name = user_leafs[i].name,
			.leaf = user_leafs[i].leaf,
			.r12 = user_leafs[i].r12,
			.ret = TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED,
		};

		tdx_exit_run(self->vcpu, &call);
		tdx_exit_finish(self->vcpu, &call, TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
		known |= user_leafs[i].bit;
	}

	tdx_assert_value("KVM_TDX_CAPABILITIES", "user", 1, "R11", known,
			 caps->user_tdvmcallinfo_1_r11);
	tdx_assert_value("KVM_TDX_CAPABILITIES", "user", 1, "R12", 0,
			 caps->user_tdvmcallinfo_1_r12);
	/* KVM completes no optional leaf by itself. */
	tdx_assert_value("KVM_TDX_CAPABILITIES", "kernel", 1, "R11", 0,
			 caps->kernel_tdvmcallinfo_1_r11);
	tdx_assert_value("KVM_TDX_CAPABILITIES", "kernel", 1, "R12", 0,
			 caps->kernel_tdvmcallinfo_1_r12);
	free(caps);
}

TDX_TEST_MAIN()
