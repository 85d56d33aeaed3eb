/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit tests of the simulated TDX module: what the test files share.
 */
#ifndef _X86_VIRT_TDX_SIM_TEST_H
#define _X86_VIRT_TDX_SIM_TEST_H

#include <kunit/test.h>

#include "tdg.h"

struct sim_names;

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
	u64 huge_page;			/* the same of 2 MiB, the test's own */
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

/* Say that a leaf answered @status, for the table of leafs in Documentation/. */
void sim_test_tell(const struct sim_names *leafs, u64 rax, u64 status);

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

/* A field of a vCPU's VMCS. */
struct sim_test_field {
	u32 field;			/* 0 behind the last one */
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
 * RAX of a TDCALL of that vCPU; that of the host if the instruction is not
 * through.
 */
u64 sim_test_tdcall(struct kunit *test, struct sim_test_td *td, u64 rax,
		    struct sim_test_guest *guest);

/* Where a vCPU starts, and the CPU that a TD with code believes to run on. */
#define SIM_TEST_RESET_VECTOR	0xfffffff0ULL
#define SIM_TEST_FMS		0x000806f8

/*
 * A TD with @xfam in STAGE_RUNNABLE, whose page at the reset vector holds @code,
 * or that has no page if @code is NULL.  Code of more than 16 bytes is at the
 * beginning of that page.
 */
struct sim_test_td *sim_test_td_with_code(struct kunit *test, u64 xfam, const u8 *code,
					  size_t size);

/* RAX of TDH.VP.ENTER for it; interrupts of the host are none of the test's. */
u64 sim_test_enter(struct kunit *test, struct sim_test_td *td, struct pt_regs *regs);

/* The tables of the private @gpa whose entry is at level @lowest, or above. */
void sim_test_tables(struct kunit *test, struct sim_test_td *td, u64 gpa, int lowest);

/*
 * Map the private @gpa: TDH.MEM.PAGE.ADD of the host page @source, or
 * TDH.MEM.PAGE.AUG if that is 0.  Gives the page's physical address.
 */
u64 sim_test_map(struct kunit *test, struct sim_test_td *td, u64 gpa, u64 source);

/*
 * A TD in @stage with 2 MiB of the host in @huge_page, and all tables for them at
 * SIM_TEST_HUGE_GPA.
 */
#define SIM_TEST_HUGE_GPA	0x80000000ULL
#define SIM_TEST_HUGE		(SIM_TEST_HUGE_GPA | TDX_PS_2M)
struct sim_test_td *sim_test_huge_td(struct kunit *test, enum sim_test_stage stage);

/* TDH.MEM.RANGE.BLOCK of @info, GPA and level, and TDH.MEM.TRACK. */
void sim_test_block(struct kunit *test, struct sim_test_td *td, u64 info);

/* A page for the use of @td, which is reclaimed with it. */
u64 sim_test_td_page(struct kunit *test, struct sim_test_td *td);

#endif /* _X86_VIRT_TDX_SIM_TEST_H */
