// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "leaks.h"

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
/* kmemleak reports no object that is younger than 5 s, or that it has not seen before. */
#define AGE_S		6
#define NR_SCANS	2
/* The first line of an object; the lines below it begin with a space. */
#define OBJECT		"unreferenced object"

/* False where there is no kmemleak, or where it is off. */
static bool tell(const char *command)
{
	int fd = open(KMEMLEAK, O_WRONLY | O_CLOEXEC);
	ssize_t length = strlen(command);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, command, length) == length;
	close(fd);
	return done;
}

unsigned int leaks_print(const char *name, int indent)
{
	unsigned int nr = 0;
	char line[256];
	FILE *file;
	int i;

	if (access(KMEMLEAK, W_OK))
		return 0;
	sleep(AGE_S);
	for (i = 0; i < NR_SCANS; i++) {
		if (!tell("scan"))
			return 0;
	}
	file = fopen(KMEMLEAK, "re");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		nr += !strncmp(line, OBJECT, strlen(OBJECT));
		printf("%*s# %s: %s", indent, "", name, line);
	}
	fclose(file);
	if (nr)
		printf("%*s# %s: the kernel has lost %u object(s)\n", indent, "", name, nr);
	tell("clear");
	return nr;
}
