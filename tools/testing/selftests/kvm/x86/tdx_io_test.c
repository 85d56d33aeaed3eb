// SPDX-License-Identifier: GPL-2.0-only
/*
 * TDG.VP.VMCALL<Instruction.IO>: port I/O of a TD.  KVM looks for a device of its own.
 * If there is none it exits with KVM_EXIT_IO.
 */
#include "kvm_util.h"
#include "processor.h"
#include "vmx.h"
#include "tdx/tdx_io.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_ve.h"

#define TEST_PORT	0x5a10
#define IN		TDX_IO_READ
#define OUT		TDX_IO_WRITE

/* All bytes differ. */
#define TEST_DATA	0x1122334455667788ULL

#define BIT_32		BIT_ULL(32)

static const u64 sizes[] = { 1, 2, 4 };

TDX_FIXTURE(io);
TDX_FIXTURE_SETUP(io, tdvmcall_vm_create);

static void run_refused(struct kvm_vcpu *vcpu, u64 size, u64 direction)
{
	struct tdx_insn insn;

	tdx_io_init(&insn, EXIT_REASON_IO_INSTRUCTION, size, direction, TEST_PORT, TEST_DATA);
	tdx_insn_refused(&insn);
	tdx_insn_run(vcpu, &insn);
}

/* All 64 bits count, unlike for MMIO. */
TDX_TEST_F(io, size_refused)
{
	static const u64 bad[] = {
		0, 3, 5, 6, 7, 8, 16, 0x101, 0x10001, BIT_32, BIT_32 | 1, BIT_32 | 4,
		BIT_ULL(63) | 1, ~0ULL,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		run_refused(self->vcpu, bad[i], IN);
		run_refused(self->vcpu, bad[i], OUT);
	}
}

TDX_TEST_F(io, direction_refused)
{
	static const u64 bad[] = {
		2, 3, 0x100, 0x10001, BIT_32, BIT_32 | OUT, BIT_ULL(63), BIT_ULL(63) | OUT,
		~0ULL,
	};
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		for (j = 0; j < ARRAY_SIZE(sizes); j++)
			run_refused(self->vcpu, sizes[j], bad[i]);
	}
}

/* An access that KVM refuses does not reach a device of its own either. */
TDX_TEST_F(io, refused_before_device)
{
	struct tdx_io_event event = { .addr = TEST_PORT, .flags = KVM_IOEVENTFD_FLAG_PIO };

	tdx_io_event_assign(self->vm, &event);

	run_refused(self->vcpu, 8, OUT);
	run_refused(self->vcpu, BIT_32 | 4, OUT);
	run_refused(self->vcpu, 4, 2);
	run_refused(self->vcpu, 8, 2);

	tdx_assert_value("refused", "ioeventfd", 0, "writes", 0, tdx_io_event_count(&event));
}

/* An OUT returns nothing, whatever userspace leaves in place of the data. */
TDX_TEST_F(io, out)
{
	static const u64 data[] = { 0, 0xab, TEST_DATA, ~0ULL, BIT_ULL(31), ~BIT_ULL(31) };
	struct tdx_insn insn;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < ARRAY_SIZE(data); j++) {
			tdx_io_init(&insn, EXIT_REASON_IO_INSTRUCTION, sizes[i], OUT, TEST_PORT,
				    data[j]);
			tdx_io_run_exit(self->vcpu, &insn);
			tdx_io_answer(self->vcpu, &insn, ~data[j]);
			tdx_insn_finish(self->vcpu, &insn);
		}
	}
}

/* The answer is zero-extended, not merged into a register as by a native IN. */
TDX_TEST_F(io, in)
{
	static const u64 answers[] = { 0, 0xab, TEST_DATA, ~0ULL, BIT_ULL(31), ~BIT_ULL(31) };
	struct tdx_insn insn;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < ARRAY_SIZE(answers); j++) {
			tdx_io_init_read(&insn, EXIT_REASON_IO_INSTRUCTION, sizes[i], TEST_PORT,
					 tdx_io_low_bytes(answers[j], sizes[i]));
			tdx_io_run_exit(self->vcpu, &insn);
			tdx_io_answer(self->vcpu, &insn, answers[j]);
			tdx_insn_finish(self->vcpu, &insn);
		}
	}
}

/* A byte to a port, and the same byte back. */
TDX_TEST_F(io, out_and_in)
{
	struct tdx_insn insn;
	u8 data;

	tdx_io_init(&insn, EXIT_REASON_IO_INSTRUCTION, 1, OUT, TEST_PORT, 0xab);
	tdx_io_run_exit(self->vcpu, &insn);
	data = *((u8 *)self->vcpu->run + self->vcpu->run->io.data_offset);
	tdx_insn_finish(self->vcpu, &insn);

	tdx_io_init_read(&insn, EXIT_REASON_IO_INSTRUCTION, 1, TEST_PORT, 0xab);
	tdx_io_run_exit(self->vcpu, &insn);
	tdx_io_answer(self->vcpu, &insn, data);
	tdx_insn_finish(self->vcpu, &insn);
}

/* KVM takes the low 16 bits of R14 as the port, and ignores the others. */
TDX_TEST_F(io, port)
{
	/* KVM has a quirk for OUT to 0x7e, which does not apply to TDs. */
	static const u64 ports[] = {
		0, 1, 0x7e, 0xcf8, 0x7fff, 0xffff, 0x10000, 0x10000 | TEST_PORT,
		BIT_32 | TEST_PORT, BIT_ULL(63) | TEST_PORT, ~0ULL,
	};
	struct tdx_insn insn;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ports); i++) {
		tdx_io_init(&insn, EXIT_REASON_IO_INSTRUCTION, 4, OUT, ports[i], TEST_DATA);
		tdx_io_run_exit(self->vcpu, &insn);
		tdx_insn_finish(self->vcpu, &insn);

		tdx_io_init_read(&insn, EXIT_REASON_IO_INSTRUCTION, 4, ports[i], 0x5aa50ff0);
		tdx_io_run_exit(self->vcpu, &insn);
		tdx_io_answer(self->vcpu, &insn, 0x5aa50ff0);
		tdx_insn_finish(self->vcpu, &insn);
	}
}

/* tdx_io_run_exit() has checked the data that userspace leaves unchanged here. */
TDX_TEST_F(io, default_answer)
{
	struct tdx_insn insn;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		tdx_io_init_read(&insn, EXIT_REASON_IO_INSTRUCTION, sizes[i], TEST_PORT, 0);
		tdx_io_run_exit(self->vcpu, &insn);
		tdx_insn_finish(self->vcpu, &insn);
	}
}

/* Only the data is the answer: KVM remembers the request. */
TDX_TEST_F(io, edited_exit)
{
	struct kvm_run *run = self->vcpu->run;
	struct tdx_insn insn;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		tdx_io_init_read(&insn, EXIT_REASON_IO_INSTRUCTION, sizes[i], TEST_PORT,
				 tdx_io_low_bytes(TEST_DATA, sizes[i]));
		tdx_io_run_exit(self->vcpu, &insn);

		tdx_io_answer(self->vcpu, &insn, TEST_DATA);
		run->exit_reason = KVM_EXIT_MMIO;
		run->io.direction = KVM_EXIT_IO_OUT;
		run->io.size = sizes[i] == 1 ? 4 : 1;
		run->io.port = (u16)~TEST_PORT;
		run->io.count = 2;
		run->io.data_offset = 0;
		tdx_insn_finish(self->vcpu, &insn);
	}
}

TDX_TEST_F(io, immediate_exit)
{
	struct tdx_insn insn;

	tdx_io_init_read(&insn, EXIT_REASON_IO_INSTRUCTION, 4, TEST_PORT,
			 tdx_io_low_bytes(TEST_DATA, 4));
	tdx_io_run_exit(self->vcpu, &insn);
	tdx_io_answer(self->vcpu, &insn, TEST_DATA);
	tdx_insn_interrupt(self->vcpu, &insn);
	tdx_io_answer(self->vcpu, &insn, ~TEST_DATA);
	tdx_insn_finish(self->vcpu, &insn);

	tdx_io_init(&insn, EXIT_REASON_IO_INSTRUCTION, 4, OUT, TEST_PORT, TEST_DATA);
	tdx_io_run_exit(self->vcpu, &insn);
	tdx_insn_interrupt(self->vcpu, &insn);
	tdx_insn_finish(self->vcpu, &insn);
}

TDX_TEST_F(io, ioeventfd)
{
	enum { ANY_DATA, ONE_BYTE, ANY_SIZE };
	struct tdx_io_event events[] = {
		[ANY_DATA] = { .addr = TEST_PORT, .len = 4 },
		[ONE_BYTE] = {
			.addr = TEST_PORT + 8, .len = 1, .datamatch = 0x12,
			.flags = KVM_IOEVENTFD_FLAG_DATAMATCH,
		},
		[ANY_SIZE] = { .addr = TEST_PORT + 16 },
	};
	static const struct tdx_io_row rows[] = {
		{ 4, OUT, TEST_PORT, TEST_DATA, ANY_DATA },
		{ 4, OUT, 0x10000 | TEST_PORT, 0, ANY_DATA },
		{ 4, OUT, BIT_32 | TEST_PORT, 0, ANY_DATA },
		{ 4, IN, TEST_PORT, 0, TDX_IO_USERSPACE },
		{ 2, OUT, TEST_PORT, TEST_DATA, TDX_IO_USERSPACE },
		{ 4, OUT, TEST_PORT + 1, TEST_DATA, TDX_IO_USERSPACE },
		{ 1, OUT, TEST_PORT + 8, 0x12, ONE_BYTE },
		/* Only as much data as the size is compared. */
		{ 1, OUT, TEST_PORT + 8, 0xffffffffffffff12, ONE_BYTE },
		{ 1, OUT, TEST_PORT + 8, 0x13, TDX_IO_USERSPACE },
		{ 2, OUT, TEST_PORT + 8, 0x12, TDX_IO_USERSPACE },
		{ 1, OUT, TEST_PORT + 16, 0, ANY_SIZE },
		{ 2, OUT, TEST_PORT + 16, ~0ULL, ANY_SIZE },
		{ 4, OUT, TEST_PORT + 16, TEST_DATA, ANY_SIZE },
	};
	static const struct tdx_io_row deassigned[] = {
		{ 4, OUT, TEST_PORT, TEST_DATA, TDX_IO_USERSPACE },
		{ 4, OUT, TEST_PORT + 16, TEST_DATA, ANY_SIZE },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(events); i++) {
		events[i].flags |= KVM_IOEVENTFD_FLAG_PIO;
		tdx_io_event_assign(self->vm, &events[i]);
	}

	tdx_io_run_events(self->vcpu, EXIT_REASON_IO_INSTRUCTION, rows, ARRAY_SIZE(rows), events,
			  ARRAY_SIZE(events));
	tdx_io_event_deassign(self->vm, &events[ANY_DATA]);
	tdx_io_run_events(self->vcpu, EXIT_REASON_IO_INSTRUCTION, deassigned,
			  ARRAY_SIZE(deassigned), events, ARRAY_SIZE(events));
}

TDX_TEST_F(io, coalesced)
{
	enum { IN_RING };
	static const struct tdx_io_row rows[] = {
		{ 1, OUT, TEST_PORT, TEST_DATA, IN_RING },
		{ 2, OUT, TEST_PORT + 2, TEST_DATA, IN_RING },
		{ 4, OUT, TEST_PORT + 4, TEST_DATA, IN_RING },
		{ 4, OUT, 0x10000 | (TEST_PORT + 4), ~TEST_DATA, IN_RING },
		{ 4, OUT, BIT_32 | (TEST_PORT + 4), ~TEST_DATA, IN_RING },
		{ 4, OUT, TEST_PORT + 5, TEST_DATA, TDX_IO_USERSPACE },
		{ 1, OUT, TEST_PORT - 1, TEST_DATA, TDX_IO_USERSPACE },
		{ 4, IN, TEST_PORT, 0, TDX_IO_USERSPACE },
	};

	kvm_vm_register_coalesced_io(self->vm, TEST_PORT, 8, true);
	tdx_io_run_coalesced(self->vcpu, EXIT_REASON_IO_INSTRUCTION, rows, ARRAY_SIZE(rows));
}

/*
 * The instructions raise #VE, whose handler in the TD issues the hypercall.  Of the
 * instructions with a port in DX only those of 2 bytes have a prefix.
 */
TDX_FIXTURE(io_native);

FIXTURE_VARIANT(io_native)
{
	void (*guest_code)(void);
	u64 size;
};

#define GUEST_IO(name, insns)						\
static void name(void)							\
{									\
	u64 rax = TEST_DATA;						\
									\
	asm volatile(insns : "+a"(rax) : "d"(TEST_PORT));		\
	GUEST_SYNC1(rax);						\
}

GUEST_IO(guest_io_1, "outb %%al, %%dx; inb %%dx, %%al")
GUEST_IO(guest_io_2, "outw %%ax, %%dx; inw %%dx, %%ax")
GUEST_IO(guest_io_4, "outl %%eax, %%dx; inl %%dx, %%eax")

FIXTURE_VARIANT_ADD(io_native, size_1) { .guest_code = guest_io_1, .size = 1 };
FIXTURE_VARIANT_ADD(io_native, size_2) { .guest_code = guest_io_2, .size = 2 };
FIXTURE_VARIANT_ADD(io_native, size_4) { .guest_code = guest_io_4, .size = 4 };

FIXTURE_SETUP(io_native)
{
	self->vm = tdx_vm_create(1);
	self->vcpu = tdx_vcpu_add(self->vm, 0, variant->guest_code);
	tdx_ve_install_handler(self->vm);
	tdx_vm_finalize(self->vm);
}

/* Exit qualification ("I/O Instructions", Intel SDM), with the port from DX. */
#define IO_QUALIFICATION(size, in)	((u64)TEST_PORT << 16 | (in) << 3 | ((size) - 1))

TDX_TEST_F(io_native, out_and_in)
{
	const u64 size = variant->size, answer = ~TEST_DATA;
	struct tdx_ve_info ve = {
		.exit_reason = EXIT_REASON_IO_INSTRUCTION,
		.exit_qualification = IO_QUALIFICATION(size, 0),
		.instruction_length = size == 2 ? 2 : 1,
	};
	struct tdx_insn insn;
	u64 rax;

	tdx_ve_run(self->vcpu, "OUT", &ve);
	tdx_io_init(&insn, EXIT_REASON_IO_INSTRUCTION, size, OUT, TEST_PORT, TEST_DATA);
	vcpu_run(self->vcpu);
	tdx_io_check_exit(self->vcpu, &insn);

	ve.exit_qualification = IO_QUALIFICATION(size, 1);
	tdx_ve_run(self->vcpu, "IN", &ve);
	tdx_io_init_read(&insn, EXIT_REASON_IO_INSTRUCTION, size, TEST_PORT, 0);
	vcpu_run(self->vcpu);
	tdx_io_check_exit(self->vcpu, &insn);
	tdx_io_answer(self->vcpu, &insn, answer);

	/* A write to AL or AX keeps the rest of RAX, a write to EAX clears it. */
	rax = tdx_io_low_bytes(answer, size);
	if (size != 4)
		rax |= TEST_DATA & ~tdx_io_low_bytes(~0ULL, size);
	tdx_ve_check_values(self->vcpu, "IN", &rax, 1);
}

TDX_TEST_MAIN()
