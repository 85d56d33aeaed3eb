/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: its locks.
 *
 * The locks of the module are try-locks.  A leaf that does not get one answers
 * TDX_OPERAND_BUSY.  It never waits.  All is inline: each TDH.VP.ENTER takes four.
 */
#ifndef _X86_VIRT_TDX_SIM_LOCK_H
#define _X86_VIRT_TDX_SIM_LOCK_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/types.h>

#include "debug/contention.h"

enum sim_lock_mode {
	SIM_SHARED,
	SIM_EXCL,
};

struct sim_lock {
	u16 state;		/* 0: free, SIM_LOCK_EXCL, else the number of sharers */
};

#define SIM_LOCK_EXCL	U16_MAX

/* Take @lock in @mode; false if another owner is in the way.  Any context. */
static inline bool sim_trylock(struct sim_lock *lock, enum sim_lock_mode mode)
{
	u16 old = READ_ONCE(lock->state);
	u16 new;

	do {
		if (mode == SIM_EXCL ? old != 0 : old >= SIM_LOCK_EXCL - 1)
			return false;
		new = mode == SIM_EXCL ? SIM_LOCK_EXCL : old + 1;
	} while (!try_cmpxchg_acquire(&lock->state, &old, new));

	return true;
}

/* Release @lock, which the caller has taken in @mode. */
static inline void sim_unlock(struct sim_lock *lock, enum sim_lock_mode mode)
{
	u16 old;

	sim_hold_here();
	if (mode == SIM_EXCL) {
		/* Pairs with try_cmpxchg_acquire() of the next owner. */
		smp_store_release(&lock->state, 0);
		return;
	}

	old = READ_ONCE(lock->state);
	while (!try_cmpxchg_release(&lock->state, &old, old - 1))
		;
}

/* From shared to exclusive; false, and still shared, if there are other sharers. */
static inline bool sim_lock_upgrade(struct sim_lock *lock)
{
	u16 one = 1;

	return try_cmpxchg_acquire(&lock->state, &one, SIM_LOCK_EXCL);
}

#endif /* _X86_VIRT_TDX_SIM_LOCK_H */
