/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The exits of a vCPU as the kernel's tracepoint kvm:kvm_exit tells them.  The records are
 * read in the binary form of tracefs, by the layout that the event's format file gives:
 *
 *	tdx_trace_begin();
 *	vcpu_run(vcpu);
 *	nr = tdx_trace_read(exits, ARRAY_SIZE(exits));
 *	tdx_trace_end();
 */
#ifndef SELFTEST_TDX_TDX_TRACE_H
#define SELFTEST_TDX_TDX_TRACE_H

#include <stdbool.h>
#include <stddef.h>

#include "kvm_util_types.h"

/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define TDX_TRACE_SKIP_REASON	"the kernel does not trace the exits of KVM"

/* The fields of the event, as KVM names them. */
struct tdx_trace_exit {
	u32 exit_reason;
	u64 guest_rip;
	u32 isa;
	u64 info1;
	u64 info2;
	u32 intr_info;
	u32 error_code;
	u32 vcpu_id;
	u64 requests;
};

/* Returns true if tracefs is mounted and has the event. */
bool tdx_trace_has_exits(void);

/*
 * Trace the exits of all vCPUs that run on the CPU of the caller, which stays there.
 * The records go to a buffer of their own, so no other user of tracefs sees them.
 */
void tdx_trace_begin(void);

/*
 * Take the records since the last call out of the buffer into @exits, in their order, and
 * return their number.  More than @max of them are a failure.
 */
size_t tdx_trace_read(struct tdx_trace_exit *exits, size_t max);

/* End tracing, and drop the buffer.  It need not have begun. */
void tdx_trace_end(void);

#endif /* SELFTEST_TDX_TDX_TRACE_H */
