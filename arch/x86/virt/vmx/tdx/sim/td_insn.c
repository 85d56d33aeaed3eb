// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: CPUID of a TD, and its memory as the instructions that
 * the module answers and TDCALL see it.
 */
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include <asm/cpuid/api.h>
#include <asm/pgtable_types.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "td_run.h"
#include "vmx_insn.h"

/* Guest physical address in a page table entry, bits that the TD does not have included. */
#define SIM_PTE_GPA		GENMASK_ULL(51, 12)

/*
 * CPUID
 */

static void sim_cpuid_dynamic(struct sim_vcpu *vcpu, u32 leaf, u32 subleaf,
			      struct sim_cpuid_entry *value)
{
	u64 cr4 = sim_vmread(GUEST_CR4);
	u32 unused;

	switch (leaf) {
	case 1:
		value->ebx = (value->ebx & GENMASK(23, 0)) | vcpu->x2apic_id << 24;
		if (cr4 & X86_CR4_OSXSAVE)
			value->ecx |= BIT(X86_FEATURE_OSXSAVE & 31);
		break;
	case 7:
		if (!subleaf && (cr4 & X86_CR4_PKE))
			value->ecx |= BIT(X86_FEATURE_OSPKE & 31);
		break;
	case 0xd:
		/* Size of the area for what XCR0 enables, which is the guest's now. */
		if (subleaf <= 1)
			cpuid_count(0xd, subleaf, &unused, &value->ebx, &unused, &unused);
		break;
	case 0x80000001:
		/* SYSCALL does not exist in 32-bit code. */
		if (!sim_in_64bit_mode())
			value->edx &= ~BIT(X86_FEATURE_SYSCALL & 31);
		break;
	}
}

enum sim_action sim_exit_cpuid(struct sim_exit *exit)
{
	struct sim_vcpu *vcpu = exit->vcpu;
	u32 leaf = vcpu->gpr[SIM_RAX];
	u32 subleaf = vcpu->gpr[SIM_RCX];
	const struct sim_cpuid_entry *entry;
	struct sim_cpuid_entry value;
	bool user = VMX_AR_DPL(sim_vmread(GUEST_SS_AR_BYTES));

	entry = sim_cpuid_find(vcpu->td->tdcs, leaf, subleaf);
	if (!entry || vcpu->cpuid_ve & (user ? BIT(1) : BIT(0)))
		return sim_inject_ve(exit, 0, 0, 0);

	value = *entry;
	sim_cpuid_dynamic(vcpu, leaf, subleaf, &value);
	vcpu->gpr[SIM_RAX] = value.eax;
	vcpu->gpr[SIM_RBX] = value.ebx;
	vcpu->gpr[SIM_RCX] = value.ecx;
	vcpu->gpr[SIM_RDX] = value.edx;
	sim_skip_insn(sim_vmread(VM_EXIT_INSTRUCTION_LEN));
	return SIM_RESUME;
}

/*
 * Memory
 */

static u64 *sim_walk(struct sim_vcpu *vcpu, u64 linear, u64 *rights, u64 *offset_mask,
		     struct sim_code_page *code)
{
	int level = sim_vmread(GUEST_CR4) & X86_CR4_LA57 ? 4 : 3;
	u64 table = sim_vmread(GUEST_CR3) & SIM_PTE_GPA;

	code->levels = 0;
	for (*rights = _PAGE_RW | _PAGE_USER; ; level--) {
		unsigned int shift = PAGE_SHIFT + 9 * level;
		u64 index = (linear >> shift) & (PTRS_PER_PTE - 1);
		u64 hpa, *pte, value;

		if (!sim_sept_translate(vcpu->td->tdcs, table + index * sizeof(*pte), &hpa))
			return NULL;

		pte = __va(hpa);
		value = READ_ONCE(*pte);
		code->walk[code->levels].pte = pte;
		code->walk[code->levels++].value = value;
		*rights &= value;
		if (!level || (value & _PAGE_PSE) || !(value & _PAGE_PRESENT)) {
			*offset_mask = BIT_ULL(shift) - 1;
			return pte;
		}
		table = value & SIM_PTE_GPA;
	}
}

u64 *sim_guest_walk(struct sim_vcpu *vcpu, u64 linear, u64 *rights)
{
	struct sim_code_page unused;
	u64 offset_mask;

	return sim_walk(vcpu, linear, rights, &offset_mask, &unused);
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
 * the same, and memory that the host takes away from the TD is followed by a new
 * epoch before it is gone: the same rule as for what the CPU's TLB may hold.
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
