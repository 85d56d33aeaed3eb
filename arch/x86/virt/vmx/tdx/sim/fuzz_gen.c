// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: random SEAMCALLs, how they are made up.
 *
 * Noise alone would end in the first check of each leaf.  So the operands are
 * looked up in the PAMT: a TDR where one is wanted, in whatever state it is.
 */
#include <linux/array_size.h>
#include <linux/bitfield.h>
#include <linux/prandom.h>
#include <linux/string.h>

#include <asm/tdx.h>
#include <asm/vmx.h>

#include "fuzz.h"
#include "names.h"
#include "sept.h"

enum fuzz_operand {
	ANY,			/* whatever is there */
	ZERO,
	FREE_PAGE,
	TDR,
	TDVPR,
	TDVPR_FLAGS,
	PAGE,			/* of any type */
	OWNED,			/* of a TD */
	KEYID,
	PARAMS,
	SOURCE,
	GPA,			/* of a page */
	GPA_LEVEL,		/* with a level above that */
	FIELD,
	SMALL,
};

/* Weight among all calls, and the operands in RCX, RDX, R8 and R9. */
struct fuzz_leaf {
	u64 leaf;
	u32 weight;
	enum fuzz_operand operand[4];
	bool must_succeed;
};

#define OFTEN	32		/* it takes many of them to make one TD */

static const struct fuzz_leaf fuzz_leafs[] = {
	{ TDH_MNG_CREATE,	6,	{ FREE_PAGE, KEYID }, true },
	{ TDH_MNG_KEY_CONFIG,	8,	{ TDR }, true },
	{ TDH_MNG_ADDCX,	OFTEN,	{ FREE_PAGE, TDR }, true },
	{ TDH_MNG_INIT,		12,	{ TDR, PARAMS }, true },
	{ TDH_MNG_RD,		4,	{ TDR, FIELD }, true },
	{ TDH_VP_CREATE,	6,	{ FREE_PAGE, TDR }, true },
	{ TDH_VP_ADDCX,		OFTEN,	{ FREE_PAGE, TDVPR }, true },
	{ TDH_VP_INIT,		8,	{ TDVPR, ANY, SMALL }, true },
	{ TDH_VP_RD,		4,	{ TDVPR, FIELD }, true },
	{ TDH_VP_WR,		4,	{ TDVPR, FIELD, ANY, ANY }, true },
	{ TDH_VP_FLUSH,		4,	{ TDVPR }, true },
	{ TDH_VP_ENTER,		4,	{ TDVPR_FLAGS }, false },
	{ TDH_MEM_SEPT_ADD,	OFTEN,	{ GPA_LEVEL, TDR, FREE_PAGE }, true },
	{ TDH_MEM_PAGE_ADD,	OFTEN,	{ GPA, TDR, FREE_PAGE, SOURCE }, true },
	{ TDH_MEM_PAGE_AUG,	8,	{ GPA, TDR, FREE_PAGE }, true },
	{ TDH_MEM_RANGE_BLOCK,	6,	{ GPA, TDR }, true },
	{ TDH_MEM_RANGE_BLOCK,	1,	{ GPA_LEVEL, TDR }, true },
	{ TDH_MEM_TRACK,	8,	{ TDR }, true },
	{ TDH_MEM_PAGE_REMOVE,	8,	{ GPA, TDR }, true },
	{ TDH_MEM_PAGE_DEMOTE,	1,	{ GPA_LEVEL, TDR, FREE_PAGE }, false },
	{ TDH_MEM_PAGE_PROMOTE,	1,	{ GPA_LEVEL, TDR }, false },
	{ TDH_MR_EXTEND,	OFTEN,	{ GPA, TDR }, true },
	{ TDH_MR_FINALIZE,	1,	{ TDR }, true },
	{ TDH_MNG_VPFLUSHDONE,	1,	{ TDR }, true },
	{ TDH_PHYMEM_CACHE_WB,	4,	{ ZERO }, true },
	{ TDH_MNG_KEY_FREEID,	4,	{ TDR }, true },
	{ TDH_PHYMEM_PAGE_RECLAIM, OFTEN, { OWNED }, true },
	{ TDH_PHYMEM_PAGE_RDMD,	2,	{ PAGE }, true },
	{ TDH_PHYMEM_PAGE_WBINVD, 2,	{ PAGE }, true },
	{ TDH_SYS_RD,		1,	{ ANY, FIELD }, true },
};

/* They end the module for good, which is no fault of it. */
static const u64 fuzz_never[] = { TDH_SYS_DISABLE, TDH_SYS_SHUTDOWN };

/* Fields with a row in metadata.def, of every scope and of what may be done. */
static const u64 fuzz_fields[] = {
	TDCS_EXEC(TD_TDCS_EXEC_TSC_OFFSET),
	TDVPS_VMCS(POSTED_INTR_NV),
	TDVPS_VMCS(PIN_BASED_VM_EXEC_CONTROL),
	TDVPS_VMCS(SHARED_EPT_POINTER),
	TDVPS_MANAGEMENT(TD_VCPU_PEND_NMI),
	TDVPS_STATE_NON_ARCH(TD_VCPU_STATE_DETAILS_NON_ARCH),
	0x0a00000300000008,	/* TDX_FEATURES0 */
	0x9900000300000400,	/* CPUID_CONFIG_LEAVES */
};

bool fuzz_must_succeed(u64 leaf)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(fuzz_leafs); i++) {
		if (fuzz_leafs[i].leaf == leaf)
			return fuzz_leafs[i].must_succeed;
	}
	return false;
}

static u32 below(struct rnd_state *rnd, u32 limit)
{
	return prandom_u32_state(rnd) % limit;
}

static u64 any(struct rnd_state *rnd)
{
	return (u64)prandom_u32_state(rnd) << 32 | prandom_u32_state(rnd);
}

/* A page of the wanted type if there is one, else any. */
static u64 page_of(const struct fuzz_pool *pool, struct rnd_state *rnd, u8 type)
{
	u32 start = below(rnd, FUZZ_PAGES), i;

	for (i = 0; i < FUZZ_PAGES; i++) {
		u64 pa = pool->page[(start + i) % FUZZ_PAGES];

		if (READ_ONCE(sim_pamt_of(pa)->type) == type)
			return pa;
	}
	return pool->page[start];
}

/*
 * A page that the module holds.  TDRs go last of their TD, but must not wait for
 * another TD's pages as well: no TD would be there to make progress meanwhile.
 */
static u64 owned_page(const struct fuzz_pool *pool, struct rnd_state *rnd)
{
	u32 start = below(rnd, FUZZ_PAGES), i;

	for (i = 0; i < FUZZ_PAGES; i++) {
		u64 pa = pool->page[(start + i) % FUZZ_PAGES];
		u8 type = READ_ONCE(sim_pamt_of(pa)->type);

		if (type != PT_NDA && (type != PT_TDR || !below(rnd, 8)))
			return pa;
	}
	return page_of(pool, rnd, PT_TDR);
}

static u64 params_of(const struct fuzz_pool *pool, struct rnd_state *rnd)
{
	if (below(rnd, 2))
		return pool->params;

	memcpy(__va(pool->bad_params), __va(pool->params), sizeof(struct td_params));
	change_bit(below(rnd, sizeof(struct td_params) * BITS_PER_BYTE),
		   __va(pool->bad_params));
	return pool->bad_params;
}

/* Few pages, so that one leaf finds what another has left. */
static u64 gpa_of(struct rnd_state *rnd, int level)
{
	u64 gpa = below(rnd, 2) * PAGE_SIZE + below(rnd, 2) * SZ_2M;

	return (gpa & ~(BIT_ULL(PAGE_SHIFT + 9 * level) - 1)) | level;
}

static bool is_in_pool(const struct fuzz_pool *pool, u64 pa)
{
	int i;

	for (i = 0; i < FUZZ_PAGES; i++) {
		if (pool->page[i] == pa)
			return true;
	}
	return false;
}

/*
 * What the host has in the rest of its memory must not get into an operand: a
 * module that is told to take such a page does.
 */
static u64 harmless(const struct fuzz_pool *pool, u64 value)
{
	u64 pa = value & PAGE_MASK;

	return sim_pamt_of(pa) && !is_in_pool(pool, pa) ? value | BIT_ULL(63) : value;
}

static u64 operand_of(const struct fuzz_pool *pool, struct rnd_state *rnd,
		      enum fuzz_operand operand)
{
	switch (operand) {
	case ZERO:
		return 0;
	case FREE_PAGE:
		return page_of(pool, rnd, PT_NDA);
	case TDR:
		return page_of(pool, rnd, PT_TDR);
	case TDVPR:
	case TDVPR_FLAGS:
		return page_of(pool, rnd, PT_TDVPR);
	case PAGE:
		return pool->page[below(rnd, FUZZ_PAGES)];
	case OWNED:
		return owned_page(pool, rnd);
	case KEYID:
		return sim_sys.keyid_start + sim_sys.nr_keyids - 1 - below(rnd, FUZZ_KEYIDS);
	case PARAMS:
		return params_of(pool, rnd);
	case SOURCE:
		return pool->source[below(rnd, FUZZ_SOURCES)];
	case GPA:
		return gpa_of(rnd, 0);
	case GPA_LEVEL:
		return gpa_of(rnd, 1 + below(rnd, SEPT_ROOT_LEVEL));
	case FIELD:
		return fuzz_fields[below(rnd, ARRAY_SIZE(fuzz_fields))];
	case SMALL:
		return below(rnd, 4);
	case ANY:
		break;
	}
	return harmless(pool, any(rnd));
}

/* An operand that is another one, has a wrong bit, or is noise. */
static u64 spoil(const struct fuzz_pool *pool, struct rnd_state *rnd, u64 value)
{
	switch (below(rnd, 3)) {
	case 0:
		return pool->page[below(rnd, FUZZ_PAGES)];
	case 1:
		return harmless(pool, value ^ BIT_ULL(below(rnd, 64)));
	default:
		return harmless(pool, any(rnd));
	}
}

static const struct fuzz_leaf *choose_leaf(struct rnd_state *rnd)
{
	u32 sum = 0, ticket;
	int i;

	for (i = 0; i < ARRAY_SIZE(fuzz_leafs); i++)
		sum += fuzz_leafs[i].weight;

	ticket = below(rnd, sum);
	for (i = 0; ticket >= fuzz_leafs[i].weight; i++)
		ticket -= fuzz_leafs[i].weight;
	return &fuzz_leafs[i];
}

static bool is_never(u64 leaf)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(fuzz_never); i++) {
		if (fuzz_never[i] == leaf)
			return true;
	}
	return false;
}

/* Any number, mostly that of a leaf, absent ones among them. */
static u64 choose_number(struct rnd_state *rnd)
{
	u64 rax;

	do {
		rax = sim_seamcall_names.rows[below(rnd, sim_seamcall_names.nr)].value;
		if (!below(rnd, 4))
			rax ^= BIT_ULL(below(rnd, 64));
	} while (is_never(rax & TDX_LEAF_MASK));
	return rax;
}

void fuzz_generate(const struct fuzz_pool *pool, struct rnd_state *rnd,
		   struct pt_regs *regs)
{
	static const struct fuzz_leaf unknown;
	const struct fuzz_leaf *row = choose_leaf(rnd);
	u64 *const registers[] = {
		(u64 *)&regs->cx, (u64 *)&regs->dx, (u64 *)&regs->r8, (u64 *)&regs->r9,
	};
	int i;

	prandom_bytes_state(rnd, regs, sizeof(*regs));
	regs->ax = row->leaf;
	if (row->leaf == TDH_VP_INIT)
		regs->ax |= FIELD_PREP(TDX_LEAF_VERSION_MASK, below(rnd, 2));
	if (!below(rnd, 16)) {
		row = &unknown;
		regs->ax = choose_number(rnd);
	}

	for (i = 0; i < ARRAY_SIZE(registers); i++) {
		*registers[i] = operand_of(pool, rnd, row->operand[i]);
		if (!below(rnd, 24) || (row == &unknown && below(rnd, 2)))
			*registers[i] = spoil(pool, rnd, *registers[i]);
	}

	/* A large page would be of the host's memory around the page of the pool. */
	if ((regs->ax & TDX_LEAF_MASK) == TDH_MEM_PAGE_AUG && regs->cx & TDX_PAGE_INFO_LEVEL)
		regs->r8 |= BIT_ULL(63);

	/* Running a TD is for KVM, which knows how: end in the last check. */
	if ((regs->ax & TDX_LEAF_MASK) == TDH_VP_ENTER)
		regs->cx |= BIT_ULL(53 - below(rnd, 2));
}
