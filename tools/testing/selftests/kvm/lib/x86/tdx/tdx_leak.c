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
#define PAGE_STACKS	"/sys/kernel/debug/page_owner_stacks/show_stacks"
/* A write takes pages from the lists of each CPU that go on holding freed ones. */
#define DROP_CACHES	"/proc/sys/vm/drop_caches"

/* kmemleak reports no object that is younger than 5 s, or that it has not seen before. */
#define AGE_S		6
#define NR_SCANS	2

/* So much of kmemleak's report as a message has room for. */
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
	"pcpu_populate_chunk",
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

/*
 * Give kmemleak's report in @report, of @size bytes, and return its length.  An object that
 * has changed since the scan before is taken for one in use, and so is a new one.
 */
static size_t scan(char *report, size_t size)
{
	size_t length;
	FILE *f;
	int i;

	for (i = 0; i < NR_SCANS; i++) {
		if (!tdx_file_write(KMEMLEAK, "scan"))
			return 0;
	}
	f = fopen(KMEMLEAK, "r");
	if (!f)
		return 0;
	length = fread(report, 1, size - 1, f);
	report[length] = '\0';
	fclose(f);
	return length;
}

struct tdx_leak tdx_leak_begin(void)
{
	char report[REPORT_LENGTH];

	if (scan(report, sizeof(report)))
		tdx_file_write(KMEMLEAK, "clear");
	return (struct tdx_leak) { .pages = pages_of_kvm(false) };
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
	TEST_ASSERT(!scan(report, sizeof(report)), "kmemleak: wanted no leak, got %s", report);
}

void tdx_leak_forget(void)
{
	char report[REPORT_LENGTH];

	if (access(KMEMLEAK, W_OK))
		return;
	sleep(AGE_S);
	if (scan(report, sizeof(report)))
		tdx_file_write(KMEMLEAK, "clear");
}
