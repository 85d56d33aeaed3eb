/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The same TDG.VP.VMCALL with many masks in RCX, which say what registers it
 * shows to the VMM: the TD's side.
 */
#ifndef SELFTEST_TDX_TDVMCALL_MASK_H
#define SELFTEST_TDX_TDVMCALL_MASK_H

#include "kvm_util.h"
#include "tdx/td_boot.h"
#include "tdx/tdcall.h"

/*
 * A write to these words, which have no memory, tells which call comes: the one
 * that shows all with its mask, and then the one with the mask.
 */
#define TDVMCALL_MASK_ALL_SHOWN_GPA	TD_TDVMCALL_GPA
#define TDVMCALL_MASK_MASKED_GPA	(TD_TDVMCALL_GPA + 8)

/* The masks, and all registers of the calls. */
extern u64 tdvmcall_masks[];
extern u64 nr_tdvmcall_masks;
extern struct tdcall_regs tdvmcall_mask_regs;

/* Bit in a mask of the @i-th register of struct tdcall_regs. */
u64 tdvmcall_reg_bit(size_t i);

/* Add a mask to those that the TD is to try. */
void tdvmcall_mask_add(u64 mask);

/*
 * Add those legal masks that are boundaries, no register, one, all but one, all,
 * and a pseudo-random sample of the others, the same each time.
 */
void tdvmcall_mask_add_legal(void);

/*
 * Code of a TD.  For each mask, make the call that shows all registers, of which
 * those outside of the mask are 0, and then the call with the mask.  Check that
 * the latter left alone what is outside of the mask or no leaf's result, and that
 * the rest is as after the former.
 */
void tdvmcall_guest_compare_masks(void);

/*
 * Code of a TD.  Check that the TDX module refuses each mask by a status in RAX,
 * and then make one call that shows all registers.
 */
void tdvmcall_guest_refused_masks(void);

/* Create and finalize a TD that runs one of the above, with the masks so far. */
struct kvm_vm *tdvmcall_mask_vm_create(struct kvm_vcpu **vcpu, void *guest_code,
				       const struct tdcall_regs *regs);

#endif /* SELFTEST_TDX_TDVMCALL_MASK_H */
