// SPDX-License-Identifier: GPL-2.0-only
/*
 * State that TDG.VP.VMCALL does not pass on.  The SSE, control, debug and system
 * registers of a TD are the same after each exit, whatever the exit was for and
 * whatever the CPU ran in the meantime.  So are those of the VMM.
 */
/* A failure here is mostly a hang: do not wait long for it. */
#define TDX_TEST_TIMEOUT	30

#include <asm/hwcap2.h>
#include <asm/prctl.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/td_boot.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_msr.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define NR_ROUNDS	3
#define NR_TDS		2

/* Long enough for a TD to spin until the timer of the host interrupts it. */
#define NR_SPINS	1000000
#define TIMER_US	500

#define NR_XMM		16
/* Round up, and flush denormals. */
#define MXCSR_TEST	0xdf80

/* Not in the class of any interrupt of the TD. */
#define TPR_TEST	0x10

/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define NO_FSGSBASE_REASON	"the VMM cannot write its GS base by itself"

#define CR2_TEST	0xc2000UL
#define DR3_TEST	0xd3000UL

struct sse_state {
	u64 xmm[NR_XMM][2];
	u64 mxcsr;
};

#define EACH_XMM(X)							\
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)				\
	X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

#define LOAD_XMM(i)	"movups " #i " * 16(%[load]), %%xmm" #i "\n\t"
#define STORE_XMM(i)	"movups %%xmm" #i ", " #i " * 16(%[store])\n\t"

/*
 * Load the SSE registers from @load, call @fn with @arg, and store them to @store.  It
 * is assembly, since a compiler may use these registers for anything.
 */
static noinline void sse_across(void (*fn)(void *arg), void *arg, const struct sse_state *load,
				struct sse_state *store)
{
	register struct sse_state *to asm("r12") = store;
	u32 mxcsr;

	asm volatile("stmxcsr %0" : "=m"(mxcsr));
	/*
	 * The compiler does not know of the call: keep off the red zone, and align the
	 * stack.
	 */
	asm volatile("mov %%rsp, %%rbx\n\t"
		     "lea -128(%%rsp), %%rsp\n\t"
		     "and $-16, %%rsp\n\t"
		     "ldmxcsr 16 * 16(%[load])\n\t"
		     EACH_XMM(LOAD_XMM)
		     "call *%[fn]\n\t"
		     EACH_XMM(STORE_XMM)
		     "stmxcsr 16 * 16(%[store])\n\t"
		     "mov %%rbx, %%rsp"
		     : [fn] "+a"(fn), [arg] "+D"(arg), [load] "+d"(load)
		     : [store] "r"(to)
		     : "rbx", "rcx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc",
		       "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
		       "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	asm volatile("ldmxcsr %0" : : "m"(mxcsr));
}

#define NO_SSE	noinline __attribute__((target("general-regs-only")))

/* Fill in state @nr.  All states differ. */
static void fill_sse(struct sse_state *state, u64 nr)
{
	int i;

	for (i = 0; i < NR_XMM; i++) {
		state->xmm[i][0] = 0x5eed000000000000ULL | nr << 32 | i;
		state->xmm[i][1] = ~state->xmm[i][0];
	}
	state->mxcsr = MXCSR_TEST;
}

/* Returns the first register that differs, NR_XMM for MXCSR, -1 if none does. */
static int compare_sse(const struct sse_state *want, const struct sse_state *got)
{
	int i;

	for (i = 0; i < NR_XMM; i++) {
		if (want->xmm[i][0] != got->xmm[i][0] || want->xmm[i][1] != got->xmm[i][1])
			return i;
	}

	return (u32)want->mxcsr == (u32)got->mxcsr ? -1 : NR_XMM;
}

/* How a TD is left: by a hypercall to userspace or to KVM, by interrupts. */
static NO_SSE void guest_exits(void *regs)
{
	tdcall_execute(regs);
}

static NO_SSE void guest_spins(void *regs)
{
	int i;

	asm volatile("sti");
	for (i = 0; i < NR_SPINS; i++)
		asm volatile("pause");
	asm volatile("cli");
}

static void guest_write_regs(u64 nr)
{
#define WRITE_MSR(msr, value)	wrmsr(msr, (value) + nr);
	TDX_OWN_MSRS(WRITE_MSR)
	asm volatile("mov %0, %%cr2" : : "r"(CR2_TEST + nr));
	asm volatile("mov %0, %%dr3" : : "r"(DR3_TEST + nr));
	x2apic_write_reg(APIC_TASKPRI, TPR_TEST + nr);
}

static void guest_check_regs(u64 nr)
{
	u64 cr2, dr3;

#define CHECK_MSR(msr, value)	GUEST_ASSERT_EQ(rdmsr(msr), (value) + nr);
	TDX_OWN_MSRS(CHECK_MSR)
	asm volatile("mov %%cr2, %0" : "=r"(cr2));
	GUEST_ASSERT_EQ(cr2, CR2_TEST + nr);
	asm volatile("mov %%dr3, %0" : "=r"(dr3));
	GUEST_ASSERT_EQ(dr3, DR3_TEST + nr);
	GUEST_ASSERT_EQ((u64)x2apic_read_reg(APIC_TASKPRI), TPR_TEST + nr);
}

static void guest_code(void (*leave)(void *regs), u64 leaf, u64 nr)
{
	struct sse_state want, got;
	struct tdcall_regs regs;
	int i, differs;

	guest_write_regs(nr);
	fill_sse(&want, nr);

	for (i = 0; i < NR_ROUNDS; i++) {
		regs = (struct tdcall_regs) {
			.rcx = TDVMCALL_EXPOSE_REGS_MASK,
			.r11 = leaf,
			.r12 = sizeof(u64),
			.r13 = TDX_IO_WRITE,
			.r14 = TDX_SHARED_BIT | TD_TDVMCALL_GPA,
		};
		sse_across(leave, &regs, &want, &got);

		differs = compare_sse(&want, &got);
		__GUEST_ASSERT(differs < 0, "round %d: SSE register %d was changed", i, differs);
		guest_check_regs(nr);
		GUEST_SYNC1(i);
	}

	GUEST_DONE();
}

FIXTURE(state)
{
	struct kvm_vcpu *vcpus[NR_TDS];
	struct kvm_vm *vms[NR_TDS];
};

FIXTURE_VARIANT(state)
{
	void (*leave)(void *regs);
	u64 leaf;
	bool exits;		/* to userspace */
	bool interrupted;
};

FIXTURE_VARIANT_ADD(state, exit_to_userspace) {
	.leave = guest_exits, .leaf = EXIT_REASON_EPT_VIOLATION, .exits = true,
};

FIXTURE_VARIANT_ADD(state, exit_to_kvm) {
	.leave = guest_exits, .leaf = TDVMCALL_GET_TD_VM_CALL_INFO,
};

FIXTURE_VARIANT_ADD(state, interrupts) {
	.leave = guest_spins, .interrupted = true,
};

FIXTURE_SETUP(state)
{
	u64 i;

	for (i = 0; i < NR_TDS; i++) {
		self->vms[i] = tdx_vm_create(1);
		self->vcpus[i] = tdx_vcpu_add(self->vms[i], 0, guest_code);
		tdx_vcpu_args_set(self->vcpus[i], 3, variant->leave, variant->leaf, i);
		tdx_vm_finalize(self->vms[i]);
	}
}

FIXTURE_TEARDOWN(state)
{
	int i;

	for (i = 0; i < NR_TDS; i++)
		kvm_vm_free(self->vms[i]);
}

/* Issue KVM_RUN, without anything else that could change a register. */
struct host_run {
	long fd;
	long ret;
};

static NO_SSE void host_runs(void *arg)
{
	struct host_run *run = arg;

	asm volatile("syscall" : "=a"(run->ret)
		     : "a"(SYS_ioctl), "D"(run->fd), "S"(KVM_RUN), "d"(0)
		     : "rcx", "r11", "memory");
}

/* Run @vcpu with known values in registers of the host, and check them after it. */
static void run_vcpu(struct kvm_vcpu *vcpu, u64 nr)
{
	const u64 gs_base = 0x0000444400000000ULL + nr;
	struct host_run run = { .fd = vcpu->fd };
	struct sse_state want, got;
	u64 value = 0;
	int differs;

	TEST_ASSERT_EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, gs_base), 0);
	fill_sse(&want, NR_TDS + nr);
	sse_across(host_runs, &run, &want, &got);
	TEST_ASSERT_EQ(syscall(SYS_arch_prctl, ARCH_GET_GS, &value), 0);

	differs = compare_sse(&want, &got);
	TEST_ASSERT(!run.ret, "KVM_RUN of TD %lu: wanted success, got %s", nr,
		    strerror(-run.ret));
	TEST_ASSERT(differs < 0, "KVM_RUN of TD %lu has changed SSE register %d of the host",
		    nr, differs);
	tdx_assert_value("host", "TD", nr, "GS base", gs_base, value);
}

/* The signal is ignored: KVM_RUN goes on, but the CPU is interrupted for it. */
static void start_timer(void)
{
	const struct itimerval timer = { .it_value.tv_usec = TIMER_US };

	TEST_ASSERT(signal(SIGALRM, SIG_IGN) != SIG_ERR, "SIGALRM cannot be ignored");
	TEST_ASSERT_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

/* Run TD @nr through one round. */
static void run_round(struct kvm_vcpu *vcpu, u64 nr, const FIXTURE_VARIANT(state) * row)
{
	const u64 irqs = vcpu_get_stat(vcpu, irq_exits);
	struct ucall uc;

	if (row->exits) {
		run_vcpu(vcpu, nr);
		TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_MMIO);
		tdx_assert_value("TD", "exit", nr, "GPA", TD_TDVMCALL_GPA,
				 vcpu->run->mmio.phys_addr);
	}

	if (row->interrupted)
		start_timer();
	run_vcpu(vcpu, nr);
	if (get_ucall(vcpu, &uc) == UCALL_ABORT)
		REPORT_GUEST_ASSERT(uc);
	TEST_ASSERT_EQ(uc.cmd, (u64)UCALL_SYNC);
	TEST_ASSERT(!row->interrupted || vcpu_get_stat(vcpu, irq_exits) > irqs,
		    "TD %lu was not interrupted", nr);
}

static void run_to_end(struct kvm_vcpu *vcpu, u64 nr)
{
	struct ucall uc;

	run_vcpu(vcpu, nr);
	TEST_ASSERT_EQ(get_ucall(vcpu, &uc), (u64)UCALL_DONE);
}

TDX_TEST_F(state, alone)
{
	int i;

	for (i = 0; i < NR_ROUNDS; i++)
		run_round(self->vcpus[0], 0, variant);
	run_to_end(self->vcpus[0], 0);
}

/* Each of two TDs finds its own state. */
TDX_TEST_F(state, in_turns_with_another_td)
{
	u64 i, j;

	for (i = 0; i < NR_ROUNDS; i++) {
		for (j = 0; j < NR_TDS; j++)
			run_round(self->vcpus[j], j, variant);
	}
	for (j = 0; j < NR_TDS; j++)
		run_to_end(self->vcpus[j], j);
}

/*
 * Run a TD a few times with a GS base that the VMM has written by WRGSBASE, without
 * telling the kernel.  It must be the same afterwards, or, if @stale, may also be the
 * base that the kernel knows.
 */
static void test_written_gs_base(bool stale)
{
	const u64 known = 0x0000555500000000ULL;
	struct host_run run;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	u64 written, got;
	int i;

	vm = tdx_vm_create(1);
	vcpu = tdx_vcpu_add(vm, 0, guest_code);
	tdx_vcpu_args_set(vcpu, 3, guest_exits, (u64)EXIT_REASON_EPT_VIOLATION, 0ul);
	tdx_vm_finalize(vm);
	run.fd = vcpu->fd;

	for (i = 1; i <= NR_ROUNDS; i++) {
		written = known + i;
		TEST_ASSERT_EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, known), 0);
		asm volatile("wrgsbase %0" : : "r"(written));
		host_runs(&run);
		asm volatile("rdgsbase %0" : "=r"(got));

		TEST_ASSERT(!run.ret, "wanted KVM_RUN to succeed, got %s", strerror(-run.ret));
		if (!stale || got != known)
			tdx_assert_value("host", "round", i, "GS base", written, got);
	}
	kvm_vm_free(vm);
}

/* KVM_RUN makes up no GS base. */
TEST(gs_base_by_instruction)
{
	if (!(getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE))
		SKIP(return, NO_FSGSBASE_REASON);

	test_written_gs_base(true);
}

TEST(written_gs_base_is_kept)
{
	if (!(getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE))
		SKIP(return, NO_FSGSBASE_REASON);

	test_written_gs_base(false);
}

TDX_FINDING(17, "global.written_gs_base_is_kept");

TDX_TEST_MAIN()
