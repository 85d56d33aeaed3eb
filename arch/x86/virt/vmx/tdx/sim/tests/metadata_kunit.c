// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: metadata fields.
 */
#include <linux/array_size.h>
#include <linux/bitfield.h>
#include <linux/string.h>

#include <asm/vmx.h>

#include "metadata/metadata.h"
#include "state/cpuid.h"
#include "tests/sim_test.h"
#include "tests/sim_test_vcpu.h"

#define MD_ELEMENT_SIZE		GENMASK_ULL(33, 32)

/* The two that are arrays of CPUID rows are the last. */
#define MD_SYS(_id, ...)	_id,
static const u64 sys_ids[] = {
#include "metadata/metadata.def"
};

#define NR_SINGLE_FIELDS	(ARRAY_SIZE(sys_ids) - 2)

static u64 sys_rd(u64 field, u64 *next, u64 *value)
{
	struct pt_regs regs = { .dx = field };
	u64 status = sim_test_seamcall(TDH_SYS_RD, &regs);

	*next = regs.dx;
	*value = regs.r8;
	return status;
}

/* A walk by RDX meets every row once, in order; values fit their element. */
static void sys_walk(struct kunit *test)
{
	u64 field, next, value, bytes;
	unsigned int nr = 0;

	sim_test_expect(test, "TDH_SYS_RD of -1", TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT,
			sys_rd(SIM_MD_NO_FIELD, &field, &value));

	for (; field != SIM_MD_NO_FIELD; field = next, nr++) {
		sim_test_assert(test, "TDH_SYS_RD", 0, sys_rd(field, &next, &value));
		if (nr < NR_SINGLE_FIELDS)
			KUNIT_EXPECT_EQ_MSG(test, field, sys_ids[nr], "row %u: got field 0x%llx",
					    nr, field);
		bytes = 1 << FIELD_GET(MD_ELEMENT_SIZE, field);
		KUNIT_EXPECT_EQ_MSG(test, bytes < 8 ? value >> (8 * bytes) : 0, 0,
				    "field 0x%llx: 0x%llx has more than %llu bytes",
				    field, value, bytes);
		KUNIT_ASSERT_TRUE_MSG(test, (next & TDX_MD_FIELD_SELECT) >
				      (field & TDX_MD_FIELD_SELECT),
				      "field 0x%llx comes after 0x%llx", next, field);
	}

	/* A CPUID row is one leaf and two values. */
	KUNIT_EXPECT_EQ(test, nr, NR_SINGLE_FIELDS + 3 * sim_cpuid_nr_config());
}

static void sys_lookup(struct kunit *test)
{
	const u64 max_tdmrs = 0x9100000100000008;
	u64 bit, next, value;

	/* Element size, context and bit 63 do not select. */
	sim_test_expect(test, "class and code alone", 0,
			sys_rd(max_tdmrs & TDX_MD_FIELD_SELECT, &next, &value));
	KUNIT_EXPECT_EQ(test, value, SIM_MAX_TDMRS);

	sim_test_expect(test, "no such code", TDX_METADATA_FIELD_ID_INCORRECT,
			sys_rd(max_tdmrs + 2, &next, &value));
	KUNIT_EXPECT_EQ(test, next, SIM_MD_NO_FIELD);
	KUNIT_EXPECT_EQ(test, value, 0);
	sim_test_expect(test, "no such class", TDX_METADATA_FIELD_ID_INCORRECT,
			sys_rd(max_tdmrs ^ BIT_ULL(61), &next, &value));
	sim_test_expect(test, "above the last CPUID value", TDX_METADATA_FIELD_ID_INCORRECT,
			sys_rd(0x9900000300000500 + 2 * sim_cpuid_nr_config(), &next, &value));

	for (bit = 1; bit; bit <<= 1) {
		if (bit & TDX_MD_FIELD_RESERVED)
			sim_test_expect(test, "reserved bits", TDX_METADATA_FIELD_ID_INCORRECT,
					sys_rd(max_tdmrs | bit, &next, &value));
	}
}

/* One access to a field by the host, or by the TD itself. */
struct md_case {
	const char *name;
	enum { TD_RD, GUEST_RD, GUEST_WR, VP_RD, VP_WR, GUEST_VP_RD, GUEST_VP_WR } op;
	u64 field;
	u64 value;
	u64 mask;
	u64 want;
	u64 want_value;		/* read, or the old one of a write */
};

/* Identifiers of the ABI that no header of the kernel has. */
#define MD_NUM_VCPUS		0x9010000200000001ULL
#define MD_XFAM			0x1110000300000001ULL
#define MD_MROWNER		0x1310000300000018ULL
#define MD_RTMR			0x1310000300000040ULL
#define MD_VCPU_INDEX		0xa020000200000002ULL
#define MD_CPUID_CONTROL	0xa120000000000000ULL

#define MROWNER_LAST		0x1122334455667788ULL

#define VMCS_FIELD(_name)	TDVPS_VMCS(_name)
#define PENDING_VE		TD_CTLS_PENDING_VE_DISABLE

/* The order matters: later rows see the writes of earlier ones. */
static const struct md_case md_cases[] = {
	{ "CONFIG_FLAGS", GUEST_RD, TDCS_CONFIG_FLAGS, .want_value = TDX_CONFIG_FLAGS_NO_RBP_MOD },
	{ "CONFIG_FLAGS is read-only", GUEST_WR, TDCS_CONFIG_FLAGS, 1, U64_MAX,
	  TDX_METADATA_FIELD_NOT_WRITABLE },
	{ "TSC_OFFSET is the host's", GUEST_RD, TDCS_EXEC(TD_TDCS_EXEC_TSC_OFFSET),
	  .want = TDX_METADATA_FIELD_NOT_READABLE },
	{ "TSC_MULTIPLIER", TD_RD, TDCS_EXEC(TD_TDCS_EXEC_TSC_MULTIPLIER),
	  .want_value = BIT_ULL(48) },
	{ "NOTIFY_ENABLES", GUEST_WR, TDCS_NOTIFY_ENABLES, 1, U64_MAX },
	{ "NOTIFY_ENABLES reads back", GUEST_RD, TDCS_NOTIFY_ENABLES, .want_value = 1 },
	{ "NOTIFY_ENABLES, no bit of it", GUEST_WR, TDCS_NOTIFY_ENABLES, 2, 2,
	  TDX_METADATA_FIELD_NOT_WRITABLE },
	{ "NOTIFY_ENABLES is the TD's", TD_RD, TDCS_NOTIFY_ENABLES,
	  .want = TDX_METADATA_FIELD_NOT_READABLE },
	{ "NUM_VCPUS", TD_RD, MD_NUM_VCPUS, .want_value = 1 },
	{ "XFAM", GUEST_RD, MD_XFAM, .want_value = 3 },
	{ "MAX_VCPUS", GUEST_RD, MD_XFAM + 1, .want_value = 1 },
	{ "last 8 bytes of MROWNER", GUEST_RD, MD_MROWNER + 5, .want_value = MROWNER_LAST },
	{ "behind MROWNER", GUEST_RD, MD_MROWNER + 6, .want = TDX_METADATA_FIELD_ID_INCORRECT },
	{ "RTMR is the TD's", TD_RD, MD_RTMR, .want = TDX_METADATA_FIELD_NOT_READABLE },
	{ "RTMR", GUEST_RD, MD_RTMR + 23 },
	{ "CPUID_VALUES is the host's", GUEST_RD, TD_MD_FIELD_ID_CPUID_VALUES | 0x1fe,
	  .want = TDX_METADATA_FIELD_NOT_READABLE },
	{ "VCPU_INDEX", GUEST_VP_RD, MD_VCPU_INDEX },
	{ "VCPU_INDEX is read-only", GUEST_VP_WR, MD_VCPU_INDEX, 1, U64_MAX,
	  TDX_METADATA_FIELD_NOT_WRITABLE },
	{ "CPUID_CONTROL", GUEST_VP_WR, MD_CPUID_CONTROL, U64_MAX, U64_MAX },
	{ "CPUID_CONTROL reads back", GUEST_VP_RD, MD_CPUID_CONTROL, .want_value = 3 },
	{ "CPUID_CONTROL is the TD's", VP_RD, MD_CPUID_CONTROL,
	  .want = TDX_METADATA_FIELD_NOT_READABLE },
	{ "PEND_NMI is the host's", GUEST_VP_RD, TDVPS_MANAGEMENT(TD_VCPU_PEND_NMI),
	  .want = TDX_METADATA_FIELD_NOT_READABLE },
	{ "no such field of a vCPU for the TD", GUEST_VP_WR, MD_VCPU_INDEX + 1, 1, 1,
	  TDX_METADATA_FIELD_ID_INCORRECT },
	{ "no such field for the TD", GUEST_WR, MD_XFAM + 5, 1, 1,
	  TDX_METADATA_FIELD_ID_INCORRECT },
	{ "TD_CTLS", GUEST_RD, TDCS_TD_CTLS, .want_value = PENDING_VE },
	{ "TD_CTLS.REDUCE_VE", GUEST_WR, TDCS_TD_CTLS, TD_CTLS_REDUCE_VE, TD_CTLS_REDUCE_VE,
	  TDX_METADATA_FIELD_NOT_WRITABLE },
	{ "TD_CTLS without FLEXIBLE_PENDING_VE", GUEST_WR, TDCS_TD_CTLS, 0, PENDING_VE,
	  TDX_METADATA_FIELD_VALUE_NOT_VALID },
	{ "no such field of a TD", TD_RD, TDCS_EXEC(0xffff),
	  .want = TDX_METADATA_FIELD_ID_INCORRECT },
	{ "CPUID 0", TD_RD, TD_MD_FIELD_ID_CPUID_VALUES | 0x1fe | 1,
	  .want = TDX_SUCCESS, .want_value = U64_MAX },
	{ "CPUID 7 without subleaf", TD_RD, TD_MD_FIELD_ID_CPUID_VALUES | 7 << 9 | 0x1fe,
	  .want = TDX_METADATA_FIELD_ID_INCORRECT },
	{ "CPUID 0x21.0", TD_RD, TD_MD_FIELD_ID_CPUID_VALUES | 0x21 << 9,
	  .want_value = 0x65746e49ULL << 32 },
	{ "CPUID 0x80000000", TD_RD, TD_MD_FIELD_ID_CPUID_VALUES | BIT(16) | 0x1fe,
	  .want_value = 0x80000008 },
	{ "PIN_BASED, nothing to be turned on", VP_WR, VMCS_FIELD(PIN_BASED_VM_EXEC_CONTROL),
	  0, U64_MAX },
	{ "PIN_BASED before its vector", VP_WR, VMCS_FIELD(PIN_BASED_VM_EXEC_CONTROL),
	  PIN_BASED_POSTED_INTR, U64_MAX, TDX_TD_VMCS_FIELD_NOT_INITIALIZED | POSTED_INTR_NV },
	{ "POSTED_INTR_NV of 9 bits", VP_WR, VMCS_FIELD(POSTED_INTR_NV), 0x100, U16_MAX,
	  TDX_METADATA_FIELD_VALUE_NOT_VALID },
	{ "POSTED_INTR_NV", VP_WR, VMCS_FIELD(POSTED_INTR_NV), 0xf2, U16_MAX,
	  .want_value = U16_MAX },
	{ "PIN_BASED before its descriptor", VP_WR, VMCS_FIELD(PIN_BASED_VM_EXEC_CONTROL),
	  PIN_BASED_POSTED_INTR, U64_MAX,
	  TDX_TD_VMCS_FIELD_NOT_INITIALIZED | POSTED_INTR_DESC_ADDR },
	{ "descriptor outside of RAM", VP_WR, VMCS_FIELD(POSTED_INTR_DESC_ADDR), BIT_ULL(51),
	  U64_MAX, TDX_METADATA_FIELD_VALUE_NOT_VALID },
	{ "descriptor", VP_WR, VMCS_FIELD(POSTED_INTR_DESC_ADDR), 0x100000, U64_MAX },
	{ "PIN_BASED", VP_WR, VMCS_FIELD(PIN_BASED_VM_EXEC_CONTROL),
	  PIN_BASED_POSTED_INTR, PIN_BASED_POSTED_INTR },
	{ "PIN_BASED, no bit of it", VP_WR, VMCS_FIELD(PIN_BASED_VM_EXEC_CONTROL),
	  PIN_BASED_NMI_EXITING, PIN_BASED_NMI_EXITING, TDX_METADATA_FIELD_NOT_WRITABLE },
	{ "SHARED_EPTP outside of RAM", VP_WR, VMCS_FIELD(SHARED_EPT_POINTER), BIT_ULL(51),
	  U64_MAX, TDX_METADATA_FIELD_VALUE_NOT_VALID },
	{ "PEND_NMI", VP_WR, TDVPS_MANAGEMENT(TD_VCPU_PEND_NMI), 1, U64_MAX },
	{ "PEND_NMI reads back", VP_RD, TDVPS_MANAGEMENT(TD_VCPU_PEND_NMI), .want_value = 1 },
	{ "VCPU_STATE_DETAILS", VP_RD, TDVPS_STATE_NON_ARCH(TD_VCPU_STATE_DETAILS_NON_ARCH) },
	{ "VCPU_STATE_DETAILS is read-only", VP_WR,
	  TDVPS_STATE_NON_ARCH(TD_VCPU_STATE_DETAILS_NON_ARCH), 1, U64_MAX,
	  TDX_METADATA_FIELD_NOT_WRITABLE },
	{ "no such field of a vCPU to write", VP_WR, VMCS_FIELD(0x7ffe), 1, 1,
	  TDX_METADATA_FIELD_ID_INCORRECT },
	{ "no such field of a vCPU", VP_RD, VMCS_FIELD(0x7ffe),
	  .want = TDX_METADATA_FIELD_ID_INCORRECT },
};

static u64 guest_access(struct kunit *test, struct sim_test_td *td, u64 leaf,
			const struct md_case *c, u64 *value)
{
	struct sim_test_guest guest = {
		.gpr = { [SIM_RDX] = c->field, [SIM_R8] = c->value, [SIM_R9] = c->mask },
	};
	u64 status = sim_test_tdcall(test, td, leaf, &guest);

	*value = guest.gpr[SIM_R8];
	return status;
}

static u64 md_access(struct kunit *test, const struct md_case *c, struct sim_test_td *td,
		     u64 *value)
{
	struct pt_regs regs = { .dx = c->field, .r8 = c->value, .r9 = c->mask };
	u64 status;

	switch (c->op) {
	case GUEST_RD:
		return guest_access(test, td, TDG_VM_RD, c, value);
	case GUEST_WR:
		return guest_access(test, td, TDG_VM_WR, c, value);
	case GUEST_VP_RD:
		return guest_access(test, td, SIM_TDG_VP_RD, c, value);
	case GUEST_VP_WR:
		return guest_access(test, td, SIM_TDG_VP_WR, c, value);
	case TD_RD:
		regs.cx = td->tdr;
		status = sim_test_seamcall(TDH_MNG_RD, &regs);
		break;
	case VP_RD:
		regs.cx = td->tdvpr;
		status = sim_test_seamcall(TDH_VP_RD, &regs);
		break;
	case VP_WR:
		regs.cx = td->tdvpr;
		status = sim_test_seamcall(TDH_VP_WR, &regs);
		break;
	}
	*value = regs.r8;
	return status;
}

static void td_and_vcpu_fields(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_create(test);
	struct td_params *params = __va(td->params);
	const struct md_case *c;

	params->mrowner[5] = MROWNER_LAST;
	sim_test_td_advance(test, td, STAGE_RUNNABLE);

	for (c = md_cases; c < md_cases + ARRAY_SIZE(md_cases); c++) {
		u64 value = 0;

		sim_test_expect(test, c->name, c->want, md_access(test, c, td, &value));
		/* U64_MAX: any value other than 0, as the CPU has it. */
		if (c->want_value == U64_MAX)
			KUNIT_EXPECT_NE_MSG(test, value, 0, "%s", c->name);
		else
			KUNIT_EXPECT_EQ_MSG(test, value, c->want_value,
					    "%s: wanted value 0x%llx, got 0x%llx", c->name,
					    c->want_value, value);
	}
}

/* A walk of the host: each readable field once, in order. */
static void walk_of_host(struct kunit *test, u64 leaf, u64 object, unsigned int want)
{
	struct pt_regs regs = { .cx = object, .dx = SIM_MD_NO_FIELD };
	unsigned int nr;
	u64 field;

	sim_test_expect(test, "-1", TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT,
			sim_test_seamcall(leaf, &regs));
	for (nr = 0; regs.dx != SIM_MD_NO_FIELD; nr++) {
		field = regs.dx;
		sim_test_assert(test, "next", 0, sim_test_seamcall(leaf, &regs));
		KUNIT_ASSERT_TRUE_MSG(test, (regs.dx & TDX_MD_FIELD_SELECT) >
				      (field & TDX_MD_FIELD_SELECT),
				      "field 0x%lx comes after 0x%llx", regs.dx, field);
	}
	KUNIT_EXPECT_EQ_MSG(test, nr, want, "fields of leaf 0x%llx", leaf);
	sim_test_expect(test, "-1 in version 0", TDX_METADATA_FIELD_ID_INCORRECT,
			sim_test_call(leaf & TDX_LEAF_MASK, object, SIM_MD_NO_FIELD, 0, 0));
}

/* RCX of a TDCALL other than 0 names another VM or vCPU. */
static void access_of_another(struct kunit *test, struct sim_test_td *td)
{
	static const struct {
		u64 leaf;
		bool next;		/* in RDX */
	} accesses[] = {
		{ TDG_VM_RD }, { TDG_VM_RD | 1ULL << TDX_VERSION_SHIFT, true }, { TDG_VM_WR },
		{ SIM_TDG_VP_RD, true }, { SIM_TDG_VP_WR },
	};
	struct sim_test_guest guest = { .gpr = { [SIM_RCX] = 1 } };
	int i;

	for (i = 0; i < ARRAY_SIZE(accesses); i++) {
		guest.gpr[SIM_RDX] = MD_XFAM;
		guest.gpr[SIM_R8] = 1;
		sim_test_expect(test, "RCX of 1", TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX,
				sim_test_tdcall(test, td, accesses[i].leaf, &guest));
		sim_test_expect(test, "R8", 0, guest.gpr[SIM_R8]);
		sim_test_expect(test, "RDX", accesses[i].next ? SIM_MD_NO_FIELD : MD_XFAM,
				guest.gpr[SIM_RDX]);
	}
}

/* Version 1 gives the next field. */
static void td_and_vcpu_walk(struct kunit *test)
{
	const u64 version_1 = 1ULL << TDX_VERSION_SHIFT;
	struct sim_test_td *td = sim_test_td_create(test);
	struct sim_test_guest guest = {};
	u64 last = 0;

	sim_test_td_advance(test, td, STAGE_RUNNABLE);
	/* Rows of metadata.def that the host can read; digests have 6. */
	walk_of_host(test, TDH_MNG_RD | version_1, td->tdr, 11 + 4 * 6);
	walk_of_host(test, TDH_VP_RD | version_1, td->tdvpr, 6);

	guest.gpr[SIM_RDX] = SIM_MD_NO_FIELD;
	sim_test_expect(test, "VM.RD of -1", TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT,
			sim_test_tdcall(test, td, TDG_VM_RD | version_1, &guest));
	while (guest.gpr[SIM_RDX] != SIM_MD_NO_FIELD) {
		last = guest.gpr[SIM_RDX];
		sim_test_assert(test, "VM.RD", 0,
				sim_test_tdcall(test, td, TDG_VM_RD | version_1, &guest));
	}
	/* 24 parts of RTMRs are the end of what a TD can read. */
	sim_test_expect(test, "last field", MD_RTMR + 23, last);
	access_of_another(test, td);

	/* TDG.VP.RD has only the version that gives the next field. */
	guest.gpr[SIM_RCX] = 0;
	guest.gpr[SIM_RDX] = SIM_MD_NO_FIELD;
	sim_test_expect(test, "VP.RD of -1", TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT,
			sim_test_tdcall(test, td, SIM_TDG_VP_RD, &guest));
	sim_test_expect(test, "first field of the TD's", MD_VCPU_INDEX, guest.gpr[SIM_RDX]);
	sim_test_expect(test, "VP.RD", 0, sim_test_tdcall(test, td, SIM_TDG_VP_RD, &guest));
	sim_test_expect(test, "next", MD_CPUID_CONTROL, guest.gpr[SIM_RDX]);
	guest.gpr[SIM_RDX] = MD_VCPU_INDEX + 1;
	sim_test_expect(test, "VP.RD", TDX_METADATA_FIELD_ID_INCORRECT,
			sim_test_tdcall(test, td, SIM_TDG_VP_RD, &guest));

	/* TDG.SYS.RD is TDH.SYS.RD for the TD. */
	guest.gpr[SIM_RDX] = SIM_MD_NO_FIELD;
	sim_test_expect(test, "SYS.RD of -1", TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT,
			sim_test_tdcall(test, td, SIM_TDG_SYS_RD, &guest));
	sim_test_expect(test, "first field", sys_ids[0], guest.gpr[SIM_RDX]);
	sim_test_expect(test, "SYS.RD", 0, sim_test_tdcall(test, td, SIM_TDG_SYS_RD, &guest));
	sim_test_expect(test, "second field", sys_ids[1], guest.gpr[SIM_RDX]);
	guest.gpr[SIM_RDX] = MD_XFAM;
	sim_test_expect(test, "SYS.RD", TDX_METADATA_FIELD_ID_INCORRECT,
			sim_test_tdcall(test, td, SIM_TDG_SYS_RD, &guest));
}

static struct kunit_case sim_md_cases[] = {
	KUNIT_CASE(sys_walk),
	KUNIT_CASE(sys_lookup),
	KUNIT_CASE(td_and_vcpu_fields),
	KUNIT_CASE(td_and_vcpu_walk),
	{}
};

static struct kunit_suite sim_md_suite = {
	.name = "tdx_sim_metadata",
	.init = sim_test_init,
	.test_cases = sim_md_cases,
};

kunit_test_suite(sim_md_suite);
