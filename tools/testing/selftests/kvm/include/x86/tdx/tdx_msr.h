/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSRs of a TD: TDG.VP.VMCALL<Instruction.RDMSR> and <Instruction.WRMSR>.  R12 is the
 * MSR and R13 the value of a write.  R11 returns what was read.  KVM emulates a list of
 * MSRs.  For any other MSR, and for a value that it does not accept, it exits to
 * userspace if that has asked for it, and otherwise refuses.
 */
#ifndef SELFTEST_TDX_MSR_H
#define SELFTEST_TDX_MSR_H

#include "apic.h"
#include "tdx/tdx_insn.h"

/*
 * For a case in which code that is common to all VMs reports an unknown MSR: if
 * kvm_is_ignore_msrs() it does not refuse.  Some consumers make the reason of a skip a
 * part of the result's name: keep it.
 */
#define TDX_MSR_IGNORED_REASON	"kvm.ignore_msrs is set"

/* All reasons that userspace can ask for, for tdx_msr_set_exits(): bits from 0 on. */
#define TDX_MSR_EXITS_ALL	(KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_FILTER | \
				 KVM_MSR_EXIT_REASON_INVAL)

/* MSRs of the x2APIC ("x2APIC Register Address Space", Intel SDM). */
enum x2apic_msr {
	X2APIC_ID = 0x802,
	X2APIC_VERSION = 0x803,
	X2APIC_TPR = 0x808,
	X2APIC_PPR = 0x80a,
	X2APIC_EOI = 0x80b,
	X2APIC_LDR = 0x80d,
	X2APIC_SIVR = 0x80f,
	X2APIC_ISR0 = 0x810,
	X2APIC_IRR0 = 0x820,
	X2APIC_ESR = 0x828,
	X2APIC_LVT_CMCI = 0x82f,
	X2APIC_ICR = 0x830,
	X2APIC_LVT_TIMER = 0x832,
	X2APIC_LVT_THERMAL = 0x833,
	X2APIC_LVT_PMI = 0x834,
	X2APIC_LVT_LINT0 = 0x835,
	X2APIC_LVT_LINT1 = 0x836,
	X2APIC_LVT_ERROR = 0x837,
	X2APIC_INIT_COUNT = 0x838,
	X2APIC_CUR_COUNT = 0x839,
	X2APIC_DIV_CONF = 0x83e,
	X2APIC_SELF_IPI = 0x83f,
};

/* Set up @insn to read MSR @index, of which the low 32 bits count, and to return @value. */
void tdx_msr_init_read(struct tdx_insn *insn, u64 index, u64 value);

/* Set up @insn to write @value to MSR @index. */
void tdx_msr_init_write(struct tdx_insn *insn, u64 index, u64 value);

/* Select the reasons, KVM_MSR_EXIT_REASON_*, for which KVM exits to userspace. */
void tdx_msr_set_exits(struct kvm_vm *vm, u64 reasons);

/* An MSR of a filter: whether it may be accessed. */
struct tdx_msr_filter_row {
	u32 flags;	/* KVM_MSR_FILTER_READ and _WRITE */
	u32 index;
	bool allow;
};

/*
 * Set the filter: @nr @rows of one MSR each.  For other MSRs @default_flags, one of
 * KVM_MSR_FILTER_DEFAULT_*, decides.
 */
void tdx_msr_set_filter(struct kvm_vm *vm, u32 default_flags, const struct tdx_msr_filter_row *rows,
			size_t nr);

/*
 * Issue @insn, and check every field of its exit, which must be for @reason, one of
 * KVM_MSR_EXIT_REASON_*.
 */
void tdx_msr_run_exit(struct kvm_vcpu *vcpu, struct tdx_insn *insn, u64 reason);

/* Answer the exit with @error, 0 for success, and @data. */
void tdx_msr_answer(struct kvm_vcpu *vcpu, u8 error, u64 data);

/*
 * Issue @insn, which KVM does not carry out, for @reason, with each set of reasons that
 * userspace can ask for.  It must exit, and is answered with an error, or be refused.
 */
void tdx_msr_run_reasons(struct kvm_vcpu *vcpu, struct tdx_insn *insn, u64 reason);

/*
 * Give @vcpu, which has not run, @nr_banks banks of machine checks and everything that
 * KVM supports of MCG_CTL, CMCI and LMCE.  Returns its MSR_IA32_MCG_CAP.
 */
u64 tdx_msr_setup_mce(struct kvm_vcpu *vcpu, u8 nr_banks);

#endif /* SELFTEST_TDX_MSR_H */
