/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The last pages below 4 GiB of a TD's guest physical addresses.  They bring a vCPU to
 * 64-bit C code.  Every vCPU of a TD starts at 0xfffffff0, in 32-bit protected mode
 * without paging.
 */
#ifndef SELFTEST_TDX_TD_BOOT_H
#define SELFTEST_TDX_TD_BOOT_H

/* A write to this page, which has no memory, is a ucall: see tdx_ucall.c. */
#define TD_UCALL_GPA			0xffffd000
/*
 * Accesses to this page, which has no memory, pass the registers of the calls of
 * tdvmcall.c.
 */
#define TD_TDVMCALL_GPA			0xffffb000
#define TD_BOOT_PARAMETERS_GPA		0xffffe000
#define TD_BOOT_CODE_GPA		0xfffff000

/*
 * GPA at which a vCPU of a TD starts (TDX module ABI specification, "VCPU initial
 * state").
 */
#define TD_RESET_VECTOR			0xfffffff0

/* Memslot of the parameters and the code. */
#define TD_BOOT_SLOT			20

#define TD_BOOT_MAX_VCPUS		32
#define TD_BOOT_NR_ARGS			6

#ifndef __ASSEMBLER__

#include <linux/compiler.h>
#include <linux/types.h>

#include "kvm_util_types.h"

/* Operand of LGDT and LIDT in 32-bit mode. */
struct td_boot_dtr {
	u16 limit;
	u32 base;
} __packed;

/*
 * Each vCPU finds its entry by its index, which the TDX module leaves in RSI.  The
 * arguments are those of the C calling convention: RDI, RSI, RDX, RCX, R8, R9.
 */
struct td_boot_vcpu {
	u64 entry;
	u64 rsp;
	u64 args[TD_BOOT_NR_ARGS];
};

struct td_boot_parameters {
	u32 cr0;
	u32 cr3;
	u32 cr4;
	struct td_boot_dtr gdtr;
	struct td_boot_dtr idtr;
	struct td_boot_vcpu vcpus[TD_BOOT_MAX_VCPUS];
};

/* The assembled page for TD_BOOT_CODE_GPA. */
extern const u8 td_boot_page[];
extern const u8 td_boot_page_end[];

#endif /* !__ASSEMBLER__ */

#endif /* SELFTEST_TDX_TD_BOOT_H */
