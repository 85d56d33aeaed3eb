// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: machine code for a TD in 32-bit mode.
 */
#include <linux/bug.h>
#include <linux/string.h>

#include <asm/fpu/xcr.h>

#include "tests/sim_test_code.h"

void sim_test_code_put(struct sim_test_code *code, const void *bytes, unsigned int size)
{
	if (WARN_ON(size > sizeof(code->bytes) - code->size))
		return;
	memcpy(code->bytes + code->size, bytes, size);
	code->size += size;
}

void sim_test_code_mov(struct sim_test_code *code, enum sim_gpr gpr, u32 value)
{
	u8 opcode = 0xb8 + gpr;

	sim_test_code_put(code, &opcode, sizeof(opcode));
	sim_test_code_put(code, &value, sizeof(value));
}

void sim_test_code_store(struct sim_test_code *code, u32 address, u32 value)
{
	static const u8 mov_to_memory[] = { 0xc7, 0x05 };

	sim_test_code_put(code, mov_to_memory, sizeof(mov_to_memory));
	sim_test_code_put(code, &address, sizeof(address));
	sim_test_code_put(code, &value, sizeof(value));
}

void sim_test_code_set_cr4(struct sim_test_code *code, u32 value)
{
	static const u8 mov_to_cr4[] = { 0x0f, 0x22, 0xe0 };

	sim_test_code_mov(code, SIM_RAX, value);
	sim_test_code_put(code, mov_to_cr4, sizeof(mov_to_cr4));
}

void sim_test_code_set_xcr0(struct sim_test_code *code, u32 value)
{
	static const u8 xsetbv[] = { 0x0f, 0x01, 0xd1 };

	sim_test_code_mov(code, SIM_RCX, XCR_XFEATURE_ENABLED_MASK);
	sim_test_code_mov(code, SIM_RDX, 0);
	sim_test_code_mov(code, SIM_RAX, value);
	sim_test_code_put(code, xsetbv, sizeof(xsetbv));
}

void sim_test_code_end(struct sim_test_code *code)
{
	static const u8 ud2[] = { 0x0f, 0x0b };

	sim_test_code_put(code, ud2, sizeof(ud2));
}
