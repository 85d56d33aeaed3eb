/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: tracepoints.  Numbers are shown by their names of the
 * ABI; the exit reasons' are the kernel's.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM tdx_sim

#if !defined(_X86_VIRT_TDX_SIM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _X86_VIRT_TDX_SIM_TRACE_H

#include <linux/bitfield.h>
#include <linux/tracepoint.h>

#include <asm/vmx.h>

#include "debug/names.h"
#include "state/vcpu.h"
#include "vcpu/td_exit.h"

TRACE_EVENT(seamcall_entry,
	TP_PROTO(const struct pt_regs *regs),
	TP_ARGS(regs),

	TP_STRUCT__entry(
		__field(u64, leaf)
		__field(u8, version)
		__field(u64, rcx)
		__field(u64, rdx)
		__field(u64, r8)
		__field(u64, r9)
	),

	TP_fast_assign(
		__entry->leaf	 = regs->ax & TDX_LEAF_MASK;
		__entry->version = FIELD_GET(TDX_LEAF_VERSION_MASK, regs->ax);
		__entry->rcx	 = regs->cx;
		__entry->rdx	 = regs->dx;
		__entry->r8	 = regs->r8;
		__entry->r9	 = regs->r9;
	),

	TP_printk("%s v%u rcx 0x%llx rdx 0x%llx r8 0x%llx r9 0x%llx",
		  sim_trace_name(p, &sim_seamcall_names, __entry->leaf), __entry->version,
		  __entry->rcx, __entry->rdx, __entry->r8, __entry->r9)
);

TRACE_EVENT(seamcall_exit,
	TP_PROTO(u64 leaf, const struct pt_regs *regs),
	TP_ARGS(leaf, regs),

	TP_STRUCT__entry(
		__field(u64, leaf)
		__field(u64, status)
		__field(u64, rcx)
		__field(u64, rdx)
		__field(u64, r8)
		__field(u64, r9)
	),

	TP_fast_assign(
		__entry->leaf	= leaf;
		__entry->status	= regs->ax;
		__entry->rcx	= regs->cx;
		__entry->rdx	= regs->dx;
		__entry->r8	= regs->r8;
		__entry->r9	= regs->r9;
	),

	TP_printk("%s %s rcx 0x%llx rdx 0x%llx r8 0x%llx r9 0x%llx",
		  sim_trace_name(p, &sim_seamcall_names, __entry->leaf),
		  sim_trace_status(p, __entry->status, __entry->leaf == TDH_VP_ENTER),
		  __entry->rcx, __entry->rdx, __entry->r8, __entry->r9)
);

/* A call that another caller of the module is in the way of. */
TRACE_EVENT(seamcall_busy,
	TP_PROTO(u64 leaf, u64 status),
	TP_ARGS(leaf, status),

	TP_STRUCT__entry(
		__field(u64, leaf)
		__field(u64, status)
	),

	TP_fast_assign(
		__entry->leaf	= leaf;
		__entry->status	= status;
	),

	TP_printk("%s %s", sim_trace_name(p, &sim_seamcall_names, __entry->leaf),
		  sim_trace_status(p, __entry->status, false))
);

/* Every VM exit of a TD, including those that the host does not see. */
TRACE_EVENT(td_exit,
	TP_PROTO(const struct sim_exit *exit, u64 rip, u64 gpa),
	TP_ARGS(exit, rip, gpa),

	TP_STRUCT__entry(
		__field(u64, tdr)
		__field(u32, vcpu)
		__field(u32, reason)
		__field(u64, qualification)
		__field(u32, intr_info)
		__field(u64, rip)
		__field(u64, gpa)
	),

	TP_fast_assign(
		__entry->tdr		= exit->vcpu->td->pa;
		__entry->vcpu		= exit->vcpu->index;
		__entry->reason		= exit->reason;
		__entry->qualification	= exit->qualification;
		__entry->intr_info	= exit->intr_info;
		__entry->rip		= rip;
		__entry->gpa		= gpa;
	),

	TP_printk("tdr 0x%llx vcpu %u %s rip 0x%llx gpa 0x%llx qual 0x%llx intr 0x%x",
		  __entry->tdr, __entry->vcpu,
		  __print_symbolic(__entry->reason, VMX_EXIT_REASONS), __entry->rip,
		  __entry->gpa, __entry->qualification, __entry->intr_info)
);

/* @r10 and @r11 of TDG.VP.VMCALL are the GHCI's function; other leafs ignore them. */
TRACE_EVENT(tdcall,
	TP_PROTO(const struct sim_vcpu *vcpu, u64 leaf, u64 status),
	TP_ARGS(vcpu, leaf, status),

	TP_STRUCT__entry(
		__field(u64, tdr)
		__field(u32, vcpu)
		__field(u64, leaf)
		__field(u64, status)
		__field(u64, rcx)
		__field(u64, r10)
		__field(u64, r11)
	),

	TP_fast_assign(
		__entry->tdr	= vcpu->td->pa;
		__entry->vcpu	= vcpu->index;
		__entry->leaf	= leaf;
		__entry->status	= status;
		__entry->rcx	= vcpu->gpr[SIM_RCX];
		__entry->r10	= vcpu->gpr[SIM_R10];
		__entry->r11	= vcpu->gpr[SIM_R11];
	),

	TP_printk("tdr 0x%llx vcpu %u %s %s rcx 0x%llx r10 0x%llx r11 0x%llx",
		  __entry->tdr, __entry->vcpu,
		  sim_trace_name(p, &sim_tdcall_names, __entry->leaf),
		  sim_trace_status(p, __entry->status, false),
		  __entry->rcx, __entry->r10, __entry->r11)
);

#endif /* _X86_VIRT_TDX_SIM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH debug
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace

#include <trace/define_trace.h>
