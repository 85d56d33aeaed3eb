/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SHA-384 (FIPS 180-4), to calculate what a TDX module measures.  The kernel's
 * is not used on purpose: a simulated module uses that.
 */
#ifndef SELFTEST_TDX_SHA384_H
#define SELFTEST_TDX_SHA384_H

#include <linux/types.h>

#define SHA384_SIZE		48	/* bytes of a digest */
#define SHA384_BLOCK_SIZE	128

struct sha384 {
	u64 state[8];
	u64 size;			/* bytes hashed so far */
	u8 block[SHA384_BLOCK_SIZE];
};

void sha384_init(struct sha384 *sha);
void sha384_update(struct sha384 *sha, const void *data, u64 size);

/* Give the digest; @sha can only be initialized again after it. */
void sha384_final(struct sha384 *sha, u8 digest[SHA384_SIZE]);

/* The digest of one piece of data. */
void sha384(const void *data, u64 size, u8 digest[SHA384_SIZE]);

#endif /* SELFTEST_TDX_SHA384_H */
