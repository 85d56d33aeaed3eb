/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The same TDG.VP.VMCALL with many masks in RCX, which select the registers that the
 * VMM sees: the side of the TD.
 */
#ifndef SELFTEST_TDX_TDVMCALL_MASK_H
#define SELFTEST_TDX_TDVMCALL_MASK_H

#include "kvm_util.h"
#include "tdx/td_boot.h"
#include "tdx/tdcall.h"

/*
 * A write to one of these words, which have no memory, announces a call with its mask:
 * first the call that shows all registers, then the one with the mask.
 */
#define TDVMCALL_MASK_ALL_SHOWN_GPA	TD_TDVMCALL_GPA
#define TDVMCALL_MASK_MASKED_GPA	(TD_TDVMCALL_GPA + 8)

/* The masks, and the registers of all calls. */
extern u64 tdvmcall_masks[];
extern u64 nr_tdvmcall_masks;
extern struct tdcall_regs tdvmcall_mask_regs;

/* Returns the bit in a mask of the @i-th register of struct tdcall_regs. */
u64 tdvmcall_reg_bit(size_t i);

/* Add a mask to those that the TD tries. */
void tdvmcall_mask_add(u64 mask);

/*
 * Add legal masks: the boundaries (no register, one, all but one, all), and a
 * pseudo-random sample of the others, which is the same each time.
 */
void tdvmcall_mask_add_legal(void);

/*
 * Code of a TD.  For each mask, issue the call that shows all registers, with 0 in
 * those outside of the mask, and then the call with the mask.  Check that the latter
 * has changed only registers that are in the mask and that a leaf may return, and that
 * these are as after the former.
 */
void tdvmcall_guest_compare_masks(void);

/*
 * Code of a TD.  Check that the TDX module refuses each mask by a status in RAX, and
 * then issue one call that shows all registers.
 */
void tdvmcall_guest_refused_masks(void);

/*
 * Create and finalize a TD that runs @guest_code, one of the above, with the masks
 * added so far.
 */
struct kvm_vm *tdvmcall_mask_vm_create(struct kvm_vcpu **vcpu, void *guest_code,
				       const struct tdcall_regs *regs);

#endif /* SELFTEST_TDX_TDVMCALL_MASK_H */
