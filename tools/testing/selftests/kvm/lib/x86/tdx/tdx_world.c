// SPDX-License-Identifier: GPL-2.0-only
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_kvm.h"
#include "tdx/tdx_util.h"
#include "tdx/tdx_world.h"

/* The time between two signals to KVM_RUN. */
#define RUN_NS		2000000

/* A field of struct sigevent that POSIX does not have, and glibc does not name. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id	_sigev_un._tid
#endif

static const char * const vm_names[] = {
	[TDX_WORLD_TD] = "TD",
	[TDX_WORLD_OTHER_TD] = "other TD",
	[TDX_WORLD_PLAIN_VM] = "ordinary VM",
	[TDX_WORLD_WITNESS] = "witness",
};

kvm_static_assert(ARRAY_SIZE(vm_names) == NR_TDX_WORLD_VMS);

/* Operands that all TDs have in common. */
static struct tdx_op_td learned;

const char *tdx_world_vm_name(enum tdx_world_vm_id id)
{
	return vm_names[id];
}

static void on_signal(int sig)
{
}

void tdx_world_learn(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	tdx_op_td_init(&learned);
	TEST_ASSERT_EQ(sigaction(SIGUSR1, &action, NULL), 0);
}

static void create_plain_vm(struct tdx_op_td *td, int kvm_fd)
{
	td->slot = (struct kvm_userspace_memory_region2) {
		.slot = TDX_OP_SLOT, .guest_phys_addr = TDX_OP_GPA, .memory_size = PAGE_SIZE,
		.userspace_addr = (u64)tdx_op_source,
	};
	td->vm = ioctl(kvm_fd, KVM_CREATE_VM, KVM_X86_DEFAULT_VM);
	TEST_ASSERT(td->vm >= 0, "KVM_CREATE_VM: %m");
	TEST_ASSERT(!ioctl(td->vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP: %m");
	TEST_ASSERT(!ioctl(td->vm, KVM_SET_USER_MEMORY_REGION2, &td->slot),
		    "KVM_SET_USER_MEMORY_REGION2: %m");
	td->memfd = -1;
}

void tdx_world_create(struct tdx_world *world, bool has_witness)
{
	unsigned int id, i;

	memset(world, 0, sizeof(*world));
	world->kvm_fd = open_kvm_dev_path_or_exit();
	for (id = 0; id < TDX_WORLD_WITNESS; id++) {
		struct tdx_world_vm *vm = &world->vms[id];

		vm->td = learned;
		if (id == TDX_WORLD_PLAIN_VM)
			create_plain_vm(&vm->td, world->kvm_fd);
		else
			tdx_op_td_build(&vm->td, TDX_OP_INIT_VM);
		vm->td.vcpu = -1;
		for (i = 0; i < TDX_WORLD_VCPUS; i++)
			vm->vcpus[i] = -1;
	}

	if (has_witness)
		tdx_td_build(&world->witness, TDX_STAGE_CREATED);
}

static void close_file(int fd)
{
	if (fd >= 0)
		close(fd);
}

void tdx_world_destroy(struct tdx_world *world, u64 order)
{
	unsigned int id, i;

	for (id = 0; id < TDX_WORLD_WITNESS; id++, order >>= 2) {
		struct tdx_world_vm *vm = &world->vms[id];

		if (order & BIT(0))
			close_file(vm->td.vm);
		if (order & BIT(1))
			close_file(vm->td.memfd);
		for (i = 0; i < TDX_WORLD_VCPUS; i++) {
			close_file(vm->vcpus[i]);
			if (vm->runs[i])
				munmap(vm->runs[i], sizeof(struct kvm_run));
		}
		if (!(order & BIT(1)))
			close_file(vm->td.memfd);
		if (!(order & BIT(0)))
			close_file(vm->td.vm);
	}

	if (world->witness.vm)
		kvm_vm_free(world->witness.vm);
	close(world->kvm_fd);
}

bool tdx_world_target(const struct tdx_world *world, enum tdx_world_vm_id id, unsigned int vcpu,
		      enum tdx_ioctl_file file, struct tdx_world_shell *shell,
		      struct tdx_target *target)
{
	target->kvm_fd = world->kvm_fd;
	if (id == TDX_WORLD_WITNESS) {
		target->vm = world->witness.vm;
		target->vcpu = world->witness.vcpu;
		return file != TDX_IOCTL_VCPU || target->vcpu;
	}

	memset(shell, 0, sizeof(*shell));
	shell->vm.kvm_fd = world->kvm_fd;
	shell->vm.fd = READ_ONCE(world->vms[id].td.vm);
	shell->vm.mmu.pgd = TDX_OP_GPA;
	shell->vcpu.vm = &shell->vm;
	shell->vcpu.fd = READ_ONCE(world->vms[id].vcpus[vcpu]);
	target->vm = &shell->vm;
	target->vcpu = &shell->vcpu;

	switch (file) {
	case TDX_IOCTL_VM:
		return shell->vm.fd >= 0;
	case TDX_IOCTL_VCPU:
		return shell->vm.fd >= 0 && shell->vcpu.fd >= 0;
	default:
		return true;
	}
}

/* From the look at the exit of one KVM_RUN to the end of the next. */
static pthread_mutex_t run_lock = PTHREAD_MUTEX_INITIALIZER;

/* KVM warns if the vCPU of a TD runs again: findings 5 and, after an NMI, 35. */
static bool may_run_after_shutdown(void)
{
	return tdx_kvm_has_fix(5) && tdx_kvm_has_fix(35);
}

static bool has_shut_down(const struct tdx_world_vm *vm, unsigned int vcpu)
{
	const struct kvm_run *run = vm->runs[vcpu];

	return run && READ_ONCE(run->exit_reason) == KVM_EXIT_SHUTDOWN;
}

/* KVM_RUN with the signals that the caller has, and with SIGUSR1 again and again. */
static int run(int fd)
{
	const struct timespec period = { .tv_nsec = RUN_NS };
	const struct itimerspec when = { .it_interval = period, .it_value = period };
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1,
	};
	timer_t timer;
	int r;

	event.sigev_notify_thread_id = syscall(__NR_gettid);
	/* A mask of KVM_SET_SIGNAL_MASK might keep the signal out. */
	ioctl(fd, KVM_SET_SIGNAL_MASK, NULL);
	TEST_ASSERT(!timer_create(CLOCK_MONOTONIC, &event, &timer), "no timer: %m");
	TEST_ASSERT_EQ(timer_settime(timer, 0, &when, NULL), 0);
	r = ioctl(fd, KVM_RUN, NULL) ? -errno : 0;
	timer_delete(timer);
	return r;
}

/* Whether @op cannot be done, or must not be because of a known bug of KVM. */
static bool must_not(const struct tdx_world_vm *vm, enum tdx_op_id op, unsigned int i)
{
	const int vcpu = vm->vcpus[i];

	switch (op) {
	case TDX_OP_PUNCH_HOLE:
	case TDX_OP_CLOSE_MEMFD:
		return vm->td.memfd < 0;
	case TDX_OP_FINALIZE_VM:
		/* It makes KVM warn if no vCPU is initialized. */
		if (!vm->vcpu_initialized && !tdx_kvm_has_fix(6))
			return true;
		break;
	default:
		break;
	}

	if (tdx_ops[op].of_vcpu)
		return vcpu < 0 || (vm->td.vm < 0 && op != TDX_OP_CLOSE_VCPU);
	return vm->td.vm < 0;
}

static int run_once(const struct tdx_world_vm *vm, unsigned int vcpu)
{
	int r = TDX_WORLD_NOTHING;

	if (may_run_after_shutdown())
		return run(vm->vcpus[vcpu]);

	pthread_mutex_lock(&run_lock);
	if (!has_shut_down(vm, vcpu))
		r = run(vm->vcpus[vcpu]);
	pthread_mutex_unlock(&run_lock);
	return r;
}

/* KVM does not end a vCPU whose kvm_run is mapped. */
static void end_vcpu(struct tdx_world_vm *vm, unsigned int i)
{
	munmap(vm->runs[i], sizeof(struct kvm_run));
	vm->runs[i] = NULL;
	vm->vcpus[i] = -1;
}

static int do_op(struct tdx_world_vm *vm, unsigned int vcpu, enum tdx_op_id op)
{
	u64 operand[TDX_OP_OPERAND_SIZE / sizeof(u64)];
	struct kvm_tdx_cmd cmd = tdx_op_cmd(op, operand);
	/* Another thread may do something to another vCPU. */
	struct tdx_op_td td = vm->td;
	int r;

	td.vcpu = vm->vcpus[vcpu];
	if (op == TDX_OP_RUN)
		return run_once(vm, vcpu);
	if (op == TDX_OP_CREATE_VCPU) {
		r = ioctl(td.vm, KVM_CREATE_VCPU, (unsigned long)vcpu);
		if (r < 0)
			return -errno;
		vm->runs[vcpu] = mmap(NULL, sizeof(struct kvm_run), PROT_READ | PROT_WRITE,
				      MAP_SHARED, r, 0);
		TEST_ASSERT(vm->runs[vcpu] != MAP_FAILED, "no kvm_run: %m");
		WRITE_ONCE(vm->vcpus[vcpu], r);
		return 0;
	}

	/* Before another thread can find it so. */
	if (op == TDX_OP_SET_ATTRIBUTES)
		WRITE_ONCE(vm->shared, true);
	tdx_op_operand(&td, op, operand, tdx_op_source);
	r = tdx_op_issue(&td, op, cmd.id == TDX_NO_CMD ? (void *)operand : &cmd);

	if (op == TDX_OP_CLOSE_VM)
		vm->td.vm = -1;
	else if (op == TDX_OP_CLOSE_MEMFD)
		vm->td.memfd = -1;
	else if (op == TDX_OP_CLOSE_VCPU)
		end_vcpu(vm, vcpu);
	else if (op == TDX_OP_INIT_VCPU && !r)
		WRITE_ONCE(vm->vcpu_initialized, true);
	return r;
}

int tdx_world_do(struct tdx_world *world, enum tdx_world_vm_id id, unsigned int vcpu,
		 enum tdx_op_id op)
{
	struct tdx_world_vm *vm = &world->vms[id];

	if (id == TDX_WORLD_WITNESS) {
		if (!world->witness.vm || world->witness.stage >= TDX_STAGE_IN_HYPERCALL)
			return TDX_WORLD_NOTHING;
		tdx_td_build(&world->witness, world->witness.stage + 1);
		return 0;
	}

	if (must_not(vm, op, vcpu))
		return TDX_WORLD_NOTHING;
	return do_op(vm, vcpu, op);
}
