// SPDX-License-Identifier: GPL-2.0-only
#include "kvm_util.h"
#include "tdx/tdx_exit.h"

void tdx_exit_regs(const struct tdx_exit_call *call, struct tdcall_regs *regs)
{
	tdvmcall_seed_leaf(regs, call->leaf);
	regs->r12 = call->r12;
	regs->r13 = call->r13;
}

static void issue(struct kvm_vcpu *vcpu, const struct tdx_exit_call *call)
{
	struct tdcall_regs regs;

	tdx_exit_regs(call, &regs);
	tdvmcall_issue(vcpu, call->name, &regs);
	tdvmcall_poison_exit(vcpu);
}

void tdx_exit_run(struct kvm_vcpu *vcpu, const struct tdx_exit_call *call)
{
	const struct kvm_run *run = vcpu->run;
	u32 i;

	issue(vcpu, call);
	tdvmcall_run_exit(vcpu, call->name, 0, KVM_EXIT_TDX);

	tdx_assert_value(call->name, "exit", 0, "tdx.flags", 0, run->tdx.flags);
	tdx_assert_value(call->name, "exit", 0, "tdx.nr", call->leaf, run->tdx.nr);
	tdx_assert_value(call->name, "exit", 0, "tdx.*.ret", call->ret,
			 run->tdx.unknown.ret);

	for (i = 0; i < call->nr_data; i++)
		tdx_assert_value(call->name, "exit: word after ret", i, "tdx.*",
				 call->data[i], run->tdx.unknown.data[i]);
}

void tdx_exit_finish(struct kvm_vcpu *vcpu, const struct tdx_exit_call *call, u64 r10)
{
	struct tdcall_regs want;

	tdx_exit_regs(call, &want);
	want.r10 = r10;
	tdvmcall_finish(vcpu, call->name, 1, &want);
}

void tdx_exit_refused(struct kvm_vcpu *vcpu, const struct tdx_exit_call *call, u64 r10)
{
	struct tdcall_regs want;

	issue(vcpu, call);
	tdx_exit_regs(call, &want);
	want.r10 = r10;
	tdvmcall_finish(vcpu, call->name, 0, &want);
}
