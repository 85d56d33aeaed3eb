// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include <linux/bits.h>

#include "tdx/tdx_left_over.h"

/* This number of bytes of the pattern in a row is no accident. */
#define NR_LEFT_OVER	4

/* How the registers of a TD begin while it waits for its hypercall (tdvmcall.c). */
#define TD_REGISTER	0x5eed5eed5eed0000ULL
#define TD_REGISTER_MASK GENMASK_ULL(63, 16)

const char *tdx_left_over_in(const u8 *operand, size_t size, size_t *where)
{
	unsigned int row = 0;
	size_t i;
	u64 word;

	for (i = 0; i < size; i++) {
		row = operand[i] == TDX_LEFT_OVER ? row + 1 : 0;
		*where = i;
		if (row >= NR_LEFT_OVER)
			return "is left over from another ioctl";
	}

	for (i = 0; i + sizeof(word) <= size; i += sizeof(word)) {
		memcpy(&word, operand + i, sizeof(word));
		*where = i;
		if ((word & TD_REGISTER_MASK) == TD_REGISTER)
			return "begins a register of the TD";
	}

	return NULL;
}
