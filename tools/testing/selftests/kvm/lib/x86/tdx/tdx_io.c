// SPDX-License-Identifier: GPL-2.0-only
#include <sys/eventfd.h>

#include "processor.h"
#include "tdx/tdx_io.h"

/* A byte that KVM does not write to an entry of the ring here. */
#define POISON		0xc3

static bool is_pio(const struct tdx_insn *insn)
{
	return insn->in.r11 == EXIT_REASON_IO_INSTRUCTION;
}

static bool is_write(const struct tdx_insn *insn)
{
	return (u32)insn->in.r13 == TDX_IO_WRITE;
}

/* The size that KVM uses, for an access that it does not refuse. */
static u32 size_of(const struct tdx_insn *insn)
{
	return insn->in.r12;
}

static u64 addr_of(const struct tdx_insn *insn)
{
	return is_pio(insn) ? (u16)insn->in.r14 : insn->in.r14 & ~TDX_SHARED_BIT;
}

void tdx_io_init(struct tdx_insn *insn, u64 leaf, u64 size, u64 direction, u64 addr, u64 data)
{
	tdx_insn_init(insn, leaf, size, direction, addr, data,
		      "size 0x%lx, direction 0x%lx, address 0x%lx, data 0x%lx", size, direction,
		      addr, data);
}

void tdx_io_init_read(struct tdx_insn *insn, u64 leaf, u64 size, u64 addr, u64 value)
{
	/* R15 is for the data of a write: it must not show up in the result. */
	tdx_io_init(insn, leaf, size, TDX_IO_READ, addr, ~value);
	insn->out.r11 = value;
}

static void *exit_data(struct kvm_vcpu *vcpu, const struct tdx_insn *insn)
{
	return is_pio(insn) ? (void *)vcpu->run + KVM_PIO_PAGE_OFFSET * PAGE_SIZE :
			      vcpu->run->mmio.data;
}

static void check_pio(struct kvm_vcpu *vcpu, const struct tdx_insn *insn)
{
	const struct kvm_run *run = vcpu->run;

	tdx_insn_assert_exit(insn, "io.direction",
			     is_write(insn) ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN, run->io.direction);
	tdx_insn_assert_exit(insn, "io.size", size_of(insn), run->io.size);
	tdx_insn_assert_exit(insn, "io.port", addr_of(insn), run->io.port);
	tdx_insn_assert_exit(insn, "io.count", 1, run->io.count);
	tdx_insn_assert_exit(insn, "io.data_offset", KVM_PIO_PAGE_OFFSET * PAGE_SIZE,
			     run->io.data_offset);
}

static void check_mmio(struct kvm_vcpu *vcpu, const struct tdx_insn *insn)
{
	const struct kvm_run *run = vcpu->run;

	tdx_insn_assert_exit(insn, "mmio.phys_addr", addr_of(insn), run->mmio.phys_addr);
	tdx_insn_assert_exit(insn, "mmio.len", size_of(insn), run->mmio.len);
	tdx_insn_assert_exit(insn, "mmio.is_write", is_write(insn), run->mmio.is_write);
}

void tdx_io_check_exit(struct kvm_vcpu *vcpu, const struct tdx_insn *insn)
{
	const u32 size = size_of(insn);
	u64 data = 0;

	tdx_insn_assert_exit(insn, "exit_reason", is_pio(insn) ? KVM_EXIT_IO : KVM_EXIT_MMIO,
			     vcpu->run->exit_reason);
	if (is_pio(insn))
		check_pio(vcpu, insn);
	else
		check_mmio(vcpu, insn);

	memcpy(&data, exit_data(vcpu, insn), size);
	if (is_write(insn))
		tdx_insn_assert_exit(insn, "data", tdx_io_low_bytes(insn->in.r15, size), data);
	else if (is_pio(insn))
		/* If userspace does nothing the answer is 0. */
		tdx_insn_assert_exit(insn, "data", 0, data);
}

void tdx_io_run_exit(struct kvm_vcpu *vcpu, struct tdx_insn *insn)
{
	tdx_insn_run_exit(vcpu, insn, is_pio(insn) ? KVM_EXIT_IO : KVM_EXIT_MMIO);
	tdx_io_check_exit(vcpu, insn);
}

void tdx_io_answer(struct kvm_vcpu *vcpu, const struct tdx_insn *insn, u64 data)
{
	memcpy(exit_data(vcpu, insn), &data, sizeof(data));
}

void tdx_io_run_row(struct kvm_vcpu *vcpu, struct tdx_insn *insn, u64 leaf,
		    const struct tdx_io_row *row)
{
	if (row->direction == TDX_IO_READ)
		tdx_io_init_read(insn, leaf, row->size, row->addr, 0);
	else
		tdx_io_init(insn, leaf, row->size, row->direction, row->addr, row->data);

	if (row->device != TDX_IO_USERSPACE) {
		tdx_insn_run(vcpu, insn);
		return;
	}

	tdx_io_run_exit(vcpu, insn);
	if (!is_write(insn))
		tdx_io_answer(vcpu, insn, 0);
	tdx_insn_finish(vcpu, insn);
}

static void ioeventfd(struct kvm_vm *vm, const struct tdx_io_event *event, u32 flags)
{
	struct kvm_ioeventfd args = {
		.addr = event->addr,
		.len = event->len,
		.fd = event->fd,
		.flags = event->flags | flags,
		.datamatch = event->datamatch,
	};

	vm_ioctl(vm, KVM_IOEVENTFD, &args);
}

void tdx_io_event_assign(struct kvm_vm *vm, struct tdx_io_event *event)
{
	event->fd = eventfd(0, EFD_NONBLOCK);
	TEST_ASSERT(event->fd >= 0, __KVM_SYSCALL_ERROR("eventfd()", event->fd));
	ioeventfd(vm, event, 0);
}

void tdx_io_event_deassign(struct kvm_vm *vm, const struct tdx_io_event *event)
{
	ioeventfd(vm, event, KVM_IOEVENTFD_FLAG_DEASSIGN);
}

u64 tdx_io_event_count(const struct tdx_io_event *event)
{
	u64 count = 0;
	ssize_t r = read(event->fd, &count, sizeof(count));

	/* A count of 0 cannot be read. */
	TEST_ASSERT(r == sizeof(count) || (r == -1 && errno == EAGAIN),
		    __KVM_SYSCALL_ERROR("read()", (int)r));
	return count;
}

void tdx_io_run_events(struct kvm_vcpu *vcpu, u64 leaf, const struct tdx_io_row *rows,
		       size_t nr_rows, const struct tdx_io_event *events, size_t nr_events)
{
	struct tdx_insn insn;
	size_t i, j;

	for (i = 0; i < nr_rows; i++) {
		tdx_io_run_row(vcpu, &insn, leaf, &rows[i]);
		for (j = 0; j < nr_events; j++)
			tdx_assert_value(insn.name, "ioeventfd", j, "writes",
					 rows[i].device == (int)j,
					 tdx_io_event_count(&events[j]));
	}
}

static void check_entry(const struct tdx_insn *insn, const struct kvm_coalesced_mmio *entry)
{
	u64 data = 0;

	tdx_assert_value(insn->name, "entry", 0, "phys_addr", addr_of(insn),
			 entry->phys_addr);
	tdx_assert_value(insn->name, "entry", 0, "len", size_of(insn), entry->len);
	tdx_assert_value(insn->name, "entry", 0, "pio", is_pio(insn), entry->pio);

	memcpy(&data, entry->data, size_of(insn));
	tdx_assert_value(insn->name, "entry", 0, "data",
			 tdx_io_low_bytes(insn->in.r15, size_of(insn)), data);
}

void tdx_io_run_coalesced(struct kvm_vcpu *vcpu, u64 leaf, const struct tdx_io_row *rows,
			  size_t nr_rows)
{
	const u32 max = KVM_COALESCED_MMIO_MAX;
	struct kvm_coalesced_mmio_ring *ring =
		(void *)vcpu->run + kvm_check_cap(KVM_CAP_COALESCED_MMIO) * PAGE_SIZE;
	struct tdx_insn insn;
	u32 first;
	size_t i;

	TEST_ASSERT((void *)ring != vcpu->run, "KVM has no ring for coalesced writes");

	for (i = 0; i < nr_rows; i++) {
		/* Whatever the next entry contains after this was written by KVM. */
		first = READ_ONCE(ring->last);
		WRITE_ONCE(ring->first, first);
		memset(&ring->coalesced_mmio[first], POISON, sizeof(ring->coalesced_mmio[first]));

		tdx_io_run_row(vcpu, &insn, leaf, &rows[i]);
		tdx_assert_value(insn.name, "ring", 0, "last",
				 (first + (rows[i].device != TDX_IO_USERSPACE)) % max,
				 READ_ONCE(ring->last));
		if (rows[i].device != TDX_IO_USERSPACE)
			check_entry(&insn, &ring->coalesced_mmio[first]);
	}

	/* KVM leaves one entry free. */
	first = READ_ONCE(ring->last);
	WRITE_ONCE(ring->first, (first + 1) % max);

	for (i = 0; i < nr_rows; i++) {
		struct tdx_io_row row = rows[i];

		row.device = TDX_IO_USERSPACE;
		tdx_io_run_row(vcpu, &insn, leaf, &row);
		tdx_assert_value(insn.name, "full ring", 0, "last", first,
				 READ_ONCE(ring->last));
	}
}
