// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: control registers of a TD, XCR0 among them.
 *
 * The module owns the bits of the guest/host masks ("CR Handling", base
 * architecture).  A write of another value than the read shadow has exits.  The CPU
 * carries out all other writes.
 */
#include <linux/array_size.h>
#include <linux/bitfield.h>

#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "state/vcpu.h"
#include "vcpu/td_cr.h"
#include "vcpu/td_event.h"
#include "vcpu/vmx_insn.h"

/* Bits of CR4 that no kernel header names. */
#define CR4_KL			BIT_ULL(19)
#define CR4_PKS			BIT_ULL(24)
#define CR4_UINTR		BIT_ULL(25)
#define CR4_RESERVED		(BIT_ULL(15) | GENMASK_ULL(63, 26))

/* Reserved bits of CR0.  A write of the ignored ones has no effect. */
#define CR0_RESERVED_HIGH	GENMASK_ULL(63, 32)
#define CR0_IGNORED		(GENMASK_ULL(28, 19) | BIT_ULL(17) | GENMASK_ULL(15, 6))

/* What LMSW can change with PE being 1. */
#define CR0_LMSW		(X86_CR0_MP | X86_CR0_EM | X86_CR0_TS)

#define XFAM_UINTR		BIT_ULL(14)

/* Bits of CR4 that a TD has only with these parts of its XFAM or ATTRIBUTES. */
static const struct {
	u64 cr4;
	u64 xfam;
	u64 attributes;
} cr4_features[] = {
	{ X86_CR4_PKE,	.xfam = XFEATURE_MASK_PKRU },
	{ X86_CR4_CET,	.xfam = XFEATURE_MASK_CET_USER | XFEATURE_MASK_CET_KERNEL },
	{ CR4_UINTR,	.xfam = XFAM_UINTR },
	{ CR4_KL,	.attributes = TDX_TD_ATTR_KL },
	{ CR4_PKS,	.attributes = TDX_TD_ATTR_PKS },
};

static u64 cr4_disabled(const struct sim_tdcs *tdcs)
{
	u64 disabled = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(cr4_features); i++) {
		if (cr4_features[i].xfam & ~tdcs->xfam ||
		    cr4_features[i].attributes & ~tdcs->attributes)
			disabled |= cr4_features[i].cr4;
	}
	return disabled;
}

/* Bits that must be 1 in VMX operation, except PE and PG, which a TD may clear. */
static u64 cr0_must_be_1(void)
{
	return __rdmsr(MSR_IA32_VMX_CR0_FIXED0) & ~(u64)(X86_CR0_PE | X86_CR0_PG);
}

/* The same of CR4, except VMXE, which a TD does not see. */
static u64 cr4_must_be_1(void)
{
	return __rdmsr(MSR_IA32_VMX_CR4_FIXED0) & ~(u64)X86_CR4_VMXE;
}

u64 sim_cr0_owned(void)
{
	return X86_CR0_PE | X86_CR0_NE | X86_CR0_NW | X86_CR0_CD | CR0_RESERVED_HIGH |
	       CR0_IGNORED | cr0_must_be_1() | ~__rdmsr(MSR_IA32_VMX_CR0_FIXED1);
}

u64 sim_cr0_shadow(void)
{
	return X86_CR0_PE | X86_CR0_NE | cr0_must_be_1();
}

u64 sim_cr4_owned(const struct sim_vcpu *vcpu)
{
	return X86_CR4_MCE | X86_CR4_VMXE | X86_CR4_SMXE | CR4_RESERVED | cr4_must_be_1() |
	       ~__rdmsr(MSR_IA32_VMX_CR4_FIXED1) | cr4_disabled(vcpu->td->tdcs);
}

u64 sim_cr4_shadow(void)
{
	return X86_CR4_MCE | cr4_must_be_1();
}

static u64 cr_source(struct sim_vcpu *vcpu, u64 qualification)
{
	unsigned int gpr = FIELD_GET(GENMASK_ULL(11, 8), qualification);

	return gpr == SIM_RSP ? sim_vmread(GUEST_RSP) : vcpu->gpr[gpr];
}

static enum sim_action cr_done(u32 field, u64 value)
{
	sim_vmwrite(field, value);
	sim_skip_insn(sim_vmread(VM_EXIT_INSTRUCTION_LEN));
	return SIM_RESUME;
}

/* #GP for a write that the CPU would refuse, #VE for one that the host could allow. */
static enum sim_action cr0_write(struct sim_exit *exit, u64 cr0)
{
	if (~cr0 & cr0_must_be_1() || cr0 & ~__rdmsr(MSR_IA32_VMX_CR0_FIXED1) ||
	    (cr0 & X86_CR0_PG && !(cr0 & X86_CR0_PE)) ||
	    (!(cr0 & X86_CR0_WP) && sim_vmread(GUEST_CR4) & X86_CR4_CET))
		return sim_inject_error(exit->vcpu, X86_TRAP_GP, 0);

	if (!(cr0 & X86_CR0_PE) || !(cr0 & X86_CR0_NE) ||
	    cr0 & (X86_CR0_NW | X86_CR0_CD | CR0_RESERVED_HIGH))
		return sim_inject_ve(exit, exit->qualification, 0, 0);

	return cr_done(GUEST_CR0, (cr0 & ~CR0_IGNORED) | (sim_vmread(GUEST_CR0) & CR0_IGNORED));
}

static enum sim_action cr4_write(struct sim_exit *exit, u64 cr4)
{
	const struct sim_tdcs *tdcs = exit->vcpu->td->tdcs;

	if (~cr4 & cr4_must_be_1() || cr4 & ~__rdmsr(MSR_IA32_VMX_CR4_FIXED1) ||
	    cr4 & cr4_disabled(tdcs) ||
	    (cr4 & X86_CR4_CET && !(sim_vmread(GUEST_CR0) & X86_CR0_WP)))
		return sim_inject_error(exit->vcpu, X86_TRAP_GP, 0);

	return sim_inject_ve(exit, exit->qualification, 0, 0);
}

/* Of an exit qualification. */
enum cr_access {
	MOV_TO_CR, MOV_FROM_CR, CLTS, LMSW,
};

enum sim_action sim_exit_cr_access(struct sim_exit *exit)
{
	enum cr_access access = FIELD_GET(GENMASK_ULL(5, 4), exit->qualification);
	unsigned int cr = FIELD_GET(GENMASK_ULL(3, 0), exit->qualification);

	if (access == MOV_TO_CR && cr == 0)
		return cr0_write(exit, cr_source(exit->vcpu, exit->qualification));
	if (access == MOV_TO_CR && cr == 4)
		return cr4_write(exit, cr_source(exit->vcpu, exit->qualification));
	if (access == LMSW) {
		u64 source = FIELD_GET(GENMASK_ULL(31, 16), exit->qualification);

		return cr_done(GUEST_CR0, (sim_vmread(GUEST_CR0) & ~CR0_LMSW) |
			       (source & CR0_LMSW));
	}

	/* The VMCS makes no other access exit. */
	return sim_to_host_fatal(exit);
}

/* Components that are legal only together; see "XSETBV" in the Intel SDM. */
static bool xcr0_legal(u64 xcr0, u64 xfam)
{
	u64 avx512 = xcr0 & XFEATURE_MASK_AVX512;

	return !(xcr0 & ~(xfam & ~TDX_XFAM_SUPERVISOR)) && (xcr0 & XFEATURE_MASK_FP) &&
	       (!(xcr0 & XFEATURE_MASK_YMM) || (xcr0 & XFEATURE_MASK_SSE)) &&
	       (!avx512 || (avx512 == XFEATURE_MASK_AVX512 && (xcr0 & XFEATURE_MASK_YMM)));
}

/* CPUs check the privilege before they exit.  Not all emulators do. */
enum sim_action sim_exit_xsetbv(struct sim_exit *exit)
{
	struct sim_vcpu *vcpu = exit->vcpu;
	u64 value = vcpu->gpr[SIM_RDX] << 32 | (u32)vcpu->gpr[SIM_RAX];

	if (VMX_AR_DPL(sim_vmread(GUEST_SS_AR_BYTES)) ||
	    (u32)vcpu->gpr[SIM_RCX] != XCR_XFEATURE_ENABLED_MASK ||
	    !xcr0_legal(value, vcpu->td->tdcs->xfam))
		return sim_inject_error(vcpu, X86_TRAP_GP, 0);

	vcpu->xcr0 = value;
	xsetbv(XCR_XFEATURE_ENABLED_MASK, value);
	sim_skip_insn(sim_vmread(VM_EXIT_INSTRUCTION_LEN));
	return SIM_RESUME;
}
