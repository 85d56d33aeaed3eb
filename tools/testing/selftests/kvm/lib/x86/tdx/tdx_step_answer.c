// SPDX-License-Identifier: GPL-2.0-only
#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_kvm.h"
#include "tdx/tdx_step_answer.h"
#include "tdx/tdx_util.h"

#define MAX_ANSWERS	8

/* The last errno that userspace may see, EHWPOISON. */
#define LAST_ERRNO	133

/* Rows that reach a known bug of KVM for a TD. */
static const struct {
	unsigned long number;
	unsigned int finding;
	bool random_only;	/* the operands of the table do not reach it */
	bool of_any_vm;		/* an ordinary VM gives answers that the table does not have */
} gates[] = {
	{ KVM_GET_NESTED_STATE, 3, .of_any_vm = true },
	{ KVM_SET_NESTED_STATE, 3, .of_any_vm = true },
	{ KVM_SET_VCPU_EVENTS, 7, .random_only = true },
	{ KVM_SET_VCPU_EVENTS, 8, .random_only = true },
	{ .number = KVM_INTERRUPT, .finding = 8 },
	{ KVM_XEN_HVM_SET_ATTR, 24, .random_only = true },
	{ KVM_XEN_VCPU_SET_ATTR, 24, .random_only = true },
};

bool tdx_step_may_ioctl(const struct tdx_ioctl *row, bool is_td, bool random)
{
	size_t i;

	/* Finding 2: of an address of shared memory it leaks page tables. */
	if (row->number == KVM_PRE_FAULT_MEMORY && is_td && random && tdx_leaks_page_tables())
		return false;

	for (i = 0; i < ARRAY_SIZE(gates); i++) {
		if (gates[i].number == row->number && (is_td || gates[i].of_any_vm) &&
		    (random || !gates[i].random_only) && !tdx_kvm_has_fix(gates[i].finding))
			return false;
	}

	return true;
}

bool tdx_step_may_cap(const struct tdx_cap *cap, bool is_td)
{
	return cap->cap != KVM_CAP_HYPERV_ENLIGHTENED_VMCS || (is_td && tdx_kvm_has_fix(3));
}

/* More memory than this takes KVM too long, or too much of its own. */
#define MAX_RANDOM_SIZE	SZ_2M

static void tame_command(struct kvm_tdx_cmd *cmd)
{
	/* Finding 6: only as an operation, which looks for a vCPU first. */
	if (cmd->id == KVM_TDX_FINALIZE_VM && !tdx_kvm_has_fix(6))
		cmd->id = KVM_TDX_CAPABILITIES;
}

void tdx_step_tame(const struct tdx_ioctl *row, void *operand)
{
	switch (row->number) {
	case KVM_SET_USER_MEMORY_REGION:
	case KVM_SET_USER_MEMORY_REGION2:
		((struct kvm_userspace_memory_region *)operand)->memory_size %= MAX_RANDOM_SIZE;
		break;
	case KVM_SET_MEMORY_ATTRIBUTES:
		((struct kvm_memory_attributes *)operand)->size %= MAX_RANDOM_SIZE;
		break;
	case KVM_PRE_FAULT_MEMORY:
		((struct kvm_pre_fault_memory *)operand)->size %= MAX_RANDOM_SIZE;
		break;
	case KVM_MEMORY_ENCRYPT_OP:
		tame_command(operand);
		break;
	case KVM_ENABLE_CAP:
		if (((struct kvm_enable_cap *)operand)->cap == KVM_CAP_HYPERV_ENLIGHTENED_VMCS)
			((struct kvm_enable_cap *)operand)->cap = 0;
		break;
	}
}

/* In a list of errors, where 0 is the end. */
#define SUCCESS		1000

/* Answers besides those of the table, which knows neither earlier steps nor random bits. */
static const struct {
	unsigned long number;
	bool random_only;
	int errors[MAX_ANSWERS];
} more_answers[] = {
	/* It was done before. */
	{ KVM_IRQFD, false, { EBUSY } },
	{ KVM_IOEVENTFD, false, { EEXIST } },
	{ KVM_HYPERV_EVENTFD, false, { EEXIST } },
	{ KVM_SET_TSS_ADDR, false, { EEXIST } },
	{ KVM_SET_USER_MEMORY_REGION, false, { EEXIST } },
	{ KVM_SET_USER_MEMORY_REGION2, false, { EEXIST } },
	/* With a dirty ring. */
	{ KVM_GET_DIRTY_LOG, false, { ENXIO } },
	{ KVM_CLEAR_DIRTY_LOG, false, { ENXIO } },
	{ KVM_RESET_DIRTY_RINGS, false, { SUCCESS } },
	/* The vCPU has no CPUID yet. */
	{ KVM_GET_CPUID2, false, { SUCCESS } },
	/* There is no memory at the GPA, or no more. */
	{ KVM_XEN_VCPU_SET_ATTR, false, { EFAULT } },
	{ KVM_SET_VAPIC_ADDR, false, { EINVAL } },
	/* The slot, its guest_memfd or the attribute of the page is gone. */
	{ KVM_PRE_FAULT_MEMORY, false, { ENOENT, EFAULT } },
	/* Files, devices and registers of other numbers. */
	{ KVM_IRQFD, true, { EBADF } },
	{ KVM_IOEVENTFD, true, { EBADF, ENOENT } },
	{ KVM_HYPERV_EVENTFD, true, { EBADF, ENOENT } },
	{ KVM_SET_USER_MEMORY_REGION2, true, { EBADF } },
	{ KVM_CREATE_DEVICE, true, { ENODEV, EEXIST, EBUSY, EOPNOTSUPP } },
	{ KVM_GET_ONE_REG, true, { ENOENT, EFAULT } },
	{ KVM_SET_ONE_REG, true, { ENOENT, EFAULT } },
	{ KVM_CREATE_VCPU, true, { SUCCESS, EEXIST, EIO } },
	/* Addresses and numbers of entries. */
	{ KVM_GET_DEVICE_ATTR, true, { EFAULT } },
	{ KVM_SET_DEVICE_ATTR, true, { EFAULT } },
	{ KVM_SET_GSI_ROUTING, true, { EFAULT } },
	{ KVM_X86_SET_MSR_FILTER, true, { EFAULT } },
	{ KVM_SET_PMU_EVENT_FILTER, true, { E2BIG, EFAULT } },
	{ KVM_XEN_HVM_CONFIG, true, { E2BIG } },
	/* Another capability, or another command. */
	{ KVM_ENABLE_CAP, true, { TDX_ANY_ANSWER } },
	{ KVM_MEMORY_ENCRYPT_OP, true, { TDX_ANY_ANSWER } },
};

static bool has_error(const int *errors, int error)
{
	size_t i;

	for (i = 0; i < MAX_ANSWERS && errors[i]; i++) {
		if (errors[i] == error || errors[i] == TDX_ANY_ANSWER ||
		    (errors[i] == SUCCESS && !error))
			return true;
	}

	return false;
}

/* @random_only: also those for operands with random bits. */
static bool has_more(unsigned long number, bool random_only, int error)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(more_answers); i++) {
		if (more_answers[i].number == number &&
		    (random_only || !more_answers[i].random_only) &&
		    has_error(more_answers[i].errors, error))
			return true;
	}

	return false;
}

static bool matches(int answer, int error)
{
	return answer == error || answer == TDX_ANY_ANSWER || answer == TDX_UNTRIED;
}

static bool of_td(const struct tdx_ioctl *row, enum tdx_operand operand, int error)
{
	enum tdx_stage stage;

	for (stage = 0; stage <= TDX_STAGE_IN_HYPERCALL; stage++) {
		if (matches(tdx_ioctl_answer(row, stage, operand), error))
			return true;
	}

	return false;
}

bool tdx_step_ioctl_answer(const struct tdx_ioctl *row, bool is_td, unsigned int operand,
			   int error)
{
	const bool random = operand >= NR_TDX_OPERANDS;
	unsigned int other;

	if (error < 0 || error > LAST_ERRNO)
		return false;
	/* What has happened to an ordinary VM decides, not the table. */
	if (!is_td && (error != EFAULT || has_more(row->number, random, error)))
		return true;
	if (!is_td)
		return operand < TDX_OPERAND_ONES ||
		       (!random && matches(tdx_ioctl_plain_answer(row, operand), error));
	if (!random)
		return of_td(row, operand, error) || has_more(row->number, false, error);

	/* Whatever the bits are, there is memory. */
	for (other = TDX_OPERAND_ONES; other < NR_TDX_OPERANDS; other++) {
		if (of_td(row, other, error))
			return true;
	}

	return error == EINVAL || has_more(row->number, true, error);
}

bool tdx_step_cap_answer(const struct tdx_cap *cap, bool is_td, enum tdx_operand operand,
			 int error)
{
	enum tdx_stage stage;

	if (!is_td)
		return error != EFAULT;

	for (stage = 0; stage <= TDX_STAGE_IN_HYPERCALL; stage++) {
		if (matches(tdx_cap_answer(cap, stage, operand), error))
			return true;
	}

	return false;
}

/* How an operation may end besides with success. */
static const int op_answers[TDX_NR_OPS][MAX_ANSWERS] = {
	[TDX_OP_INIT_VM]	= { EINVAL },
	[TDX_OP_FINALIZE_VM]	= { EINVAL },
	[TDX_OP_INIT_VCPU]	= { EINVAL },
	/* Without guest_memfd: EFAULT.  The page is there already: EIO. */
	[TDX_OP_INIT_MEM_REGION] = { EINVAL, EFAULT, EIO },
	[TDX_OP_GET_CPUID]	= { EINVAL },
	[TDX_OP_SET_CPUID2]	= { EINVAL },
	[TDX_OP_DELETE_SLOT]	= { EINVAL },
	/* After its deletion the slot is a new one, if its guest_memfd is still there. */
	[TDX_OP_MOVE_SLOT]	= { EINVAL, EBADF },
	/* Of a TD that is not initialized: EIO. */
	[TDX_OP_CREATE_VCPU]	= { EEXIST, EINVAL, EIO },
	/* The vCPU waits for a signal, or has no memory. */
	[TDX_OP_RUN]		= { EINVAL, EFAULT, EINTR, EAGAIN },
};

bool tdx_step_op_answer(enum tdx_op_id op, bool is_td, int error)
{
	if (error < 0 || error > LAST_ERRNO)
		return false;
	/* An ordinary VM knows no commands of TDs.  It dies of an SMI without memory. */
	if (!is_td)
		return error || tdx_ops[op].cmd == TDX_NO_CMD;
	return !error || has_error(op_answers[op], error);
}
