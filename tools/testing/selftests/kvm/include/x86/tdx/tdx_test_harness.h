/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of TDs have in common on top of kselftest_harness.h, as
 * kvm_test_harness.h is for tests of other VMs:
 *
 *	TDX_FIXTURE(io);
 *	TDX_FIXTURE_SETUP(io, tdvmcall_vm_create);
 *
 *	TDX_TEST_F(io, in)
 *	{
 *		... self->vm, self->vcpu ...
 *	}
 *
 *	TDX_TEST_MAIN()
 */
#ifndef SELFTEST_TDX_TDX_TEST_HARNESS_H
#define SELFTEST_TDX_TDX_TEST_HARNESS_H

#include "kselftest_harness.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_finding.h"
#include "tdx/tdx_util.h"

/*
 * Seconds until a case is given up.  The 30 seconds of kselftest_harness.h are too few:
 * an emulated CPU may need a second for what hardware does in milliseconds.  A test
 * that needs another number defines it before it includes this file.
 */
#ifndef TDX_TEST_TIMEOUT
#define TDX_TEST_TIMEOUT	120
#endif

/* Keeps its copy of @test on the heap, which is not loaded into a TD. */
static inline void tdx_test_register(const struct __test_metadata *test)
{
	struct __test_metadata *copy = malloc(sizeof(*copy));

	TEST_ASSERT(copy, "No memory for test %s", test->name);
	*copy = *test;
	__register_test(copy);
}

/*
 * A TEST_F() with that timeout, in one process: the one that the harness forks for each
 * case.  TEST_F() forks once more, so that FIXTURE_TEARDOWN_PARENT() can do its work after
 * a crash, and that costs a tenth of a case.
 */
#define TDX_TEST_F(fixture_name, test_name)				\
	static void fixture_name##_##test_name(				\
		struct __test_metadata *_metadata,			\
		FIXTURE_DATA(fixture_name) *self,			\
		const FIXTURE_VARIANT(fixture_name) *variant);		\
									\
	static void wrapper_##fixture_name##_##test_name(		\
		struct __test_metadata *_metadata,			\
		struct __fixture_variant_metadata *variant)		\
	{								\
		FIXTURE_DATA(fixture_name) self = {};			\
									\
		TEST_ASSERT(!fixture_name##_teardown_parent,		\
			    "TDX_TEST_F() has no parent process: use TDX_TEST_F_PARENT()"); \
		fixture_name##_setup(_metadata, &self, variant->data);	\
		/* The setup may have skipped the case. */		\
		if (_metadata->exit_code)				\
			return;						\
		fixture_name##_##test_name(_metadata, &self, variant->data); \
		fixture_name##_teardown(_metadata, &self, variant->data); \
	}								\
									\
	static void __attribute__((constructor(KSELFTEST_PRIO_TEST)))	\
	_register_##fixture_name##_##test_name(void)			\
	{								\
		tdx_test_register(&(struct __test_metadata) {		\
			.name = #test_name,				\
			.fn = wrapper_##fixture_name##_##test_name,	\
			.fixture = &_##fixture_name##_fixture_object,	\
			.termsig = -1,					\
			.timeout = TDX_TEST_TIMEOUT,			\
		});							\
	}								\
									\
	static void fixture_name##_##test_name(				\
		struct __test_metadata __always_unused *_metadata,	\
		FIXTURE_DATA(fixture_name) __always_unused *self,	\
		const FIXTURE_VARIANT(fixture_name) __always_unused *variant)

/* The same for a fixture with FIXTURE_TEARDOWN_PARENT(): a TEST_F() with that timeout. */
#define TDX_TEST_F_PARENT(fixture, test) TEST_F_TIMEOUT(fixture, test, TDX_TEST_TIMEOUT)

/* A fixture with a TD and its only vCPU.  The TD is destroyed after each case. */
#define TDX_FIXTURE(name)						\
	FIXTURE(name)							\
	{								\
		struct kvm_vcpu *vcpu;					\
		struct kvm_vm *vm;					\
	};								\
									\
	TDX_FIXTURE_TEARDOWN(name)

/*
 * The setup of a TDX_FIXTURE(): @vm_create creates the TD and returns the vCPU in
 * *@vcpu.
 */
#define TDX_FIXTURE_SETUP(name, vm_create)				\
	FIXTURE_SETUP(name)						\
	{								\
		self->vm = vm_create(&self->vcpu);			\
	}

/* The teardown alone, for a fixture with other members besides vm. */
#define TDX_FIXTURE_TEARDOWN(name)					\
	FIXTURE_TEARDOWN(name)						\
	{								\
		kvm_vm_free(self->vm);					\
	}

/*
 * Skips the whole test where KVM does not offer TDs.  @prepare is done once, before the
 * processes of the cases are forked.  They find the CPUID that KVM supports, and the
 * memory of a TD, too.
 */
#define TDX_TEST_MAIN_AFTER(prepare)					\
	int main(int argc, char **argv)					\
	{								\
		__TEST_REQUIRE(is_tdx_supported(), TDX_SKIP_REASON);	\
		kvm_get_supported_cpuid();				\
		tdx_vm_prepare();					\
		tdx_findings_arm();					\
		prepare;						\
									\
		return test_harness_run(argc, argv);			\
	}

#define TDX_TEST_MAIN() TDX_TEST_MAIN_AFTER()

#endif /* SELFTEST_TDX_TDX_TEST_HARNESS_H */
