/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: its locks.
 *
 * The locks of the module are try-locks.  A leaf that does not get one answers
 * TDX_OPERAND_BUSY.  It never waits.
 */
#ifndef _X86_VIRT_TDX_SIM_LOCK_H
#define _X86_VIRT_TDX_SIM_LOCK_H

#include <linux/limits.h>
#include <linux/types.h>

enum sim_lock_mode {
	SIM_SHARED,
	SIM_EXCL,
};

struct sim_lock {
	u16 state;		/* 0: free, SIM_LOCK_EXCL, else the number of sharers */
};

#define SIM_LOCK_EXCL	U16_MAX

/* Take @lock in @mode; false if another owner is in the way.  Any context. */
bool sim_trylock(struct sim_lock *lock, enum sim_lock_mode mode);

/* Release @lock, which the caller has taken in @mode. */
void sim_unlock(struct sim_lock *lock, enum sim_lock_mode mode);

/* From shared to exclusive; false, and still shared, if there are other sharers. */
bool sim_lock_upgrade(struct sim_lock *lock);

#endif /* _X86_VIRT_TDX_SIM_LOCK_H */
