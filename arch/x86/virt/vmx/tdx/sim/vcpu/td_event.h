/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: what an exit of a TD leads to: an event for the TD, the
 * next instruction, or a return to the host.
 *
 * The VMCS of the vCPU is current in all of these functions.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_EVENT_H
#define _X86_VIRT_TDX_SIM_TD_EVENT_H

#include <linux/types.h>

#include <asm/msr-index.h>
#include <asm/vmx.h>

#include "vcpu/td_exit.h"
#include "vcpu/vmx_insn.h"

/*
 * Exceptions for the TD, delivered with the next entry.  All return SIM_RESUME.
 *
 * sim_inject():	@vector, a fault without error code.
 * sim_inject_error():	@vector, a fault with @error_code.
 * sim_inject_ve():	#VE; TDG.VP.VEINFO.GET gives @exit's reason, @qualification, the
 *			guest linear address @gla and the GPA @gpa.  It becomes #DF while
 *			the TD has not read the information of the #VE before.
 * sim_reflect_exception(): the exception that @exit reports, CR2 and DR6 included.
 */
enum sim_action sim_inject(struct sim_vcpu *vcpu, u8 vector);
enum sim_action sim_inject_error(struct sim_vcpu *vcpu, u8 vector, u32 error_code);
enum sim_action sim_inject_ve(struct sim_exit *exit, u64 qualification,
			      u64 gla, u64 gpa);
enum sim_action sim_reflect_exception(struct sim_exit *exit);

/* Step over the instruction that caused the exit, @length bytes. */
void sim_skip_insn(u32 length);

/* The TD executes 64-bit code.  Each TDCALL asks. */
static inline bool sim_in_64bit_mode(void)
{
	return sim_vmread(GUEST_IA32_EFER) & EFER_LMA &&
	       sim_vmread(GUEST_CS_AR_BYTES) & VMX_AR_L_MASK;
}

/*
 * Output of TDH.VP.ENTER for an exit other than TDG.VP.VMCALL ("TDH.VP.ENTER Output
 * Operands Format" of the ABI).  Returns SIM_TO_HOST.
 *
 * sim_to_host():	RAX: @status or-ed with the exit reason.  RCX: @qualification.
 *			RDX: @extended, the extended exit qualification.  R8: @gpa without
 *			the offset in its page.  R9: interruption information.  The others
 *			are 0.
 * sim_to_host_fatal():	TDX_NON_RECOVERABLE_TD: no vCPU of the TD can go on.
 */
enum sim_action sim_to_host(struct sim_exit *exit, u64 status, u64 qualification,
			    u64 extended, u64 gpa);
enum sim_action sim_to_host_fatal(struct sim_exit *exit);

/*
 * Leave for the host with TDX_OPERAND_BUSY | SEPT if the TD has interrupts off, which
 * keeps those of the host out on some emulators.  Else SIM_RESUME.
 */
enum sim_action sim_give_way(struct sim_vcpu *vcpu, struct pt_regs *regs);

#endif /* _X86_VIRT_TDX_SIM_TD_EVENT_H */
