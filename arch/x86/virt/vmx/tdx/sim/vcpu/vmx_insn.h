/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: VMX instructions.
 *
 * KVM has its own wrappers in a private header, bound to its module.  Those of
 * the simulation report failure by value and never fault: the VMCS is its own
 * and VMX is on whenever a SEAMCALL gets here.
 */
#ifndef _X86_VIRT_TDX_SIM_VMX_INSN_H
#define _X86_VIRT_TDX_SIM_VMX_INSN_H

#include <linux/types.h>

#include <asm/asm.h>
#include <asm/vmx.h>

static __always_inline u64 sim_vmread(unsigned long field)
{
	u64 value;

	asm volatile("vmread %[field], %[value]"
		     : [value] "=r" (value) : [field] "r" (field) : "cc");
	return value;
}

/* True if the field exists on this CPU. */
static __always_inline bool sim_vmwrite(unsigned long field, u64 value)
{
	bool ok;

	asm volatile("vmwrite %[value], %[field]"
		     : "=@cca" (ok)
		     : [field] "r" (field), [value] "r" (value));
	return ok;
}

/* True if the CPU takes the page at the physical address @pa for a VMCS. */
static __always_inline bool sim_vmptrld(u64 pa)
{
	bool ok;

	asm volatile("vmptrld %[pa]" : "=@cca" (ok) : [pa] "m" (pa) : "memory");
	return ok;
}

/* Physical address of the current VMCS, all ones if there is none. */
static __always_inline u64 sim_vmptrst(void)
{
	u64 pa;

	asm volatile("vmptrst %[pa]" : [pa] "=m" (pa) : : "cc", "memory");
	return pa;
}

/* The same; the CPU then has written all of the VMCS to memory. */
static __always_inline bool sim_vmclear(u64 pa)
{
	bool ok;

	asm volatile("vmclear %[pa]" : "=@cca" (ok) : [pa] "m" (pa) : "memory");
	return ok;
}

/* Drop what this CPU cached of the tables below @eptp. */
static __always_inline void sim_invept(u64 eptp)
{
	struct {
		u64 eptp;
		u64 reserved;
	} operand = { .eptp = eptp };
	u64 single_context = VMX_EPT_EXTENT_CONTEXT;

	asm volatile("invept %[operand], %[type]"
		     : : [operand] "m" (operand), [type] "r" (single_context)
		     : "cc", "memory");
}

#endif /* _X86_VIRT_TDX_SIM_VMX_INSN_H */
