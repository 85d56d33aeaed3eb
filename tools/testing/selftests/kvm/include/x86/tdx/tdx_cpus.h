/* SPDX-License-Identifier: GPL-2.0-only */
/* CPUs of the host, for a TD's vCPUs and for the threads that run them. */
#ifndef SELFTEST_TDX_TDX_CPUS_H
#define SELFTEST_TDX_TDX_CPUS_H

#include <linux/types.h>

/* The reason of a skip is part of the result's name for some: keep it. */
#define TDX_TWO_CPUS_REASON	"needs two CPUs"

/*
 * Give the number of CPUs that are present: KVM lets a TD have as many vCPUs.  Those
 * that could be plugged in, which _SC_NPROCESSORS_CONF counts as well, are none of
 * them.
 */
u32 tdx_nr_present_cpus(void);

/*
 * Pin the caller to the first CPU that it may run on, and give the second, for
 * another thread.  If there is no second one, give -1 and do nothing.
 */
int tdx_pin_to_first_cpu(void);

#endif /* SELFTEST_TDX_TDX_CPUS_H */
