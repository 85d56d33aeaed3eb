/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SHA-384 (FIPS 180-4), to check what a TDX module measures.  This is not the
 * implementation of the kernel, since a simulated module uses that.
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

/* Write the digest of all data so far.  After that @sha must be initialized again. */
void sha384_final(struct sha384 *sha, u8 digest[SHA384_SIZE]);

/* Write the digest of the @size bytes at @data. */
void sha384(const void *data, u64 size, u8 digest[SHA384_SIZE]);

#endif /* SELFTEST_TDX_SHA384_H */
