// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: TD and vCPU state machines.
 */
#include <linux/array_size.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include <asm/vmx.h>

#include "state/cpuid.h"
#include "tests/sim_test.h"

/* The call would succeed, which sim_test_td_advance() shows. */
#define OK			TDX_SUCCESS
#define KEYS			TDX_TD_KEYS_NOT_CONFIGURED
#define NO_TDCS			TDX_TDCS_NOT_ALLOCATED
#define OP_STATE		TDX_OP_STATE_INCORRECT
#define LIFECYCLE		TDX_LIFECYCLE_STATE_INCORRECT
#define RCX(code)		((code) | TDX_OPERAND_ID_RCX)

/* What the operands of a leaf are. */
enum leaf_operands {
	TDR_RCX,		/* RCX: TDR, RDX: TD_PARAMS or a field */
	PAGE_RCX_TDR_RDX,	/* RCX: free page */
	GPA_RCX_TDR_RDX,	/* RCX: GPA and level, R8: free page, R9: source */
	TDR_RCX_HKID_RDX,
};

/*
 * Each leaf in each state of a TD: "TD states and the leafs that they allow" of
 * the ABI.  No page of the TD has a mapping.
 */
struct leaf_case {
	const char *name;
	u64 leaf;
	enum leaf_operands operands;
	u64 rdx;
	int level;
	u64 want[STAGE_NR];	/* CREATED KEYED PAGES INIT RUNNABLE BLOCKED TEARDOWN */
	bool tears_down;	/* not stopped by a TD that is fatally broken */
};

#define LEAF(_leaf, _operands, ...) \
	.name = #_leaf, .leaf = SIM_##_leaf, .operands = _operands, .want = { __VA_ARGS__ }

static const struct leaf_case leaf_cases[] = {
	{ LEAF(TDH_MNG_CREATE, TDR_RCX_HKID_RDX,
	       RCX(TDX_PAGE_METADATA_INCORRECT), RCX(TDX_PAGE_METADATA_INCORRECT),
	       RCX(TDX_PAGE_METADATA_INCORRECT), RCX(TDX_PAGE_METADATA_INCORRECT),
	       RCX(TDX_PAGE_METADATA_INCORRECT), RCX(TDX_PAGE_METADATA_INCORRECT),
	       RCX(TDX_PAGE_METADATA_INCORRECT)), .tears_down = true },
	{ LEAF(TDH_MNG_KEY_CONFIG, TDR_RCX,
	       OK, LIFECYCLE, LIFECYCLE, LIFECYCLE, LIFECYCLE, LIFECYCLE, LIFECYCLE) },
	{ LEAF(TDH_MNG_ADDCX, PAGE_RCX_TDR_RDX,
	       KEYS, OK, TDX_TDCX_NUM_INCORRECT, OP_STATE, OP_STATE, KEYS, KEYS) },
	{ LEAF(TDH_MNG_INIT, TDR_RCX,
	       KEYS, NO_TDCS, OK, OP_STATE, OP_STATE, KEYS, KEYS) },
	{ LEAF(TDH_MNG_RD, TDR_RCX,
	       KEYS, NO_TDCS, OP_STATE, OK, OK, KEYS, KEYS),
	  .rdx = TDCS_EXEC(TD_TDCS_EXEC_TSC_OFFSET) },
	{ LEAF(TDH_VP_CREATE, PAGE_RCX_TDR_RDX,
	       KEYS, NO_TDCS, OP_STATE, OK, OP_STATE, KEYS, KEYS) },
	{ LEAF(TDH_MEM_SEPT_ADD, GPA_RCX_TDR_RDX,
	       KEYS, NO_TDCS, OP_STATE, OK, OK, KEYS, KEYS), .level = 3 },
	{ LEAF(TDH_MEM_PAGE_ADD, GPA_RCX_TDR_RDX,
	       KEYS, NO_TDCS, OP_STATE, RCX(TDX_EPT_WALK_FAILED), OP_STATE, KEYS, KEYS) },
	{ LEAF(TDH_MEM_PAGE_AUG, GPA_RCX_TDR_RDX,
	       KEYS, NO_TDCS, OP_STATE, RCX(TDX_EPT_WALK_FAILED), RCX(TDX_EPT_WALK_FAILED),
	       KEYS, KEYS) },
	{ LEAF(TDH_MEM_RANGE_BLOCK, GPA_RCX_TDR_RDX,
	       KEYS, NO_TDCS, OP_STATE, RCX(TDX_EPT_ENTRY_STATE_INCORRECT),
	       RCX(TDX_EPT_ENTRY_STATE_INCORRECT), KEYS, KEYS), .level = 3 },
	{ LEAF(TDH_MEM_PAGE_REMOVE, GPA_RCX_TDR_RDX,
	       KEYS, NO_TDCS, OP_STATE, RCX(TDX_EPT_WALK_FAILED), RCX(TDX_EPT_WALK_FAILED),
	       KEYS, KEYS) },
	{ LEAF(TDH_MEM_PAGE_DEMOTE, GPA_RCX_TDR_RDX,
	       KEYS, NO_TDCS, OP_STATE, RCX(TDX_EPT_WALK_FAILED), RCX(TDX_EPT_WALK_FAILED),
	       KEYS, KEYS), .level = 1 },
	{ LEAF(TDH_MEM_PAGE_PROMOTE, GPA_RCX_TDR_RDX,
	       KEYS, NO_TDCS, OP_STATE, RCX(TDX_EPT_WALK_FAILED), RCX(TDX_EPT_WALK_FAILED),
	       KEYS, KEYS), .level = 1 },
	{ LEAF(TDH_MEM_TRACK, TDR_RCX,
	       KEYS, NO_TDCS, OP_STATE, OK, OK, KEYS, KEYS) },
	{ LEAF(TDH_MR_EXTEND, GPA_RCX_TDR_RDX,
	       KEYS, NO_TDCS, OP_STATE, RCX(TDX_EPT_ENTRY_NOT_PRESENT), OP_STATE, KEYS, KEYS) },
	{ LEAF(TDH_MR_FINALIZE, TDR_RCX,
	       KEYS, NO_TDCS, OP_STATE, TDX_NO_VCPUS, OP_STATE, KEYS, KEYS) },
	{ LEAF(TDH_MNG_VPFLUSHDONE, TDR_RCX,
	       OK, OK, OK, OK, TDX_FLUSHVP_NOT_DONE, LIFECYCLE, LIFECYCLE), .tears_down = true },
	{ LEAF(TDH_MNG_KEY_FREEID, TDR_RCX,
	       LIFECYCLE, LIFECYCLE, LIFECYCLE, LIFECYCLE, LIFECYCLE,
	       TDX_WBCACHE_NOT_COMPLETE, LIFECYCLE), .tears_down = true },
	{ LEAF(TDH_PHYMEM_PAGE_RECLAIM, TDR_RCX,
	       LIFECYCLE, LIFECYCLE, LIFECYCLE, LIFECYCLE, LIFECYCLE, LIFECYCLE,
	       TDX_TD_ASSOCIATED_PAGES_EXIST), .tears_down = true },
};

KUNIT_ARRAY_PARAM_DESC(leaf, leaf_cases, name);

/* The pages in which the module keeps a TD. */
struct td_image {
	u8 tdr[PAGE_SIZE];
	u8 tdcs[PAGE_SIZE];
};

static struct td_image *take_image(struct kunit *test, const struct sim_test_td *td)
{
	struct td_image *image = kunit_kzalloc(test, sizeof(*image), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, image);
	memcpy(image->tdr, __va(td->tdr), PAGE_SIZE);
	memcpy(image->tdcs, __va(td->tdcx[SIM_TDCX_TDCS]), PAGE_SIZE);
	return image;
}

static void expect_unchanged(struct kunit *test, const char *what,
			     const struct td_image *before, const struct sim_test_td *td)
{
	struct td_image *after = take_image(test, td);

	/* Not KUNIT_EXPECT_MEMEQ(), which prints both pages as a whole. */
	KUNIT_EXPECT_TRUE_MSG(test, !memcmp(before->tdr, after->tdr, PAGE_SIZE),
			      "%s: the refused call changed the TDR", what);
	KUNIT_EXPECT_TRUE_MSG(test, !memcmp(before->tdcs, after->tdcs, PAGE_SIZE),
			      "%s: the refused call changed the TDCS", what);
}

static u64 call_leaf(const struct leaf_case *c, const struct sim_test_td *td, u64 page)
{
	u64 hkid = sim_sys.keyid_start + sim_sys.nr_keyids - 1;

	switch (c->operands) {
	case TDR_RCX:
		return sim_test_call(c->leaf, td->tdr, c->rdx ?: td->params, 0, 0);
	case PAGE_RCX_TDR_RDX:
		return sim_test_call(c->leaf, page, td->tdr, 0, 0);
	case GPA_RCX_TDR_RDX:
		return sim_test_call(c->leaf, c->level, td->tdr, page, td->params);
	case TDR_RCX_HKID_RDX:
		return sim_test_call(c->leaf, td->tdr, hkid, 0, 0);
	}
	return 0;
}

static void leaf_in_every_state(struct kunit *test)
{
	static const char * const names[STAGE_NR] = {
		"created", "keyed", "pages", "init", "runnable", "blocked", "teardown",
	};
	const struct leaf_case *c = test->param_value;
	struct sim_test_td *td = sim_test_td_create(test);
	u64 page = sim_test_page(test);
	struct td_image *before;
	int stage;

	for (stage = 0; stage < STAGE_NR; stage++) {
		sim_test_td_advance(test, td, stage);
		if (c->want[stage] == OK)
			continue;

		before = take_image(test, td);
		sim_test_expect(test, names[stage], c->want[stage], call_leaf(c, td, page));
		expect_unchanged(test, names[stage], before, td);
		KUNIT_EXPECT_EQ_MSG(test, sim_pamt_of(page)->type, PT_NDA,
				    "%s: a refused call took its page, type %u", names[stage],
				    sim_pamt_of(page)->type);
	}
}

/* The TDVPR is in RCX, except for the leaf that adds a page to it. */
static u64 call_vp_leaf(u64 leaf, const struct sim_test_td *td, u64 page)
{
	if (leaf == TDH_VP_ADDCX)
		return sim_test_call(leaf, page, td->tdvpr, 0, 0);
	return sim_test_call(leaf, td->tdvpr, 0, 0, 0);
}

static void leaf_of_a_fatal_td(struct kunit *test)
{
	static const struct {
		const char *name;
		u64 leaf;
	} vp_leafs[] = {
		{ "TDH_VP_ADDCX", TDH_VP_ADDCX },
		{ "TDH_VP_INIT", TDH_VP_INIT },
		{ "TDH_VP_RD", TDH_VP_RD },
		{ "TDH_VP_WR", TDH_VP_WR },
		{ "TDH_VP_ENTER", TDH_VP_ENTER },
	};
	struct sim_test_td *td = sim_test_td_create(test);
	u64 page = sim_test_page(test);
	const struct leaf_case *c;
	int i;

	sim_test_td_advance(test, td, STAGE_RUNNABLE);
	((struct sim_td *)__va(td->tdr))->fatal = true;

	for (c = leaf_cases; c < leaf_cases + ARRAY_SIZE(leaf_cases); c++)
		sim_test_expect(test, c->name, c->tears_down ? c->want[STAGE_RUNNABLE] :
				TDX_TD_FATAL, call_leaf(c, td, page));
	for (i = 0; i < ARRAY_SIZE(vp_leafs); i++)
		sim_test_expect(test, vp_leafs[i].name, TDX_TD_FATAL,
				call_vp_leaf(vp_leafs[i].leaf, td, page));

	/* A step of tearing it down. */
	sim_test_expect(test, "TDH_VP_FLUSH", 0, sim_test_call(TDH_VP_FLUSH, td->tdvpr, 0, 0, 0));
}

/* Each leaf of a vCPU, in the states of a TD that has one. */
static void vp_leaf_in_every_state(struct kunit *test)
{
	static const struct {
		const char *name;
		u64 leaf;
		u64 runnable;
	} cases[] = {
		{ "TDH_VP_ADDCX", TDH_VP_ADDCX, OP_STATE },
		{ "TDH_VP_INIT", TDH_VP_INIT, OP_STATE },
		{ "TDH_VP_FLUSH", TDH_VP_FLUSH, OK },
		{ "TDH_VP_RD", TDH_VP_RD, OK },
		{ "TDH_VP_WR", TDH_VP_WR, OK },
		{ "TDH_VP_ENTER", TDH_VP_ENTER, OK },
	};
	struct sim_test_td *td = sim_test_td_create(test);
	u64 page = sim_test_page(test);
	int stage, i;

	for (stage = STAGE_RUNNABLE; stage <= STAGE_BLOCKED; stage++) {
		sim_test_td_advance(test, td, stage);
		for (i = 0; i < ARRAY_SIZE(cases); i++) {
			u64 want = stage == STAGE_BLOCKED ? KEYS : cases[i].runnable;

			if (want != OK)
				sim_test_expect(test, cases[i].name, want,
						call_vp_leaf(cases[i].leaf, td, page));
		}
	}
}

/* One field of TD_PARAMS with a value that the module refuses. */
struct params_case {
	const char *name;
	size_t offset;
	size_t size;
	u64 value;
	u32 operand;
};

#define PARAMS(_name, _field, _value, _operand)				\
	{								\
		.name = _name, .offset = offsetof(struct td_params, _field),	\
		.size = sizeof_field(struct td_params, _field),			\
		.value = _value, .operand = TDX_OPERAND_ID_##_operand,		\
	}

/* In the order in which the module checks. */
static const struct params_case params_cases[] = {
	PARAMS("attributes_debug", attributes, TDX_TD_ATTR_DEBUG, ATTRIBUTES),
	PARAMS("attributes_migratable", attributes, TDX_TD_ATTR_MIGRATABLE, ATTRIBUTES),
	PARAMS("attributes_perfmon", attributes, TDX_TD_ATTR_PERFMON, ATTRIBUTES),
	PARAMS("xfam_without_sse", xfam, 1, XFAM),
	PARAMS("xfam_reserved", xfam, 3 | BIT_ULL(63), XFAM),
	PARAMS("xfam_part_of_avx512", xfam, 7 | BIT_ULL(5), XFAM),
	PARAMS("max_vcpus_0", max_vcpus, 0, MAX_VCPUS),
	PARAMS("max_vcpus_577", max_vcpus, 577, MAX_VCPUS),
	PARAMS("num_l2_vms", reserved0[0], 1, NUM_L2_VMS),
	PARAMS("reserved_20", reserved0[2], 1, RDX),
	PARAMS("gpaw_52", config_flags, TDX_CONFIG_FLAGS_MAX_GPAW, CONFIG_FLAGS),
	PARAMS("flags_reserved", config_flags, BIT_ULL(63), CONFIG_FLAGS),
	PARAMS("eptp_5_levels", eptp_controls, VMX_EPTP_MT_WB | VMX_EPTP_PWL_5, EPTP_CONTROLS),
	PARAMS("eptp_uncached", eptp_controls, VMX_EPTP_PWL_4, EPTP_CONTROLS),
	PARAMS("tsc_too_slow", tsc_frequency, 0, TSC_FREQUENCY),
	PARAMS("tsc_too_fast", tsc_frequency, 401, TSC_FREQUENCY),
	PARAMS("reserved_42", reserved1[0], 1, RDX),
	PARAMS("reserved_79", reserved1[37], 1, RDX),
	PARAMS("msr_config_ctls", reserved0[1], 1, RDX),
	PARAMS("reserved_232", reserved2[1], 1, RDX),
	PARAMS("cpuid_not_configurable", cpuid_values[0].edx, 1, CPUID_CONFIG),
	PARAMS("reserved_1023", reserved3[767], 1, RDX),
	PARAMS("arch_cap_config", reserved2[0], 1, ARCH_CAP_CONFIG),
};

KUNIT_ARRAY_PARAM_DESC(params, params_cases, name);

static void td_params_refused(struct kunit *test)
{
	const struct params_case *c = test->param_value;
	struct sim_test_td *td = sim_test_td_create(test);
	struct pt_regs regs = {};
	struct td_image *before;
	u64 leaf, values[2];

	sim_test_td_advance(test, td, STAGE_PAGES);
	before = take_image(test, td);
	sim_test_expect(test, "TD_PARAMS not aligned", TDX_OPERAND_INVALID | TDX_OPERAND_ID_RDX,
			sim_test_call(TDH_MNG_INIT, td->tdr, td->params + 512, 0, 0));
	sim_test_expect(test, "TD_PARAMS outside of RAM", TDX_OPERAND_INVALID | TDX_OPERAND_ID_RDX,
			sim_test_call(TDH_MNG_INIT, td->tdr,
				      BIT_ULL(boot_cpu_data.x86_phys_bits - 1), 0, 0));
	memcpy(__va(td->params) + c->offset, &c->value, c->size);
	regs.cx = td->tdr;
	regs.dx = td->params;
	sim_test_expect(test, "TDH_MNG_INIT", TDX_OPERAND_INVALID | c->operand,
			sim_test_seamcall(TDH_MNG_INIT, &regs));
	expect_unchanged(test, c->name, before, td);

	sim_cpuid_config(0, &leaf, values);
	sim_test_expect(test, "RCX", c->operand == TDX_OPERAND_ID_CPUID_CONFIG ? leaf : 0,
			regs.cx);

	/* The TD takes better ones. */
	sim_test_params(__va(td->params));
	sim_test_td_advance(test, td, STAGE_INIT);
}

/* Of two faults the module reports the one that it checks first. */
static void td_params_order(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_create(test);
	u8 *params = __va(td->params);
	int i, later;

	sim_test_td_advance(test, td, STAGE_PAGES);
	for (i = 0; i < ARRAY_SIZE(params_cases); i++) {
		const struct params_case *c = &params_cases[i];

		/* One field cannot have two faults. */
		for (later = i + 1; later < ARRAY_SIZE(params_cases); later++) {
			const struct params_case *l = &params_cases[later];

			if (l->offset == c->offset)
				continue;
			sim_test_params(__va(td->params));
			memcpy(params + l->offset, &l->value, l->size);
			memcpy(params + c->offset, &c->value, c->size);
			sim_test_expect(test, c->name, TDX_OPERAND_INVALID | c->operand,
					sim_test_call(TDH_MNG_INIT, td->tdr, td->params, 0, 0));
		}
	}
}

/* The checks of a page operand, at the one place that all leafs share. */
static void page_operand(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_create(test);
	u64 beyond = sim_sys.tdmr[sim_sys.nr_tdmrs - 1].base +
		     sim_sys.tdmr[sim_sys.nr_tdmrs - 1].size;
	u64 page = sim_test_page(test);
	struct sim_pamt *pamt;

	sim_test_td_advance(test, td, STAGE_KEYED);
	sim_test_expect(test, "not aligned", RCX(TDX_OPERAND_INVALID),
			sim_test_call(TDH_MNG_ADDCX, page + 64, td->tdr, 0, 0));
	sim_test_expect(test, "KeyID bits", RCX(TDX_OPERAND_INVALID),
			sim_test_call(TDH_MNG_ADDCX,
				      page | BIT_ULL(boot_cpu_data.x86_phys_bits), td->tdr, 0, 0));
	sim_test_expect(test, "outside of TDMRs", RCX(TDX_OPERAND_ADDR_RANGE_ERROR),
			sim_test_call(TDH_MNG_ADDCX, beyond, td->tdr, 0, 0));
	sim_test_assert(test, "TDH_MNG_ADDCX", 0,
			sim_test_call(TDH_MNG_ADDCX, td->tdcx[0], td->tdr, 0, 0));
	sim_test_expect(test, "in use", RCX(TDX_PAGE_METADATA_INCORRECT),
			sim_test_call(TDH_MNG_ADDCX, td->tdcx[0], td->tdr, 0, 0));
	/* A page cannot be two operands, for the first has locked it. */
	sim_test_expect(test, "the TDR itself", RCX(TDX_OPERAND_BUSY),
			sim_test_call(TDH_MNG_ADDCX, td->tdr, td->tdr, 0, 0));

	sim_test_assert(test, "sim_page_get", 0,
			sim_page_get(page, 0, PT_NDA, SIM_SHARED, &pamt));
	sim_test_expect(test, "locked", RCX(TDX_OPERAND_BUSY),
			sim_test_call(TDH_MNG_ADDCX, page, td->tdr, 0, 0));
	sim_page_put(pamt, SIM_SHARED);

	sim_test_expect(test, "no TDR", TDX_PAGE_METADATA_INCORRECT | TDX_OPERAND_ID_RDX,
			sim_test_call(TDH_MNG_ADDCX, page, page, 0, 0));
	sim_test_expect(test, "HKID of another TD", TDX_HKID_NOT_FREE,
			sim_test_call(TDH_MNG_CREATE, page,
				      sim_sys.keyid_start + sim_sys.nr_keyids - 1, 0, 0));
	sim_test_expect(test, "HKID of the module", TDX_HKID_NOT_FREE,
			sim_test_call(TDH_MNG_CREATE, page, sim_sys.global_keyid, 0, 0));
	sim_test_expect(test, "HKID of MKTME", TDX_OPERAND_INVALID | TDX_OPERAND_ID_RDX,
			sim_test_call(TDH_MNG_CREATE, page, sim_sys.keyid_start - 1, 0, 0));
}

#define VP_INIT_1		(TDH_VP_INIT | 1ULL << TDX_VERSION_SHIFT)

/* From no TDVPR to an initialized vCPU with the x2APIC id 5. */
static void first_vcpu(struct kunit *test, struct sim_test_td *td)
{
	int i;

	sim_test_expect(test, "no TDVPR", RCX(TDX_PAGE_METADATA_INCORRECT),
			sim_test_call(VP_INIT_1, td->tdvpr, 0, 0, 0));
	sim_test_assert(test, "TDH_VP_CREATE", 0,
			sim_test_call(TDH_VP_CREATE, td->tdvpr, td->tdr, 0, 0));
	sim_test_expect(test, "no TDCX", TDX_TDCX_NUM_INCORRECT,
			sim_test_call(VP_INIT_1, td->tdvpr, 0, 0, 0));
	sim_test_expect(test, "no TDCX", TDX_TDCX_NUM_INCORRECT,
			sim_test_call(TDH_VP_FLUSH, td->tdvpr, 0, 0, 0));
	sim_test_expect(test, "no TDCX", TDX_TDCX_NUM_INCORRECT,
			sim_test_call(TDH_VP_RD, td->tdvpr, 0, 0, 0));
	sim_test_expect(test, "no TDCX", TDX_TDCX_NUM_INCORRECT,
			sim_test_call(TDH_VP_WR, td->tdvpr, 0, 0, 0));
	sim_test_expect(test, "TDH_VP_CREATE of a page in use", RCX(TDX_PAGE_METADATA_INCORRECT),
			sim_test_call(TDH_VP_CREATE, td->tdvpr, td->tdr, 0, 0));
	sim_test_expect(test, "TDH_VP_ADDCX of a page in use", RCX(TDX_PAGE_METADATA_INCORRECT),
			sim_test_call(TDH_VP_ADDCX, td->tdcx[0], td->tdvpr, 0, 0));
	sim_test_expect(test, "TDH_VP_ADDCX, not aligned", RCX(TDX_OPERAND_INVALID),
			sim_test_call(TDH_VP_ADDCX, td->tdcx[0] + 8, td->tdvpr, 0, 0));
	sim_test_expect(test, "TDH_VP_ADDCX, locked", RCX(TDX_OPERAND_BUSY),
			sim_test_call(TDH_VP_ADDCX, td->tdvpr, td->tdvpr, 0, 0));
	for (i = 0; i < SIM_TDVPS_NR; i++)
		sim_test_assert(test, "TDH_VP_ADDCX", 0,
				sim_test_call(TDH_VP_ADDCX, td->tdvps[i], td->tdvpr, 0, 0));
	sim_test_expect(test, "TDH_VP_ADDCX, one too many", TDX_TDCX_NUM_INCORRECT,
			sim_test_call(TDH_VP_ADDCX, sim_test_page(test), td->tdvpr, 0, 0));
	sim_test_expect(test, "not initialized", TDX_VCPU_STATE_INCORRECT,
			sim_test_call(TDH_VP_RD, td->tdvpr, TDVPS_VMCS(POSTED_INTR_NV), 0, 0));
	sim_test_expect(test, "x2APIC id of 33 bits", TDX_OPERAND_INVALID | TDX_OPERAND_ID_R8,
			sim_test_call(VP_INIT_1, td->tdvpr, 0, BIT_ULL(32), 0));
	sim_test_expect(test, "not associated", TDX_VCPU_NOT_ASSOCIATED,
			sim_test_call(TDH_VP_FLUSH, td->tdvpr, 0, 0, 0));
	sim_test_expect(test, "not initialized", TDX_VCPU_STATE_INCORRECT,
			sim_test_call(TDH_VP_WR, td->tdvpr, TDVPS_VMCS(POSTED_INTR_NV), 0, 0));
	sim_test_assert(test, "TDH_VP_INIT", 0, sim_test_call(VP_INIT_1, td->tdvpr, 0, 5, 0));
	sim_test_expect(test, "TDH_VP_ADDCX of an initialized one", TDX_VCPU_STATE_INCORRECT,
			sim_test_call(TDH_VP_ADDCX, sim_test_page(test), td->tdvpr, 0, 0));
	sim_test_expect(test, "TDH_VP_INIT again", TDX_VCPU_STATE_INCORRECT,
			sim_test_call(VP_INIT_1, td->tdvpr, 0, 5, 0));
}

static void second_vcpu(struct kunit *test, struct sim_test_td *td)
{
	u64 second = sim_test_td_page(test, td);
	int i;

	sim_test_assert(test, "second TDH_VP_CREATE", 0,
			sim_test_call(TDH_VP_CREATE, second, td->tdr, 0, 0));
	for (i = 0; i < SIM_TDVPS_NR; i++)
		sim_test_assert(test, "second TDH_VP_ADDCX", 0,
				sim_test_call(TDH_VP_ADDCX, sim_test_td_page(test, td),
					      second, 0, 0));
	sim_test_expect(test, "x2APIC id of the first", TDX_X2APIC_ID_NOT_UNIQUE,
			sim_test_call(VP_INIT_1, second, 0, 5, 0));
	sim_test_expect(test, "second of one", TDX_MAX_VCPUS_EXCEEDED,
			sim_test_call(VP_INIT_1, second, 0, 6, 0));
}

static void vcpu_states(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_create(test);
	u64 third;

	sim_test_td_advance(test, td, STAGE_INIT);
	first_vcpu(test, td);
	second_vcpu(test, td);

	sim_test_expect(test, "TDH_MNG_VPFLUSHDONE", TDX_FLUSHVP_NOT_DONE,
			sim_test_call(TDH_MNG_VPFLUSHDONE, td->tdr, 0, 0, 0));
	sim_test_expect(test, "TDH_VP_ENTER", OP_STATE,
			sim_test_call(TDH_VP_ENTER, td->tdvpr, 0, 0, 0));
	third = sim_test_td_page(test, td);
	sim_test_assert(test, "third TDH_VP_CREATE", 0,
			sim_test_call(TDH_VP_CREATE, third, td->tdr, 0, 0));
	sim_test_assert(test, "TDH_MR_FINALIZE", 0,
			sim_test_call(TDH_MR_FINALIZE, td->tdr, 0, 0, 0));
	sim_test_expect(test, "no TDCX", TDX_TDCX_NUM_INCORRECT,
			sim_test_call(TDH_VP_ENTER, third, 0, 0, 0));
	sim_test_assert(test, "TDH_VP_FLUSH", 0, sim_test_call(TDH_VP_FLUSH, td->tdvpr, 0, 0, 0));
	sim_test_expect(test, "TDH_VP_FLUSH again", TDX_VCPU_NOT_ASSOCIATED,
			sim_test_call(TDH_VP_FLUSH, td->tdvpr, 0, 0, 0));
}

static struct kunit_case sim_td_cases[] = {
	KUNIT_CASE_PARAM(leaf_in_every_state, leaf_gen_params),
	KUNIT_CASE(leaf_of_a_fatal_td),
	KUNIT_CASE(vp_leaf_in_every_state),
	KUNIT_CASE_PARAM(td_params_refused, params_gen_params),
	KUNIT_CASE(td_params_order),
	KUNIT_CASE(page_operand),
	KUNIT_CASE(vcpu_states),
	{}
};

static struct kunit_suite sim_td_suite = {
	.name = "tdx_sim_td",
	.init = sim_test_init,
	.test_cases = sim_td_cases,
};

kunit_test_suite(sim_td_suite);
