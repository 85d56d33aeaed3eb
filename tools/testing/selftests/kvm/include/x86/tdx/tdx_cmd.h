/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM_TDX_* commands that must fail: their operands, and how they end. */
#ifndef SELFTEST_TDX_TDX_CMD_H
#define SELFTEST_TDX_TDX_CMD_H

#include <stdbool.h>

#include "kvm_util.h"

/*
 * An operand that ends where nothing is mapped, so that KVM cannot read or write a byte
 * beyond it.  All zeros is an empty one.
 */
struct tdx_cmd_buffer {
	void *data;
	void *map;
};

/* Make the buffer a copy of the @size bytes at @from.  @size is a multiple of 8. */
void tdx_cmd_buffer_set(struct tdx_cmd_buffer *buffer, const void *from, size_t size);

/* Keep only the first @size bytes of the buffer.  That moves them. */
void tdx_cmd_buffer_resize(struct tdx_cmd_buffer *buffer, size_t size);

/* Returns the address after the buffer, the first one that is not mapped. */
void *tdx_cmd_buffer_end(const struct tdx_cmd_buffer *buffer);

/* A fault of the command itself, and how the command ends. */
struct tdx_cmd_refusal {
	u32 flags;
	u64 given;		/* hw_error of the command, where KVM wants 0; it stays */
	bool no_operand;	/* NULL instead of it */
	int error;		/* errno */
	u64 hw_error;		/* status of the TDX module, 0 if KVM found the fault */
};

/*
 * Issue @cmd on @fd, the file of a VM or a vCPU, with the fault that @refusal
 * describes, and check that it ends as @refusal says.
 */
void tdx_cmd_refused(int fd, struct kvm_tdx_cmd *cmd, const struct tdx_cmd_refusal *refusal);

/* Issue @cmd on @fd, and check that it succeeds. */
void tdx_cmd_carried_out(int fd, struct kvm_tdx_cmd *cmd);

#endif /* SELFTEST_TDX_TDX_CMD_H */
