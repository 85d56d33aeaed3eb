// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: the CPUID instruction of a TD.
 */
#include <asm/cpufeature.h>
#include <asm/cpuid/api.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "state/cpuid.h"
#include "state/vcpu.h"
#include "vcpu/td_cpuid.h"
#include "vcpu/td_event.h"
#include "vcpu/vmx_insn.h"

static void sim_cpuid_dynamic(struct sim_vcpu *vcpu, u32 leaf, u32 subleaf,
			      struct sim_cpuid_entry *value)
{
	u64 cr4 = sim_vmread(GUEST_CR4);
	u32 eax, ecx, edx;

	switch (leaf) {
	case 1:
		value->regs[SIM_EBX] |= vcpu->x2apic_id << 24;
		if (cr4 & X86_CR4_OSXSAVE)
			value->regs[SIM_ECX] |= BIT(X86_FEATURE_OSXSAVE & 31);
		break;
	case 7:
		if (!subleaf && (cr4 & X86_CR4_PKE))
			value->regs[SIM_ECX] |= BIT(X86_FEATURE_OSPKE & 31);
		break;
	case 0xd:
		/*
		 * Size of the area for what XCR0 and IA32_XSS enable.  Both are the TD's
		 * now.  cpuid_count() hands EAX and ECX over through its output pointers.
		 */
		if (subleaf <= 1)
			cpuid_count(0xd, subleaf, &eax, &value->regs[SIM_EBX], &ecx, &edx);
		break;
	case 0x80000001:
		/* SYSCALL exists in 64-bit code only. */
		if (sim_in_64bit_mode())
			value->regs[SIM_EDX] |= BIT(X86_FEATURE_SYSCALL & 31);
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
	vcpu->gpr[SIM_RAX] = value.regs[SIM_EAX];
	vcpu->gpr[SIM_RBX] = value.regs[SIM_EBX];
	vcpu->gpr[SIM_RCX] = value.regs[SIM_ECX];
	vcpu->gpr[SIM_RDX] = value.regs[SIM_EDX];
	sim_skip_insn(sim_vmread(VM_EXIT_INSTRUCTION_LEN));
	return SIM_RESUME;
}
