// SPDX-License-Identifier: GPL-2.0-only
#include "tdx/tdx_util.h"
#include "tdx/tdx_vmcall.h"

/* What no register holds by itself. */
#define SEED(i)		(0x5eed5eed5eed0000ULL + (i))

/* Argument of the ucall before the call. */
#define READY		0x7ead7

/* The TD tells its registers after the call in slices, one per ucall. */
#define REGS_PER_UCALL	5

kvm_static_assert(NR_TDCALL_REGS % REGS_PER_UCALL == 0);
kvm_static_assert(REGS_PER_UCALL <= UCALL_MAX_ARGS);

static const char * const reg_names[] = {
#define REG_NAME(name, reg) #name,
	TDCALL_REGS(REG_NAME)
};

static const struct {
	u64 status;
	const char *name;
} status_names[] = {
#define STATUS(name) { name, #name }
	STATUS(TDVMCALL_STATUS_SUCCESS),
	STATUS(TDVMCALL_STATUS_RETRY),
	STATUS(TDVMCALL_STATUS_INVALID_OPERAND),
	STATUS(TDVMCALL_STATUS_ALIGN_ERROR),
	STATUS(TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED),
};

const char *vmcall_status_name(u64 status)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(status_names); i++) {
		if (status_names[i].status == status)
			return status_names[i].name;
	}

	return "no known status";
}

void vmcall_seed_regs(struct tdcall_regs *regs)
{
	u64 *values = (u64 *)regs;
	size_t i;

	for (i = 0; i < NR_TDCALL_REGS; i++)
		values[i] = SEED(i);

	regs->rax = TDG_VP_VMCALL;
	regs->rcx = TDVMCALL_EXPOSE_REGS_MASK;
}

void guest_vmcall(u64 r10, u64 r11, u64 r12, u64 r13, u64 r14, u64 r15)
{
	struct tdcall_regs regs;
	u64 *values = (u64 *)&regs;
	size_t i;

	GUEST_SYNC1(READY);

	vmcall_seed_regs(&regs);
	regs.r10 = r10;
	regs.r11 = r11;
	regs.r12 = r12;
	regs.r13 = r13;
	regs.r14 = r14;
	regs.r15 = r15;
	__tdcall(&regs);

	for (i = 0; i < NR_TDCALL_REGS; i += REGS_PER_UCALL)
		GUEST_SYNC5(values[i], values[i + 1], values[i + 2],
			    values[i + 3], values[i + 4]);
}

void guest_vmcalls(u64 r10, u64 r11, u64 r12, u64 r13, u64 r14, u64 r15)
{
	for (;;)
		guest_vmcall(r10, r11, r12, r13, r14, r15);
}

void vmcall_set_regs(struct kvm_vcpu *vcpu, const struct tdcall_regs *regs)
{
	tdx_vcpu_args_set(vcpu, 6, regs->r10, regs->r11, regs->r12, regs->r13,
			  regs->r14, regs->r15);
}

void vmcall_assert_value(const char *name, const char *where, u64 i, const char *what,
			 u64 want, u64 got)
{
	errno = 0;
	TEST_ASSERT(want == got, "%s: %s %lu: %s: wanted 0x%lx, got 0x%lx", name, where,
		    i, what, want, got);
}

void vmcall_get_sync(struct kvm_vcpu *vcpu, const char *name, struct ucall *uc)
{
	switch (get_ucall(vcpu, uc)) {
	case UCALL_SYNC:
		return;
	case UCALL_ABORT:
		errno = 0;
		REPORT_GUEST_ASSERT(*uc);
	default:
		errno = 0;
		TEST_FAIL("%s: wanted UCALL_SYNC, got ucall %lu, %s", name, uc->cmd,
			  exit_reason_str(vcpu->run->exit_reason));
	}
}

void vmcall_launch(struct kvm_vcpu *vcpu, const char *name)
{
	struct ucall uc;

	vcpu_run(vcpu);
	vmcall_get_sync(vcpu, name, &uc);
	vmcall_assert_value(name, "exits done", 0, "argument of the ucall", READY,
			    uc.args[0]);
}

/* R10 and R11 are what a case is about: R10 is told by its name. */
static void check_reg(const char *name, u64 exits, size_t i, u64 want, u64 got)
{
	if (i != offsetof(struct tdcall_regs, r10) / sizeof(u64)) {
		vmcall_assert_value(name, "exits done", exits, reg_names[i], want, got);
		return;
	}

	errno = 0;
	TEST_ASSERT(want == got,
		    "%s: exits done %lu: R10: wanted %s (0x%lx), got %s (0x%lx)", name,
		    exits, vmcall_status_name(want), want, vmcall_status_name(got), got);
}

void vmcall_check_regs(struct kvm_vcpu *vcpu, const char *name, u64 exits,
		       const struct tdcall_regs *want)
{
	const u64 *values = (const u64 *)want;
	struct ucall uc;
	size_t i, j;

	for (i = 0; i < NR_TDCALL_REGS; i += REGS_PER_UCALL) {
		if (i)
			vcpu_run(vcpu);
		vmcall_get_sync(vcpu, name, &uc);

		for (j = i; j < i + REGS_PER_UCALL; j++)
			check_reg(name, exits, j, values[j], uc.args[j - i]);
	}
}
