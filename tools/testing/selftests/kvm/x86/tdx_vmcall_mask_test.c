// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mask in RCX of a TDG.VP.VMCALL says which registers the VMM sees.  The VMM finds
 * 0 in a register that it is not shown, and what it writes there does not reach the TD.
 * So for every leaf and mask two calls must have the same exits and the same results:
 * one with the mask, and one that shows all registers, with 0 in those outside of the
 * mask.
 */
#include <asm/kvm_para.h>
#include <linux/kvm_para.h>
#include <linux/sizes.h>

#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdvmcall_mask.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_map_gpa.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define TEST_GPA	(TDX_SHARED_BIT | 0x1234600000ULL)
#define TEST_PORT	0x7d5
/* No MSR of KVM or of the TDX module. */
#define TEST_MSR	0x4b56aaaa

/* The answer of userspace to an exit. */
#define ANSWER		0x0a115e50a115e50aULL

/* Index of the mask in the words of the exit for a fatal error. */
#define RCX_NR		1

/* Not a real exit reason: the vCPU halts, and userspace ends the halt. */
#define EXIT_HALTED	0xa1

TDX_FIXTURE(vmcall_mask);

FIXTURE_VARIANT(vmcall_mask)
{
	const char *name;
	u64 r10;
	u64 r11;
	u64 r12;
	u64 r13;
	u64 r14;
	u32 exit_reason;	/* of the call that shows all registers, 0 if none */
};

#define LEAF(row, leaf, exit, args...)				\
	FIXTURE_VARIANT_ADD(vmcall_mask, row) {				\
		.name = #row, .r11 = (leaf), .exit_reason = (exit), args \
	}

#define IO_LEAF(row, leaf, exit, size, direction, addr)			\
	LEAF(row, leaf, exit, .r12 = (size), .r13 = (direction), .r14 = (addr))

#define HYPERCALL(row, number, exit, args...)				\
	FIXTURE_VARIANT_ADD(vmcall_mask, hypercall_##row) {		\
		.name = #row, .r10 = KVM_HC_##number, .exit_reason = (exit), args \
	}

LEAF(cpuid, EXIT_REASON_CPUID, 0, .r12 = TDX_CPUID_ADDRESS_WIDTHS, .r13 = 0);
LEAF(hlt, EXIT_REASON_HLT, EXIT_HALTED, .r12 = 1);
IO_LEAF(io_in, EXIT_REASON_IO_INSTRUCTION, KVM_EXIT_IO, 4, TDX_IO_READ, TEST_PORT);
IO_LEAF(io_out, EXIT_REASON_IO_INSTRUCTION, KVM_EXIT_IO, 4, TDX_IO_WRITE, TEST_PORT);
LEAF(rdmsr, EXIT_REASON_MSR_READ, KVM_EXIT_X86_RDMSR, .r12 = TEST_MSR);
LEAF(wrmsr, EXIT_REASON_MSR_WRITE, KVM_EXIT_X86_WRMSR, .r12 = TEST_MSR, .r13 = ~ANSWER);
IO_LEAF(mmio_read, EXIT_REASON_EPT_VIOLATION, KVM_EXIT_MMIO, 8, TDX_IO_READ, TEST_GPA);
IO_LEAF(mmio_write, EXIT_REASON_EPT_VIOLATION, KVM_EXIT_MMIO, 8, TDX_IO_WRITE, TEST_GPA);
LEAF(vmcall_info_0, TDVMCALL_GET_TD_VM_CALL_INFO, 0, .r12 = 0, .r13 = 13, .r14 = 14);
LEAF(vmcall_info_1, TDVMCALL_GET_TD_VM_CALL_INFO, KVM_EXIT_TDX, .r12 = 1, .r13 = 13, .r14 = 14);
LEAF(map_gpa, TDVMCALL_MAP_GPA, KVM_EXIT_HYPERCALL, .r12 = TEST_GPA, .r13 = SZ_4K);
LEAF(map_gpa_unaligned, TDVMCALL_MAP_GPA, 0, .r12 = TEST_GPA + 1, .r13 = SZ_4K);
LEAF(get_quote, TDVMCALL_GET_QUOTE, KVM_EXIT_TDX, .r12 = TEST_GPA, .r13 = SZ_4K);
LEAF(fatal_error, TDVMCALL_REPORT_FATAL_ERROR, KVM_EXIT_SYSTEM_EVENT, .r12 = 12, .r13 = 13);
LEAF(event_notify, TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT, KVM_EXIT_TDX, .r12 = 0xa5);

HYPERCALL(vapic_poll_irq, VAPIC_POLL_IRQ, 0);
HYPERCALL(unknown,	FEATURES, 0);
HYPERCALL(kick_cpu,	KICK_CPU, 0);
HYPERCALL(clock_pairing, CLOCK_PAIRING, 0, .r12 = 1);
HYPERCALL(send_ipi,	SEND_IPI, 0, .r11 = 1, .r14 = APIC_DEST_ALLINC);
HYPERCALL(sched_yield,	SCHED_YIELD, 0);
HYPERCALL(map_gpa_range, MAP_GPA_RANGE, KVM_EXIT_HYPERCALL, .r11 = TEST_GPA, .r12 = 5, .r13 = 3);

static void row_regs(const FIXTURE_VARIANT(vmcall_mask) * row, struct tdcall_regs *regs)
{
	tdvmcall_seed_regs(regs);
	regs->r10 = row->r10;
	regs->r11 = row->r11;
	regs->r12 = row->r12;
	regs->r13 = row->r13;
	regs->r14 = row->r14;
}

FIXTURE_SETUP(vmcall_mask)
{
	struct tdcall_regs regs;

	tdvmcall_mask_add_legal();
	row_regs(variant, &regs);
	self->vm = tdvmcall_mask_vm_create(&self->vcpu, tdvmcall_guest_compare_masks, &regs);
	tdx_map_gpa_enable_exits(self->vm);
	vm_enable_cap(self->vm, KVM_CAP_X86_USER_SPACE_MSR,
		      KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN);
}

#define MAX_EXITS	2

struct exits {
	u32 nr;
	struct {
		u32 reason;
		u8 bytes[sizeof(((struct kvm_run *)0)->padding)];
		u32 port_data;
	} exit[MAX_EXITS];
};

static void answer(struct kvm_run *run)
{
	const u64 value = ANSWER;
	size_t i;

	switch (run->exit_reason) {
	case KVM_EXIT_TDX:
		run->tdx.unknown.ret = value;
		for (i = 0; i < ARRAY_SIZE(run->tdx.unknown.data); i++)
			run->tdx.unknown.data[i] = value + i;
		break;
	case KVM_EXIT_HYPERCALL:
		/* MapGPA accepts only some answers. */
		run->hypercall.ret = tdx_map_gpa_answer(tdx_map_gpa_gen(), TDX_MAP_GPA_INVALID);
		break;
	case KVM_EXIT_IO:
		memcpy((void *)run + run->io.data_offset, &value, run->io.size);
		break;
	case KVM_EXIT_MMIO:
		memcpy(run->mmio.data, &value, sizeof(value));
		break;
	case KVM_EXIT_X86_RDMSR:
		run->msr.data = value;
		break;
	}
}

/* This exit alone shows all registers, and the mask. */
static void check_fatal_error(const char *name, struct kvm_run *run, u64 mask, u64 rcx)
{
	const u64 *values = (const u64 *)&tdvmcall_mask_regs;
	size_t i;

	for (i = 0; i < NR_TDCALL_REGS; i++) {
		const u64 bit = tdvmcall_reg_bit(i);
		const int nr = __builtin_ctzll(bit);

		if (TDVMCALL_EXPOSE_REGS_MASK & bit)
			tdx_assert_value(name, "register", nr, tdvmcall_reg_names[i],
					 mask & bit ? values[i] : 0,
					 run->system_event.data[nr]);
	}

	tdx_assert_value(name, "register", RCX_NR, "RCX", rcx,
			 run->system_event.data[RCX_NR]);
	run->system_event.data[RCX_NR] = 0;
}

static void add_exit(struct exits *exits, const char *name, struct kvm_run *run, u32 reason)
{
	TEST_ASSERT(exits->nr < MAX_EXITS, "%s: wanted at most %d exits, got another for %s",
		    name, MAX_EXITS, exit_reason_str(reason));

	exits->exit[exits->nr].reason = reason;
	memcpy(exits->exit[exits->nr].bytes, run->padding, sizeof(run->padding));
	if (reason == KVM_EXIT_IO && run->io.direction == KVM_EXIT_IO_OUT)
		memcpy(&exits->exit[exits->nr].port_data, (void *)run + run->io.data_offset,
		       sizeof(u32));
	exits->nr++;
}

static bool is_tell(const struct kvm_run *run)
{
	return run->exit_reason == KVM_EXIT_MMIO && run->mmio.is_write &&
	       (run->mmio.phys_addr == TDVMCALL_MASK_ALL_SHOWN_GPA ||
		run->mmio.phys_addr == TDVMCALL_MASK_MASKED_GPA ||
		run->mmio.phys_addr / PAGE_SIZE == TD_UCALL_GPA / PAGE_SIZE);
}

/* Run @vcpu, which has announced a call, through all exits of that call. */
static void run_call(struct kvm_vcpu *vcpu, const char *name, u64 mask, u64 rcx,
		     struct exits *exits)
{
	struct kvm_run *run = vcpu->run;
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_RUNNABLE };
	int r;

	memset(exits, 0, sizeof(*exits));
	tdvmcall_poison_exit(vcpu);

	for (;;) {
		/* A vCPU that has halted stays so until it is interrupted. */
		r = tdx_vcpu_run_with_signals(vcpu);
		TEST_ASSERT(!r || errno == EINTR, "%s: wanted KVM_RUN to give 0, got %m", name);

		if (r) {
			if (tdx_vcpu_mp_state(vcpu) == KVM_MP_STATE_HALTED) {
				vcpu_mp_state_set(vcpu, &state);
				add_exit(exits, name, run, EXIT_HALTED);
			}
			continue;
		}

		if (is_tell(run))
			return;

		if (run->exit_reason == KVM_EXIT_SYSTEM_EVENT)
			check_fatal_error(name, run, mask, rcx);
		add_exit(exits, name, run, run->exit_reason);
		answer(run);
	}
}

static void check_tell(struct kvm_vcpu *vcpu, const char *name, u64 gpa, u64 mask)
{
	struct ucall uc;
	u64 got;

	if (vcpu->run->mmio.phys_addr != gpa && get_ucall(vcpu, &uc) == UCALL_ABORT)
		REPORT_GUEST_ASSERT(uc);

	memcpy(&got, vcpu->run->mmio.data, sizeof(got));
	tdx_assert_value(name, "call", 0, "GPA of its mask", gpa, vcpu->run->mmio.phys_addr);
	tdx_assert_value(name, "call", 0, "mask", mask, got);
}

static void compare_exits(const char *name, const struct exits *all, const struct exits *masked)
{
	size_t i, j;

	TEST_ASSERT(all->nr == masked->nr, "%s: wanted %u exits, got %u, the first for %s", name,
		    all->nr, masked->nr, exit_reason_str(masked->exit[0].reason));

	for (i = 0; i < all->nr; i++) {
		TEST_ASSERT(all->exit[i].reason == masked->exit[i].reason,
			    "%s: exit %lu: wanted %s, got %s", name, i,
			    exit_reason_str(all->exit[i].reason),
			    exit_reason_str(masked->exit[i].reason));

		for (j = 0; j < sizeof(all->exit[i].bytes); j++)
			tdx_assert_value(name, "exit: byte", j, "kvm_run",
					 all->exit[i].bytes[j], masked->exit[i].bytes[j]);

		tdx_assert_value(name, "exit", i, "data of the port",
				 all->exit[i].port_data, masked->exit[i].port_data);
	}
}

/* The call that shows all registers must be the one of the row. */
static void check_exit_reason(const char *name, const FIXTURE_VARIANT(vmcall_mask) * row,
			      const struct exits *exits)
{
	tdx_assert_value(name, "call", 0, "exits", !!row->exit_reason, exits->nr);
	if (exits->nr)
		tdx_assert_value(name, "exit", 0, "reason", row->exit_reason,
				 exits->exit[0].reason);
}

TDX_TEST_F(vmcall_mask, hides_registers)
{
	struct kvm_vcpu *vcpu = self->vcpu;
	struct exits all, masked;
	struct ucall uc;
	char name[64];
	size_t i;

	run_call(vcpu, variant->name, 0, 0, &all);
	tdx_assert_value(variant->name, "before the", 1, "call: exits", 0, all.nr);

	for (i = 0; i < nr_tdvmcall_masks; i++) {
		const u64 mask = tdvmcall_masks[i];

		snprintf(name, sizeof(name), "%s, mask 0x%lx", variant->name, mask);
		check_tell(vcpu, name, TDVMCALL_MASK_ALL_SHOWN_GPA, mask);
		run_call(vcpu, name, mask, TDVMCALL_EXPOSE_REGS_MASK, &all);
		check_tell(vcpu, name, TDVMCALL_MASK_MASKED_GPA, mask);
		run_call(vcpu, name, mask, mask, &masked);

		compare_exits(name, &all, &masked);
		if (mask == TDVMCALL_EXPOSE_REGS_MASK)
			check_exit_reason(name, variant, &all);
	}

	if (get_ucall(vcpu, &uc) == UCALL_ABORT)
		REPORT_GUEST_ASSERT(uc);
	TEST_ASSERT_EQ(uc.cmd, (u64)UCALL_DONE);
}

TDX_FIXTURE(vmcall_mask_refused);

FIXTURE_VARIANT(vmcall_mask_refused)
{
	u64 bits;
};

/* Registers that the TDX module never shows, and RBP, which NO_RBP_MOD of KVM excludes. */
FIXTURE_VARIANT_ADD(vmcall_mask_refused, rax) { .bits = BIT_ULL(0) };
FIXTURE_VARIANT_ADD(vmcall_mask_refused, rcx) { .bits = BIT_ULL(1) };
FIXTURE_VARIANT_ADD(vmcall_mask_refused, rsp) { .bits = BIT_ULL(4) };
FIXTURE_VARIANT_ADD(vmcall_mask_refused, rbp) { .bits = BIT_ULL(5) };
/* Bits 31:16 stand for XMM registers, which are not tested. */
FIXTURE_VARIANT_ADD(vmcall_mask_refused, reserved) { .bits = GENMASK_ULL(63, 32) };

FIXTURE_SETUP(vmcall_mask_refused)
{
	struct tdcall_regs regs;
	int i;

	for (i = 0; i < 64; i++) {
		if (variant->bits & BIT_ULL(i)) {
			tdvmcall_mask_add(BIT_ULL(i));
			tdvmcall_mask_add(TDVMCALL_EXPOSE_REGS_MASK | BIT_ULL(i));
		}
	}

	tdvmcall_seed_leaf(&regs, TDVMCALL_REPORT_FATAL_ERROR);
	self->vm = tdvmcall_mask_vm_create(&self->vcpu, tdvmcall_guest_refused_masks, &regs);
}

/* No refused call reaches KVM: the first exit is that of the good call at the end. */
TDX_TEST_F(vmcall_mask_refused, by_tdx_module)
{
	struct exits exits;
	struct ucall uc;

	run_call(self->vcpu, "after refused masks", TDVMCALL_EXPOSE_REGS_MASK,
		 TDVMCALL_EXPOSE_REGS_MASK, &exits);
	if (get_ucall(self->vcpu, &uc) == UCALL_ABORT)
		REPORT_GUEST_ASSERT(uc);

	TEST_ASSERT_EQ(uc.cmd, (u64)UCALL_DONE);
	tdx_assert_value("after refused masks", "calls", nr_tdvmcall_masks, "exits", 1, exits.nr);
}

TDX_TEST_MAIN()
