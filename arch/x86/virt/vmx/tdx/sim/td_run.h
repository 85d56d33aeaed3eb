/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: running a TD, shared by its loop and exit handlers.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_RUN_H
#define _X86_VIRT_TDX_SIM_TD_RUN_H

#include <asm/desc_defs.h>
#include <asm/trapnr.h>
#include <asm/tsc.h>
#include <asm/vmx.h>

#include "td.h"

/* What happens after a VM exit. */
enum sim_action {
	SIM_RESUME,		/* the module is done with it, back to the TD */
	SIM_TO_HOST,		/* TDH.VP.ENTER returns, its output is filled in */
};

/* One VM exit. */
struct sim_exit {
	struct sim_vcpu *vcpu;
	struct pt_regs *regs;	/* of the SEAMCALL: output to the host */
	u32 reason;		/* all 32 bits of the VMCS field */
	u64 qualification;
	u32 intr_info;
};

/* Host state that a VM exit does not bring back. */
struct sim_host {
	u64 vmcs;
	u64 debugctl;
	struct desc_ptr gdt;
	struct desc_ptr idt;
	u16 ldt;
	u16 ds;
	u16 es;
	u16 fs;
	u16 gs;
};

/*
 * The two halves of sim_td_run() around its loop (td_run.c): the vCPU's VMCS is
 * current, and its extended state, MSRs and debug registers are in the CPU.
 */
void sim_td_load(struct sim_vcpu *vcpu, struct sim_host *host);
void sim_td_unload(struct sim_vcpu *vcpu, const struct sim_host *host);

/*
 * In between: let the host have extended state and its XCR0, for code of it that
 * may use them, and give both back to the TD.
 */
void sim_fpu_to_host(struct sim_vcpu *vcpu);
void sim_fpu_to_td(struct sim_vcpu *vcpu);

/* How long a TD may go on with interrupts off before the host gets a look. */
#define SIM_STAY_US		1000

/* The same in cycles of the host's TSC. */
static inline u64 sim_stay_cycles(void)
{
	return (u64)tsc_khz * SIM_STAY_US / 1000;
}

/*
 * Leave for the host if the TD has interrupts off, which keeps those of the host out
 * on some emulators (td_exits.c).
 */
enum sim_action sim_give_way(struct sim_vcpu *vcpu, struct pt_regs *regs);

/* Handlers by basic exit reason (td_exits.c). */
enum sim_action sim_handle_exit(struct sim_exit *exit);

/* CPUID, CR, MSR and XCR accesses (td_insn.c, td_cr.c, td_msr.c). */
enum sim_action sim_exit_cpuid(struct sim_exit *exit);
enum sim_action sim_exit_cr_access(struct sim_exit *exit);
enum sim_action sim_exit_rdmsr(struct sim_exit *exit);
enum sim_action sim_exit_wrmsr(struct sim_exit *exit);
enum sim_action sim_exit_xsetbv(struct sim_exit *exit);

/* TDCALL, the instruction is at the guest's RIP (tdg.c). */
enum sim_action sim_tdcall(struct sim_exit *exit);

/*
 * If the last exit was TDG.VP.VMCALL: the registers that it opened to the host
 * get the host's values, the others keep the guest's (tdg.c).
 */
void sim_vmcall_complete(struct sim_vcpu *vcpu, struct pt_regs *regs);

/*
 * Output of TDH.VP.ENTER for an exit that is not TDG.VP.VMCALL: @status or-ed
 * with the exit reason in RAX, @qualification in RCX, @extended in RDX, @gpa in
 * R8, interruption information in R9, all else 0.
 */
enum sim_action sim_to_host(struct sim_exit *exit, u64 status, u64 qualification,
			    u64 extended, u64 gpa);

/* The TD cannot go on: fatal for all of its vCPUs. */
enum sim_action sim_to_host_fatal(struct sim_exit *exit);

/*
 * Events for the guest, delivered with the next entry.  sim_inject_ve() becomes
 * #DF while the guest has not yet read the previous #VE information.
 */
enum sim_action sim_inject(struct sim_vcpu *vcpu, u8 vector);
enum sim_action sim_inject_error(struct sim_vcpu *vcpu, u8 vector, u32 error_code);
enum sim_action sim_inject_ve(struct sim_exit *exit, u64 qualification,
			      u64 gla, u64 gpa);

/*
 * The TD, or a TDCALL of it, cannot access @gpa as @exit's qualification says
 * (td_mem.c): #VE, an exit to the host, or nothing if it can by now.  @gla: the
 * guest linear address, 0 if there is none.
 */
enum sim_action sim_ept_violation(struct sim_exit *exit, u64 gpa, u64 gla);

/* The exception that the TD was stopped at, CR2 and DR6 included. */
enum sim_action sim_reflect_exception(struct sim_exit *exit);

/* Switch one bit of the primary processor based controls of the loaded VMCS. */
void sim_set_cpu_control(struct sim_vcpu *vcpu, u32 bit, bool on);

/* The TD executes 64-bit code. */
bool sim_in_64bit_mode(void);

/* Step over the instruction that caused the exit, @length bytes. */
void sim_skip_insn(u32 length);

/*
 * The first bytes of the instruction at the guest's RIP.  False if any of them is
 * not in mapped private memory (td_insn.c).
 */
bool sim_guest_fetch(struct sim_vcpu *vcpu, u32 *insn);

/*
 * Walk the page tables of a 64-bit guest: the leaf entry for @linear, NULL if
 * there is none in mapped private memory.  @rights is the AND of all levels
 * (td_insn.c).
 */
u64 *sim_guest_walk(struct sim_vcpu *vcpu, u64 linear, u64 *rights);

/*
 * Shared memory on a CPU with narrow physical addresses (td_shared.c).
 *
 * sim_shared_cpu_ok(): the CPU has address bits enough for that.
 * sim_shared_gpa():   a GPA of an EPT violation as the TD meant it.
 * sim_shared_exit():  to be called first on each exit; true if it is done with.
 * sim_shared_fault(): the intercepted #PF with RSVD.
 */
bool sim_shared_cpu_ok(void);
bool sim_shared_narrow(void);
u64 sim_shared_gpa(u64 gpa);
void sim_shared_sync_root(struct sim_vcpu *vcpu);
void sim_shared_init_vmcs(struct sim_vcpu *vcpu);
bool sim_shared_exit(struct sim_exit *exit);
enum sim_action sim_shared_fault(struct sim_exit *exit);

/* Exceptions that never are the guest's: #UD may be TDCALL, #MC is the module's. */
#define TDX_EXCEPTION_BITMAP	(BIT(X86_TRAP_UD) | BIT(X86_TRAP_MC))

/* Bits of CR0 and CR4 that the module owns, and what the TD reads there (td_cr.c). */
u64 sim_cr0_owned(void);
u64 sim_cr0_shadow(void);
u64 sim_cr4_owned(const struct sim_vcpu *vcpu);
u64 sim_cr4_shadow(void);

/* EPTP of the vCPU (td_vmcs.c). */
u64 sim_eptp(const struct sim_vcpu *vcpu);

/*
 * EPT root of a vCPU (td_ept.c).  The halves are brought up to date at each entry,
 * and at an EPT violation: true if it can be tried again.  @gpa: a shared one.
 */
bool sim_sync_private_root(struct sim_vcpu *vcpu);
void sim_sync_shared_root(struct sim_vcpu *vcpu);
bool sim_sync_shared_gpa(struct sim_vcpu *vcpu, u64 gpa);

/* Host state of the VMCS that is now current, for this CPU (td_run.c). */
void sim_host_write_constant(void);

/*
 * Posted interrupts and the virtual APIC (td_apic.c).
 *
 * sim_posts_interrupts(): the host has asked for it.
 * sim_apic_sync_pir():	   before each entry, those that the host has posted.
 * sim_apic_has_request(): there is one that waits, whatever masks it.
 */
static inline bool sim_posts_interrupts(const struct sim_vcpu *vcpu)
{
	return vcpu->pin_controls & PIN_BASED_POSTED_INTR;
}

void sim_apic_sync_pir(struct sim_vcpu *vcpu);
bool sim_apic_has_request(const struct sim_vcpu *vcpu);

/* World switch (td_entry.S). */
int sim_td_enter(struct sim_vcpu *vcpu, bool launched);
extern const char sim_td_exit[];

#endif /* _X86_VIRT_TDX_SIM_TD_RUN_H */
