// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: SEAMCALLs, and TDs to call them for.
 */
#include <kunit/resource.h>
#include <kunit/test-bug.h>

#include <linux/array_size.h>
#include <linux/bitfield.h>
#include <linux/gfp.h>
#include <linux/sizes.h>
#include <linux/smp.h>

#include <asm/tsc.h>
#include <asm/vmx.h>

#include "debug/names.h"
#include "state/pamt.h"
#include "state/sept.h"
#include "tdh/seamcall.h"
#include "tests/sim_test.h"

static const char *status_name(u64 status)
{
	return sim_name_of(&sim_status_names, status & TDX_SEAMCALL_STATUS_MASK) ?: "status";
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

/*
 * What the leafs answered in this case, each answer once.  The table of leafs in
 * Documentation/arch/x86/tdx-sim-leafs.rst is held against these lines.
 */
#define MAX_ANSWERS		128

static struct {
	u64 leaf;
	u64 status;
} answers[MAX_ANSWERS];

static unsigned int nr_answers;

#define STATUS_CLASS		GENMASK_ULL(47, 40)
#define STATUS_CLASS_OPERAND	1
#define STATUS_CLASS_BUSY	2
#define STATUS_CLASS_PAGE	3
#define STATUS_CLASS_SEPT	0xb

/* Bits 31:0 of the others are a level, an exit reason, the number of a TDMR... */
static bool names_operand(u64 status)
{
	u64 code = status & TDX_SEAMCALL_STATUS_MASK;

	if (code == TDX_OPERAND_INVALID || code == TDX_OPERAND_BUSY)
		return true;
	if (status == code || code == TDX_PAGE_ALREADY_ACCEPTED || code == TDX_PAGE_SIZE_MISMATCH)
		return false;

	switch (FIELD_GET(STATUS_CLASS, status)) {
	case STATUS_CLASS_OPERAND:
	case STATUS_CLASS_BUSY:
	case STATUS_CLASS_PAGE:
	case STATUS_CLASS_SEPT:
		return true;
	}
	return false;
}

static void tell_status(char *text, size_t size, u64 status)
{
	u64 low = status & ~TDX_SEAMCALL_STATUS_MASK;

	if (names_operand(status))
		snprintf(text, size, "%s %s", status_name(status),
			 sim_name_of(&sim_operand_names, low) ?: "?");
	else
		snprintf(text, size, "%s", status_name(status));
}

void sim_test_tell(const struct sim_names *leafs, u64 rax, u64 status)
{
	struct kunit *test = kunit_get_current_test();
	u64 leaf = rax & TDX_LEAF_MASK;
	const char *name = sim_name_of(leafs, leaf);
	char text[64];
	unsigned int i;

	/* TDCALLs are told apart from SEAMCALLs of the same number. */
	leaf |= leafs == &sim_tdcall_names ? BIT(16) : 0;
	for (i = 0; i < nr_answers; i++) {
		if (answers[i].leaf == leaf && answers[i].status == status)
			return;
	}
	if (!test || !name || nr_answers == MAX_ANSWERS)
		return;

	answers[nr_answers].leaf = leaf;
	answers[nr_answers++].status = status;
	tell_status(text, sizeof(text), status);
	kunit_info(test, "%s answers %s\n", name, text);
}

int sim_test_init(struct kunit *test)
{
	static const char *current_case;

	/* The parameters of one case count as one case. */
	if (test->name != current_case)
		nr_answers = 0;
	current_case = test->name;
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

u64 sim_test_seamcall_on(int cpu, u64 rax, struct pt_regs *regs)
{
	regs->ax = rax;
	smp_call_function_single(cpu, seamcall_on_cpu, regs, true);
	/* Not after VMfailInvalid: no leaf answered. */
	if (!(regs->flags & X86_EFLAGS_CF))
		sim_test_tell(&sim_seamcall_names, rax, regs->ax);
	return regs->ax;
}

u64 sim_test_seamcall(u64 rax, struct pt_regs *regs)
{
	return sim_test_seamcall_on(0, rax, regs);
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
		u64 ret = sim_test_seamcall_on(cpu, rax, &regs);

		/* Statuses for a second CPU of a package, or after the last package. */
		if (ret != TDX_KEY_CONFIGURED && ret != TDX_SYS_KEY_CONFIG_NOT_PENDING &&
		    ret != TDX_NO_HKID_READY_TO_WBCACHE && ret != TDX_LIFECYCLE_STATE_INCORRECT)
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

/* Only the PAMT knows whether a page became one of the TD. */
static void reclaim(struct kunit *test, u64 pa)
{
	struct sim_pamt *pamt = sim_pamt_leaf_of(pa);

	if (pamt->type != PT_NDA)
		sim_test_expect(test, "TDH_PHYMEM_PAGE_RECLAIM", 0,
				sim_test_call(TDH_PHYMEM_PAGE_RECLAIM, pa, 0, 0, 0));
	KUNIT_EXPECT_EQ_MSG(test, pamt->type, PT_NDA, "0x%llx: wanted a free page, got type %u",
			    pa, pamt->type);
}

/* End a TD as KVM does, also one that a failed assertion left half-built. */
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
	for (i = 0; td->huge_page && i < PTRS_PER_PTE; i++)
		reclaim(test, td->huge_page + i * PAGE_SIZE);
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
			sim_test_call(TDH_VP_INIT | version_1, td->tdvpr,
				      SIM_TEST_INITIAL_RCX, 0, 0));
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

void sim_test_tables(struct kunit *test, struct sim_test_td *td, u64 gpa, int lowest)
{
	int level;

	for (level = SEPT_ROOT_LEVEL; level >= lowest; level--) {
		u64 info = (gpa & ~(BIT_ULL(PAGE_SHIFT + 9 * level) - 1)) | level;
		u64 status = sim_test_call(TDH_MEM_SEPT_ADD, info, td->tdr,
					   sim_test_td_page(test, td), 0);

		/* A second page finds tables of the first. */
		if (status == (TDX_EPT_ENTRY_STATE_INCORRECT | TDX_OPERAND_ID_RCX))
			td->nr_pages--;
		else
			sim_test_assert(test, "TDH_MEM_SEPT_ADD", 0, status);
	}
}

u64 sim_test_map(struct kunit *test, struct sim_test_td *td, u64 gpa, u64 source)
{
	u64 page = sim_test_td_page(test, td);

	sim_test_tables(test, td, gpa, TDX_PS_2M);

	if (source)
		sim_test_assert(test, "TDH_MEM_PAGE_ADD", 0,
				sim_test_call(TDH_MEM_PAGE_ADD, gpa, td->tdr, page, source));
	else
		sim_test_assert(test, "TDH_MEM_PAGE_AUG", 0,
				sim_test_call(TDH_MEM_PAGE_AUG, gpa, td->tdr, page, 0));
	return page;
}

static void free_huge_page(void *page)
{
	free_pages((unsigned long)page, get_order(SZ_2M));
}

struct sim_test_td *sim_test_huge_td(struct kunit *test, enum sim_test_stage stage)
{
	unsigned long page = __get_free_pages(GFP_KERNEL, get_order(SZ_2M));
	struct sim_test_td *td;

	KUNIT_ASSERT_NE(test, page, 0);
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, free_huge_page, (void *)page));
	td = sim_test_td_create(test);
	td->huge_page = __pa(page);
	sim_test_td_advance(test, td, STAGE_INIT);
	sim_test_tables(test, td, SIM_TEST_HUGE_GPA, TDX_PS_1G);
	sim_test_td_advance(test, td, stage);
	return td;
}

void sim_test_block(struct kunit *test, struct sim_test_td *td, u64 info)
{
	sim_test_assert(test, "TDH_MEM_RANGE_BLOCK", 0,
			sim_test_call(TDH_MEM_RANGE_BLOCK, info, td->tdr, 0, 0));
	sim_test_assert(test, "TDH_MEM_TRACK", 0, sim_test_call(TDH_MEM_TRACK, td->tdr, 0, 0, 0));
}
