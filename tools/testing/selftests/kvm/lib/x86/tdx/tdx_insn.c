// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>

#include "tdx/tdx_insn.h"

void tdx_insn_init(struct tdx_insn *insn, u64 leaf, u64 r12, u64 r13, u64 r14, u64 r15,
		   const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(insn->name, sizeof(insn->name), fmt, ap);
	va_end(ap);

	insn->exits = 0;
	tdvmcall_seed_leaf(&insn->in, leaf);
	insn->in.r12 = r12;
	insn->in.r13 = r13;
	insn->in.r14 = r14;
	insn->in.r15 = r15;

	insn->out = insn->in;
	insn->out.rax = 0;
	insn->out.r10 = TDVMCALL_STATUS_SUCCESS;
}

void tdx_insn_run_exit(struct kvm_vcpu *vcpu, struct tdx_insn *insn, u32 exit_reason)
{
	tdvmcall_issue(vcpu, insn->name, &insn->in);
	tdvmcall_poison_exit(vcpu);
	tdvmcall_run_exit(vcpu, insn->name, 0, exit_reason);
	insn->exits = 1;
}

void tdx_insn_finish(struct kvm_vcpu *vcpu, const struct tdx_insn *insn)
{
	tdvmcall_finish(vcpu, insn->name, insn->exits, &insn->out);
}

void tdx_insn_interrupt(struct kvm_vcpu *vcpu, const struct tdx_insn *insn)
{
	int r;

	vcpu->run->immediate_exit = 1;
	r = __vcpu_run(vcpu);
	TEST_ASSERT(r == -1 && errno == EINTR,
		    "%s: immediate_exit: wanted KVM_RUN to fail with EINTR, got %s",
		    insn->name, r ? strerror(errno) : exit_reason_str(vcpu->run->exit_reason));

	vcpu->run->immediate_exit = 0;
	tdvmcall_poison_exit(vcpu);
}

void tdx_insn_run(struct kvm_vcpu *vcpu, const struct tdx_insn *insn)
{
	tdvmcall_issue(vcpu, insn->name, &insn->in);
	tdx_insn_finish(vcpu, insn);
}
