// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cpus.h"
#include "tdx/tdx_kvm.h"
#include "tdx/tdx_leak.h"
#include "tdx/tdx_misc_cgroup.h"
#include "tdx/tdx_refusal.h"
#include "tdx/tdx_sim.h"
#include "tdx/tdx_warning.h"

/* KVM warns in the code of TDX, of its page tables, and common to all architectures. */
#define WARNS_IN	"kvm/"

static void check_cpu(u64 cpu)
{
	const u64 nr_cpus = sysconf(_SC_NPROCESSORS_CONF);

	TEST_ASSERT(cpu < nr_cpus, "wanted a CPU, got 0x%lx", cpu);
}

static u64 exit_detail(const struct kvm_run *run)
{
	switch (run->exit_reason) {
	case KVM_EXIT_INTERNAL_ERROR:
		TEST_ASSERT_EQ(run->internal.suberror,
			       KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON);
		TEST_ASSERT_EQ(run->internal.ndata, 2);
		check_cpu(run->internal.data[1]);
		return run->internal.data[0];
	case KVM_EXIT_FAIL_ENTRY:
		check_cpu(run->fail_entry.cpu);
		return run->fail_entry.hardware_entry_failure_reason;
	case KVM_EXIT_NOTIFY:
		return run->notify.flags;
	case KVM_EXIT_EXCEPTION:
		return (u64)run->ex.error_code << 32 | run->ex.exception;
	default:
		return 0;
	}
}

static void check_run(struct tdx_steps *td, u32 want_exit, u64 want_detail, u16 want_flags)
{
	struct kvm_run *run = td->vcpu->run;
	struct ucall uc;

	TEST_ASSERT(run->flags == want_flags, "KVM_RUN: wanted flags 0x%x, got 0x%x", want_flags,
		    run->flags);
	if (want_exit) {
		TEST_ASSERT(run->exit_reason == want_exit, "KVM_RUN: wanted %s, got %s",
			    exit_reason_str(want_exit), exit_reason_str(run->exit_reason));
		TEST_ASSERT(exit_detail(run) == want_detail, "%s: wanted 0x%lx, got 0x%lx",
			    exit_reason_str(want_exit), want_detail, exit_detail(run));
		return;
	}

	TEST_ASSERT(get_ucall(td->vcpu, &uc) == UCALL_SYNC, "KVM_RUN: wanted a ucall, got %s",
		    exit_reason_str(run->exit_reason));
	TEST_ASSERT_EQ(uc.args[0], TDX_STEPS_SYNC);
}

static void succeed(struct tdx_steps *td, const struct tdx_step *step)
{
	u64 hw_error = 0;
	int r = step->fn(td, &hw_error);

	errno = r;
	TEST_ASSERT(!r && !hw_error, "%s: wanted success, got errno %d, status 0x%lx",
		    step->name, r, hw_error);
	if (step->fn == tdx_step_run || step->fn == tdx_step_run_on)
		check_run(td, 0, 0, 0);
}

static void check_calls(const struct tdx_refusal *refusal)
{
	const u32 times = refusal->times ?: 1;
	u32 want_calls = refusal->calls ?: times + (refusal->nth ?: 1);
	u32 calls, refused;

	tdx_sim_refused(&calls, &refused);
	TEST_ASSERT(refused == times, "%s: wanted %u refused calls, got %u of %u",
		    refusal->leaf, times, refused, calls);
	if (refusal->calls == TDX_REFUSAL_ANY)
		return;
	TEST_ASSERT(refusal->calls ? calls == want_calls : calls >= want_calls,
		    "%s: wanted %s%u calls, got %u", refusal->leaf,
		    refusal->calls ? "" : "at least ", want_calls, calls);
}

static bool may_warn(const struct tdx_refusal *refusal)
{
	return refusal->dead || refusal->warnings || refusal->finding_warns;
}

static void check_warnings(const struct tdx_refusal *refusal, u64 got)
{
	const u64 want = refusal->warnings == TDX_REFUSAL_SILENT ? 0 :
			 refusal->warnings ?: refusal->dead;

	/* Where the finding is fixed the second one does not come. */
	if (refusal->finding_warns && got == want + 1)
		return;
	tdx_assert_value(refusal->leaf, "refused", refusal->nth, "warnings of the kernel",
			 want, got);
}

/* Of several calls that may have failed, KVM names the one that did. */
static void check_log(const struct tdx_refusal *refusal, int log)
{
	char status[sizeof("failed: 0x") + 16];

	if (log < 0)
		return;
	snprintf(status, sizeof(status), "failed: 0x%lx", refusal->status);
	TEST_ASSERT(!refusal->logged || tdx_log_has(log, refusal->leaf, status),
		    "%s: wanted '%s' in the kernel's log, got none", refusal->leaf, status);
	close(log);
}

/* Take the step while the module refuses. */
static void be_refused(struct tdx_steps *td, const struct tdx_refusal *refusal,
		       const struct tdx_step *step)
{
	u64 hw_error = 0;
	int r;

	tdx_sim_refuse_with_regs(refusal->leaf, refusal->nth ?: 1, refusal->status,
				 refusal->times ?: 1, refusal->regs);
	r = step->fn(td, &hw_error);
	check_calls(refusal);
	tdx_sim_refuse_none();

	errno = r;
	TEST_ASSERT(r == refusal->want_errno, "%s: wanted errno %d (%s), got %d", step->name,
		    refusal->want_errno, strerror(refusal->want_errno), r);
	TEST_ASSERT(hw_error == refusal->want_hw_error, "%s: wanted status 0x%lx, got 0x%lx",
		    step->name, refusal->want_hw_error, hw_error);
	tdx_assert_value(step->name, "refused", refusal->nth, "pages measured",
			 refusal->want_measured, td->measured);
	if (step->fn == tdx_step_run && !refusal->want_errno)
		check_run(td, refusal->want_exit, refusal->want_detail, refusal->want_flags);
}

/* After a bug KVM refuses everything to the VM. */
static void check_dead(struct tdx_steps *td)
{
	u64 hw_error;

	TEST_ASSERT_EQ(tdx_step_finalize(td, &hw_error), EIO);
	if (td->vcpu)
		TEST_ASSERT_EQ(tdx_step_run(td, &hw_error), EIO);
	if (td->second)
		TEST_ASSERT_EQ(tdx_step_init_second(td, &hw_error), EIO);
}

/* KVM_TDX_INIT_VM has a VM of its own. */
static void refuse_init_vm(struct tdx_steps *td, const struct tdx_refusal *refusal)
{
	const struct tdx_step step = { .name = "KVM_TDX_INIT_VM", .fn = refusal->step };

	be_refused(td, refusal, &step);
	if (refusal->dead)
		check_dead(td);
	else if (refusal->want_errno)
		succeed(td, &step);
}

static void take_steps(struct tdx_steps *td, const struct tdx_refusal *refusal)
{
	size_t i;

	for (i = 0; i < tdx_nr_steps; i++) {
		const struct tdx_step *step = &tdx_steps[i];

		if (step->fn == refusal->step) {
			be_refused(td, refusal, step);
			if (refusal->dead) {
				check_dead(td);
				return;
			}
			/* The step is done, unless it ended with an error or an exit. */
			if (!refusal->want_errno && !refusal->want_exit)
				continue;
		} else if (step->asked) {
			continue;
		}
		succeed(td, step);
	}
}

/* Returns the number after @name in @text, whose lines have a name and a number each. */
static long count_of(const char *text, const char *name)
{
	const size_t length = strlen(name);
	const char *line;

	for (line = text; *line; line += strcspn(line, "\n") + 1) {
		if (!strncmp(line, name, length) && line[length] == ' ')
			return atol(line + length);
	}

	TEST_FAIL("no %s in '%s'", name, text);
	return 0;
}

static long nr_pages(const char *holdings)
{
	static const char * const types[] = { "REG", "TDR", "TDCX", "TDVPR", "EPT" };
	long nr = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		nr += count_of(holdings, types[i]);
	return nr;
}

/* The TD is gone, and with it all that it took, without what KVM cannot take back. */
static void check_host(const struct tdx_refusal *refusal, const struct tdx_refusal_host *host)
{
	const char *before = host->holdings;
	char *after = tdx_sim_holdings();

	tdx_assert_value("the TD is gone", "KeyIDs", 0, "lost", refusal->lost_keyids,
			 count_of(before, "FREE") - count_of(after, "FREE"));
	/* A TD that keeps its KeyID keeps all its pages but those of its memory. */
	if (refusal->lost_keyids) {
		tdx_assert_value("the TD is gone", "pages", 0, "lost TDRs",
				 refusal->lost_keyids,
				 count_of(after, "TDR") - count_of(before, "TDR"));
		tdx_assert_value("the TD is gone", "pages", 0, "lost REGs", 0,
				 count_of(after, "REG") - count_of(before, "REG"));
	} else {
		tdx_assert_value("the TD is gone", "pages", 0, "lost", refusal->lost_pages,
				 nr_pages(after) - nr_pages(before));
	}

	if (tdx_cgroup_exists(&host->cgroup))
		tdx_assert_value("the TD is gone", "misc.current", 0, "TDs",
				 refusal->lost_keyids,
				 tdx_misc_cgroup_usage(&host->cgroup));
	free(after);
}

const char *tdx_refusal_begin(const struct tdx_refusal *refusal, struct tdx_refusal_host *host)
{
	if (!tdx_sim_has("fault"))
		return TDX_SIM_SKIP_REASON;
	if (may_warn(refusal) && !tdx_may_announce())
		return TDX_WARN_REASON;
	if (refusal->needs_bus_lock_exit && tdx_kvm_lacks(TDX_KVM_BUS_LOCK_EXIT))
		return TDX_KVM_LACKS_REASON;
	if (refusal->nr_vcpus > tdx_nr_present_cpus())
		return TDX_TWO_CPUS_REASON;

	/* A case that failed may have left its request. */
	tdx_sim_refuse_none();
	host->holdings = tdx_sim_holdings();
	host->keeps_memory = refusal->lost_keyids;
	tdx_misc_cgroup_join(&host->cgroup, "tdx max");
	return NULL;
}

void tdx_refusal_end(struct tdx_refusal_host *host)
{
	tdx_cgroup_remove(&host->cgroup);
	if (host->keeps_memory)
		tdx_leak_forget();
}

void tdx_refusal_run(const struct tdx_refusal *refusal, const struct tdx_refusal_host *host)
{
	const u64 before = may_warn(refusal) ? tdx_announce_warning(WARNS_IN) :
					       tdx_count_warnings();
	struct tdx_steps td = { .nr_vcpus = refusal->nr_vcpus };
	const int log = tdx_log_open();

	if (refusal->step == tdx_step_init_vm || refusal->step == tdx_step_init_and_destroy)
		refuse_init_vm(&td, refusal);
	else
		take_steps(&td, refusal);
	if (td.vm)
		kvm_vm_free(td.vm);

	if (may_warn(refusal))
		check_warnings(refusal, tdx_end_announcement(before));
	else
		tdx_assert_no_warning(before);
	check_log(refusal, log);
	check_host(refusal, host);
	if (refusal->lost_pages)
		tdx_sim_write("pages", "forget");
	free(host->holdings);
}
