// SPDX-License-Identifier: GPL-2.0-only
#include "tdx/tdx_map_gpa.h"
#include "ucall_common.h"

/* What no register, and no byte of an exit, holds by itself. */
#define SEED(i)		(0x5eed5eed5eed0000ULL + (i))
#define POISON		0xa5

/* Argument of the ucall before the call. */
#define READY		0x7ead7

/* The TD reports its registers after the call in slices, one per ucall. */
#define REGS_PER_UCALL	5

kvm_static_assert(NR_TDCALL_REGS % REGS_PER_UCALL == 0);
kvm_static_assert(REGS_PER_UCALL <= UCALL_MAX_ARGS);

static const char * const reg_names[] = {
#define REG_NAME(name, reg) #name,
	TDCALL_REGS(REG_NAME)
};

static const struct {
	u64 status;
	const char *name;
} status_names[] = {
#define STATUS(name) { name, #name }
	STATUS(TDVMCALL_STATUS_SUCCESS),
	STATUS(TDVMCALL_STATUS_RETRY),
	STATUS(TDVMCALL_STATUS_INVALID_OPERAND),
	STATUS(TDVMCALL_STATUS_ALIGN_ERROR),
	STATUS(TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED),
};

u64 map_gpa_outcome_status(enum map_gpa_outcome outcome)
{
	static const u64 status[] = {
		[MAP_GPA_NEXT] = TDVMCALL_STATUS_SUCCESS,
		[MAP_GPA_RETRY] = TDVMCALL_STATUS_RETRY,
		[MAP_GPA_INVALID] = TDVMCALL_STATUS_INVALID_OPERAND,
		/* Of a TD that userspace runs again nevertheless. */
		[MAP_GPA_RUN_EINVAL] = TDVMCALL_STATUS_SUCCESS,
	};

	return status[outcome];
}

static const char *status_name(u64 status)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(status_names); i++) {
		if (status_names[i].status == status)
			return status_names[i].name;
	}

	return "no known status";
}

/* The TD's registers at the call, on both sides. */
static void seed_regs(struct tdcall_regs *regs, u64 gpa, u64 size)
{
	u64 *values = (u64 *)regs;
	size_t i;

	for (i = 0; i < NR_TDCALL_REGS; i++)
		values[i] = SEED(i);

	regs->rax = TDG_VP_VMCALL;
	regs->rcx = TDVMCALL_EXPOSE_REGS_MASK;
	regs->r10 = 0;
	regs->r11 = TDVMCALL_MAP_GPA;
	regs->r12 = gpa;
	regs->r13 = size;
}

static void guest_map_gpa(u64 gpa, u64 size)
{
	struct tdcall_regs regs;
	u64 *values = (u64 *)&regs;
	size_t i;

	GUEST_SYNC1(READY);

	seed_regs(&regs, gpa, size);
	__tdcall(&regs);

	for (i = 0; i < NR_TDCALL_REGS; i += REGS_PER_UCALL)
		GUEST_SYNC5(values[i], values[i + 1], values[i + 2],
			    values[i + 3], values[i + 4]);

	GUEST_DONE();
}

/*
 * TEST_ASSERT() takes an errno of EACCES, however old, for a reason to skip:
 * there is none here, wrong values are a failure.
 */
static void assert_value(const struct map_gpa_call *call, const char *where, u64 i,
			 const char *what, u64 want, u64 got)
{
	errno = 0;
	TEST_ASSERT(want == got, "%s: %s %lu: %s: wanted 0x%lx, got 0x%lx",
		    call->name, where, i, what, want, got);
}

static void assert_exit_reason(const struct map_gpa_call *call, u64 i,
			       const struct kvm_run *run, u32 want)
{
	errno = 0;
	TEST_ASSERT(run->exit_reason == want,
		    "%s: exit %lu of %lu: wanted %s, got %s", call->name, i,
		    call->nr_exits, exit_reason_str(want),
		    exit_reason_str(run->exit_reason));
}

/* R10 and R11 are what the case is about: R10 is told by its name. */
static void check_reg(const struct map_gpa_call *call, size_t i, u64 want, u64 got)
{
	if (i != offsetof(struct tdcall_regs, r10) / sizeof(u64)) {
		assert_value(call, "exits done", call->nr_exits, reg_names[i], want, got);
		return;
	}

	errno = 0;
	TEST_ASSERT(want == got, "%s: exits done %lu: R10: wanted %s, got %s (0x%lx)",
		    call->name, call->nr_exits, status_name(want), status_name(got), got);
}

static void run_vcpu(struct kvm_vcpu *vcpu, const struct map_gpa_call *call, u64 i)
{
	int r = __vcpu_run(vcpu);

	TEST_ASSERT(!r, "%s: exit %lu of %lu: wanted KVM_RUN to give 0, got %s",
		    call->name, i, call->nr_exits, strerror(errno));
}

/* Take the ucall that the vCPU has exited with. */
static void get_sync(struct kvm_vcpu *vcpu, const struct map_gpa_call *call,
		     struct ucall *uc)
{
	switch (get_ucall(vcpu, uc)) {
	case UCALL_SYNC:
		return;
	case UCALL_ABORT:
		errno = 0;
		REPORT_GUEST_ASSERT(*uc);
	default:
		errno = 0;
		TEST_FAIL("%s: wanted UCALL_SYNC, got ucall %lu, %s", call->name,
			  uc->cmd, exit_reason_str(vcpu->run->exit_reason));
	}
}

struct kvm_vm *map_gpa_vm_create(struct kvm_vcpu **vcpu)
{
	struct kvm_vm *vm = tdx_vm_create(1);

	*vcpu = tdx_vcpu_add(vm, 0, guest_map_gpa);
	return vm;
}

void map_gpa_enable_exits(struct kvm_vm *vm)
{
	vm_enable_cap(vm, KVM_CAP_EXIT_HYPERCALL, BIT(KVM_HC_MAP_GPA_RANGE));
}

void map_gpa_launch(struct kvm_vcpu *vcpu, const struct map_gpa_call *call)
{
	struct ucall uc;

	tdx_vcpu_args_set(vcpu, 2, call->gpa, call->size);
	tdx_vm_finalize(vcpu->vm);

	vcpu_run(vcpu);
	get_sync(vcpu, call, &uc);
	assert_value(call, "exits done", 0, "argument of the ucall", READY, uc.args[0]);
}

/*
 * Make sure that every field of the next exit is KVM's.  KVM still has to read
 * the answer to the exit before, if there was one.
 */
static void poison_exit(struct kvm_run *run, bool answered)
{
	u64 ret = run->hypercall.ret;

	memset(&run->hypercall, POISON, sizeof(run->hypercall));
	run->exit_reason = POISON;

	if (answered)
		run->hypercall.ret = ret;
}

static void check_exit(const struct kvm_run *run, const struct map_gpa_call *call, u64 i)
{
	const u64 done = i * TDX_MAP_GPA_MAX_LEN;
	const u64 size = min(call->size - done, (u64)TDX_MAP_GPA_MAX_LEN);
	const u64 gpa = call->gpa + done;
	const u64 attributes = gpa & TDX_SHARED_BIT ? KVM_MAP_GPA_RANGE_DECRYPTED :
						      KVM_MAP_GPA_RANGE_ENCRYPTED;

	assert_exit_reason(call, i, run, KVM_EXIT_HYPERCALL);
	assert_value(call, "exit", i, "hypercall.nr", KVM_HC_MAP_GPA_RANGE,
		     run->hypercall.nr);
	/* Userspace that does not know of the field must have answered 0. */
	assert_value(call, "exit", i, "hypercall.ret", 0, run->hypercall.ret);
	assert_value(call, "exit", i, "hypercall.args[0], GPA", gpa & ~TDX_SHARED_BIT,
		     run->hypercall.args[0]);
	assert_value(call, "exit", i, "hypercall.args[1], pages", size / PAGE_SIZE,
		     run->hypercall.args[1]);
	assert_value(call, "exit", i, "hypercall.args[2], attributes", attributes,
		     run->hypercall.args[2]);
	assert_value(call, "exit", i, "hypercall.flags", KVM_EXIT_HYPERCALL_LONG_MODE,
		     run->hypercall.flags);
}

void map_gpa_run_exits(struct kvm_vcpu *vcpu, const struct map_gpa_call *call)
{
	struct kvm_run *run = vcpu->run;
	u64 i;

	for (i = 0; i < call->nr_exits; i++) {
		poison_exit(run, i);
		run_vcpu(vcpu, call, i);
		check_exit(run, call, i);
		run->hypercall.ret = i + 1 < call->nr_exits ? 0 : call->ret;
	}
}

void map_gpa_finish(struct kvm_vcpu *vcpu, const struct map_gpa_call *call)
{
	struct tdcall_regs want;
	const u64 *values = (u64 *)&want;
	struct ucall uc;
	size_t i, j;

	seed_regs(&want, call->gpa, call->size);
	want.rax = 0;
	want.r10 = call->r10;
	want.r11 = call->r11;

	run_vcpu(vcpu, call, call->nr_exits);
	assert_exit_reason(call, call->nr_exits, vcpu->run, KVM_EXIT_MMIO);

	for (i = 0; i < NR_TDCALL_REGS; i += REGS_PER_UCALL) {
		if (i)
			vcpu_run(vcpu);
		get_sync(vcpu, call, &uc);

		for (j = i; j < i + REGS_PER_UCALL; j++)
			check_reg(call, j, values[j], uc.args[j - i]);
	}

	vcpu_run(vcpu);
	assert_value(call, "exits done", call->nr_exits, "ucall", UCALL_DONE,
		     get_ucall(vcpu, &uc));
}

void map_gpa_run_fails(struct kvm_vcpu *vcpu, const struct map_gpa_call *call)
{
	const u64 last = call->nr_exits - 1;
	const struct kvm_run *run = vcpu->run;
	int r = __vcpu_run(vcpu);

	TEST_ASSERT(r == -1 && errno == EINVAL,
		    "%s: answer 0x%lx to exit %lu: wanted KVM_RUN to fail with EINVAL, got %s",
		    call->name, call->ret, last, r ? strerror(errno) :
		    exit_reason_str(run->exit_reason));

	assert_exit_reason(call, last, run, KVM_EXIT_HYPERCALL);
	assert_value(call, "exit", last, "hypercall.ret", call->ret, run->hypercall.ret);
}
