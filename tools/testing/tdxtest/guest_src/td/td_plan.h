/* SPDX-License-Identifier: GPL-2.0-only */
/* What td_test.c has to boot; the tool writes it (guest/td.py). */
#ifndef TDXTEST_GUEST_TD_PLAN_H
#define TDXTEST_GUEST_TD_PLAN_H

#include <stdbool.h>

/* A line of the console that tells how far the TD is. */
struct td_stage {
	const char *name;
	const char *text;	/* "": any line */
};

struct td_plan {
	const char *folder;	/* of the pipes to the VMM and of its trace */
	struct td_stage *stages;
	unsigned int nr_stages;
	bool checks;		/* the TD's init makes those of td_checks.def */
	const char *says;	/* NULL: nothing in particular */
	const char **stops;	/* a line with any of them: it goes no further */
	unsigned int nr_stops;
	const char *end;	/* the reason of the SHUTDOWN event */
	const char *kernel;	/* sysfs' folder of what the kernel shows */
	int leaks_of;		/* the finding that page tables are left for; 0: none */
	int timeout_s;		/* from one stage to the next, in guest time */
	char **argv;		/* of the VMM */
	int argc;
};

/**
 * td_plan_read - read a plan
 * @path: the file; td_test.c tells what is in it
 * @plan: all zero; holds the plan afterwards, its strings never freed
 * @error: takes a line that says what is wrong
 * @size: of @error
 *
 * Gives 0, or -1 with @error filled in.
 */
int td_plan_read(const char *path, struct td_plan *plan, char *error, int size);

#endif /* TDXTEST_GUEST_TD_PLAN_H */
