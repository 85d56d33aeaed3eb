// SPDX-License-Identifier: GPL-2.0-only
/* Reads what td_test.c has to boot, one word and its text a line. */
#define _GNU_SOURCE
#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "td_plan.h"

#define LEAF_ADDRESS_SIZES	0x80000008
/* The bit of an address that makes it shared, in a TD of 48 bits. */
#define SHARED_BIT		47
#define DEFAULT_TIMEOUT_S	300

/* The width of the CPU's physical addresses. */
static unsigned int physical_bits(void)
{
	unsigned int eax, ebx, ecx, edx;

	if (!__get_cpuid(LEAF_ADDRESS_SIZES, &eax, &ebx, &ecx, &edx))
		return 0;
	return eax & 0xff;
}

static bool add_stage(struct td_plan *plan, char *text)
{
	struct td_stage *stages = realloc(plan->stages,
					  (plan->nr_stages + 1) * sizeof(*stages));

	if (!stages)
		return false;
	plan->stages = stages;
	stages += plan->nr_stages++;
	stages->name = strsep(&text, " ");
	stages->text = text ?: "";
	return true;
}

static bool add_stop(struct td_plan *plan, const char *text)
{
	const char **stops = realloc(plan->stops, (plan->nr_stops + 1) * sizeof(*stops));

	if (!stops)
		return false;
	plan->stops = stops;
	stops[plan->nr_stops++] = text;
	return true;
}

static bool add_argument(struct td_plan *plan, char *word)
{
	char **argv = realloc(plan->argv, (plan->argc + 2) * sizeof(*argv));

	if (!argv)
		return false;
	plan->argv = argv;
	argv[plan->argc++] = word;
	argv[plan->argc] = NULL;
	return true;
}

static bool take_line(struct td_plan *plan, const char *verb, char *text)
{
	if (!strcmp(verb, "checks"))
		return (plan->checks = true);
	if (!text)
		return false;
	if (!strcmp(verb, "stage"))
		return add_stage(plan, text);
	if (!strcmp(verb, "stop"))
		return add_stop(plan, text);
	if (!strcmp(verb, "arg"))
		return add_argument(plan, text);
	if (!strcmp(verb, "narrow"))
		return physical_bits() > SHARED_BIT || add_argument(plan, text);
	if (!strcmp(verb, "leaks"))
		plan->leaks_of = physical_bits() > SHARED_BIT ? 0 : atoi(text);
	else if (!strcmp(verb, "kernel"))
		plan->kernel = text;
	else if (!strcmp(verb, "folder"))
		plan->folder = text;
	else if (!strcmp(verb, "says"))
		plan->says = text;
	else if (!strcmp(verb, "end"))
		plan->end = text;
	else if (!strcmp(verb, "timeout"))
		plan->timeout_s = atoi(text);
	else
		return false;
	return true;
}

int td_plan_read(const char *path, struct td_plan *plan, char *error, int size)
{
	char *line = NULL, *rest, *verb;
	size_t room = 0;
	bool ok = true;
	FILE *f;

	plan->folder = "/tmp";
	plan->kernel = "/sys/kernel";
	plan->timeout_s = DEFAULT_TIMEOUT_S;
	f = fopen(path, "r");
	if (!f) {
		snprintf(error, size, "%s: %s", path, strerror(errno));
		return -1;
	}
	while (ok && getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		rest = strdup(line);
		verb = strsep(&rest, " ");
		ok = take_line(plan, verb, rest);
	}
	if (!ok)
		snprintf(error, size, "%s: cannot take the line '%s'", path, line);
	else if (!plan->argv || !plan->end)
		snprintf(error, size, "%s: wanted lines with arg and end", path);
	free(line);
	fclose(f);
	return ok && plan->argv && plan->end ? 0 : -1;
}
