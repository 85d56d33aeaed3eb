/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What KVM makes of userspace's answer, hypercall.ret, to the exit for a chunk
 * of a MapGPA: the generations of that ABI.
 */
#ifndef SELFTEST_TDX_MAP_GPA_GENS_H
#define SELFTEST_TDX_MAP_GPA_GENS_H

#include <stdbool.h>

#include <linux/types.h>

#include "kvm_util_types.h"

/* Name, and value, of the environment variable that chooses the generation. */
#define TDX_MAP_GPA_ABI_ENV		"TDX_MAP_GPA_ABI"
#define TDX_MAP_GPA_ABI_DEFAULT		"merged"

/*
 * If this environment variable is set to 1, a case that the chosen generation
 * does not have fails instead of being skipped: to bisect for the generation.
 */
#define TDX_MAP_GPA_STRICT_ENV		"TDX_MAP_GPA_STRICT"

/* The reason of a skip is part of the result's name for some: keep it. */
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
	} answers[2];		/* the answers but 0 that are singled out */
	enum tdx_map_gpa_outcome other;
	bool keeps_exit;	/* after TDX_MAP_GPA_RUN_EINVAL it is still to be answered */
};

/*
 * Give the generation that TDX_MAP_GPA_ABI_ENV names, or the default one.  The
 * behaviour of KVM is not looked at: a KVM that lost a behaviour must fail.
 */
const struct tdx_map_gpa_gen *tdx_map_gpa_gen(void);

/* Give what @gen makes of the answer @ret. */
enum tdx_map_gpa_outcome tdx_map_gpa_outcome(const struct tdx_map_gpa_gen *gen, u64 ret);

/*
 * Give an answer that makes @gen give @outcome, which tdx_map_gpa_gen_has() must
 * have said that there is.
 */
u64 tdx_map_gpa_answer(const struct tdx_map_gpa_gen *gen, enum tdx_map_gpa_outcome outcome);

/* True if at least one answer makes @gen give @outcome. */
bool tdx_map_gpa_gen_has(const struct tdx_map_gpa_gen *gen, enum tdx_map_gpa_outcome outcome);

/*
 * True if a case that needs an answer with @outcome is to be skipped, by
 * SKIP(return, TDX_MAP_GPA_SKIP_REASON): the generation has no such answer.  Fails
 * instead if TDX_MAP_GPA_STRICT_ENV asks for it.
 */
bool tdx_map_gpa_skips(enum tdx_map_gpa_outcome outcome);

/* The same for a case that the generation has, or not, for another reason. */
bool tdx_map_gpa_skips_unless(bool has_case);

#endif /* SELFTEST_TDX_MAP_GPA_GENS_H */
