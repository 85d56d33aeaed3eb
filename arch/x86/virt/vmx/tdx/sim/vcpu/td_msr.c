// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: MSRs of a TD, from one table.
 */
#include <linux/array_size.h>
#include <linux/bitmap.h>

#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/msr-index.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "state/cpuid.h"
#include "state/page.h"
#include "state/vcpu.h"
#include "vcpu/td_event.h"
#include "vcpu/td_msr.h"
#include "vcpu/vmx_insn.h"

enum sim_msr_access {
	MSR_VE,
	MSR_NATIVE,
	MSR_GP,
	MSR_SPECIAL,
	MSR_IF_TSC_DEADLINE,
	MSR_IF_DCA,
	MSR_IF_TME,
	MSR_IF_PCONFIG,
};

/* A feature of the TD's CPUID, without which the MSR does not exist. */
static const struct {
	u32 leaf;
	u32 subleaf;
	enum sim_cpuid_reg reg;
	u32 bit;
} sim_msr_features[] = {
	[MSR_IF_TSC_DEADLINE]	= { 1, SIM_CPUID_NO_SUBLEAF, SIM_ECX, BIT(24) },
	[MSR_IF_DCA]		= { 1, SIM_CPUID_NO_SUBLEAF, SIM_ECX, BIT(18) },
	[MSR_IF_TME]		= { 7, 0, SIM_ECX, BIT(13) },
	[MSR_IF_PCONFIG]	= { 7, 0, SIM_EDX, BIT(18) },
};

/* IA32_DEBUGCTL: bits that exist, and one that no kernel header names. */
#define DEBUGCTL_KNOWN		(GENMASK_ULL(2, 0) | GENMASK_ULL(15, 6))
#define DEBUGCTL_UNCORE_PMI	BIT_ULL(13)

#define TD_MSR(_first, _last, _read, _write)	\
	{ .first = _first, .last = _last, .read = _read, .write = _write },

static const struct sim_msr {
	u32 first;
	u32 last;
	enum sim_msr_access read;
	enum sim_msr_access write;
} sim_msrs[] = {
#include "vcpu/td_msrs.def"
};

/*
 * MSR bitmaps ("MSR-Bitmap Address", Intel SDM): 1 KiB each for reads of low
 * and high MSRs, then for writes of low and high ones.
 */
#define MSR_BITMAP_RANGE	0x2000
#define MSR_BITMAP_HIGH_BASE	0xc0000000
#define MSR_BITMAP_HIGH		MSR_BITMAP_RANGE
#define MSR_BITMAP_WRITE	(2 * MSR_BITMAP_RANGE)

static_assert(4 * MSR_BITMAP_RANGE == 8 * PAGE_SIZE);

void sim_msr_bitmap_init(unsigned long *bitmap)
{
	const struct sim_msr *row;

	sim_page_fill(bitmap, PAGE_SIZE, U64_MAX);

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

bool sim_msr_has_spec_ctrl(const struct sim_tdcs *tdcs)
{
	return sim_cpuid_get(tdcs, 7, 0)->regs[SIM_EDX] & (BIT(26) | BIT(27) | BIT(31));
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

/* How an access of the TD ends that has caused an exit. */
static enum sim_msr_access msr_access(const struct sim_vcpu *vcpu, enum sim_msr_access access)
{
	const struct sim_cpuid_entry *entry;

	if (access < MSR_IF_TSC_DEADLINE)
		return access;

	entry = sim_cpuid_get(vcpu->td->tdcs, sim_msr_features[access].leaf,
			      sim_msr_features[access].subleaf);
	return entry->regs[sim_msr_features[access].reg] & sim_msr_features[access].bit ?
	       MSR_VE : MSR_GP;
}

static enum sim_action msr_refused(struct sim_exit *exit)
{
	return sim_inject_error(exit->vcpu, X86_TRAP_GP, 0);
}

static enum sim_action msr_done(void)
{
	sim_skip_insn(sim_vmread(VM_EXIT_INSTRUCTION_LEN));
	return SIM_RESUME;
}

/*
 * IA32_ARCH_CAPABILITIES: every platform of the real module is free of these bugs, and
 * an emulator has none of them.  Of the other bits a TD sees RRSBA.
 */
static u64 arch_capabilities(void)
{
	u64 native = 0;

	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		native = __rdmsr(MSR_IA32_ARCH_CAPABILITIES);

	return ARCH_CAP_RDCL_NO | ARCH_CAP_IBRS_ALL | ARCH_CAP_SKIP_VMENTRY_L1DFLUSH |
	       ARCH_CAP_MDS_NO | ARCH_CAP_PSCHANGE_MC_NO | ARCH_CAP_TAA_NO |
	       ARCH_CAP_SBDR_SSDP_NO | ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO |
	       (native & ARCH_CAP_RRSBA);
}

/* MSRs whose values for a TD come from the module. */
static u64 special_read(const struct sim_vcpu *vcpu, u32 msr)
{
	switch (msr) {
	case MSR_IA32_XAPIC_DISABLE_STATUS:
		return LEGACY_XAPIC_DISABLED;
	case MSR_IA32_ARCH_CAPABILITIES:
		return arch_capabilities();
	case MSR_IA32_MISC_ENABLE:
		return (__rdmsr(MSR_IA32_MISC_ENABLE) & ~MSR_IA32_MISC_ENABLE_EMON) |
		       MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL;
	case MSR_IA32_DEBUGCTLMSR:
		return sim_vmread(GUEST_IA32_DEBUGCTL);
	case MSR_IA32_XSS:
		return vcpu->xss;
	default:
		/* IA32_PERF_CAPABILITIES: there is no performance monitoring. */
		return 0;
	}
}

enum sim_action sim_exit_rdmsr(struct sim_exit *exit)
{
	struct sim_vcpu *vcpu = exit->vcpu;
	const struct sim_msr *row = sim_msr_find(vcpu->gpr[SIM_RCX]);
	u64 value;

	switch (row ? msr_access(vcpu, row->read) : MSR_VE) {
	case MSR_SPECIAL:
		value = special_read(vcpu, row->first);
		vcpu->gpr[SIM_RAX] = (u32)value;
		vcpu->gpr[SIM_RDX] = value >> 32;
		return msr_done();
	case MSR_GP:
		return msr_refused(exit);
	default:
		return sim_inject_ve(exit, 0, 0, 0);
	}
}

/* IA32_EFER: the guest may switch SCE.  Anything else is #VE. */
static enum sim_action write_efer(struct sim_exit *exit, u64 value)
{
	u64 efer = sim_vmread(GUEST_IA32_EFER);

	if ((value ^ efer) & ~(EFER_SCE | EFER_LMA))
		return sim_inject_ve(exit, 0, 0, 0);

	sim_vmwrite(GUEST_IA32_EFER, (value & EFER_SCE) | (efer & ~EFER_SCE));
	return msr_done();
}

static enum sim_action write_xss(struct sim_exit *exit, u64 value)
{
	struct sim_vcpu *vcpu = exit->vcpu;

	if (value & ~(vcpu->td->tdcs->xfam & TDX_XFAM_SUPERVISOR))
		return msr_refused(exit);

	vcpu->xss = value;
	native_wrmsrq(MSR_IA32_XSS, value);
	return msr_done();
}

/* Branch traces need a buffer.  The interrupt of the uncore stays off. */
static enum sim_action write_debugctl(struct sim_exit *exit, u64 value)
{
	if (value & ~DEBUGCTL_KNOWN)
		return msr_refused(exit);
	if (value & DEBUGCTLMSR_TR && !(value & DEBUGCTLMSR_BTS))
		return sim_inject_ve(exit, 0, 0, 0);

	sim_vmwrite(GUEST_IA32_DEBUGCTL, value & ~DEBUGCTL_UNCORE_PMI);
	return msr_done();
}

enum sim_action sim_exit_wrmsr(struct sim_exit *exit)
{
	struct sim_vcpu *vcpu = exit->vcpu;
	const struct sim_msr *row = sim_msr_find(vcpu->gpr[SIM_RCX]);
	u64 value = vcpu->gpr[SIM_RDX] << 32 | (u32)vcpu->gpr[SIM_RAX];

	switch (row ? msr_access(vcpu, row->write) : MSR_VE) {
	case MSR_SPECIAL:
		if (row->first == MSR_EFER)
			return write_efer(exit, value);
		if (row->first == MSR_IA32_XSS)
			return write_xss(exit, value);
		return write_debugctl(exit, value);
	case MSR_GP:
		return msr_refused(exit);
	default:
		return sim_inject_ve(exit, 0, 0, 0);
	}
}
