// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <unistd.h>

#include "test_util.h"
#include "tdx/tdx_sim.h"

#define TDX_SIM_DIR	"/sys/kernel/debug/tdx_sim"
#define PATH_LENGTH	64
#define REQUEST_LENGTH	160

/* No file of the module is longer. */
#define TEXT_LENGTH	16384

static const char *sim_path(const char *name)
{
	static char path[PATH_LENGTH];

	snprintf(path, sizeof(path), "%s/%s", TDX_SIM_DIR, name);
	return path;
}

bool tdx_sim_has(const char *name)
{
	return !access(sim_path(name), R_OK | W_OK);
}

bool tdx_sim_takes(const char *name, const char *text)
{
	int fd = open(sim_path(name), O_WRONLY);
	bool taken;

	TEST_ASSERT(fd >= 0, "%s: cannot open for writing", sim_path(name));
	taken = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return taken;
}

void tdx_sim_write(const char *name, const char *text)
{
	TEST_ASSERT(tdx_sim_takes(name, text), "%s: refused '%s'", sim_path(name), text);
}

char *tdx_sim_read(const char *name)
{
	char *text = calloc(1, TEXT_LENGTH);
	size_t used = 0;
	ssize_t len;
	int fd;

	TEST_ASSERT(text, "no memory for a file's text");
	fd = open(sim_path(name), O_RDONLY);
	TEST_ASSERT(fd >= 0, "%s: cannot open for reading", sim_path(name));

	while ((len = read(fd, text + used, TEXT_LENGTH - 1 - used)) > 0)
		used += len;
	TEST_ASSERT(!len && used < TEXT_LENGTH - 1, "%s: cannot be read, or is too long",
		    sim_path(name));
	close(fd);
	return text;
}

void tdx_sim_refuse(const char *leaf, u32 nth, u64 status, u32 times)
{
	tdx_sim_refuse_with_regs(leaf, nth, status, times, NULL);
}

void tdx_sim_refuse_with_regs(const char *leaf, u32 nth, u64 status, u32 times,
			      const char *regs)
{
	char line[REQUEST_LENGTH];

	tdx_sim_refuse_none();
	snprintf(line, sizeof(line), "%s %u 0x%lx %u%s%s", leaf, nth, status, times,
		 regs ? " " : "", regs ?: "");
	tdx_sim_write("fault", line);
}

void tdx_sim_mark(const char *leaf, u32 nth, u64 status, u64 bits, u32 times)
{
	char line[REQUEST_LENGTH];

	snprintf(line, sizeof(line), "%s %u 0x%lx+0x%lx %u", leaf, nth, status, bits, times);
	tdx_sim_write("fault", line);
}

void tdx_sim_refused(u32 *calls, u32 *refused)
{
	char *text = tdx_sim_read("fault");
	char *counts = strchr(text, ':');

	TEST_ASSERT(counts && !strchr(counts + 1, ':') &&
		    sscanf(counts, ": %u calls, %u", calls, refused) == 2,
		    "tdx_sim/fault: wanted one request, got '%s'", text);
	free(text);
}

bool tdx_sim_refuses(void)
{
	char *text = tdx_sim_read("fault");
	const bool refuses = *text;

	free(text);
	return refuses;
}

void tdx_sim_refuse_none(void)
{
	tdx_sim_write("fault", "clear");
}

char *tdx_sim_holdings(void)
{
	char *pages = tdx_sim_read("pages");
	char *keyids = tdx_sim_read("keyids");
	char *both;

	TEST_ASSERT(asprintf(&both, "%s%s", pages, keyids) > 0, "no memory for a text");
	free(pages);
	free(keyids);
	return both;
}

u64 tdx_sim_last_page(void)
{
	char *text = tdx_sim_read("last_page");
	const u64 pa = strtoull(text, NULL, 0);

	free(text);
	return pa;
}
