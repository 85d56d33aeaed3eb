/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit tests of the simulated TDX module: machine code for a TD in 32-bit mode.
 */
#ifndef _X86_VIRT_TDX_SIM_TEST_CODE_H
#define _X86_VIRT_TDX_SIM_TEST_CODE_H

#include <linux/types.h>

#include "state/vcpu.h"

#define SIM_TEST_MAX_CODE	128	/* bytes */

/* Starts empty, and grows by each call below. */
struct sim_test_code {
	u8 bytes[SIM_TEST_MAX_CODE];
	unsigned int size;
};

/* Append @size bytes of machine code. */
void sim_test_code_put(struct sim_test_code *code, const void *bytes, unsigned int size);

/* Append MOV of @value to @gpr, one of SIM_RAX to SIM_RDI. */
void sim_test_code_mov(struct sim_test_code *code, enum sim_gpr gpr, u32 value);

/* Append MOV of @value to the four bytes at the linear address @address. */
void sim_test_code_store(struct sim_test_code *code, u32 address, u32 value);

/* Append MOV of @value to CR4; changes EAX. */
void sim_test_code_set_cr4(struct sim_test_code *code, u32 value);

/* Append XSETBV of @value to XCR0, for which CR4.OSXSAVE must be 1; changes EAX, ECX, EDX. */
void sim_test_code_set_xcr0(struct sim_test_code *code, u32 value);

/* Append UD2, which ends a TD without an IDT by a triple fault. */
void sim_test_code_end(struct sim_test_code *code);

#endif /* _X86_VIRT_TDX_SIM_TEST_CODE_H */
