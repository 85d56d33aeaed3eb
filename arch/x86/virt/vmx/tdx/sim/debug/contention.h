/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: where two callers meet at a lock of the module.
 */
#ifndef _X86_VIRT_TDX_SIM_CONTENTION_H
#define _X86_VIRT_TDX_SIM_CONTENTION_H

#include <linux/jump_label.h>
#include <linux/types.h>

#ifdef CONFIG_DEBUG_FS

DECLARE_STATIC_KEY_FALSE(sim_hold_armed);

extern const struct file_operations sim_busy_fops;
extern const struct file_operations sim_hold_fops;

/*
 * Count a call of @leaf that another caller was in the way of: @status is
 * TDX_OPERAND_BUSY with an operand.
 */
void sim_busy_count(u64 leaf, u64 status);

/* Returns how many calls of @leaf with @status were counted. */
u64 sim_busy_calls(u64 leaf, u64 status);

/*
 * Hold the @nth call of @leaf from now, counted from 1, for @us microseconds; end that
 * request.  Both may sleep.
 */
void sim_hold_arm(u64 leaf, u32 us, u32 nth);
void sim_hold_clear(void);

void __sim_hold_begin(u64 leaf);
void __sim_hold_here(void);
void __sim_hold_end(void);
void __sim_hold_wait(void);

/* Before a call of @leaf on this CPU: it is held if a request says so.  IRQs are off. */
static inline void sim_hold_begin(u64 leaf)
{
	if (static_branch_unlikely(&sim_hold_armed))
		__sim_hold_begin(leaf);
}

/* The call is about to release a lock, the first one while it has all that it needs. */
static inline void sim_hold_here(void)
{
	if (static_branch_unlikely(&sim_hold_armed))
		__sim_hold_here();
}

/* The call that sim_hold_begin() was told of is over: it has no lock any more. */
static inline void sim_hold_end(void)
{
	if (static_branch_unlikely(&sim_hold_armed))
		__sim_hold_end();
}

/* A call was refused because of a lock: wait for the end of one that is held, if any. */
static inline void sim_hold_wait(void)
{
	if (static_branch_unlikely(&sim_hold_armed))
		__sim_hold_wait();
}

#else

static inline void sim_busy_count(u64 leaf, u64 status)
{
}

static inline void sim_hold_begin(u64 leaf)
{
}

static inline void sim_hold_here(void)
{
}

static inline void sim_hold_end(void)
{
}

static inline void sim_hold_wait(void)
{
}

#endif /* CONFIG_DEBUG_FS */

#endif /* _X86_VIRT_TDX_SIM_CONTENTION_H */
