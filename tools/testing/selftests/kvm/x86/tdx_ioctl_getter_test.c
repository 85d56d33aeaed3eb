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
#include "tdx/tdx_stage.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* The operand before the ioctl, and what ioctls before it leave in the kernel. */
#define UNWRITTEN	0xa5
#define LEFT_OVER	0x5c

/* So many bytes of it in a row are no accident. */
#define NR_LEFT_OVER	4

/* How the registers of the TD begin while it waits for its hypercall (tdvmcall.c). */
#define TD_REGISTER	0x5eed5eed5eed0000ULL
#define TD_REGISTER_MASK GENMASK_ULL(63, 16)

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
 * Let KVM copy the pattern to its stack and to objects of each size, by ioctls that it
 * refuses for a TD, or for such an operand, after it has read the operand.
 */
static void leave_pattern(const struct tdx_td *td)
{
	static const unsigned long of_vcpu[] = {
		KVM_SET_REGS, KVM_SET_SREGS, KVM_SET_FPU, KVM_SET_LAPIC, KVM_SET_XSAVE,
		KVM_SET_XCRS, KVM_SET_DEBUGREGS, KVM_SET_VCPU_EVENTS, KVM_SET_MP_STATE,
	};
	static const unsigned long of_vm[] = {
		KVM_SET_IRQCHIP, KVM_SET_PIT2, KVM_SET_CLOCK, KVM_ENABLE_CAP, KVM_IRQFD,
	};
	static u8 pattern[OPERAND_SIZE];
	size_t i;

	memset(pattern, LEFT_OVER, sizeof(pattern));
	for (i = 0; i < ARRAY_SIZE(of_vm); i++)
		TEST_ASSERT(ioctl(td->vm->fd, of_vm[i], pattern) < 0,
			    "ioctl 0x%lx of a VM: wanted an error", of_vm[i]);
	for (i = 0; i < ARRAY_SIZE(of_vcpu); i++)
		TEST_ASSERT(ioctl(td->vcpu->fd, of_vcpu[i], pattern) < 0,
			    "ioctl 0x%lx of a vCPU: wanted an error", of_vcpu[i]);
}

static void check_no_leak(const char *name, const u8 *operand, size_t size)
{
	unsigned int row = 0;
	size_t i;
	u64 word;

	for (i = 0; i < size; i++) {
		row = operand[i] == LEFT_OVER ? row + 1 : 0;
		TEST_ASSERT(row < NR_LEFT_OVER, "%s: byte %zu is left over from another ioctl",
			    name, i);
	}

	for (i = 0; i + sizeof(word) <= size; i += sizeof(word)) {
		memcpy(&word, operand + i, sizeof(word));
		TEST_ASSERT((word & TD_REGISTER_MASK) != TD_REGISTER,
			    "%s: byte %zu begins a register of the TD, 0x%lx", name, i, word);
	}
}

/* The bytes from @first on are those that the operand had before. */
static void check_unwritten(const char *name, const u8 *operand, size_t first)
{
	size_t i;

	for (i = first; i < OPERAND_SIZE; i++)
		TEST_ASSERT(operand[i] == UNWRITTEN, "%s: byte %zu: wanted 0x%x, got 0x%x", name,
			    i, UNWRITTEN, operand[i]);
}

/* An ioctl that only writes. */
static void check_out(const struct tdx_td *td, const struct tdx_ioctl *row)
{
	const int fd = row->file == TDX_IOCTL_VM ? td->vm->fd : td->vcpu->fd;
	static u8 operand[OPERAND_SIZE];
	int r;

	leave_pattern(td);
	memset(operand, UNWRITTEN, sizeof(operand));
	r = ioctl(fd, row->number, operand);
	check_unwritten(row->name, operand, r < 0 ? 0 : row->size);
	if (r >= 0)
		check_no_leak(row->name, operand, row->size);
}

/* An ioctl that reads its operand, and writes to it, and may write entries after it. */
static void check_inout(const struct tdx_td *td, const struct tdx_ioctl *row)
{
	const struct tdx_target target = { .vm = td->vm, .vcpu = td->vcpu };
	const int fd = row->file == TDX_IOCTL_VM ? td->vm->fd : td->vcpu->fd;
	unsigned long operand;

	operand = tdx_ioctl_operand(row, &target, TDX_OPERAND_GOOD);
	leave_pattern(td);
	ioctl(fd, row->number, operand);
	check_no_leak(row->name, (const u8 *)operand, OPERAND_SIZE);
}

TDX_TEST_F(getter, leaks_nothing)
{
	const struct tdx_ioctl *row;
	int want;

	for (row = tdx_ioctls; row < tdx_ioctls + tdx_nr_ioctls; row++) {
		want = tdx_ioctl_answer(row, self->td.stage, TDX_OPERAND_GOOD);
		if (row->file == TDX_IOCTL_DEV || want == TDX_UNTRIED)
			continue;
		if (row->flow == TDX_IOCTL_OUT)
			check_out(&self->td, row);
		else if (row->flow == TDX_IOCTL_INOUT)
			check_inout(&self->td, row);
	}

	tdx_td_finish(&self->td);
}

TDX_TEST_MAIN()
