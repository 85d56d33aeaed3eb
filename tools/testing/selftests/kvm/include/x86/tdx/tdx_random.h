/* SPDX-License-Identifier: GPL-2.0-only */
/* Random numbers that a seed repeats, and the environment that chooses the seed. */
#ifndef SELFTEST_TDX_TDX_RANDOM_H
#define SELFTEST_TDX_TDX_RANDOM_H

#include <linux/types.h>

#include "kvm_util_types.h"

/* Environment variable: the seed of all tests with random numbers. */
#define TDX_RANDOM_SEED_ENV	"TDX_RANDOM_SEED"
#define TDX_RANDOM_DEFAULT_SEED	1

struct tdx_random {
	u64 state;
};

/* Start series @number of @seed.  Other numbers and other seeds give other series. */
void tdx_random_start(struct tdx_random *random, u64 seed, u64 number);

/* Returns the next number: of 64 bits, or from 0 to @limit - 1. */
u64 tdx_random_next(struct tdx_random *random);
u64 tdx_random_below(struct tdx_random *random, u64 limit);

/* Returns the number in environment variable @name, @value where there is none. */
u64 tdx_env_number(const char *name, u64 value);

#endif /* SELFTEST_TDX_TDX_RANDOM_H */
