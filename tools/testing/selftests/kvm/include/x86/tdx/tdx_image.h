/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What of a program is not loaded into a TD: code and constants that only the host uses.
 * lib/x86/tdx/tdx_host.lds puts them into pages of their own, between these symbols.
 * They are weak, since other tests are linked with the same library, but without the
 * script.  There the range is empty.
 */
#ifndef SELFTEST_TDX_TDX_IMAGE_H
#define SELFTEST_TDX_TDX_IMAGE_H

#include "kvm_util.h"

extern const char tdx_host_begin[] __weak, tdx_host_end[] __weak;

#endif /* SELFTEST_TDX_TDX_IMAGE_H */
