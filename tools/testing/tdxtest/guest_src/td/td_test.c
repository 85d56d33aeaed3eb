// SPDX-License-Identifier: GPL-2.0-only
/*
 * Boots a TD under a VMM, and reports how far it comes and how it ends.
 *
 * What to boot comes from a file beside the program, with ".td" after its name:
 *
 *	folder DIR		where the pipes to the VMM and its trace are
 *	stage NAME TEXT		the TD's console must have a line with TEXT
 *	checks			the TD's init makes the checks of td_checks.def
 *	says TEXT		the console must have a line with TEXT before the end
 *	stop TEXT		a TD whose console has a line with TEXT goes no further
 *	end REASON		the reason of the VMM's SHUTDOWN event
 *	timeout SECONDS		for the TD to come from one stage to the next
 *	kernel DIR		where the kernel shows its own state
 *	leaks NUMBER		of the finding that KVM keeps page tables of a TD after its
 *				end, on a CPU with addresses too narrow for TDX
 *	arg WORD		the VMM and its arguments, one a line
 *	narrow WORD		the same, where addresses are too narrow for TDX
 *
 * A stage without TEXT is any output. With the argument --shell nothing is judged:
 * the terminal is joined to the TD's console. Otherwise the output is KTAP; the console of the TD
 * and what the VMM says are comments in it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/wait.h>

#include "../hang.h"
#include "td_plan.h"
#include "td_protocol.h"
#include "td_shell.h"
#include "td_stats.h"
#include "td_vmm.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

/* In the plan's folder: two pairs of named pipes, and what the VMM traces. */
#define CONSOLE		"td-console"
#define MONITOR		"td-monitor"
#define TRACE		"td-trace"
#define POLL_MS		500
/* In guest time, a billion instructions of an emulator. */
#define BEAT_S		1
/* The VMM takes the TD down after it told of the end. */
#define END_PATIENCE_S	10
/*
 * KVM frees page tables after grace periods. An emulator of several idle CPUs steps
 * through this time, and takes minutes for a few seconds.
 */
#define FREE_PATIENCE_S	0.5

static const char *const td_checks[] = {
#define TD_CHECK(name, function) #name,
#include "td_checks.def"
#undef TD_CHECK
};

static struct td_plan plan;
static struct vmm vmm;
static unsigned int test_number;
static bool failed;

/* What was seen so far. */
static bool monitor_answers, said;
static unsigned int next_stage, next_check, nr_patterns;
static char reason[64];		/* of the SHUTDOWN event */
static double heard;		/* when a stage or check was reached */
static char problem[512];	/* why no further result can come */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* The path of a file of the plan's folder, in a buffer of 256 bytes. */
static const char *in_folder(char *path, const char *name)
{
	snprintf(path, 256, "%s/%s", plan.folder, name);
	return path;
}

/* What KVM must have counted at least since the check before. */
static struct {
	const char *check, *count;
	long least, before;
} must_count[] = {
	/* The console makes less than a hundred of them for each line. */
	{ "port_in",	"io_exits",	512,	0 },
	/* A vCPU that polls in place of HLT is idle as well. */
	{ "hlt",	"halt_exits",	1,	0 },
};

static void read_counts(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(must_count); i++)
		must_count[i].before = td_count(plan.kernel, must_count[i].count);
}

/*
 * Print a result; directive: as KTAP has it, else NULL; why: of one that is not ok, or is
 * expected not to be, else NULL.
 */
static void report(bool ok, const char *kind, const char *name, const char *directive,
		   const char *why)
{
	char text[256];

	if (why)
		printf("    %s\n", why);
	td_counts(plan.kernel, text, sizeof(text));
	printf("# %s.%s: at %.1f s of guest time; KVM: %s\n", kind, name, now(), text);
	printf("%s %u %s.%s%s%s\n", ok ? "ok" : "not ok", ++test_number, kind, name,
	       directive ? " # " : "", directive ?: "");
	failed |= !ok;
	heard = now();
	read_counts();
}

/* The TD was built: the VMM's main loop runs. */
static void take_start(void)
{
	if (!monitor_answers)
		report(true, "stage", "memory_added", NULL, NULL);
	monitor_answers = true;
}

static void take_stage(const char *line)
{
	const struct td_stage *stage;

	take_start();
	while (next_stage < plan.nr_stages) {
		stage = &plan.stages[next_stage];
		/* A part of a line is enough: there may be an escape sequence before it. */
		if (!strstr(line, stage->text))
			return;
		report(true, "stage", stage->name, NULL, NULL);
		next_stage++;
		if (!*stage->text)
			continue;
		return;
	}
}

/* What the TD's init says of a check that passed, and what KVM counted, must agree. */
static void report_passed(const char *name)
{
	char why[128] = "";
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(must_count); i++) {
		const long count = td_count(plan.kernel, must_count[i].count);
		const long got = count - must_count[i].before;

		if (!strcmp(name, must_count[i].check) && count >= 0 &&
		    got < must_count[i].least)
			snprintf(why, sizeof(why), "wanted %ld or more of KVM's %s, got %ld",
				 must_count[i].least, must_count[i].count, got);
	}
	report(!*why, "td", name, NULL, *why ? why : NULL);
}

/* A result of the TD's init must be the one that comes next. */
static void take_check(const char *line)
{
	const char *name = next_check < ARRAY_SIZE(td_checks) ? td_checks[next_check] : "none";
	static const struct {
		const char *text;
		bool ok, skip;
	} kinds[] = {
		{ .text = TD_OK, .ok = true },
		{ .text = TD_SKIP, .ok = true, .skip = true },
		{ .text = TD_NOT_OK },
	};
	char skip[512];
	size_t len = strlen(name);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *rest = line + strlen(kinds[i].text);

		if (strncmp(line, kinds[i].text, strlen(kinds[i].text)))
			continue;
		if (strncmp(rest, name, len) || (rest[len] && rest[len] != ' ')) {
			snprintf(problem, sizeof(problem),
				 "wanted the result of %s, got '%.200s'", name, line);
			return;
		}
		next_check++;
		rest += len + !!rest[len];
		snprintf(skip, sizeof(skip), "SKIP %s", rest);
		if (kinds[i].ok && !kinds[i].skip)
			report_passed(name);
		else
			report(kinds[i].ok, "td", name, kinds[i].skip ? skip : NULL,
			       kinds[i].ok ? NULL : rest);
		return;
	}
	if (strcmp(line, TD_BEGIN))
		snprintf(problem, sizeof(problem), "the TD's init said '%.200s'", line);
}

static void take_pattern(const char *text)
{
	size_t i, len = strlen(TD_PATTERN);

	for (i = 0; i < len && text[i] == TD_PATTERN[i]; i++)
		;
	if (i == len && !text[i]) {
		nr_patterns++;
		return;
	}
	if (!*problem)
		snprintf(problem, sizeof(problem),
			 "port_out: line %u of the TD's output: wanted '%s', got '%.150s'",
			 nr_patterns + 1, TD_PATTERN, text);
}

static void take_console(char *line)
{
	char *end = line + strlen(line);
	unsigned int i;

	while (end > line && (end[-1] == '\r' || end[-1] == '\n'))
		*--end = '\0';
	printf("# td: %s\n", line);
	take_stage(line);
	for (i = 0; i < plan.nr_stops && !*problem; i++) {
		if (strstr(line, plan.stops[i]))
			snprintf(problem, sizeof(problem), "the TD said '%.300s'",
				 strstr(line, plan.stops[i]));
	}
	if (plan.says && strstr(line, plan.says))
		said = true;
	if (!plan.checks || strncmp(line, TD_SAYS, strlen(TD_SAYS)))
		return;
	line += strlen(TD_SAYS);
	if (!strncmp(line, TD_PATTERN_IS, strlen(TD_PATTERN_IS)))
		take_pattern(line + strlen(TD_PATTERN_IS));
	else
		take_check(line);
}

static void take_monitor(char *line)
{
	char *word, *end;

	/* The VMM answers from its main loop, which runs after the TD was built. */
	if (strstr(line, "\"QMP\"")) {
		vmm_say(&vmm, "{\"execute\": \"qmp_capabilities\"}\n");
	} else if (strstr(line, "\"return\"")) {
		take_start();
	} else if (strstr(line, "\"SHUTDOWN\"")) {
		word = strstr(line, "\"reason\": \"");
		word = word ? word + strlen("\"reason\": \"") : line;
		end = strchr(word, '"');
		snprintf(reason, sizeof(reason), "%.*s", end ? (int)(end - word) : 0, word);
		heard = now();
	} else if (strstr(line, "\"GUEST_PANICKED\"")) {
		snprintf(problem, sizeof(problem), "the TD reported a fatal error: %.300s", line);
	}
}

static void take(enum vmm_source source, char *line)
{
	if (source == VMM_CONSOLE)
		take_console(line);
	else if (source == VMM_MONITOR)
		take_monitor(line);
	else
		printf("# vmm: %s\n", line);
}

/* The result that is waited for: "stage" or "td", and the name. */
static const char *next_kind(void)
{
	return monitor_answers && next_stage == plan.nr_stages && plan.checks &&
	       next_check < ARRAY_SIZE(td_checks) ? "td" : "stage";
}

static const char *next_name(void)
{
	if (!monitor_answers)
		return "memory_added";
	if (next_stage < plan.nr_stages)
		return plan.stages[next_stage].name;
	return plan.checks && next_check < ARRAY_SIZE(td_checks) ? td_checks[next_check] : "end";
}

/* The tool ends a guest that is silent, and a TD says nothing for long. */
static void tell_waiting(void)
{
	static double told;
	char text[256];

	if (now() - (told > heard ? told : heard) < BEAT_S)
		return;
	told = now();
	td_counts(plan.kernel, text, sizeof(text));
	printf("# %s.%s: waited for since %.1f s; KVM: %s\n", next_kind(), next_name(),
	       told - heard, text);
}

/* Whether nothing more has to be waited for. */
static bool follow(void)
{
	double patience = *reason ? END_PATIENCE_S : plan.timeout_s;

	vmm_poll(&vmm, POLL_MS, take);
	/* A firmware clears the screen long before it ends a line. */
	if (vmm.sources[VMM_CONSOLE].used && next_stage < plan.nr_stages &&
	    !*plan.stages[next_stage].text)
		take_stage("");
	if (vmm.ended)
		return true;
	tell_waiting();
	if (now() - heard > patience) {
		printf("# hang: what the VMM's threads do\n");
		hang_print_process(vmm.pid, 0);
		snprintf(problem, sizeof(problem), "got nothing new in %.0f s of guest time",
			 patience);
	}
	return *problem;
}

/* What must come next, and why it did not. */
static void report_stop(void)
{
	char why[1024], status[64];

	if (WIFSIGNALED(vmm.status))
		snprintf(status, sizeof(status), "was ended by signal %d", WTERMSIG(vmm.status));
	else
		snprintf(status, sizeof(status), "ended with status %d", WEXITSTATUS(vmm.status));
	if (!*problem)
		snprintf(problem, sizeof(problem), "the VMM %s, reason of its shutdown: %s",
			 status, *reason ? reason : "none");

	if (!monitor_answers) {
		snprintf(why, sizeof(why), "wanted a VMM that runs its TD; %s", problem);
	} else if (next_stage < plan.nr_stages) {
		const char *text = plan.stages[next_stage].text;

		snprintf(why, sizeof(why), "wanted '%s' on the TD's console; %s",
			 *text ? text : "anything", problem);
	} else if (!strcmp(next_kind(), "td")) {
		snprintf(why, sizeof(why), "%s", problem);
	} else {
		snprintf(why, sizeof(why), "wanted the end %s%s%s; %s", plan.end,
			 plan.says ? " after " : "", plan.says ?: "", problem);
	}
	report(false, next_kind(), next_name(), NULL, why);
}

/* The TD came to its end. How? */
static void report_end(void)
{
	bool ok = WIFEXITED(vmm.status) && !WEXITSTATUS(vmm.status) &&
		  !strcmp(reason, plan.end) && (!plan.says || said);

	if (ok)
		report(true, "stage", "end", NULL, NULL);
	else
		report_stop();
}

/* Start the VMM of the plan. */
static bool start(void)
{
	char console[256], monitor[256], trace[256];

	unlink(in_folder(trace, TRACE));
	heard = now();
	if (!vmm_start(&vmm, plan.argv, in_folder(console, CONSOLE),
		       in_folder(monitor, MONITOR)))
		return true;
	printf("Bail out! starting %s: %s\n", plan.argv[0], strerror(errno));
	return false;
}

/*
 * A VMM that converts memory because KVM could not map it makes up for a MapGPA
 * that did not exit: the TD runs on as if nothing had happened.
 */
static void report_conversions(void)
{
	unsigned int nr_converted = 0, nr_faults = 0;
	char line[256], why[256], path[256];
	FILE *f;
	bool ok;

	f = fopen(in_folder(path, TRACE), "r");
	while (f && fgets(line, sizeof(line), f)) {
		nr_converted += !!strstr(line, "kvm_convert_memory");
		nr_faults += !!strstr(line, "kvm_memory_fault");
	}
	ok = f && nr_converted && !nr_faults;
	snprintf(why, sizeof(why),
		 "wanted conversions by MapGPA alone; got %u conversion(s), %u of them since KVM exited for a memory fault",
		 nr_converted, nr_faults);
	printf("# %u conversion(s) of memory\n", nr_converted);
	report(ok, "stage", "map_gpa", NULL, ok ? NULL : why);
	if (f)
		fclose(f);
}

/* The last VM is gone. KVM must not keep a page table of it. */
static void report_page_tables(void)
{
	const double start = now();
	char directive[64], why[128];
	long left;

	while ((left = td_page_tables(plan.kernel)) > 0 && now() - start < FREE_PATIENCE_S)
		usleep(100 * 1000);
	if (left < 0) {
		report(true, "stage", "page_tables",
		       "SKIP the kernel does not show its slab caches", NULL);
		return;
	}
	snprintf(directive, sizeof(directive), "%s finding %d", left ? "XFAIL" : "XPASS",
		 plan.leaks_of);
	snprintf(why, sizeof(why),
		 "wanted no page table after the end of the VM, got %ld slab(s) with some", left);
	report(!left || plan.leaks_of, "stage", "page_tables", plan.leaks_of ? directive : NULL,
	       left ? why : NULL);
}

static bool reached_all(void)
{
	return monitor_answers && next_stage == plan.nr_stages &&
	       (!plan.checks || next_check == ARRAY_SIZE(td_checks)) && !*problem;
}

int main(int argc, char **argv)
{
	char path[256], error[256];

	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(path, sizeof(path), "%s.td", argv[0]);
	if (td_plan_read(path, &plan, error, sizeof(error))) {
		printf("Bail out! %s\n", error);
		return 1;
	}
	if (argc > 1 && !strcmp(argv[1], "--shell")) {
		if (start())
			td_shell(&vmm);
		return 0;
	}

	/* memory_added, map_gpa, end and page_tables. */
	printf("TAP version 13\n1..%u\n",
	       plan.nr_stages + 4 + (plan.checks ? (unsigned int)ARRAY_SIZE(td_checks) : 0));
	if (!start())
		return 1;
	while (!follow())
		;
	vmm_kill(&vmm);
	if (!reached_all()) {
		report_stop();
		return 1;
	}
	report_conversions();
	report_end();
	report_page_tables();
	return failed;
}
