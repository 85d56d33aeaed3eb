/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KUnit tests of the simulated TDX module: a TD that runs, and its TDCALLs.
 */
#ifndef _X86_VIRT_TDX_SIM_TDG_FIXTURE_H
#define _X86_VIRT_TDX_SIM_TDG_FIXTURE_H

#include <asm/vmx.h>

#include "tests/sim_test.h"
#include "tests/sim_test_vcpu.h"

#define GPA_PAGE		0x7ffff000ULL	/* mapped */
#define GPA_PENDING		0x7fffe000ULL
#define GPA_BLOCKED		0x7fffd000ULL
#define GPA_HOLE		0x7fffc000ULL	/* a table, but no page */
#define GPA_DATA		(GPA_PAGE + 0x400)
#define GPA_SHARED		(0x80000000ULL | TDX_SHARED_GPA)

#define ID(code, operand)	((code) | TDX_OPERAND_ID_##operand)

/* A TD that runs, with one page in each state. */
struct guest_fixture {
	struct sim_test_td *td;
	struct sim_vcpu *vcpu;
	struct sim_tdcs *tdcs;
	void *page;			/* at GPA_PAGE */
	u64 pending;			/* physical address */
};

static inline struct guest_fixture *guest_fixture(struct kunit *test)
{
	struct guest_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	u64 source = sim_test_page(test);

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->td = sim_test_td_create(test);
	sim_test_td_advance(test, f->td, STAGE_INIT);
	f->page = __va(sim_test_map(test, f->td, GPA_PAGE, source));
	sim_test_map(test, f->td, GPA_BLOCKED, source);
	sim_test_td_advance(test, f->td, STAGE_RUNNABLE);
	f->pending = sim_test_map(test, f->td, GPA_PENDING, 0);
	sim_test_assert(test, "TDH_MEM_RANGE_BLOCK", 0,
			sim_test_call(TDH_MEM_RANGE_BLOCK, GPA_BLOCKED, f->td->tdr, 0, 0));
	f->vcpu = __va(f->td->tdvpr);
	f->tdcs = __va(f->td->tdcx[SIM_TDCX_TDCS]);
	return f;
}

/* A TDCALL that the module answers by itself. */
static inline u64 tdcall(struct kunit *test, const struct guest_fixture *f, u64 rax,
			 struct sim_test_guest *guest)
{
	u64 status = sim_test_tdcall(test, f->td, rax, guest);

	KUNIT_EXPECT_EQ_MSG(test, guest->action, SIM_RESUME, "leaf %llu: the TD was left", rax);
	KUNIT_EXPECT_EQ_MSG(test, guest->skipped, TDX_INSN_LEN,
			    "leaf %llu: RIP moved on by %u bytes", rax, guest->skipped);
	return status;
}

static inline u64 tdcall3(struct kunit *test, const struct guest_fixture *f, u64 rax, u64 rcx,
			  u64 rdx, u64 r8)
{
	struct sim_test_guest guest = {
		.gpr = { [SIM_RCX] = rcx, [SIM_RDX] = rdx, [SIM_R8] = r8 },
	};

	return tdcall(test, f, rax, &guest);
}

/* An exit instead of an answer: the host maps the page, and the call comes again. */
static inline void expect_exit(struct kunit *test, const char *what, const struct guest_fixture *f,
			       u64 rax, struct sim_test_guest guest, u64 qualification,
			       u64 extended, u64 gpa)
{
	u64 gpr_rcx = guest.gpr[SIM_RCX];

	sim_test_expect(test, what, EXIT_REASON_EPT_VIOLATION,
			sim_test_tdcall(test, f->td, rax, &guest));
	KUNIT_EXPECT_EQ_MSG(test, guest.action, SIM_TO_HOST, "%s: no exit", what);
	KUNIT_EXPECT_EQ_MSG(test, guest.skipped, 0, "%s: RIP moved on", what);
	KUNIT_EXPECT_EQ_MSG(test, guest.gpr[SIM_RAX], rax, "%s: RAX of the TD changed", what);
	KUNIT_EXPECT_EQ_MSG(test, guest.gpr[SIM_RCX], gpr_rcx, "%s: RCX of the TD changed", what);
	sim_test_expect(test, "qualification in RCX", qualification, guest.regs.cx);
	sim_test_expect(test, "extended qualification in RDX", extended, guest.regs.dx);
	sim_test_expect(test, "GPA in R8", gpa & PAGE_MASK, guest.regs.r8);
	sim_test_expect(test, "R9", 0, guest.regs.r9);
}

#endif /* _X86_VIRT_TDX_SIM_TDG_FIXTURE_H */
