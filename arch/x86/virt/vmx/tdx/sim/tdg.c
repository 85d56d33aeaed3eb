// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDG leafs, the TDCALLs of a TD.
 */
#include <linux/array_size.h>
#include <linux/bitfield.h>
#include <linux/string.h>
#include <linux/unroll.h>

#include <asm/vmx.h>

#include "metadata.h"
#include "sept.h"
#include "tdg.h"
#include "trace.h"
#include "vmx_insn.h"

/*
 * Registers that TDG.VP.VMCALL can open to the host, and where the SEAMCALL has
 * them; RAX, RCX and RSP never are, and RBP stands by itself: with NO_RBP_MOD it is
 * the host's own.
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

	/* XMM registers for the host are not simulated, their bits refused. */
	if (mask & ~TDX_VMCALL_GPR_MASK || mask & TDX_VMCALL_NEVER ||
	    (mask & TDX_VMCALL_RBP &&
	     vcpu->td->tdcs->config_flags & TDX_CONFIG_FLAGS_NO_RBP_MOD))
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);

	/* On the path of every hypercall: unrolled, the table becomes code. */
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

/* The host has to map the page: an EPT violation, and the TDCALL once more. */
static u64 sim_accept_violation(struct sim_tdcall_ctx *ctx, u64 gpa, int wanted,
				int level, u64 entry)
{
	u8 state = sim_sept_state(entry);
	u64 info = wanted | level << 3 | (u64)state << 6 |
		   (u64)sim_sept_is_leaf(state) << 14;

	ctx->exit->reason = EXIT_REASON_EPT_VIOLATION;
	ctx->exit->intr_info = 0;
	ctx->action = sim_to_host(ctx->exit, TDX_SUCCESS, EPT_VIOLATION_ACC_WRITE,
				  info << 32 | TDX_EXT_EXIT_QUAL_ACCEPT, gpa);
	ctx->again = true;
	return TDX_SUCCESS;
}

u64 sim_tdg_mem_page_accept(struct sim_tdcall_ctx *ctx)
{
	struct sim_tdcs *tdcs = ctx->exit->vcpu->td->tdcs;
	u64 info = ctx->gpr[SIM_RCX];
	u64 gpa = info & TDX_PAGE_INFO_GPA;
	int wanted = info & TDX_PAGE_INFO_LEVEL;
	u64 *entry, value, status = TDX_SUCCESS;
	int level;

	if (info & ~(TDX_PAGE_INFO_GPA | TDX_PAGE_INFO_LEVEL) || wanted > TDX_PS_2M ||
	    gpa & (BIT_ULL(PAGE_SHIFT + 9 * wanted) - 1) || !sim_gpa_private(gpa))
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);

	/*
	 * No lock of the tree: the host cannot take a table away while a vCPU is
	 * inside that may have seen it, and does not wait for those that are not.
	 */
	entry = sim_sept_walk(tdcs, gpa, wanted, &level);
	value = READ_ONCE(*entry);
	if (level != wanted) {
		if (sim_sept_state(value) == TDX_SEPT_PRESENT)
			return sim_err(TDX_PAGE_ALREADY_ACCEPTED, level);
		return sim_accept_violation(ctx, gpa, wanted, level, value);
	}

	if (!sim_sept_trylock_entry(entry))
		return sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_RCX);

	value = READ_ONCE(*entry);
	switch (sim_sept_state(value)) {
	case TDX_SEPT_NL_MAPPED:
	case TDX_SEPT_NL_BLOCKED:
		status = sim_err(TDX_PAGE_SIZE_MISMATCH, level);
		break;
	case TDX_SEPT_PRESENT:
		status = sim_err(TDX_PAGE_ALREADY_ACCEPTED, level);
		break;
	case TDX_SEPT_PENDING:
		memset(__va(value & SEPT_HPA), 0, PAGE_SIZE << (9 * level));
		sim_sept_set(tdcs, entry, level,
			     sim_sept_make(TDX_SEPT_PRESENT, level, value & SEPT_HPA));
		break;
	default:
		status = sim_accept_violation(ctx, gpa, wanted, level, value);
		break;
	}

	sim_sept_unlock_entry(entry);
	return status;
}

/* Registers of TDG.VM.RD and TDG.VM.WR: RCX names the VM, 0 is the caller. */
u64 sim_tdg_vm_rd(struct sim_tdcall_ctx *ctx)
{
	bool version_1 = FIELD_GET(TDX_LEAF_VERSION_MASK, ctx->gpr[SIM_RAX]);
	u64 *next = version_1 ? &ctx->gpr[SIM_RDX] : NULL;

	if (ctx->gpr[SIM_RCX]) {
		ctx->gpr[SIM_R8] = 0;
		if (next)
			*next = SIM_MD_NO_FIELD;
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);
	}

	return sim_md_td_read(ctx->exit->vcpu->td, ctx->gpr[SIM_RDX], SIM_MD_GUEST,
			      &ctx->gpr[SIM_R8], next);
}

u64 sim_tdg_vm_wr(struct sim_tdcall_ctx *ctx)
{
	if (ctx->gpr[SIM_RCX]) {
		ctx->gpr[SIM_R8] = 0;
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);
	}

	return sim_md_td_write(ctx->exit->vcpu->td, ctx->gpr[SIM_RDX], SIM_MD_GUEST,
			       ctx->gpr[SIM_R8], ctx->gpr[SIM_R9], &ctx->gpr[SIM_R8]);
}

/* The same of the vCPU that calls; there is but one version, with the next field. */
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

u64 sim_tdg_sys_rd(struct sim_tdcall_ctx *ctx)
{
	return sim_md_sys_read(ctx->gpr[SIM_RDX], &ctx->gpr[SIM_R8], &ctx->gpr[SIM_RDX]);
}

u64 sim_tdg_absent(struct sim_tdcall_ctx *ctx)
{
	return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RAX);
}

struct sim_tdcall {
	sim_tdcall_fn *handler;
	u8 version;
};

#define TDCALL(_name, _number, _version)				\
	[_number] = { .handler = sim_##_name, .version = _version },
#define TDCALL_ABSENT(_number, ...)					\
	[_number] = { .handler = sim_tdg_absent },

static const struct sim_tdcall sim_tdcalls[] = {
#include "tdcalls.def"
};

static u64 sim_tdcall_dispatch(struct sim_tdcall_ctx *ctx)
{
	u64 rax = ctx->gpr[SIM_RAX];
	u64 leaf = rax & TDX_LEAF_MASK;

	if (rax & ~(TDX_LEAF_MASK | TDX_LEAF_VERSION_MASK) || leaf >= ARRAY_SIZE(sim_tdcalls) ||
	    !sim_tdcalls[leaf].handler ||
	    FIELD_GET(TDX_LEAF_VERSION_MASK, rax) > sim_tdcalls[leaf].version)
		return sim_tdg_absent(ctx);

	return sim_tdcalls[leaf].handler(ctx);
}

enum sim_action sim_tdcall(struct sim_exit *exit)
{
	struct sim_tdcall_ctx ctx = {
		.exit = exit,
		.gpr = exit->vcpu->gpr,
		.action = SIM_RESUME,
	};
	u64 leaf = ctx.gpr[SIM_RAX];
	u64 status = sim_tdcall_dispatch(&ctx);

	trace_tdcall(exit->vcpu, leaf, status);
	if (!ctx.again) {
		ctx.gpr[SIM_RAX] = status;
		sim_skip_insn(TDX_INSN_LEN);
	}
	return ctx.action;
}
