/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cases that fail because of a known bug of KVM, a finding, which has a number.  Such a
 * case asserts what KVM should do, and is marked as one that is expected to fail:
 *
 *	TDX_FINDING(13, "mmio.default_answer");
 *	TDX_FINDING(18, "protected_state.after_run.translate");
 *	TDX_FINDING(6, "global.finalize_vm_without_vcpu");
 *
 * It is XFAIL if an assertion of it fails, and XPASS if it passes.  It may also skip
 * itself.  If it crashes or hangs it fails like any other case.  XFAIL_ADD() of
 * kselftest_harness.h takes no case without a variant, gives no reason, and calls a
 * skip a pass.
 *
 * tdx_test_harness.h includes this.
 */
#ifndef SELFTEST_TDX_TDX_FINDING_H
#define SELFTEST_TDX_TDX_FINDING_H

#include "kselftest_harness.h"
#include "kvm_util.h"
#include "tdx/tdx_warning.h"

typedef void tdx_finding_fn(struct __test_metadata *test,
			    struct __fixture_variant_metadata *variant);

struct tdx_finding {
	unsigned int number;
	const char *name;	/* of the case, as the harness prints it */
	struct __test_metadata *test;
	tdx_finding_fn *fn;	/* of the test, before tdx_finding_run() took its place */
	struct tdx_finding *next;
};

static struct tdx_finding *tdx_findings;

#define __TDX_FINDING(id, nr, case_name)				\
	static struct tdx_finding tdx_finding_##id;			\
	static void __attribute__((constructor)) tdx_finding_add_##id(void) \
	{								\
		tdx_finding_##id.next = tdx_findings;			\
		tdx_findings = &tdx_finding_##id;			\
	}								\
	static struct tdx_finding tdx_finding_##id = {			\
		.number = (nr),						\
		.name = (case_name),					\
	}
#define _TDX_FINDING(id, nr, case_name) __TDX_FINDING(id, nr, case_name)

/* Mark a case, "fixture.variant.test", as one that fails because of finding @nr. */
#define TDX_FINDING(nr, case_name) _TDX_FINDING(__LINE__, nr, case_name)

static inline bool tdx_finding_is_of(const struct tdx_finding *finding,
				     const struct __test_metadata *test, const char *variant)
{
	char name[1024];

	snprintf(name, sizeof(name), "%s%s%s.%s", test->fixture->name, *variant ? "." : "",
		 variant, test->name);
	return !strcmp(finding->name, name);
}

/*
 * Run a case in a process of its own, whose end says whether an assertion failed, and
 * give the harness the result that a finding makes of it.
 */
static inline void tdx_finding_run_case(struct tdx_finding *finding, struct __test_metadata *test,
					struct __fixture_variant_metadata *variant)
{
	pid_t child;
	int status;

	tdx_announce_finding(finding->number);
	child = fork();
	TEST_ASSERT(child >= 0, "fork() failed: %m");
	if (!child) {
		finding->fn(test, variant);
		_exit(test->exit_code);
	}

	TEST_ASSERT(waitpid(child, &status, 0) == child, "waitpid() failed: %m");
	tdx_announce_finding(0);
	if (WIFSIGNALED(status))
		kill(getpid(), WTERMSIG(status));

	test->exit_code = WEXITSTATUS(status);
	if (test->exit_code == KSFT_SKIP)
		return;

	snprintf(test->results->reason, sizeof(test->results->reason), "finding %u",
		 finding->number);
	test->exit_code = test->exit_code == KSFT_PASS ? KSFT_XPASS : KSFT_XFAIL;
}

/* Takes the place of the function of a test of which at least one case is marked. */
static inline void tdx_finding_run(struct __test_metadata *test,
				   struct __fixture_variant_metadata *variant)
{
	tdx_finding_fn *fn = NULL;
	struct tdx_finding *finding;

	for (finding = tdx_findings; finding; finding = finding->next) {
		if (finding->test != test)
			continue;
		if (tdx_finding_is_of(finding, test, variant->name)) {
			tdx_finding_run_case(finding, test, variant);
			return;
		}
		fn = finding->fn;
	}

	fn(test, variant);
}

static inline void tdx_finding_find(struct tdx_finding *finding, struct __test_metadata *test)
{
	struct __fixture_variant_metadata *variant = test->fixture->variant;
	const char *name;

	do {
		name = variant ? variant->name : "";
		if (tdx_finding_is_of(finding, test, name))
			finding->test = test;
		variant = variant ? variant->next : NULL;
	} while (variant);
}

/* Let the marks of this program have effect: a part of TDX_TEST_MAIN(). */
static inline void tdx_findings_arm(void)
{
	struct __fixture_metadata *fixture;
	struct tdx_finding *finding;
	struct __test_metadata *test;

	for (finding = tdx_findings; finding; finding = finding->next) {
		for (fixture = __fixture_list; fixture; fixture = fixture->next) {
			for (test = fixture->tests; test; test = test->next)
				tdx_finding_find(finding, test);
		}
		TEST_ASSERT(finding->test, "finding %u: no case %s", finding->number,
			    finding->name);
		finding->fn = finding->test->fn;
	}

	for (finding = tdx_findings; finding; finding = finding->next)
		finding->test->fn = tdx_finding_run;
}

#endif /* SELFTEST_TDX_TDX_FINDING_H */
