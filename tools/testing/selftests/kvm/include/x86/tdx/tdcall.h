/* SPDX-License-Identifier: GPL-2.0-only */
/* TDCALL, for code of a TD. */
#ifndef SELFTEST_TDX_TDCALL_H
#define SELFTEST_TDX_TDCALL_H

#include <linux/types.h>

#include "kvm_util_types.h"
#include "tdx/tdx.h"

/*
 * The list of the general purpose registers around a TDCALL, in the order of struct
 * tdcall_regs.  RSP is not in it: the wrapper needs it.
 */
#define TDCALL_REGS(X)							\
	X(RAX, rax) X(RCX, rcx) X(RDX, rdx) X(RBX, rbx) X(RBP, rbp)	\
	X(RSI, rsi) X(RDI, rdi) X(R8, r8) X(R9, r9) X(R10, r10)		\
	X(R11, r11) X(R12, r12) X(R13, r13) X(R14, r14) X(R15, r15)

struct tdcall_regs {
#define TDCALL_REG_MEMBER(name, reg) u64 reg;
	TDCALL_REGS(TDCALL_REG_MEMBER)
#undef TDCALL_REG_MEMBER
};

#define NR_TDCALL_REGS	(sizeof(struct tdcall_regs) / sizeof(u64))

/*
 * Execute TDCALL with all registers loaded from @regs, and store all of them back to
 * @regs.  RAX is the leaf on entry, and the status of the TDX module on return.
 * Nothing is interpreted.
 */
void tdcall_execute(struct tdcall_regs *regs);

#endif /* SELFTEST_TDX_TDCALL_H */
