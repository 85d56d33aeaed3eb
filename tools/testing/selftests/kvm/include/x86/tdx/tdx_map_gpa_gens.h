/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How KVM handles the answer of userspace, hypercall.ret, to the exit for a chunk of a
 * MapGPA: the generations of that ABI.
 */
#ifndef SELFTEST_TDX_TDX_MAP_GPA_GENS_H
#define SELFTEST_TDX_TDX_MAP_GPA_GENS_H

#include <stdbool.h>

#include <linux/types.h>

#include "kvm_util_types.h"

/* Environment variable that selects the generation, and its default value. */
#define TDX_MAP_GPA_ABI_ENV		"TDX_MAP_GPA_ABI"
#define TDX_MAP_GPA_ABI_DEFAULT		"merged"

/*
 * If this environment variable is 1, a case that the selected generation does not have
 * fails instead of being skipped: to bisect for the generation.
 */
#define TDX_MAP_GPA_STRICT_ENV		"TDX_MAP_GPA_STRICT"

/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define TDX_MAP_GPA_SKIP_REASON		"not in this generation of the MapGPA ABI"

enum tdx_map_gpa_outcome {
	TDX_MAP_GPA_NEXT,		/* the next chunk, or success after the last one */
	TDX_MAP_GPA_RETRY,		/* R10 = TDVMCALL_STATUS_RETRY, R11 = the chunk */
	TDX_MAP_GPA_INVALID,	/* R10 = TDVMCALL_STATUS_INVALID_OPERAND, same R11 */
	TDX_MAP_GPA_RUN_EINVAL,	/* KVM_RUN fails with EINVAL, the TD is not entered */
};

struct tdx_map_gpa_gen {
	const char *name;
	const char *commit;	/* that introduced it, "-" if it never was merged */
	const char *summary;
	struct {
		u64 ret;
		enum tdx_map_gpa_outcome outcome;
	} answers[2];		/* answers except 0 that have an outcome of their own */
	enum tdx_map_gpa_outcome other;
	bool keeps_exit;	/* after TDX_MAP_GPA_RUN_EINVAL it is still to be answered */
};

/*
 * Returns the generation that TDX_MAP_GPA_ABI_ENV names, or the default one.  It does
 * not look at what KVM does: a KVM that has lost a behaviour must fail.
 */
const struct tdx_map_gpa_gen *tdx_map_gpa_gen(void);

/* Returns the outcome of the answer @ret in @gen. */
enum tdx_map_gpa_outcome tdx_map_gpa_outcome(const struct tdx_map_gpa_gen *gen, u64 ret);

/*
 * Returns an answer with the outcome @outcome in @gen.  There must be one, see
 * tdx_map_gpa_gen_has().
 */
u64 tdx_map_gpa_answer(const struct tdx_map_gpa_gen *gen, enum tdx_map_gpa_outcome outcome);

/* Returns true if at least one answer has the outcome @outcome in @gen. */
bool tdx_map_gpa_gen_has(const struct tdx_map_gpa_gen *gen, enum tdx_map_gpa_outcome outcome);

/*
 * Returns true if a case that needs an answer with @outcome must be skipped, by
 * SKIP(return, TDX_MAP_GPA_SKIP_REASON), because the generation has no such answer.
 * Fails instead if TDX_MAP_GPA_STRICT_ENV asks for it.
 */
bool tdx_map_gpa_skips(enum tdx_map_gpa_outcome outcome);

/* The same for a case that depends on something else: @has_case. */
bool tdx_map_gpa_skips_unless(bool has_case);

#endif /* SELFTEST_TDX_TDX_MAP_GPA_GENS_H */
