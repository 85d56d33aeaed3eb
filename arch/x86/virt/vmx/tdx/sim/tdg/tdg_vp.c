// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDG.VP leafs.
 */
#include <linux/array_size.h>
#include <linux/bits.h>
#include <linux/unroll.h>

#include <asm/ptrace.h>
#include <asm/vmx.h>

#include "metadata/metadata.h"
#include "state/vcpu.h"
#include "tdg/tdg.h"
#include "tdg/tdg_vp.h"

/*
 * Registers that TDG.VP.VMCALL can open to the host, and where the SEAMCALL has
 * them.  RAX, RCX and RSP are never opened.  RBP is a case of its own: with
 * NO_RBP_MOD it is the host's.
 */
static const struct {
	int gpr;
	size_t offset;
} sim_vmcall_regs[] = {
	{ SIM_RDX, offsetof(struct pt_regs, dx) },
	{ SIM_RBX, offsetof(struct pt_regs, bx) },
	{ SIM_RSI, offsetof(struct pt_regs, si) },
	{ SIM_RDI, offsetof(struct pt_regs, di) },
	{ SIM_R8,  offsetof(struct pt_regs, r8) },
	{ SIM_R9,  offsetof(struct pt_regs, r9) },
	{ SIM_R10, offsetof(struct pt_regs, r10) },
	{ SIM_R11, offsetof(struct pt_regs, r11) },
	{ SIM_R12, offsetof(struct pt_regs, r12) },
	{ SIM_R13, offsetof(struct pt_regs, r13) },
	{ SIM_R14, offsetof(struct pt_regs, r14) },
	{ SIM_R15, offsetof(struct pt_regs, r15) },
};

static __always_inline u64 *sim_vmcall_reg(struct pt_regs *regs, int i)
{
	return (void *)regs + sim_vmcall_regs[i].offset;
}

static __always_inline void sim_show_reg(const struct sim_vcpu *vcpu, struct pt_regs *regs,
					 u64 mask, int i)
{
	int gpr = sim_vmcall_regs[i].gpr;

	*sim_vmcall_reg(regs, i) = mask & BIT(gpr) ? vcpu->gpr[gpr] : 0;
}

static __always_inline void sim_take_reg(struct sim_vcpu *vcpu, struct pt_regs *regs,
					 u64 mask, int i)
{
	int gpr = sim_vmcall_regs[i].gpr;

	if (mask & BIT(gpr))
		vcpu->gpr[gpr] = *sim_vmcall_reg(regs, i);
}

u64 sim_tdg_vp_vmcall(struct sim_tdcall_ctx *ctx)
{
	struct sim_vcpu *vcpu = ctx->exit->vcpu;
	struct pt_regs *regs = ctx->exit->regs;
	u64 mask = ctx->gpr[SIM_RCX];
	int i;

	/* XMM registers for the host are not simulated: their bits are refused. */
	if (mask & ~TDX_VMCALL_GPR_MASK || mask & TDX_VMCALL_NEVER ||
	    (mask & TDX_VMCALL_RBP &&
	     vcpu->td->tdcs->config_flags & TDX_CONFIG_FLAGS_NO_RBP_MOD))
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);

	/* Every hypercall comes here: the unrolled loop has the table as constants. */
	unrolled_full
	for (i = 0; i < ARRAY_SIZE(sim_vmcall_regs); i++)
		sim_show_reg(vcpu, regs, mask, i);
	if (mask & TDX_VMCALL_RBP)
		regs->bp = vcpu->gpr[SIM_RBP];
	regs->cx = mask;
	regs->ax = EXIT_REASON_TDCALL;

	vcpu->vmcall_mask = mask;
	vcpu->last_exit = SIM_EXIT_VMCALL;
	ctx->action = SIM_TO_HOST;
	return TDX_SUCCESS;
}

void sim_vmcall_complete(struct sim_vcpu *vcpu, struct pt_regs *regs)
{
	int i;

	if (vcpu->last_exit != SIM_EXIT_VMCALL)
		return;

	unrolled_full
	for (i = 0; i < ARRAY_SIZE(sim_vmcall_regs); i++)
		sim_take_reg(vcpu, regs, vcpu->vmcall_mask, i);
	if (vcpu->vmcall_mask & TDX_VMCALL_RBP)
		vcpu->gpr[SIM_RBP] = regs->bp;
	vcpu->last_exit = SIM_EXIT_ASYNC_FAULT;
}

u64 sim_tdg_vp_info(struct sim_tdcall_ctx *ctx)
{
	const struct sim_vcpu *vcpu = ctx->exit->vcpu;
	const struct sim_tdcs *tdcs = vcpu->td->tdcs;

	ctx->gpr[SIM_RCX] = TDX_GPA_WIDTH;
	ctx->gpr[SIM_RDX] = tdcs->attributes;
	ctx->gpr[SIM_R8] = (u64)tdcs->max_vcpus << 32 | atomic_read(&tdcs->num_vcpus);
	ctx->gpr[SIM_R9] = vcpu->index;
	ctx->gpr[SIM_R10] = 1;		/* TDG.SYS.RD exists */
	ctx->gpr[SIM_R11] = 0;
	return TDX_SUCCESS;
}

u64 sim_tdg_vp_veinfo_get(struct sim_tdcall_ctx *ctx)
{
	struct sim_ve_info *ve = &ctx->exit->vcpu->ve;
	bool valid = ve->valid;

	if (!valid)
		*ve = (struct sim_ve_info) {};

	ctx->gpr[SIM_RCX] = ve->exit_reason;
	ctx->gpr[SIM_RDX] = ve->exit_qualification;
	ctx->gpr[SIM_R8] = ve->gla;
	ctx->gpr[SIM_R9] = ve->gpa;
	ctx->gpr[SIM_R10] = (u64)ve->instruction_info << 32 | ve->instruction_length;
	ve->valid = false;

	return valid ? TDX_SUCCESS : TDX_NO_VALID_VE_INFO;
}

u64 sim_tdg_vp_cpuidve_set(struct sim_tdcall_ctx *ctx)
{
	if (ctx->gpr[SIM_RCX] & ~GENMASK_ULL(1, 0))
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);

	ctx->exit->vcpu->cpuid_ve = ctx->gpr[SIM_RCX];
	return TDX_SUCCESS;
}

/*
 * TDG.VP.RD and TDG.VP.WR.  RCX is 0 for the vCPU that calls.  TDG.VP.RD has only the
 * version that gives the next field.
 */
u64 sim_tdg_vp_rd(struct sim_tdcall_ctx *ctx)
{
	if (ctx->gpr[SIM_RCX]) {
		ctx->gpr[SIM_R8] = 0;
		ctx->gpr[SIM_RDX] = SIM_MD_NO_FIELD;
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);
	}

	return sim_md_vp_read(ctx->exit->vcpu, ctx->gpr[SIM_RDX], SIM_MD_GUEST,
			      &ctx->gpr[SIM_R8], &ctx->gpr[SIM_RDX]);
}

u64 sim_tdg_vp_wr(struct sim_tdcall_ctx *ctx)
{
	if (ctx->gpr[SIM_RCX]) {
		ctx->gpr[SIM_R8] = 0;
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);
	}

	return sim_md_vp_write(ctx->exit->vcpu, ctx->gpr[SIM_RDX], SIM_MD_GUEST,
			       ctx->gpr[SIM_R8], ctx->gpr[SIM_R9], &ctx->gpr[SIM_R8]);
}
