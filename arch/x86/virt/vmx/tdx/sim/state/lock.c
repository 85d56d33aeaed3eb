// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: its locks.
 */
#include <linux/atomic.h>
#include <linux/compiler.h>

#include "state/lock.h"

bool sim_trylock(struct sim_lock *lock, enum sim_lock_mode mode)
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

void sim_unlock(struct sim_lock *lock, enum sim_lock_mode mode)
{
	u16 old;

	if (mode == SIM_EXCL) {
		/* Pairs with try_cmpxchg_acquire() of the next owner. */
		smp_store_release(&lock->state, 0);
		return;
	}

	old = READ_ONCE(lock->state);
	while (!try_cmpxchg_release(&lock->state, &old, old - 1))
		;
}

bool sim_lock_upgrade(struct sim_lock *lock)
{
	u16 one = 1;

	return try_cmpxchg_acquire(&lock->state, &one, SIM_LOCK_EXCL);
}
