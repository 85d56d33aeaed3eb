// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: the objects of each leaf, locked by
 * another caller, or of a wrong kind.
 */
#include <linux/array_size.h>

#include <asm/processor.h>
#include <asm/tsc.h>

#include "debug/contention.h"
#include "state/sept.h"
#include "tests/sim_test.h"

#define GPA_MAPPED_PAGE		0x7ffff000ULL
#define GPA_FREE_PAGE		(GPA_MAPPED_PAGE - PAGE_SIZE)
#define GPA_FREE_TABLE		(0x40000000ULL | 1)

/* What an operand is. */
enum operand {
	NONE,
	TDR,
	TDVPR,
	FREE,			/* a free page */
	MAPPED,			/* the page at GPA_MAPPED_PAGE */
	PARAMS,
	SOURCE,
	HKID,
	AT_MAPPED,
	AT_FREE,
	AT_TABLE,
	FIELD,			/* of a TD */
	VP_FIELD,
	TDMR_BASE,
};

enum which_lock {
	LOCK_SYS,
	LOCK_KOT,
	LOCK_TDMR,
	LOCK_TDR,
	LOCK_TDVPR,
	LOCK_FREE,
	LOCK_MAPPED,
	LOCK_TREE,
	LOCK_EPOCH,
	LOCK_ENTRY,		/* of the GPA in RCX */
};

/* @after: the answer without the lock; the call shows that its operands are good. */
struct busy_case {
	const char *name;
	u64 leaf;
	enum sim_test_stage stage;
	enum which_lock lock;
	enum sim_lock_mode mode;
	u64 want;
	enum operand rcx, rdx, r8, r9;
	u64 after;
};

#define BUSY(_operand)	(TDX_OPERAND_BUSY | TDX_OPERAND_ID_##_operand)
#define VP_INIT_V1	(TDH_VP_INIT | 1ULL << TDX_VERSION_SHIFT)
#define ANY_ANSWER	U64_MAX

static const struct busy_case busy_cases[] = {
	{ "SYS_INIT.sys", TDH_SYS_INIT, STAGE_CREATED, LOCK_SYS, SIM_SHARED, TDX_SYS_BUSY,
	  .after = TDX_SYS_INIT_NOT_PENDING },
	{ "SYS_LP_INIT.sys", TDH_SYS_LP_INIT, STAGE_CREATED, LOCK_SYS, SIM_EXCL, TDX_SYS_BUSY,
	  .after = TDX_SYS_LP_INIT_DONE },
	{ "SYS_CONFIG.sys", TDH_SYS_CONFIG, STAGE_CREATED, LOCK_SYS, SIM_SHARED, TDX_SYS_BUSY,
	  .after = TDX_SYS_CONFIG_NOT_PENDING },
	{ "SYS_KEY_CONFIG.sys", TDH_SYS_KEY_CONFIG, STAGE_CREATED, LOCK_SYS, SIM_SHARED,
	  TDX_SYS_BUSY, .after = TDX_SYS_KEY_CONFIG_NOT_PENDING },
	{ "SYS_TDMR_INIT.tdmr", TDH_SYS_TDMR_INIT, STAGE_CREATED, LOCK_TDMR, SIM_SHARED,
	  BUSY(RCX), TDMR_BASE, .after = TDX_TDMR_ALREADY_INITIALIZED },

	{ "MNG_CREATE.page", TDH_MNG_CREATE, STAGE_CREATED, LOCK_FREE, SIM_SHARED, BUSY(RCX),
	  FREE, HKID, .after = TDX_HKID_NOT_FREE },
	{ "MNG_CREATE.kot", TDH_MNG_CREATE, STAGE_CREATED, LOCK_KOT, SIM_SHARED, BUSY(KOT),
	  FREE, HKID, .after = TDX_HKID_NOT_FREE },
	{ "MNG_KEY_CONFIG.tdr", TDH_MNG_KEY_CONFIG, STAGE_CREATED, LOCK_TDR, SIM_SHARED,
	  BUSY(RCX), TDR },
	{ "MNG_ADDCX.tdr", TDH_MNG_ADDCX, STAGE_PAGES, LOCK_TDR, SIM_SHARED, BUSY(RDX),
	  FREE, TDR, .after = TDX_TDCX_NUM_INCORRECT },
	{ "MNG_INIT.tdr", TDH_MNG_INIT, STAGE_PAGES, LOCK_TDR, SIM_SHARED, BUSY(RCX), TDR, PARAMS },
	{ "MNG_RD.tdr", TDH_MNG_RD, STAGE_INIT, LOCK_TDR, SIM_EXCL, BUSY(RCX), TDR, FIELD },
	{ "MNG_VPFLUSHDONE.tdr", TDH_MNG_VPFLUSHDONE, STAGE_RUNNABLE, LOCK_TDR, SIM_SHARED,
	  BUSY(RCX), TDR, .after = TDX_FLUSHVP_NOT_DONE },
	{ "MNG_VPFLUSHDONE.kot", TDH_MNG_VPFLUSHDONE, STAGE_RUNNABLE, LOCK_KOT, SIM_SHARED,
	  BUSY(KOT), TDR, .after = TDX_FLUSHVP_NOT_DONE },
	{ "MNG_KEY_FREEID.tdr", TDH_MNG_KEY_FREEID, STAGE_BLOCKED, LOCK_TDR, SIM_SHARED,
	  BUSY(RCX), TDR, .after = TDX_WBCACHE_NOT_COMPLETE },
	{ "MNG_KEY_FREEID.kot", TDH_MNG_KEY_FREEID, STAGE_BLOCKED, LOCK_KOT, SIM_SHARED,
	  BUSY(KOT), TDR, .after = TDX_WBCACHE_NOT_COMPLETE },

	{ "VP_CREATE.tdr", TDH_VP_CREATE, STAGE_INIT, LOCK_TDR, SIM_EXCL, BUSY(RDX), FREE, TDR,
	  .after = ANY_ANSWER },
	{ "VP_CREATE.page", TDH_VP_CREATE, STAGE_INIT, LOCK_FREE, SIM_SHARED, BUSY(RCX), FREE, TDR,
	  .after = ANY_ANSWER },
	{ "VP_ADDCX.tdvpr", TDH_VP_ADDCX, STAGE_INIT, LOCK_TDVPR, SIM_SHARED, BUSY(RDX),
	  FREE, TDVPR },
	{ "VP_ADDCX.page", TDH_VP_ADDCX, STAGE_INIT, LOCK_FREE, SIM_SHARED, BUSY(RCX),
	  FREE, TDVPR },
	{ "VP_ADDCX.tdr", TDH_VP_ADDCX, STAGE_INIT, LOCK_TDR, SIM_EXCL, BUSY(TDR),
	  FREE, TDVPR },
	{ "VP_INIT.tdvpr", VP_INIT_V1, STAGE_INIT, LOCK_TDVPR, SIM_SHARED, BUSY(RCX), TDVPR },
	{ "VP_INIT.tdr", VP_INIT_V1, STAGE_INIT, LOCK_TDR, SIM_SHARED, BUSY(TDR), TDVPR },
	{ "VP_INIT.tdr_version_0", TDH_VP_INIT, STAGE_INIT, LOCK_TDR, SIM_EXCL, BUSY(TDR), TDVPR },
	{ "VP_INIT.tdr_shared_version_0", TDH_VP_INIT, STAGE_INIT, LOCK_TDR, SIM_SHARED, 0,
	  TDVPR, .after = TDX_VCPU_STATE_INCORRECT },
	{ "VP_FLUSH.tdvpr", TDH_VP_FLUSH, STAGE_RUNNABLE, LOCK_TDVPR, SIM_SHARED, BUSY(RCX),
	  TDVPR },
	{ "VP_FLUSH.tdr", TDH_VP_FLUSH, STAGE_RUNNABLE, LOCK_TDR, SIM_EXCL, BUSY(TDR), TDVPR },
	{ "VP_RD.tdvpr", TDH_VP_RD, STAGE_RUNNABLE, LOCK_TDVPR, SIM_EXCL, BUSY(RCX),
	  TDVPR, VP_FIELD },
	{ "VP_RD.tdr", TDH_VP_RD, STAGE_RUNNABLE, LOCK_TDR, SIM_EXCL, BUSY(TDR), TDVPR, VP_FIELD },
	{ "VP_WR.tdvpr", TDH_VP_WR, STAGE_RUNNABLE, LOCK_TDVPR, SIM_EXCL, BUSY(RCX),
	  TDVPR, VP_FIELD, .after = TDX_METADATA_FIELD_NOT_WRITABLE },
	{ "VP_WR.tdr", TDH_VP_WR, STAGE_RUNNABLE, LOCK_TDR, SIM_EXCL, BUSY(TDR),
	  TDVPR, VP_FIELD, .after = TDX_METADATA_FIELD_NOT_WRITABLE },
	{ "VP_ENTER.tdvpr", TDH_VP_ENTER, STAGE_RUNNABLE, LOCK_TDVPR, SIM_EXCL, BUSY(RCX),
	  TDVPR, .after = ANY_ANSWER },
	{ "VP_ENTER.tdr", TDH_VP_ENTER, STAGE_RUNNABLE, LOCK_TDR, SIM_EXCL, BUSY(TDR),
	  TDVPR, .after = ANY_ANSWER },
	{ "VP_ENTER.epoch", TDH_VP_ENTER, STAGE_RUNNABLE, LOCK_EPOCH, SIM_EXCL, BUSY(TD_EPOCH),
	  TDVPR, .after = ANY_ANSWER },

	{ "MEM_SEPT_ADD.tdr", TDH_MEM_SEPT_ADD, STAGE_INIT, LOCK_TDR, SIM_EXCL, BUSY(RDX),
	  AT_TABLE, TDR, FREE, .after = ANY_ANSWER },
	{ "MEM_SEPT_ADD.tree", TDH_MEM_SEPT_ADD, STAGE_INIT, LOCK_TREE, SIM_EXCL, BUSY(SEPT),
	  AT_TABLE, TDR, FREE, .after = ANY_ANSWER },
	{ "MEM_SEPT_ADD.entry", TDH_MEM_SEPT_ADD, STAGE_INIT, LOCK_ENTRY, SIM_EXCL, BUSY(RCX),
	  AT_TABLE, TDR, FREE, .after = ANY_ANSWER },
	{ "MEM_SEPT_ADD.page", TDH_MEM_SEPT_ADD, STAGE_INIT, LOCK_FREE, SIM_SHARED, BUSY(R8),
	  AT_TABLE, TDR, FREE, .after = ANY_ANSWER },
	{ "MEM_PAGE_ADD.tdr", TDH_MEM_PAGE_ADD, STAGE_INIT, LOCK_TDR, SIM_SHARED, BUSY(RDX),
	  AT_FREE, TDR, FREE, SOURCE },
	{ "MEM_PAGE_ADD.page", TDH_MEM_PAGE_ADD, STAGE_INIT, LOCK_FREE, SIM_SHARED, BUSY(R8),
	  AT_FREE, TDR, FREE, SOURCE },
	{ "MEM_PAGE_AUG.tdr", TDH_MEM_PAGE_AUG, STAGE_RUNNABLE, LOCK_TDR, SIM_EXCL, BUSY(RDX),
	  AT_FREE, TDR, FREE },
	{ "MEM_PAGE_AUG.tree", TDH_MEM_PAGE_AUG, STAGE_RUNNABLE, LOCK_TREE, SIM_EXCL, BUSY(SEPT),
	  AT_FREE, TDR, FREE },
	{ "MEM_PAGE_AUG.entry", TDH_MEM_PAGE_AUG, STAGE_RUNNABLE, LOCK_ENTRY, SIM_EXCL, BUSY(RCX),
	  AT_FREE, TDR, FREE },
	{ "MEM_PAGE_AUG.page", TDH_MEM_PAGE_AUG, STAGE_RUNNABLE, LOCK_FREE, SIM_SHARED, BUSY(R8),
	  AT_FREE, TDR, FREE },
	{ "MEM_RANGE_BLOCK.tdr", TDH_MEM_RANGE_BLOCK, STAGE_RUNNABLE, LOCK_TDR, SIM_EXCL,
	  BUSY(RDX), AT_MAPPED, TDR },
	{ "MEM_RANGE_BLOCK.tree", TDH_MEM_RANGE_BLOCK, STAGE_RUNNABLE, LOCK_TREE, SIM_SHARED,
	  BUSY(SEPT), AT_MAPPED, TDR },
	{ "MEM_RANGE_BLOCK.entry", TDH_MEM_RANGE_BLOCK, STAGE_RUNNABLE, LOCK_ENTRY, SIM_EXCL,
	  BUSY(RCX), AT_MAPPED, TDR },
	{ "MEM_TRACK.tdr", TDH_MEM_TRACK, STAGE_RUNNABLE, LOCK_TDR, SIM_EXCL, BUSY(RCX), TDR },
	{ "MEM_TRACK.epoch", TDH_MEM_TRACK, STAGE_RUNNABLE, LOCK_EPOCH, SIM_SHARED,
	  BUSY(TD_EPOCH), TDR },
	{ "MEM_PAGE_REMOVE.tdr", TDH_MEM_PAGE_REMOVE, STAGE_INIT, LOCK_TDR, SIM_EXCL, BUSY(RDX),
	  AT_MAPPED, TDR },
	{ "MEM_PAGE_REMOVE.tree", TDH_MEM_PAGE_REMOVE, STAGE_INIT, LOCK_TREE, SIM_EXCL,
	  BUSY(SEPT), AT_MAPPED, TDR },
	{ "MEM_PAGE_REMOVE.entry", TDH_MEM_PAGE_REMOVE, STAGE_INIT, LOCK_ENTRY, SIM_EXCL,
	  BUSY(RCX), AT_MAPPED, TDR },
	{ "MEM_PAGE_REMOVE.page", TDH_MEM_PAGE_REMOVE, STAGE_INIT, LOCK_MAPPED, SIM_SHARED,
	  BUSY(RCX), AT_MAPPED, TDR },

	{ "MR_EXTEND.tdr", TDH_MR_EXTEND, STAGE_INIT, LOCK_TDR, SIM_SHARED, BUSY(RDX),
	  AT_MAPPED, TDR },
	{ "MR_FINALIZE.tdr", TDH_MR_FINALIZE, STAGE_INIT, LOCK_TDR, SIM_SHARED, BUSY(RCX),
	  TDR, .after = TDX_NO_VCPUS },
	{ "PHYMEM_PAGE_RECLAIM.page", TDH_PHYMEM_PAGE_RECLAIM, STAGE_TEARDOWN, LOCK_MAPPED,
	  SIM_SHARED, BUSY(RCX), MAPPED },
	{ "PHYMEM_PAGE_RECLAIM.tdr", TDH_PHYMEM_PAGE_RECLAIM, STAGE_TEARDOWN, LOCK_TDR, SIM_EXCL,
	  BUSY(TDR), MAPPED },
	{ "PHYMEM_PAGE_WBINVD.page", TDH_PHYMEM_PAGE_WBINVD, STAGE_CREATED, LOCK_FREE, SIM_EXCL,
	  BUSY(RCX), FREE },
	{ "PHYMEM_CACHE_WB.kot", TDH_PHYMEM_CACHE_WB, STAGE_CREATED, LOCK_KOT, SIM_EXCL,
	  BUSY(KOT), .after = TDX_NO_HKID_READY_TO_WBCACHE },
};

KUNIT_ARRAY_PARAM_DESC(busy, busy_cases, name);

struct busy_fixture {
	struct sim_test_td *td;
	u64 free;
	u64 mapped;
	u64 source;
};

static u64 resolve(enum operand operand, const struct busy_fixture *f)
{
	switch (operand) {
	case NONE:	return 0;
	case TDR:	return f->td->tdr;
	case TDVPR:	return f->td->tdvpr;
	case FREE:	return f->free;
	case MAPPED:	return f->mapped;
	case PARAMS:	return f->td->params;
	case SOURCE:	return f->source;
	case HKID:	return sim_sys.keyid_start + sim_sys.nr_keyids - 1;
	case AT_MAPPED:	return GPA_MAPPED_PAGE;
	case AT_FREE:	return GPA_FREE_PAGE;
	case AT_TABLE:	return GPA_FREE_TABLE;
	case FIELD:	return TDCS_EXEC(TD_TDCS_EXEC_TSC_OFFSET);
	case VP_FIELD:	return TDVPS_MANAGEMENT(TD_VCPU_PEND_NMI);
	case TDMR_BASE:	return sim_sys.tdmr[0].base;
	}
	return 0;
}

static u64 *entry_of(const struct busy_fixture *f, u64 info)
{
	struct sim_td *td = __va(f->td->tdr);
	int found;

	return sim_sept_walk(td->tdcs, info & TDX_PAGE_INFO_GPA, info & TDX_PAGE_INFO_LEVEL,
			     &found);
}

static struct sim_lock *lock_of(enum which_lock lock, const struct busy_fixture *f)
{
	struct sim_td *td = __va(f->td->tdr);

	switch (lock) {
	case LOCK_SYS:		return &sim_sys.lock;
	case LOCK_KOT:		return &sim_sys.kot_lock;
	case LOCK_TDMR:		return &sim_sys.tdmr[0].lock;
	case LOCK_TDR:		return &sim_pamt_of(f->td->tdr)->lock;
	case LOCK_TDVPR:	return &sim_pamt_of(f->td->tdvpr)->lock;
	case LOCK_FREE:		return &sim_pamt_of(f->free)->lock;
	case LOCK_MAPPED:	return &sim_pamt_of(f->mapped)->lock;
	case LOCK_TREE:		return &td->tdcs->sept_lock;
	case LOCK_EPOCH:	return &td->tdcs->epoch_lock;
	case LOCK_ENTRY:	return NULL;
	}
	return NULL;
}

/* A vCPU that lacks only TDH.VP.INIT, and for TDH.VP.ADDCX one page. */
static void add_raw_vcpu(struct kunit *test, struct sim_test_td *td, u64 leaf)
{
	int nr = SIM_TDVPS_NR - (leaf == TDH_VP_ADDCX);
	int i;

	sim_test_assert(test, "TDH_VP_CREATE", 0,
			sim_test_call(TDH_VP_CREATE, td->tdvpr, td->tdr, 0, 0));
	for (i = 0; i < nr; i++)
		sim_test_assert(test, "TDH_VP_ADDCX", 0,
				sim_test_call(TDH_VP_ADDCX, td->tdvps[i], td->tdvpr, 0, 0));
}

static void prepare(struct kunit *test, const struct busy_case *c, struct busy_fixture *f)
{
	f->td = sim_test_td_create(test);
	f->source = sim_test_page(test);

	if (c->stage >= STAGE_INIT) {
		sim_test_td_advance(test, f->td, STAGE_INIT);
		f->mapped = sim_test_map(test, f->td, GPA_MAPPED_PAGE, f->source);
		/* The table with the entry of GPA_FREE_TABLE exists already. */
		if (c->stage == STAGE_INIT)
			add_raw_vcpu(test, f->td, c->leaf);
	}
	sim_test_td_advance(test, f->td, c->stage);
	f->free = sim_test_td_page(test, f->td);
}

static void locked_by_another(struct kunit *test)
{
	const struct busy_case *c = test->param_value;
	u64 rcx, rdx, r8, r9, got, met;
	struct busy_fixture f = {};
	struct sim_lock *lock;
	u64 *entry = NULL;

	prepare(test, c, &f);
	rcx = resolve(c->rcx, &f);
	rdx = resolve(c->rdx, &f);
	r8 = resolve(c->r8, &f);
	r9 = resolve(c->r9, &f);

	lock = lock_of(c->lock, &f);
	if (!lock)
		entry = entry_of(&f, rcx);
	KUNIT_ASSERT_TRUE(test, lock ? sim_trylock(lock, c->mode) : sim_sept_trylock_entry(entry));
	met = sim_busy_calls(c->leaf & TDX_LEAF_MASK, c->want);
	got = sim_test_call(c->leaf, rcx, rdx, r8, r9);
	if ((c->want & TDX_SEAMCALL_STATUS_MASK) == TDX_OPERAND_BUSY)
		met++;
	KUNIT_EXPECT_EQ_MSG(test, met, sim_busy_calls(c->leaf & TDX_LEAF_MASK, c->want),
			    "calls that met another one");
	if (lock)
		sim_unlock(lock, c->mode);
	else
		sim_sept_unlock_entry(entry);
	sim_test_expect(test, "with the lock taken", c->want, got);

	if (c->after != ANY_ANSWER)
		sim_test_expect(test, "without", c->after,
				sim_test_call(c->leaf, rcx, rdx, r8, r9));
	if (lock)
		KUNIT_EXPECT_EQ_MSG(test, lock->state, 0, "the call kept the lock");
	else
		KUNIT_EXPECT_TRUE_MSG(test, sim_sept_trylock_entry(entry),
				      "the call kept the lock");
}

/* The operand whose object a row locks: TDR, TDVPR, or a page. */
static enum operand object_of(enum which_lock lock)
{
	switch (lock) {
	case LOCK_TDR:		return TDR;
	case LOCK_TDVPR:	return TDVPR;
	case LOCK_FREE:		return FREE;
	case LOCK_MAPPED:	return MAPPED;
	default:		return NONE;
	}
}

/*
 * The same calls, with that operand not aligned, with KeyID bits, outside of the
 * TDMRs, and a page of another type.
 */
static void bad_page_operand(struct kunit *test)
{
	const struct busy_case *c = test->param_value;
	const struct sim_tdmr *last = &sim_sys.tdmr[sim_sys.nr_tdmrs - 1];
	u32 id = c->want & ~TDX_SEAMCALL_STATUS_MASK;
	enum operand object = object_of(c->lock);
	struct busy_fixture f = {};
	struct {
		u64 pa;
		u64 want;
	} bad[4];
	int i;

	/* The module finds such an object through another one, so that no operand names it. */
	if (object == NONE || id == TDX_OPERAND_ID_TDR ||
	    (object != c->rcx && object != c->rdx && object != c->r8))
		return;

	prepare(test, c, &f);
	bad[0].pa = resolve(object, &f) + 8;
	bad[0].want = TDX_OPERAND_INVALID | id;
	bad[1].pa = resolve(object, &f) | BIT_ULL(boot_cpu_data.x86_phys_bits);
	/* TDH.PHYMEM.PAGE.WBINVD takes the KeyID that comes with an address. */
	bad[1].want = c->leaf == TDH_PHYMEM_PAGE_WBINVD ? 0 : TDX_OPERAND_INVALID | id;
	bad[2].pa = last->base + last->size;
	bad[2].want = TDX_OPERAND_ADDR_RANGE_ERROR | id;
	bad[3].pa = object != FREE ? f.free : c->stage >= STAGE_PAGES ? f.td->tdcx[0] : f.td->tdr;
	bad[3].want = TDX_PAGE_METADATA_INCORRECT | id;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		u64 rcx = c->rcx == object ? bad[i].pa : resolve(c->rcx, &f);
		u64 rdx = c->rdx == object ? bad[i].pa : resolve(c->rdx, &f);
		u64 r8 = c->r8 == object ? bad[i].pa : resolve(c->r8, &f);

		sim_test_expect(test, "the operand", bad[i].want,
				sim_test_call(c->leaf, rcx, rdx, r8, resolve(c->r9, &f)));
	}
}

#define HELD_US		2000

static u64 ticks_of_read(const struct busy_fixture *f)
{
	u64 start = rdtsc_ordered();

	sim_test_call(TDH_MNG_RD, f->td->tdr, resolve(FIELD, f), 0, 0);
	return rdtsc_ordered() - start;
}

/* One call keeps its locks for longer, and only that one. */
static void held(struct kunit *test)
{
	static const struct busy_case c = { .leaf = TDH_MNG_RD, .stage = STAGE_INIT };
	const u64 ticks = (u64)HELD_US * tsc_khz / MSEC_PER_SEC;
	struct busy_fixture f = {};

	prepare(test, &c, &f);
	sim_hold_arm(TDH_MNG_RD, HELD_US, 2);
	sim_test_call(TDH_MR_EXTEND, GPA_MAPPED_PAGE, f.td->tdr, 0, 0);
	KUNIT_EXPECT_LT(test, ticks_of_read(&f), ticks);
	KUNIT_EXPECT_GE(test, ticks_of_read(&f), ticks);
	KUNIT_EXPECT_LT(test, ticks_of_read(&f), ticks);
	sim_hold_arm(TDH_MNG_RD, HELD_US, 1);
	sim_hold_clear();
	KUNIT_EXPECT_LT(test, ticks_of_read(&f), ticks);
}

static struct kunit_case sim_busy_cases[] = {
	KUNIT_CASE_PARAM(locked_by_another, busy_gen_params),
	KUNIT_CASE_PARAM(bad_page_operand, busy_gen_params),
	KUNIT_CASE(held),
	{}
};

static struct kunit_suite sim_busy_suite = {
	.name = "tdx_sim_busy",
	.init = sim_test_init,
	.test_cases = sim_busy_cases,
};

kunit_test_suite(sim_busy_suite);
