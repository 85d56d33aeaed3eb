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
#define KLOG_MAX_PATTERNS	64

static int klog_fd = -1;
static char *klog_patterns[KLOG_MAX_PATTERNS];
static unsigned int klog_nr_patterns;
static char klog_first[256];
static const char *klog_wanted;
static bool klog_seen;

static int klog_read_patterns(const char *path)
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
		if (klog_nr_patterns == KLOG_MAX_PATTERNS) {
			errno = E2BIG;
			break;
		}
		klog_patterns[klog_nr_patterns++] = strdup(line);
	}
	fclose(f);
	if (!klog_nr_patterns)
		errno = ENODATA;
	return klog_nr_patterns && klog_nr_patterns < KLOG_MAX_PATTERNS ? 0 : -1;
}

int klog_open(const char *patterns)
{
	if (klog_read_patterns(patterns))
		return -1;
	klog_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return klog_fd;
}

static bool klog_is_warning(const char *text)
{
	unsigned int i;

	for (i = 0; i < klog_nr_patterns; i++) {
		if (strstr(text, klog_patterns[i]))
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
	bool warning;

	if (!text)
		return false;
	*text++ = '\0';
	text[strcspn(text, "\n")] = '\0';
	strsep(&field, ",");
	strsep(&field, ",");
	usec = field ? strtoull(field, NULL, 10) : 0;

	if (klog_wanted && strstr(text, klog_wanted))
		klog_seen = true;

	warning = klog_is_warning(text);
	if (warning && !klog_first[0])
		snprintf(klog_first, sizeof(klog_first), "%s", text);
	if (show || warning)
		printf("# kernel: [%5llu.%06llu] %s\n", usec / 1000000,
		       usec % 1000000, text);
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

void klog_want(const char *text)
{
	klog_wanted = text;
}

bool klog_wanted_seen(void)
{
	return klog_seen;
}
