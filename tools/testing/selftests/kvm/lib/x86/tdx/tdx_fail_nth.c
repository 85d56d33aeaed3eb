// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test_util.h"
#include "tdx/tdx_fail_nth.h"
#include "tdx/tdx_file.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define DEBUGFS		"/sys/kernel/debug/"

/* At most one fault is left, so that at most one of two writes fails. */
#define MAX_WRITES	2

/*
 * By default only allocations fail that must not wait, and only larger ones than a page.
 * A stack trace of each failure would fill the kernel's log.
 */
static const struct {
	const char *file;
	const char *value;
} knobs[] = {
	{ DEBUGFS "failslab/ignore-gfp-wait",		"N" },
	{ DEBUGFS "failslab/verbose",			"0" },
	{ DEBUGFS "fail_page_alloc/ignore-gfp-wait",	"N" },
	{ DEBUGFS "fail_page_alloc/ignore-gfp-highmem",	"N" },
	{ DEBUGFS "fail_page_alloc/min-order",		"0" },
	{ DEBUGFS "fail_page_alloc/verbose",		"0" },
	{ DEBUGFS "fail_usercopy/verbose",		"0" },
};

static int fail_nth = -1;

bool tdx_fail_nth_prepare(void)
{
	size_t i;

	if (fail_nth < 0)
		fail_nth = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	if (fail_nth < 0)
		return false;

	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		if (!tdx_file_write(knobs[i].file, knobs[i].value))
			return false;
	}
	return true;
}

void tdx_fail_nth_arm(u32 nth)
{
	char text[16];
	const int length = snprintf(text, sizeof(text), "%u", nth);

	TEST_ASSERT(pwrite(fail_nth, text, length, 0) == length, FAIL_NTH ": cannot write %s: %m",
		    text);
}

bool tdx_fail_nth_disarm(void)
{
	const int error = errno;
	char text[16] = "";
	ssize_t length;
	int i;

	/* EFAULT: the copy of the count is the first that fails. */
	length = pread(fail_nth, text, sizeof(text) - 1, 0);
	TEST_ASSERT(length > 0 || errno == EFAULT, FAIL_NTH ": cannot read: %m");

	for (i = 0; i < MAX_WRITES; i++) {
		if (pwrite(fail_nth, "0", 1, 0) == 1)
			break;
	}
	TEST_ASSERT(i < MAX_WRITES, FAIL_NTH ": cannot write 0: %m");

	errno = error;
	return length > 0 && !atoi(text);
}
