/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: leafs of SEAMCALL, what all of them share.
 *
 * A leaf is a function of the registers of the SEAMCALL.  It reads its operands from
 * @regs, returns the completion status for RAX, and writes only the registers that the
 * ABI lists as output.  It runs with preemption off, mostly with interrupts off, also
 * in IPI handlers, below mmu_lock and in noinstr context: it must not sleep, or wait
 * for another CPU's task.
 */
#ifndef _X86_VIRT_TDX_SIM_TDH_H
#define _X86_VIRT_TDX_SIM_TDH_H

#include <linux/types.h>

#include <asm/ptrace.h>

#include "abi.h"

/* Numbers of the leafs, absent ones included: SIM_TDH_MNG_CREATE and so on. */
enum sim_seamcall_leaf {
#define SEAMCALL(_name, _leaf, _number, ...)	SIM_##_leaf = _number,
#define SEAMCALL_ABSENT(_leaf, _number, ...)	SIM_##_leaf = _number,
#include "tdh/seamcalls.def"
};

typedef u64 sim_seamcall_fn(struct pt_regs *regs);

#define SEAMCALL(_name, ...)	sim_seamcall_fn sim_##_name;
#define SEAMCALL_ABSENT(...)
#include "tdh/seamcalls.def"

#endif /* _X86_VIRT_TDX_SIM_TDH_H */
