// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: state that a VM entry and a VM exit leave alone.
 *
 * The host's side of the contract is "TDX Module Base Architecture", chapter on
 * TD entry and exit: what the module preserves, and what it leaves in its INIT
 * state.  A VM exit clobbers more than SEAMCALL may.  The rest is saved and
 * restored here.
 */
#include <linux/unroll.h>

#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/gsseg.h>
#include <asm/msr.h>
#include <asm/segment.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>
#include <asm/vmx.h>

#include "state/vcpu.h"
#include "vcpu/td_switch.h"
#include "vcpu/td_vmcs.h"
#include "vcpu/vmx_insn.h"

/* IA32_DEBUGCTL bits that survive TDH.VP.ENTER; a VM exit clears them all. */
#define SIM_DEBUGCTL_PRESERVED	(DEBUGCTLMSR_BTF | DEBUGCTLMSR_FREEZE_PERFMON_ON_PMI | \
				 DEBUGCTLMSR_FREEZE_IN_SMM)

/* Index of a guest MSR, and what the host finds in it after TDH.VP.ENTER. */
static const struct {
	u32 msr;
	u64 host_value;
} sim_guest_msrs[SIM_MSR_NR] = {
	[SIM_MSR_STAR]		 = { MSR_STAR, 0 },
	[SIM_MSR_LSTAR]		 = { MSR_LSTAR, 0 },
	[SIM_MSR_SYSCALL_MASK]	 = { MSR_SYSCALL_MASK, TDX_FMASK_INIT },
	[SIM_MSR_TSC_AUX]	 = { MSR_TSC_AUX, 0 },
	[SIM_MSR_KERNEL_GS_BASE] = { MSR_KERNEL_GS_BASE, 0 },
};

static void sim_host_save(struct sim_host *host)
{
	host->vmcs = sim_vmptrst();
	host->debugctl = __rdmsr(MSR_IA32_DEBUGCTLMSR);
	native_store_gdt(&host->gdt);
	store_idt(&host->idt);
	store_ldt(host->ldt);
	savesegment(ds, host->ds);
	savesegment(es, host->es);
	savesegment(fs, host->fs);
	savesegment(gs, host->gs);
}

/* The rest of the host state area: the task's.  KVM leaves a guest's EFER in the CPU. */
static void sim_host_write_task(void)
{
	sim_vmwrite(HOST_CR3, __read_cr3());
	sim_vmwrite(HOST_CR4, __read_cr4());
	sim_vmwrite(HOST_FS_BASE, __rdmsr(MSR_FS_BASE));
	sim_vmwrite(HOST_IA32_EFER, __rdmsr(MSR_EFER));
}

static void sim_host_restore(struct sim_vcpu *vcpu, const struct sim_host *host)
{
	load_gdt(&host->gdt);
	load_idt(&host->idt);

	/* The exit set the TSS limit to the minimum, without an I/O bitmap. */
	invalidate_tss_limit();

	if (host->ldt)
		asm volatile("lldt %0" : : "m" (host->ldt));
	if (host->ds | host->es) {
		loadsegment(ds, host->ds);
		loadsegment(es, host->es);
	}
	/* Loading a selector clobbers the base that the exit has just loaded. */
	if (host->fs) {
		u64 base = __rdmsr(MSR_FS_BASE);

		loadsegment(fs, host->fs);
		wrmsrq(MSR_FS_BASE, base);
	}
	if (host->gs)
		load_gs_index(host->gs);

	/* An emulated CPU may store the register, but not clear it at an exit. */
	if (host->debugctl)
		wrmsrq(MSR_IA32_DEBUGCTLMSR, host->debugctl & SIM_DEBUGCTL_PRESERVED);

	/* The host must never find the VMCS of a TD: no instruction of it may reach one. */
	sim_vmcs_leave(vcpu);
	if (host->vmcs != U64_MAX)
		sim_vmptrld(host->vmcs);
}

static void sim_xsave(void *area, u64 mask)
{
	asm volatile("xsave64 (%[area])"
		     : : [area] "r" (area), "a" ((u32)mask), "d" ((u32)(mask >> 32))
		     : "memory");
}

static void sim_xrstor(const void *area, u64 mask)
{
	asm volatile("xrstor64 (%[area])"
		     : : [area] "r" (area), "a" ((u32)mask), "d" ((u32)(mask >> 32))
		     : "memory");
}

/* Components that XSAVE and XSAVES of this CPU take: XCR0 and IA32_XSS. */
struct sim_xfeatures {
	u64 xcr0;
	u64 xss;
};

/* Most entries and exits change neither, and a hypervisor below traps both writes. */
static void sim_switch_xfeatures(struct sim_xfeatures from, struct sim_xfeatures to)
{
	if (to.xcr0 != from.xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, to.xcr0);
	if (to.xss != from.xss)
		native_wrmsrq(MSR_IA32_XSS, to.xss);
}

static struct sim_xfeatures sim_host_xfeatures(const struct sim_vcpu *vcpu)
{
	return (struct sim_xfeatures) { vcpu->host_xcr0, vcpu->host_xss };
}

static struct sim_xfeatures sim_td_xfeatures(const struct sim_vcpu *vcpu)
{
	return (struct sim_xfeatures) { vcpu->xcr0, vcpu->xss };
}

static struct sim_xfeatures sim_xfam_xfeatures(u64 xfam)
{
	return (struct sim_xfeatures) { xfam & ~TDX_XFAM_SUPERVISOR, xfam & TDX_XFAM_SUPERVISOR };
}

/*
 * Extended state is the TD's while it runs.  The host saved its own before
 * TDH.VP.ENTER.  Afterwards the state is the INIT state, with XCR0 and IA32_XSS as in
 * XFAM.
 */
static void sim_load_fpu(struct sim_vcpu *vcpu)
{
	u64 xfam = vcpu->td->tdcs->xfam;

	sim_switch_xfeatures(sim_host_xfeatures(vcpu), sim_xfam_xfeatures(xfam));
	sim_xrstor(sim_vcpu_page(vcpu, SIM_TDVPS_XSAVE), xfam);
	sim_switch_xfeatures(sim_xfam_xfeatures(xfam), sim_td_xfeatures(vcpu));
}

static void sim_save_fpu(struct sim_vcpu *vcpu)
{
	u64 xfam = vcpu->td->tdcs->xfam;

	sim_switch_xfeatures(sim_td_xfeatures(vcpu), sim_xfam_xfeatures(xfam));
	sim_xsave(sim_vcpu_page(vcpu, SIM_TDVPS_XSAVE), xfam);
	sim_xrstor(sim_vcpu_page(vcpu, SIM_TDVPS_XSAVE_INIT), xfam);
}

static void sim_load_msrs(struct sim_vcpu *vcpu)
{
	int i;

	unrolled_full
	for (i = 0; i < SIM_MSR_NR; i++)
		native_wrmsrq(sim_guest_msrs[i].msr, vcpu->msr[i]);
}

static __always_inline void sim_save_msr(struct sim_vcpu *vcpu, int i)
{
	vcpu->msr[i] = __rdmsr(sim_guest_msrs[i].msr);
	native_wrmsrq(sim_guest_msrs[i].msr, sim_guest_msrs[i].host_value);
}

static void sim_save_msrs(struct sim_vcpu *vcpu)
{
	int i;

	unrolled_full
	for (i = 0; i < SIM_MSR_NR; i++)
		sim_save_msr(vcpu, i);
}

/*
 * Unlike the MSRs above the host keeps IA32_SPEC_CTRL, if the CPU has it.  A hypervisor
 * below traps the writes.
 */
static void sim_load_spec_ctrl(struct sim_vcpu *vcpu, struct sim_host *host)
{
	if (!vcpu->td->tdcs->has_spec_ctrl)
		return;
	host->spec_ctrl = __rdmsr(MSR_IA32_SPEC_CTRL);
	if (vcpu->spec_ctrl != host->spec_ctrl)
		native_wrmsrq(MSR_IA32_SPEC_CTRL, vcpu->spec_ctrl);
}

static void sim_save_spec_ctrl(struct sim_vcpu *vcpu, const struct sim_host *host)
{
	if (!vcpu->td->tdcs->has_spec_ctrl)
		return;
	vcpu->spec_ctrl = __rdmsr(MSR_IA32_SPEC_CTRL);
	if (vcpu->spec_ctrl != host->spec_ctrl)
		native_wrmsrq(MSR_IA32_SPEC_CTRL, host->spec_ctrl);
}

static void sim_load_debug(struct sim_vcpu *vcpu)
{
	set_debugreg(vcpu->dr[0], 0);
	set_debugreg(vcpu->dr[1], 1);
	set_debugreg(vcpu->dr[2], 2);
	set_debugreg(vcpu->dr[3], 3);
	set_debugreg(vcpu->dr6, 6);
}

static void sim_save_debug(struct sim_vcpu *vcpu)
{
	get_debugreg(vcpu->dr[0], 0);
	get_debugreg(vcpu->dr[1], 1);
	get_debugreg(vcpu->dr[2], 2);
	get_debugreg(vcpu->dr[3], 3);
	get_debugreg(vcpu->dr6, 6);

	set_debugreg(0, 0);
	set_debugreg(0, 1);
	set_debugreg(0, 2);
	set_debugreg(0, 3);
	set_debugreg(DR6_RESERVED, 6);
}

void sim_td_load(struct sim_vcpu *vcpu, struct sim_host *host)
{
	sim_host_save(host);
	vcpu->host_xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	vcpu->host_xss = __rdmsr(MSR_IA32_XSS);
	sim_vmcs_load(vcpu);
	sim_host_write_task();

	sim_load_fpu(vcpu);
	sim_load_msrs(vcpu);
	sim_load_debug(vcpu);
	sim_load_spec_ctrl(vcpu, host);
}

void sim_td_unload(struct sim_vcpu *vcpu, const struct sim_host *host)
{
	sim_save_spec_ctrl(vcpu, host);
	sim_save_debug(vcpu);
	sim_save_msrs(vcpu);
	sim_save_fpu(vcpu);
	/* Each exit has saved the TD's. */
	native_write_cr2(0);
	sim_host_restore(vcpu, host);
}

void sim_fpu_to_host(struct sim_vcpu *vcpu)
{
	sim_save_fpu(vcpu);
	sim_switch_xfeatures(sim_xfam_xfeatures(vcpu->td->tdcs->xfam), sim_host_xfeatures(vcpu));
}

void sim_fpu_to_td(struct sim_vcpu *vcpu)
{
	sim_load_fpu(vcpu);
}
