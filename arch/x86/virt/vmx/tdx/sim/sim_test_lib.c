// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: SEAMCALLs, and TDs to call them for.
 */
#include <kunit/resource.h>

#include <linux/array_size.h>
#include <linux/gfp.h>
#include <linux/smp.h>

#include <asm/tsc.h>
#include <asm/vmx.h>

#include "mng.h"
#include "sim_test.h"

#define STATUS(_name)	{ .code = _name, .name = #_name }

/* Statuses that the tests want; others are shown as numbers. */
static const struct {
	u64 code;
	const char *name;
} sim_test_statuses[] = {
	STATUS(TDX_SUCCESS),
	STATUS(TDX_OPERAND_INVALID),
	STATUS(TDX_OPERAND_ADDR_RANGE_ERROR),
	STATUS(TDX_OPERAND_BUSY),
	STATUS(TDX_PAGE_METADATA_INCORRECT),
	STATUS(TDX_TD_ASSOCIATED_PAGES_EXIST),
	STATUS(TDX_TD_KEYS_NOT_CONFIGURED),
	STATUS(TDX_TDCS_NOT_ALLOCATED),
	STATUS(TDX_LIFECYCLE_STATE_INCORRECT),
	STATUS(TDX_OP_STATE_INCORRECT),
	STATUS(TDX_NO_VCPUS),
	STATUS(TDX_TDCX_NUM_INCORRECT),
	STATUS(TDX_X2APIC_ID_NOT_UNIQUE),
	STATUS(TDX_VCPU_STATE_INCORRECT),
	STATUS(TDX_VCPU_NOT_ASSOCIATED),
	STATUS(TDX_MAX_VCPUS_EXCEEDED),
	STATUS(TDX_TD_VMCS_FIELD_NOT_INITIALIZED),
	STATUS(TDX_KEY_CONFIGURED),
	STATUS(TDX_WBCACHE_NOT_COMPLETE),
	STATUS(TDX_FLUSHVP_NOT_DONE),
	STATUS(TDX_HKID_NOT_FREE),
	STATUS(TDX_EPT_WALK_FAILED),
	STATUS(TDX_EPT_ENTRY_NOT_PRESENT),
	STATUS(TDX_EPT_ENTRY_STATE_INCORRECT),
	STATUS(TDX_GPA_RANGE_NOT_BLOCKED),
	STATUS(TDX_GPA_RANGE_ALREADY_BLOCKED),
	STATUS(TDX_TLB_TRACKING_NOT_DONE),
	STATUS(TDX_METADATA_FIELD_ID_INCORRECT),
	STATUS(TDX_METADATA_FIELD_NOT_READABLE),
	STATUS(TDX_METADATA_FIELD_NOT_WRITABLE),
	STATUS(TDX_METADATA_FIELD_VALUE_NOT_VALID),
};

static const char *status_name(u64 status)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(sim_test_statuses); i++) {
		if (sim_test_statuses[i].code == (status & TDX_SEAMCALL_STATUS_MASK))
			return sim_test_statuses[i].name;
	}
	return "status";
}

#define STATUS_FMT	"%s: wanted %s 0x%016llx, got %s 0x%016llx"

void sim_test_expect(struct kunit *test, const char *what, u64 want, u64 got)
{
	KUNIT_EXPECT_EQ_MSG(test, want, got, STATUS_FMT, what, status_name(want), want,
			    status_name(got), got);
}

void sim_test_assert(struct kunit *test, const char *what, u64 want, u64 got)
{
	KUNIT_ASSERT_EQ_MSG(test, want, got, STATUS_FMT, what, status_name(want), want,
			    status_name(got), got);
}

int sim_test_init(struct kunit *test)
{
	if (sim_sys.state != SIM_SYS_READY)
		kunit_skip(test, "needs tdx_sim=on on the kernel command line");
	return 0;
}

static void free_test_page(void *page)
{
	free_page((unsigned long)page);
}

u64 sim_test_page(struct kunit *test)
{
	unsigned long page = get_zeroed_page(GFP_KERNEL);

	KUNIT_ASSERT_NE(test, page, 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_test_page, (void *)page));
	return __pa(page);
}

/* Interrupts are off in it, as they are when the kernel traps. */
static void seamcall_on_cpu(void *regs)
{
	sim_seamcall(regs);
}

static u64 seamcall_on(int cpu, u64 rax, struct pt_regs *regs)
{
	regs->ax = rax;
	smp_call_function_single(cpu, seamcall_on_cpu, regs, true);
	return regs->ax;
}

u64 sim_test_seamcall(u64 rax, struct pt_regs *regs)
{
	return seamcall_on(0, rax, regs);
}

u64 sim_test_call(u64 rax, u64 rcx, u64 rdx, u64 r8, u64 r9)
{
	struct pt_regs regs = { .cx = rcx, .dx = rdx, .r8 = r8, .r9 = r9 };

	return sim_test_seamcall(rax, &regs);
}

u64 sim_test_call_packages(u64 rax, u64 rcx)
{
	u64 status = 0;
	int cpu;

	for_each_online_cpu(cpu) {
		struct pt_regs regs = { .cx = rcx };
		u64 ret = seamcall_on(cpu, rax, &regs);

		/* Said of a second CPU of a package, or after the last package. */
		if (ret != TDX_KEY_CONFIGURED && ret != TDX_NO_HKID_READY_TO_WBCACHE &&
		    ret != TDX_LIFECYCLE_STATE_INCORRECT)
			status = status ?: ret;
	}
	return status;
}

void sim_test_params(struct td_params *params)
{
	memset(params, 0, sizeof(*params));
	params->attributes = TDX_TD_ATTR_SEPT_VE_DISABLE;
	params->xfam = SIM_XFAM_FIXED1;
	params->max_vcpus = 1;
	params->eptp_controls = VMX_EPTP_MT_WB | VMX_EPTP_PWL_4;
	params->config_flags = TDX_CONFIG_FLAGS_NO_RBP_MOD;
	params->tsc_frequency = TDX_TSC_KHZ_TO_25MHZ(tsc_khz);
}

static void free_keyid(struct kunit *test, struct sim_test_td *td)
{
	sim_test_expect(test, "TDH_PHYMEM_CACHE_WB", 0,
			sim_test_call_packages(TDH_PHYMEM_CACHE_WB, 0));
	sim_test_expect(test, "TDH_MNG_KEY_FREEID", 0,
			sim_test_call(TDH_MNG_KEY_FREEID, td->tdr, 0, 0, 0));
}

/* Whether a page ever became one of the TD is the PAMT's knowledge. */
static void reclaim(struct kunit *test, u64 pa)
{
	struct sim_pamt *pamt = sim_pamt_of(pa);

	if (pamt->type != PT_NDA)
		sim_test_expect(test, "TDH_PHYMEM_PAGE_RECLAIM", 0,
				sim_test_call(TDH_PHYMEM_PAGE_RECLAIM, pa, 0, 0, 0));
	KUNIT_EXPECT_EQ_MSG(test, pamt->type, PT_NDA, "0x%llx: wanted a free page, got type %u",
			    pa, pamt->type);
}

/* As KVM ends a TD, also one that a failed assertion left half-built. */
static void destroy_td(void *data)
{
	struct sim_test_td *td = data;
	struct kunit *test = td->test;
	int i;

	if (td->stage < STAGE_BLOCKED) {
		/* Refused unless the test gave the TD a vCPU. */
		sim_test_call(TDH_VP_FLUSH, td->tdvpr, 0, 0, 0);
		sim_test_expect(test, "TDH_MNG_VPFLUSHDONE", 0,
				sim_test_call(TDH_MNG_VPFLUSHDONE, td->tdr, 0, 0, 0));
	}
	if (td->stage < STAGE_TEARDOWN)
		free_keyid(test, td);

	for (i = 0; i < SIM_TEST_MAX_PAGES; i++)
		reclaim(test, td->page[i]);
	for (i = 0; i < SIM_TDVPS_NR; i++)
		reclaim(test, td->tdvps[i]);
	reclaim(test, td->tdvpr);
	for (i = 0; i < TDX_TDCS_PAGES; i++)
		reclaim(test, td->tdcx[i]);
	reclaim(test, td->tdr);
}

struct sim_test_td *sim_test_td_create(struct kunit *test)
{
	u64 hkid = sim_sys.keyid_start + sim_sys.nr_keyids - 1;
	struct sim_test_td *td = kunit_kzalloc(test, sizeof(*td), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, td);
	td->test = test;
	td->tdr = sim_test_page(test);
	td->tdvpr = sim_test_page(test);
	td->params = sim_test_page(test);
	for (i = 0; i < TDX_TDCS_PAGES; i++)
		td->tdcx[i] = sim_test_page(test);
	for (i = 0; i < SIM_TDVPS_NR; i++)
		td->tdvps[i] = sim_test_page(test);
	for (i = 0; i < SIM_TEST_MAX_PAGES; i++)
		td->page[i] = sim_test_page(test);
	sim_test_params(__va(td->params));

	sim_test_assert(test, "TDH_MNG_CREATE", 0,
			sim_test_call(TDH_MNG_CREATE, td->tdr, hkid, 0, 0));
	td->stage = STAGE_CREATED;
	/* After the pages, so that it comes before they go. */
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, destroy_td, td));
	return td;
}

static void add_vcpu(struct kunit *test, struct sim_test_td *td)
{
	u64 version_1 = 1ULL << TDX_VERSION_SHIFT;
	int i;

	sim_test_assert(test, "TDH_VP_CREATE", 0,
			sim_test_call(TDH_VP_CREATE, td->tdvpr, td->tdr, 0, 0));
	for (i = 0; i < SIM_TDVPS_NR; i++)
		sim_test_assert(test, "TDH_VP_ADDCX", 0,
				sim_test_call(TDH_VP_ADDCX, td->tdvps[i], td->tdvpr, 0, 0));
	sim_test_assert(test, "TDH_VP_INIT", 0,
			sim_test_call(TDH_VP_INIT | version_1, td->tdvpr, 0, 0, 0));
}

static void advance_to(struct kunit *test, struct sim_test_td *td, enum sim_test_stage stage)
{
	bool has_vcpu = td->stage == STAGE_RUNNABLE;
	int i;

	switch (stage) {
	case STAGE_KEYED:
		sim_test_assert(test, "TDH_MNG_KEY_CONFIG", 0,
				sim_test_call_packages(TDH_MNG_KEY_CONFIG, td->tdr));
		break;
	case STAGE_PAGES:
		for (i = 0; i < TDX_TDCS_PAGES; i++)
			sim_test_assert(test, "TDH_MNG_ADDCX", 0,
					sim_test_call(TDH_MNG_ADDCX, td->tdcx[i], td->tdr, 0, 0));
		break;
	case STAGE_INIT:
		sim_test_assert(test, "TDH_MNG_INIT", 0,
				sim_test_call(TDH_MNG_INIT, td->tdr, td->params, 0, 0));
		break;
	case STAGE_RUNNABLE:
		add_vcpu(test, td);
		sim_test_assert(test, "TDH_MR_FINALIZE", 0,
				sim_test_call(TDH_MR_FINALIZE, td->tdr, 0, 0, 0));
		break;
	case STAGE_BLOCKED:
		if (has_vcpu)
			sim_test_assert(test, "TDH_VP_FLUSH", 0,
					sim_test_call(TDH_VP_FLUSH, td->tdvpr, 0, 0, 0));
		sim_test_assert(test, "TDH_MNG_VPFLUSHDONE", 0,
				sim_test_call(TDH_MNG_VPFLUSHDONE, td->tdr, 0, 0, 0));
		break;
	case STAGE_TEARDOWN:
		free_keyid(test, td);
		break;
	default:
		KUNIT_FAIL_AND_ABORT(test, "no way into stage %d", stage);
	}
	td->stage = stage;
}

void sim_test_td_advance(struct kunit *test, struct sim_test_td *td,
			 enum sim_test_stage stage)
{
	while (td->stage < stage)
		advance_to(test, td, td->stage + 1);
}

u64 sim_test_td_page(struct kunit *test, struct sim_test_td *td)
{
	KUNIT_ASSERT_LT(test, td->nr_pages, SIM_TEST_MAX_PAGES);
	return td->page[td->nr_pages++];
}
