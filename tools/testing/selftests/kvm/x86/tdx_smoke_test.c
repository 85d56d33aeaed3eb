// SPDX-License-Identifier: GPL-2.0-only
/* Creates TDs, runs them and destroys them.  All other TDX tests rely on that. */
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/td_boot.h"
#include "tdx/tdcall.h"
#include "tdx/tdx_cpus.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define NR_ARGS		TD_BOOT_NR_ARGS

/* Width of guest physical addresses, in RCX of TDG.VP.INFO. */
#define VP_INFO_GPA_WIDTH	GENMASK_ULL(5, 0)

static u64 guest_global = 1;

static u64 arg(unsigned int vcpu_id, unsigned int i)
{
	return 0xa46000 + (vcpu_id << 8) + i;
}

static void guest_done(void)
{
	GUEST_DONE();
}

static void guest_args(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	GUEST_SYNC6(a, b, c, d, e, f);
	GUEST_DONE();
}

static void guest_assert(u64 seen)
{
	GUEST_ASSERT_EQ(seen, 2ul);
}

static void guest_printf(void)
{
	GUEST_PRINTF("%s, %lx\n", "from a TD", 0x7d7d7d7dul);
	GUEST_DONE();
}

static void guest_globals(void)
{
	GUEST_ASSERT_EQ(READ_ONCE(guest_global), 2ul);
	WRITE_ONCE(guest_global, 3);
	GUEST_SYNC1(READ_ONCE(guest_global));
	GUEST_DONE();
}

/* What the TDX module reports to a vCPU about itself and the TD (TDG.VP.INFO). */
static void guest_vp_info(void)
{
	struct tdcall_regs regs = { .rax = TDG_VP_INFO };

	tdcall_execute(&regs);
	GUEST_ASSERT_EQ(regs.rax, 0ul);
	GUEST_SYNC4(regs.rcx & VP_INFO_GPA_WIDTH, regs.rdx, regs.r8, regs.r9);
	GUEST_DONE();
}

static void guest_exception(void)
{
	u8 vector = kvm_asm_safe("ud2");

	GUEST_ASSERT_EQ((u64)vector, (u64)UD_VECTOR);
	GUEST_DONE();
}

static void guest_sse(void)
{
	u64 in = 0x123456789abcdef0, out = 0;

	asm volatile("movq %1, %%xmm7\n\t"
		     "movq %%xmm7, %0" : "=m"(out) : "m"(in) : "xmm7");
	GUEST_ASSERT_EQ(out, in);
	GUEST_DONE();
}

static struct kvm_vm *create(struct kvm_vcpu *vcpus[], u32 nr_vcpus, void *guest_code)
{
	struct kvm_vm *vm = tdx_vm_create(nr_vcpus);
	u32 i;

	for (i = 0; i < nr_vcpus; i++)
		vcpus[i] = tdx_vcpu_add(vm, i, guest_code);

	return vm;
}

/* An empty TD, without memory and without a vCPU. */
TEST(destroy_uninitialized)
{
	kvm_vm_free(vm_create_barebones_type(KVM_X86_TDX_VM));
}

TEST(destroy_initialized)
{
	kvm_vm_free(tdx_vm_create(1));
}

TEST(destroy_not_finalized)
{
	struct kvm_vcpu *vcpu;

	kvm_vm_free(create(&vcpu, 1, guest_done));
}

TEST(destroy_not_run)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, 1, guest_done);

	tdx_vm_finalize(vm);
	kvm_vm_free(vm);
}

/* Guest code that reports its end, in some cases after an exception or after SSE. */
TDX_FIXTURE(smoke);

FIXTURE_VARIANT(smoke)
{
	void (*guest_code)(void);
};

FIXTURE_VARIANT_ADD(smoke, done)	{ .guest_code = guest_done };
FIXTURE_VARIANT_ADD(smoke, exception)	{ .guest_code = guest_exception };
FIXTURE_VARIANT_ADD(smoke, sse)		{ .guest_code = guest_sse };

FIXTURE_SETUP(smoke)
{
	self->vm = create(&self->vcpu, 1, variant->guest_code);
	tdx_vm_finalize(self->vm);
}

TDX_TEST_F(smoke, runs)
{
	struct ucall uc;

	tdx_vcpu_run_to_ucall(self->vcpu, UCALL_DONE, &uc);
}

/* Each vCPU starts by itself, with a stack and arguments of its own. */
static void test_args(u32 nr_vcpus)
{
	struct kvm_vcpu *vcpus[2];
	struct kvm_vm *vm = create(vcpus, nr_vcpus, guest_args);
	struct ucall uc;
	u32 i, j;

	for (i = 0; i < nr_vcpus; i++)
		tdx_vcpu_args_set(vcpus[i], NR_ARGS, arg(i, 0), arg(i, 1), arg(i, 2),
				  arg(i, 3), arg(i, 4), arg(i, 5));

	tdx_vm_finalize(vm);

	for (i = 0; i < nr_vcpus; i++) {
		tdx_vcpu_run_to_ucall(vcpus[i], UCALL_SYNC, &uc);
		for (j = 0; j < NR_ARGS; j++)
			TEST_ASSERT_EQ(uc.args[j], arg(i, j));
	}

	for (i = 0; i < nr_vcpus; i++)
		tdx_vcpu_run_to_ucall(vcpus[i], UCALL_DONE, &uc);

	kvm_vm_free(vm);
}

TEST(one_vcpu)
{
	test_args(1);
}

TEST(two_vcpus)
{
	if (tdx_nr_present_cpus() < 2)
		SKIP(return, TDX_TWO_CPUS_REASON);

	test_args(2);
}

static void test_vp_info(u32 nr_vcpus)
{
	struct kvm_vcpu *vcpus[2];
	struct kvm_vm *vm = create(vcpus, nr_vcpus, guest_vp_info);
	const u64 max_vcpus = vm_check_cap(vm, KVM_CAP_MAX_VCPUS);
	struct ucall uc;
	u32 i;

	tdx_vm_finalize(vm);
	for (i = 0; i < nr_vcpus; i++) {
		tdx_vcpu_run_to_ucall(vcpus[i], UCALL_SYNC, &uc);
		TEST_ASSERT_EQ(uc.args[0], (u64)TDX_GPA_WIDTH);
		TEST_ASSERT_EQ(uc.args[1], TDX_TD_ATTR_SEPT_VE_DISABLE);
		TEST_ASSERT_EQ(uc.args[2], max_vcpus << 32 | nr_vcpus);
		TEST_ASSERT_EQ(uc.args[3], (u64)i);
	}

	kvm_vm_free(vm);
}

TEST(vp_info_one_vcpu)
{
	test_vp_info(1);
}

TEST(vp_info_two_vcpus)
{
	if (tdx_nr_present_cpus() < 2)
		SKIP(return, TDX_TWO_CPUS_REASON);

	test_vp_info(2);
}

/* A TD starts with the host's copy of a global.  Its writes to it do not reach the host. */
TEST(globals)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, 1, guest_globals);
	u64 *copy = addr_gva2hva(vm, (gva_t)&guest_global);
	struct ucall uc;

	write_guest_global(vm, guest_global, 2);
	tdx_vm_finalize(vm);
	*copy = 4;

	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);
	TEST_ASSERT_EQ(uc.args[0], 3ul);
	TEST_ASSERT_EQ(*copy, 4ul);
	TEST_ASSERT_EQ(guest_global, 1ul);

	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);
	kvm_vm_free(vm);
}

/*
 * A failed GUEST_ASSERT() reaches the host with its text.  The test does not use
 * vcpu_run(), which would report the failure itself.
 */
TEST(failed_guest_assert)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, 1, guest_assert);
	struct ucall uc;

	tdx_vcpu_args_set(vcpu, 1, 1ul);
	tdx_vm_finalize(vm);

	TEST_ASSERT_EQ(__vcpu_run(vcpu), 0);
	TEST_ASSERT_EQ(get_ucall(vcpu, &uc), (u64)UCALL_ABORT);
	ASSERT_STREQ("seen == 2ul", (char *)uc.args[GUEST_ERROR_STRING]);
	ASSERT_STREQ("0x1 != 0x2 (seen != 2ul)", uc.buffer);
	kvm_vm_free(vm);
}

TEST(printed_text)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, 1, guest_printf);
	struct ucall uc;

	tdx_vm_finalize(vm);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_PRINTF, &uc);
	ASSERT_STREQ("from a TD, 7d7d7d7d\n", uc.buffer);
	tdx_vcpu_run_to_ucall(vcpu, UCALL_DONE, &uc);
	kvm_vm_free(vm);
}

/* A TD that is not finalized does not run: KVM_RUN fails with EINVAL. */
TEST(run_needs_finalize)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = create(&vcpu, 1, guest_done);

	TEST_ASSERT_EQ(__vcpu_run(vcpu), -1);
	TEST_ASSERT_EQ(errno, EINVAL);
	kvm_vm_free(vm);
}

TDX_TEST_MAIN()
