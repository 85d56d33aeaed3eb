// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test_util.h"
#include "tdx/tdx_kvm.h"
#include "tdx/tdx_warning.h"

#define WARN_COUNT	"/sys/kernel/warn_count"
#define CLEAR_WARN_ONCE	"/sys/kernel/debug/clear_warn_once"
#define KERNEL_LOG	"/dev/kmsg"
/* A read() gives one record, which is not longer (PRINTKRB_RECORD_MAX of the kernel). */
#define RECORD_LENGTH	8192

static bool env_has(const char *name)
{
	return tdx_env_has(TDX_WARN_ENV, "1") || tdx_env_has(TDX_WARN_ENV, name);
}

bool tdx_may_announce(void)
{
	return env_has(TDX_WARN_ANNOUNCED);
}

bool tdx_may_warn_of_finding(unsigned int finding)
{
	return env_has(TDX_WARN_FINDINGS) || tdx_kvm_has_fix(finding);
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

static void announce(const char *what, const char *text)
{
	/* A file for each line: the kernel drops lines if one file has too many. */
	FILE *f = fopen(KERNEL_LOG, "w");

	if (!f)
		return;
	fprintf(f, "%s %s\n", what, text);
	fclose(f);
}

u64 tdx_announce_warning(const char *text)
{
	announce(TDX_WARN_ANNOUNCEMENT, text);
	return tdx_count_warnings();
}

void tdx_announce_finding(unsigned int number)
{
	char text[16];

	/* Where a finding is fixed, its warnings count. */
	if (!env_has(TDX_WARN_FINDINGS))
		return;
	snprintf(text, sizeof(text), "%u", number);
	announce(TDX_WARN_FINDING, text);
}

u64 tdx_end_announcement(u64 before)
{
	const u64 after = read_count();

	announce(TDX_WARN_ANNOUNCEMENT, "");
	return after - before;
}

int tdx_log_open(void)
{
	int log = open(KERNEL_LOG, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (log >= 0)
		lseek(log, 0, SEEK_END);
	return log;
}

bool tdx_log_has(int log, const char *first, const char *second)
{
	char record[RECORD_LENGTH + 1];
	ssize_t length;

	do {
		length = read(log, record, RECORD_LENGTH);
		record[length > 0 ? length : 0] = '\0';
		if (length > 0 && strstr(record, first) && strstr(record, second))
			return true;
		/* The kernel has overwritten what was not read yet. */
	} while (length > 0 || (length < 0 && errno == EPIPE));

	return false;
}
