// SPDX-License-Identifier: GPL-2.0-only
/*
 * ucall of a TD.  The host can read neither its registers nor its memory.  So the TD
 * writes its struct ucall, 8 bytes at a time, by TDG.VP.VMCALL<MMIO> to the page at
 * TD_UCALL_GPA, which has the layout of that struct.  To the last member it writes the
 * argument of the ucall.  The host sees KVM_EXIT_MMIO and fills in its own copy of the
 * struct, whose address is that argument.
 */
#include "kvm_util.h"
#include "ucall_common.h"
#include "tdx/td_boot.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_util.h"

/* Arguments that are not pointers: of GUEST_UCALL_NONE(), and of an empty pool. */
#define IS_UCALL_STRUCT(uc)	((uc) && (uc) != (u64)-1)

#define UCALL_DOORBELL		offsetof(struct ucall, hva)

kvm_static_assert(UCALL_DOORBELL + sizeof(u64) == sizeof(struct ucall));
kvm_static_assert(UCALL_DOORBELL % sizeof(u64) == 0);
kvm_static_assert(sizeof(struct ucall) <= PAGE_SIZE);

bool is_tdx_guest;

static void ucall_write(size_t offset, u64 data)
{
	tdvmcall_mmio_write(TDX_SHARED_BIT | (TD_UCALL_GPA + offset), data);
}

void tdx_do_ucall(u64 hva)
{
	const struct ucall *uc;
	const u64 *words;
	size_t size, i;

	if (IS_UCALL_STRUCT(hva)) {
		uc = guest_ucall(hva);
		words = (void *)uc;

		/* Other ucalls do not use the buffer. */
		size = offsetof(struct ucall, buffer);
		if (uc->cmd == UCALL_ABORT || uc->cmd == UCALL_PRINTF)
			size += strnlen(uc->buffer, UCALL_BUFFER_LEN - 1) + 1;

		for (i = 0; i * sizeof(u64) < size; i++)
			ucall_write(i * sizeof(u64), READ_ONCE(words[i]));
	}

	ucall_write(UCALL_DOORBELL, hva);
}

/*
 * Returns the offset of the write to a struct ucall that @run shows, -1 if there is
 * none.
 */
static long ucall_offset(struct kvm_run *run)
{
	u64 offset = run->mmio.phys_addr - TD_UCALL_GPA;

	if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write ||
	    run->mmio.len != sizeof(u64) || offset > UCALL_DOORBELL)
		return -1;

	return offset;
}

void *tdx_get_ucall(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct ucall copy = {};
	long offset = ucall_offset(run);
	bool copied = false;
	u64 uc;
	int r;

	if (offset < 0)
		return NULL;

	while (offset != UCALL_DOORBELL) {
		memcpy((void *)&copy + offset, run->mmio.data, sizeof(u64));
		copied = true;

		do {
			r = __vcpu_run(vcpu);
		} while (r == -1 && errno == EINTR);
		TEST_ASSERT(!r, KVM_IOCTL_ERROR(KVM_RUN, r));

		offset = ucall_offset(run);
		TEST_ASSERT(offset >= 0, "vCPU %u left a ucall unfinished: %s",
			    vcpu->id, exit_reason_str(run->exit_reason));
	}

	/*
	 * The caller may look at the doorbell again: the struct is copied the first
	 * time.
	 */
	memcpy(&uc, run->mmio.data, sizeof(uc));
	if (copied && IS_UCALL_STRUCT(uc)) {
		copy.hva = (void *)uc;
		memcpy((void *)uc, &copy, sizeof(copy));
	}

	return (void *)uc;
}

void tdx_vcpu_run_to_ucall(struct kvm_vcpu *vcpu, u64 cmd, struct ucall *uc)
{
	vcpu_run(vcpu);

	TEST_ASSERT(get_ucall(vcpu, uc) == cmd, "wanted ucall %lu, got %lu, %s", cmd,
		    uc->cmd, exit_reason_str(vcpu->run->exit_reason));
}
