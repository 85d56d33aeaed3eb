// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random SEAMCALLs and TDCALLs.  Each must end with a status that its leaf may give,
 * and must change only its output registers.  The simulated module makes the SEAMCALLs
 * itself, with pages of its own: a VMM could not make them without giving memory away.
 *
 * In the environment TDX_RANDOM_COUNT is the number of each, and TDX_RANDOM_SEED
 * selects another series.
 */
/* The environment may ask for any number of calls. */
#define TDX_TEST_TIMEOUT	3600

#include <linux/sizes.h>

#include "kvm_util.h"
#include "processor.h"
#include "ucall_common.h"
#include "tdx/tdcall.h"
#include "tdx/tdvmcall.h"
#include "tdx/tdx_random.h"
#include "tdx/tdx_sim.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define COUNT_ENV		"TDX_RANDOM_COUNT"
#define DEFAULT_COUNT		50000

/* With fewer calls than this some leaf may have no success. */
#define ENOUGH			50000

/* Memory that the TD accepts and does not use otherwise, aligned to 2 MiB. */
#define TEST_GPA		0x1234600000ULL
#define TEST_SLOT		21
#define TEST_PAGES		32

/* TDCALLs between two ucalls, by which the host sees that the TD goes on. */
#define BATCH			1000

/* Statuses without bits 31:0 (TDX module ABI specification, "Completion status"). */
#define CODE_SUCCESS				0x00000000ULL
#define CODE_OPERAND_INVALID			0xc0000100ULL
#define CODE_OPERAND_BUSY			0x80000200ULL
#define CODE_NO_VALID_VE_INFO			0xc0000704ULL
#define CODE_PAGE_ALREADY_ACCEPTED		0x00000b0aULL
#define CODE_PAGE_SIZE_MISMATCH			0xc0000b0bULL
#define CODE_METADATA_FIELD_ID_INCORRECT	0xc0000c00ULL
#define CODE_METADATA_FIELD_NOT_WRITABLE	0xc0000c01ULL
#define CODE_METADATA_FIELD_NOT_READABLE	0xc0000c02ULL
#define CODE_METADATA_FIELD_VALUE_NOT_VALID	0xc0000c03ULL
#define CODE_METADATA_WR_MASK_NOT_VALID		0xc0000c0aULL
#define CODE_METADATA_FIRST_FIELD_ID_IN_CONTEXT	0x00000c0bULL

#define MD_READ		CODE_METADATA_FIELD_ID_INCORRECT, CODE_METADATA_FIELD_NOT_READABLE
#define MD_WRITE	CODE_METADATA_FIELD_ID_INCORRECT, CODE_METADATA_FIELD_NOT_WRITABLE, \
			CODE_METADATA_FIELD_VALUE_NOT_VALID, CODE_METADATA_WR_MASK_NOT_VALID

#define MAX_STATUSES	4

/* Registers by their place in struct tdcall_regs. */
#define REG(name)	BIT(offsetof(struct tdcall_regs, name) / sizeof(u64))

struct leaf {
	const char *name;
	u64 leaf;
	u64 outputs;			/* without RAX */
	bool must_succeed;
	u64 statuses[MAX_STATUSES];	/* without success, invalid and busy operands */
};

#define LEAF(leaf)	.name = #leaf, leaf

static const struct leaf leafs[] = {
	{ LEAF(TDG_VP_VMCALL), 0, true },
	{ LEAF(TDG_VP_INFO), REG(rcx) | REG(rdx) | REG(r8) | REG(r9) | REG(r10) | REG(r11),
	  true },
	{ LEAF(TDG_MR_RTMR_EXTEND), 0, false },
	{ LEAF(TDG_VP_VEINFO_GET), REG(rcx) | REG(rdx) | REG(r8) | REG(r9) | REG(r10),
	  false, { CODE_NO_VALID_VE_INFO } },
	{ LEAF(TDG_MR_REPORT), 0, false },
	{ LEAF(TDG_VP_CPUIDVE_SET), 0, true },
	{ LEAF(TDG_MEM_PAGE_ACCEPT), 0, true,
	  { CODE_PAGE_ALREADY_ACCEPTED, CODE_PAGE_SIZE_MISMATCH } },
	{ LEAF(TDG_VM_RD), REG(rdx) | REG(r8), true, { MD_READ } },
	{ LEAF(TDG_VM_WR), REG(rdx) | REG(r8), true, { MD_WRITE } },
	{ LEAF(TDG_VP_RD), REG(rdx) | REG(r8), false, { MD_READ } },
	{ LEAF(TDG_VP_WR), REG(rdx) | REG(r8), false, { MD_WRITE } },
	{ LEAF(TDG_SYS_RD), REG(rdx) | REG(r8), true,
	  { MD_READ, CODE_METADATA_FIRST_FIELD_ID_IN_CONTEXT } },
};

/* Bit of RAX that selects version 1 of a leaf.  Only TDG.VM.RD has one. */
#define LEAF_VERSION_1	16

static const struct leaf unknown_leaf = { .name = "leaf without a name" };

/* Metadata fields of the TD and of the module.  Linux has names for some. */
static const u64 fields[] = {
	0x1110000300000016,	/* CONFIG_FLAGS */
	0x1110000300000017,	/* TD_CTLS */
	0x9100000000000010,	/* NOTIFY_ENABLES */
	0x9100000000000019,	/* TOPOLOGY_ENUM_CONFIGURED */
	0x0a00000300000008,	/* TDX_FEATURES0 */
	0x9100000100000008,	/* MAX_TDMRS */
};

static u64 guest_seed;

/* xorshift64.  A TD has no other source of repeatable numbers. */
static u64 guest_random(void)
{
	guest_seed ^= guest_seed << 13;
	guest_seed ^= guest_seed >> 7;
	guest_seed ^= guest_seed << 17;
	return guest_seed;
}

static u64 guest_below(u64 limit)
{
	return guest_random() % limit;
}

static u64 guest_spoil(u64 value)
{
	return guest_below(2) ? guest_random() : value ^ BIT_ULL(guest_below(64));
}

/*
 * If a TD accesses memory that it does not have, KVM exits, so the TD gets no status.
 * So a private GPA is in the slot, or has a bit that no GPA of a slot can have.
 */
static u64 guest_gpa(void)
{
	u64 gpa = TEST_GPA + guest_below(TEST_PAGES) * SZ_4K;

	switch (guest_below(8)) {
	case 0:
		return gpa | BIT_ULL(3 + guest_below(9));
	case 1:
		return gpa | BIT_ULL(TDX_GPA_WIDTH - 1 + guest_below(17));
	case 2:
		return gpa + guest_below(8);
	case 3:
		return TEST_GPA + 1;
	default:
		return gpa;
	}
}

/* Registers for a call of @leaf that is likely to succeed. */
static void guest_operands(const struct leaf *leaf, struct tdcall_regs *regs)
{
	switch (leaf->leaf) {
	case TDG_VP_VMCALL:
		/* KVM itself answers a hypercall that it does not know. */
		regs->rcx = TDVMCALL_EXPOSE_REGS_MASK & (guest_random() | BIT(10));
		regs->r10 |= 1;
		regs->r11 |= BIT_ULL(40);
		break;
	case TDG_VP_CPUIDVE_SET:
		regs->rcx = guest_below(4);
		break;
	case TDG_MEM_PAGE_ACCEPT:
		regs->rcx = guest_gpa();
		break;
	case TDG_VM_RD:
	case TDG_VM_WR:
	case TDG_VP_RD:
	case TDG_VP_WR:
	case TDG_SYS_RD:
		regs->rcx = 0;
		regs->rdx = fields[guest_below(ARRAY_SIZE(fields))];
		break;
	case TDG_MR_RTMR_EXTEND:
	case TDG_MR_REPORT:
		regs->rcx = guest_random() | TDX_SHARED_BIT | 1;
		break;
	}

	if (guest_below(16))
		return;

	switch (leaf->leaf) {
	case TDG_VP_VMCALL:
		/* A mask that the module must refuse. */
		regs->rcx = guest_random() | BIT(guest_below(2));
		break;
	case TDG_MEM_PAGE_ACCEPT:
	case TDG_MR_RTMR_EXTEND:
	case TDG_MR_REPORT:
		break;
	default:
		regs->rcx = guest_below(2) ? guest_spoil(regs->rcx) : regs->rcx;
		regs->rdx = guest_spoil(regs->rdx);
		break;
	}
}

static const struct leaf *guest_make_call(struct tdcall_regs *regs)
{
	const struct leaf *leaf = &leafs[guest_below(ARRAY_SIZE(leafs))];
	u64 *values = (u64 *)regs;
	unsigned int bit;
	size_t i;

	/* The others exit to KVM, which takes as long as ten calls. */
	if (leaf->leaf == TDG_VP_VMCALL && guest_below(8))
		leaf = &leafs[1];

	for (i = 0; i < NR_TDCALL_REGS; i++)
		values[i] = guest_random();
	regs->rax = leaf->leaf;
	guest_operands(leaf, regs);
	if (guest_below(16))
		return leaf;

	/* A version, a reserved bit or a number that no leaf has. */
	bit = 5 + guest_below(59);
	if (bit == LEAF_VERSION_1 && leaf->leaf == TDG_VM_RD)
		bit++;
	regs->rax |= BIT_ULL(bit);
	return &unknown_leaf;
}

static bool guest_is_documented(const struct leaf *leaf, u64 status)
{
	u64 code = status >> 32;
	size_t i;

	if (code == CODE_OPERAND_INVALID)
		return true;
	if (leaf == &unknown_leaf)
		return false;
	if (status == CODE_SUCCESS || code == CODE_OPERAND_BUSY)
		return true;

	for (i = 0; i < MAX_STATUSES; i++) {
		if (leaf->statuses[i] && leaf->statuses[i] == code)
			return true;
	}
	return false;
}

static void guest_check_call(u64 n, const struct leaf *leaf, const struct tdcall_regs *in,
			     const struct tdcall_regs *out)
{
	const u64 *before = (const u64 *)in, *after = (const u64 *)out;
	u64 outputs = leaf->outputs | REG(rax);
	size_t i;

	__GUEST_ASSERT(guest_is_documented(leaf, out->rax),
		       "call %lu: %s, RAX 0x%lx RCX 0x%lx RDX 0x%lx: undocumented status 0x%lx",
		       n, leaf->name, in->rax, in->rcx, in->rdx, out->rax);

	if (leaf->leaf == TDG_VP_VMCALL && leaf != &unknown_leaf)
		outputs |= REG(r10);

	for (i = 0; i < NR_TDCALL_REGS; i++) {
		__GUEST_ASSERT(before[i] == after[i] || outputs & BIT(i),
			       "call %lu: %s, RAX 0x%lx RCX 0x%lx: %s: wanted 0x%lx, got 0x%lx",
			       n, leaf->name, in->rax, in->rcx, tdvmcall_reg_names[i],
			       before[i], after[i]);
	}
}

static void guest_code(u64 count, u64 seed)
{
	u64 successes[ARRAY_SIZE(leafs)] = {};
	size_t i;
	u64 n;

	/* xorshift64 stays at 0. */
	guest_seed = seed * 0x9e3779b97f4a7c15ULL + 1;

	for (n = 0; n < count; n++) {
		struct tdcall_regs in, out;
		const struct leaf *leaf = guest_make_call(&in);

		out = in;
		tdcall_execute(&out);
		guest_check_call(n, leaf, &in, &out);
		if (leaf != &unknown_leaf && out.rax == CODE_SUCCESS)
			successes[leaf - leafs]++;
		if (n % BATCH == BATCH - 1)
			GUEST_SYNC1(n + 1);
	}

	for (i = 0; i < ARRAY_SIZE(leafs); i++) {
		__GUEST_ASSERT(!leafs[i].must_succeed || successes[i] || count < ENOUGH,
			       "%s: no call of %lu calls succeeded", leafs[i].name, count);
	}
	GUEST_DONE();
}

FIXTURE(random)
{
	u64 count;
	u64 seed;
};

FIXTURE_SETUP(random)
{
	self->count = tdx_env_number(COUNT_ENV, DEFAULT_COUNT);
	self->seed = tdx_env_number(TDX_RANDOM_SEED_ENV, TDX_RANDOM_DEFAULT_SEED);
}

FIXTURE_TEARDOWN(random)
{
}

/* @line is "LEAF C calls S succeeded must|may", @report all of them. */
static void check_leaf(const char *line, const char *report)
{
	u64 calls, successes;
	char leaf[64], wish[8];

	TEST_ASSERT(sscanf(line, "%63s %lu calls %lu succeeded %7s", leaf, &calls, &successes,
			   wish) == 4, "tdx_sim/fuzz: cannot make sense of '%s'", line);
	TEST_ASSERT(successes || strcmp(wish, "must"), "%s: none of %lu calls succeeded, of\n%s",
		    leaf, calls, report);
}

TDX_TEST_F(random, seamcalls)
{
	char *holdings, *after, *text, *report, *line, *rest;
	char request[48];
	u64 wrong;

	if (!tdx_sim_has("fuzz"))
		SKIP(return, TDX_SIM_SKIP_REASON);

	holdings = tdx_sim_holdings();
	snprintf(request, sizeof(request), "%lu %lu", self->seed, self->count);
	tdx_sim_write("fuzz", request);
	text = tdx_sim_read("fuzz");
	report = tdx_sim_read("fuzz");

	rest = text;
	line = strsep(&rest, "\n");
	TEST_ASSERT(sscanf(line, "%lu wrong", &wrong) == 1 && !wrong,
		    "%lu SEAMCALLs of seed %lu: wanted 0 wrong, got %s", self->count,
		    self->seed, line);
	while (self->count >= ENOUGH && (line = strsep(&rest, "\n")) && *line)
		check_leaf(line, report);
	free(text);
	free(report);

	after = tdx_sim_holdings();
	TEST_ASSERT(!strcmp(holdings, after), "wanted the module to hold\n%sgot\n%s", holdings,
		    after);
	free(holdings);
	free(after);
}

TDX_TEST_F(random, tdcalls)
{
	struct kvm_vm *vm = tdx_vm_create(1);
	struct kvm_vcpu *vcpu = tdx_vcpu_add(vm, 0, guest_code);
	struct ucall uc;
	u64 done = 0;

	tdx_vcpu_args_set(vcpu, 2, self->count, self->seed);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, TEST_GPA, TEST_SLOT, TEST_PAGES,
				    KVM_MEM_GUEST_MEMFD);
	tdx_vm_finalize(vm);

	do {
		vcpu_run(vcpu);
		switch (get_ucall(vcpu, &uc)) {
		case UCALL_SYNC:
			done += BATCH;
			TEST_ASSERT_EQ(uc.args[0], done);
			break;
		case UCALL_DONE:
			break;
		default:
			TEST_FAIL("after %lu calls: wanted a ucall, got %s", done,
				  exit_reason_str(vcpu->run->exit_reason));
		}
	} while (uc.cmd != UCALL_DONE);

	TEST_ASSERT(self->count - done < BATCH, "wanted %lu calls, got %lu", self->count, done);
	kvm_vm_free(vm);
}

TDX_TEST_MAIN()
