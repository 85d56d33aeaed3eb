/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a TD with one vCPU, stage by stage, for tests that do the same at each:
 *
 *	struct tdx_td td = {};
 *
 *	tdx_td_build(&td, TDX_STAGE_FINALIZED);
 *	...
 *	tdx_td_finish(&td);
 *	kvm_vm_free(td.vm);
 *
 * The TD makes hypercalls with a known value in each register, see tdvmcall.h.  So does
 * one with code of its own, if it goes beyond TDX_STAGE_FINALIZED.
 */
#ifndef SELFTEST_TDX_TDX_STAGE_H
#define SELFTEST_TDX_TDX_STAGE_H

#include "kvm_util.h"

enum tdx_stage {
	TDX_STAGE_CREATED,		/* KVM_CREATE_VM, with memory slots, no irqchip */
	TDX_STAGE_INITIALIZED,		/* KVM_TDX_INIT_VM */
	TDX_STAGE_VCPU_CREATED,		/* KVM_CREATE_VCPU */
	TDX_STAGE_VCPU_INITIALIZED,	/* KVM_TDX_INIT_VCPU */
	TDX_STAGE_MEMORY_ADDED,		/* KVM_TDX_INIT_MEM_REGION */
	TDX_STAGE_FINALIZED,		/* KVM_TDX_FINALIZE_VM */
	TDX_STAGE_ENTERED,		/* has run, and got the answer to a hypercall */
	TDX_STAGE_IN_HYPERCALL,		/* waits for the answer to a hypercall */
	/* The ends of a TD that do not follow one another. */
	TDX_STAGE_SHUTDOWN,		/* has shut down by a triple fault */
	TDX_STAGE_DEAD,			/* KVM has given the VM up */
	NR_TDX_STAGES,
};

struct tdx_td {
	struct kvm_vcpu *vcpu;		/* NULL before TDX_STAGE_VCPU_CREATED */
	struct kvm_vm *vm;
	enum tdx_stage stage;
	/*
	 * Entry point of the vCPU, NULL for the code that makes the hypercalls.  A TD with
	 * code that does not make them can be built up to TDX_STAGE_FINALIZED only.
	 */
	void *code;
};

/* Returns the name of a stage for messages. */
const char *tdx_stage_name(enum tdx_stage stage);

/*
 * Build *@td, which is all zeros or was left by an earlier call, up to @stage.  A TD
 * that has come to TDX_STAGE_INITIALIZED can go on up to TDX_STAGE_IN_HYPERCALL only,
 * because a TD that is going to shut down or die has other code from the start.
 */
void tdx_td_build(struct tdx_td *td, enum tdx_stage stage);

/*
 * Check that nothing has disturbed *@td: build it up to TDX_STAGE_IN_HYPERCALL, answer
 * the hypercall, and compare all registers of the TD.  That leaves it at
 * TDX_STAGE_ENTERED, so that it can be checked again.  A TD that has ended stays as it is.
 */
void tdx_td_finish(struct tdx_td *td);

#endif /* SELFTEST_TDX_TDX_STAGE_H */
