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

/* A TEST_F() with that timeout. */
#define TDX_TEST_F(fixture, test) TEST_F_TIMEOUT(fixture, test, TDX_TEST_TIMEOUT)

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
 * processes of the cases are forked.  They find the CPUID that KVM supports, too.
 */
#define TDX_TEST_MAIN_AFTER(prepare)					\
	int main(int argc, char **argv)					\
	{								\
		__TEST_REQUIRE(is_tdx_supported(), TDX_SKIP_REASON);	\
		kvm_get_supported_cpuid();				\
		tdx_findings_arm();					\
		prepare;						\
									\
		return test_harness_run(argc, argv);			\
	}

#define TDX_TEST_MAIN() TDX_TEST_MAIN_AFTER()

#endif /* SELFTEST_TDX_TDX_TEST_HARNESS_H */
