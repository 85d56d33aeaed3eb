/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM_TDX_* commands that are not to succeed: operands, and how they end. */
#ifndef SELFTEST_TDX_TDX_CMD_H
#define SELFTEST_TDX_TDX_CMD_H

#include <stdbool.h>

#include "kvm_util.h"

/*
 * If this environment variable is set to 1, cases are run in which KVM warns,
 * about userspace's doing.
 */
#define TDX_WARN_ENV	"TDX_KVM_WARN"
/* The reason of a skip is part of the result's name for some: keep it. */
#define TDX_WARN_REASON	"KVM would warn and " TDX_WARN_ENV " is not 1"

bool tdx_may_warn(void);

/*
 * An operand that ends where nothing is mapped, so that KVM cannot read or write
 * a byte more than the test gives it.
 */
struct tdx_cmd_buffer {
	void *data;
	void *map;
};

/* Let the buffer be a copy of the @size bytes at @from, a multiple of 8. */
void tdx_cmd_buffer_set(struct tdx_cmd_buffer *buffer, const void *from, size_t size);

/* Let the buffer be its own first @size bytes, which moves them. */
void tdx_cmd_buffer_resize(struct tdx_cmd_buffer *buffer, size_t size);

/* The first address that is not mapped. */
void *tdx_cmd_buffer_end(const struct tdx_cmd_buffer *buffer);

/* What is wrong with a command itself, and how it ends. */
struct tdx_cmd_refusal {
	u32 flags;
	u64 given;		/* in hw_error, where KVM wants 0: it stays */
	bool no_operand;	/* NULL instead of it */
	int error;		/* errno */
	u64 hw_error;		/* the TDX module's status, 0 if KVM found the fault */
};

/*
 * Issue @cmd on @fd, a VM or a vCPU, with what @refusal says is wrong with it, and
 * check that it fails as @refusal says.
 */
void tdx_cmd_refused(int fd, struct kvm_tdx_cmd *cmd, const struct tdx_cmd_refusal *refusal);

/* Issue @cmd on @fd, and check that it succeeds. */
void tdx_cmd_carried_out(int fd, struct kvm_tdx_cmd *cmd);

#endif /* SELFTEST_TDX_TDX_CMD_H */
