// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test_util.h"
#include "tdx/tdx_map_gpa_gens.h"

static const struct tdx_map_gpa_gen gens[] = {
	{
		.name = "legacy",
		.commit = "-",
		.summary = "any error is the TD's fault",
		.other = TDX_MAP_GPA_INVALID,
	}, {
		.name = "posted",
		.commit = "-",
		.summary = "negative errno values, as first posted",
		.answers = {
			{ (u64)-EBUSY, TDX_MAP_GPA_RETRY },
			{ (u64)-EINVAL, TDX_MAP_GPA_INVALID },
		},
		.other = TDX_MAP_GPA_RUN_EINVAL,
	}, {
		.name = "merged",
		.commit = "3e2dec1ede0a",
		.summary = "positive errno values, anything else fails KVM_RUN",
		.answers = {
			{ EAGAIN, TDX_MAP_GPA_RETRY },
			{ EINVAL, TDX_MAP_GPA_INVALID },
		},
		.other = TDX_MAP_GPA_RUN_EINVAL,
	}, {
		.name = "fixed",
		.commit = "-",
		.summary = "as merged, and KVM_RUN fails until the answer is known",
		.answers = {
			{ EAGAIN, TDX_MAP_GPA_RETRY },
			{ EINVAL, TDX_MAP_GPA_INVALID },
		},
		.other = TDX_MAP_GPA_RUN_EINVAL,
		.keeps_exit = true,
	},
};

const struct tdx_map_gpa_gen *tdx_map_gpa_gen(void)
{
	const char *name = getenv(TDX_MAP_GPA_ABI_ENV) ?: TDX_MAP_GPA_ABI_DEFAULT;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(gens); i++) {
		if (!strcmp(gens[i].name, name))
			return &gens[i];
	}

	TEST_FAIL("%s: no generation '%s' of the MapGPA ABI", TDX_MAP_GPA_ABI_ENV, name);
}

enum tdx_map_gpa_outcome tdx_map_gpa_outcome(const struct tdx_map_gpa_gen *gen, u64 ret)
{
	size_t i;

	if (!ret)
		return TDX_MAP_GPA_NEXT;

	for (i = 0; i < ARRAY_SIZE(gen->answers); i++) {
		if (gen->answers[i].ret == ret)
			return gen->answers[i].outcome;
	}

	return gen->other;
}

/* An answer without an outcome of its own in any generation. */
#define OTHER_ANSWER	EPERM

bool tdx_map_gpa_gen_has(const struct tdx_map_gpa_gen *gen, enum tdx_map_gpa_outcome outcome)
{
	return tdx_map_gpa_outcome(gen, tdx_map_gpa_answer(gen, outcome)) == outcome;
}

bool tdx_map_gpa_skips(enum tdx_map_gpa_outcome outcome)
{
	return tdx_map_gpa_skips_unless(tdx_map_gpa_gen_has(tdx_map_gpa_gen(), outcome));
}

bool tdx_map_gpa_skips_unless(bool has_case)
{
	const char *strict = getenv(TDX_MAP_GPA_STRICT_ENV);
	const struct tdx_map_gpa_gen *gen = tdx_map_gpa_gen();

	if (has_case)
		return false;

	TEST_ASSERT(!strict || strcmp(strict, "1"), "%s: generation '%s': %s",
		    TDX_MAP_GPA_STRICT_ENV, gen->name, TDX_MAP_GPA_SKIP_REASON);
	return true;
}

u64 tdx_map_gpa_answer(const struct tdx_map_gpa_gen *gen, enum tdx_map_gpa_outcome outcome)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(gen->answers); i++) {
		if (gen->answers[i].ret && gen->answers[i].outcome == outcome)
			return gen->answers[i].ret;
	}

	return outcome == TDX_MAP_GPA_NEXT ? 0 : OTHER_ANSWER;
}
