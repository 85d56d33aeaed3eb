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

void trace_print(void)
{
	char **ring, *line = NULL;
	unsigned int i, n = 0;
	size_t size = 0;
	FILE *f;

	if (!trace_lines)
		return;

	ring = calloc(trace_lines, sizeof(*ring));
	f = fopen(TRACEFS "/trace", "r");
	if (!ring || !f) {
		printf("# trace: %s\n", strerror(errno));
		free(ring);
		return;
	}

	while (getline(&line, &size, f) > 0) {
		if (*line == '#')
			continue;
		free(ring[n % trace_lines]);
		ring[n++ % trace_lines] = strdup(line);
	}
	fclose(f);
	free(line);

	printf("# trace: the last %u of %u events\n", n < trace_lines ? n : trace_lines, n);
	for (i = n < trace_lines ? 0 : n - trace_lines; i < n; i++) {
		line = ring[i % trace_lines];
		printf("# trace: %s", line ? line : "\n");
		free(line);
	}
	free(ring);
}
