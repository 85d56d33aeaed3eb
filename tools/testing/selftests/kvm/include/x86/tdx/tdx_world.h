/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMs that a sequence of random ioctls is issued on: two TDs as those of tdx_ops.h,
 * an ordinary VM, and, if wanted, a TD that must run to its end whatever happens to the
 * others, the witness.
 */
#ifndef SELFTEST_TDX_TDX_WORLD_H
#define SELFTEST_TDX_TDX_WORLD_H

#include <limits.h>
#include <stdbool.h>

#include "kvm_util.h"
#include "tdx/tdx_ioctl.h"
#include "tdx/tdx_ops.h"
#include "tdx/tdx_stage.h"

enum tdx_world_vm_id {
	TDX_WORLD_TD,
	TDX_WORLD_OTHER_TD,
	TDX_WORLD_PLAIN_VM,
	TDX_WORLD_WITNESS,
	NR_TDX_WORLD_VMS,
};

#define TDX_WORLD_VCPUS		2

/* Nothing was done: there is no such file, or a known bug of KVM would do harm. */
#define TDX_WORLD_NOTHING	INT_MAX

struct tdx_world_vm {
	struct tdx_op_td td;		/* its files except those of vCPUs */
	int vcpus[TDX_WORLD_VCPUS];
	struct kvm_run *runs[TDX_WORLD_VCPUS];
	bool vcpu_initialized;
	bool shared;			/* the page, since TDX_OP_SET_ATTRIBUTES */
};

struct tdx_world {
	struct tdx_world_vm vms[TDX_WORLD_WITNESS];
	struct tdx_td witness;		/* without a VM if none is wanted */
	int kvm_fd;
};

/* What tdx_world_target() points to. */
struct tdx_world_shell {
	struct kvm_vm vm;
	struct kvm_vcpu vcpu;
};

/* Returns the name of a VM for messages. */
const char *tdx_world_vm_name(enum tdx_world_vm_id id);

/* Prepare what all worlds share.  Once in a process is enough: its children inherit it. */
void tdx_world_learn(void);

/* Create the VMs, with the witness if @has_witness.  tdx_world_learn() must come first. */
void tdx_world_create(struct tdx_world *world, bool has_witness);

/* Close all files, vCPUs before and after their VM, as the bits of @order say. */
void tdx_world_destroy(struct tdx_world *world, u64 order);

/*
 * Set *@target to the VM and its @vcpu-th vCPU, in structures of the library that *@shell
 * holds.  Returns false if the file of kind @file is closed.
 */
bool tdx_world_target(const struct tdx_world *world, enum tdx_world_vm_id id, unsigned int vcpu,
		      enum tdx_ioctl_file file, struct tdx_world_shell *shell,
		      struct tdx_target *target);

/*
 * Do @op to a VM, or to its @vcpu-th vCPU, and return 0, a negative errno, or
 * TDX_WORLD_NOTHING.  KVM_RUN ends after some milliseconds.  The witness goes on to its
 * next stage whatever @op is.
 */
int tdx_world_do(struct tdx_world *world, enum tdx_world_vm_id id, unsigned int vcpu,
		 enum tdx_op_id op);

#endif /* SELFTEST_TDX_TDX_WORLD_H */
