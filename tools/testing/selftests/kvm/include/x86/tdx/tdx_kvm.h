/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What not every KVM with TDX has.  A test cannot find that out by asking KVM: one that
 * lost it must fail.  Whoever runs the tests says so by the environment; without a word
 * KVM has everything.
 */
#ifndef SELFTEST_TDX_TDX_KVM_H
#define SELFTEST_TDX_TDX_KVM_H

#include <stdbool.h>

/* Name of the environment variable: names of what KVM lacks, separated by commas. */
#define TDX_KVM_LACKS_ENV	"TDX_KVM_LACKS"

/* The reason of a skip is part of the result's name for some: keep it. */
#define TDX_KVM_LACKS_REASON	"this KVM does not have the exit for TDs"

/* The exits for bus locks and for the notify window, which came together. */
#define TDX_KVM_BUS_LOCK_EXIT	"bus_lock_exit"

/* True if KVM is said to lack @name, one of the above. */
bool tdx_kvm_lacks(const char *name);

#endif /* SELFTEST_TDX_TDX_KVM_H */
