/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit tests of the simulated TDX module: what the test files share.
 */
#ifndef _X86_VIRT_TDX_SIM_TEST_H
#define _X86_VIRT_TDX_SIM_TEST_H

#include <kunit/test.h>

#include "state/sys.h"
#include "state/vcpu.h"
#include "tdg/tdg.h"
#include "tdh/tdh.h"

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

/* RCX of the guest after TDH.VP.INIT of a test's vCPU. */
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

/* Suite init function: skips the test unless the module is ready. */
int sim_test_init(struct kunit *test);

/* Physical address of a zeroed host page, which is freed after @test. */
u64 sim_test_page(struct kunit *test);

/* RAX of a SEAMCALL on CPU 0; @regs holds the operands, and then the output. */
u64 sim_test_seamcall(u64 rax, struct pt_regs *regs);

/* The same on CPU @cpu. */
u64 sim_test_seamcall_on(int cpu, u64 rax, struct pt_regs *regs);

/* The same on CPU 0 with operands as values; the output is dropped. */
u64 sim_test_call(u64 rax, u64 rcx, u64 rdx, u64 r8, u64 r9);

/* The same on one CPU of every package; a package that is done is no error. */
u64 sim_test_call_packages(u64 rax, u64 rcx);

/* Print that a leaf answered @status, for the table of leafs in Documentation/. */
void sim_test_tell(const struct sim_names *leafs, u64 rax, u64 status);

/* Fail @test unless @got is @want; the message names both, and @what. */
void sim_test_expect(struct kunit *test, const char *what, u64 want, u64 got);

/* The same, and end the test. */
void sim_test_assert(struct kunit *test, const char *what, u64 want, u64 got);

/* TD_PARAMS that the module accepts. */
void sim_test_params(struct td_params *params);

/*
 * A TD in STAGE_CREATED, with the last KeyID: KVM takes the first ones.  It is
 * torn down at the end of @test, from any stage.
 */
struct sim_test_td *sim_test_td_create(struct kunit *test);
void sim_test_td_advance(struct kunit *test, struct sim_test_td *td,
			 enum sim_test_stage stage);

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
