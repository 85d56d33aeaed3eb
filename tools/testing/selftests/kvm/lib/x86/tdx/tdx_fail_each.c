// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kvm_util.h"
#include "tdx/tdx_fail_each.h"
#include "tdx/tdx_fail_nth.h"
#include "tdx/tdx_sim.h"

/* No command has more allocations and copies. */
#define MAX_FAULTS	2000
/* The number of faults between two lines that tell of the progress. */
#define PROGRESS	32

static void take_steps(struct tdx_fail_target *target, tdx_step_fn *step, bool before)
{
	bool reached = false;
	u64 hw_error;
	size_t i;
	int r;

	for (i = 0; i < tdx_nr_steps; i++) {
		if (tdx_steps[i].fn == step) {
			reached = true;
			continue;
		}
		if (tdx_steps[i].asked || reached == before)
			continue;
		r = tdx_steps[i].fn(&target->td, &hw_error);
		TEST_ASSERT(!r, "%s: wanted success, got errno %d (%s)", tdx_steps[i].name, r,
			    strerror(r));
	}
}

static void build(struct tdx_fail_target *target, const struct tdx_fail_command *command)
{
	*target = (struct tdx_fail_target) { .memfd = -1 };
	if (command->step)
		take_steps(target, command->step, true);
	else if (command->build)
		command->build(target);
}

static void destroy(struct tdx_fail_target *target)
{
	if (target->td.vm)
		kvm_vm_free(target->td.vm);
	if (target->memory)
		munmap(target->memory, target->memory_size);
	if (target->memfd >= 0)
		close(target->memfd);
	if (target->kvm)
		close(target->kvm);
	free(target->cpuid);
	free(target->params);
	free(target->caps);
	*target = (struct tdx_fail_target) {};
}

/* The command has been carried out: the TD runs to its end. */
static void finish(struct tdx_fail_target *target, const struct tdx_fail_command *command)
{
	if (command->step)
		take_steps(target, command->step, false);
	else if (command->finish)
		command->finish(target);
	destroy(target);
}

static int carry_out(struct tdx_fail_target *target, const struct tdx_fail_command *command)
{
	u64 hw_error;

	return command->step ? command->step(&target->td, &hw_error) : command->run(target);
}

/*
 * A fault of the copy of a command's result, which comes last: the command has been carried
 * out, and userspace learns that when it repeats it.
 */
static bool is_done(const struct tdx_fail_command *command, int last_error, int error)
{
	return command->late && last_error == EFAULT && error == command->again;
}

/* Tables of the secure EPT may stay: the next attempt needs them. */
static char *without_tables(void)
{
	char *text = tdx_sim_holdings();
	char *line = strstr(text, "EPT ");

	if (line)
		memset(line, ' ', strcspn(line, "\n"));
	return text;
}

/* What the module holds after a command that failed. */
static void check_nothing_done(const struct tdx_fail_command *command, u32 nth, int error,
			       const char *before)
{
	char *after;

	if (!before || command->in_parts || (command->late && error == EFAULT))
		return;
	after = without_tables();
	TEST_ASSERT(!strcmp(before, after), "fault %u: wanted the module to hold\n%sgot\n%s", nth,
		    before, after);
	free(after);
}

/*
 * Let the @nth allocation or copy of the command fail.  Returns false if it has none.
 * *@error is that of the command.
 */
static bool inject(struct tdx_fail_target *target, const struct tdx_fail_command *command,
		   u32 nth, int *error)
{
	char *before = tdx_sim_has("pages") ? without_tables() : NULL;
	bool injected;

	tdx_fail_nth_arm(nth);
	*error = carry_out(target, command);
	injected = tdx_fail_nth_disarm();

	if (injected && *error) {
		TEST_ASSERT(*error == ENOMEM || *error == EFAULT,
			    "fault %u: wanted ENOMEM or EFAULT, got errno %d (%s)", nth, *error,
			    strerror(*error));
		check_nothing_done(command, nth, *error, before);
	}
	free(before);
	return injected;
}

void tdx_fail_each(const struct tdx_fail_command *command, bool destroys)
{
	struct tdx_fail_target target = {};
	bool built = false, injected;
	int error, last_error = 0;
	u32 faults = 0, failed = 0, nth = 1;

	for (;;) {
		TEST_ASSERT(nth <= MAX_FAULTS, "wanted at most %u faults, got more", MAX_FAULTS);
		if (!built)
			build(&target, command);
		built = true;

		injected = inject(&target, command, nth, &error);
		if (error && is_done(command, last_error, error)) {
			/* Not a fault of this command: the same one for the next TD. */
			finish(&target, command);
			built = false;
			last_error = 0;
			continue;
		}
		if (!injected)
			break;

		faults++;
		failed += !!error;
		if (!(nth++ % PROGRESS))
			ksft_print_msg("%u faults so far\n", faults);
		last_error = error;
		if (!error || destroys) {
			if (error || command->stops)
				destroy(&target);
			else
				finish(&target, command);
			built = false;
			last_error = 0;
		}
	}

	TEST_ASSERT(!error, "after %u faults: wanted success, got errno %d (%s)", faults, error,
		    strerror(error));
	TEST_ASSERT(failed, "wanted a fault that the command fails for, got none of %u", faults);
	finish(&target, command);
	ksft_print_msg("%u faults, of which the command failed for %u\n", faults, failed);
}
