/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One step of a random sequence: what it does to which VM, with all that it needs, and
 * whether its answer is right.
 */
#ifndef SELFTEST_TDX_TDX_STEP_H
#define SELFTEST_TDX_TDX_STEP_H

#include <stdbool.h>

#include "tdx/tdx_world.h"

enum tdx_step_kind {
	TDX_STEP_OP,		/* of tdx_ops[] */
	TDX_STEP_IOCTL,		/* of tdx_ioctls[] */
	TDX_STEP_CAP,		/* of tdx_caps[] */
};

/* Operands besides those of enum tdx_operand. */
#define TDX_OPERAND_BITS	NR_TDX_OPERANDS		/* good, with some bits turned */
#define TDX_OPERAND_PATTERN	(NR_TDX_OPERANDS + 1)	/* TDX_LEFT_OVER */
#define NR_TDX_STEP_OPERANDS	(NR_TDX_OPERANDS + 2)

struct tdx_seq_step {
	enum tdx_step_kind kind;
	enum tdx_world_vm_id vm;
	unsigned int vcpu;
	unsigned int row;	/* of the table of @kind */
	unsigned int operand;
	bool beside;		/* in a second thread, beside the steps after it */
	u64 random;		/* for the operand */
};

/* Write what a step does to @text, as text for a message. */
void tdx_step_describe(const struct tdx_seq_step *step, char *text, size_t size);

/* Returns true if the step ends a file, whose number may be that of another one then. */
bool tdx_step_ends_file(const struct tdx_seq_step *step);

/*
 * Take a step.  Returns 0, or 1 with the reason in @text if its answer is wrong.  If
 * @exact it must be what tdx_model_op() says.
 */
int tdx_step_take(struct tdx_world *world, const struct tdx_seq_step *step, bool exact,
		  char *text, size_t size);

#endif /* SELFTEST_TDX_TDX_STEP_H */
