/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an ioctl gives to userspace for a TD: neither registers of the TD nor what other
 * ioctls have left in the kernel's memory.
 */
#ifndef SELFTEST_TDX_TDX_LEFT_OVER_H
#define SELFTEST_TDX_TDX_LEFT_OVER_H

#include <stdbool.h>
#include <stddef.h>

#include "kvm_util_types.h"

/* The byte that fills operands of other ioctls: it is recognized if it comes back. */
#define TDX_LEFT_OVER	0x5c

/*
 * Returns NULL if KVM may have written the @size bytes at @operand, or why it must not
 * have.  *@where is then the offset of the byte that shows it.
 */
const char *tdx_left_over_in(const u8 *operand, size_t size, size_t *where);

#endif /* SELFTEST_TDX_TDX_LEFT_OVER_H */
