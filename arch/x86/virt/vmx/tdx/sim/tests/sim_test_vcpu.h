/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit tests of the simulated TDX module: vCPUs that run, and their exits.
 */
#ifndef _X86_VIRT_TDX_SIM_TEST_VCPU_H
#define _X86_VIRT_TDX_SIM_TEST_VCPU_H

#include <asm/cpuid/api.h>

#include "tests/sim_test.h"
#include "vcpu/td_exit.h"

/* A field of a vCPU's VMCS. */
struct sim_test_field {
	u32 field;			/* 0 after the last one */
	u64 value;
};

#define SIM_TEST_FIELDS		3

/* An exit of a TD: what it is, GPRs in and out, and what the module made of it. */
struct sim_test_guest {
	u64 gpr[SIM_NR_GPRS];
	u32 reason;
	u64 qualification;
	u32 intr_info;
	struct sim_test_field set[SIM_TEST_FIELDS];	/* only for the exit */
	struct sim_test_field get[SIM_TEST_FIELDS];	/* as the exit left them */
	enum sim_action action;
	struct pt_regs regs;		/* SIM_TO_HOST: what the host sees */
	u32 skipped;			/* bytes that RIP moved on */
	struct sim_event event;		/* exception for the TD */
};

/*
 * An exit of the only vCPU of @td, which is in STAGE_RUNNABLE, on CPU 0; and the
 * same with a function in place of the table of exits.
 */
void sim_test_exit(struct kunit *test, struct sim_test_td *td, struct sim_test_guest *guest);
void sim_test_run_handler(struct kunit *test, struct sim_test_td *td, struct sim_test_guest *guest,
			  enum sim_action (*handler)(struct sim_exit *exit));

/*
 * A TDCALL of that vCPU; RAX of the TD, or of the host if the instruction is not
 * finished.
 */
u64 sim_test_tdcall(struct kunit *test, struct sim_test_td *td, u64 rax,
		    struct sim_test_guest *guest);

/* Where a vCPU starts, and the family, model and stepping of every TD. */
#define SIM_TEST_RESET_VECTOR	0xfffffff0ULL
#define SIM_TEST_FMS		cpuid_eax(1)

/*
 * A TD with @xfam in STAGE_RUNNABLE, whose page at the reset vector holds @code,
 * or that has no page if @code is NULL.  Code of more than 16 bytes is at the
 * beginning of that page.
 */
struct sim_test_td *sim_test_td_with_code(struct kunit *test, u64 xfam, const u8 *code,
					  size_t size);

/* RAX of TDH.VP.ENTER for it; interrupts of the host are dealt with. */
u64 sim_test_enter(struct kunit *test, struct sim_test_td *td, struct pt_regs *regs);

/*
 * What the host does immediately before TDH.VP.ENTER and after it, with interrupts off,
 * each time that an interrupt of the host has ended the call.
 */
struct sim_test_around {
	void (*before)(void *data);
	void (*after)(void *data);
	void *data;
};

u64 sim_test_enter_around(struct kunit *test, struct sim_test_td *td, struct pt_regs *regs,
			  const struct sim_test_around *around);

#endif /* _X86_VIRT_TDX_SIM_TEST_VCPU_H */
