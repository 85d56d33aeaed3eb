// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random sequences over KVM's userspace API, on TDs and an ordinary VM at once, with one
 * or two threads.  Each step must get an answer that it may get, the kernel must not
 * warn, and after the sequence the TDX module has back all that the TDs had.
 *
 * Each sequence has a process of its own.  One that fails is shortened: steps are left
 * out for as long as it still fails.
 *
 * In the environment TDX_RANDOM_SEQUENCES is the number of sequences of each case,
 * TDX_RANDOM_SEED selects others, TDX_RANDOM_SEQUENCE is the number of the only one to
 * run, and TDX_RANDOM_STEPS a range of its steps, such as 3-9.
 */
/* The environment may ask for any number of sequences. */
#define TDX_TEST_TIMEOUT	36000

#include <sys/mman.h>
#include <sys/wait.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_random.h"
#include "tdx/tdx_remains.h"
#include "tdx/tdx_sequence.h"
#include "tdx/tdx_stage.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_warning.h"

#define COUNT_ENV		"TDX_RANDOM_SEQUENCES"
#define ONLY_ENV		"TDX_RANDOM_SEQUENCE"
#define STEPS_ENV		"TDX_RANDOM_STEPS"
#define DEFAULT_COUNT		50

/* A TD that must run to its end is built each time after this number of sequences. */
#define CANARY_PERIOD		25

/* Seconds after which a sequence counts as hung: it takes milliseconds. */
#define SEQUENCE_TIMEOUT	60

/* A shortened sequence with threads fails if one of this number of attempts fails. */
#define RACE_ATTEMPTS		4

/* The case ends after this number of failed sequences: more show nothing new. */
#define MAX_FAILED		10

/* What the process of a sequence leaves. */
struct failure {
	unsigned int step;
	char text[512];
};

static struct failure *failure;

/* The same of the last sequence that has failed. */
static struct failure last;

/* In the process of the sequence. */
static void run_in_child(const struct tdx_sequence *sequence, u64 mask, int log)
{
	const char *why;

	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	alarm(SEQUENCE_TIMEOUT);
	why = tdx_sequence_run(sequence, mask, &failure->step);
	if (why)
		snprintf(failure->text, sizeof(failure->text), "%s", why);
	_exit(why ? KSFT_FAIL : KSFT_PASS);
}

/* The last line that a process has written to @log, which is not empty. */
static void copy_last_line(int log, char *text, size_t size)
{
	char buffer[4096];
	ssize_t length = pread(log, buffer, sizeof(buffer) - 1, 0);
	char *line;

	if (length <= 0)
		return;
	while (length && buffer[length - 1] == '\n')
		length--;
	buffer[length] = '\0';
	line = strrchr(buffer, '\n');
	snprintf(text, size, ": %.*s", (int)(size - sizeof(": ")), line ? line + 1 : buffer);
}

/* The text of a process that has ended otherwise than by tdx_sequence_run(). */
static void describe_end(const struct tdx_sequence *sequence, int status, int log)
{
	char step[160], line[256] = "";

	tdx_step_describe(&sequence->steps[failure->step], step, sizeof(step));
	copy_last_line(log, line, sizeof(line));
	snprintf(failure->text, sizeof(failure->text), "%s: the process ended by %s %d%s", step,
		 WIFSIGNALED(status) ? "signal" : "exit status",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), line);
}

/* A failure of a case is one line. */
static void join_lines(char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			*text = ' ';
	}
}

/* Returns true if the TDs of a sequence have given back all, else says in *failure what is left. */
static bool same_holdings(const char *before)
{
	char *now = tdx_remains_settle(before);

	if (now)
		snprintf(failure->text, sizeof(failure->text),
			 "TDs had '%s', and have '%s' after their end", before, now);
	free(now);
	return !now;
}

/* Returns true if the steps in @mask fail.  The reason is in *failure then. */
static bool fails_once(const struct tdx_sequence *sequence, u64 mask)
{
	const int log = memfd_create("sequence", 0);
	const u64 warnings = tdx_count_warnings();
	char *before = tdx_remains_of_tds();
	u64 after;
	int status;
	pid_t child;

	memset(failure, 0, sizeof(*failure));
	child = fork();
	TEST_ASSERT(child >= 0 && log >= 0, "no process: %m");
	if (!child)
		run_in_child(sequence, mask, log);
	TEST_ASSERT(waitpid(child, &status, 0) == child, "waitpid() failed: %m");

	if (status && !*failure->text)
		describe_end(sequence, status, log);
	if (!status)
		status = !same_holdings(before);
	after = tdx_count_warnings();
	if (!status && after != warnings) {
		snprintf(failure->text, sizeof(failure->text), "the kernel warned %lu time(s)",
			 after - warnings);
		status = 1;
	}
	join_lines(failure->text);

	close(log);
	free(before);
	return status;
}

static bool fails(const struct tdx_sequence *sequence, u64 mask)
{
	unsigned int i;

	for (i = 0; i < (sequence->theme == TDX_THEME_RACE ? RACE_ATTEMPTS : 1); i++) {
		if (fails_once(sequence, mask)) {
			last = *failure;
			return true;
		}
	}

	return false;
}

/* Leave steps out, @chunk at a time, for as long as the others fail. */
static u64 shorten_by(const struct tdx_sequence *sequence, u64 mask, unsigned int chunk)
{
	unsigned int first;
	u64 without;

	for (first = 0; first < sequence->nr_steps; first += chunk) {
		without = mask & ~GENMASK_ULL(min(first + chunk, 64u) - 1, first);
		if (without != mask && fails(sequence, without))
			mask = without;
	}

	return mask;
}

static u64 shorten(const struct tdx_sequence *sequence, u64 mask)
{
	unsigned int chunk = 8;
	u64 before;

	for (; chunk > 1; chunk /= 2)
		mask = shorten_by(sequence, mask, chunk);
	do {
		before = mask;
		mask = shorten_by(sequence, mask, 1);
	} while (mask != before);

	return mask;
}

/* The steps to take: those in TDX_RANDOM_STEPS, or all. */
static u64 asked_steps(const struct tdx_sequence *sequence)
{
	const char *text = getenv(STEPS_ENV);
	unsigned int first, last;

	if (!text)
		return GENMASK_ULL(sequence->nr_steps - 1, 0);
	TEST_ASSERT(sscanf(text, "%u-%u", &first, &last) == 2 && first <= last &&
		    last < TDX_MAX_STEPS, STEPS_ENV ": wanted such as 3-9, got '%s'", text);
	return GENMASK_ULL(last, first);
}

/* Shorten a sequence that has failed, and write its steps and their failure to @line. */
static void report(const struct tdx_sequence *sequence, u64 seed, u64 number, u64 mask,
		   char *line, size_t size)
{
	unsigned int i, nr = 0;
	char text[160];

	mask = shorten(sequence, mask);
	for (i = 0; i < sequence->nr_steps; i++) {
		if (!(mask & BIT_ULL(i)))
			continue;
		tdx_step_describe(&sequence->steps[i], text, sizeof(text));
		ksft_print_msg("step %u: %s\n", i, text);
		nr++;
	}

	snprintf(line, size, "seed %lu, sequence %lu, %u of %u steps: %s", seed, number, nr,
		 sequence->nr_steps, last.text);
	ksft_print_msg("%s\n", line);
}

static void run_canary(void)
{
	struct tdx_td td = {};

	tdx_td_build(&td, TDX_STAGE_FINALIZED);
	tdx_td_finish(&td);
	kvm_vm_free(td.vm);
}

FIXTURE(sequences)
{
	u64 seed;
	u64 first;
	u64 end;
};

FIXTURE_VARIANT(sequences)
{
	enum tdx_theme theme;
};

FIXTURE_VARIANT_ADD(sequences, life)	{ .theme = TDX_THEME_LIFE };
FIXTURE_VARIANT_ADD(sequences, any)	{ .theme = TDX_THEME_ANY };
FIXTURE_VARIANT_ADD(sequences, race)	{ .theme = TDX_THEME_RACE };
FIXTURE_VARIANT_ADD(sequences, witness)	{ .theme = TDX_THEME_WITNESS };

FIXTURE_SETUP(sequences)
{
	self->seed = tdx_env_number(TDX_RANDOM_SEED_ENV, TDX_RANDOM_DEFAULT_SEED);
	self->first = tdx_env_number(ONLY_ENV, 0);
	self->end = getenv(ONLY_ENV) ? self->first + 1 :
		    tdx_env_number(COUNT_ENV, DEFAULT_COUNT);

	failure = mmap(NULL, sizeof(*failure), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(failure != MAP_FAILED, "no memory: %m");
	tdx_world_learn();
}

FIXTURE_TEARDOWN(sequences)
{
}

TDX_TEST_F(sequences, hold)
{
	static struct tdx_sequence sequence;
	char line[768], first[sizeof(line)];
	unsigned int nr = 0;
	u64 number, mask;

	for (number = self->first; number < self->end && nr < MAX_FAILED; number++) {
		tdx_sequence_make(&sequence, variant->theme, self->seed, number);
		mask = asked_steps(&sequence);
		if (fails_once(&sequence, mask)) {
			last = *failure;
			report(&sequence, self->seed, number, mask, line, sizeof(line));
			if (!nr++)
				memcpy(first, line, sizeof(first));
		}
		if (number % CANARY_PERIOD == CANARY_PERIOD - 1) {
			run_canary();
			/* A reader of the output must not take the silence for a hang. */
			ksft_print_msg("%lu sequences\n", number + 1 - self->first);
		}
	}
	run_canary();
	TEST_ASSERT(!nr, "%s; %u sequence(s) failed", first, nr);
}

TDX_TEST_MAIN()
