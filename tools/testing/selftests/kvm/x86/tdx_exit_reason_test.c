// SPDX-License-Identifier: GPL-2.0-only
/*
 * The exit reason of a TD, all 32 bits of it, and what else TDH.VP.ENTER says of an exit.
 * Bit 26 tells of a bus lock, whatever the exit is for: KVM handles the exit as without
 * the bit and tells userspace by KVM_RUN_X86_BUS_LOCK, even with an error of KVM_RUN.
 * Where the TD would have gone on, KVM_RUN ends with KVM_EXIT_X86_BUS_LOCK.  An exit is
 * told once: nothing of it is left in the next one, nor when the TDX module then refuses
 * an entry.
 *
 * The TD runs, and the simulated module adds the bit to what it says.  Exits that no TD
 * has here are made up as a whole, see tdx_refusal.h.
 */
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_exit_reason.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_map_gpa.h"
#include "tdx/tdx_mem.h"
#include "tdx/tdx_refusal.h"
#include "tdx/tdx_sim.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* Bits of an exit reason, and a reason, that asm/vmx.h does not name. */
#define ENCLAVE_MODE		BIT_ULL(27)
#define UNDEFINED_BITS		(GENMASK_ULL(25, 16) | GENMASK_ULL(30, 28))
#define EXIT_REASON_GETSEC	11

/* What KVM returns for a KVM_HC_* that it does not have. */
#define KVM_ENOSYS_RESULT	(-1000ull)

/* The next exit for @reason comes with a bus lock, and the next entry is refused once. */
static void lock_bus(u64 reason)
{
	tdx_sim_refuse_none();
	tdx_sim_mark("TDH_VP_ENTER", 1, reason, TDX_EXIT_BUS_LOCK, 1);
}

static void refuse_entry(void)
{
	tdx_sim_refuse("TDH_VP_ENTER", 1, TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT, 1);
}

static void check_told(struct kvm_vcpu *vcpu, const char *name, u32 exit_reason)
{
	const struct kvm_run *run = vcpu->run;
	u32 calls, marked;

	tdx_sim_refused(&calls, &marked);
	tdx_assert_value(name, "exit", 0, "exits with a bus lock", 1, marked);
	TEST_ASSERT(run->exit_reason == exit_reason, "%s: wanted %s (%u), got %s (%u)", name,
		    exit_reason_str(exit_reason), exit_reason,
		    exit_reason_str(run->exit_reason), run->exit_reason);
	tdx_assert_value(name, "exit", 0, "flags", KVM_RUN_X86_BUS_LOCK, run->flags);
}

/* A call of the TD, and what it ends with. */
TDX_FIXTURE(call_with_bus_lock);

FIXTURE_VARIANT(call_with_bus_lock)
{
	const char *name;
	u64 r10;		/* 0: the call is one of GHCI */
	u64 r11;
	u64 r12;
	u64 r13;
	u64 r14;
	u32 exit_reason;	/* 0: KVM completes the call by itself */
	u64 want_r10;
	u64 zeroed;		/* registers that get 0, by their numbers */
};

#define CALL(row, args...)						\
	FIXTURE_VARIANT_ADD(call_with_bus_lock, row) { .name = #row, args }

CALL(cpuid, .r11 = EXIT_REASON_CPUID, .r12 = TDX_EXIT_CPUID_LEAF);
CALL(hlt, .r11 = EXIT_REASON_HLT);
CALL(in, .r11 = EXIT_REASON_IO_INSTRUCTION, .r12 = 1, .r14 = 0x80,
	.exit_reason = KVM_EXIT_IO, .zeroed = BIT(11));
CALL(out, .r11 = EXIT_REASON_IO_INSTRUCTION, .r12 = 4, .r13 = 1, .r14 = 0x80,
	.exit_reason = KVM_EXIT_IO);
CALL(io_size, .r11 = EXIT_REASON_IO_INSTRUCTION, .r12 = 3, .r14 = 0x80,
	.want_r10 = TDVMCALL_STATUS_INVALID_OPERAND);
CALL(rdmsr, .r11 = EXIT_REASON_MSR_READ, .r12 = TDX_EXIT_MSR, .zeroed = BIT(11));
CALL(wrmsr, .r11 = EXIT_REASON_MSR_WRITE, .r12 = TDX_EXIT_MSR, .r13 = 2);
CALL(mmio_read, .r11 = EXIT_REASON_EPT_VIOLATION, .r12 = 8, .r14 = TDX_EXIT_SHARED_GPA,
	.exit_reason = KVM_EXIT_MMIO, .zeroed = BIT(11));
CALL(mmio_write, .r11 = EXIT_REASON_EPT_VIOLATION, .r12 = 2, .r13 = 1, .r14 = TDX_EXIT_SHARED_GPA,
	.exit_reason = KVM_EXIT_MMIO);
CALL(vmcall_info, .r11 = TDVMCALL_GET_TD_VM_CALL_INFO,
	.zeroed = GENMASK(14, 11));
CALL(vmcall_info_1, .r11 = TDVMCALL_GET_TD_VM_CALL_INFO, .r12 = 1,
	.exit_reason = KVM_EXIT_TDX, .zeroed = GENMASK(14, 11));
CALL(map_gpa, .r11 = TDVMCALL_MAP_GPA, .r12 = TDX_EXIT_SHARED_GPA, .r13 = PAGE_SIZE,
	.exit_reason = KVM_EXIT_HYPERCALL);
CALL(get_quote, .r11 = TDVMCALL_GET_QUOTE, .r12 = TDX_EXIT_SHARED_GPA, .r13 = PAGE_SIZE,
	.exit_reason = KVM_EXIT_TDX, .want_r10 = TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
CALL(fatal_error, .r11 = TDVMCALL_REPORT_FATAL_ERROR, .exit_reason = KVM_EXIT_SYSTEM_EVENT);
CALL(event_notify, .r11 = TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT, .r12 = 0xa5,
	.exit_reason = KVM_EXIT_TDX, .want_r10 = TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
CALL(unknown_leaf, .r11 = TDVMCALL_SERVICE,
	.want_r10 = TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
CALL(hypercall, .r10 = TDX_EXIT_UNKNOWN_HYPERCALL, .want_r10 = KVM_ENOSYS_RESULT);
CALL(hypercall_map_gpa, .r10 = KVM_HC_MAP_GPA_RANGE, .r11 = TDX_EXIT_SHARED_GPA, .r12 = 1,
	.exit_reason = KVM_EXIT_HYPERCALL);

FIXTURE_SETUP(call_with_bus_lock)
{
	const char *reason = tdx_exit_reason_skip();

	if (reason)
		SKIP(return, "%s", reason);

	self->vm = tdvmcall_vm_create(&self->vcpu);
	tdx_map_gpa_enable_exits(self->vm);
}

/* An answer of userspace, where the exit has one. */
static void answer(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		*((u8 *)run + run->io.data_offset) = 0;
		break;
	case KVM_EXIT_MMIO:
		memset(run->mmio.data, 0, sizeof(run->mmio.data));
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		tdx_assert_value("fatal_error", "exit", 0, "RAX",
				 TDX_EXIT_BUS_LOCK | EXIT_REASON_TDCALL,
				 run->system_event.data[0]);
		break;
	case KVM_EXIT_X86_BUS_LOCK:
		if (tdx_vcpu_mp_state(vcpu) == KVM_MP_STATE_HALTED)
			vcpu_mp_state_set(vcpu, &runnable);
		break;
	}
}

/* What the TD must see: @regs is what it called with. */
static void expect(struct kvm_vcpu *vcpu, const FIXTURE_VARIANT(call_with_bus_lock) * row,
		   struct tdcall_regs *regs)
{
	const struct kvm_cpuid_entry2 *entry;

	regs->r10 = row->want_r10;
	if (row->zeroed & BIT(11))
		regs->r11 = 0;
	if (row->zeroed & BIT(12)) {
		regs->r12 = 0;
		regs->r13 = 0;
		regs->r14 = 0;
	}

	if (row->r10 || row->r11 != EXIT_REASON_CPUID)
		return;
	entry = vcpu_get_cpuid_entry(vcpu, TDX_EXIT_CPUID_LEAF);
	regs->r12 = entry->eax;
	regs->r13 = entry->ebx;
	regs->r14 = entry->ecx;
	regs->r15 = entry->edx;
}

TDX_TEST_F(call_with_bus_lock, told_once)
{
	struct tdcall_regs regs;

	tdvmcall_seed_regs(&regs);
	regs.r10 = variant->r10;
	regs.r11 = variant->r11;
	regs.r12 = variant->r12;
	regs.r13 = variant->r13;
	regs.r14 = variant->r14;
	tdvmcall_issue(self->vcpu, variant->name, &regs);
	tdvmcall_poison_exit(self->vcpu);

	lock_bus(EXIT_REASON_TDCALL);
	vcpu_run(self->vcpu);
	check_told(self->vcpu, variant->name, variant->exit_reason ?: KVM_EXIT_X86_BUS_LOCK);
	answer(self->vcpu);

	refuse_entry();
	expect(self->vcpu, variant, &regs);
	tdvmcall_finish(self->vcpu, variant->name, 1, &regs);
	tdx_sim_refuse_none();
}

static void guest_accept(void)
{
	tdx_guest_accept_page(TDX_EXIT_GPA);
	GUEST_SYNC1(0);
}

/* An exit that is no call. */
TDX_FIXTURE(exit_with_bus_lock);

FIXTURE_VARIANT(exit_with_bus_lock)
{
	const char *name;
	void (*guest_code)(void);
	u64 reason;
	bool no_memory;		/* what the TD accesses is not there: EFAULT */
};

FIXTURE_VARIANT_ADD(exit_with_bus_lock, ept_violation) {
	.name = "EPT violation", .guest_code = guest_accept, .reason = EXIT_REASON_EPT_VIOLATION,
};

FIXTURE_VARIANT_ADD(exit_with_bus_lock, memory_fault) {
	.name = "memory fault", .guest_code = guest_accept, .reason = EXIT_REASON_EPT_VIOLATION,
	.no_memory = true,
};

FIXTURE_VARIANT_ADD(exit_with_bus_lock, interrupt) {
	.name = "interrupt", .guest_code = tdx_guest_spin_and_sync,
	.reason = EXIT_REASON_EXTERNAL_INTERRUPT,
};

FIXTURE_SETUP(exit_with_bus_lock)
{
	const char *reason = tdx_exit_reason_skip();

	if (reason)
		SKIP(return, "%s", reason);

	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, variant->guest_code);
	vm_userspace_mem_region_add(self->vm, VM_MEM_SRC_ANONYMOUS, TDX_EXIT_GPA, TDX_EXIT_SLOT, 1,
				    KVM_MEM_GUEST_MEMFD);
	tdx_vm_finalize(self->vm);
	if (variant->no_memory)
		tdx_mem_set_shared(self->vm, TDX_EXIT_GPA, PAGE_SIZE);
}

/* The error of KVM_RUN and its exit stay what they are. */
static void run_to_memory_fault(struct kvm_vcpu *vcpu, const char *name)
{
	const struct kvm_run *run = vcpu->run;

	TEST_ASSERT(__vcpu_run(vcpu) == -1 && errno == EFAULT, "%s: wanted EFAULT, got %s", name,
		    exit_reason_str(run->exit_reason));
	check_told(vcpu, name, KVM_EXIT_MEMORY_FAULT);
	tdx_assert_value(name, "exit", 0, "memory_fault.flags", KVM_MEMORY_EXIT_FLAG_PRIVATE,
			 run->memory_fault.flags);
	tdx_assert_value(name, "exit", 0, "memory_fault.gpa", TDX_EXIT_GPA, run->memory_fault.gpa);
	tdx_assert_value(name, "exit", 0, "memory_fault.size", PAGE_SIZE,
			 run->memory_fault.size);
	tdx_mem_set_private(vcpu->vm, TDX_EXIT_GPA, PAGE_SIZE);
}

TDX_TEST_F(exit_with_bus_lock, told_once)
{
	struct kvm_vcpu *vcpu = self->vcpu;
	struct ucall uc;
	u64 irq_exits;

	tdvmcall_poison_exit(vcpu);
	irq_exits = vcpu_get_stat(vcpu, irq_exits);
	lock_bus(variant->reason);
	if (variant->no_memory) {
		run_to_memory_fault(vcpu, variant->name);
	} else {
		vcpu_run(vcpu);
		check_told(vcpu, variant->name, KVM_EXIT_X86_BUS_LOCK);
	}
	if (variant->reason == EXIT_REASON_EXTERNAL_INTERRUPT)
		TEST_ASSERT(vcpu_get_stat(vcpu, irq_exits) > irq_exits,
			    "wanted the interrupt to be counted");

	vcpu->run->flags = 0xa5a5;
	refuse_entry();
	tdx_vcpu_run_to_ucall(vcpu, UCALL_SYNC, &uc);
	tdx_assert_value(variant->name, "exit", 1, "flags", 0, vcpu->run->flags);
	tdx_sim_refuse_none();
}

/* An exit that the module makes up at the first KVM_RUN. */
FIXTURE(made_up)
{
	struct tdx_refusal_host host;
};

FIXTURE_VARIANT(made_up)
{
	struct tdx_refusal refusal;
};

#define MADE_UP(name, code, ...)					\
FIXTURE_VARIANT_ADD(made_up, name) { .refusal = {			\
	.step = tdx_step_run, .leaf = "TDH_VP_ENTER", .status = (code),	\
	.needs_bus_lock_exit = true, __VA_ARGS__ } }

/* An exit to userspace at the first entry. */
#define TOLD(name, code, exit, detail, ...)				\
MADE_UP(name, code, .calls = 1, .want_exit = (exit), .want_detail = (detail), __VA_ARGS__)

#define WITH_BUS_LOCK	.want_flags = KVM_RUN_X86_BUS_LOCK
#define UNEXPECTED(name, code, ...)					\
TOLD(name, code, KVM_EXIT_INTERNAL_ERROR, code, .finding_warns = true, __VA_ARGS__)

/* The basic reason is in bits 15:0, and no other bit but 26 and 31 has a meaning for KVM. */
MADE_UP(smi_with_undefined_bits, UNDEFINED_BITS | ENCLAVE_MODE | EXIT_REASON_OTHER_SMI);
TOLD(smi_with_all_bits, UNDEFINED_BITS | ENCLAVE_MODE | TDX_EXIT_BUS_LOCK | EXIT_REASON_OTHER_SMI,
	KVM_EXIT_X86_BUS_LOCK, 0, WITH_BUS_LOCK);
TOLD(failed_entry_with_all_bits,
	TDX_NON_RECOVERABLE_TD | GENMASK_ULL(31, 16) | EXIT_REASON_INVALID_STATE,
	KVM_EXIT_FAIL_ENTRY, GENMASK_ULL(31, 16) | EXIT_REASON_INVALID_STATE, WITH_BUS_LOCK);
UNEXPECTED(unknown_with_all_bits,
	UNDEFINED_BITS | ENCLAVE_MODE | TDX_EXIT_BUS_LOCK | EXIT_REASON_GETSEC, WITH_BUS_LOCK);
TOLD(triple_fault_with_bus_lock,
	TDX_NON_RECOVERABLE_VCPU | TDX_EXIT_BUS_LOCK | EXIT_REASON_TRIPLE_FAULT,
	KVM_EXIT_SHUTDOWN, 0, WITH_BUS_LOCK);
UNEXPECTED(non_recoverable_td_with_bus_lock,
	TDX_NON_RECOVERABLE_TD | TDX_EXIT_BUS_LOCK | EXIT_REASON_EPT_VIOLATION, WITH_BUS_LOCK);
UNEXPECTED(non_accessible_with_bus_lock, TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE | TDX_EXIT_BUS_LOCK,
	WITH_BUS_LOCK);
UNEXPECTED(wrong_apic_mode_with_bus_lock,
	TDX_NON_RECOVERABLE_TD_WRONG_APIC_MODE | TDX_EXIT_BUS_LOCK, WITH_BUS_LOCK);

/* Without an entry there is no reason: bit 26 is one of the operand's number. */
UNEXPECTED(operand_like_bus_lock, TDX_VCPU_STATE_INCORRECT | TDX_EXIT_BUS_LOCK);
MADE_UP(busy_operand_like_bus_lock, TDX_OPERAND_BUSY | TDX_EXIT_BUS_LOCK);

/* R9 is the information on the event: of an exception its vector. */
TOLD(exception_vector, EXIT_REASON_EXCEPTION_NMI, KVM_EXIT_EXCEPTION, GP_VECTOR,
	.regs = "R9=0x80000b0d");
TOLD(exception_vector_with_bus_lock, TDX_EXIT_BUS_LOCK | EXIT_REASON_EXCEPTION_NMI,
	KVM_EXIT_EXCEPTION, PF_VECTOR, .regs = "R9=0x80000b0e", WITH_BUS_LOCK);
/* It must be one of an interrupt, which KVM would lose otherwise. */
MADE_UP(interrupt_without_information, EXIT_REASON_EXTERNAL_INTERRUPT, .regs = "R9=0",
	.calls = 1, .want_errno = EIO, .dead = true);

/* RCX is the exit qualification: of the notify window, whether the TD's state is valid. */
MADE_UP(notify, EXIT_REASON_NOTIFY, .regs = "RCX=0x1000", .times = 2);
TOLD(notify_context_invalid, EXIT_REASON_NOTIFY, KVM_EXIT_NOTIFY,
	KVM_NOTIFY_CONTEXT_INVALID, .regs = "RCX=1");
TOLD(notify_context_invalid_with_bus_lock, TDX_EXIT_BUS_LOCK | EXIT_REASON_NOTIFY, KVM_EXIT_NOTIFY,
	KVM_NOTIFY_CONTEXT_INVALID, .regs = "RCX=1", WITH_BUS_LOCK);
TOLD(notify_with_bus_lock, TDX_EXIT_BUS_LOCK | EXIT_REASON_NOTIFY, KVM_EXIT_X86_BUS_LOCK, 0,
	.regs = "RCX=0", WITH_BUS_LOCK);

/*
 * Of an EPT violation, RCX says what the access was, R8 where, and RDX whether the TD has
 * yet to accept the page, which KVM takes for the end of the TD.  No TD can fetch from
 * shared memory.
 */
MADE_UP(fetch_from_shared, EXIT_REASON_EPT_VIOLATION, .calls = 1, .want_errno = EIO,
	.regs = "RCX=4 RDX=0 R8=0x801234600000", .dead = true);
MADE_UP(pending_page, EXIT_REASON_EPT_VIOLATION, .calls = 1, .want_errno = EIO,
	.regs = "RCX=1 RDX=6 R8=0x2345600000", .dead = true, .warnings = TDX_REFUSAL_SILENT);
MADE_UP(pending_page_with_bus_lock, TDX_EXIT_BUS_LOCK | EXIT_REASON_EPT_VIOLATION, .calls = 1,
	.want_errno = EIO, .regs = "RCX=1 RDX=6 R8=0x2345600000", .dead = true,
	.warnings = TDX_REFUSAL_SILENT);

FIXTURE_SETUP(made_up)
{
	const char *reason = tdx_refusal_begin(&variant->refusal, &self->host);

	if (reason)
		SKIP(return, "%s", reason);
}

FIXTURE_TEARDOWN_PARENT(made_up)
{
	tdx_refusal_end(&self->host);
}

TDX_TEST_F_PARENT(made_up, told)
{
	tdx_refusal_run(&variant->refusal, &self->host);
}

TDX_TEST_MAIN()
