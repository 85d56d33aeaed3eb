// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's trace of what the TDX module and its TDs did, from tracefs: the
 * events of a simulated module, and what KVM says of its TDs.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

#define TRACEFS		"/sys/kernel/tracing"
#define MAX_LINES	10000

static const char * const trace_events[] = {
	TRACEFS "/events/tdx_sim/enable",
	TRACEFS "/events/kvm/kvm_exit/enable",
	TRACEFS "/events/kvm/kvm_page_fault/enable",
};

static unsigned int trace_lines;

static bool trace_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	bool ok = f && fputs(text, f) >= 0;

	if (f && fclose(f))
		ok = false;
	if (!ok)
		printf("# trace: %s: %s\n", path, strerror(errno));
	return ok;
}

void trace_want(unsigned int lines)
{
	unsigned int i;

	trace_lines = lines < MAX_LINES ? lines : MAX_LINES;
	for (i = 0; i < ARRAY_SIZE(trace_events); i++)
		trace_write(trace_events[i], "1");
}

void trace_forget(void)
{
	if (trace_lines)
		trace_write(TRACEFS "/trace", "");
}

/* Call @take with each event, its number from 1 on; gives how many there are. */
static unsigned int trace_read(void (*take)(const char *line, unsigned int n, void *data),
			       void *data)
{
	FILE *f = fopen(TRACEFS "/trace", "r");
	char *line = NULL;
	unsigned int n = 0;
	size_t size = 0;

	if (!f) {
		printf("# trace: %s\n", strerror(errno));
		return 0;
	}

	while (getline(&line, &size, f) > 0) {
		if (*line != '#')
			take(line, ++n, data);
	}
	fclose(f);
	free(line);
	return n;
}

/*
 * After a TD ran last, hundreds of SEAMCALLs give its pages back.  They are left
 * out: there would be no room for the events that the test is about.
 */
static void take_end(const char *line, unsigned int n, void *data)
{
	unsigned int *end = data;

	if (strstr(line, "TDH_VP_ENTER"))
		*end = n;
}

static void print_between(const char *line, unsigned int n, void *data)
{
	const unsigned int *end = data;

	if (n <= *end && n + trace_lines > *end)
		printf("# trace: %s", line);
}

void trace_print(void)
{
	unsigned int n, end = 0;

	if (!trace_lines)
		return;

	n = trace_read(take_end, &end);
	if (!end)
		end = n;
	printf("# trace: the last %u of %u events, without %u of the end of the TD\n",
	       end < trace_lines ? end : trace_lines, n, n - end);
	trace_read(print_between, &end);
}
