/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Features that not every KVM with TDX has.  A test cannot find out by asking KVM: a
 * KVM that has lost one must fail.  The environment names the missing ones.  Without it
 * KVM has all of them.
 */
#ifndef SELFTEST_TDX_TDX_KVM_H
#define SELFTEST_TDX_TDX_KVM_H

#include <stdbool.h>

/* Returns true if @name is in the list, separated by commas, of an environment variable. */
bool tdx_env_has(const char *env, const char *name);

/* Environment variable: names of missing features, separated by commas. */
#define TDX_KVM_LACKS_ENV	"TDX_KVM_LACKS"

/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define TDX_KVM_LACKS_REASON	"this KVM does not have the exit for TDs"

/* The exits for bus locks and for the notify window, which came together. */
#define TDX_KVM_BUS_LOCK_EXIT	"bus_lock_exit"

/* EINVAL for KVM_TDX_INIT_MEM_REGION without a source, which was EOPNOTSUPP before. */
#define TDX_KVM_NO_SOURCE_EINVAL	"no_source_einval"

/* Returns true if the environment says that KVM lacks @name, one of the above. */
bool tdx_kvm_lacks(const char *name);

/*
 * Environment variable: numbers of the findings, see tdx_finding.h, that are fixed in
 * this KVM, separated by commas.  A case needs it only where the bug would harm others.
 */
#define TDX_KVM_FIXES_ENV	"TDX_KVM_FIXES"

/* Returns true if the environment says that finding number @finding is fixed. */
bool tdx_kvm_has_fix(unsigned int finding);

#endif /* SELFTEST_TDX_TDX_KVM_H */
