// SPDX-License-Identifier: GPL-2.0-only
#include "ucall_common.h"
#include "tdx/tdx_guest.h"

/* Gives the TDX module's status; the VMM's is in @regs->r10. */
static u64 issue(struct tdcall_regs *regs)
{
	regs->rax = TDG_VP_VMCALL;
	regs->rcx = TDVMCALL_EXPOSE_REGS_MASK;
	tdcall_execute(regs);
	return regs->rax;
}

u64 __tdvmcall(struct tdcall_regs *regs)
{
	GUEST_ASSERT_EQ(issue(regs), 0ul);
	return regs->r10;
}

void tdvmcall(struct tdcall_regs *regs)
{
	GUEST_ASSERT_EQ(__tdvmcall(regs), TDVMCALL_STATUS_SUCCESS);
}

u64 __tdvmcall_map_gpa(gpa_t gpa, u64 size, u64 *failed)
{
	struct tdcall_regs regs = {
		.r11 = TDVMCALL_MAP_GPA,
		.r12 = gpa,
		.r13 = size,
	};

	__tdvmcall(&regs);
	*failed = regs.r11;
	return regs.r10;
}

void tdvmcall_map_gpa(gpa_t gpa, u64 size)
{
	u64 failed;

	GUEST_ASSERT_EQ(__tdvmcall_map_gpa(gpa, size, &failed), TDVMCALL_STATUS_SUCCESS);
}

void tdvmcall_hlt(u64 blocked)
{
	struct tdcall_regs regs = { .r11 = EXIT_REASON_HLT, .r12 = blocked };

	tdvmcall(&regs);
}

u64 tdvmcall_rdmsr(u32 msr)
{
	struct tdcall_regs regs = { .r11 = EXIT_REASON_MSR_READ, .r12 = msr };

	tdvmcall(&regs);
	return regs.r11;
}

void tdvmcall_wrmsr(u32 msr, u64 value)
{
	struct tdcall_regs regs = {
		.r11 = EXIT_REASON_MSR_WRITE,
		.r12 = msr,
		.r13 = value,
	};

	tdvmcall(&regs);
}

u64 __tdvmcall_io(u64 leaf, u64 size, u64 direction, u64 addr, u64 *data)
{
	struct tdcall_regs regs = {
		.r11 = leaf,
		.r12 = size,
		.r13 = direction,
		.r14 = addr,
		.r15 = *data,
	};
	u64 status = issue(&regs);

	if (direction == TDX_IO_READ)
		*data = regs.r11;
	return status ?: regs.r10;
}

void tdx_guest_accept_page(gpa_t gpa)
{
	struct tdcall_regs regs = {
		.rax = TDG_MEM_PAGE_ACCEPT,
		.rcx = gpa,	/* and level 0 */
	};

	tdcall_execute(&regs);
	GUEST_ASSERT_EQ(regs.rax, 0ul);
}

void tdvmcall_fatal_unless_success(u64 status)
{
	struct tdcall_regs regs = {
		.r11 = TDVMCALL_REPORT_FATAL_ERROR,
		.r12 = status,
	};

	while (status)
		issue(&regs);
}
