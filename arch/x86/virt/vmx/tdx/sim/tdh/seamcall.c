// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: SEAMCALL, from RAX to the function of the leaf.
 *
 * The order of the checks is that of the real module's dispatcher, so that a
 * call with two faults names the same one.
 */
#define pr_fmt(fmt) "tdx_sim: " fmt

#include <linux/array_size.h>
#include <linux/bitfield.h>
#include <linux/printk.h>

#include "debug/contention.h"
#include "debug/fault.h"
#include "debug/trace.h"
#include "state/sys.h"
#include "tdh/seamcall.h"
#include "tdh/tdh.h"
#include "tdh/tdh_phymem.h"

enum sim_when {
	SIM_WHEN_READY,		/* after TDH.SYS.KEY.CONFIG on every package */
	SIM_WHEN_ANY,
};

struct sim_leaf {
	const char *name;
	const char *absent;	/* what it would be for, if it is not simulated */
	sim_seamcall_fn *handler;
	u8 version;
	enum sim_when when;
};

#define SEAMCALL(_name, _leaf, _number, _version, _when, _operands)	\
	[_number] = {							\
		.name	 = #_leaf,					\
		.handler = sim_##_name,					\
		.version = _version,					\
		.when	 = _when,					\
	},
#define SEAMCALL_ABSENT(_leaf, _number, _why)				\
	[_number] = {							\
		.name	 = #_leaf,					\
		.absent	 = _why,					\
	},

/* Numbers without a row, which no module has, are all zeros. */
static const struct sim_leaf sim_leafs[] = {
#include "tdh/seamcalls.def"
};

static u64 sim_leaf_absent(const struct sim_leaf *row)
{
	if (row->absent)
		pr_warn_once("%s (%s) is not simulated\n", row->name, row->absent);

	return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RAX);
}

static u64 sim_dispatch(struct pt_regs *regs)
{
	static const struct sim_leaf beyond_the_table;
	u64 leaf = regs->ax & TDX_LEAF_MASK;
	u8 version = FIELD_GET(TDX_LEAF_VERSION_MASK, regs->ax);
	const struct sim_leaf *row = &beyond_the_table;
	u64 status;

	if (leaf < ARRAY_SIZE(sim_leafs))
		row = &sim_leafs[leaf];

	if (regs->ax & TDX_LEAF_RESERVED_MASK || version > row->version)
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RAX);

	if (sim_sys.state != SIM_SYS_READY && row->when != SIM_WHEN_ANY)
		return TDX_SYS_NOT_READY;

	if (sim_fault_refuse(leaf, regs, &status)) {
		if (leaf == SIM_TDH_PHYMEM_CACHE_WB && status == TDX_INTERRUPTED_RESUMABLE)
			sim_cache_wb_interrupt();
		return status;
	}

	if (!row->handler)
		return sim_fault_mark(leaf, sim_leaf_absent(row));

	sim_hold_begin(leaf);
	status = row->handler(regs);
	sim_hold_end();
	if (unlikely((status & TDX_SEAMCALL_STATUS_MASK) == TDX_OPERAND_BUSY)) {
		trace_seamcall_busy(leaf, status);
		sim_busy_count(leaf, status);
		sim_hold_wait();
	}
	return sim_fault_mark(leaf, status);
}

void sim_seamcall(struct pt_regs *regs)
{
	u64 leaf = regs->ax & TDX_LEAF_MASK;

	/*
	 * VMfailInvalid is the answer of a CPU on which nothing is loaded: no
	 * P-SEAMLDR is simulated, and a disabled module is gone until reset.
	 */
	if ((regs->ax & TDX_LEAF_SEAMLDR) || sim_sys.state == SIM_SYS_DISABLED) {
		regs->flags |= X86_EFLAGS_CF;
		return;
	}

	trace_seamcall_entry(regs);
	regs->ax = sim_dispatch(regs);
	trace_seamcall_exit(leaf, regs);
	regs->flags &= ~(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF |
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF);
}
