/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Port I/O and MMIO of a TD: TDG.VP.VMCALL<Instruction.IO> and <MMIO>.  Both have
 * the size in R12, the direction in R13, the port or the GPA in R14 and the data
 * of a write in R15; what was read is in R11.  They exit to userspace unless KVM
 * has a device of its own, of which a VM with a split irqchip has two kinds:
 * ioeventfds and coalesced writes.
 */
#ifndef SELFTEST_TDX_IO_H
#define SELFTEST_TDX_IO_H

#include "tdx/tdx_insn.h"

/* Give the lowest @size bytes, 1 to 8, of @value. */
static inline u64 tdx_io_low_bytes(u64 value, u64 size)
{
	return value & GENMASK_ULL(size * 8 - 1, 0);
}

/*
 * Let @insn be the access by @leaf, EXIT_REASON_IO_INSTRUCTION or
 * EXIT_REASON_EPT_VIOLATION.  What is wanted is that of a write.
 */
void tdx_io_init(struct tdx_insn *insn, u64 leaf, u64 size, u64 direction, u64 addr, u64 data);

/* The same of a read that gives @value. */
void tdx_io_init_read(struct tdx_insn *insn, u64 leaf, u64 size, u64 addr, u64 value);

/*
 * Issue @insn, and check every field of its exit.  KVM has to drop what does not
 * count: the port above 16 bits, the GPA's shared bit, and the size and the
 * direction of MMIO above 32 bits.
 */
void tdx_io_run_exit(struct kvm_vcpu *vcpu, struct tdx_insn *insn);

/* The part of tdx_io_run_exit() after KVM_RUN. */
void tdx_io_check_exit(struct kvm_vcpu *vcpu, const struct tdx_insn *insn);

/* Answer a read, with 8 bytes of which no more than the size should count. */
void tdx_io_answer(struct kvm_vcpu *vcpu, const struct tdx_insn *insn, u64 data);

/* One access of a list, and what completes it: a device in KVM, or userspace. */
struct tdx_io_row {
	u64 size;
	u64 direction;
	u64 addr;
	u64 data;
	int device;
};

#define TDX_IO_USERSPACE	-1

/* Run the access of @row by @leaf.  Userspace answers a read with 0. */
void tdx_io_run_row(struct kvm_vcpu *vcpu, struct tdx_insn *insn, u64 leaf,
		    const struct tdx_io_row *row);

struct tdx_io_event {
	u64 addr;	/* port, or GPA without the shared bit */
	u32 len;	/* of the write in bytes, 0 for any */
	u32 flags;	/* KVM_IOEVENTFD_FLAG_PIO and _DATAMATCH */
	u64 datamatch;
	int fd;
};

/* Let KVM count the writes that @event describes; sets @event->fd. */
void tdx_io_event_assign(struct kvm_vm *vm, struct tdx_io_event *event);

/* Take @event from the bus.  The count is still to be had. */
void tdx_io_event_deassign(struct kvm_vm *vm, const struct tdx_io_event *event);

/* Give the number of writes since the last time, and start again from 0. */
u64 tdx_io_event_count(const struct tdx_io_event *event);

/* Run @rows of accesses by @leaf, whose devices are @events, and check their counts. */
void tdx_io_run_events(struct kvm_vcpu *vcpu, u64 leaf, const struct tdx_io_row *rows,
		       size_t nr_rows, const struct tdx_io_event *events, size_t nr_events);

/*
 * Run @rows of accesses by @leaf in a VM with a zone of coalesced writes, the only
 * device, and check the entries of its ring.  Then again with the ring full: all
 * of them are userspace's.
 */
void tdx_io_run_coalesced(struct kvm_vcpu *vcpu, u64 leaf, const struct tdx_io_row *rows,
			  size_t nr_rows);

#endif /* SELFTEST_TDX_IO_H */
