// SPDX-License-Identifier: GPL-2.0-only
#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdvmcall_mask.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_util.h"

/* Masks: none, all, one, all but one, and a sample of the others. */
#define NR_SHOWN	12
#define NR_SAMPLES	64
#define MAX_MASKS	(2 + 2 * NR_SHOWN + NR_SAMPLES)
#define SAMPLE_SEED	0x7d5eed7d5eed0001ULL

/* Registers that no leaf returns a result in. */
#define NO_RESULTS	(GENMASK_ULL(9, 6) | GENMASK_ULL(3, 2))

u64 tdvmcall_masks[MAX_MASKS];
u64 nr_tdvmcall_masks;
struct tdcall_regs tdvmcall_mask_regs;

/* RSP is not in struct tdcall_regs. */
u64 tdvmcall_reg_bit(size_t i)
{
	return BIT_ULL(i < 4 ? i : i + 1);
}

static void guest_tell(u64 gpa, u64 mask)
{
	tdvmcall_mmio_write(TDX_SHARED_BIT | gpa, mask);
}

static void guest_check(const char *what, u64 mask, const struct tdcall_regs *want,
			const struct tdcall_regs *got)
{
	const u64 *w = (const u64 *)want, *g = (const u64 *)got;
	size_t i;

	for (i = 0; i < NR_TDCALL_REGS; i++)
		__GUEST_ASSERT(w[i] == g[i], "%s 0x%lx: %s: wanted 0x%lx, got 0x%lx", what,
			       mask, tdvmcall_reg_names[i], w[i], g[i]);
}

void tdvmcall_guest_compare_masks(void)
{
	size_t i, j;

	for (i = 0; i < READ_ONCE(nr_tdvmcall_masks); i++) {
		struct tdcall_regs all = tdvmcall_mask_regs;
		struct tdcall_regs masked = tdvmcall_mask_regs;
		struct tdcall_regs want = tdvmcall_mask_regs;
		u64 *a = (u64 *)&all, *w = (u64 *)&want;
		u64 mask = tdvmcall_masks[i];

		for (j = 0; j < NR_TDCALL_REGS; j++) {
			if (TDVMCALL_EXPOSE_REGS_MASK & ~mask & tdvmcall_reg_bit(j))
				a[j] = 0;
		}

		guest_tell(TDVMCALL_MASK_ALL_SHOWN_GPA, mask);
		all.rcx = TDVMCALL_EXPOSE_REGS_MASK;
		tdcall_execute(&all);

		guest_tell(TDVMCALL_MASK_MASKED_GPA, mask);
		masked.rcx = mask;
		tdcall_execute(&masked);

		for (j = 0; j < NR_TDCALL_REGS; j++) {
			if (mask & ~NO_RESULTS & tdvmcall_reg_bit(j))
				w[j] = a[j];
		}
		want.rax = 0;
		want.rcx = mask;
		guest_check("mask", mask, &want, &masked);
	}

	GUEST_DONE();
}

/* Masks that the TDX module refuses. */
void tdvmcall_guest_refused_masks(void)
{
	struct tdcall_regs regs;
	size_t i;

	for (i = 0; i < READ_ONCE(nr_tdvmcall_masks); i++) {
		struct tdcall_regs want = tdvmcall_mask_regs;

		regs = tdvmcall_mask_regs;
		regs.rcx = tdvmcall_masks[i];
		tdcall_execute(&regs);

		want.rax = TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX;
		want.rcx = tdvmcall_masks[i];
		guest_check("refused mask", tdvmcall_masks[i], &want, &regs);
	}

	regs = tdvmcall_mask_regs;
	tdcall_execute(&regs);
	guest_check("mask", TDVMCALL_EXPOSE_REGS_MASK, &tdvmcall_mask_regs, &regs);
	GUEST_DONE();
}

void tdvmcall_mask_add(u64 mask)
{
	TEST_ASSERT(nr_tdvmcall_masks < MAX_MASKS, "No room for another mask");
	tdvmcall_masks[nr_tdvmcall_masks++] = mask;
}

static u64 next_sample(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

void tdvmcall_mask_add_legal(void)
{
	u64 state = SAMPLE_SEED, mask;
	int i;

	tdvmcall_mask_add(0);
	tdvmcall_mask_add(TDVMCALL_EXPOSE_REGS_MASK);

	for (i = 0; i < 64; i++) {
		if (TDVMCALL_EXPOSE_REGS_MASK & BIT_ULL(i)) {
			tdvmcall_mask_add(BIT_ULL(i));
			tdvmcall_mask_add(TDVMCALL_EXPOSE_REGS_MASK & ~BIT_ULL(i));
		}
	}

	/* Half of them show the leaf.  Without it all leafs are the same call. */
	for (i = 0; i < NR_SAMPLES; i++) {
		mask = next_sample(&state) & TDVMCALL_EXPOSE_REGS_MASK;
		tdvmcall_mask_add(i % 2 ? mask : mask | BIT_ULL(10) | BIT_ULL(11));
	}
}

struct kvm_vm *tdvmcall_mask_vm_create(struct kvm_vcpu **vcpu, void *guest_code,
				       const struct tdcall_regs *regs)
{
	struct kvm_vm *vm = tdx_vm_create(1);

	*vcpu = tdx_vcpu_add(vm, 0, guest_code);
	tdvmcall_mask_regs = *regs;
	sync_global_to_guest(vm, tdvmcall_mask_regs);
	sync_global_to_guest(vm, tdvmcall_masks);
	sync_global_to_guest(vm, nr_tdvmcall_masks);
	tdx_vm_finalize(vm);
	return vm;
}
