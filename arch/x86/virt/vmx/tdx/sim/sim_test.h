/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit tests of the simulated TDX module: what the test files share.
 */
#ifndef _X86_VIRT_TDX_SIM_TEST_H
#define _X86_VIRT_TDX_SIM_TEST_H

#include <kunit/test.h>

#include "tdg.h"

/* States of a TD in the order in which sim_test_td_advance() goes through them. */
enum sim_test_stage {
	STAGE_CREATED,		/* TDR, HKID_ASSIGNED */
	STAGE_KEYED,		/* KEYS_CONFIGURED, no TDCX page */
	STAGE_PAGES,		/* all TDCX pages */
	STAGE_INIT,		/* INITIALIZED, no vCPU */
	STAGE_RUNNABLE,		/* one vCPU, finalized */
	STAGE_BLOCKED,		/* vCPU flushed, VPFLUSHDONE */
	STAGE_TEARDOWN,		/* caches written back, KeyID free */
	STAGE_NR,
};

#define SIM_TEST_MAX_PAGES	32

/* What TDH.VP.INIT of a test's vCPU is given for the guest's RCX. */
#define SIM_TEST_INITIAL_RCX	0x1234567890ULL

struct sim_test_td {
	struct kunit *test;
	enum sim_test_stage stage;
	u64 tdr;
	u64 tdcx[TDX_TDCS_PAGES];
	u64 tdvpr;
	u64 tdvps[SIM_TDVPS_NR];
	u64 params;		/* TD_PARAMS, host memory */
	u64 page[SIM_TEST_MAX_PAGES];	/* of the TD, to be reclaimed with it */
	int nr_pages;
};

/* Suite init function: without a module that is ready there is nothing to call. */
int sim_test_init(struct kunit *test);

/* Zeroed host page for the time of @test; its physical address. */
u64 sim_test_page(struct kunit *test);

/* RAX of a SEAMCALL on CPU 0; @regs holds the operands, and then the output. */
u64 sim_test_seamcall(u64 rax, struct pt_regs *regs);

/* The same on CPU @cpu. */
u64 sim_test_seamcall_on(int cpu, u64 rax, struct pt_regs *regs);

/* The same with operands in the order of their use, without output. */
u64 sim_test_call(u64 rax, u64 rcx, u64 rdx, u64 r8, u64 r9);

/* The same on one CPU of every package; a package that is done is no error. */
u64 sim_test_call_packages(u64 rax, u64 rcx);

/* Fail @test unless @got is @want; the message names both, and @what. */
void sim_test_expect(struct kunit *test, const char *what, u64 want, u64 got);

/* The same, and end the test. */
void sim_test_assert(struct kunit *test, const char *what, u64 want, u64 got);

/* TD_PARAMS that the module accepts. */
void sim_test_params(struct td_params *params);

/*
 * A TD in STAGE_CREATED, with the last KeyID: KVM takes the first ones.  It is
 * torn down at the end of @test, from whatever stage it is in then.
 */
struct sim_test_td *sim_test_td_create(struct kunit *test);
void sim_test_td_advance(struct kunit *test, struct sim_test_td *td,
			 enum sim_test_stage stage);

/* A TDCALL: GPRs in and out, and what it was to the module. */
struct sim_test_guest {
	u64 gpr[SIM_NR_GPRS];
	enum sim_action action;
	struct pt_regs regs;		/* SIM_TO_HOST: what the host sees */
	u32 skipped;			/* bytes that RIP moved on */
	struct sim_event event;		/* exception for the TD */
};

/*
 * RAX of a TDCALL of the only vCPU of @td, which is in STAGE_RUNNABLE, on CPU 0.
 * That of the host if the instruction is not through.
 */
u64 sim_test_tdcall(struct kunit *test, struct sim_test_td *td, u64 rax,
		    struct sim_test_guest *guest);

/* RAX of TDH.VP.ENTER for it; interrupts of the host are none of the test's. */
u64 sim_test_enter(struct kunit *test, struct sim_test_td *td, struct pt_regs *regs);

/*
 * Map the private @gpa: TDH.MEM.PAGE.ADD of the host page @source, or
 * TDH.MEM.PAGE.AUG if that is 0.  Gives the page's physical address.
 */
u64 sim_test_map(struct kunit *test, struct sim_test_td *td, u64 gpa, u64 source);

/* A page for the use of @td, which is reclaimed with it. */
u64 sim_test_td_page(struct kunit *test, struct sim_test_td *td);

#endif /* _X86_VIRT_TDX_SIM_TEST_H */
