/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Steps of a random sequence that must not be taken because of a known bug of KVM, and
 * the answers that the others may get when anything may have come before.
 */
#ifndef SELFTEST_TDX_TDX_STEP_ANSWER_H
#define SELFTEST_TDX_TDX_STEP_ANSWER_H

#include <stdbool.h>

#include "tdx/tdx_ioctl.h"
#include "tdx/tdx_ops.h"

/*
 * Returns true if @row may be issued, because no known bug of this KVM does harm then.
 * @random: the operand is not one of the table.
 */
bool tdx_step_may_ioctl(const struct tdx_ioctl *row, bool is_td, bool random);
bool tdx_step_may_cap(const struct tdx_cap *cap, bool is_td);

/* Change what an operand with random bits must not have. */
void tdx_step_tame(const struct tdx_ioctl *row, void *operand);

/*
 * Returns true if @error, 0 for success, is an answer that @row may get from a TD, or
 * from an ordinary VM.  @operand is one of the table, or, from NR_TDX_OPERANDS on, one
 * with random bits.
 */
bool tdx_step_ioctl_answer(const struct tdx_ioctl *row, bool is_td, unsigned int operand,
			   int error);
bool tdx_step_cap_answer(const struct tdx_cap *cap, bool is_td, enum tdx_operand operand,
			 int error);
bool tdx_step_op_answer(enum tdx_op_id op, bool is_td, int error);

#endif /* SELFTEST_TDX_TDX_STEP_ANSWER_H */
