// SPDX-License-Identifier: GPL-2.0-only
#include "tdx/tdx_map_gpa.h"

u64 tdx_map_gpa_outcome_status(enum tdx_map_gpa_outcome outcome)
{
	static const u64 status[] = {
		[TDX_MAP_GPA_NEXT] = TDVMCALL_STATUS_SUCCESS,
		[TDX_MAP_GPA_RETRY] = TDVMCALL_STATUS_RETRY,
		[TDX_MAP_GPA_INVALID] = TDVMCALL_STATUS_INVALID_OPERAND,
		/* If userspace runs the TD again. */
		[TDX_MAP_GPA_RUN_EINVAL] = TDVMCALL_STATUS_SUCCESS,
	};

	return status[outcome];
}

static void map_gpa_regs(const struct tdx_map_gpa_call *call, struct tdcall_regs *regs)
{
	tdvmcall_seed_leaf(regs, TDVMCALL_MAP_GPA);
	regs->r12 = call->gpa;
	regs->r13 = call->size;
}

static void assert_exit_value(const struct tdx_map_gpa_call *call, u64 i, const char *what,
			      u64 want, u64 got)
{
	tdx_assert_value(call->name, "exit", i, what, want, got);
}

struct kvm_vm *tdx_map_gpa_vm_create(struct kvm_vcpu **vcpu)
{
	struct kvm_vm *vm = tdx_vm_create(1);

	*vcpu = tdx_vcpu_add(vm, 0, tdvmcall_guest_issue_loop);
	return vm;
}

void tdx_map_gpa_enable_exits(struct kvm_vm *vm)
{
	vm_enable_cap(vm, KVM_CAP_EXIT_HYPERCALL, BIT(KVM_HC_MAP_GPA_RANGE));
}

void tdx_map_gpa_set(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call)
{
	struct tdcall_regs regs;

	map_gpa_regs(call, &regs);
	tdvmcall_set_regs(vcpu, &regs);
}

void tdx_map_gpa_launch(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call)
{
	tdx_map_gpa_set(vcpu, call);
	tdx_vm_finalize(vcpu->vm);
	tdvmcall_launch(vcpu, call->name);
}

/* KVM has not read the answer to the last exit yet, if there was one. */
void tdx_map_gpa_poison_exit(struct kvm_vcpu *vcpu, bool answered)
{
	struct kvm_run *run = vcpu->run;
	u64 ret = run->hypercall.ret;

	tdvmcall_poison_exit(vcpu);
	if (answered)
		run->hypercall.ret = ret;
}

void tdx_map_gpa_check_exit(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call, u64 i)
{
	const struct kvm_run *run = vcpu->run;
	const u64 done = i * TDX_MAP_GPA_MAX_LEN;
	const u64 size = min(call->size - done, (u64)TDX_MAP_GPA_MAX_LEN);
	const u64 gpa = call->gpa + done;
	const u64 attributes = gpa & TDX_SHARED_BIT ? KVM_MAP_GPA_RANGE_DECRYPTED :
						      KVM_MAP_GPA_RANGE_ENCRYPTED;

	tdvmcall_check_exit(vcpu, call->name, i, KVM_EXIT_HYPERCALL);
	assert_exit_value(call, i, "hypercall.nr", KVM_HC_MAP_GPA_RANGE, run->hypercall.nr);
	/* If userspace does not know the field the answer is 0. */
	assert_exit_value(call, i, "hypercall.ret", 0, run->hypercall.ret);
	assert_exit_value(call, i, "hypercall.args[0], GPA", gpa & ~TDX_SHARED_BIT,
			  run->hypercall.args[0]);
	assert_exit_value(call, i, "hypercall.args[1], pages", size / PAGE_SIZE,
			  run->hypercall.args[1]);
	assert_exit_value(call, i, "hypercall.args[2], attributes", attributes,
			  run->hypercall.args[2]);
	assert_exit_value(call, i, "hypercall.flags", KVM_EXIT_HYPERCALL_LONG_MODE,
			  run->hypercall.flags);
}

void tdx_map_gpa_run_exit(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call, u64 i)
{
	tdx_map_gpa_poison_exit(vcpu, i);
	tdvmcall_run_exit(vcpu, call->name, i, KVM_EXIT_HYPERCALL);
	tdx_map_gpa_check_exit(vcpu, call, i);
}

void tdx_map_gpa_run_exits(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call)
{
	u64 i;

	for (i = 0; i < call->nr_exits; i++) {
		tdx_map_gpa_run_exit(vcpu, call, i);
		vcpu->run->hypercall.ret = i + 1 < call->nr_exits ? 0 : call->ret;
	}
}

void tdx_map_gpa_finish(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call)
{
	struct tdcall_regs want;

	map_gpa_regs(call, &want);
	want.r10 = call->r10;
	want.r11 = call->r11;
	tdvmcall_finish(vcpu, call->name, call->nr_exits, &want);
}

void tdx_map_gpa_run_fails(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call)
{
	const u64 last = call->nr_exits - 1;
	const struct kvm_run *run = vcpu->run;
	const typeof(run->hypercall) exit = run->hypercall;
	int r = __vcpu_run(vcpu);

	TEST_ASSERT(r == -1 && errno == EINVAL,
		    "%s: answer 0x%lx to exit %lu: wanted KVM_RUN to fail with EINVAL, got %s",
		    call->name, call->ret, last, r ? strerror(errno) :
		    exit_reason_str(run->exit_reason));

	tdvmcall_check_exit(vcpu, call->name, last, KVM_EXIT_HYPERCALL);
	assert_exit_value(call, last, "hypercall.ret", call->ret, run->hypercall.ret);
	assert_exit_value(call, last, "hypercall, changed", 0,
			  !!memcmp(&exit, &run->hypercall, sizeof(exit)));
}
