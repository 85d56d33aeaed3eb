// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every ioctl and every capability of KVM_ENABLE_CAP, at every stage of a TD's life,
 * with operands that an ordinary VM takes, with zeros, with ones, and without memory.
 * KVM answers as the table of tdx_ioctl.h says, and the TD runs to its end as if
 * nothing had happened.  An ordinary VM gets the answers that it has always got.
 */
#include <linux/sizes.h>
#include <pthread.h>
#include <sys/wait.h>

#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_ioctl.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_stage.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* Below the 39 bits of GPA that every CPU with EPT supports. */
#define TEST_GPA	0x1234600000ULL
#define TEST_SLOT	21

/* Within this time a thread is in KVM_RUN. */
#define GRACE_US	20000

static u8 test_memory[SZ_4K] __aligned(SZ_4K);

/* Other answers than wanted, of which the first is reported. */
struct mistakes {
	unsigned int nr;
	char first[256];
};

static const char *answer_name(int error)
{
	return error ? strerror(error) : "success";
}

static void compare(struct mistakes *mistakes, const char *name, const char *where,
		    enum tdx_operand operand, int want, int got)
{
	char line[sizeof(mistakes->first)];

	if (want == got || want == TDX_ANY_ANSWER)
		return;

	snprintf(line, sizeof(line), "%s: %s: operand %s: wanted %s, got ", name, where,
		 tdx_operand_name(operand), answer_name(want));
	strncat(line, answer_name(got), sizeof(line) - strlen(line) - 1);
	ksft_print_msg("%s\n", line);
	if (!mistakes->nr++)
		memcpy(mistakes->first, line, sizeof(line));
}

static void report(const struct mistakes *mistakes)
{
	TEST_ASSERT(!mistakes->nr, "%s; %u answer(s) differ", mistakes->first, mistakes->nr);
}

static struct tdx_target td_target(const struct tdx_td *td)
{
	return (struct tdx_target) {
		.vm = td->vm, .vcpu = td->vcpu, .kvm_fd = td->vm->kvm_fd,
	};
}

/* Try each ioctl of @file with each operand on a TD at its stage. */
static void try_ioctls(const struct tdx_td *td, enum tdx_ioctl_file file,
		       struct mistakes *mistakes)
{
	const struct tdx_target target = td_target(td);
	enum tdx_operand operand;
	size_t i;
	int want;

	for (i = 0; i < tdx_nr_ioctls; i++) {
		if (tdx_ioctls[i].file != file)
			continue;
		for (operand = 0; operand < NR_TDX_OPERANDS; operand++) {
			want = tdx_ioctl_answer(&tdx_ioctls[i], td->stage, operand);
			if (want != TDX_UNTRIED)
				compare(mistakes, tdx_ioctls[i].name, tdx_stage_name(td->stage),
					operand, want,
					tdx_ioctl_try(&tdx_ioctls[i], &target, operand));
		}
	}
}

static void try_caps(const struct tdx_td *td, struct mistakes *mistakes)
{
	const struct tdx_target target = td_target(td);
	enum tdx_operand operand;
	size_t i;
	int want;

	for (i = 0; i < tdx_nr_caps; i++) {
		if (tdx_caps[i].file == TDX_IOCTL_VCPU && !td->vcpu)
			continue;
		for (operand = 0; operand < NR_TDX_OPERANDS; operand++) {
			want = tdx_cap_answer(&tdx_caps[i], td->stage, operand);
			if (want != TDX_UNTRIED)
				compare(mistakes, tdx_caps[i].name, tdx_stage_name(td->stage),
					operand, want,
					tdx_cap_try(&tdx_caps[i], &target, operand));
		}
	}
}

FIXTURE(stage)
{
	struct tdx_td td;
	struct mistakes mistakes;
};

FIXTURE_VARIANT(stage)
{
	enum tdx_stage stage;
};

FIXTURE_VARIANT_ADD(stage, created)		{ .stage = TDX_STAGE_CREATED };
FIXTURE_VARIANT_ADD(stage, initialized)		{ .stage = TDX_STAGE_INITIALIZED };
FIXTURE_VARIANT_ADD(stage, vcpu_created)	{ .stage = TDX_STAGE_VCPU_CREATED };
FIXTURE_VARIANT_ADD(stage, vcpu_initialized)	{ .stage = TDX_STAGE_VCPU_INITIALIZED };
FIXTURE_VARIANT_ADD(stage, memory_added)	{ .stage = TDX_STAGE_MEMORY_ADDED };
FIXTURE_VARIANT_ADD(stage, finalized)		{ .stage = TDX_STAGE_FINALIZED };
FIXTURE_VARIANT_ADD(stage, entered)		{ .stage = TDX_STAGE_ENTERED };
FIXTURE_VARIANT_ADD(stage, in_hypercall)	{ .stage = TDX_STAGE_IN_HYPERCALL };
FIXTURE_VARIANT_ADD(stage, shut_down)		{ .stage = TDX_STAGE_SHUTDOWN };
FIXTURE_VARIANT_ADD(stage, dead)		{ .stage = TDX_STAGE_DEAD };

FIXTURE_SETUP(stage)
{
	tdx_td_build(&self->td, variant->stage);
}

FIXTURE_TEARDOWN(stage)
{
	kvm_vm_free(self->td.vm);
}

/* One TD takes all ioctls, since what they change does not matter to a TD. */
TDX_TEST_F(stage, ioctls)
{
	try_ioctls(&self->td, TDX_IOCTL_VM, &self->mistakes);
	if (self->td.vcpu)
		try_ioctls(&self->td, TDX_IOCTL_VCPU, &self->mistakes);
	report(&self->mistakes);
	tdx_td_finish(&self->td);
}

TDX_TEST_F(stage, capabilities)
{
	try_caps(&self->td, &self->mistakes);
	report(&self->mistakes);
	tdx_td_finish(&self->td);
}

/* A process that has got the files of a TD can do nothing with them. */
TDX_TEST_F(stage, other_process)
{
	struct mistakes *mistakes = &self->mistakes;
	const struct tdx_target target = td_target(&self->td);
	const struct tdx_ioctl *row;
	int status;
	pid_t child;

	child = fork();
	TEST_ASSERT(child >= 0, "fork() failed: %m");
	if (!child) {
		for (row = tdx_ioctls; row < tdx_ioctls + tdx_nr_ioctls; row++) {
			if (row->file == TDX_IOCTL_DEV ||
			    (row->file == TDX_IOCTL_VCPU && !target.vcpu))
				continue;
			compare(mistakes, row->name, "other process", TDX_OPERAND_ZEROS, EIO,
				tdx_ioctl_try(row, &target, TDX_OPERAND_ZEROS));
		}
		_exit(!!mistakes->nr);
	}

	TEST_ASSERT(waitpid(child, &status, 0) == child, "waitpid() failed: %m");
	TEST_ASSERT(!status, "another process got other answers than %s", strerror(EIO));
	tdx_td_finish(&self->td);
}

static bool guest_has_nmi;

static void guest_nmi(struct ex_regs *regs)
{
	WRITE_ONCE(guest_has_nmi, true);
}

/* Calls KVM again and again, without an exit to userspace, until an NMI comes. */
static void guest_calls(void)
{
	const u64 value = tdvmcall_rdmsr(MSR_IA32_MISC_ENABLE);

	GUEST_SYNC1(0);
	while (!READ_ONCE(guest_has_nmi))
		GUEST_ASSERT_EQ(tdvmcall_rdmsr(MSR_IA32_MISC_ENABLE), value);
	GUEST_DONE();
}

/* A TD whose vCPU runs in *@thread, until tdx_vcpu_signal_msi() sends it an NMI. */
static void start_running(struct tdx_td *td, struct tdx_vcpu_thread *thread)
{
	struct ucall uc;

	td->stage = TDX_STAGE_ENTERED;
	td->vm = tdx_vm_create(1);
	td->vcpu = tdx_vcpu_add(td->vm, 0, guest_calls);
	vm_install_exception_handler(td->vm, NMI_VECTOR, guest_nmi);
	tdx_vm_finalize(td->vm);
	tdx_vcpu_run_to_ucall(td->vcpu, UCALL_SYNC, &uc);
	tdx_vcpu_start(thread, td->vcpu, -1);
}

/* The TD has come to its end in the thread. */
static void end_running(struct tdx_td *td, struct tdx_vcpu_thread *thread)
{
	struct ucall uc;

	tdx_vcpu_join(thread);
	TEST_ASSERT(!thread->ret, "wanted KVM_RUN to succeed, got %s", strerror(thread->err));
	TEST_ASSERT_EQ(get_ucall(td->vcpu, &uc), UCALL_DONE);
	kvm_vm_free(td->vm);
}

/* All ioctls of a VM while its vCPU runs in another thread. */
TEST(while_running)
{
	struct tdx_vcpu_thread thread;
	struct mistakes mistakes = {};
	struct tdx_td td = {};

	start_running(&td, &thread);
	try_ioctls(&td, TDX_IOCTL_VM, &mistakes);
	tdx_vcpu_signal_msi(td.vcpu, APIC_DM_NMI);
	end_running(&td, &thread);
	report(&mistakes);
}

struct delayed_nmi {
	struct kvm_vcpu *vcpu;
	bool sent;
};

static void *send_nmi_later(void *data)
{
	struct delayed_nmi *nmi = data;

	usleep(GRACE_US);
	WRITE_ONCE(nmi->sent, true);
	tdx_vcpu_signal_msi(nmi->vcpu, APIC_DM_NMI);
	return NULL;
}

/* An ioctl of a vCPU waits until the vCPU has left KVM_RUN. */
TEST(waits_while_running)
{
	struct tdx_vcpu_thread thread;
	struct delayed_nmi nmi = {};
	struct tdx_td td = {};
	pthread_t sender;

	start_running(&td, &thread);
	usleep(GRACE_US);
	nmi.vcpu = td.vcpu;
	TEST_ASSERT(!pthread_create(&sender, NULL, send_nmi_later, &nmi), "no thread");

	TEST_ASSERT_EQ(tdx_vcpu_mp_state(td.vcpu), KVM_MP_STATE_RUNNABLE);
	TEST_ASSERT(READ_ONCE(nmi.sent), "wanted KVM_GET_MP_STATE to wait for KVM_RUN");

	pthread_join(sender, NULL);
	end_running(&td, &thread);
}

TEST(dev)
{
	struct tdx_td td = {};
	struct mistakes mistakes = {};

	tdx_td_build(&td, TDX_STAGE_CREATED);
	try_ioctls(&td, TDX_IOCTL_DEV, &mistakes);
	report(&mistakes);
	kvm_vm_free(td.vm);
}

static void guest_code(void)
{
}

/* An ordinary VM with an irqchip and one vCPU that has not run. */
static struct tdx_target plain_target(void)
{
	struct tdx_target target = {};

	target.vm = vm_create_with_one_vcpu(&target.vcpu, guest_code);
	target.kvm_fd = target.vm->kvm_fd;
	return target;
}

TEST(plain_ioctls)
{
	const struct tdx_target target = plain_target();
	struct mistakes mistakes = {};
	enum tdx_operand operand;
	size_t i;
	int want;

	for (i = 0; i < tdx_nr_ioctls; i++) {
		for (operand = 0; operand < NR_TDX_OPERANDS; operand++) {
			want = tdx_ioctl_plain_answer(&tdx_ioctls[i], operand);
			if (want != TDX_UNTRIED)
				compare(&mistakes, tdx_ioctls[i].name, "ordinary VM", operand,
					want, tdx_ioctl_try(&tdx_ioctls[i], &target, operand));
		}
	}

	report(&mistakes);
	kvm_vm_free(target.vm);
}

TEST(plain_capabilities)
{
	const struct tdx_target target = plain_target();
	struct mistakes mistakes = {};
	enum tdx_operand operand;
	size_t i;
	int want;

	for (i = 0; i < tdx_nr_caps; i++) {
		for (operand = 0; operand < NR_TDX_OPERANDS; operand++) {
			want = tdx_cap_plain_answer(&tdx_caps[i], operand);
			if (want != TDX_UNTRIED)
				compare(&mistakes, tdx_caps[i].name, "ordinary VM", operand, want,
					tdx_cap_try(&tdx_caps[i], &target, operand));
		}
	}

	report(&mistakes);
	kvm_vm_free(target.vm);
}

/* Issue the ioctl with @flag.  Returns errno, 0 for success. */
static int try_flag(const struct tdx_target *target, enum tdx_flag_kind kind, u64 flag)
{
	struct kvm_memory_attributes attributes = {
		.address = TEST_GPA, .size = SZ_4K, .attributes = flag,
	};
	struct kvm_pre_fault_memory range = {
		.gpa = target->vm->mmu.pgd, .size = SZ_4K, .flags = flag,
	};
	struct kvm_create_guest_memfd memfd = { .size = SZ_4K, .flags = flag };
	struct kvm_device_attr attr = { .attr = flag };
	int fd, r;

	switch (kind) {
	case TDX_FLAG_OF_SLOT:
		fd = vm_create_guest_memfd(target->vm, SZ_4K, 0);
		r = __vm_set_user_memory_region2(target->vm, TEST_SLOT, flag, TEST_GPA, SZ_4K,
						 test_memory, fd, 0) ? errno : 0;
		close(fd);
		if (!r)
			vm_set_user_memory_region2(target->vm, TEST_SLOT, 0, TEST_GPA, 0, NULL,
						   -1, 0);
		return r;
	case TDX_FLAG_OF_GUEST_MEMFD:
		fd = __vm_ioctl(target->vm, KVM_CREATE_GUEST_MEMFD, &memfd);
		r = fd < 0 ? errno : 0;
		close(fd);
		return r;
	case TDX_FLAG_OF_PAGES:
		return __vm_ioctl(target->vm, KVM_SET_MEMORY_ATTRIBUTES, &attributes) ? errno : 0;
	case TDX_FLAG_OF_PRE_FAULT:
		return __vcpu_ioctl(target->vcpu, KVM_PRE_FAULT_MEMORY, &range) ? errno : 0;
	case TDX_FLAG_OF_DEV:
		return __kvm_ioctl(target->kvm_fd, KVM_HAS_DEVICE_ATTR, &attr) ? errno : 0;
	default:
		return __vcpu_ioctl(target->vcpu, KVM_HAS_DEVICE_ATTR, &attr) ? errno : 0;
	}
}

/* What KVM answers to a flag that the table does not have. */
static const int unknown_flag[] = {
	[TDX_FLAG_OF_SLOT] = EINVAL,
	[TDX_FLAG_OF_GUEST_MEMFD] = EINVAL,
	[TDX_FLAG_OF_PAGES] = EINVAL,
	[TDX_FLAG_OF_PRE_FAULT] = EINVAL,
	[TDX_FLAG_OF_DEV] = ENXIO,
	[TDX_FLAG_OF_VCPU] = ENXIO,
};

kvm_static_assert(ARRAY_SIZE(unknown_flag) == NR_TDX_FLAG_KINDS);

static const struct tdx_flag *find_flag(enum tdx_flag_kind kind, u64 flag)
{
	size_t i;

	for (i = 0; i < tdx_nr_flags; i++) {
		if (tdx_flags[i].kind == kind && tdx_flags[i].flag == flag)
			return &tdx_flags[i];
	}

	return NULL;
}

/* Each bit alone, whether or not it is a flag, and none of the attributes of a device. */
static void try_flags(const struct tdx_target *target, bool is_td, struct mistakes *mistakes)
{
	const struct tdx_flag *row;
	enum tdx_flag_kind kind;
	char name[32];
	u64 flag;
	int bit;

	for (kind = 0; kind < NR_TDX_FLAG_KINDS; kind++) {
		for (bit = -1; bit < (kind == TDX_FLAG_OF_SLOT ? 32 : 64); bit++) {
			flag = bit < 0 ? 0 : BIT_ULL(bit);
			row = find_flag(kind, flag);
			if (!row && !flag)
				continue;
			snprintf(name, sizeof(name), "flag kind %d, bit %d", kind, bit);
			compare(mistakes, row ? row->name : name, is_td ? "TD" : "ordinary VM",
				TDX_OPERAND_GOOD,
				!row ? unknown_flag[kind] : is_td ? row->td : row->plain,
				try_flag(target, kind, flag));
		}
	}
}

TEST(flags)
{
	struct mistakes mistakes = {};
	struct tdx_target target;
	struct tdx_td td = {};

	tdx_td_build(&td, TDX_STAGE_ENTERED);
	target = td_target(&td);
	try_flags(&target, true, &mistakes);
	report(&mistakes);
	tdx_td_finish(&td);
	kvm_vm_free(td.vm);
}

TEST(plain_flags)
{
	const struct tdx_target target = plain_target();
	struct mistakes mistakes = {};

	try_flags(&target, false, &mistakes);
	report(&mistakes);
	kvm_vm_free(target.vm);
}

TDX_TEST_MAIN()
