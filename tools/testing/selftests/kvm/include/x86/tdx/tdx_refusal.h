/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A SEAMCALL that the TDX module refuses in a step of a TD's life, what the step returns
 * then, and what must be left of the TD: nothing, unless KVM cannot take it back.
 */
#ifndef SELFTEST_TDX_TDX_REFUSAL_H
#define SELFTEST_TDX_TDX_REFUSAL_H

#include <stdbool.h>

#include "tdx/tdx_cgroup.h"
#include "tdx/tdx_steps.h"

/* For @calls: KVM may go on after the refusal or not. */
#define TDX_REFUSAL_ANY		(~0u)

/* For @warnings: KVM gives the VM up without one. */
#define TDX_REFUSAL_SILENT	(~0u)

struct tdx_refusal {
	tdx_step_fn *step;
	const char *leaf;
	u64 status;
	u32 times;		/* calls of the leaf that are refused, 0: 1 */
	u32 nth;		/* number of the first refused call, 0: 1 */
	u32 calls;		/* by KVM, 0: at least one more than are refused */
	const char *regs;	/* of the answer, such as "RCX=1", NULL: the caller's */
	u32 nr_vcpus;		/* of the TD, 0: 1 */

	int want_errno;
	u64 want_hw_error;
	u32 want_exit;		/* exit reason of KVM_RUN, 0: a ucall */
	u64 want_detail;	/* of that exit */
	u64 want_measured;	/* pages that KVM says it has measured */
	u16 want_flags;		/* kvm_run.flags, whatever the exit */
	bool needs_bus_lock_exit;	/* which not every KVM has for TDs */
	bool finding_warns;	/* KVM warns once more, which is a finding */
	bool dead;		/* KVM gives the VM up */
	bool logged;		/* with the leaf and the status */
	u32 warnings;		/* of KVM, 0: one if the VM is dead, or else none */
	u32 lost_keyids;	/* that KVM cannot take back; it keeps them charged */
	u32 lost_pages;		/* the same, of the module */
};

/* What a case has before its TD. */
struct tdx_refusal_host {
	struct tdx_cgroup cgroup;	/* empty: charges are not checked */
	char *holdings;			/* of the module */
	bool keeps_memory;		/* KVM cannot tear the TD down, and leaks its memory */
};

/*
 * Returns why the case must be skipped, NULL if it can run.  Then *@host is what
 * tdx_refusal_run() compares with, and tdx_refusal_end() ends it.
 */
const char *tdx_refusal_begin(const struct tdx_refusal *refusal, struct tdx_refusal_host *host);
void tdx_refusal_end(struct tdx_refusal_host *host);

/* Take the steps of a TD up to its end.  The module refuses what @refusal says. */
void tdx_refusal_run(const struct tdx_refusal *refusal, const struct tdx_refusal_host *host);

#endif /* SELFTEST_TDX_TDX_REFUSAL_H */
