// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test_util.h"
#include "tdx/tdx_file.h"
#include "tdx/tdx_leak.h"

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define TIMER_LIST	"/proc/timer_list"
#define PAGE_STACKS	"/sys/kernel/debug/page_owner_stacks/show_stacks"
/* A write takes pages from the lists of each CPU that go on holding freed ones. */
#define DROP_CACHES	"/proc/sys/vm/drop_caches"

/* kmemleak reports no object that is younger than 5 s, or that it has not seen before. */
#define AGE_S		6
#define NR_SCANS	2

/* The part of kmemleak's report that a message has room for. */
#define REPORT_LENGTH	1500

/* A grace period may go by until the last page of a VM is free. */
#define PATIENCE_MS	2000
#define PERIOD_MS	100

/* Longer than the stack of an allocation. */
#define STACK_LENGTH	4096
#define LINE_LENGTH	256

/* Frames of KVM, and of what holds pages on behalf of others after KVM is done. */
static const char * const owners[] = { "[kvm]", "[kvm_intel]" };
static const char * const keepers[] = {
	"allocate_slab",		/* a slab is kept for the next object */
	"new_slab",			/* its caller, into which a compiler may inline it */
	"pcpu_populate_chunk",
	"__kasan_populate_vmalloc",	/* freed with the next purge of lazily unmapped areas */
	"handle_mm_fault",		/* memory of the process that KVM has read or written */
	"stack_depot_save_flags",
	"alloc_thread_stack_node",
	"pte_alloc_kernel",
};

static bool has_any(const char *text, const char * const *names, size_t nr_names)
{
	size_t i;

	for (i = 0; i < nr_names; i++) {
		if (strstr(text, names[i]))
			return true;
	}
	return false;
}

static bool is_of_kvm(const char *stack)
{
	return has_any(stack, owners, ARRAY_SIZE(owners)) &&
	       !has_any(stack, keepers, ARRAY_SIZE(keepers));
}

/*
 * Returns the pages that KVM holds, -1 if the kernel does not know.  A block of the file is
 * a stack, a line with the number of its pages, and an empty line.  With @show each stack
 * of KVM is printed.
 */
static s64 pages_of_kvm(bool show)
{
	char stack[STACK_LENGTH] = "";
	char line[LINE_LENGTH];
	s64 sum = 0;
	long nr;
	FILE *f;

	tdx_file_write(DROP_CACHES, "1");
	f = fopen(PAGE_STACKS, "r");
	if (!f)
		return -1;

	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "nr_base_pages: %ld", &nr) == 1) {
			if (is_of_kvm(stack)) {
				sum += nr;
				if (show)
					fprintf(stderr, "# %ld page(s) of\n%s", nr, stack);
			}
			stack[0] = '\0';
		} else if (line[0] != '\n') {
			strncat(stack, line, sizeof(stack) - strlen(stack) - 1);
		}
	}
	fclose(f);
	return sum;
}

/* The kernel's jiffies, 0 if it does not tell. */
static u64 now_in_jiffies(void)
{
	FILE *f = fopen(TIMER_LIST, "r");
	char line[LINE_LENGTH];
	u64 now = 0;

	if (!f)
		return 0;
	while (!now && fgets(line, sizeof(line), f))
		sscanf(line, "jiffies: %lu", &now);
	fclose(f);
	return now;
}

/*
 * Read of kmemleak's report the objects that are not older than @since, in jiffies, into
 * @report, of @size bytes.  The age of an object is in its second line.
 */
static void read_report(FILE *f, u64 since, char *report, size_t size)
{
	char line[LINE_LENGTH], first[LINE_LENGTH] = "";
	const char *age;
	bool taken = false;
	u64 created;

	report[0] = '\0';
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "unreferenced object", strlen("unreferenced object"))) {
			snprintf(first, sizeof(first), "%s", line);
			taken = false;
			continue;
		}
		age = first[0] ? strstr(line, ", jiffies ") : NULL;
		if (age && sscanf(age, ", jiffies %lu", &created) == 1 && created >= since) {
			strncat(report, first, size - strlen(report) - 1);
			taken = true;
		}
		first[0] = '\0';
		if (taken)
			strncat(report, line, size - strlen(report) - 1);
	}
}

/*
 * Give in @report, of @size bytes, the leaks of which kmemleak knows and that are not older
 * than @since, in jiffies.  An object that has changed since the scan before is taken for
 * one in use, and so is a new one.
 */
static void scan(u64 since, char *report, size_t size)
{
	FILE *f;
	int i;

	report[0] = '\0';
	for (i = 0; i < NR_SCANS; i++) {
		if (!tdx_file_write(KMEMLEAK, "scan"))
			return;
	}
	f = fopen(KMEMLEAK, "r");
	if (!f)
		return;
	read_report(f, since, report, size);
	fclose(f);
}

struct tdx_leak tdx_leak_begin(void)
{
	return (struct tdx_leak) { .pages = pages_of_kvm(false), .since = now_in_jiffies() };
}

void tdx_leak_check(const struct tdx_leak *before)
{
	char report[REPORT_LENGTH];
	s64 pages = before->pages;
	int ms;

	for (ms = 0; before->pages >= 0 && ms < PATIENCE_MS; ms += PERIOD_MS) {
		pages = pages_of_kvm(false);
		if (pages <= before->pages)
			break;
		usleep(PERIOD_MS * 1000);
	}
	if (pages > before->pages)
		pages_of_kvm(true);
	TEST_ASSERT(pages <= before->pages,
		    "pages that KVM holds without a VM: wanted %ld, got %ld", before->pages,
		    pages);

	if (access(KMEMLEAK, W_OK))
		return;
	sleep(AGE_S);
	scan(before->since, report, sizeof(report));
	TEST_ASSERT(!report[0], "kmemleak: wanted no leak, got %s", report);
}

void tdx_leak_forget(void)
{
	char report[REPORT_LENGTH];

	if (access(KMEMLEAK, W_OK))
		return;
	sleep(AGE_S);
	scan(0, report, sizeof(report));
	if (report[0])
		tdx_file_write(KMEMLEAK, "clear");
}
