// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_RUN that must return early while userspace handles an exit of a TDG.VP.VMCALL.
 * KVM takes the answer first, once, and the TD gets it when it is entered.  MapGPA,
 * whose calls have many exits, is in tdx_map_gpa_signal_test.
 */
#include <linux/kvm_para.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_interruption.h"
#include "tdx/tdx_map_gpa.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define TEST_GPA	(TDX_SHARED_BIT | 0x1234600000ULL)

/* Neither a status nor a result: R10 is the answer unchanged. */
#define ANSWER		0x0a115e50a115e50aULL

TDX_FIXTURE(vmcall_interrupted);

FIXTURE_VARIANT(vmcall_interrupted)
{
	const char *name;
	u64 r10;
	u64 r11;
	u64 r12;
	u32 exit_reason;
	u64 answered;		/* registers that return the answer, by their numbers */
};

#define INTERRUPTED(row, args...)					\
	FIXTURE_VARIANT_ADD(vmcall_interrupted, row) { .name = #row, args }

INTERRUPTED(vmcall_info,
	    .r11 = TDVMCALL_GET_TD_VM_CALL_INFO, .r12 = 1,
	    .exit_reason = KVM_EXIT_TDX, .answered = GENMASK_ULL(14, 10));
INTERRUPTED(get_quote,
	    .r11 = TDVMCALL_GET_QUOTE, .r12 = TEST_GPA,
	    .exit_reason = KVM_EXIT_TDX, .answered = BIT_ULL(10));
INTERRUPTED(event_notify,
	    .r11 = TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT, .r12 = 0xa5,
	    .exit_reason = KVM_EXIT_TDX, .answered = BIT_ULL(10));
INTERRUPTED(fatal_error,
	    .r11 = TDVMCALL_REPORT_FATAL_ERROR,
	    .exit_reason = KVM_EXIT_SYSTEM_EVENT, .answered = 0);
INTERRUPTED(hypercall,
	    .r10 = KVM_HC_MAP_GPA_RANGE, .r11 = TEST_GPA, .r12 = 1,
	    .exit_reason = KVM_EXIT_HYPERCALL, .answered = BIT_ULL(10));

FIXTURE_SETUP(vmcall_interrupted)
{
	self->vm = tdvmcall_vm_create(&self->vcpu);
	tdx_map_gpa_enable_exits(self->vm);
}

/* Write @value to everything that userspace may answer to the exit of @run. */
static void answer(struct kvm_run *run, u64 value)
{
	size_t i;

	switch (run->exit_reason) {
	case KVM_EXIT_TDX:
		run->tdx.unknown.ret = value;
		for (i = 0; i < ARRAY_SIZE(run->tdx.unknown.data); i++)
			run->tdx.unknown.data[i] = value;
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		for (i = 0; i < ARRAY_SIZE(run->system_event.data); i++)
			run->system_event.data[i] = value;
		break;
	case KVM_EXIT_HYPERCALL:
		run->hypercall.ret = value;
		break;
	}
}

static void set_answered(struct tdcall_regs *regs, u64 answered, u64 value)
{
	if (answered & BIT_ULL(10))
		regs->r10 = value;
	if (answered & BIT_ULL(11))
		regs->r11 = value;
	if (answered & BIT_ULL(12))
		regs->r12 = value;
	if (answered & BIT_ULL(13))
		regs->r13 = value;
	if (answered & BIT_ULL(14))
		regs->r14 = value;
}

static void launch(struct kvm_vcpu *vcpu, const FIXTURE_VARIANT(vmcall_interrupted) * row,
		   const struct tdx_interruption *by, struct tdcall_regs *regs)
{
	tdvmcall_seed_regs(regs);
	regs->r10 = row->r10;
	regs->r11 = row->r11;
	regs->r12 = row->r12;

	by->setup(vcpu);
	tdvmcall_issue(vcpu, row->name, regs);
	tdvmcall_poison_exit(vcpu);
}

/* The exit comes after the TD has run, not before. */
static void test_before_call(struct kvm_vcpu *vcpu,
			     const FIXTURE_VARIANT(vmcall_interrupted) * row,
			     const struct tdx_interruption *by)
{
	struct tdcall_regs regs;

	launch(vcpu, row, by, &regs);
	by->start(vcpu);
	tdx_vcpu_run_to_eintr(vcpu, row->name);
	by->stop(vcpu);

	tdvmcall_run_exit(vcpu, row->name, 0, row->exit_reason);
	answer(vcpu->run, ANSWER);
	set_answered(&regs, row->answered, ANSWER);
	tdvmcall_finish(vcpu, row->name, 1, &regs);
}

/* Run twice where the TD would go on: KVM took the answer the first time. */
static void test_after_answer(struct kvm_vcpu *vcpu,
			      const FIXTURE_VARIANT(vmcall_interrupted) * row,
			      const struct tdx_interruption *by)
{
	struct tdcall_regs regs;

	launch(vcpu, row, by, &regs);
	tdvmcall_run_exit(vcpu, row->name, 0, row->exit_reason);
	answer(vcpu->run, ANSWER);

	by->start(vcpu);
	tdx_vcpu_run_to_eintr(vcpu, row->name);
	vcpu->run->exit_reason = row->exit_reason;
	answer(vcpu->run, ~ANSWER);
	tdx_vcpu_run_to_eintr(vcpu, row->name);
	by->stop(vcpu);

	set_answered(&regs, row->answered, ANSWER);
	tdvmcall_finish(vcpu, row->name, 1, &regs);
}

TDX_TEST_F(vmcall_interrupted, by_immediate_exit_before_call)
{
	test_before_call(self->vcpu, variant, &tdx_interrupted_by_immediate_exit);
}

TDX_TEST_F(vmcall_interrupted, by_signal_before_call)
{
	test_before_call(self->vcpu, variant, &tdx_interrupted_by_signal);
}

TDX_TEST_F(vmcall_interrupted, by_immediate_exit_after_answer)
{
	test_after_answer(self->vcpu, variant, &tdx_interrupted_by_immediate_exit);
}

TDX_TEST_F(vmcall_interrupted, by_signal_after_answer)
{
	test_after_answer(self->vcpu, variant, &tdx_interrupted_by_signal);
}

TDX_TEST_MAIN()
