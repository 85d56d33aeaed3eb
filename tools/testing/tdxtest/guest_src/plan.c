// SPDX-License-Identifier: GPL-2.0-only
/* Reads the plan file, one word and its arguments a line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

#define DEFAULT_TIMEOUT_S	600

/* Make room for one more element after nr of them; NULL without memory. */
static void *grow(void *array, unsigned int nr, size_t size)
{
	char *grown = realloc(array, (nr + 1) * size);

	if (grown)
		memset(grown + nr * size, 0, size);
	return grown;
}

static struct group *add_group(struct plan *plan, const char *name)
{
	struct group *group;

	group = grow(plan->groups, plan->nr_groups, sizeof(*group));
	if (!group)
		return NULL;
	plan->groups = group;
	group += plan->nr_groups++;
	group->name = name;
	return group;
}

/* Add the step that the words of a line give; @like has what is no word. */
static bool add_step(struct step **steps, unsigned int *nr, char *words,
		     const struct step *like)
{
	struct step *step = grow(*steps, *nr, sizeof(*step));

	if (!step)
		return false;
	*steps = step;
	step += (*nr)++;
	step->timeout_s = like->timeout_s;
	step->repetition = like->repetition;
	do {
		char *word = strsep(&words, " ");
		char **argv;

		if (!*word)
			continue;
		argv = realloc(step->argv, (step->argc + 2) * sizeof(*argv));
		if (!argv)
			return false;
		step->argv = argv;
		argv[step->argc++] = strdup(word);
		argv[step->argc] = NULL;
	} while (words);
	return step->argc;
}

static bool want_shell(struct plan *plan, char *words)
{
	const struct step like = {};
	struct step *shell = NULL;
	unsigned int nr = 0;

	plan->want_shell = true;
	if (!words)
		return true;
	if (!add_step(&shell, &nr, words, &like))
		return false;
	plan->shell = shell->argv;
	return true;
}

int plan_read(const char *path, struct plan *plan, char *error, int size)
{
	struct group *group = add_group(plan, NULL);
	struct step like = { .timeout_s = DEFAULT_TIMEOUT_S, .repetition = 1 };
	char *line = NULL, *rest, *verb;
	size_t room = 0;
	bool ok = group;
	FILE *f;

	f = fopen(path, "r");
	if (!f) {
		snprintf(error, size, "%s: %s", path, strerror(errno));
		return -1;
	}

	while (ok && getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		rest = line;
		verb = strsep(&rest, " ");
		if (!*verb || *verb == '#')
			continue;
		if (!strcmp(verb, "shell"))
			ok = want_shell(plan, rest);
		else if (!rest)
			ok = false;
		else if (!strcmp(verb, "watermark"))
			plan->watermark = strdup(rest);
		else if (!strcmp(verb, "collect"))
			plan->collect = strdup(rest);
		else if (!strcmp(verb, "trace"))
			plan->trace_lines = atoi(rest);
		else if (!strcmp(verb, "timeout"))
			like.timeout_s = atoi(rest);
		else if (!strcmp(verb, "repetition"))
			like.repetition = atoi(rest);
		else if (!strcmp(verb, "env"))
			ok = !putenv(strdup(rest));
		else if (!strcmp(verb, "module"))
			ok = add_step(&group->modules, &group->nr_modules, rest, &like);
		else if (!strcmp(verb, "test"))
			ok = add_step(&group->tests, &group->nr_tests, rest, &like);
		else if (!strcmp(verb, "group"))
			ok = (group = add_group(plan, strdup(rest)));
		else
			ok = false;
	}
	/* A long line is cut where its first words end by now. */
	if (!ok)
		snprintf(error, size, "%s: cannot take the line '%s'", path,
			 line ? line : "");
	free(line);
	fclose(f);
	return ok ? 0 : -1;
}
