// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ioctls write to their operand for a TD: nothing if they fail, nothing beyond the
 * operand, and neither the registers of the TD nor what another ioctl has left in the
 * kernel's memory.
 */
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_ioctl.h"
#include "tdx/tdx_left_over.h"
#include "tdx/tdx_stage.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* The operand before the ioctl. */
#define UNWRITTEN	0xa5

/* Larger than any operand that has no entries after it. */
#define OPERAND_SIZE	SZ_8K

/* Stages of a TD whose registers and memory are more and more its own. */
FIXTURE(getter)
{
	struct tdx_td td;
};

FIXTURE_VARIANT(getter)
{
	enum tdx_stage stage;
};

FIXTURE_VARIANT_ADD(getter, vcpu_created)	{ .stage = TDX_STAGE_VCPU_CREATED };
FIXTURE_VARIANT_ADD(getter, finalized)		{ .stage = TDX_STAGE_FINALIZED };
FIXTURE_VARIANT_ADD(getter, in_hypercall)	{ .stage = TDX_STAGE_IN_HYPERCALL };

FIXTURE_SETUP(getter)
{
	tdx_td_build(&self->td, variant->stage);
}

FIXTURE_TEARDOWN(getter)
{
	kvm_vm_free(self->td.vm);
}

/*
 * ioctls that KVM refuses for a TD, or for such an operand, after it has copied the
 * operand to its stack or to an object of its own.
 */
static const struct {
	enum tdx_ioctl_file file;
	unsigned long number;
} leavers[] = {
	{ TDX_IOCTL_VM, KVM_SET_IRQCHIP },
	{ TDX_IOCTL_VM, KVM_SET_PIT2 },
	{ TDX_IOCTL_VM, KVM_SET_CLOCK },
	{ TDX_IOCTL_VM, KVM_ENABLE_CAP },
	{ TDX_IOCTL_VM, KVM_IRQFD },
	{ TDX_IOCTL_VCPU, KVM_SET_REGS },
	{ TDX_IOCTL_VCPU, KVM_SET_SREGS },
	{ TDX_IOCTL_VCPU, KVM_SET_FPU },
	{ TDX_IOCTL_VCPU, KVM_SET_LAPIC },
	{ TDX_IOCTL_VCPU, KVM_SET_XSAVE },
	{ TDX_IOCTL_VCPU, KVM_SET_XCRS },
	{ TDX_IOCTL_VCPU, KVM_SET_DEBUGREGS },
	{ TDX_IOCTL_VCPU, KVM_SET_VCPU_EVENTS },
	{ TDX_IOCTL_VCPU, KVM_SET_MP_STATE },
};

static int file_of(const struct tdx_td *td, enum tdx_ioctl_file file)
{
	return file == TDX_IOCTL_VM ? td->vm->fd : td->vcpu->fd;
}

/*
 * Let leaver @i leave the pattern in the kernel.  The next ioctl uses the same part of
 * the stack, and so would another leaver between the two.
 */
static void leave_pattern(const struct tdx_td *td, size_t i)
{
	static u8 pattern[OPERAND_SIZE];

	memset(pattern, TDX_LEFT_OVER, sizeof(pattern));
	TEST_ASSERT(ioctl(file_of(td, leavers[i].file), leavers[i].number, pattern) < 0,
		    "ioctl 0x%lx with the pattern: wanted an error", leavers[i].number);
}

static void check_no_leak(const char *name, const u8 *operand, size_t size)
{
	size_t where;
	const char *why = tdx_left_over_in(operand, size, &where);

	TEST_ASSERT(!why, "%s: byte %zu %s", name, where, why);
}

/* The bytes from @first on are those that the operand had before. */
static void check_unwritten(const char *name, const u8 *operand, size_t first)
{
	size_t i;

	for (i = first; i < OPERAND_SIZE; i++) {
		if (operand[i] != UNWRITTEN)
			TEST_FAIL("%s: byte %zu: wanted 0x%x, got 0x%x", name, i, UNWRITTEN,
				  operand[i]);
	}
}

/* An ioctl that only writes, after leaver @i. */
static void check_out(const struct tdx_td *td, const struct tdx_ioctl *row, size_t i)
{
	static u8 operand[OPERAND_SIZE];
	int r;

	memset(operand, UNWRITTEN, sizeof(operand));
	leave_pattern(td, i);
	r = ioctl(file_of(td, row->file), row->number, operand);
	check_unwritten(row->name, operand, r < 0 ? 0 : row->size);
	if (r >= 0)
		check_no_leak(row->name, operand, row->size);
}

/* An ioctl that reads its operand, and writes to it, and may write entries after it. */
static void check_inout(const struct tdx_td *td, const struct tdx_ioctl *row, size_t i)
{
	const struct tdx_target target = { .vm = td->vm, .vcpu = td->vcpu };
	unsigned long operand;

	operand = tdx_ioctl_operand(row, &target, TDX_OPERAND_GOOD);
	leave_pattern(td, i);
	ioctl(file_of(td, row->file), row->number, operand);
	check_no_leak(row->name, (const u8 *)operand, OPERAND_SIZE);
}

static void check_row(const struct tdx_td *td, const struct tdx_ioctl *row)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(leavers); i++) {
		if (row->flow == TDX_IOCTL_OUT)
			check_out(td, row, i);
		else if (row->flow == TDX_IOCTL_INOUT)
			check_inout(td, row, i);
	}
}

TDX_TEST_F(getter, leaks_nothing)
{
	const struct tdx_ioctl *row;
	int want;

	for (row = tdx_ioctls; row < tdx_ioctls + tdx_nr_ioctls; row++) {
		want = tdx_ioctl_answer(row, self->td.stage, TDX_OPERAND_GOOD);
		if (row->file != TDX_IOCTL_DEV && want != TDX_UNTRIED)
			check_row(&self->td, row);
	}

	tdx_td_finish(&self->td);
}

TDX_TEST_MAIN()
