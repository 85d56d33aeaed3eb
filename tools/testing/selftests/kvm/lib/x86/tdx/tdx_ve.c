// SPDX-License-Identifier: GPL-2.0-only
#include "vmx.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_ve.h"

/* Exit qualification of IN and OUT ("I/O Instructions", Intel SDM). */
#define IO_QUAL_SIZE(qual)	(((qual) & GENMASK_ULL(2, 0)) + 1)
#define IO_QUAL_IN		BIT_ULL(3)
#define IO_QUAL_STRING		BIT_ULL(4)
#define IO_QUAL_PORT(qual)	(((qual) >> 16) & 0xffff)

/* Exit qualification of an EPT violation: kind of access. */
#define EPT_QUAL_ACCESS		GENMASK_ULL(2, 0)

#define OPERAND_SIZE_PREFIX	0x66
#define IS_REX(byte)		(((byte) & 0xf0) == 0x40)
#define REX_W			0x08
#define MODRM_REG		GENMASK(5, 3)

void tdx_guest_get_ve_info(struct tdx_ve_info *ve)
{
	struct tdcall_regs regs = { .rax = TDG_VP_VEINFO_GET };

	tdcall_execute(&regs);
	GUEST_ASSERT_EQ(regs.rax, 0ul);
	*ve = (struct tdx_ve_info) {
		.exit_reason = (u32)regs.rcx,
		.exit_qualification = regs.rdx,
		.gla = regs.r8,
		.gpa = regs.r9,
		.instruction_length = (u32)regs.r10,
	};
}

static u64 set_low_bytes(u64 old, u64 size, u64 value)
{
	const u64 mask = GENMASK_ULL(size * 8 - 1, 0);

	return (old & ~mask) | (value & mask);
}

static void ve_cpuid(struct ex_regs *regs, const struct tdx_ve_info *ve)
{
	struct tdcall_regs call = {
		.r11 = EXIT_REASON_CPUID, .r12 = regs->rax, .r13 = regs->rcx,
	};

	tdvmcall(&call);
	regs->rax = call.r12;
	regs->rbx = call.r13;
	regs->rcx = call.r14;
	regs->rdx = call.r15;
}

static void ve_io(struct ex_regs *regs, const struct tdx_ve_info *ve)
{
	const u64 qual = ve->exit_qualification;
	const u64 size = IO_QUAL_SIZE(qual);
	const u64 direction = qual & IO_QUAL_IN ? TDX_IO_READ : TDX_IO_WRITE;
	u64 data = regs->rax;

	GUEST_ASSERT(!(qual & IO_QUAL_STRING));
	GUEST_ASSERT_EQ(__tdvmcall_io(EXIT_REASON_IO_INSTRUCTION, size, direction,
				      IO_QUAL_PORT(qual), &data), 0ul);

	/* A write to EAX clears the rest of RAX, a write to AL or AX does not. */
	if (direction == TDX_IO_READ)
		regs->rax = size == 4 ? data : set_low_bytes(regs->rax, size, data);
}

static void ve_rdmsr(struct ex_regs *regs, const struct tdx_ve_info *ve)
{
	const u64 value = tdvmcall_rdmsr(regs->rcx);

	regs->rax = (u32)value;
	regs->rdx = value >> 32;
}

static void ve_wrmsr(struct ex_regs *regs, const struct tdx_ve_info *ve)
{
	tdvmcall_wrmsr(regs->rcx, regs->rdx << 32 | (u32)regs->rax);
}

/* MOV between RAX and memory.  The opcode has the direction, the prefixes the size. */
static void ve_mmio(struct ex_regs *regs, const struct tdx_ve_info *ve)
{
	const u8 *byte = (const u8 *)regs->rip;
	u64 size = 4, data = regs->rax;
	u64 direction;

	for (; *byte == OPERAND_SIZE_PREFIX || IS_REX(*byte); byte++) {
		if (*byte == OPERAND_SIZE_PREFIX)
			size = 2;
		else if (*byte & REX_W)
			size = 8;
	}

	GUEST_ASSERT(*byte >= 0x88 && *byte <= 0x8b);
	GUEST_ASSERT(!(byte[1] & MODRM_REG));
	if (!(*byte & 1))
		size = 1;
	direction = *byte & 2 ? TDX_IO_READ : TDX_IO_WRITE;
	GUEST_ASSERT_EQ(__tdvmcall_io(EXIT_REASON_EPT_VIOLATION, size, direction, ve->gpa,
				      &data), 0ul);

	if (direction == TDX_IO_READ)
		regs->rax = size >= 4 ? data : set_low_bytes(regs->rax, size, data);
}

static const struct {
	u64 exit_reason;
	void (*handle)(struct ex_regs *regs, const struct tdx_ve_info *ve);
} ve_handlers[] = {
	{ EXIT_REASON_CPUID,		ve_cpuid },
	{ EXIT_REASON_IO_INSTRUCTION,	ve_io },
	{ EXIT_REASON_MSR_READ,		ve_rdmsr },
	{ EXIT_REASON_MSR_WRITE,	ve_wrmsr },
	{ EXIT_REASON_EPT_VIOLATION,	ve_mmio },
};

static void guest_handle_ve(struct ex_regs *regs)
{
	struct tdx_ve_info ve;
	size_t i;

	tdx_guest_get_ve_info(&ve);
	GUEST_SYNC5(ve.exit_reason, ve.exit_qualification, ve.gla, ve.gpa,
		    ve.instruction_length);

	for (i = 0; i < ARRAY_SIZE(ve_handlers); i++) {
		if (ve_handlers[i].exit_reason != ve.exit_reason)
			continue;

		ve_handlers[i].handle(regs, &ve);
		regs->rip += ve.instruction_length;
		return;
	}

	GUEST_FAIL("#VE for exit reason %lu at RIP 0x%lx", ve.exit_reason, regs->rip);
}

void tdx_ve_install_handler(struct kvm_vm *vm)
{
	vm_install_exception_handler(vm, VE_VECTOR, guest_handle_ve);
}

void tdx_ve_run(struct kvm_vcpu *vcpu, const char *name, const struct tdx_ve_info *want)
{
	struct tdx_ve_info got;
	struct ucall uc;

	vcpu_run(vcpu);
	tdx_vcpu_get_sync(vcpu, name, &uc);
	got = (struct tdx_ve_info) {
		.exit_reason = uc.args[0],
		.exit_qualification = uc.args[1],
		.gla = uc.args[2],
		.gpa = uc.args[3],
		.instruction_length = uc.args[4],
	};

	tdx_assert_value(name, "#VE", 0, "exit reason", want->exit_reason, got.exit_reason);
	tdx_assert_value(name, "#VE", 0, "instruction length", want->instruction_length,
			 got.instruction_length);

	if (want->exit_reason == EXIT_REASON_EPT_VIOLATION) {
		got.exit_qualification &= EPT_QUAL_ACCESS;
		tdx_assert_value(name, "#VE", 0, "GLA", want->gla, got.gla);
		tdx_assert_value(name, "#VE", 0, "GPA", want->gpa, got.gpa);
	}
	tdx_assert_value(name, "#VE", 0, "exit qualification", want->exit_qualification,
			 got.exit_qualification);
}

void tdx_ve_check_values(struct kvm_vcpu *vcpu, const char *name, const u64 *want, size_t nr)
{
	struct ucall uc;
	size_t i;

	vcpu_run(vcpu);
	tdx_vcpu_get_sync(vcpu, name, &uc);
	for (i = 0; i < nr; i++)
		tdx_assert_value(name, "value", i, "told by the TD", want[i], uc.args[i]);
}
