// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_util.h"
#include "tdx/tdx_kvm.h"
#include "tdx/tdx_warning.h"

#define WARN_COUNT	"/sys/kernel/warn_count"
#define CLEAR_WARN_ONCE	"/sys/kernel/debug/clear_warn_once"

static bool env_is(const char *wanted)
{
	const char *value = getenv(TDX_WARN_ENV);

	return value && !strcmp(value, wanted);
}

bool tdx_may_warn(void)
{
	return env_is("1");
}

bool tdx_may_warn_of_finding(unsigned int finding)
{
	return tdx_may_warn() || env_is(TDX_WARN_FINDINGS) || tdx_kvm_has_fix(finding);
}

static u64 read_count(void)
{
	FILE *f = fopen(WARN_COUNT, "r");
	unsigned long count = 0;

	if (!f)
		return 0;
	TEST_ASSERT(fscanf(f, "%lu", &count) == 1, WARN_COUNT " holds no number");
	fclose(f);

	return count;
}

u64 tdx_count_warnings(void)
{
	FILE *f = fopen(CLEAR_WARN_ONCE, "w");

	if (f) {
		fputs("1", f);
		fclose(f);
	}

	return read_count();
}

void tdx_assert_no_warning(u64 before)
{
	const u64 after = read_count();

	TEST_ASSERT(after == before, "warnings of the kernel: wanted none, got %lu",
		    after - before);
}
