/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan file, by which the tool tells the guest's init what to do. */
#ifndef TDXTEST_GUEST_PLAN_H
#define TDXTEST_GUEST_PLAN_H

#include <stdbool.h>

/*
 * A module to insert or a test to run: its words, with NULL after the last, and which
 * time it is that the test runs, from 1.
 */
struct step {
	int argc;
	char **argv;
	int timeout_s;
	int repetition;
};

/*
 * Modules that are loaded together, and the tests to run as long as they are.
 * The first group of a plan has no name: it spans the whole run.
 */
struct group {
	const char *name;
	struct step *modules, *tests;
	unsigned int nr_modules, nr_tests;
};

struct plan {
	const char *watermark;		/* NULL: none is wanted */
	const char *collect;		/* NULL: nothing is collected */
	unsigned int trace_lines;	/* 0: nothing is traced */
	bool want_shell;
	char **shell;			/* what it is, NULL: busybox */
	struct group *groups;
	unsigned int nr_groups;
};

/**
 * plan_read - read a plan
 * @path: the file; init.c tells what is in it
 * @plan: all zero; holds the plan afterwards, its strings never freed
 * @error: takes a line that says what is wrong
 * @size: of @error
 *
 * Gives 0, or -1 with @error filled in.
 */
int plan_read(const char *path, struct plan *plan, char *error, int size);

#endif /* TDXTEST_GUEST_PLAN_H */
