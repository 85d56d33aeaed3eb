/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One TDG.VP.VMCALL<MapGPA> of a TD, from both sides: the TD that issues it and
 * tells what came back in its registers, and the VMM that answers its exits and
 * checks every field of them.
 */
#ifndef SELFTEST_TDX_MAP_GPA_H
#define SELFTEST_TDX_MAP_GPA_H

#include "tdx/tdvmcall.h"
#include "tdx/tdx_map_gpa_gens.h"
#include "tdx/tdx_util.h"

struct tdx_map_gpa_call {
	const char *name;	/* of the case, for messages */
	u64 gpa;		/* R12 */
	u64 size;		/* R13 */
	u64 nr_exits;		/* exits that must be seen: no less, no more */
	u64 ret;		/* answer to the last one of them, 0 to all others */
	u64 r10;		/* what the TD must get */
	u64 r11;
};

/* Status, R10, of a call whose chunk was answered with this outcome. */
u64 tdx_map_gpa_outcome_status(enum tdx_map_gpa_outcome outcome);

/* Number of chunks in which KVM offers @size bytes. */
static inline u64 tdx_map_gpa_nr_chunks(u64 size)
{
	return (size + TDX_MAP_GPA_MAX_LEN - 1) / TDX_MAP_GPA_MAX_LEN;
}

/*
 * Create a TD of one vCPU that issues the same MapGPA for ever.  It is not
 * finalized yet.
 */
struct kvm_vm *tdx_map_gpa_vm_create(struct kvm_vcpu **vcpu);

/* Let KVM give userspace the exits: without this a call is unsupported. */
void tdx_map_gpa_enable_exits(struct kvm_vm *vm);

/* Let @vcpu, whose TD is not finalized, issue @call. */
void tdx_map_gpa_set(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call);

/*
 * Set the call, finalize the TD, and run it up to the call.  That it gets there is a proof
 * that it runs: KVM_RUN gives EINVAL, with which some calls must end, also for
 * a TD that cannot run.
 */
void tdx_map_gpa_launch(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call);

/*
 * Run the call's exits, check every field of each, and answer all.  The answer
 * to the last one is on its way to KVM when this returns: tdx_map_gpa_finish() or
 * tdx_map_gpa_run_fails() has to follow.
 */
void tdx_map_gpa_run_exits(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call);

/* Run to the @i-th exit of the call, and check it.  The caller answers it. */
void tdx_map_gpa_run_exit(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call, u64 i);

/*
 * The parts of tdx_map_gpa_run_exit() around KVM_RUN: make sure that what the next
 * exit shows is KVM's, and check that it is the @i-th one of the call.
 * @answered: @vcpu's kvm_run holds the answer to the exit before.
 */
void tdx_map_gpa_poison_exit(struct kvm_vcpu *vcpu, bool answered);
void tdx_map_gpa_check_exit(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call, u64 i);

/* Run the TD to the end of the call, and check all of its registers. */
void tdx_map_gpa_finish(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call);

/* Check that KVM_RUN fails with EINVAL, and leaves the exit as it was. */
void tdx_map_gpa_run_fails(struct kvm_vcpu *vcpu, const struct tdx_map_gpa_call *call);

#endif /* SELFTEST_TDX_MAP_GPA_H */
