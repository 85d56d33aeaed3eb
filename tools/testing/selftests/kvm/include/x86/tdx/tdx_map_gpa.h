/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One TDG.VP.VMCALL<MapGPA> of a TD, from both sides: the TD that issues it and reports
 * its registers, and the VMM that checks every field of its exits and answers them.
 */
#ifndef SELFTEST_TDX_TDX_MAP_GPA_H
#define SELFTEST_TDX_TDX_MAP_GPA_H

#include "tdx/tdvmcall.h"
#include "tdx/tdx_map_gpa_gens.h"
#include "tdx/tdx_util.h"

struct tdx_map_gpa_call {
	const char *name;	/* of the case, for messages */
	u64 gpa;		/* R12 */
	u64 size;		/* R13 */
	u64 nr_exits;		/* exact number of exits */
	u64 ret;		/* answer to the last one, 0 to all others */
	u64 r10;		/* expected results */
	u64 r11;
};

/* Returns the status, R10, of a call with a chunk that was answered with this outcome. */
u64 tdx_map_gpa_outcome_status(enum tdx_map_gpa_outcome outcome);

/* Returns the number of chunks in which KVM offers @size bytes. */
static inline u64 tdx_map_gpa_nr_chunks(u64 size)
{
	return (size + TDX_MAP_GPA_MAX_LEN - 1) / TDX_MAP_GPA_MAX_LEN;
}

/*
 * Create a TD with one vCPU that issues the same MapGPA again and again.  It is not
 * finalized yet.
 */
struct kvm_vm *tdx_map_gpa_vm_create(struct kvm_vcpu **vcpu);

/* Enable the exits to userspace.  Without this MapGPA is unsupported. */
void tdx_map_gpa_enable_exits(struct kvm_vm *vm);

/* Let @vcpu issue @call.  Its TD must not be finalized yet. */
void tdx_map_gpa_set(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call);

/*
 * Set the call, finalize the TD, and run it up to the call.  That proves that the TD
 * runs: KVM_RUN returns EINVAL, with which some calls must end, also for a TD that
 * cannot run.
 */
void tdx_map_gpa_launch(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call);

/*
 * Run the exits of the call, check every field of each, and answer all.  KVM has not
 * taken the last answer yet: tdx_map_gpa_finish() or tdx_map_gpa_run_fails() must
 * follow.
 */
void tdx_map_gpa_run_exits(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call);

/*
 * Run to the @i-th exit of the call, counted from 0, and check it.  The caller answers
 * it.
 */
void tdx_map_gpa_run_exit(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call, u64 i);

/*
 * The steps of tdx_map_gpa_run_exit() around KVM_RUN: overwrite kvm_run, so that KVM
 * has written what the next exit shows; and check that it is the @i-th exit of the
 * call.  @answered means that kvm_run contains the answer to the last exit, which
 * stays.
 */
void tdx_map_gpa_poison_exit(struct kvm_vcpu *vcpu, bool answered);
void tdx_map_gpa_check_exit(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call, u64 i);

/* Run the TD to the end of the call, and check all of its registers. */
void tdx_map_gpa_finish(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call);

/* Check that KVM_RUN fails with EINVAL, and does not change the exit. */
void tdx_map_gpa_run_fails(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call);

#endif /* SELFTEST_TDX_TDX_MAP_GPA_H */
