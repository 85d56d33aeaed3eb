// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_file.h"
#include "tdx/tdx_trace.h"

#define TRACEFS		"/sys/kernel/tracing"
#define INSTANCE	TRACEFS "/instances/tdx_selftest"
#define EVENT		"events/kvm/kvm_exit"

/* A page of the ring buffer: a time stamp, the length of the rest, records. */
#define PAGE_HEADER	16
#define COMMIT_OFFSET	8
#define COMMIT_MASK	GENMASK(19, 0)

/* A record begins with a type or its length in words, in these bits, and a time. */
#define TYPE_MASK	GENMASK(4, 0)
#define TYPE_LONG	0	/* the length is in the next word */
#define TYPE_PADDING	29
#define TYPE_TIME	30	/* and above: two words */
#define WORD		sizeof(u32)

/* The first field of each event is its number. */
#define EVENT_NR_SIZE	sizeof(u16)

#define FIELD(_name)								\
	{									\
		.name = #_name, .to = offsetof(struct tdx_trace_exit, _name),	\
		.size = sizeof(((struct tdx_trace_exit *)0)->_name),		\
	}

static struct field {
	const char *name;
	size_t to;		/* where it goes, in struct tdx_trace_exit */
	size_t size;
	unsigned int from;	/* where it is in a record */
} fields[] = {
	FIELD(exit_reason), FIELD(guest_rip), FIELD(isa), FIELD(info1), FIELD(info2),
	FIELD(intr_info), FIELD(error_code), FIELD(vcpu_id), FIELD(requests),
};

static unsigned int event_nr;
static int buffer = -1;

bool tdx_trace_has_exits(void)
{
	return !access(TRACEFS "/" EVENT "/format", R_OK);
}

/* A line is "field:unsigned int exit_reason; offset:8; size:4; signed:0;". */
static void read_field(const char *line)
{
	unsigned int offset, size;
	char name[64];
	size_t i;

	if (sscanf(line, " field:%*[^;]; offset:%u; size:%u;", &offset, &size) != 2)
		return;
	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		snprintf(name, sizeof(name), " %s;", fields[i].name);
		if (!strstr(line, name))
			continue;
		TEST_ASSERT(size == fields[i].size, "field %s: wanted %zu bytes, got %u",
			    fields[i].name, fields[i].size, size);
		fields[i].from = offset;
	}
}

static void read_format(void)
{
	FILE *file = fopen(TRACEFS "/" EVENT "/format", "r");
	char line[256];
	size_t i;

	TEST_ASSERT(file, "format of kvm_exit: %m");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "ID: %u", &event_nr) != 1)
			read_field(line);
	}
	fclose(file);

	TEST_ASSERT(event_nr, "the format of kvm_exit has no ID");
	for (i = 0; i < ARRAY_SIZE(fields); i++)
		TEST_ASSERT(fields[i].from, "kvm_exit has no field %s", fields[i].name);
}

void tdx_trace_begin(void)
{
	const int cpu = sched_getcpu();
	char path[128];

	read_format();
	tdx_trace_end();
	TEST_ASSERT(!mkdir(INSTANCE, 0700), INSTANCE ": %m");
	/* Only the records of one CPU have an order. */
	pin_self_to_cpu(cpu);
	snprintf(path, sizeof(path), INSTANCE "/per_cpu/cpu%d/trace_pipe_raw", cpu);
	buffer = open(path, O_RDONLY | O_NONBLOCK);
	TEST_ASSERT(buffer >= 0, "%s: %m", path);
	TEST_ASSERT(tdx_file_write(INSTANCE "/" EVENT "/enable", "1"), "%s: %m",
		    INSTANCE "/" EVENT "/enable");
}

void tdx_trace_end(void)
{
	if (buffer >= 0)
		close(buffer);
	buffer = -1;
	TEST_ASSERT(!rmdir(INSTANCE) || errno == ENOENT, INSTANCE ": %m");
}

static void take_fields(struct tdx_trace_exit *exit, const char *record)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		memcpy((char *)exit + fields[i].to, record + fields[i].from, fields[i].size);
}

/* Take the records of a page, of which @nr are in @exits already, and return the sum. */
static size_t take_page(const char *page, struct tdx_trace_exit *exits, size_t nr, size_t max)
{
	const char *at = page + PAGE_HEADER, *data;
	u32 head, length;
	const char *end;
	u64 commit;
	u16 event;

	memcpy(&commit, page + COMMIT_OFFSET, sizeof(commit));
	end = at + (commit & COMMIT_MASK);
	while (at < end) {
		memcpy(&head, at, WORD);
		memcpy(&length, at + WORD, WORD);
		data = at + WORD;
		head &= TYPE_MASK;
		if (head >= TYPE_TIME) {
			at += 2 * WORD;
			continue;
		}
		if (head != TYPE_LONG && head != TYPE_PADDING)
			length = head * WORD;
		else if (head == TYPE_LONG)
			data += WORD;
		at += WORD + length;

		memcpy(&event, data, EVENT_NR_SIZE);
		if (head == TYPE_PADDING || event != event_nr)
			continue;
		TEST_ASSERT(nr < max, "wanted at most %zu exits", max);
		take_fields(&exits[nr++], data);
	}
	return nr;
}

size_t tdx_trace_read(struct tdx_trace_exit *exits, size_t max)
{
	static char page[PAGE_SIZE];
	size_t nr = 0;

	while (read(buffer, page, sizeof(page)) > 0)
		nr = take_page(page, exits, nr, max);
	return nr;
}
