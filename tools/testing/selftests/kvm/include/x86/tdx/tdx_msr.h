/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSRs of a TD: TDG.VP.VMCALL<Instruction.RDMSR> and <Instruction.WRMSR>.  R12 is the
 * MSR and R13 the value of a write.  R11 returns what was read.  KVM emulates a list of
 * MSRs.  For any other MSR, and for a value that it does not accept, it exits to
 * userspace if that has asked for it, and otherwise refuses.
 */
#ifndef SELFTEST_TDX_TDX_MSR_H
#define SELFTEST_TDX_TDX_MSR_H

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

/* The MSR of a register of the x2APIC, by the offset of the register in an xAPIC. */
#define X2APIC_MSR(reg)	(APIC_BASE_MSR + ((reg) >> 4))

/* Offsets of asm/apicdef.h that apic.h does not have. */
#define APIC_LDR	0xD0
#define APIC_ESR	0x280
#define APIC_LVTTHMR	0x330
#define APIC_LVTPC	0x340
#define APIC_LVT0	0x350
#define APIC_LVT1	0x360
#define APIC_LVTERR	0x370

/* MSRs that a TD has for itself and can do without, and a legal value for each. */
#define TDX_OWN_MSRS(X)							\
	X(MSR_STAR,		0x0012002300000000ULL)			\
	X(MSR_LSTAR,		0x00007abc12345600ULL)			\
	X(MSR_SYSCALL_MASK,	0x0000000000047700ULL)			\
	X(MSR_TSC_AUX,		0x000000005eed0000ULL)			\
	X(MSR_FS_BASE,		0x00001111deadb000ULL)			\
	X(MSR_KERNEL_GS_BASE,	0x00002222deadb000ULL)			\
	X(MSR_IA32_SYSENTER_EIP, 0x0000333312345700ULL)

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

#endif /* SELFTEST_TDX_TDX_MSR_H */
