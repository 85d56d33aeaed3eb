// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: how random SEAMCALLs are made up.
 *
 * Noise alone would end in the first check of each leaf.  So the operands are
 * looked up in the PAMT: a TDR, in any state, where a TDR is wanted.
 */
#include <linux/array_size.h>
#include <linux/bitfield.h>
#include <linux/prandom.h>
#include <linux/string.h>

#include <asm/tdx.h>
#include <asm/vmx.h>

#include "debug/names.h"
#include "state/pamt.h"
#include "state/sept.h"
#include "state/sys.h"
#include "tests/fuzz_gen.h"

enum fuzz_operand {
	ANY,			/* any 64 bits */
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
	GPA_ANY_LEVEL,		/* either, a page more often */
	FIELD,
	SMALL,
};

/* Weight among all calls, and the operands in RCX, RDX, R8 and R9. */
struct fuzz_leaf {
	u32 weight;
	u8 version;		/* highest one */
	enum fuzz_operand operand[4];
	bool must_succeed;
	bool never;
};

#define OFTEN	32		/* it takes many of them to make one TD */

#define FUZZ_MUST(_weight, ...)	\
	.weight = _weight, .operand = { __VA_ARGS__ }, .must_succeed = true
#define FUZZ_MAY(_weight, ...)	\
	.weight = _weight, .operand = { __VA_ARGS__ }
#define FUZZ_BY_NUMBER		\
	.weight = 0
#define FUZZ_NEVER		\
	.never = true

#define SEAMCALL(_name, _leaf, _number, _version, _when, _operands) \
	[_number] = { .version = _version, _operands },
#define SEAMCALL_ABSENT(...)

static const struct fuzz_leaf fuzz_leafs[] = {
#include "tdh/seamcalls.def"
};

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
	return leaf < ARRAY_SIZE(fuzz_leafs) && fuzz_leafs[leaf].must_succeed;
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
 * A page that the module holds.  A TDR is chosen less often: it can go only after the
 * other pages of its TD.  It must not wait for those of other TDs, else there would
 * be no progress.
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

	return (gpa & ~sim_sept_offset_mask(level)) | level;
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
 * The module takes any page of the host that an operand names.  So an operand must
 * not name one outside of the pool.
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
	case GPA_ANY_LEVEL:
		if (below(rnd, 7))
			return gpa_of(rnd, 0);
		fallthrough;
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

/* A leaf, by the weight of its row. */
static u64 choose_leaf(struct rnd_state *rnd)
{
	u32 sum = 0, ticket;
	u64 leaf;

	for (leaf = 0; leaf < ARRAY_SIZE(fuzz_leafs); leaf++)
		sum += fuzz_leafs[leaf].weight;

	ticket = below(rnd, sum);
	for (leaf = 0; ticket >= fuzz_leafs[leaf].weight; leaf++)
		ticket -= fuzz_leafs[leaf].weight;
	return leaf;
}

static bool is_never(u64 leaf)
{
	return leaf < ARRAY_SIZE(fuzz_leafs) && fuzz_leafs[leaf].never;
}

/* Any number, mostly that of a leaf, which may be absent. */
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
	u64 leaf = choose_leaf(rnd);
	const struct fuzz_leaf *row = &fuzz_leafs[leaf];
	u64 *const registers[] = {
		(u64 *)&regs->cx, (u64 *)&regs->dx, (u64 *)&regs->r8, (u64 *)&regs->r9,
	};
	int i;

	prandom_bytes_state(rnd, regs, sizeof(*regs));
	regs->ax = leaf | FIELD_PREP(TDX_LEAF_VERSION_MASK, below(rnd, row->version + 1));
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

	/* Only KVM knows how to run a TD: let the call fail in the last check. */
	if ((regs->ax & TDX_LEAF_MASK) == TDH_VP_ENTER)
		regs->cx |= BIT_ULL(53 - below(rnd, 2));
}
