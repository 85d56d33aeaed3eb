/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The exception #VE, which a TD gets for an instruction or an access that neither
 * the CPU nor the TDX module carries out, and a handler that does what an operating
 * system does: it asks the module what happened, and KVM to do it.
 */
#ifndef SELFTEST_TDX_VE_H
#define SELFTEST_TDX_VE_H

#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdx_util.h"

/* What TDG.VP.VEINFO.GET gives; the names of VMX. */
struct tdx_ve_info {
	u64 exit_reason;
	u64 exit_qualification;
	u64 gla;
	u64 gpa;
	u64 instruction_length;
};

/*
 * Code of a TD: take what there is to know of the last #VE, so that the next one
 * can come.  Gives the TDX module's status, TDX_NO_VALID_VE_INFO if there is none.
 */
u64 tdx_guest_get_ve_info(struct tdx_ve_info *ve);

/*
 * Let the TD of @vm, which is not finalized, tell each #VE by a ucall with its
 * struct tdx_ve_info, and carry it out by TDG.VP.VMCALL.  It knows CPUID, IN and OUT
 * of one value, RDMSR, WRMSR, and MOV between RAX, or a part of it, and memory.
 */
void tdx_ve_install_handler(struct kvm_vm *vm);

/*
 * Run @vcpu to its next #VE, and check what the TD tells of it.  Addresses mean
 * something for EPT violations only, of whose qualification only bits 2:0, read,
 * write and fetch, are looked at.
 */
void tdx_ve_run(struct kvm_vcpu *vcpu, const char *name, const struct tdx_ve_info *want);

/*
 * Run @vcpu to its next ucall, which must be a UCALL_SYNC of @nr values, at most
 * UCALL_MAX_ARGS, and check them.
 */
void tdx_ve_check_values(struct kvm_vcpu *vcpu, const char *name, const u64 *want, size_t nr);

#endif /* SELFTEST_TDX_VE_H */
