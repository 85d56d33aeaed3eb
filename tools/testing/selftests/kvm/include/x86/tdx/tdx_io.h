/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Port I/O and MMIO of a TD: TDG.VP.VMCALL<Instruction.IO> and <MMIO>.  For both R12 is
 * the size in bytes, R13 the direction, R14 the port or the GPA, and R15 the data of a
 * write.  R11 returns what was read.  They exit to userspace unless KVM has a device of
 * its own.  A VM with a split irqchip has two kinds of these: ioeventfds and coalesced
 * writes.
 */
#ifndef SELFTEST_TDX_TDX_IO_H
#define SELFTEST_TDX_TDX_IO_H

#include "tdx/tdx_insn.h"

/* Returns the lowest @size bytes, 1 to 8, of @value. */
static inline u64 tdx_io_low_bytes(u64 value, u64 size)
{
	return value & GENMASK_ULL(size * 8 - 1, 0);
}

/*
 * Set up @insn as an access by @leaf, EXIT_REASON_IO_INSTRUCTION or
 * EXIT_REASON_EPT_VIOLATION, and expect the result of a write.
 */
void tdx_io_init(struct tdx_insn *insn, u64 leaf, u64 size, u64 direction, u64 addr, u64 data);

/* The same for a read that returns @value. */
void tdx_io_init_read(struct tdx_insn *insn, u64 leaf, u64 size, u64 addr, u64 value);

/*
 * Issue @insn, and check every field of its exit.  KVM must ignore bits that do not
 * count: the port above 16 bits, the shared bit of the GPA, and for MMIO the size and
 * the direction above 32 bits.
 */
void tdx_io_run_exit(struct kvm_vcpu *vcpu, struct tdx_insn *insn);

/* The check alone, after KVM_RUN. */
void tdx_io_check_exit(struct kvm_vcpu *vcpu, const struct tdx_insn *insn);

/* Answer a read with 8 bytes, of which KVM must take no more than the size. */
void tdx_io_answer(struct kvm_vcpu *vcpu, const struct tdx_insn *insn, u64 data);

/* One access of a list, and the device in KVM that completes it, or TDX_IO_USERSPACE. */
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

/* Let KVM count the writes that @event describes.  Sets @event->fd. */
void tdx_io_event_assign(struct kvm_vm *vm, struct tdx_io_event *event);

/* Remove @event from the bus.  Its count can still be read. */
void tdx_io_event_deassign(struct kvm_vm *vm, const struct tdx_io_event *event);

/* Returns the number of writes since the last call, and starts again from 0. */
u64 tdx_io_event_count(const struct tdx_io_event *event);

/* Run the accesses of @rows by @leaf.  @events are the devices: check their counts. */
void tdx_io_run_events(struct kvm_vcpu *vcpu, u64 leaf, const struct tdx_io_row *rows,
		       size_t nr_rows, const struct tdx_io_event *events, size_t nr_events);

/*
 * Run the accesses of @rows by @leaf in a VM whose only device is a zone of coalesced
 * writes, and check the entries of its ring.  Then run them with the ring full: all of
 * them go to userspace.
 */
void tdx_io_run_coalesced(struct kvm_vcpu *vcpu, u64 leaf, const struct tdx_io_row *rows,
			  size_t nr_rows);

#endif /* SELFTEST_TDX_TDX_IO_H */
