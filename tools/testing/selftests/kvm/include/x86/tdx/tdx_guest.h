/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls of the TDX module and of the VMM for code of a TD.
 *
 * Hypercalls, TDG.VP.VMCALL: a function with "__" returns the status of the VMM, R10.
 * One without it asserts that this is TDVMCALL_STATUS_SUCCESS.  Both assert that the
 * TDX module passes the call on.
 *
 * Assertions are GUEST_ASSERT(), except for MMIO: ucalls, and so GUEST_ASSERT(), are
 * made of it.  A failure of MMIO ends the TD by <ReportFatalError>, with the status of
 * the TDX module or of the VMM in R12.
 */
#ifndef SELFTEST_TDX_TDX_GUEST_H
#define SELFTEST_TDX_TDX_GUEST_H

#include "tdx/tdcall.h"

/*
 * Execute TDG.VP.VMCALL with @regs, of which RAX and RCX are set here: every register
 * that may be shown to the VMM is shown.  @regs has all registers as they are after it.
 */
u64 __tdvmcall(struct tdcall_regs *regs);
void tdvmcall(struct tdcall_regs *regs);

/*
 * <MapGPA> of @size bytes at @gpa, which has TDX_SHARED_BIT set to make them shared.
 * *@failed gets R11: where the VMM stopped, if the status is not success.
 */
u64 __tdvmcall_map_gpa(gpa_t gpa, u64 size, u64 *failed);
void tdvmcall_map_gpa(gpa_t gpa, u64 size);

/* <Instruction.HLT>.  @blocked says, by 0 or 1, that the TD has interrupts off. */
void tdvmcall_hlt(u64 blocked);

/* <Instruction.RDMSR> and <Instruction.WRMSR>. */
u64 tdvmcall_rdmsr(u32 msr);
void tdvmcall_wrmsr(u32 msr, u64 value);

/*
 * <Instruction.IO> if @leaf is EXIT_REASON_IO_INSTRUCTION, <MMIO> if it is
 * EXIT_REASON_EPT_VIOLATION.  @direction is TDX_IO_READ or TDX_IO_WRITE, @addr a port,
 * or a GPA with TDX_SHARED_BIT set.  *@data is written, or gets what was read, zero
 * extended.  @size is 1, 2, 4 or 8 bytes.  Code that knows it when it is compiled uses
 * the helpers below.  Returns the status of the TDX module if that is not success.
 */
u64 __tdvmcall_io(u64 leaf, u64 size, u64 direction, u64 addr, u64 *data);

/* Accept the 4 KiB page at @gpa, which must be pending: TDG.MEM.PAGE.ACCEPT. */
void tdx_guest_accept_page(gpa_t gpa);

/* End the TD by <ReportFatalError>, with @status in R12, unless @status is 0. */
void tdvmcall_fatal_unless_success(u64 status);

/*
 * <MMIO>: read *(@value) from, or write @value to, the GPA @gpa, which has
 * TDX_SHARED_BIT set.  The size is that of the value's type: u8, u16, u32 or u64.
 */
#define __tdvmcall_mmio_read(gpa, value)				\
({									\
	u64 __data = 0;							\
	u64 __status = __tdvmcall_io(EXIT_REASON_EPT_VIOLATION,		\
				     sizeof(*(value)), TDX_IO_READ, gpa, &__data); \
									\
	*(value) = __data;						\
	__status;							\
})

#define __tdvmcall_mmio_write(gpa, value)				\
({									\
	u64 __data = (value);						\
									\
	__tdvmcall_io(EXIT_REASON_EPT_VIOLATION, sizeof(value),		\
		      TDX_IO_WRITE, gpa, &__data);			\
})

#define tdvmcall_mmio_read(gpa, value)					\
	tdvmcall_fatal_unless_success(__tdvmcall_mmio_read(gpa, value))
#define tdvmcall_mmio_write(gpa, value)					\
	tdvmcall_fatal_unless_success(__tdvmcall_mmio_write(gpa, value))

#endif /* SELFTEST_TDX_TDX_GUEST_H */
