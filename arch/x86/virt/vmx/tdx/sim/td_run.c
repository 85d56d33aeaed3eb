// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDH.VP.ENTER from the host's registers to the TD's and
 * back.
 *
 * The host's side of the contract is "TDX Module Base Architecture", chapter on
 * TD entry and exit: what the module preserves, and what it leaves in its INIT
 * state.  A VM exit by itself clobbers more than SEAMCALL may, so the rest is
 * saved and restored here.
 */
#include <linux/array_size.h>
#include <linux/string.h>

#include <asm/cpu_entry_area.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/gsseg.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/segment.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>
#include <asm/vmx.h>

#include "sept.h"
#include "td_run.h"
#include "trace.h"
#include "vmx_insn.h"

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

/* Host state that is the same for every task on this CPU. */
void sim_host_write_constant(void)
{
	struct desc_ptr dtr;

	sim_vmwrite(HOST_RIP, (unsigned long)sim_td_exit);
	sim_vmwrite(HOST_CR0, read_cr0());
	sim_vmwrite(HOST_CS_SELECTOR, __KERNEL_CS);
	sim_vmwrite(HOST_SS_SELECTOR, __KERNEL_DS);
	sim_vmwrite(HOST_DS_SELECTOR, 0);
	sim_vmwrite(HOST_ES_SELECTOR, 0);
	sim_vmwrite(HOST_FS_SELECTOR, 0);
	sim_vmwrite(HOST_GS_SELECTOR, 0);
	sim_vmwrite(HOST_TR_SELECTOR, GDT_ENTRY_TSS * 8);
	sim_vmwrite(HOST_GS_BASE, __rdmsr(MSR_GS_BASE));
	sim_vmwrite(HOST_TR_BASE,
		    (unsigned long)&get_cpu_entry_area(raw_smp_processor_id())->tss.x86_tss);
	native_store_gdt(&dtr);
	sim_vmwrite(HOST_GDTR_BASE, dtr.address);
	store_idt(&dtr);
	sim_vmwrite(HOST_IDTR_BASE, dtr.address);
	sim_vmwrite(HOST_IA32_SYSENTER_CS, __rdmsr(MSR_IA32_SYSENTER_CS));
	sim_vmwrite(HOST_IA32_SYSENTER_ESP, __rdmsr(MSR_IA32_SYSENTER_ESP));
	sim_vmwrite(HOST_IA32_SYSENTER_EIP, __rdmsr(MSR_IA32_SYSENTER_EIP));
	sim_vmwrite(HOST_IA32_EFER, __rdmsr(MSR_EFER));
	sim_vmwrite(HOST_IA32_PAT, __rdmsr(MSR_IA32_CR_PAT));
}

/* The rest of the host state area: the task's. */
static void sim_host_write_task(void)
{
	sim_vmwrite(HOST_CR3, __read_cr3());
	sim_vmwrite(HOST_CR4, cr4_read_shadow());
	sim_vmwrite(HOST_FS_BASE, __rdmsr(MSR_FS_BASE));
}

static void sim_host_restore(const struct sim_host *host)
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

	if (host->debugctl & SIM_DEBUGCTL_PRESERVED)
		wrmsrq(MSR_IA32_DEBUGCTLMSR, host->debugctl & SIM_DEBUGCTL_PRESERVED);

	if (host->vmcs != U64_MAX && sim_vmptrst() != host->vmcs)
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

/*
 * Extended state belongs to the TD while it runs, and is in its INIT state and
 * enabled as in XFAM when the host goes on, which has saved its own before.
 */
static void sim_load_fpu(struct sim_vcpu *vcpu)
{
	u64 xfam = vcpu->td->tdcs->xfam;

	xsetbv(XCR_XFEATURE_ENABLED_MASK, xfam);
	sim_xrstor(sim_vcpu_page(vcpu, SIM_TDVPS_XSAVE), xfam);
	xsetbv(XCR_XFEATURE_ENABLED_MASK, vcpu->xcr0);
}

static void sim_save_fpu(struct sim_vcpu *vcpu)
{
	u64 xfam = vcpu->td->tdcs->xfam;

	xsetbv(XCR_XFEATURE_ENABLED_MASK, xfam);
	sim_xsave(sim_vcpu_page(vcpu, SIM_TDVPS_XSAVE), xfam);
	sim_xrstor(sim_vcpu_page(vcpu, SIM_TDVPS_XSAVE_INIT), xfam);
}

static void sim_load_msrs(struct sim_vcpu *vcpu)
{
	int i;

	for (i = 0; i < SIM_MSR_NR; i++)
		native_wrmsrq(sim_guest_msrs[i].msr, vcpu->msr[i]);
}

static void sim_save_msrs(struct sim_vcpu *vcpu)
{
	int i;

	for (i = 0; i < SIM_MSR_NR; i++) {
		vcpu->msr[i] = __rdmsr(sim_guest_msrs[i].msr);
		native_wrmsrq(sim_guest_msrs[i].msr, sim_guest_msrs[i].host_value);
	}
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

void sim_set_cpu_control(struct sim_vcpu *vcpu, u32 bit, bool on)
{
	/* Most entries change nothing: spare them the VMCS. */
	if (!!(vcpu->cpu_controls & bit) == on)
		return;

	vcpu->cpu_controls ^= bit;
	sim_vmwrite(CPU_BASED_VM_EXEC_CONTROL, vcpu->cpu_controls);
}

/*
 * An NMI that the host asked for goes in unless the guest blocks NMIs, has an
 * event of its own to take first, or has not yet read its #VE information.
 */
static void sim_deliver_nmi(struct sim_vcpu *vcpu)
{
	bool window = false;

	if (vcpu->pend_nmi) {
		if (vcpu->event.info || vcpu->ve.valid ||
		    sim_vmread(GUEST_INTERRUPTIBILITY_INFO) &
		    (GUEST_INTR_STATE_NMI | GUEST_INTR_STATE_STI | GUEST_INTR_STATE_MOV_SS)) {
			window = true;
		} else {
			vcpu->event.info = INTR_INFO_VALID_MASK | INTR_TYPE_NMI_INTR |
					   X86_TRAP_NMI;
			vcpu->pend_nmi = 0;
		}
	}

	/* A guest in its #VE handler would exit for the window at once. */
	sim_set_cpu_control(vcpu, CPU_BASED_NMI_WINDOW_EXITING, window && !vcpu->ve.valid);
}

/*
 * A virtual interrupt that finds interrupts off waits outside of the CPU until they
 * are on: not every emulator keeps it back if a host interrupt comes meanwhile.
 */
static void sim_hold_interrupts(struct sim_vcpu *vcpu)
{
	/* The handler of an event begins with interrupts off. */
	bool hold = sim_apic_has_request(vcpu) &&
		    (vcpu->event.info || !(sim_vmread(GUEST_RFLAGS) & X86_EFLAGS_IF));

	sim_set_cpu_control(vcpu, CPU_BASED_INTR_WINDOW_EXITING, hold);
}

static void sim_prepare_entry(struct sim_vcpu *vcpu)
{
	u32 entry_controls = sim_vmread(VM_ENTRY_CONTROLS);
	bool long_mode = sim_vmread(GUEST_IA32_EFER) & EFER_LMA;

	if (!!(entry_controls & VM_ENTRY_IA32E_MODE) != long_mode)
		sim_vmwrite(VM_ENTRY_CONTROLS, entry_controls ^ VM_ENTRY_IA32E_MODE);

	sim_sync_private_root(vcpu);
	sim_sync_shared_root(vcpu);
	if (vcpu->ept_stale) {
		sim_invept(sim_eptp(vcpu));
		vcpu->ept_stale = false;
	}

	sim_apic_sync_pir(vcpu);
	sim_deliver_nmi(vcpu);
	sim_hold_interrupts(vcpu);
	sim_vmwrite(VM_ENTRY_INTR_INFO_FIELD, vcpu->event.info);
	if (vcpu->event.info) {
		sim_vmwrite(VM_ENTRY_EXCEPTION_ERROR_CODE, vcpu->event.error_code);
		sim_vmwrite(VM_ENTRY_INSTRUCTION_LEN, vcpu->event.length);
	}
}

/* The event whose delivery the exit cut short comes again with the next entry. */
static void sim_requeue_event(struct sim_vcpu *vcpu)
{
	u32 info = sim_vmread(IDT_VECTORING_INFO_FIELD);

	vcpu->event = (struct sim_event) {};
	if (!(info & VECTORING_INFO_VALID_MASK))
		return;

	vcpu->event.info = info & ~INTR_INFO_UNBLOCK_NMI;
	vcpu->event.error_code = sim_vmread(IDT_VECTORING_ERROR_CODE);
	vcpu->event.length = sim_vmread(VM_EXIT_INSTRUCTION_LEN);
	if ((info & VECTORING_INFO_TYPE_MASK) == INTR_TYPE_NMI_INTR)
		sim_vmwrite(GUEST_INTERRUPTIBILITY_INFO,
			    sim_vmread(GUEST_INTERRUPTIBILITY_INFO) & ~GUEST_INTR_STATE_NMI);
}

static enum sim_action sim_enter_once(struct sim_vcpu *vcpu, struct pt_regs *regs)
{
	struct sim_exit exit = { .vcpu = vcpu, .regs = regs };

	sim_prepare_entry(vcpu);

	native_write_cr2(vcpu->cr2);
	if (sim_td_enter(vcpu, vcpu->launched)) {
		/* The VMCS is the module's own: only a bug of it gets here. */
		exit.reason = VMX_EXIT_REASONS_FAILED_VMENTRY |
			      EXIT_REASON_INVALID_STATE;
		return sim_to_host_fatal(&exit);
	}
	vcpu->cr2 = native_read_cr2();

	exit.reason = sim_vmread(VM_EXIT_REASON);
	if (exit.reason & VMX_EXIT_REASONS_FAILED_VMENTRY)
		return sim_to_host_fatal(&exit);

	vcpu->launched = true;
	vcpu->intr_status = sim_vmread(GUEST_INTR_STATUS);
	exit.qualification = sim_vmread(EXIT_QUALIFICATION);
	exit.intr_info = sim_vmread(VM_EXIT_INTR_INFO);
	sim_requeue_event(vcpu);
	if (trace_td_exit_enabled())
		trace_td_exit(&exit, sim_vmread(GUEST_RIP), sim_vmread(GUEST_PHYSICAL_ADDRESS));
	if (sim_shared_exit(&exit))
		return SIM_RESUME;
	return sim_handle_exit(&exit);
}

void sim_td_load(struct sim_vcpu *vcpu, struct sim_host *host)
{
	sim_host_save(host);
	vcpu->host_xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	sim_vmcs_load(vcpu);
	sim_host_write_task();

	sim_load_fpu(vcpu);
	sim_load_msrs(vcpu);
	sim_load_debug(vcpu);
}

void sim_td_unload(struct sim_vcpu *vcpu, const struct sim_host *host)
{
	sim_save_debug(vcpu);
	sim_save_msrs(vcpu);
	sim_save_fpu(vcpu);
	sim_host_restore(host);
}

void sim_fpu_to_host(struct sim_vcpu *vcpu)
{
	sim_save_fpu(vcpu);
	xsetbv(XCR_XFEATURE_ENABLED_MASK, vcpu->host_xcr0);
}

void sim_fpu_to_td(struct sim_vcpu *vcpu)
{
	sim_load_fpu(vcpu);
}

u64 sim_td_run(struct sim_vcpu *vcpu, struct pt_regs *regs)
{
	struct sim_host host;
	enum sim_action action;
	u64 deadline;

	sim_td_load(vcpu, &host);
	sim_vmcall_complete(vcpu, regs);

	/* Each entry starts the preemption timer anew: it sees no TD that exits often. */
	deadline = rdtsc() + sim_stay_cycles();
	do {
		action = sim_enter_once(vcpu, regs);
		if (action == SIM_RESUME && rdtsc() > deadline)
			action = sim_give_way(vcpu, regs);
	} while (action == SIM_RESUME);

	sim_td_unload(vcpu, &host);
	return regs->ax;
}
