// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: the host never finds the VMCS of a TD.
 *
 * With SEAM it belongs to memory that the host cannot use.  Here VMPTRST, VMREAD and
 * VMWRITE of the host would reach it if it stayed current.
 */
#include <linux/smp.h>

#include <asm/msr.h>
#include <asm/vmx.h>

#include "tdh/seamcall.h"
#include "tests/sim_test.h"
#include "tests/sim_test_vcpu.h"
#include "vcpu/vmx_insn.h"

#define SPINS			(TDX_OPERAND_BUSY | TDX_OPERAND_ID_SEPT)

/* Around a TDH.VP.ENTER: a VMCS of the host, and what VMX instructions do after it. */
#define VMCS_MARK		0x1057

struct host_vmcs {
	u64 pa;			/* U64_MAX: the host has none */
	u64 td_pa;		/* of the TD's VMCS, 0: do not try to load it */
	bool loaded;
	u64 current_vmcs;
	u64 rip;
	bool read;
	bool written;
};

/* True if there was a VMCS to read from: VMfailInvalid sets CF. */
static bool vmread_ok(unsigned long field, u64 *value)
{
	bool ok;

	asm volatile("vmread %[field], %[value]"
		     : "=@cca" (ok), [value] "+r" (*value) : [field] "r" (field));
	return ok;
}

static void vmcs_before(void *data)
{
	struct host_vmcs *vmcs = data;

	if (vmcs->pa == U64_MAX)
		return;
	*(u32 *)__va(vmcs->pa) = __rdmsr(MSR_IA32_VMX_BASIC) & GENMASK(30, 0);
	sim_vmclear(vmcs->pa);
	sim_vmptrld(vmcs->pa);
	sim_vmwrite(GUEST_RIP, VMCS_MARK);
}

static void vmcs_after(void *data)
{
	struct host_vmcs *vmcs = data;

	vmcs->loaded = vmcs->td_pa && sim_vmptrld(vmcs->td_pa);
	vmcs->current_vmcs = sim_vmptrst();
	vmcs->read = vmread_ok(GUEST_RIP, &vmcs->rip);
	vmcs->written = sim_vmwrite(GUEST_RIP, vmcs->rip);
	if (vmcs->pa != U64_MAX)
		sim_vmclear(vmcs->pa);
}

/* Enter a TD twice: the second time its VMCS is active already. */
static void enter_twice(struct kunit *test, struct host_vmcs *vmcs)
{
	static const u8 jump_to_itself[] = { 0xeb, 0xfe };
	const struct sim_test_around around = { vmcs_before, vmcs_after, vmcs };
	struct sim_test_td *td;
	struct pt_regs regs;
	int i;

	td = sim_test_td_with_code(test, SIM_XFAM_FIXED1, jump_to_itself, sizeof(jump_to_itself));
	vmcs->td_pa = td->tdvps[SIM_TDVPS_VMCS];
	for (i = 0; i < 2; i++) {
		regs = (struct pt_regs) {};
		sim_test_assert(test, "the TD spins", SPINS,
				sim_test_enter_around(test, td, &regs, &around));
		KUNIT_EXPECT_FALSE_MSG(test, vmcs->loaded,
				       "VMPTRLD of the TD's page: wanted a failure, got a VMCS");
		sim_test_expect(test, "current VMCS", vmcs->pa, vmcs->current_vmcs);
	}
}

static void vmcs_none_of_the_host(struct kunit *test)
{
	struct host_vmcs vmcs = { .pa = U64_MAX };

	enter_twice(test, &vmcs);
	KUNIT_EXPECT_FALSE_MSG(test, vmcs.read, "VMREAD: wanted VMfailInvalid, got a VMCS");
	KUNIT_EXPECT_FALSE_MSG(test, vmcs.written, "VMWRITE: wanted VMfailInvalid, got a VMCS");
}

static void vmcs_of_the_host(struct kunit *test)
{
	struct host_vmcs vmcs = { .pa = sim_test_page(test) };

	enter_twice(test, &vmcs);
	KUNIT_EXPECT_TRUE(test, vmcs.read);
	sim_test_expect(test, "GUEST_RIP", VMCS_MARK, vmcs.rip);
}

/* TDH.VP.FLUSH makes the TD's VMCS inactive, and leaves that of the host current. */
struct flush_work {
	struct pt_regs regs;
	struct host_vmcs vmcs;
};

static int flush_on_cpu(void *data)
{
	struct flush_work *work = data;
	unsigned long flags;

	local_irq_save(flags);
	vmcs_before(&work->vmcs);
	sim_seamcall(&work->regs);
	vmcs_after(&work->vmcs);
	local_irq_restore(flags);
	return 0;
}

static void vmcs_flush(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_with_code(test, SIM_XFAM_FIXED1, NULL, 0);
	struct flush_work work = {
		.regs = { .ax = TDH_VP_FLUSH, .cx = td->tdvpr },
		.vmcs = { .pa = sim_test_page(test) },
	};
	struct pt_regs regs = {};

	sim_test_assert(test, "no page", EXIT_REASON_EPT_VIOLATION,
			sim_test_enter(test, td, &regs));
	KUNIT_ASSERT_EQ(test, 0, smp_call_on_cpu(0, flush_on_cpu, &work, false));
	sim_test_expect(test, "TDH_VP_FLUSH", 0, work.regs.ax);
	sim_test_expect(test, "current VMCS", work.vmcs.pa, work.vmcs.current_vmcs);
	sim_test_expect(test, "GUEST_RIP", VMCS_MARK, work.vmcs.rip);
}

static struct kunit_case sim_vmcs_cases[] = {
	KUNIT_CASE(vmcs_none_of_the_host),
	KUNIT_CASE(vmcs_of_the_host),
	KUNIT_CASE(vmcs_flush),
	{}
};

static struct kunit_suite sim_vmcs_suite = {
	.name = "tdx_sim_vmcs",
	.init = sim_test_init,
	.test_cases = sim_vmcs_cases,
};

kunit_test_suite(sim_vmcs_suite);
