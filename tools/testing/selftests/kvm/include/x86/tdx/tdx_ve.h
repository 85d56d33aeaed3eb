/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The exception #VE, which a TD gets for an instruction or an access that neither the
 * CPU nor the TDX module handles.  The handler does what that of an operating system
 * does: it asks the module what happened, and KVM to carry it out.
 */
#ifndef SELFTEST_TDX_TDX_VE_H
#define SELFTEST_TDX_TDX_VE_H

#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdx_util.h"

/* Results of TDG.VP.VEINFO.GET, with the names of VMX. */
struct tdx_ve_info {
	u64 exit_reason;
	u64 exit_qualification;
	u64 gla;
	u64 gpa;
	u64 instruction_length;
};

/*
 * Code of a TD: get the information on the last #VE, which must be there.  It blocks a
 * further #VE until it is read.
 */
void tdx_guest_get_ve_info(struct tdx_ve_info *ve);

/*
 * Let the TD of @vm, which is not finalized, report each #VE by a ucall with its struct
 * tdx_ve_info, and carry it out by TDG.VP.VMCALL.  The handler knows CPUID, IN and OUT
 * of one value, RDMSR, WRMSR, and MOV between RAX, or a part of it, and memory.
 */
void tdx_ve_install_handler(struct kvm_vm *vm);

/*
 * Run @vcpu to its next #VE, and compare what the TD reports with @want.  Addresses are
 * compared for EPT violations only; of their qualification only bits 2:0, read, write
 * and fetch, are.
 */
void tdx_ve_run(struct kvm_vcpu *vcpu, const char *name, const struct tdx_ve_info *want);

/*
 * Run @vcpu to its next ucall, which must be a UCALL_SYNC of @nr values, at most
 * UCALL_MAX_ARGS, and compare them with @want.
 */
void tdx_ve_check_values(struct kvm_vcpu *vcpu, const char *name, const u64 *want, size_t nr);

#endif /* SELFTEST_TDX_TDX_VE_H */
