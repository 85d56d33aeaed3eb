/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What userspace can do to a TD while another thread does something else: the ioctls
 * with the locks that KVM takes for each, and a model of the TD that says how each one
 * ends.  Such a TD has one vCPU, one page of memory, and nothing to run.
 */
#ifndef SELFTEST_TDX_TDX_OPS_H
#define SELFTEST_TDX_TDX_OPS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include <linux/bits.h>
#include <linux/kvm.h>

/* Locks of KVM. */
#define TDX_LOCK_VM	BIT(0)		/* kvm->lock */
#define TDX_LOCK_VCPU	BIT(1)		/* vcpu->mutex */
#define TDX_LOCK_SLOTS	BIT(2)		/* kvm->slots_lock */
#define TDX_STATE_LOCKS	(TDX_LOCK_VM | TDX_LOCK_VCPU | TDX_LOCK_SLOTS)

enum tdx_op_id {
	TDX_OP_CAPABILITIES,
	TDX_OP_INIT_VM,
	TDX_OP_FINALIZE_VM,
	TDX_OP_INIT_VCPU,
	TDX_OP_INIT_MEM_REGION,
	TDX_OP_GET_CPUID,
	TDX_OP_SET_CPUID2,
	TDX_OP_SET_ATTRIBUTES,	/* to shared */
	TDX_OP_DELETE_SLOT,
	TDX_OP_MOVE_SLOT,
	TDX_OP_CREATE_VCPU,
	TDX_OP_RUN,
	TDX_OP_PUNCH_HOLE,
	TDX_OP_CLOSE_MEMFD,
	TDX_OP_CLOSE_VCPU,
	TDX_OP_CLOSE_VM,
	TDX_NR_OPS,
};

#define TDX_NO_CMD	UINT_MAX

struct tdx_op {
	const char *name;
	u32 locks;		/* TDX_LOCK_*, which it waits for */
	bool of_vcpu;
	u32 cmd;		/* KVM_TDX_*, or TDX_NO_CMD */
	unsigned long request;	/* of an ioctl with an operand, else 0 */
};

extern const struct tdx_op tdx_ops[TDX_NR_OPS];

/* What decides how an operation ends. */
struct tdx_model {
	bool initialized;
	bool vcpu;
	bool cpuid;		/* of the vCPU, which needs an x2APIC */
	bool vcpu_initialized;
	bool finalized;
	bool slot;
	bool memfd;
	bool private;
	bool page;		/* the page is mapped */
};

/* Returns how an operation ends, 0 or a negative errno, and changes @m as it changes the TD. */
int tdx_model_op(struct tdx_model *m, enum tdx_op_id id);

/* A file is -1 if it is closed. */
struct tdx_op_td {
	int vm;
	int vcpu;
	int memfd;
	struct kvm_userspace_memory_region2 slot;
	struct tdx_model model;
	struct kvm_tdx_init_vm *params;
	struct kvm_tdx_capabilities *caps;
	struct kvm_cpuid2 *cpuid;
};

/* Get from KVM the operands of all TDs that will be built in @td or in a copy of it. */
void tdx_op_td_init(struct tdx_op_td *td);

/* Create a TD, and take the steps before @id.  tdx_op_td_destroy() closes its files. */
void tdx_op_td_build(struct tdx_op_td *td, enum tdx_op_id id);
void tdx_op_td_destroy(struct tdx_op_td *td);

/* Sizes of parts of operands that end with CPUID entries. */
#define TDX_CPUID_HEADER	offsetof(struct kvm_cpuid2, entries)
#define TDX_INIT_VM_HEADER	offsetof(struct kvm_tdx_init_vm, cpuid)
#define TDX_CAPS_HEADER		offsetof(struct kvm_tdx_capabilities, cpuid)

/* The page of memory, below the 39 bits of GPA that every CPU with EPT supports. */
#define TDX_OP_GPA		0x1234600000ULL
#define TDX_OP_SLOT		1

/* No operand has more bytes. */
#define TDX_OP_OPERAND_SIZE	8192

/* A page of the host whose content KVM_TDX_INIT_MEM_REGION copies. */
extern char tdx_op_source[];

/*
 * Write a good operand of @id to @operand, and return its size.  @source is an address
 * for KVM_TDX_INIT_MEM_REGION.
 */
size_t tdx_op_operand(const struct tdx_op_td *td, enum tdx_op_id id, void *operand, void *source);

/* The same for the command itself, if @id is one. */
struct kvm_tdx_cmd tdx_op_cmd(enum tdx_op_id id, void *operand);

/*
 * Do @id, and return 0 or a negative errno.  @data is the command if it is one, else the operand.
 * The model of @td does not change.
 */
int tdx_op_issue(struct tdx_op_td *td, enum tdx_op_id id, void *data);

#endif /* SELFTEST_TDX_TDX_OPS_H */
