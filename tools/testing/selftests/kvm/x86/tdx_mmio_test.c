// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VMCALL<MMIO>: accesses of a TD to shared memory that it takes for a device.
 * KVM looks for a device of its own.  If there is none it exits with KVM_EXIT_MMIO.  It
 * does not look for memory.
 */
#include "kvm_util.h"
#include "processor.h"
#include "apic.h"
#include "vmx.h"
#include "tdx/td_boot.h"
#include "tdx/tdx_io.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_ve.h"

#define TEST_GPA	0x1234567000ULL
#define SHARED		TDX_SHARED_BIT
#define READ		TDX_IO_READ
#define WRITE		TDX_IO_WRITE

/* All bytes differ. */
#define TEST_DATA	0x1122334455667788ULL

#define BIT_32		BIT_ULL(32)

static const u64 sizes[] = { 1, 2, 4, 8 };

TDX_FIXTURE(mmio);
TDX_FIXTURE_SETUP(mmio, tdvmcall_vm_create);

static void run_refused(struct kvm_vcpu *vcpu, u64 size, u64 direction, u64 gpa)
{
	struct tdx_insn insn;

	tdx_io_init(&insn, EXIT_REASON_EPT_VIOLATION, size, direction, gpa, TEST_DATA);
	tdx_insn_refused(&insn);
	tdx_insn_run(vcpu, &insn);
}

static void run_write(struct kvm_vcpu *vcpu, u64 size, u64 direction, u64 gpa, u64 data)
{
	struct tdx_insn insn;

	tdx_io_init(&insn, EXIT_REASON_EPT_VIOLATION, size, direction, gpa, data);
	tdx_io_run_exit(vcpu, &insn);
	/* A write returns nothing, whatever userspace leaves in place of the data. */
	tdx_io_answer(vcpu, &insn, ~data);
	tdx_insn_finish(vcpu, &insn);
}

static void run_read(struct kvm_vcpu *vcpu, u64 size, u64 direction, u64 gpa, u64 answer)
{
	struct tdx_insn insn;

	tdx_io_init(&insn, EXIT_REASON_EPT_VIOLATION, size, direction, gpa, ~answer);
	insn.out.r11 = tdx_io_low_bytes(answer, (u32)size);
	tdx_io_run_exit(vcpu, &insn);
	tdx_io_answer(vcpu, &insn, answer);
	tdx_insn_finish(vcpu, &insn);
}

/* Only the low 32 bits count.  None of these values has a legal size in them. */
TDX_TEST_F(mmio, size_refused)
{
	static const u64 bad[] = {
		0, 3, 5, 6, 7, 9, 10, 16, 0x101, 0x10008, BIT_ULL(31) | 8, BIT_32,
		BIT_32 | 3, BIT_ULL(63), ~0ULL,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		run_refused(self->vcpu, bad[i], READ, SHARED | TEST_GPA);
		run_refused(self->vcpu, bad[i], WRITE, SHARED | TEST_GPA);
	}
}

TDX_TEST_F(mmio, direction_refused)
{
	static const u64 bad[] = {
		2, 3, 0x100, 0x10001, BIT_ULL(31), BIT_ULL(31) | WRITE, BIT_32 | 2, ~0ULL,
	};
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		for (j = 0; j < ARRAY_SIZE(sizes); j++)
			run_refused(self->vcpu, sizes[j], bad[i], SHARED | TEST_GPA);
	}
}

/* Neither the first nor the last byte may be private. */
TDX_TEST_F(mmio, private_refused)
{
	static const struct {
		u64 gpa;
		u64 size;
	} bad[] = {
		{ 0, 1 },
		{ TEST_GPA, 8 },
		{ TEST_GPA + 0xffc, 8 },	/* to the next page */
		{ SHARED - 1, 1 },
		{ SHARED - 1, 2 },		/* the last byte is shared */
		{ SHARED - 4, 8 },
		{ 2 * SHARED - 1, 2 },		/* the first byte is shared */
		{ 2 * SHARED - 4, 8 },
		{ 2 * SHARED, 1 },
		{ BIT_ULL(63) | TEST_GPA, 4 },
		{ ~0ULL, 2 },			/* to GPA 0 */
		{ -4ULL, 8 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		run_refused(self->vcpu, bad[i].size, READ, bad[i].gpa);
		run_refused(self->vcpu, bad[i].size, WRITE, bad[i].gpa);
	}
}

/* An access that KVM refuses does not reach a device of its own either. */
TDX_TEST_F(mmio, refused_before_device)
{
	struct tdx_io_event event = { .addr = TEST_GPA };

	tdx_io_event_assign(self->vm, &event);

	run_refused(self->vcpu, 3, WRITE, SHARED | TEST_GPA);
	run_refused(self->vcpu, 4, 2, SHARED | TEST_GPA);
	run_refused(self->vcpu, 4, WRITE, TEST_GPA);
	run_refused(self->vcpu, 3, 2, TEST_GPA);

	tdx_assert_value("refused", "ioeventfd", 0, "writes", 0, tdx_io_event_count(&event));
}

TDX_TEST_F(mmio, write)
{
	static const u64 data[] = { 0, 0xab, TEST_DATA, ~0ULL, BIT_ULL(31), ~BIT_ULL(31) };
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < ARRAY_SIZE(data); j++)
			run_write(self->vcpu, sizes[i], WRITE, SHARED | TEST_GPA, data[j]);
	}
}

/* The answer is zero-extended from its size. */
TDX_TEST_F(mmio, read)
{
	static const u64 answers[] = { 0, 0xab, TEST_DATA, ~0ULL, BIT_ULL(31), ~BIT_ULL(31) };
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < ARRAY_SIZE(answers); j++)
			run_read(self->vcpu, sizes[i], READ, SHARED | TEST_GPA, answers[j]);
	}
}

/* All 64 bits of R12 are the size, as for Instruction.IO. */
TDX_TEST_F(mmio, upper_half_of_size)
{
	static const u64 above[] = { BIT_32, BIT_ULL(63), GENMASK_ULL(63, 32) };
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(above); i++) {
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			run_refused(self->vcpu, above[i] | sizes[j], READ, SHARED | TEST_GPA);
			run_refused(self->vcpu, above[i] | sizes[j], WRITE, SHARED | TEST_GPA);
		}
	}
}

TDX_FINDING(11, "mmio.upper_half_of_size");

/* The same holds for the direction in R13. */
TDX_TEST_F(mmio, upper_half_of_direction)
{
	static const u64 above[] = { BIT_32, BIT_ULL(63), GENMASK_ULL(63, 32) };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(above); i++) {
		run_refused(self->vcpu, 8, above[i] | READ, SHARED | TEST_GPA);
		run_refused(self->vcpu, 8, above[i] | WRITE, SHARED | TEST_GPA);
	}
}

TDX_FINDING(11, "mmio.upper_half_of_direction");

/*
 * KVM accepts any GPA with the shared bit, which userspace does not see: one that ends
 * in the next page, one with memory, one above the vCPU's MAXPHYADDR.
 */
TDX_TEST_F(mmio, gpa)
{
	static const struct {
		u64 gpa;
		u64 size;
	} good[] = {
		{ SHARED, 1 },
		{ SHARED | (TEST_GPA + 0xfff), 2 },
		{ SHARED | (TEST_GPA + 0xffc), 8 },
		{ SHARED | (TEST_GPA + 1), 8 },
		{ SHARED | TD_BOOT_CODE_GPA, 8 },
		{ 2 * SHARED - 8, 8 },
		{ 2 * SHARED - 1, 1 },
		{ 3 * SHARED, 8 },
		{ BIT_ULL(63) | SHARED | TEST_GPA, 4 },
		{ ~0ULL, 1 },
		{ -8ULL, 8 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		run_read(self->vcpu, good[i].size, READ, good[i].gpa, TEST_DATA);
		run_write(self->vcpu, good[i].size, WRITE, good[i].gpa, TEST_DATA);
	}
}

/* The local APIC of a TD has MSRs and no page, and KVM does not look for one. */
TDX_TEST_F(mmio, local_apic_page)
{
	static const u64 regs[] = { APIC_ID, APIC_LVR, APIC_SPIV, APIC_EOI, APIC_ICR };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		run_read(self->vcpu, 4, READ, SHARED | (APIC_DEFAULT_GPA + regs[i]), TEST_DATA);
		run_write(self->vcpu, 4, WRITE, SHARED | (APIC_DEFAULT_GPA + regs[i]), 0);
	}
}

/*
 * Run to the exit for a read.  kvm_run holds @chance before it.  Returns what it holds
 * at the exit.
 */
static u64 run_read_exit(struct kvm_vcpu *vcpu, struct tdx_insn *insn, u64 size, u64 chance,
			 u64 value)
{
	struct kvm_run *run = vcpu->run;
	u64 left;

	tdx_io_init_read(insn, EXIT_REASON_EPT_VIOLATION, size, SHARED | TEST_GPA, value);
	tdvmcall_issue(vcpu, insn->name, &insn->in);
	memcpy(run->mmio.data, &chance, sizeof(chance));
	tdvmcall_run_exit(vcpu, insn->name, 0, KVM_EXIT_MMIO);
	insn->exits = 1;
	tdx_io_check_exit(vcpu, insn);
	memcpy(&left, run->mmio.data, sizeof(left));

	return left;
}

static const u64 chances[] = { TEST_DATA, 0, ~0ULL };

/* KVM shows no data of its own at the exit for a read. */
TDX_TEST_F(mmio, exit_of_read)
{
	struct tdx_insn insn;
	size_t i, j;
	u64 left;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < ARRAY_SIZE(chances); j++) {
			left = run_read_exit(self->vcpu, &insn, sizes[i], chances[j], 0);
			if (left)
				tdx_insn_assert_exit(&insn, "mmio.data", chances[j], left);
			tdx_io_answer(self->vcpu, &insn, 0);
			tdx_insn_finish(self->vcpu, &insn);
		}
	}
}

/*
 * If userspace does nothing, the TD reads 0, as it does from a port.  It does not get
 * what kvm_run held by chance.
 */
TDX_TEST_F(mmio, default_answer)
{
	struct tdx_insn insn;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < ARRAY_SIZE(chances); j++) {
			run_read_exit(self->vcpu, &insn, sizes[i], chances[j], 0);
			tdx_insn_finish(self->vcpu, &insn);
		}
	}
}

TDX_FINDING(13, "mmio.default_answer");

/* Only the data is the answer: KVM remembers the request. */
TDX_TEST_F(mmio, edited_exit)
{
	static const u32 lens[] = { 0, 1, 8, 9, ~0U };
	struct kvm_run *run = self->vcpu->run;
	struct tdx_insn insn;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < ARRAY_SIZE(lens); j++) {
			tdx_io_init_read(&insn, EXIT_REASON_EPT_VIOLATION, sizes[i],
					 SHARED | TEST_GPA, tdx_io_low_bytes(TEST_DATA, sizes[i]));
			tdx_io_run_exit(self->vcpu, &insn);

			tdx_io_answer(self->vcpu, &insn, TEST_DATA);
			run->exit_reason = KVM_EXIT_IO;
			run->mmio.len = lens[j];
			run->mmio.is_write = 1;
			run->mmio.phys_addr = ~TEST_GPA;
			tdx_insn_finish(self->vcpu, &insn);
		}
	}
}

TDX_TEST_F(mmio, immediate_exit)
{
	struct tdx_insn insn;

	tdx_io_init_read(&insn, EXIT_REASON_EPT_VIOLATION, 8, SHARED | TEST_GPA, TEST_DATA);
	tdx_io_run_exit(self->vcpu, &insn);
	tdx_io_answer(self->vcpu, &insn, TEST_DATA);
	tdx_insn_interrupt(self->vcpu, &insn);
	tdx_insn_finish(self->vcpu, &insn);

	tdx_io_init(&insn, EXIT_REASON_EPT_VIOLATION, 8, WRITE, SHARED | TEST_GPA, TEST_DATA);
	tdx_io_run_exit(self->vcpu, &insn);
	tdx_insn_interrupt(self->vcpu, &insn);
	tdx_insn_finish(self->vcpu, &insn);
}

/* An event for any size is on a bus of its own, where KVM finds it by the GPA. */
TDX_TEST_F(mmio, ioeventfd)
{
	enum { ANY_DATA, EIGHT_BYTES, ANY_SIZE };
	struct tdx_io_event events[] = {
		[ANY_DATA] = { .addr = TEST_GPA, .len = 4 },
		[EIGHT_BYTES] = {
			.addr = TEST_GPA + 8, .len = 8, .datamatch = TEST_DATA,
			.flags = KVM_IOEVENTFD_FLAG_DATAMATCH,
		},
		[ANY_SIZE] = { .addr = TEST_GPA + 0x18 },
	};
	static const struct tdx_io_row rows[] = {
		{ 4, WRITE, SHARED | TEST_GPA, TEST_DATA, ANY_DATA },
		{ 4, READ, SHARED | TEST_GPA, 0, TDX_IO_USERSPACE },
		{ 8, WRITE, SHARED | TEST_GPA, TEST_DATA, TDX_IO_USERSPACE },
		{ 4, WRITE, SHARED | (TEST_GPA + 1), TEST_DATA, TDX_IO_USERSPACE },
		{ 8, WRITE, SHARED | (TEST_GPA + 8), TEST_DATA, EIGHT_BYTES },
		{ 8, WRITE, SHARED | (TEST_GPA + 8), TEST_DATA ^ BIT_ULL(63), TDX_IO_USERSPACE },
		{ 4, WRITE, SHARED | (TEST_GPA + 8), TEST_DATA, TDX_IO_USERSPACE },
		{ 1, WRITE, SHARED | (TEST_GPA + 0x18), 0, ANY_SIZE },
		{ 2, WRITE, SHARED | (TEST_GPA + 0x18), TEST_DATA, ANY_SIZE },
		{ 4, WRITE, SHARED | (TEST_GPA + 0x18), TEST_DATA, ANY_SIZE },
		{ 8, WRITE, SHARED | (TEST_GPA + 0x18), ~0ULL, ANY_SIZE },
		{ 8, READ, SHARED | (TEST_GPA + 0x18), 0, TDX_IO_USERSPACE },
		{ 1, WRITE, SHARED | (TEST_GPA + 0x19), 0, TDX_IO_USERSPACE },
	};
	static const struct tdx_io_row deassigned[] = {
		{ 4, WRITE, SHARED | TEST_GPA, TEST_DATA, ANY_DATA },
		{ 8, WRITE, SHARED | (TEST_GPA + 0x18), TEST_DATA, TDX_IO_USERSPACE },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		tdx_io_event_assign(self->vm, &events[i]);

	tdx_io_run_events(self->vcpu, EXIT_REASON_EPT_VIOLATION, rows, ARRAY_SIZE(rows), events,
			  ARRAY_SIZE(events));
	tdx_io_event_deassign(self->vm, &events[ANY_SIZE]);
	tdx_io_run_events(self->vcpu, EXIT_REASON_EPT_VIOLATION, deassigned,
			  ARRAY_SIZE(deassigned), events, ARRAY_SIZE(events));
}

TDX_TEST_F(mmio, coalesced)
{
	enum { IN_RING };
	static const struct tdx_io_row rows[] = {
		{ 1, WRITE, SHARED | TEST_GPA, TEST_DATA, IN_RING },
		{ 2, WRITE, SHARED | (TEST_GPA + 2), TEST_DATA, IN_RING },
		{ 4, WRITE, SHARED | (TEST_GPA + 4), TEST_DATA, IN_RING },
		{ 8, WRITE, SHARED | (TEST_GPA + 8), TEST_DATA, IN_RING },
		{ 8, WRITE, SHARED | (TEST_GPA + 9), TEST_DATA, TDX_IO_USERSPACE },
		{ 1, WRITE, SHARED | (TEST_GPA - 1), TEST_DATA, TDX_IO_USERSPACE },
		{ 8, READ, SHARED | TEST_GPA, 0, TDX_IO_USERSPACE },
	};

	kvm_vm_register_coalesced_io(self->vm, TEST_GPA, 16, false);
	tdx_io_run_coalesced(self->vcpu, EXIT_REASON_EPT_VIOLATION, rows, ARRAY_SIZE(rows));
}

/*
 * The accesses themselves: KVM finds no memory and makes the next access a #VE, whose
 * handler in the TD issues the hypercall.
 */
FIXTURE(mmio_native)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	gva_t gva;
};

FIXTURE_VARIANT(mmio_native)
{
	void (*guest_code)(void *gva);
	u64 size;
	u64 length;		/* of each of the two instructions in bytes */
	u64 high;		/* bits of the GPA above those of TEST_GPA */
};

#define GUEST_MMIO(name, insns)						\
static void name(void *gva)						\
{									\
	u64 rax = TEST_DATA;						\
									\
	asm volatile(insns : "+a"(rax) : "D"(gva) : "memory");		\
	GUEST_SYNC1(rax);						\
}

GUEST_MMIO(guest_mmio_1, "movb %%al, (%1); movb (%1), %%al")
GUEST_MMIO(guest_mmio_2, "movw %%ax, (%1); movw (%1), %%ax")
GUEST_MMIO(guest_mmio_4, "movl %%eax, (%1); movl (%1), %%eax")
GUEST_MMIO(guest_mmio_8, "movq %%rax, (%1); movq (%1), %%rax")

FIXTURE_VARIANT_ADD(mmio_native, size_1) {
	.guest_code = guest_mmio_1, .size = 1, .length = 2,
};

FIXTURE_VARIANT_ADD(mmio_native, size_2) {
	.guest_code = guest_mmio_2, .size = 2, .length = 3,
};

FIXTURE_VARIANT_ADD(mmio_native, size_4) {
	.guest_code = guest_mmio_4, .size = 4, .length = 2,
};

FIXTURE_VARIANT_ADD(mmio_native, size_8) {
	.guest_code = guest_mmio_8, .size = 8, .length = 3,
};

/* Where a firmware puts devices, if a TD has 48 address bits. */
FIXTURE_VARIANT_ADD(mmio_native, high_address) {
	.guest_code = guest_mmio_4, .size = 4, .length = 2, .high = 0x380000000000,
};

#define TEST_OFFSET	0x128

FIXTURE_SETUP(mmio_native)
{
	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, variant->guest_code);
	tdx_ve_install_handler(self->vm);

	self->gva = vm_unused_gva_gap(self->vm, PAGE_SIZE, KVM_UTIL_MIN_VADDR);
	virt_map(self->vm, self->gva, TEST_GPA, 1);
	*vm_get_pte(self->vm, self->gva) |= SHARED | variant->high;
	self->gva += TEST_OFFSET;

	tdx_vcpu_args_set(self->vcpu, 1, self->gva);
	tdx_vm_finalize(self->vm);
}

TDX_FIXTURE_TEARDOWN(mmio_native);

/* Exit qualification of an EPT violation: a read or a write. */
#define EPT_QUAL_READ	BIT_ULL(0)
#define EPT_QUAL_WRITE	BIT_ULL(1)

TDX_TEST_F(mmio_native, write_and_read)
{
	const u64 size = variant->size, answer = ~TEST_DATA;
	struct tdx_ve_info ve = {
		.exit_reason = EXIT_REASON_EPT_VIOLATION,
		.exit_qualification = EPT_QUAL_WRITE,
		.gla = self->gva,
		.gpa = SHARED | variant->high | (TEST_GPA + TEST_OFFSET),
		.instruction_length = variant->length,
	};
	struct tdx_insn insn;
	u64 rax;

	if (!variant->high && tdx_leaks_page_tables())
		SKIP(return, TDX_LEAK_SKIP_REASON);

	tdx_ve_run(self->vcpu, "write", &ve);
	tdx_io_init(&insn, EXIT_REASON_EPT_VIOLATION, size, WRITE, ve.gpa, TEST_DATA);
	vcpu_run(self->vcpu);
	tdx_io_check_exit(self->vcpu, &insn);

	ve.exit_qualification = EPT_QUAL_READ;
	tdx_ve_run(self->vcpu, "read", &ve);
	tdx_io_init_read(&insn, EXIT_REASON_EPT_VIOLATION, size, ve.gpa, 0);
	vcpu_run(self->vcpu);
	tdx_io_check_exit(self->vcpu, &insn);
	tdx_io_answer(self->vcpu, &insn, answer);

	/* A write to AL or AX keeps the rest of RAX, a write to EAX clears it. */
	rax = tdx_io_low_bytes(answer, size);
	if (size < 4)
		rax |= TEST_DATA & ~tdx_io_low_bytes(~0ULL, size);
	tdx_ve_check_values(self->vcpu, "read", &rax, 1);
}

TDX_TEST_MAIN()
