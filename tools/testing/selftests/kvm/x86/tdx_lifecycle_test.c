// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a TD, step by step.  At each step KVM refuses every command that does not
 * belong there, and the refusals do no harm.  At each step the TD can be destroyed, by
 * its owner or because its owner dies.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cpus.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_stage.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define NR_TDS		3

/* Within this time a running TD has been entered. */
#define GRACE_US	20000

/* Number of TDs that a test may create to use up the KeyIDs. */
#define MAX_KEYIDS	128
/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define MANY_KEYIDS_REASON	"the host has KeyIDs for very many TDs"

#define STAGES(first, last)	GENMASK(last, first)
#define ALL_STAGES		STAGES(TDX_STAGE_INITIALIZED, TDX_STAGE_IN_HYPERCALL)
#define NO_STAGE		0

static void guest_code(void)
{
	GUEST_SYNC1(0);
	GUEST_DONE();
}

static void guest_spin(void)
{
	GUEST_SYNC1(0);
	for (;;)
		cpu_relax();
}

/* A TD on the same KVM, which must go on running. */
static void check_another_td(void)
{
	struct tdx_td td = {};

	tdx_td_build(&td, TDX_STAGE_IN_HYPERCALL);
	tdx_td_finish(&td);
	kvm_vm_free(td.vm);
}

/* Each command, with operands that are good where the command is legal. */
static const struct command {
	const char *name;
	u32 id;
	bool of_vcpu;
	u64 legal;	/* stages at which KVM carries it out */
} commands[] = {
	{ "KVM_TDX_CAPABILITIES", KVM_TDX_CAPABILITIES, false, ALL_STAGES },
	{ "KVM_TDX_INIT_VM", KVM_TDX_INIT_VM, false, NO_STAGE },
	{ "KVM_TDX_INIT_VCPU of a VM", KVM_TDX_INIT_VCPU, false, NO_STAGE },
	{ "KVM_TDX_INIT_MEM_REGION of a VM", KVM_TDX_INIT_MEM_REGION, false, NO_STAGE },
	{ "KVM_TDX_FINALIZE_VM", KVM_TDX_FINALIZE_VM, false,
	  STAGES(TDX_STAGE_INITIALIZED, TDX_STAGE_MEMORY_ADDED) },
	{ "KVM_TDX_GET_CPUID of a VM", KVM_TDX_GET_CPUID, false, NO_STAGE },
	{ "the command after the last of a VM", KVM_TDX_CMD_NR_MAX, false, NO_STAGE },
	{ "command ~0 of a VM", ~0u, false, NO_STAGE },
	{ "KVM_TDX_CAPABILITIES of a vCPU", KVM_TDX_CAPABILITIES, true, NO_STAGE },
	{ "KVM_TDX_INIT_VM of a vCPU", KVM_TDX_INIT_VM, true, NO_STAGE },
	{ "KVM_TDX_INIT_VCPU", KVM_TDX_INIT_VCPU, true,
	  STAGES(TDX_STAGE_VCPU_CREATED, TDX_STAGE_VCPU_CREATED) },
	{ "KVM_TDX_INIT_MEM_REGION", KVM_TDX_INIT_MEM_REGION, true,
	  STAGES(TDX_STAGE_VCPU_INITIALIZED, TDX_STAGE_MEMORY_ADDED) },
	{ "KVM_TDX_FINALIZE_VM of a vCPU", KVM_TDX_FINALIZE_VM, true, NO_STAGE },
	{ "KVM_TDX_GET_CPUID", KVM_TDX_GET_CPUID, true,
	  STAGES(TDX_STAGE_VCPU_CREATED, TDX_STAGE_MEMORY_ADDED) },
	{ "the command after the last of a vCPU", KVM_TDX_CMD_NR_MAX, true, NO_STAGE },
	{ "command ~0 of a vCPU", ~0u, true, NO_STAGE },
};

/* Good operands, one of each kind. */
struct operands {
	struct kvm_tdx_capabilities *caps;
	struct kvm_tdx_init_vm *init_vm;
	struct kvm_tdx_init_mem_region region;
	struct kvm_cpuid2 *cpuid;
};

static void *operand(struct operands *operands, u32 id)
{
	switch (id) {
	case KVM_TDX_CAPABILITIES:
		return operands->caps;
	case KVM_TDX_INIT_VM:
		return operands->init_vm;
	case KVM_TDX_INIT_MEM_REGION:
		return &operands->region;
	case KVM_TDX_GET_CPUID:
		return operands->cpuid;
	default:
		return NULL;
	}
}

static int issue(struct tdx_td *td, const struct command *command, void *data, u64 *hw_error)
{
	if (command->of_vcpu)
		return __tdx_vcpu_ioctl(td->vcpu, command->id, 0, data, hw_error);

	return __tdx_vm_ioctl(td->vm, command->id, 0, data, hw_error);
}

static void refuse(struct tdx_td *td, const struct command *command, void *data)
{
	u64 hw_error;
	int r = issue(td, command, data, &hw_error);

	TEST_ASSERT(r == -1 && errno == EINVAL,
		    "%s at stage %d: wanted EINVAL, got %s", command->name, td->stage,
		    r ? strerror(errno) : "success");
	tdx_assert_value(command->name, "stage", td->stage, "hw_error", 0, hw_error);
}

static void allow(struct tdx_td *td, const struct command *command, void *data)
{
	u64 hw_error;
	int r = issue(td, command, data, &hw_error);

	TEST_ASSERT(!r, "%s at stage %d: wanted success, got %m", command->name, td->stage);
}

static void refuse_run(struct tdx_td *td)
{
	int r = __vcpu_run(td->vcpu);

	TEST_ASSERT(r == -1 && errno == EINVAL, "KVM_RUN at stage %d: wanted EINVAL, got %s",
		    td->stage, r ? strerror(errno) : exit_reason_str(td->vcpu->run->exit_reason));
}

static void refuse_commands(struct tdx_td *td)
{
	struct operands operands = {
		.caps = tdx_vm_get_capabilities(td->vm),
		.init_vm = tdx_vm_get_init_params(td->vm),
		.region = {
			.source_addr = (u64)addr_gpa2hva(td->vm, td->vm->mmu.pgd),
			.gpa = td->vm->mmu.pgd,
			.nr_pages = 1,
		},
		.cpuid = allocate_kvm_cpuid2(KVM_MAX_CPUID_ENTRIES),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *command = &commands[i];

		if (command->of_vcpu && !td->vcpu)
			continue;

		/* KVM checks the stage before the operand. */
		if (!(command->legal & BIT(td->stage))) {
			refuse(td, command, operand(&operands, command->id));
			refuse(td, command, NULL);
		} else if (command->id == KVM_TDX_CAPABILITIES ||
			   command->id == KVM_TDX_GET_CPUID) {
			/* These two do not change anything either. */
			allow(td, command, operand(&operands, command->id));
		}
	}

	if (td->vcpu && td->stage < TDX_STAGE_FINALIZED)
		refuse_run(td);

	free(operands.cpuid);
	free(operands.init_vm);
	free(operands.caps);
}

FIXTURE(td_stage)
{
	struct tdx_td td;
};

FIXTURE_VARIANT(td_stage)
{
	enum tdx_stage stage;
};

FIXTURE_VARIANT_ADD(td_stage, initialized)	{ .stage = TDX_STAGE_INITIALIZED };
FIXTURE_VARIANT_ADD(td_stage, vcpu_created)	{ .stage = TDX_STAGE_VCPU_CREATED };
FIXTURE_VARIANT_ADD(td_stage, vcpu_initialized)	{ .stage = TDX_STAGE_VCPU_INITIALIZED };
FIXTURE_VARIANT_ADD(td_stage, memory_added)	{ .stage = TDX_STAGE_MEMORY_ADDED };
FIXTURE_VARIANT_ADD(td_stage, finalized)	{ .stage = TDX_STAGE_FINALIZED };
FIXTURE_VARIANT_ADD(td_stage, entered)		{ .stage = TDX_STAGE_ENTERED };
FIXTURE_VARIANT_ADD(td_stage, done)		{ .stage = TDX_STAGE_IN_HYPERCALL };

FIXTURE_SETUP(td_stage)
{
}

FIXTURE_TEARDOWN(td_stage)
{
	if (self->td.vm)
		kvm_vm_free(self->td.vm);
}

/* Refused commands change nothing: the TD is built and run to its end. */
TDX_TEST_F(td_stage, commands_refused)
{
	tdx_td_build(&self->td, variant->stage);
	refuse_commands(&self->td);
	tdx_td_finish(&self->td);
}

TDX_TEST_F(td_stage, destroyed)
{
	tdx_td_build(&self->td, variant->stage);
	kvm_vm_free(self->td.vm);
	self->td.vm = NULL;
	check_another_td();
}

/*
 * The owner of a TD: builds it up to @stage and waits to be killed, in KVM_RUN if the
 * TD has been entered by then.
 */
static void __noreturn own_td(enum tdx_stage stage, int ready)
{
	struct tdx_td td = {};
	struct ucall uc;

	if (stage == TDX_STAGE_ENTERED) {
		td.code = guest_spin;
		tdx_td_build(&td, TDX_STAGE_FINALIZED);
		tdx_vcpu_run_to_ucall(td.vcpu, UCALL_SYNC, &uc);
	} else {
		tdx_td_build(&td, stage);
	}
	TEST_ASSERT_EQ(write(ready, "", 1), 1);
	for (;;) {
		if (stage == TDX_STAGE_ENTERED)
			__vcpu_run(td.vcpu);
		else
			pause();
	}
}

TDX_TEST_F(td_stage, owner_killed)
{
	int fds[2], status;
	pid_t owner;
	char byte;

	TEST_ASSERT_EQ(pipe(fds), 0);
	owner = fork();
	TEST_ASSERT(owner != -1, "fork() failed");
	if (!owner)
		own_td(variant->stage, fds[1]);

	/* An owner that fails closes the pipe. */
	close(fds[1]);
	TEST_ASSERT(read(fds[0], &byte, 1) == 1, "the TD was not built");
	usleep(GRACE_US);

	TEST_ASSERT_EQ(kill(owner, SIGKILL), 0);
	TEST_ASSERT_EQ(waitpid(owner, &status, 0), owner);
	TEST_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		    "wanted the owner to be killed, got status 0x%x", status);
	check_another_td();
}

/*
 * Before KVM_TDX_INIT_VM a VM can only be asked for its capabilities.  It can not be
 * finalized.
 */
TEST(not_initialized)
{
	struct tdx_td td = { .vm = vm_create_barebones_type(KVM_X86_TDX_VM) };
	struct kvm_tdx_init_vm *params = tdx_vm_get_init_params(td.vm);
	struct kvm_tdx_init_vm *none = calloc(1, sizeof(*none));
	u64 hw_error;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!commands[i].of_vcpu && commands[i].id != KVM_TDX_CAPABILITIES &&
		    commands[i].id != KVM_TDX_INIT_VM)
			refuse(&td, &commands[i], NULL);
	}

	/* A failed attempt has not initialized it either. */
	TEST_ASSERT_EQ(__tdx_vm_ioctl(td.vm, KVM_TDX_INIT_VM, 0, none, &hw_error), -1);
	TEST_ASSERT_EQ(errno, EINVAL);
	TEST_ASSERT_EQ(__tdx_vm_ioctl(td.vm, KVM_TDX_FINALIZE_VM, 0, 0, &hw_error), -1);
	TEST_ASSERT_EQ(errno, EINVAL);

	tdx_vm_ioctl(td.vm, KVM_TDX_INIT_VM, 0, params);
	kvm_vm_free(td.vm);
	free(none);
	free(params);
}

/* The vCPU is still associated with the CPU that it ran on, which must give it up. */
TEST(destroyed_from_another_cpu)
{
	struct tdx_vcpu_thread thread;
	struct tdx_td td = { .code = guest_code };
	struct ucall uc;
	int other_cpu;

	other_cpu = tdx_pin_to_first_cpu();
	if (other_cpu < 0)
		SKIP(return, TDX_TWO_CPUS_REASON);

	tdx_td_build(&td, TDX_STAGE_FINALIZED);
	tdx_vcpu_start(&thread, td.vcpu, other_cpu);
	tdx_vcpu_join(&thread);
	TEST_ASSERT(!thread.ret, "wanted KVM_RUN to succeed, got %s", strerror(thread.err));

	/* The vCPU left KVM_RUN in the middle of a ucall. */
	TEST_ASSERT_KVM_EXIT_REASON(td.vcpu, KVM_EXIT_MMIO);
	kvm_vm_free(td.vm);

	td = (struct tdx_td) { .code = guest_code };
	tdx_td_build(&td, TDX_STAGE_FINALIZED);
	tdx_vcpu_run_to_ucall(td.vcpu, UCALL_SYNC, &uc);
	tdx_vcpu_start(&thread, td.vcpu, other_cpu);
	tdx_vcpu_join(&thread);
	kvm_vm_free(td.vm);
}

/* A vCPU suffices to run a TD: the file of the VM may be closed first. */
TEST(vm_closed_before_vcpu)
{
	struct tdx_td td = {};

	tdx_td_build(&td, TDX_STAGE_ENTERED);
	TEST_ASSERT_EQ(close(td.vm->fd), 0);
	tdx_td_finish(&td);

	/* Another file to close. */
	td.vm->fd = open("/dev/null", O_RDONLY);
	TEST_ASSERT(td.vm->fd >= 0, "/dev/null: %m");
	kvm_vm_free(td.vm);
	check_another_td();
}

/*
 * Each TD has a KeyID of its own.  When there are no more, KVM refuses to initialize
 * the next TD.  That does no harm: after another TD is destroyed it can be initialized.
 */
TEST(no_more_keyids)
{
	struct kvm_vm *vms[MAX_KEYIDS + 1];
	struct kvm_tdx_init_vm *params = NULL;
	u64 hw_error;
	int nr, i, r;

	for (nr = 0; nr <= MAX_KEYIDS; nr++) {
		vms[nr] = vm_create_barebones_type(KVM_X86_TDX_VM);
		if (!params)
			params = tdx_vm_get_init_params(vms[nr]);
		r = __tdx_vm_ioctl(vms[nr], KVM_TDX_INIT_VM, 0, params, &hw_error);
		if (r)
			break;
	}

	if (nr <= MAX_KEYIDS) {
		TEST_ASSERT(errno == ENOSPC, "TD %d: wanted ENOSPC, got %m", nr);
		TEST_ASSERT(nr, "the host has no KeyID for a TD");
		tdx_assert_value("no KeyID", "TD", nr, "hw_error", 0, hw_error);

		kvm_vm_free(vms[nr - 1]);
		vms[nr - 1] = vms[nr];
		tdx_vm_ioctl(vms[nr - 1], KVM_TDX_INIT_VM, 0, params);
	}

	for (i = 0; i < nr; i++)
		kvm_vm_free(vms[i]);
	free(params);
	check_another_td();
	if (nr > MAX_KEYIDS)
		SKIP(return, MANY_KEYIDS_REASON);
}

/* TDs that are built, run and destroyed in turns do not affect each other. */
TEST(several_tds)
{
	struct tdx_td tds[NR_TDS] = {};
	enum tdx_stage stage;
	int i;

	for (stage = TDX_STAGE_INITIALIZED; stage <= TDX_STAGE_IN_HYPERCALL; stage++) {
		for (i = 0; i < NR_TDS; i++)
			tdx_td_build(&tds[i], stage);
	}

	for (i = NR_TDS - 1; i >= 0; i--) {
		tdx_td_finish(&tds[i]);
		kvm_vm_free(tds[i].vm);
	}
}

/* Destroying a TD does not end another one that is running. */
TEST(another_destroyed)
{
	struct tdx_td first = {}, second = {};

	tdx_td_build(&first, TDX_STAGE_ENTERED);
	tdx_td_build(&second, TDX_STAGE_MEMORY_ADDED);
	kvm_vm_free(first.vm);
	tdx_td_finish(&second);
	kvm_vm_free(second.vm);
}

/* An ordinary VM does not have these commands. */
TEST(not_a_td)
{
	struct tdx_td vm = {};
	u64 hw_error;

	vm.vm = vm_create_with_one_vcpu(&vm.vcpu, guest_code);
	TEST_ASSERT_EQ(__tdx_vm_ioctl(vm.vm, KVM_TDX_CAPABILITIES, 0, 0, &hw_error), -1);
	TEST_ASSERT_EQ(errno, ENOTTY);
	TEST_ASSERT_EQ(__tdx_vcpu_ioctl(vm.vcpu, KVM_TDX_INIT_VCPU, 0, 0, &hw_error), -1);
	TEST_ASSERT_EQ(errno, EINVAL);
	kvm_vm_free(vm.vm);
}

TDX_TEST_MAIN()
