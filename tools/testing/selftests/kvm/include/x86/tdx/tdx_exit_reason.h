/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exits of a TD to which the simulated module adds a bus lock, or which it makes up: what
 * the tests of the exit reason and of its tracepoint share.
 */
#ifndef SELFTEST_TDX_TDX_EXIT_REASON_H
#define SELFTEST_TDX_TDX_EXIT_REASON_H

#include "tdx/tdx.h"

/* A bit of the exit reason, and an exit reason, that asm/vmx.h does not name. */
#define TDX_EXIT_BUS_LOCK		BIT_ULL(26)
#define EXIT_REASON_TDCALL		77

/* Operands of calls that KVM handles, and a KVM_HC_* that it does not have. */
#define TDX_EXIT_SHARED_GPA		(TDX_SHARED_BIT | TDX_EXIT_GPA)
#define TDX_EXIT_CPUID_LEAF		0x80000000
#define TDX_EXIT_MSR			0x1fc	/* MSR_IA32_POWER_CTL */
#define TDX_EXIT_UNKNOWN_HYPERCALL	0x1234

/* A page of the TD that is not there until the TD accepts it. */
#define TDX_EXIT_GPA			0x1234600000ULL
#define TDX_EXIT_SLOT			21

/*
 * Returns NULL, or the reason to skip the case: the simulated module cannot change exits,
 * or KVM does not know of bus locks.  It also ends a request to the module that a failed
 * case has left.
 */
const char *tdx_exit_reason_skip(void);

/*
 * Code of a vCPU: keep the CPU for some ticks of the host, with interrupts enabled, and
 * send UCALL_SYNC.
 */
void tdx_guest_spin_and_sync(void);

#endif /* SELFTEST_TDX_TDX_EXIT_REASON_H */
