/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's userspace API as a table: every ioctl of /dev/kvm, of a VM and of a vCPU, with
 * makers of operands, and what a TD and an ordinary VM must answer.  tdx_ioctl_vm.def
 * and tdx_ioctl_vcpu.def have the rows, tdx_cap.def has those of KVM_ENABLE_CAP, tdx_flag.def
 * those of flags and attributes.
 *
 * The answers come from Documentation/virt/kvm/api.rst where it gives any.  Where it
 * says no more than "on error" they are what KVM's code says.
 */
#ifndef SELFTEST_TDX_TDX_IOCTL_H
#define SELFTEST_TDX_TDX_IOCTL_H

#include <stdbool.h>

#include "kvm_util.h"
#include "tdx/tdx_operand.h"
#include "tdx/tdx_stage.h"

enum tdx_ioctl_file {
	TDX_IOCTL_DEV,		/* /dev/kvm */
	TDX_IOCTL_VM,
	TDX_IOCTL_VCPU,
};

/* What the argument of an ioctl is. */
enum tdx_ioctl_flow {
	TDX_IOCTL_NONE,		/* KVM does not look at it */
	TDX_IOCTL_VALUE,	/* a number */
	TDX_IOCTL_IN,		/* the address of what KVM reads */
	TDX_IOCTL_OUT,		/* the address of what KVM writes */
	TDX_IOCTL_INOUT,
};

/* Operands, in the order in which they are tried: a good one may undo what all-ones did. */
enum tdx_operand {
	TDX_OPERAND_UNMAPPED,	/* an address without memory */
	TDX_OPERAND_CUT,	/* the last byte of the operand has no memory */
	TDX_OPERAND_ONES,	/* all bits are 1 */
	TDX_OPERAND_GOOD,	/* what an ordinary VM takes */
	TDX_OPERAND_ZEROS,
	NR_TDX_OPERANDS,
};

/*
 * Answers are errno values, 0 for success.  This one says that the operand is not tried:
 * it has no meaning, it would change the VM for good, or the answer is that of a known
 * bug.
 */
#define TDX_UNTRIED	-1
/* The answer depends on the CPU. */
#define TDX_ANY_ANSWER	-2

/* What the operands of a row get.  A cut operand gets what an unmapped one does. */
struct tdx_answers {
	int good;
	int zeros;
	int ones;
	int unmapped;
};

/* The same from a stage on.  Without a stage the row has no more changes. */
struct tdx_answers_since {
	enum tdx_stage stage;
	struct tdx_answers answers;
};

#define TDX_ANSWER_CHANGES	2

/* Above every ID that a vCPU can have. */
#define TDX_VCPU_ID_TOO_HIGH	0x10000

struct tdx_ioctl {
	const char *name;
	unsigned long number;
	enum tdx_ioctl_file file;
	enum tdx_ioctl_flow flow;
	size_t size;			/* of the operand, without entries that may follow */
	unsigned long value;		/* the good operand of TDX_IOCTL_VALUE */
	tdx_operand_fn *good;		/* fills it in otherwise; NULL: zeros */
	tdx_operand_fn *undo;		/* makes the operand that takes the good one back */
	struct tdx_answers plain;	/* of an ordinary VM with an irqchip and a vCPU */
	struct tdx_answers td;		/* of a TD at its first stage */
	struct tdx_answers_since since[TDX_ANSWER_CHANGES];
	bool gives_fd;			/* the result is a file */
	unsigned int needs;		/* without this capability KVM does not know the ioctl */
	const char *elsewhere;		/* test that tries what is TDX_UNTRIED */
};

extern const struct tdx_ioctl tdx_ioctls[];
extern const size_t tdx_nr_ioctls;

/* Capabilities of KVM_ENABLE_CAP: a row has one argument for each operand. */
struct tdx_cap {
	const char *name;
	unsigned int cap;
	enum tdx_ioctl_file file;
	u64 good;
	struct tdx_answers plain;	/* unmapped: with flags */
	struct tdx_answers td;
	struct tdx_answers_since since[TDX_ANSWER_CHANGES];
	unsigned int needs;		/* without this capability KVM does not know it */
	const char *elsewhere;
};

extern const struct tdx_cap tdx_caps[];
extern const size_t tdx_nr_caps;

/* Flags and attributes: numbers that operands have in them. */
enum tdx_flag_kind {
	TDX_FLAG_OF_SLOT,	/* kvm_userspace_memory_region2.flags */
	TDX_FLAG_OF_GUEST_MEMFD, /* kvm_create_guest_memfd.flags */
	TDX_FLAG_OF_PAGES,	/* kvm_memory_attributes.attributes */
	TDX_FLAG_OF_PRE_FAULT,	/* kvm_pre_fault_memory.flags */
	TDX_FLAG_OF_DEV,	/* kvm_device_attr.attr of /dev/kvm, in group 0 */
	TDX_FLAG_OF_VCPU,	/* kvm_device_attr.attr of a vCPU */
	NR_TDX_FLAG_KINDS,
};

struct tdx_flag {
	const char *name;
	u64 flag;
	enum tdx_flag_kind kind;
	int plain;		/* answer to the flag alone */
	int td;
};

extern const struct tdx_flag tdx_flags[];
extern const size_t tdx_nr_flags;

/* Returns the name of an operand for messages. */
const char *tdx_operand_name(enum tdx_operand operand);

/* Returns what @ioctl must answer for a TD at @stage, or TDX_UNTRIED. */
int tdx_ioctl_answer(const struct tdx_ioctl *ioctl, enum tdx_stage stage,
		     enum tdx_operand operand);
/* The same for an ordinary VM. */
int tdx_ioctl_plain_answer(const struct tdx_ioctl *ioctl, enum tdx_operand operand);

/*
 * Make the operand.  Returns the argument for the ioctl: a value, or an address in a
 * buffer of the calling thread, which its next call makes anew.
 */
unsigned long tdx_ioctl_operand(const struct tdx_ioctl *ioctl, const struct tdx_target *target,
				enum tdx_operand operand);

/*
 * Issue @ioctl with what tdx_ioctl_operand() has made, and close the file that it may give.
 * Returns errno, 0 for success.
 */
int tdx_ioctl_issue(const struct tdx_ioctl *ioctl, const struct tdx_target *target,
		    unsigned long operand);

/*
 * Issue @ioctl with the operand, close the file that it may give, and undo it if it
 * has succeeded.  Returns errno, 0 for success.
 */
int tdx_ioctl_try(const struct tdx_ioctl *ioctl, const struct tdx_target *target,
		  enum tdx_operand operand);

/* The same for a capability of KVM_ENABLE_CAP. */
int tdx_cap_answer(const struct tdx_cap *cap, enum tdx_stage stage, enum tdx_operand operand);
int tdx_cap_plain_answer(const struct tdx_cap *cap, enum tdx_operand operand);
int tdx_cap_try(const struct tdx_cap *cap, const struct tdx_target *target,
		enum tdx_operand operand);

#endif /* SELFTEST_TDX_TDX_IOCTL_H */
