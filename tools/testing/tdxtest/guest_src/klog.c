// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest kernel's log, record by record, from /dev/kmsg.
 *
 * Which texts make a record a warning is data (kernel-warnings.list): the tool
 * on the host judges a console that ended early by the same list.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "klog.h"

/* PRINTKRB_RECORD_MAX of the kernel: a read() gives one record of this size. */
#define KLOG_RECORD_MAX		8192
#define KLOG_MAX_LINES		128
/* Any write to this file will do.  debugfs is optional. */
#define KLOG_CLEAR_ONCE		"/sys/kernel/debug/clear_warn_once"

/*
 * A test writes this to /dev/kmsg before a warning that it causes (tdx_warning.h), with
 * a text of the warning's line, and without a text after it.
 */
#define KLOG_ANNOUNCEMENT	"tdx_selftest: expected warning:"
/* The same before a case of a finding, with its number, and with 0 after the case. */
#define KLOG_FINDING		"tdx_selftest: finding"

struct klog_list {
	char *lines[KLOG_MAX_LINES];
	unsigned int nr;
};

static int klog_fd = -1;
static struct klog_list klog_patterns;
static struct klog_list klog_expected;
/* The test or the step that runs, "" for none. */
static const char *klog_step = "";
/* The finding that the running case is of, 0 for none. */
static unsigned long klog_finding;
/* What the test has announced, "" for nothing. */
static char klog_announced[256];
/* The record before this one: WARN() prints its message, and then where it is. */
static char klog_before[256];
static char klog_first[256];
static const char *klog_wanted;
static bool klog_seen;

static int klog_read_list(const char *path, struct klog_list *list)
{
	char line[256];
	FILE *f;

	f = fopen(path, "r");
	if (!f)
		return -1;

	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!line[0] || line[0] == '#')
			continue;
		if (list->nr == KLOG_MAX_LINES) {
			fclose(f);
			errno = E2BIG;
			return -1;
		}
		list->lines[list->nr++] = strdup(line);
	}
	fclose(f);
	return 0;
}

int klog_open(const char *patterns, const char *expected)
{
	if (klog_read_list(patterns, &klog_patterns) ||
	    klog_read_list(expected, &klog_expected))
		return -1;
	if (!klog_patterns.nr) {
		errno = ENODATA;
		return -1;
	}
	klog_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return klog_fd;
}

void klog_expect(const char *step)
{
	klog_step = step ? step : "";
	klog_finding = 0;
	klog_announced[0] = '\0';
}

/* Gives true for a record that announces a warning or a finding, or the end of one. */
static bool klog_is_announcement(const char *text)
{
	if (!klog_step[0])
		return false;

	if (!strncmp(text, KLOG_FINDING, strlen(KLOG_FINDING))) {
		klog_finding = strtoul(text + strlen(KLOG_FINDING), NULL, 10);
		return true;
	}
	if (strncmp(text, KLOG_ANNOUNCEMENT, strlen(KLOG_ANNOUNCEMENT)))
		return false;

	text += strlen(KLOG_ANNOUNCEMENT);
	text += strspn(text, " ");
	snprintf(klog_announced, sizeof(klog_announced), "%s", text);
	return true;
}

static bool klog_is_expected(const char *text)
{
	char who[64];
	size_t len;
	unsigned int i;

	if (klog_announced[0] && strstr(text, klog_announced))
		return true;

	if (klog_finding)
		snprintf(who, sizeof(who), "finding %lu ", klog_finding);
	else
		snprintf(who, sizeof(who), "%s ", klog_step);
	len = strlen(who);
	for (i = 0; i < klog_expected.nr; i++) {
		const char *line = klog_expected.lines[i];

		if (!strncmp(line, who, len) &&
		    (strstr(text, line + len) || strstr(klog_before, line + len)))
			return true;
	}
	return false;
}

static bool klog_warns(const char *text)
{
	unsigned int i;

	for (i = 0; i < klog_patterns.nr; i++) {
		if (strstr(text, klog_patterns.lines[i]))
			return true;
	}
	return false;
}

/* A record is "priority,sequence,microseconds,flags;text\n KEY=value\n ..." */
static bool klog_record(char *record, bool show)
{
	unsigned long long usec;
	char *text = strchr(record, ';');
	char *field = record;
	bool warns, warning;

	if (!text)
		return false;
	*text++ = '\0';
	text[strcspn(text, "\n")] = '\0';
	strsep(&field, ",");
	strsep(&field, ",");
	usec = field ? strtoull(field, NULL, 10) : 0;

	if (klog_wanted && strstr(text, klog_wanted))
		klog_seen = true;

	/* A serial line takes long for the stack of each announced warning. */
	if (klog_is_announcement(text) || klog_announced[0])
		show = false;

	warns = klog_warns(text);
	warning = warns && !klog_is_expected(text);
	snprintf(klog_before, sizeof(klog_before), "%s", text);
	if (warning && !klog_first[0])
		snprintf(klog_first, sizeof(klog_first), "%s", text);
	if (show || warning)
		printf("# kernel%s: [%5llu.%06llu] %s\n", warns == warning ? "" : " (expected)",
		       usec / 1000000, usec % 1000000, text);
	return warning;
}

unsigned int klog_drain(bool show)
{
	static char record[KLOG_RECORD_MAX + 1];
	unsigned int warnings = 0;
	ssize_t len;

	for (;;) {
		len = read(klog_fd, record, KLOG_RECORD_MAX);
		if (len > 0) {
			record[len] = '\0';
			warnings += klog_record(record, show);
			continue;
		}
		/*
		 * The kernel overwrote records before they were read: what was
		 * in them is unknown, so it cannot count as clean.
		 */
		if (len < 0 && errno == EPIPE) {
			printf("# kernel: records were lost\n");
			if (!klog_first[0])
				snprintf(klog_first, sizeof(klog_first),
					 "kernel log records were lost");
			warnings++;
			continue;
		}
		return warnings;
	}
}

const char *klog_first_warning(void)
{
	return klog_first;
}

void klog_forget(void)
{
	klog_first[0] = '\0';
}

void klog_again(void)
{
	int fd = open(KLOG_CLEAR_ONCE, O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		dprintf(fd, "1");
		close(fd);
	}
}

void klog_want(const char *text)
{
	klog_wanted = text;
}

bool klog_wanted_seen(void)
{
	return klog_seen;
}
