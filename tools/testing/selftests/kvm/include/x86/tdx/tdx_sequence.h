/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sequences of random steps over the userspace API of KVM.  A seed, a theme and a number
 * give the steps.  Each step has what it needs from the start, so that it does the
 * same after others are left out.
 */
#ifndef SELFTEST_TDX_TDX_SEQUENCE_H
#define SELFTEST_TDX_TDX_SEQUENCE_H

#include "tdx/tdx_step.h"

enum tdx_theme {
	TDX_THEME_LIFE,		/* what makes and ends TDs, with the exact answer */
	TDX_THEME_ANY,		/* all ioctls, one after the other */
	TDX_THEME_RACE,		/* all ioctls, some in a second thread */
	TDX_THEME_WITNESS,	/* those that must not disturb a TD, which then ends well */
	NR_TDX_THEMES,
};

/* At most 64, the bits of a mask. */
#define TDX_MAX_STEPS		60

struct tdx_sequence {
	enum tdx_theme theme;
	unsigned int nr_steps;
	u64 close_order;
	struct tdx_seq_step steps[TDX_MAX_STEPS];
};

/* Make the steps of sequence @number of @theme and @seed. */
void tdx_sequence_make(struct tdx_sequence *sequence, enum tdx_theme theme, u64 seed,
		       u64 number);

/*
 * Take the steps of the sequence that have a bit in @mask, with new VMs.  Returns NULL,
 * or why the @*failed-th step was not answered as it must be.
 */
const char *tdx_sequence_run(const struct tdx_sequence *sequence, u64 mask,
			     unsigned int *failed);

#endif /* SELFTEST_TDX_TDX_SEQUENCE_H */
