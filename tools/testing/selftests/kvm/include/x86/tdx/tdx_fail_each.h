/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A command of a TD's life of which each allocation and each copy from or to userspace
 * fails, one after the other.
 */
#ifndef SELFTEST_TDX_TDX_FAIL_EACH_H
#define SELFTEST_TDX_TDX_FAIL_EACH_H

#include <stdbool.h>
#include <stddef.h>

#include "tdx/tdx_steps.h"

/* A TD, and what its commands take. */
struct tdx_fail_target {
	struct tdx_steps td;
	struct kvm_tdx_init_vm *params;
	struct kvm_tdx_capabilities *caps;
	struct kvm_cpuid2 *cpuid;
	void *memory;		/* mapped, or NULL */
	size_t memory_size;
	int memfd;		/* -1 if there is none */
	int kvm;		/* /dev/kvm, 0 if it is not open */
};

/*
 * A command.  Of a TD with @step it is that step, and the steps before and after it are
 * taken as well.  Any other has functions of its own; those that are NULL do nothing.
 * A command returns 0 or errno.
 */
struct tdx_fail_command {
	tdx_step_fn *step;
	void (*build)(struct tdx_fail_target *target);
	int (*run)(struct tdx_fail_target *target);
	void (*finish)(struct tdx_fail_target *target);

	/*
	 * errno of the command once it has been carried out, 0 if it can be repeated.  With
	 * @late KVM copies its result to userspace after it has carried the command out: if
	 * the copy fails userspace finds out by this.
	 */
	int again;
	bool late;
	bool in_parts;	/* a command that failed may have done a part, and says so */

	/*
	 * A command may succeed although an allocation failed.  If the TD cannot run then,
	 * which is finding number @finding, a second row has @stops: the TD is destroyed
	 * without a run.
	 */
	unsigned int finding;
	bool stops;
};

/*
 * Drive each fault of the command.  After a command that failed the TD is either destroyed
 * at once, if @destroys, or the command is repeated for it with the next fault, and without
 * a fault in the end.  The caller must have called tdx_fail_nth_prepare().
 */
void tdx_fail_each(const struct tdx_fail_command *command, bool destroys);

#endif /* SELFTEST_TDX_TDX_FAIL_EACH_H */
