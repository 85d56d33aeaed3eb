/* SPDX-License-Identifier: GPL-2.0-only */
/* CPUs of the host, for the vCPUs of a TD and for the threads that run them. */
#ifndef SELFTEST_TDX_TDX_CPUS_H
#define SELFTEST_TDX_TDX_CPUS_H

#include <linux/types.h>

/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define TDX_TWO_CPUS_REASON	"needs two CPUs"

/*
 * Returns the number of present CPUs: KVM lets a TD have that many vCPUs.  CPUs that
 * could be plugged in, which _SC_NPROCESSORS_CONF counts as well, do not count.
 */
u32 tdx_nr_present_cpus(void);

/*
 * Pin the caller to the first CPU that it may run on, and return the number of the
 * second one, for another thread.  If there is no second one, return -1 and do nothing.
 */
int tdx_pin_to_first_cpu(void);

#endif /* SELFTEST_TDX_TDX_CPUS_H */
