// SPDX-License-Identifier: GPL-2.0-only
#include "tdx/td_boot.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_util.h"

/* A value that a register does not have by chance. */
#define SEED(i)		(0x5eed5eed5eed0000ULL + (i))

/* A byte that KVM does not write to an exit here. */
#define POISON		0xa5

/*
 * The page at TD_TDVMCALL_GPA has the layout of a struct tdcall_regs.  The TD reads the
 * registers for a call from it, and writes those after the call to it.  Between the two
 * it writes to the word after the struct, so that KVM has taken the last answer before
 * the call.
 *
 * Each access is an exit.  Most registers are seeded or 0, before and after a call: the
 * word at DIFFERENT_OFFSET says which are not, and only those are read or written.
 */
#define READY_OFFSET		sizeof(struct tdcall_regs)
#define DIFFERENT_OFFSET	(READY_OFFSET + sizeof(u64))
#define IS_OTHER(i)		BIT_ULL(i)
#define IS_ZERO(i)		BIT_ULL(32 + (i))

const char * const tdvmcall_reg_names[NR_TDCALL_REGS] = {
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
	STATUS(TDVMCALL_STATUS_GPA_INUSE),
	STATUS(TDVMCALL_STATUS_ALIGN_ERROR),
	STATUS(TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED),
};

const char *tdvmcall_status_name(u64 status)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(status_names); i++) {
		if (status_names[i].status == status)
			return status_names[i].name;
	}

	return "no known status";
}

void tdvmcall_seed_regs(struct tdcall_regs *regs)
{
	u64 *values = (u64 *)regs;
	size_t i;

	for (i = 0; i < NR_TDCALL_REGS; i++)
		values[i] = SEED(i);

	regs->rax = TDG_VP_VMCALL;
	regs->rcx = TDVMCALL_EXPOSE_REGS_MASK;
}

void tdvmcall_seed_leaf(struct tdcall_regs *regs, u64 leaf)
{
	tdvmcall_seed_regs(regs);
	regs->r10 = 0;
	regs->r11 = leaf;
}

static u64 guest_page_address(size_t offset)
{
	return TDX_SHARED_BIT | (TD_TDVMCALL_GPA + offset);
}

/* How @regs differ from those of tdvmcall_seed_regs(): IS_OTHER() and IS_ZERO(). */
static u64 different(const struct tdcall_regs *regs)
{
	const u64 *values = (const u64 *)regs;
	struct tdcall_regs seeded;
	u64 mask = 0;
	size_t i;

	tdvmcall_seed_regs(&seeded);
	for (i = 0; i < NR_TDCALL_REGS; i++) {
		if (values[i] != ((u64 *)&seeded)[i])
			mask |= values[i] ? IS_OTHER(i) : IS_ZERO(i);
	}

	return mask;
}

/* Set all of @regs but those that have IS_OTHER() in @mask. */
static void set_by_mask(struct tdcall_regs *regs, u64 mask)
{
	size_t i;

	tdvmcall_seed_regs(regs);
	for (i = 0; i < NR_TDCALL_REGS; i++) {
		if (mask & IS_ZERO(i))
			((u64 *)regs)[i] = 0;
	}
}

static void guest_issue(struct tdcall_regs *regs)
{
	const u64 *values = (const u64 *)regs;
	const u64 ready = 0;
	size_t i;
	u64 mask;

	tdvmcall_mmio_write(guest_page_address(READY_OFFSET), ready);
	tdcall_execute(regs);

	mask = different(regs);
	tdvmcall_mmio_write(guest_page_address(DIFFERENT_OFFSET), mask);
	for (i = 0; i < NR_TDCALL_REGS; i++) {
		if (mask & IS_OTHER(i))
			tdvmcall_mmio_write(guest_page_address(i * sizeof(u64)), values[i]);
	}
}

void tdvmcall_guest_issue(u64 r10, u64 r11, u64 r12, u64 r13, u64 r14, u64 r15)
{
	struct tdcall_regs regs;

	tdvmcall_seed_regs(&regs);
	regs.r10 = r10;
	regs.r11 = r11;
	regs.r12 = r12;
	regs.r13 = r13;
	regs.r14 = r14;
	regs.r15 = r15;
	guest_issue(&regs);
}

void tdvmcall_guest_issue_loop(u64 r10, u64 r11, u64 r12, u64 r13, u64 r14, u64 r15)
{
	for (;;)
		tdvmcall_guest_issue(r10, r11, r12, r13, r14, r15);
}

void tdvmcall_guest_fetch(void)
{
	struct tdcall_regs regs;
	u64 *values = (u64 *)&regs;
	size_t i;
	u64 mask;

	tdvmcall_mmio_read(guest_page_address(DIFFERENT_OFFSET), &mask);
	set_by_mask(&regs, mask);
	for (i = 0; i < NR_TDCALL_REGS; i++) {
		if (mask & IS_OTHER(i))
			tdvmcall_mmio_read(guest_page_address(i * sizeof(u64)), &values[i]);
	}

	guest_issue(&regs);
}

void tdvmcall_guest_fetch_loop(void)
{
	for (;;)
		tdvmcall_guest_fetch();
}

struct kvm_vm *tdvmcall_vm_create(struct kvm_vcpu **vcpu)
{
	struct kvm_vm *vm = tdx_vm_create(1);

	*vcpu = tdx_vcpu_add(vm, 0, tdvmcall_guest_fetch_loop);
	tdx_vm_finalize(vm);
	return vm;
}

void tdvmcall_set_regs(struct kvm_vcpu *vcpu, const struct tdcall_regs *regs)
{
	tdx_vcpu_args_set(vcpu, 6, regs->r10, regs->r11, regs->r12, regs->r13,
			  regs->r14, regs->r15);
}

void tdx_assert_value(const char *name, const char *where, u64 i, const char *what,
		      u64 want, u64 got)
{
	TEST_ASSERT(want == got, "%s: %s %lu: %s: wanted 0x%lx, got 0x%lx", name, where,
		    i, what, want, got);
}

void tdx_vcpu_get_sync(struct kvm_vcpu *vcpu, const char *name, struct ucall *uc)
{
	switch (get_ucall(vcpu, uc)) {
	case UCALL_SYNC:
		return;
	case UCALL_ABORT:
		REPORT_GUEST_ASSERT(*uc);
	default:
		TEST_FAIL("%s: wanted UCALL_SYNC, got ucall %lu, %s", name, uc->cmd,
			  exit_reason_str(vcpu->run->exit_reason));
	}
}

/* Check that @vcpu has exited for an access to the word at @offset of the page. */
static void check_access(struct kvm_vcpu *vcpu, const char *name, bool write, size_t offset)
{
	const struct kvm_run *run = vcpu->run;
	struct ucall uc;

	if (run->exit_reason == KVM_EXIT_MMIO && run->mmio.is_write == write &&
	    run->mmio.len == sizeof(u64) && run->mmio.phys_addr == TD_TDVMCALL_GPA + offset)
		return;

	if (get_ucall(vcpu, &uc) == UCALL_ABORT)
		REPORT_GUEST_ASSERT(uc);

	TEST_FAIL("%s: wanted the TD to %s word %lu, got %s, ucall %lu", name,
		  write ? "write" : "read", offset / sizeof(u64),
		  exit_reason_str(run->exit_reason), uc.cmd);
}

void tdvmcall_launch(struct kvm_vcpu *vcpu, const char *name)
{
	vcpu_run(vcpu);
	check_access(vcpu, name, true, READY_OFFSET);
}

/* Run to the TD's next read, of the word at @offset, and answer it. */
static void answer_read(struct kvm_vcpu *vcpu, const char *name, size_t offset, u64 data)
{
	vcpu_run(vcpu);
	check_access(vcpu, name, false, offset);
	memcpy(vcpu->run->mmio.data, &data, sizeof(data));
}

void tdvmcall_issue(struct kvm_vcpu *vcpu, const char *name, const struct tdcall_regs *regs)
{
	const u64 *values = (const u64 *)regs;
	const u64 mask = different(regs);
	size_t i;

	answer_read(vcpu, name, DIFFERENT_OFFSET, mask);
	for (i = 0; i < NR_TDCALL_REGS; i++) {
		if (mask & IS_OTHER(i))
			answer_read(vcpu, name, i * sizeof(u64), values[i]);
	}

	tdvmcall_launch(vcpu, name);
}

void tdvmcall_poison_exit(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	memset(run->padding, POISON, sizeof(run->padding));
	/* The data of port I/O is in a page of its own. */
	memset((void *)run + KVM_PIO_PAGE_OFFSET * PAGE_SIZE, POISON, sizeof(u64));
	run->exit_reason = POISON;
	run->flags = POISON;
}

void tdvmcall_check_exit(struct kvm_vcpu *vcpu, const char *name, u64 i, u32 exit_reason)
{
	const struct kvm_run *run = vcpu->run;

	/* The selftests have no name for KVM_EXIT_TDX, which is 40. */
	TEST_ASSERT(run->exit_reason == exit_reason,
		    "%s: exit %lu: wanted %s (%u), got %s (%u)", name, i,
		    exit_reason_str(exit_reason), exit_reason,
		    exit_reason_str(run->exit_reason), run->exit_reason);
	/* KVM_RUN clears the flags, whatever userspace left there. */
	tdx_assert_value(name, "exit", i, "flags", 0, run->flags);
}

void tdvmcall_run_exit(struct kvm_vcpu *vcpu, const char *name, u64 i, u32 exit_reason)
{
	int r = __vcpu_run(vcpu);

	TEST_ASSERT(!r, "%s: exit %lu: wanted KVM_RUN to give 0, got %m", name, i);
	tdvmcall_check_exit(vcpu, name, i, exit_reason);
}

/* R10 is a status: show its name. */
static void check_reg(const char *name, u64 exits, size_t i, u64 want, u64 got)
{
	if (i != offsetof(struct tdcall_regs, r10) / sizeof(u64)) {
		tdx_assert_value(name, "exits done", exits, tdvmcall_reg_names[i], want, got);
		return;
	}

	TEST_ASSERT(want == got,
		    "%s: exits done %lu: R10: wanted %s (0x%lx), got %s (0x%lx)", name,
		    exits, tdvmcall_status_name(want), want, tdvmcall_status_name(got), got);
}

/* Take what the TD writes, in the exit that @vcpu is at, to the word at @offset. */
static u64 take_write(struct kvm_vcpu *vcpu, const char *name, size_t offset)
{
	u64 data;

	check_access(vcpu, name, true, offset);
	memcpy(&data, vcpu->run->mmio.data, sizeof(data));
	return data;
}

void tdvmcall_check_regs(struct kvm_vcpu *vcpu, const char *name, u64 exits,
			 const struct tdcall_regs *want)
{
	const u64 mask = take_write(vcpu, name, DIFFERENT_OFFSET);
	const u64 *values = (const u64 *)want;
	struct tdcall_regs regs;
	u64 *got = (u64 *)&regs;
	size_t i;

	set_by_mask(&regs, mask);
	for (i = 0; i < NR_TDCALL_REGS; i++) {
		if (mask & IS_OTHER(i)) {
			vcpu_run(vcpu);
			got[i] = take_write(vcpu, name, i * sizeof(u64));
		}
		check_reg(name, exits, i, values[i], got[i]);
	}
}

void tdvmcall_finish(struct kvm_vcpu *vcpu, const char *name, u64 exits,
		     const struct tdcall_regs *want)
{
	tdvmcall_run_exit(vcpu, name, exits, KVM_EXIT_MMIO);
	tdvmcall_check_regs(vcpu, name, exits, want);
}
