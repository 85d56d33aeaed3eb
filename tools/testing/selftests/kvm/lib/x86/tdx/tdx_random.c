// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "tdx/tdx_random.h"

/* SplitMix64: any state will do, 0 included. */
#define GAMMA	0x9e3779b97f4a7c15ULL

u64 tdx_random_next(struct tdx_random *random)
{
	u64 z = random->state += GAMMA;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

u64 tdx_random_below(struct tdx_random *random, u64 limit)
{
	return tdx_random_next(random) % limit;
}

void tdx_random_start(struct tdx_random *random, u64 seed, u64 number)
{
	random->state = seed;
	random->state = tdx_random_next(random) ^ number;
	random->state = tdx_random_next(random);
}

u64 tdx_env_number(const char *name, u64 value)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : value;
}
