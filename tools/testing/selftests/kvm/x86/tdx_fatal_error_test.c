// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VMCALL<ReportFatalError>: the TD reports in its registers why it cannot go on.
 * KVM shows all of them to userspace and checks none.  If userspace runs the TD again,
 * the TD goes on.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* Words of the exit, one per register in the order of their numbers. */
#define NR_DATA		16

#define MESSAGE_GPA	(TDX_SHARED_BIT | 0x1234600000ULL)
/* GHCI: this bit of R12 says that R13 is a GPA. */
#define GPA_VALID	BIT_ULL(63)

TDX_FIXTURE(fatal_error);

FIXTURE_VARIANT(fatal_error)
{
	const char *name;
	u64 r12;
	u64 r13;
};

#define ERROR(row, code, gpa)						\
	FIXTURE_VARIANT_ADD(fatal_error, row) { .name = #row, .r12 = (code), .r13 = (gpa) }

ERROR(panic,		0, 0);
ERROR(message,		GPA_VALID | 1, MESSAGE_GPA);
/* The values need not make sense. */
ERROR(private_message,	GPA_VALID, 0x1234600000ULL);
ERROR(unaligned_message, GPA_VALID, MESSAGE_GPA + 1);
ERROR(gpa_not_valid,	~GPA_VALID, MESSAGE_GPA);
ERROR(all_ones,		~0ULL, ~0ULL);

TDX_FIXTURE_SETUP(fatal_error, tdvmcall_vm_create);

static void check_exit(struct kvm_vcpu *vcpu, const char *name, const struct tdcall_regs *regs)
{
	const struct kvm_run *run = vcpu->run;
	/* RAX is the exit reason of the TD.  RSP and RBP cannot be shown. */
	const u64 data[NR_DATA] = {
		EXIT_REASON_TDCALL, regs->rcx, regs->rdx, regs->rbx, 0, 0, regs->rsi, regs->rdi,
		regs->r8, regs->r9, regs->r10, regs->r11, regs->r12, regs->r13, regs->r14,
		regs->r15,
	};
	u64 i;

	tdvmcall_run_exit(vcpu, name, 0, KVM_EXIT_SYSTEM_EVENT);
	tdx_assert_value(name, "exit", 0, "system_event.type", KVM_SYSTEM_EVENT_TDX_FATAL,
			 run->system_event.type);
	tdx_assert_value(name, "exit", 0, "system_event.ndata", NR_DATA,
			 run->system_event.ndata);

	for (i = 0; i < NR_DATA; i++)
		tdx_assert_value(name, "exit: word", i, "system_event.data", data[i],
				 run->system_event.data[i]);
}

static void report(struct kvm_vcpu *vcpu, const char *name, struct tdcall_regs *regs,
		   u64 r12, u64 r13)
{
	tdvmcall_seed_leaf(regs, TDVMCALL_REPORT_FATAL_ERROR);
	regs->r12 = r12;
	regs->r13 = r13;
	tdvmcall_issue(vcpu, name, regs);
	tdvmcall_poison_exit(vcpu);
	check_exit(vcpu, name, regs);
}

TDX_TEST_F(fatal_error, shows_registers)
{
	struct tdcall_regs regs;

	report(self->vcpu, variant->name, &regs, variant->r12, variant->r13);
}

/* KVM takes no answer: the TD finds its registers unchanged, and R10 = 0. */
TDX_TEST_F(fatal_error, run_again_resumes)
{
	struct tdcall_regs regs;
	int i;

	for (i = 0; i < 2; i++) {
		report(self->vcpu, variant->name, &regs, variant->r12, variant->r13);
		tdvmcall_poison_exit(self->vcpu);
		tdvmcall_finish(self->vcpu, variant->name, 1, &regs);
	}
}

TDX_TEST_MAIN()
