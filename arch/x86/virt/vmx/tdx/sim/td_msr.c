// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: MSRs of a TD, from one table.
 */
#include <linux/array_size.h>
#include <linux/bitmap.h>

#include <asm/msr.h>
#include <asm/msr-index.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "td_run.h"
#include "vmx_insn.h"

enum sim_msr_access {
	MSR_VE,
	MSR_NATIVE,
	MSR_GP,
	MSR_SPECIAL,
};

#define TD_MSR(_first, _last, _read, _write)	\
	{ .first = _first, .last = _last, .read = _read, .write = _write },

static const struct sim_msr {
	u32 first;
	u32 last;
	enum sim_msr_access read;
	enum sim_msr_access write;
} sim_msrs[] = {
#include "td_msrs.def"
};

/*
 * MSR bitmaps ("MSR-Bitmap Address", Intel SDM): 1 KiB each for reads of low
 * and high MSRs, then for writes of low and high ones.
 */
#define MSR_BITMAP_RANGE	0x2000
#define MSR_BITMAP_HIGH_BASE	0xc0000000
#define MSR_BITMAP_HIGH		MSR_BITMAP_RANGE
#define MSR_BITMAP_WRITE	(2 * MSR_BITMAP_RANGE)

void sim_msr_bitmap_init(unsigned long *bitmap)
{
	const struct sim_msr *row;

	bitmap_fill(bitmap, 4 * MSR_BITMAP_RANGE);

	for (row = sim_msrs; row < sim_msrs + ARRAY_SIZE(sim_msrs); row++) {
		unsigned int bit = row->first < MSR_BITMAP_RANGE ? row->first :
				   row->first - MSR_BITMAP_HIGH_BASE + MSR_BITMAP_HIGH;
		unsigned int nr = row->last - row->first + 1;

		if (row->read == MSR_NATIVE)
			bitmap_clear(bitmap, bit, nr);
		if (row->write == MSR_NATIVE)
			bitmap_clear(bitmap, bit + MSR_BITMAP_WRITE, nr);
	}
}

static const struct sim_msr *sim_msr_find(u32 msr)
{
	const struct sim_msr *row;

	for (row = sim_msrs; row < sim_msrs + ARRAY_SIZE(sim_msrs); row++) {
		if (msr >= row->first && msr <= row->last)
			return row;
	}
	return NULL;
}

enum sim_action sim_exit_rdmsr(struct sim_exit *exit)
{
	struct sim_vcpu *vcpu = exit->vcpu;
	const struct sim_msr *row = sim_msr_find(vcpu->gpr[SIM_RCX]);

	switch (row ? row->read : MSR_VE) {
	case MSR_SPECIAL:
		/* IA32_XSS: no supervisor component is in anybody's XFAM. */
		vcpu->gpr[SIM_RAX] = (u32)vcpu->xss;
		vcpu->gpr[SIM_RDX] = vcpu->xss >> 32;
		sim_skip_insn(sim_vmread(VM_EXIT_INSTRUCTION_LEN));
		return SIM_RESUME;
	case MSR_GP:
		return sim_inject_error(vcpu, X86_TRAP_GP, 0);
	default:
		return sim_inject_ve(exit, 0, 0, 0);
	}
}

/* IA32_EFER: the guest may switch SCE, anything else is for the host. */
static enum sim_action sim_write_efer(struct sim_exit *exit, u64 value)
{
	u64 efer = sim_vmread(GUEST_IA32_EFER);

	if ((value ^ efer) & ~(EFER_SCE | EFER_LMA))
		return sim_inject_ve(exit, 0, 0, 0);

	sim_vmwrite(GUEST_IA32_EFER, (value & EFER_SCE) | (efer & ~EFER_SCE));
	sim_skip_insn(sim_vmread(VM_EXIT_INSTRUCTION_LEN));
	return SIM_RESUME;
}

static enum sim_action sim_write_xss(struct sim_exit *exit, u64 value)
{
	struct sim_vcpu *vcpu = exit->vcpu;

	if (value & ~(vcpu->td->tdcs->xfam & TDX_XFAM_SUPERVISOR))
		return sim_inject_error(vcpu, X86_TRAP_GP, 0);

	vcpu->xss = value;
	sim_skip_insn(sim_vmread(VM_EXIT_INSTRUCTION_LEN));
	return SIM_RESUME;
}

enum sim_action sim_exit_wrmsr(struct sim_exit *exit)
{
	struct sim_vcpu *vcpu = exit->vcpu;
	const struct sim_msr *row = sim_msr_find(vcpu->gpr[SIM_RCX]);
	u64 value = vcpu->gpr[SIM_RDX] << 32 | (u32)vcpu->gpr[SIM_RAX];

	switch (row ? row->write : MSR_VE) {
	case MSR_SPECIAL:
		if (row->first == MSR_EFER)
			return sim_write_efer(exit, value);
		return sim_write_xss(exit, value);
	case MSR_GP:
		return sim_inject_error(vcpu, X86_TRAP_GP, 0);
	default:
		return sim_inject_ve(exit, 0, 0, 0);
	}
}
