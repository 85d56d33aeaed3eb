// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: exits that an emulator reports at the wrong instruction.
 *
 * Bochs with several CPUs takes RIP of an exit from a copy that it updates after each
 * instruction, but not after the delivery of an exception.  If the exit comes before
 * the first instruction of the handler, RIP is that of the instruction that raised the
 * exception, while RSP, RFLAGS, CS and SS are those of the handler.  The TD would go
 * on with a stack that has one frame too many.  A pending interrupt of the host makes
 * this likely: with interrupts off it waits for the next change of RFLAGS.IF, which
 * is the delivery.
 *
 * The frame on the stack tells: no handler runs at the address that it returns to.
 */
#include <linux/bitfield.h>

#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/segment.h>
#include <asm/trapnr.h>
#include <asm/vmx.h>

#include "state/vcpu.h"
#include "vcpu/td_event.h"
#include "vcpu/td_guest_mem.h"
#include "vcpu/td_rewind.h"
#include "vcpu/vmx_insn.h"

/* What the CPU pushes in 64-bit mode, after an error code if there is one. */
struct frame {
	u64 rip;
	u64 cs;
	u64 rflags;
	u64 rsp;
	u64 ss;
};

/* Access rights in a descriptor, as a VMCS has them. */
#define DESC_AR(desc)		(FIELD_GET(GENMASK_ULL(55, 40), desc) & 0xf0ff)
#define DESC_LIMIT_HIGH		GENMASK_ULL(51, 48)
#define DESC_LIMIT_LOW		GENMASK_ULL(15, 0)
#define DESC_GRANULAR		BIT_ULL(55)

/* Exits that are not caused by an instruction, or by its fetch. */
static bool exit_is_asynchronous(const struct sim_exit *exit)
{
	switch ((u16)exit->reason) {
	case EXIT_REASON_EXCEPTION_NMI:
		return (exit->intr_info & INTR_INFO_INTR_TYPE_MASK) == INTR_TYPE_NMI_INTR;
	case EXIT_REASON_EXTERNAL_INTERRUPT:
	case EXIT_REASON_NMI_WINDOW:
	case EXIT_REASON_MONITOR_TRAP_FLAG:
	case EXIT_REASON_EPT_VIOLATION:
	case EXIT_REASON_PREEMPTION_TIMER:
		return true;
	default:
		return false;
	}
}

/* Whether the words at @rsp are a frame that returns to RIP. */
static bool frame_returns_to_rip(struct sim_vcpu *vcpu, u64 rsp, struct frame *frame)
{
	u64 *word = (u64 *)frame;
	int i;

	for (i = 0; i < sizeof(*frame) / sizeof(*word); i++) {
		if (!sim_guest_read_u64(vcpu, rsp + sizeof(*word) * i, &word[i]))
			return false;
		/* RIP comes first: the rest is rarely read. */
		if (word[0] != sim_vmread(GUEST_RIP))
			return false;
	}
	return frame->cs <= U16_MAX && frame->ss <= U16_MAX && frame->cs &&
	       frame->rflags & X86_EFLAGS_FIXED && frame->rflags <= U32_MAX;
}

static bool read_descriptor(struct sim_vcpu *vcpu, u64 selector, u64 *desc)
{
	return sim_guest_read_u64(vcpu, sim_vmread(GUEST_GDTR_BASE) +
				  (selector & ~SEGMENT_RPL_MASK), desc);
}

static u32 limit_of(u64 desc)
{
	u32 limit = FIELD_GET(DESC_LIMIT_HIGH, desc) << 16 | FIELD_GET(DESC_LIMIT_LOW, desc);

	return desc & DESC_GRANULAR ? limit << 12 | 0xfff : limit;
}

/* Segments change only with the privilege level. */
static bool restore_segments(struct sim_vcpu *vcpu, const struct frame *frame)
{
	u64 cs, ss;

	if (frame->cs == sim_vmread(GUEST_CS_SELECTOR))
		return true;
	if (!read_descriptor(vcpu, frame->cs, &cs) || !read_descriptor(vcpu, frame->ss, &ss))
		return false;

	sim_vmwrite(GUEST_CS_SELECTOR, frame->cs);
	sim_vmwrite(GUEST_CS_AR_BYTES, DESC_AR(cs));
	sim_vmwrite(GUEST_CS_LIMIT, limit_of(cs));
	sim_vmwrite(GUEST_CS_BASE, 0);
	sim_vmwrite(GUEST_SS_SELECTOR, frame->ss);
	sim_vmwrite(GUEST_SS_AR_BYTES, DESC_AR(ss));
	sim_vmwrite(GUEST_SS_LIMIT, limit_of(ss));
	sim_vmwrite(GUEST_SS_BASE, 0);
	return true;
}

void sim_undo_rewind(const struct sim_exit *exit)
{
	struct sim_vcpu *vcpu = exit->vcpu;
	struct frame frame;
	u64 rsp;

	/* An exit during the delivery is one of the instruction, with all its registers. */
	if (!exit_is_asynchronous(exit) || vcpu->event.info || !sim_in_64bit_mode() ||
	    sim_vmread(GUEST_RFLAGS) & (X86_EFLAGS_IF | X86_EFLAGS_TF))
		return;

	rsp = sim_vmread(GUEST_RSP);
	if (!frame_returns_to_rip(vcpu, rsp, &frame) &&
	    !frame_returns_to_rip(vcpu, rsp + sizeof(u64), &frame))
		return;

	if (!restore_segments(vcpu, &frame))
		return;
	sim_vmwrite(GUEST_RSP, frame.rsp);
	sim_vmwrite(GUEST_RFLAGS, frame.rflags);
}
