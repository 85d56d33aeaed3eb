// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: the memory of a TD by its linear addresses.
 */
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include <asm/msr-index.h>
#include <asm/pgtable_types.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "state/alias.h"
#include "state/sept.h"
#include "state/vcpu.h"
#include "vcpu/td_guest_mem.h"
#include "vcpu/vmx_insn.h"

/* Guest physical address in a page table entry, including bits that a TD does not have. */
#define SIM_PTE_GPA		GENMASK_ULL(51, 12)

static u64 *sim_walk(struct sim_vcpu *vcpu, u64 linear, u64 *rights, u64 *offset_mask,
		     struct sim_code_page *code)
{
	int level = sim_vmread(GUEST_CR4) & X86_CR4_LA57 ? 4 : 3;
	u64 table = sim_vmread(GUEST_CR3) & SIM_PTE_GPA;

	code->levels = 0;
	for (*rights = _PAGE_RW | _PAGE_USER; ; level--) {
		/* Tables of the guest have the form of EPT tables. */
		u64 index = sim_sept_index(linear, level);
		u64 hpa, *pte, value;

		if (!sim_sept_translate(vcpu->td->tdcs, table + index * sizeof(*pte), &hpa))
			return NULL;

		pte = __va(hpa);
		value = READ_ONCE(*pte);
		code->walk[code->levels].pte = pte;
		code->walk[code->levels++].value = value;
		*rights &= value;
		if (!level || (value & _PAGE_PSE) || !(value & _PAGE_PRESENT)) {
			*offset_mask = sim_sept_offset_mask(level);
			return pte;
		}
		table = value & SIM_PTE_GPA;
	}
}

u64 *sim_guest_walk(struct sim_vcpu *vcpu, u64 linear, u64 *rights, u64 *offset_mask)
{
	struct sim_code_page unused;

	return sim_walk(vcpu, linear, rights, offset_mask, &unused);
}

bool sim_guest_read_u64(struct sim_vcpu *vcpu, u64 linear, u64 *value)
{
	struct sim_code_page unused;
	u64 offset_mask, rights, hpa, *pte;

	if (linear % sizeof(*value))
		return false;
	pte = sim_walk(vcpu, linear, &rights, &offset_mask, &unused);
	if (!pte || !(*pte & _PAGE_PRESENT))
		return false;
	if (!sim_sept_translate(vcpu->td->tdcs,
				(*pte & SIM_PTE_GPA & ~offset_mask) | (linear & offset_mask),
				&hpa))
		return false;

	*value = READ_ONCE(*(const u64 *)__va(hpa));
	return true;
}

u64 sim_guest_translate(struct sim_vcpu *vcpu, u64 linear, u64 *gpa)
{
	struct sim_code_page unused;
	u64 offset_mask, rights, value;
	u64 *pte;

	pte = sim_walk(vcpu, linear, &rights, &offset_mask, &unused);
	value = pte ? READ_ONCE(*pte) : 0;
	if (!(value & _PAGE_PRESENT))
		return 0;

	*gpa = sim_alias_to_shared((value & SIM_PTE_GPA & ~offset_mask) | (linear & offset_mask));
	return value;
}

/*
 * Host address of @linear, from which the CPU has just executed, so that its
 * access rights are good.
 */
static const void *sim_code_walk(struct sim_vcpu *vcpu, u64 linear)
{
	struct sim_code_page *code = &vcpu->code;
	bool paging = sim_vmread(GUEST_CR0) & X86_CR0_PG;
	u64 gpa = linear, hpa, rights, offset_mask;

	code->page = NULL;
	if (paging) {
		u64 *pte;

		if (!(sim_vmread(GUEST_IA32_EFER) & EFER_LMA))
			return NULL;

		pte = sim_walk(vcpu, linear, &rights, &offset_mask, code);
		if (!pte || !(*pte & _PAGE_PRESENT))
			return NULL;
		gpa = (*pte & SIM_PTE_GPA & ~offset_mask) | (linear & offset_mask);
	}

	if (!sim_sept_translate(vcpu->td->tdcs, gpa, &hpa))
		return NULL;

	if (paging) {
		code->page = __va(hpa & PAGE_MASK);
		code->epoch = vcpu->epoch;
		code->cr3 = sim_vmread(GUEST_CR3);
		code->linear = linear & PAGE_MASK;
	}
	return __va(hpa);
}

/*
 * A walk costs more than all else that a TDCALL does, and most TDCALLs of a TD
 * come from one place.  A known walk is good as long as the guest's entries are
 * the same.  Memory that the host takes away from the TD is gone only after a new
 * epoch.  That is the same rule as for what the CPU's TLB may hold.
 */
static const void *sim_code_lookup(struct sim_vcpu *vcpu, u64 linear)
{
	const struct sim_code_page *code = &vcpu->code;
	int i;

	if (!code->page || code->linear != (linear & PAGE_MASK) ||
	    code->epoch != vcpu->epoch || code->cr3 != sim_vmread(GUEST_CR3))
		return NULL;

	for (i = 0; i < code->levels; i++) {
		if (READ_ONCE(*code->walk[i].pte) != code->walk[i].value)
			return NULL;
	}
	return code->page + offset_in_page(linear);
}

static const void *sim_code_translate(struct sim_vcpu *vcpu, u64 linear)
{
	return sim_code_lookup(vcpu, linear) ?: sim_code_walk(vcpu, linear);
}

bool sim_guest_fetch(struct sim_vcpu *vcpu, u32 *insn)
{
	u64 linear = sim_vmread(GUEST_RIP);
	u32 first = min_t(u32, sizeof(*insn), PAGE_SIZE - offset_in_page(linear));
	const void *code;

	code = sim_code_translate(vcpu, linear);
	if (!code)
		return false;

	if (first == sizeof(*insn)) {
		*insn = get_unaligned((const u32 *)code);
		return true;
	}

	memcpy(insn, code, first);
	code = sim_code_translate(vcpu, linear + first);
	if (!code)
		return false;

	memcpy((void *)insn + first, code, sizeof(*insn) - first);
	return true;
}
