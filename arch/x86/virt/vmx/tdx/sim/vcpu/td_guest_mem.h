/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: the memory of a TD by its linear addresses.
 *
 * The VMCS of the vCPU is current, and its page tables are in private memory.
 */
#ifndef _X86_VIRT_TDX_SIM_TD_GUEST_MEM_H
#define _X86_VIRT_TDX_SIM_TD_GUEST_MEM_H

#include <linux/types.h>

struct sim_vcpu;

/*
 * *@insn is the first four bytes of the instruction at the guest's RIP.  False if any
 * of them is not in mapped private memory.
 */
bool sim_guest_fetch(struct sim_vcpu *vcpu, u32 *insn);

/*
 * Read the eight bytes at @linear, which is a multiple of eight, in a guest with 64-bit
 * page tables.  False if they are not in mapped private memory.
 */
bool sim_guest_read_u64(struct sim_vcpu *vcpu, u64 linear, u64 *value);

/*
 * Walk the page tables of a 64-bit guest: the leaf entry for @linear, or the entry on
 * the way that is not present.  NULL if a table is not in mapped private memory.
 * *@rights is the AND of _PAGE_RW and _PAGE_USER of all levels, *@offset_mask has the
 * bits of @linear that the entry does not translate.
 */
u64 *sim_guest_walk(struct sim_vcpu *vcpu, u64 linear, u64 *rights, u64 *offset_mask);

/*
 * The leaf entry that @linear has in the page tables of a 64-bit guest, or 0 if it has
 * none.  *@gpa is where it leads, with the shared bit if it is shared.
 */
u64 sim_guest_translate(struct sim_vcpu *vcpu, u64 linear, u64 *gpa);

#endif /* _X86_VIRT_TDX_SIM_TD_GUEST_MEM_H */
