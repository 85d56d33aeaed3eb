// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: TDCALLs, the suite tdx_sim_guest.
 */
#include <linux/array_size.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <asm/vmx.h>

#include "debug/names.h"
#include "state/sept.h"
#include "tdg/tdg_vp.h"
#include "tdg/tdreport.h"
#include "tests/tdg_fixture.h"
#include "tests/tdg_mem_kunit.h"

static void tdcall_dispatch(struct kunit *test)
{
	static const struct {
		const char *name;
		u64 rax;
	} cases[] = {
		{ "unknown leaf", 13 },
		{ "absent leaf", SIM_TDG_SYS_RDALL },
		{ "above the table", 0xffff },
		{ "version 1", TDG_VP_INFO | 1ULL << TDX_VERSION_SHIFT },
		{ "version 2", TDG_VM_RD | 2ULL << TDX_VERSION_SHIFT },
		{ "reserved bit 24", TDG_VP_INFO | BIT_ULL(24) },
		{ "reserved bit 63", TDG_VP_INFO | BIT_ULL(63) },
	};
	struct guest_fixture *f = guest_fixture(test);
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		sim_test_expect(test, cases[i].name, ID(TDX_OPERAND_INVALID, RAX),
				tdcall3(test, f, cases[i].rax, 0, 0, 0));

	/* There is one check for all leafs. */
	for (i = 0; i < sim_tdcall_names.nr; i++) {
		const struct sim_name *leaf = &sim_tdcall_names.rows[i];

		sim_test_expect(test, leaf->name, ID(TDX_OPERAND_INVALID, RAX),
				tdcall3(test, f, leaf->value | BIT_ULL(24), 0, 0, 0));
	}
}

static void tdcall_vp(struct kunit *test)
{
	struct guest_fixture *f = guest_fixture(test);
	struct sim_test_guest guest = {};

	sim_test_expect(test, "VP.INFO", 0, tdcall(test, f, TDG_VP_INFO, &guest));
	sim_test_expect(test, "GPA width", 48, guest.gpr[SIM_RCX]);
	sim_test_expect(test, "ATTRIBUTES", TDX_TD_ATTR_SEPT_VE_DISABLE, guest.gpr[SIM_RDX]);
	sim_test_expect(test, "vCPUs", 1ULL << 32 | 1, guest.gpr[SIM_R8]);
	sim_test_expect(test, "index", 0, guest.gpr[SIM_R9]);
	sim_test_expect(test, "SYS.RD exists", 1, guest.gpr[SIM_R10]);

	sim_test_expect(test, "VEINFO.GET of nothing", TDX_NO_VALID_VE_INFO,
			tdcall(test, f, TDG_VP_VEINFO_GET, &guest));
	f->vcpu->ve = (struct sim_ve_info) {
		.valid = true, .exit_reason = EXIT_REASON_CPUID, .exit_qualification = 1,
		.gla = 2, .gpa = 3, .instruction_length = 4, .instruction_info = 5,
	};
	sim_test_expect(test, "VEINFO.GET", 0, tdcall(test, f, TDG_VP_VEINFO_GET, &guest));
	sim_test_expect(test, "exit reason", EXIT_REASON_CPUID, guest.gpr[SIM_RCX]);
	sim_test_expect(test, "qualification", 1, guest.gpr[SIM_RDX]);
	sim_test_expect(test, "GLA", 2, guest.gpr[SIM_R8]);
	sim_test_expect(test, "GPA", 3, guest.gpr[SIM_R9]);
	sim_test_expect(test, "instruction", 5ULL << 32 | 4, guest.gpr[SIM_R10]);
	sim_test_expect(test, "VEINFO.GET again", TDX_NO_VALID_VE_INFO,
			tdcall(test, f, TDG_VP_VEINFO_GET, &guest));

	sim_test_expect(test, "CPUIDVE.SET, bit 2", ID(TDX_OPERAND_INVALID, RCX),
			tdcall3(test, f, SIM_TDG_VP_CPUIDVE_SET, 4, 0, 0));
	sim_test_expect(test, "CPUIDVE.SET", 0, tdcall3(test, f, SIM_TDG_VP_CPUIDVE_SET, 3, 0, 0));
	KUNIT_EXPECT_EQ(test, f->vcpu->cpuid_ve, 3);
}

#define HOST_RBP		0x99

/* A value of its own for each register of the TD. */
static u64 value_of(enum sim_gpr gpr)
{
	return 0x100 + gpr;
}

/* The host sees the register if it is in the mask, and 0 if not. */
static void expect_shown(struct kunit *test, u64 mask, enum sim_gpr gpr, u64 got)
{
	u64 want = mask & BIT(gpr) ? value_of(gpr) : 0;

	KUNIT_EXPECT_EQ_MSG(test, want, got, "mask 0x%llx: register %d: wanted 0x%llx, got 0x%llx",
			    mask, gpr, want, got);
}

/* Each bit of RCX: the module refuses it, or the TD exits. */
static void tdcall_vmcall_mask(struct kunit *test)
{
	const u64 never = BIT(0) | BIT(1) | BIT(4) | BIT(5) | GENMASK_ULL(63, 16);
	struct guest_fixture *f = guest_fixture(test);
	u64 bit, status;
	int i;

	for (bit = 1; bit; bit <<= 1) {
		struct sim_test_guest guest = {
			.gpr = { [SIM_RCX] = bit }, .regs = { .bp = HOST_RBP },
		};

		for (i = SIM_RDX; i < SIM_NR_GPRS; i++)
			guest.gpr[i] = value_of(i);
		status = sim_test_tdcall(test, f->td, TDG_VP_VMCALL, &guest);
		if (bit & never) {
			sim_test_expect(test, "mask", ID(TDX_OPERAND_INVALID, RCX), status);
			KUNIT_EXPECT_EQ_MSG(test, guest.action, SIM_RESUME, "mask 0x%llx", bit);
			continue;
		}
		sim_test_expect(test, "mask", 0, status);
		KUNIT_EXPECT_EQ_MSG(test, guest.action, SIM_TO_HOST, "mask 0x%llx", bit);
		sim_test_expect(test, "RAX", EXIT_REASON_TDCALL, guest.regs.ax);
		sim_test_expect(test, "RCX", bit, guest.regs.cx);
		expect_shown(test, bit, SIM_RDX, guest.regs.dx);
		expect_shown(test, bit, SIM_RBX, guest.regs.bx);
		expect_shown(test, bit, SIM_RSI, guest.regs.si);
		expect_shown(test, bit, SIM_RDI, guest.regs.di);
		expect_shown(test, bit, SIM_R8, guest.regs.r8);
		expect_shown(test, bit, SIM_R9, guest.regs.r9);
		expect_shown(test, bit, SIM_R10, guest.regs.r10);
		expect_shown(test, bit, SIM_R11, guest.regs.r11);
		expect_shown(test, bit, SIM_R12, guest.regs.r12);
		expect_shown(test, bit, SIM_R13, guest.regs.r13);
		expect_shown(test, bit, SIM_R14, guest.regs.r14);
		expect_shown(test, bit, SIM_R15, guest.regs.r15);
		sim_test_expect(test, "RBP of the host", HOST_RBP, guest.regs.bp);
	}
}

static enum sim_action vmcall_complete(struct sim_exit *exit)
{
	sim_vmcall_complete(exit->vcpu, exit->regs);
	return SIM_RESUME;
}

/* Without NO_RBP_MOD the mask opens RBP like other registers. */
static void tdcall_vmcall_rbp(struct kunit *test)
{
	struct guest_fixture *f = guest_fixture(test);
	struct sim_test_guest guest = { .gpr = { [SIM_RCX] = BIT(5), [SIM_RBP] = 5 } };

	f->tdcs->config_flags &= ~TDX_CONFIG_FLAGS_NO_RBP_MOD;
	sim_test_expect(test, "VP.VMCALL", 0,
			sim_test_tdcall(test, f->td, TDG_VP_VMCALL, &guest));
	sim_test_expect(test, "RBP of the host", 5, guest.regs.bp);

	guest.regs.bp = HOST_RBP;
	sim_test_run_handler(test, f->td, &guest, vmcall_complete);
	sim_test_expect(test, "RBP of the TD", HOST_RBP, guest.gpr[SIM_RBP]);
}

static void private_operand(struct kunit *test, struct guest_fixture *f)
{
	struct sim_test_guest guest = { .gpr = { [SIM_RCX] = GPA_HOLE } };

	expect_exit(test, "FREE", f, TDG_MR_RTMR_EXTEND, guest, EPT_VIOLATION_ACC_READ, 0,
		    GPA_HOLE);
	guest.gpr[SIM_RCX] = GPA_PENDING;
	expect_exit(test, "PENDING with SEPT_VE_DISABLE", f, TDG_MR_RTMR_EXTEND, guest,
		    EPT_VIOLATION_ACC_READ, TDX_EXT_EXIT_QUAL_TYPE_PENDING_EPT_VIOLATION,
		    GPA_PENDING);

	f->tdcs->td_ctls = 0;
	guest.gpr[SIM_RCX] = GPA_PENDING;
	sim_test_tdcall(test, f->td, TDG_MR_RTMR_EXTEND, &guest);
	KUNIT_EXPECT_EQ(test, guest.action, SIM_RESUME);
	KUNIT_EXPECT_EQ(test, guest.skipped, 0);
	KUNIT_EXPECT_EQ_MSG(test, guest.event.info & INTR_INFO_VECTOR_MASK, X86_TRAP_VE,
			    "PENDING without SEPT_VE_DISABLE: no #VE");
	KUNIT_EXPECT_TRUE(test, f->vcpu->ve.valid);
	sim_test_expect(test, "GPA of the #VE", GPA_PENDING, f->vcpu->ve.gpa);

	/* The next one would overwrite what the TD has not read: #DF. */
	sim_test_tdcall(test, f->td, TDG_MR_RTMR_EXTEND, &guest);
	KUNIT_EXPECT_EQ_MSG(test, guest.event.info & INTR_INFO_VECTOR_MASK, X86_TRAP_DF,
			    "second #VE: no #DF");
	f->vcpu->ve.valid = false;
}

static void shared_operand(struct kunit *test, struct guest_fixture *f)
{
	struct sim_test_guest guest = { .gpr = { [SIM_RCX] = GPA_PAGE, [SIM_RDX] = GPA_SHARED } };
	u64 root = sim_test_page(test);

	/* Shared: an entry that suppresses #VE is for the host, any other is for the TD. */
	memset64(f->vcpu->ept_root + PTRS_PER_PTE / 2, VMX_EPT_SUPPRESS_VE_BIT, PTRS_PER_PTE / 2);
	expect_exit(test, "shared, not mapped", f, TDG_MR_REPORT, guest, EPT_VIOLATION_ACC_READ, 0,
		    GPA_SHARED);
	memset64(f->vcpu->ept_root + PTRS_PER_PTE / 2, 0, PTRS_PER_PTE / 2);
	sim_test_tdcall(test, f->td, TDG_MR_REPORT, &guest);
	KUNIT_EXPECT_EQ_MSG(test, guest.event.info & INTR_INFO_VECTOR_MASK, X86_TRAP_VE,
			    "shared, a device: no #VE");
	f->vcpu->ve.valid = false;

	/* A 1 GiB mapping that is read-only: good for REPORTDATA, not for the report. */
	f->vcpu->ept_root[PTRS_PER_PTE / 2] = root | VMX_EPT_RWX_MASK;
	memset64(__va(root), VMX_EPT_SUPPRESS_VE_BIT, PTRS_PER_PTE);
	((u64 *)__va(root))[GPA_SHARED >> 30 & 0x1ff] = (__pa(f->page) & ~(u64)(SZ_1G - 1)) |
		VMX_EPT_READABLE_MASK | BIT_ULL(7) | VMX_EPT_SUPPRESS_VE_BIT;
	guest.gpr[SIM_RCX] = GPA_PAGE;
	guest.gpr[SIM_RDX] = GPA_SHARED;
	guest.gpr[SIM_R8] = 0;
	sim_test_expect(test, "shared REPORTDATA", 0, tdcall(test, f, TDG_MR_REPORT, &guest));
	guest.gpr[SIM_RCX] = GPA_SHARED;
	guest.gpr[SIM_RDX] = GPA_DATA;
	expect_exit(test, "read-only for the report", f, TDG_MR_REPORT, guest,
		    EPT_VIOLATION_ACC_WRITE | EPT_VIOLATION_PROT_READ, 0, GPA_SHARED);

	/* The kernel has not mapped the memory of a device: the module would crash. */
	((u64 *)__va(root))[GPA_SHARED >> 30 & 0x1ff] =
		(boot_cpu_data.x86_phys_bits < 41 ? BIT_ULL(38) : BIT_ULL(40)) |
		VMX_EPT_READABLE_MASK | BIT_ULL(7) | VMX_EPT_SUPPRESS_VE_BIT;
	guest.gpr[SIM_RCX] = GPA_PAGE;
	guest.gpr[SIM_RDX] = GPA_SHARED;
	sim_test_expect(test, "REPORTDATA on a device", TDX_NON_RECOVERABLE_TD,
			sim_test_tdcall(test, f->td, TDG_MR_REPORT, &guest) &
			TDX_SEAMCALL_STATUS_MASK);
	KUNIT_EXPECT_EQ(test, guest.action, SIM_TO_HOST);
	f->vcpu->td->fatal = false;
}

/* A GPA operand without a page leads to what an access of the TD leads to. */
static void tdcall_gpa_operand(struct kunit *test)
{
	struct guest_fixture *f = guest_fixture(test);

	private_operand(test, f);
	shared_operand(test, f);
}

/* SHA-384 of 48 zeros and the bytes 0 to 47, as another implementation has it. */
static const u8 wanted_rtmr[SHA384_DIGEST_SIZE] = {
	0xfe, 0x83, 0xf7, 0x42, 0xd1, 0xca, 0xb5, 0xc7, 0x09, 0xa0, 0xc4, 0x24,
	0x72, 0x98, 0x31, 0xfb, 0xff, 0x9b, 0x5b, 0xb9, 0x74, 0x8a, 0x61, 0x8f,
	0x0b, 0x6e, 0xa0, 0x4f, 0xe1, 0xfd, 0xe4, 0xd5, 0x46, 0xf4, 0x04, 0x0e,
	0x7f, 0xc9, 0x58, 0x7b, 0x2e, 0x6b, 0xad, 0xad, 0xa6, 0xc9, 0x41, 0xb0,
};

static void tdcall_rtmr_extend(struct kunit *test)
{
	struct guest_fixture *f = guest_fixture(test);
	static const u8 zeros[SHA384_DIGEST_SIZE];
	u8 *data = f->page + 0x400;
	int i;

	for (i = 0; i < SHA384_DIGEST_SIZE; i++)
		data[i] = i;

	sim_test_expect(test, "not aligned", ID(TDX_OPERAND_INVALID, RCX),
			tdcall3(test, f, TDG_MR_RTMR_EXTEND, GPA_DATA + 32, 2, 0));
	sim_test_expect(test, "shared", ID(TDX_OPERAND_INVALID, RCX),
			tdcall3(test, f, TDG_MR_RTMR_EXTEND, GPA_SHARED, 2, 0));
	sim_test_expect(test, "index 4", ID(TDX_OPERAND_INVALID, RDX),
			tdcall3(test, f, TDG_MR_RTMR_EXTEND, GPA_DATA, 4, 0));
	KUNIT_ASSERT_TRUE(test, sim_trylock(&f->tdcs->rtmr_lock, SIM_SHARED));
	sim_test_expect(test, "locked", ID(TDX_OPERAND_BUSY, RTMR),
			tdcall3(test, f, TDG_MR_RTMR_EXTEND, GPA_DATA, 2, 0));
	sim_unlock(&f->tdcs->rtmr_lock, SIM_SHARED);
	KUNIT_EXPECT_MEMEQ_MSG(test, f->tdcs->rtmr[2], zeros, sizeof(zeros), "a refused call");

	sim_test_expect(test, "RTMR.EXTEND", 0,
			tdcall3(test, f, TDG_MR_RTMR_EXTEND, GPA_DATA, 2, 0));
	KUNIT_EXPECT_MEMEQ_MSG(test, f->tdcs->rtmr[2], wanted_rtmr, sizeof(wanted_rtmr), "RTMR2");
	KUNIT_EXPECT_MEMEQ_MSG(test, f->tdcs->rtmr[1], zeros, sizeof(zeros), "RTMR1");
	KUNIT_EXPECT_MEMEQ_MSG(test, f->tdcs->rtmr[3], zeros, sizeof(zeros), "RTMR3");
}

static void tdcall_report(struct kunit *test)
{
	struct guest_fixture *f = guest_fixture(test);
	u8 hash[SHA384_DIGEST_SIZE], reportdata[TDREPORT_DATA_SIZE];
	const struct tdreport *report = f->page;

	memset(f->page, 0xa5, PAGE_SIZE);
	memcpy(reportdata, f->page, sizeof(reportdata));
	memset(f->tdcs->rtmr[3], 0x33, SHA384_DIGEST_SIZE);
	memset(f->tdcs->mrowner, 0x77, SHA384_DIGEST_SIZE);

	sim_test_expect(test, "RCX not aligned", ID(TDX_OPERAND_INVALID, RCX),
			tdcall3(test, f, TDG_MR_REPORT, GPA_PAGE + 512, GPA_DATA, 0));
	sim_test_expect(test, "RCX above the GPA width", ID(TDX_OPERAND_INVALID, RCX),
			tdcall3(test, f, TDG_MR_REPORT, BIT_ULL(48), GPA_DATA, 0));
	sim_test_expect(test, "RDX not aligned", ID(TDX_OPERAND_INVALID, RDX),
			tdcall3(test, f, TDG_MR_REPORT, GPA_PAGE, GPA_DATA + 32, 0));
	sim_test_expect(test, "subtype 1", ID(TDX_OPERAND_INVALID, R8),
			tdcall3(test, f, TDG_MR_REPORT, GPA_PAGE, GPA_DATA, 1));
	sim_test_expect(test, "subtype 0x100", ID(TDX_OPERAND_INVALID, R8),
			tdcall3(test, f, TDG_MR_REPORT, GPA_PAGE, GPA_DATA, 0x100));
	KUNIT_ASSERT_TRUE(test, sim_trylock(&f->tdcs->rtmr_lock, SIM_EXCL));
	sim_test_expect(test, "locked", ID(TDX_OPERAND_BUSY, RTMR),
			tdcall3(test, f, TDG_MR_REPORT, GPA_PAGE, GPA_DATA, 0));
	sim_unlock(&f->tdcs->rtmr_lock, SIM_EXCL);
	KUNIT_EXPECT_TRUE_MSG(test, !memchr_inv(f->page, 0xa5, PAGE_SIZE), "a refused call wrote");

	sim_test_assert(test, "MR.REPORT", 0,
			tdcall3(test, f, TDG_MR_REPORT, GPA_PAGE, GPA_DATA, 0));
	KUNIT_EXPECT_TRUE_MSG(test, !memchr_inv(f->page + 1024, 0xa5, PAGE_SIZE - 1024),
			      "bytes behind the report were written");
	KUNIT_EXPECT_EQ(test, report->mac.report_type.type, 0x81);
	KUNIT_EXPECT_EQ(test, report->mac.report_type.subtype, 0);
	KUNIT_EXPECT_EQ(test, report->mac.report_type.version, 0);
	KUNIT_EXPECT_MEMEQ(test, report->mac.reportdata, reportdata, sizeof(reportdata));
	KUNIT_EXPECT_EQ(test, report->td_info.attributes, TDX_TD_ATTR_SEPT_VE_DISABLE);
	KUNIT_EXPECT_EQ(test, report->td_info.xfam, 3);
	KUNIT_EXPECT_MEMEQ(test, report->td_info.mrtd, f->tdcs->mrtd, SHA384_DIGEST_SIZE);
	KUNIT_EXPECT_MEMEQ(test, report->td_info.mrowner, f->tdcs->mrowner, SHA384_DIGEST_SIZE);
	KUNIT_EXPECT_MEMEQ(test, report->td_info.rtmr[3], f->tdcs->rtmr[3], SHA384_DIGEST_SIZE);
	sha384((const u8 *)&report->td_info, 512, hash);
	KUNIT_EXPECT_MEMEQ(test, report->mac.tee_info_hash, hash, sizeof(hash));
	sha384((const u8 *)&report->tcb_info, 239, hash);
	KUNIT_EXPECT_MEMEQ(test, report->mac.tee_tcb_info_hash, hash, sizeof(hash));
}

static void tdcall_verifyreport(struct kunit *test)
{
	struct guest_fixture *f = guest_fixture(test);
	struct tdreport *report = f->page;

	sim_test_assert(test, "MR.REPORT", 0,
			tdcall3(test, f, TDG_MR_REPORT, GPA_PAGE, GPA_DATA, 0));
	sim_test_expect(test, "not aligned", ID(TDX_OPERAND_INVALID, RCX),
			tdcall3(test, f, SIM_TDG_MR_VERIFYREPORT, GPA_PAGE + 128, 0, 0));
	sim_test_expect(test, "shared", ID(TDX_OPERAND_INVALID, RCX),
			tdcall3(test, f, SIM_TDG_MR_VERIFYREPORT, GPA_SHARED, 0, 0));
	sim_test_expect(test, "VERIFYREPORT", 0,
			tdcall3(test, f, SIM_TDG_MR_VERIFYREPORT, GPA_PAGE, 0, 0));
	report->mac.reportdata[0] ^= 1;
	sim_test_expect(test, "changed data", TDX_INVALID_REPORTMACSTRUCT,
			tdcall3(test, f, SIM_TDG_MR_VERIFYREPORT, GPA_PAGE, 0, 0));
	report->mac.reportdata[0] ^= 1;
	report->mac.cpusvn[15] ^= 1;
	sim_test_expect(test, "of another CPU", TDX_INVALID_CPUSVN,
			tdcall3(test, f, SIM_TDG_MR_VERIFYREPORT, GPA_PAGE, 0, 0));
	report->mac.report_type.type = 0;
	sim_test_expect(test, "no TDX report", TDX_INVALID_REPORTMACSTRUCT,
			tdcall3(test, f, SIM_TDG_MR_VERIFYREPORT, GPA_PAGE, 0, 0));
}

static struct kunit_case sim_guest_cases[] = {
	KUNIT_CASE(tdcall_dispatch),
	KUNIT_CASE(tdcall_vp),
	KUNIT_CASE(tdcall_vmcall_mask),
	KUNIT_CASE(tdcall_vmcall_rbp),
	KUNIT_CASE(tdcall_accept),
	KUNIT_CASE(tdcall_gpa_operand),
	KUNIT_CASE(tdcall_rtmr_extend),
	KUNIT_CASE(tdcall_report),
	KUNIT_CASE(tdcall_verifyreport),
	{}
};

static struct kunit_suite sim_guest_suite = {
	.name = "tdx_sim_guest",
	.init = sim_test_init,
	.test_cases = sim_guest_cases,
};

kunit_test_suite(sim_guest_suite);
