// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tracepoint kvm:kvm_exit tells of the exits of a TD.  The reason has all of its
 * 32 bits, and a hypercall has the reason of the instruction that it is for.  The other
 * fields are what TDH.VP.ENTER says: RCX, RDX and R9.  The RIP is not KVM's to know.  If
 * the TDX module refuses an entry, no field has a value of the exit before.
 *
 * Before each exit that is checked comes one with a value in each field.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_cpus.h"
#include "tdx/tdx_exit_reason.h"
#include "tdx/tdx_map_gpa.h"
#include "tdx/tdx_mem.h"
#include "tdx/tdx_refusal.h"
#include "tdx/tdx_sim.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_thread.h"
#include "tdx/tdx_trace.h"
#include "tdx/tdx_util.h"

/* KVM_ISA_VMX of KVM, which its uAPI does not have. */
#define ISA_VMX			1

/* Bits of an exit reason that asm/vmx.h does not name. */
#define OTHER_BITS		(GENMASK(25, 16) | GENMASK(30, 27))

/* What KVM gives as the reason if the module refuses an entry. */
#define EXIT_REASON_UNDEFINED	0xdead

/* An interrupt of the host: bit 31 of the information on the event, and the type 0. */
#define INTR_TYPE_AND_VALID	(BIT(31) | GENMASK(10, 8))
#define INTR_EXTERNAL		BIT(31)

#define MAX_EXITS		1024

static const char *skip_reason(void)
{
	const char *reason = tdx_exit_reason_skip();

	if (!reason && !tdx_trace_has_exits())
		reason = TDX_TRACE_SKIP_REASON;
	return reason;
}

/* An exit to userspace with a value in each field: the context of the TD is not valid. */
static void make_exit_before(struct kvm_vcpu *vcpu)
{
	tdx_sim_refuse_with_regs("TDH_VP_ENTER", 1, OTHER_BITS | EXIT_REASON_NOTIFY, 1,
				 "RCX=0xa5a50001 RDX=0xa5a50002 R8=0xa5a50003 R9=0xa5a50004");
	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_NOTIFY);
	tdx_sim_refuse_none();
}

/* The values that are the same for each exit of the vCPU, and of its only thread. */
static void check_common(const char *name, u64 i, const struct tdx_trace_exit *exit)
{
	tdx_assert_value(name, "record", i, "guest_rip", 0, exit->guest_rip);
	tdx_assert_value(name, "record", i, "isa", ISA_VMX, exit->isa);
	tdx_assert_value(name, "record", i, "error_code", 0, exit->error_code);
	tdx_assert_value(name, "record", i, "vcpu_id", 0, exit->vcpu_id);
}

static void check(const char *name, u64 i, const struct tdx_trace_exit *want,
		  const struct tdx_trace_exit *got)
{
	check_common(name, i, got);
	tdx_assert_value(name, "record", i, "exit_reason", want->exit_reason, got->exit_reason);
	tdx_assert_value(name, "record", i, "info1", want->info1, got->info1);
	tdx_assert_value(name, "record", i, "info2", want->info2, got->info2);
	tdx_assert_value(name, "record", i, "intr_info", want->intr_info, got->intr_info);
	tdx_assert_value(name, "record", i, "requests", want->requests, got->requests);
}

/* The host's interrupts, and entries that the module refuses, come whenever they do. */
static bool is_of_host(const char *name, u64 i, const struct tdx_trace_exit *exit)
{
	struct tdx_trace_exit want = { .exit_reason = exit->exit_reason };

	switch (exit->exit_reason) {
	case EXIT_REASON_EXTERNAL_INTERRUPT:
		want.intr_info = (exit->intr_info & ~INTR_TYPE_AND_VALID) | INTR_EXTERNAL;
		break;
	case EXIT_REASON_UNDEFINED:
		break;
	default:
		return false;
	}

	want.requests = exit->requests;
	check(name, i, &want, exit);
	return true;
}

/* Check the first exit that is not of the host: return its number, or that of all. */
static size_t check_first(const char *name, const struct tdx_trace_exit *want)
{
	static struct tdx_trace_exit exits[MAX_EXITS];
	const size_t nr = tdx_trace_read(exits, ARRAY_SIZE(exits));
	size_t i;

	for (i = 0; i < nr && is_of_host(name, i, &exits[i]); i++)
		;
	TEST_ASSERT(i < nr, "%s: wanted a record of exit reason 0x%x, got %zu others", name,
		    want->exit_reason, nr);
	check(name, i, want, &exits[i]);
	return i;
}

/* A call of the TD, and the reason that KVM gives it. */
TDX_FIXTURE(call);

FIXTURE_VARIANT(call)
{
	const char *name;
	u64 r10;		/* 0: the call is one of GHCI */
	u64 r11;
	u64 r12;
	u64 r13;
	u64 r14;
	u32 reason;
	bool bus_lock;
};

#define CALL(row, ...)								\
	FIXTURE_VARIANT_ADD(call, row) { .name = #row, __VA_ARGS__ };		\
	CALL_WITH_BUS_LOCK(row, __VA_ARGS__)

#define CALL_WITH_BUS_LOCK(row, ...)						\
	FIXTURE_VARIANT_ADD(call, row##_with_bus_lock) {			\
		.name = #row, .bus_lock = true, __VA_ARGS__			\
	}

CALL(cpuid, .r11 = EXIT_REASON_CPUID, .r12 = TDX_EXIT_CPUID_LEAF, .reason = EXIT_REASON_CPUID);
/* Without the bus lock the vCPU would wait. */
CALL_WITH_BUS_LOCK(hlt, .r11 = EXIT_REASON_HLT, .reason = EXIT_REASON_HLT);
CALL(in, .r11 = EXIT_REASON_IO_INSTRUCTION, .r12 = 1, .r14 = 0x80,
	.reason = EXIT_REASON_IO_INSTRUCTION);
CALL(rdmsr, .r11 = EXIT_REASON_MSR_READ, .r12 = TDX_EXIT_MSR, .reason = EXIT_REASON_MSR_READ);
CALL(wrmsr, .r11 = EXIT_REASON_MSR_WRITE, .r12 = TDX_EXIT_MSR, .r13 = 2,
	.reason = EXIT_REASON_MSR_WRITE);
CALL(mmio, .r11 = EXIT_REASON_EPT_VIOLATION, .r12 = 8, .r14 = TDX_EXIT_SHARED_GPA,
	.reason = EXIT_REASON_EPT_MISCONFIG);
CALL(map_gpa, .r11 = TDVMCALL_MAP_GPA, .r12 = TDX_EXIT_SHARED_GPA, .r13 = PAGE_SIZE,
	.reason = EXIT_REASON_TDCALL);
CALL(fatal_error, .r11 = TDVMCALL_REPORT_FATAL_ERROR, .reason = EXIT_REASON_TDCALL);
CALL(unknown_leaf, .r11 = TDVMCALL_SERVICE, .reason = EXIT_REASON_TDCALL);
CALL(hypercall, .r10 = TDX_EXIT_UNKNOWN_HYPERCALL, .reason = EXIT_REASON_VMCALL);

FIXTURE_SETUP(call)
{
	const char *reason = skip_reason();

	if (reason)
		SKIP(return, "%s", reason);

	self->vm = tdvmcall_vm_create(&self->vcpu);
	tdx_map_gpa_enable_exits(self->vm);
}

TDX_TEST_F(call, traced)
{
	struct tdx_trace_exit want = { .exit_reason = variant->reason };
	struct tdcall_regs regs;

	tdvmcall_seed_regs(&regs);
	regs.r10 = variant->r10;
	regs.r11 = variant->r11;
	regs.r12 = variant->r12;
	regs.r13 = variant->r13;
	regs.r14 = variant->r14;
	tdvmcall_issue(self->vcpu, variant->name, &regs);
	if (variant->bus_lock) {
		tdx_sim_mark("TDH_VP_ENTER", 1, EXIT_REASON_TDCALL, TDX_EXIT_BUS_LOCK, 1);
		want.exit_reason |= TDX_EXIT_BUS_LOCK;
	}
	want.info1 = regs.rcx;
	want.info2 = regs.rdx;
	want.intr_info = regs.r9;

	tdx_trace_begin();
	vcpu_run(self->vcpu);
	check_first(variant->name, &want);
	tdx_trace_end();
	tdx_sim_refuse_none();
}

/* An exit that the module makes up. */
TDX_FIXTURE(made_up);

FIXTURE_VARIANT(made_up)
{
	const char *name;
	u64 status;
	const char *regs;
	u32 exit_reason;	/* of KVM_RUN, 0: KVM goes on */
	struct tdx_trace_exit want;
};

#define MADE_UP(row, _status, _exit_reason, ...)				\
	FIXTURE_VARIANT_ADD(made_up, row) {					\
		.name = #row, .status = (_status),				\
		.regs = "RCX=0x1234500006 RDX=0x2345600007 R8=0x34567000 R9=0x45678b0d", \
		.exit_reason = (_exit_reason),					\
		.want = { __VA_ARGS__ },					\
	}

#define TOLD(_reason)								\
	.exit_reason = (u32)(_reason), .info1 = 0x1234500006, .info2 = 0x2345600007, \
	.intr_info = 0x45678b0d

MADE_UP(smi, EXIT_REASON_OTHER_SMI, 0, TOLD(EXIT_REASON_OTHER_SMI));
MADE_UP(smi_with_all_bits, TDX_EXIT_BUS_LOCK | OTHER_BITS | EXIT_REASON_OTHER_SMI,
	KVM_EXIT_X86_BUS_LOCK, TOLD(TDX_EXIT_BUS_LOCK | OTHER_BITS | EXIT_REASON_OTHER_SMI));
MADE_UP(exception, EXIT_REASON_EXCEPTION_NMI, KVM_EXIT_EXCEPTION,
	TOLD(EXIT_REASON_EXCEPTION_NMI));
MADE_UP(exception_with_bus_lock, TDX_EXIT_BUS_LOCK | EXIT_REASON_EXCEPTION_NMI, KVM_EXIT_EXCEPTION,
	TOLD(TDX_EXIT_BUS_LOCK | EXIT_REASON_EXCEPTION_NMI));
MADE_UP(notify, EXIT_REASON_NOTIFY, 0, TOLD(EXIT_REASON_NOTIFY));
MADE_UP(triple_fault, TDX_NON_RECOVERABLE_VCPU | EXIT_REASON_TRIPLE_FAULT, KVM_EXIT_SHUTDOWN,
	TOLD(EXIT_REASON_TRIPLE_FAULT));
MADE_UP(triple_fault_with_bus_lock,
	TDX_NON_RECOVERABLE_VCPU | TDX_EXIT_BUS_LOCK | EXIT_REASON_TRIPLE_FAULT, KVM_EXIT_SHUTDOWN,
	TOLD(TDX_EXIT_BUS_LOCK | EXIT_REASON_TRIPLE_FAULT));
MADE_UP(failed_entry, TDX_NON_RECOVERABLE_TD | BIT(31) | EXIT_REASON_INVALID_STATE,
	KVM_EXIT_FAIL_ENTRY, TOLD(BIT(31) | EXIT_REASON_INVALID_STATE));
MADE_UP(failed_entry_with_all_bits,
	TDX_NON_RECOVERABLE_TD | GENMASK_ULL(31, 16) | EXIT_REASON_INVALID_STATE,
	KVM_EXIT_FAIL_ENTRY, TOLD(GENMASK(31, 16) | EXIT_REASON_INVALID_STATE));

/* KVM reads these registers, and adds the page. */
#define EPT_VIOLATION(row, bit, _exit_reason)					\
	FIXTURE_VARIANT_ADD(made_up, row) {					\
		.name = #row, .status = (bit) | EXIT_REASON_EPT_VIOLATION,	\
		.regs = "RCX=0x182 RDX=0 R8=0x1234600000 R9=0",			\
		.exit_reason = (_exit_reason),					\
		.want = {							\
			.exit_reason = (bit) | EXIT_REASON_EPT_VIOLATION,	\
			.info1 = 0x182,						\
		},								\
	}
EPT_VIOLATION(ept_violation, 0, 0);
EPT_VIOLATION(ept_violation_with_bus_lock, TDX_EXIT_BUS_LOCK, KVM_EXIT_X86_BUS_LOCK);

FIXTURE_SETUP(made_up)
{
	const char *reason = skip_reason();

	if (reason)
		SKIP(return, "%s", reason);

	self->vm = tdvmcall_vm_create(&self->vcpu);
	vm_userspace_mem_region_add(self->vm, VM_MEM_SRC_ANONYMOUS, TDX_EXIT_GPA, TDX_EXIT_SLOT, 1,
				    KVM_MEM_GUEST_MEMFD);
	tdx_mem_set_private(self->vm, TDX_EXIT_GPA, PAGE_SIZE);
}

/* The TD waits in a call: KVM enters it once to go on. */
static void issue_call(struct kvm_vcpu *vcpu, const char *name)
{
	struct tdcall_regs regs;

	tdvmcall_seed_leaf(&regs, EXIT_REASON_IO_INSTRUCTION);
	regs.r12 = 1;
	regs.r13 = 0;
	regs.r14 = 0x80;
	tdvmcall_issue(vcpu, name, &regs);
}

static void check_exit(struct kvm_vcpu *vcpu, const char *name, u32 exit_reason)
{
	TEST_ASSERT(vcpu->run->exit_reason == exit_reason, "%s: wanted %s (%u), got %s (%u)",
		    name, exit_reason_str(exit_reason), exit_reason,
		    exit_reason_str(vcpu->run->exit_reason), vcpu->run->exit_reason);
}

TDX_TEST_F(made_up, traced)
{
	issue_call(self->vcpu, variant->name);
	make_exit_before(self->vcpu);

	tdx_trace_begin();
	tdx_sim_refuse_with_regs("TDH_VP_ENTER", 1, variant->status, 1, variant->regs);
	vcpu_run(self->vcpu);
	check_exit(self->vcpu, variant->name, variant->exit_reason ?: KVM_EXIT_IO);
	TEST_ASSERT_EQ(check_first(variant->name, &variant->want), 0);
	tdx_trace_end();
	tdx_sim_refuse_none();
}

/* The registers of an entry that is refused have no meaning. */
TDX_FIXTURE(refused);

FIXTURE_VARIANT(refused)
{
	u64 status;
};

FIXTURE_VARIANT_ADD(refused, sept_busy) {
	.status = TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT,
};

FIXTURE_VARIANT_ADD(refused, epoch_busy) {
	.status = TDX_OPERAND_BUSY | TDX_OPERAND_ID_TD_EPOCH,
};

FIXTURE_VARIANT_ADD(refused, busy_with_bit_26) {
	.status = TDX_OPERAND_BUSY | TDX_EXIT_BUS_LOCK,
};

FIXTURE_SETUP(refused)
{
	const char *reason = skip_reason();

	if (reason)
		SKIP(return, "%s", reason);

	self->vm = tdvmcall_vm_create(&self->vcpu);
}

TDX_TEST_F(refused, traced)
{
	const struct tdx_trace_exit undefined = { .exit_reason = EXIT_REASON_UNDEFINED };
	static struct tdx_trace_exit exits[MAX_EXITS];
	size_t nr;

	issue_call(self->vcpu, "refused entry");
	make_exit_before(self->vcpu);

	tdx_trace_begin();
	tdx_sim_refuse_with_regs("TDH_VP_ENTER", 1, variant->status, 1,
				 "RCX=0x12345 RDX=0x23456 R8=0x34567 R9=0x45678");
	vcpu_run(self->vcpu);
	check_exit(self->vcpu, "after a refused entry", KVM_EXIT_IO);
	nr = tdx_trace_read(exits, ARRAY_SIZE(exits));
	TEST_ASSERT(nr >= 2, "wanted two records or more, got %zu", nr);
	check("refused entry", 0, &undefined, &exits[0]);
	tdx_trace_end();
	tdx_sim_refuse_none();
}

/* A TD that keeps its CPU while interrupts of the host come. */
TDX_FIXTURE(spin);

FIXTURE_SETUP(spin)
{
	const char *reason = skip_reason();

	if (reason)
		SKIP(return, "%s", reason);

	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, tdx_guest_spin_and_sync);
	tdx_vm_finalize(self->vm);
}

/* Number of exits of @reason, all of whose records have the right values. */
static size_t count_interrupts(const char *name, u32 reason)
{
	static struct tdx_trace_exit exits[MAX_EXITS];
	const size_t nr = tdx_trace_read(exits, ARRAY_SIZE(exits));
	size_t i, found = 0;

	for (i = 0; i < nr; i++) {
		struct tdx_trace_exit exit = exits[i];

		found += exit.exit_reason == reason;
		exit.exit_reason &= ~TDX_EXIT_BUS_LOCK;
		is_of_host(name, i, &exit);
	}
	return found;
}

TDX_TEST_F(spin, interrupt_traced)
{
	make_exit_before(self->vcpu);
	tdx_trace_begin();
	vcpu_run(self->vcpu);
	TEST_ASSERT(count_interrupts("interrupt", EXIT_REASON_EXTERNAL_INTERRUPT),
		    "wanted a record of an interrupt");
	tdx_trace_end();
}

TDX_TEST_F(spin, interrupt_with_bus_lock_traced)
{
	make_exit_before(self->vcpu);
	tdx_sim_mark("TDH_VP_ENTER", 1, EXIT_REASON_EXTERNAL_INTERRUPT, TDX_EXIT_BUS_LOCK, 1);
	tdx_trace_begin();
	vcpu_run(self->vcpu);
	check_exit(self->vcpu, "interrupt with a bus lock", KVM_EXIT_X86_BUS_LOCK);
	TEST_ASSERT_EQ(count_interrupts("interrupt with a bus lock",
					TDX_EXIT_BUS_LOCK | EXIT_REASON_EXTERNAL_INTERRUPT), 1);
	tdx_trace_end();
	tdx_sim_refuse_none();
}

/* A vCPU that runs on another CPU. */
struct runner {
	struct kvm_vcpu *vcpu;
	int cpu;
};

static int run_traced(void *arg)
{
	struct runner *runner = arg;

	pin_self_to_cpu(runner->cpu);
	tdx_trace_begin();
	vcpu_run(runner->vcpu);
	return 0;
}

/* A request is there when the vCPU leaves the TD for it. */
TDX_TEST_F(spin, requests_traced)
{
	struct kvm_msr_filter filter = { .flags = KVM_MSR_FILTER_DEFAULT_ALLOW };
	static struct tdx_trace_exit exits[MAX_EXITS];
	struct runner runner = { .vcpu = self->vcpu };
	struct tdx_thread thread;
	size_t nr, i, found = 0;

	if (tdx_nr_present_cpus() < 2)
		SKIP(return, TDX_TWO_CPUS_REASON);

	runner.cpu = tdx_pin_to_first_cpu();
	tdx_thread_start(&thread, run_traced, &runner);
	while (!tdx_thread_done(&thread, 1))
		vm_ioctl(self->vm, KVM_X86_SET_MSR_FILTER, &filter);
	tdx_thread_join(&thread);

	nr = tdx_trace_read(exits, ARRAY_SIZE(exits));
	for (i = 0; i < nr; i++)
		found += !!exits[i].requests;
	TEST_ASSERT(found, "wanted requests in a record, got none in %zu", nr);
	tdx_trace_end();
}

TDX_TEST_MAIN()
