/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a TD as steps that the TDX module may refuse, each by an ioctl of its own:
 * see tdx_refusal.h for what a test makes of them.
 */
#ifndef SELFTEST_TDX_TDX_STEPS_H
#define SELFTEST_TDX_TDX_STEPS_H

#include "kvm_util.h"

/* Value of the ucalls of the TD. */
#define TDX_STEPS_SYNC		0xfa017ul

/* Number of pages that tdx_step_measure() adds to the TD, and measures. */
#define TDX_STEPS_MEASURED	2

/* Number of SEAMCALLs that measure a page. */
#define TDX_STEPS_EXTENDS	16

struct tdx_steps {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;		/* the first one */
	struct kvm_vcpu *second;	/* NULL if the TD has one vCPU */
	u64 measured;			/* pages, by tdx_step_measure() */
	u32 nr_vcpus;			/* to be set before the first step, 0: 1 */
};

/*
 * A step returns 0 or errno, and in *@hw_error the status of the TDX module if KVM
 * reports it.
 */
typedef int tdx_step_fn(struct tdx_steps *td, u64 *hw_error);

/*
 * KVM_TDX_INIT_VM of a VM that no other step takes further: the library initializes
 * theirs.
 */
int tdx_step_init_vm(struct tdx_steps *td, u64 *hw_error);

/* KVM_TDX_INIT_VM of a VM that has no memory, and the end of that VM. */
int tdx_step_init_and_destroy(struct tdx_steps *td, u64 *hw_error);

/* In this order.  All vCPUs are created by the first step. */
int tdx_step_create(struct tdx_steps *td, u64 *hw_error);
int tdx_step_get_cpuid(struct tdx_steps *td, u64 *hw_error);
int tdx_step_init_vcpu(struct tdx_steps *td, u64 *hw_error);
int tdx_step_init_second(struct tdx_steps *td, u64 *hw_error);
int tdx_step_add_page(struct tdx_steps *td, u64 *hw_error);
int tdx_step_measure(struct tdx_steps *td, u64 *hw_error);
int tdx_step_add_memory(struct tdx_steps *td, u64 *hw_error);
int tdx_step_finalize(struct tdx_steps *td, u64 *hw_error);
int tdx_step_run(struct tdx_steps *td, u64 *hw_error);
int tdx_step_migrate(struct tdx_steps *td, u64 *hw_error);
int tdx_step_pre_fault(struct tdx_steps *td, u64 *hw_error);
int tdx_step_zap(struct tdx_steps *td, u64 *hw_error);
int tdx_step_run_on(struct tdx_steps *td, u64 *hw_error);
int tdx_step_nmi(struct tdx_steps *td, u64 *hw_error);
int tdx_step_destroy(struct tdx_steps *td, u64 *hw_error);

struct tdx_step {
	const char *name;
	tdx_step_fn *fn;
	bool asked;	/* taken only by a test that is about it */
};

extern const struct tdx_step tdx_steps[];
extern const size_t tdx_nr_steps;

#endif /* SELFTEST_TDX_TDX_STEPS_H */
