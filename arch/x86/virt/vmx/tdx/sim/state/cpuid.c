// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: CPUID as a TD sees it.
 */
#include <linux/array_size.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include <asm/cpufeature.h>
#include <asm/cpuid/api.h>
#include <asm/fpu/types.h>

#include "state/cpuid.h"
#include "state/td.h"

#define CPUID_ANY		SIM_CPUID_NO_SUBLEAF

/* First leafs of the ranges that are left to hypervisors and that AMD began. */
#define CPUID_HYPERVISOR	0x40000000
#define CPUID_EXTENDED		0x80000000

/* Last leafs of a TD in its two ranges. */
#define TDX_CPUID_LAST_BASIC	0x23
#define TDX_CPUID_LAST_EXTENDED	0x80000008

/* Leaf 0x80000008 EAX: a TD always sees the physical width of the architecture. */
#define CPUID_WIDTHS		GENMASK(15, 0)
#define TDX_MAXPHYADDR		52
#define LINEAR_WIDTH		48
#define LINEAR_WIDTH_LA57	57

#define XFAM_PT			BIT_ULL(8)
#define XFAM_CET		(XFEATURE_MASK_CET_USER | XFEATURE_MASK_CET_KERNEL)
#define XFAM_UINTR		BIT_ULL(14)
#define XFAM_LBR		XFEATURE_MASK_LBR
#define XFAM_AMX		XFEATURE_MASK_XTILE

struct sim_cpuid_row {
	u32 leaf;
	u32 subleaf;
	bool config;
	bool faulting;
	u32 fixed0[SIM_CPUID_NR_REGS];
	u32 fixed1[SIM_CPUID_NR_REGS];
	u32 direct[SIM_CPUID_NR_REGS];
	u32 allow[SIM_CPUID_NR_REGS];
	u32 demanded[SIM_CPUID_NR_REGS];
};

#define CONFIG			.config = true
#define FAULTING		.faulting = true
#define FIXED0(...)		.fixed0 = { __VA_ARGS__ }
#define FIXED1(...)		.fixed1 = { __VA_ARGS__ }
#define DIRECT(...)		.direct = { __VA_ARGS__ }
#define ALLOW(...)		.allow = { __VA_ARGS__ }
#define DEMANDED(...)		.demanded = { __VA_ARGS__ }
#define NOTHING			FIXED0(U32_MAX, U32_MAX, U32_MAX, U32_MAX)
#define CPUID(_leaf, _subleaf, ...)	\
	{ .leaf = _leaf, .subleaf = _subleaf, ##__VA_ARGS__ },

static const struct sim_cpuid_row sim_cpuid_rows[] = {
#include "state/cpuid.def"
};

static_assert(ARRAY_SIZE(sim_cpuid_rows) * sizeof(struct sim_cpuid_entry) <= PAGE_SIZE);

struct sim_cpuid_mask {
	u64 xfam;
	u32 leaf;
	u32 subleaf;
	u32 mask[SIM_CPUID_NR_REGS];
};

/* Features that a TD has only with all of these components in its XFAM. */
static const struct sim_cpuid_mask sim_cpuid_xfam[] = {
	/* FMA, AVX, F16C; AVX2, VAES, VPCLMULQDQ */
	{ XFEATURE_MASK_YMM, 0x1, CPUID_ANY, { [SIM_ECX] = 0x30001000 } },
	{ XFEATURE_MASK_YMM, 0x7, 0, { [SIM_EBX] = 0x00000020, [SIM_ECX] = 0x00000600 } },
	/* All of AVX-512; AVX-VNNI is here in the module's table as well. */
	{ XFEATURE_MASK_AVX512, 0x7, 0, { [SIM_EBX] = 0xdc230000, [SIM_ECX] = 0x00005842,
					  [SIM_EDX] = 0x0080010c } },
	{ XFEATURE_MASK_AVX512, 0x7, 1, { [SIM_EAX] = 0x00000030 } },
	{ XFAM_PT, 0x7, 0, { [SIM_EBX] = 0x02000000 } },
	{ XFEATURE_MASK_PKRU, 0x7, 0, { [SIM_ECX] = 0x00000008 } },
	{ XFAM_CET, 0x7, 0, { [SIM_ECX] = 0x00000080, [SIM_EDX] = 0x00100000 } },
	{ XFAM_UINTR, 0x7, 0, { [SIM_EDX] = 0x00000020 } },
	{ XFAM_LBR, 0x7, 0, { [SIM_EDX] = 0x00080000 } },
	{ XFAM_AMX, 0x7, 0, { [SIM_EDX] = 0x03400000 } },
	{ XFAM_PT, 0x14, 0, { U32_MAX, U32_MAX, U32_MAX, U32_MAX } },
	{ XFAM_PT, 0x14, 1, { U32_MAX, U32_MAX, U32_MAX, U32_MAX } },
	{ XFAM_LBR, 0x1c, CPUID_ANY, { U32_MAX, U32_MAX, U32_MAX, U32_MAX } },
	{ XFAM_AMX, 0x1d, 0, { U32_MAX, U32_MAX, U32_MAX, U32_MAX } },
	{ XFAM_AMX, 0x1d, 1, { U32_MAX, U32_MAX, U32_MAX, U32_MAX } },
};

/*
 * What no TD has here, whatever the CPU has.  Key Locker is disabled by the real
 * module, performance monitoring and PKS by the attributes that it reports.  The
 * others need state that is not simulated.
 */
static const struct sim_cpuid_mask sim_cpuid_absent[] = {
	/* MONITOR; HLE, RTM; WAITPKG, Key Locker, PKS */
	{ 0, 0x1, CPUID_ANY, { [SIM_ECX] = BIT(3) } },
	{ 0, 0x7, 0, { [SIM_EBX] = BIT(4) | BIT(11), [SIM_ECX] = BIT(5) | BIT(23) | BIT(31),
	/* SRBDS_CTRL, TSXLDTRK; DDPD_U */
		       [SIM_EDX] = BIT(9) | BIT(16) } },
	{ 0, 0x7, 2, { [SIM_EDX] = BIT(3) } },
	{ 0, 0xa, CPUID_ANY, { U32_MAX, U32_MAX, U32_MAX, U32_MAX } },
	{ 0, 0x19, CPUID_ANY, { U32_MAX, U32_MAX, U32_MAX, U32_MAX } },
};

static const struct sim_cpuid_row *sim_cpuid_end = sim_cpuid_rows + ARRAY_SIZE(sim_cpuid_rows);

static bool sim_cpuid_mask_is_for(const struct sim_cpuid_mask *mask,
				  const struct sim_cpuid_row *row)
{
	return mask->leaf == row->leaf && mask->subleaf == row->subleaf;
}

/* Bits of the four registers that no TD has. */
static const u32 *sim_cpuid_absent_bits(const struct sim_cpuid_row *row)
{
	static const u32 none[SIM_CPUID_NR_REGS];
	int i;

	for (i = 0; i < ARRAY_SIZE(sim_cpuid_absent); i++) {
		if (sim_cpuid_mask_is_for(&sim_cpuid_absent[i], row))
			return sim_cpuid_absent[i].mask;
	}
	return none;
}

/* What the CPU has.  A leaf above its last one would give the value of another leaf. */
static void sim_cpuid_native(const struct sim_cpuid_row *row, u32 regs[SIM_CPUID_NR_REGS])
{
	u32 subleaf = row->subleaf == CPUID_ANY ? 0 : row->subleaf;

	memset(regs, 0, SIM_CPUID_NR_REGS * sizeof(regs[0]));
	if (row->leaf > cpuid_eax(row->leaf & CPUID_EXTENDED))
		return;
	cpuid_count(row->leaf, subleaf, &regs[SIM_EAX], &regs[SIM_EBX], &regs[SIM_ECX],
		    &regs[SIM_EDX]);
}

unsigned int sim_cpuid_nr_config(void)
{
	const struct sim_cpuid_row *row;
	unsigned int nr = 0;

	for (row = sim_cpuid_rows; row < sim_cpuid_end; row++)
		nr += row->config;
	return nr;
}

void sim_cpuid_config(unsigned int i, u64 *leaf, u64 values[2])
{
	const struct sim_cpuid_row *row = &sim_cpuid_rows[i];
	const u32 *absent = sim_cpuid_absent_bits(row);
	u32 mask[SIM_CPUID_NR_REGS];
	int r;

	sim_cpuid_native(row, mask);
	for (r = 0; r < SIM_CPUID_NR_REGS; r++)
		mask[r] = row->direct[r] | (row->allow[r] & mask[r] & ~absent[r]);

	*leaf = (u64)row->subleaf << 32 | row->leaf;
	values[0] = (u64)mask[SIM_EBX] << 32 | mask[SIM_EAX];
	values[1] = (u64)mask[SIM_EDX] << 32 | mask[SIM_ECX];
}

bool sim_cpuid_features(unsigned int i, struct sim_cpuid_features *features)
{
	u32 native[SIM_CPUID_NR_REGS];
	const struct sim_cpuid_row *row;
	int r;

	for (row = sim_cpuid_rows; row < sim_cpuid_end; row++) {
		const u32 *absent = sim_cpuid_absent_bits(row);

		for (r = 0; r < SIM_CPUID_NR_REGS; r++) {
			if (!row->demanded[r] && !row->allow[r])
				continue;
			if (i--)
				continue;

			sim_cpuid_native(row, native);
			*features = (struct sim_cpuid_features) {
				.leaf = row->leaf,
				.subleaf = row->subleaf,
				.reg = r,
				.cpu = native[r],
				.hidden = native[r] & (row->fixed0[r] | absent[r]),
				.lacking = row->demanded[r] & ~native[r],
				.configurable = native[r] & row->allow[r] & ~absent[r],
			};
			return true;
		}
	}
	return false;
}

/* Size of the XSAVE area for all of @xfam, as leaf 0xd reports it in ECX. */
static u32 sim_xsave_size(u64 xfam)
{
	u32 size = sizeof(struct fxregs_state) + sizeof(struct xstate_header);
	u32 eax, ebx, ecx, edx;
	int i;

	for (i = XFEATURE_YMM; i < XFEATURE_MAX; i++) {
		if (!(xfam & ~TDX_XFAM_SUPERVISOR & BIT_ULL(i)))
			continue;
		cpuid_count(0xd, i, &eax, &ebx, &ecx, &edx);
		size = max(size, ebx + eax);
	}
	return size;
}

/* Leaf 0xd: the XSAVE area of a TD. */
static void sim_cpuid_complete_xsave(struct sim_cpuid_entry *entry, u64 xfam)
{
	switch (entry->subleaf) {
	case 0:
		entry->regs[SIM_EAX] &= xfam;
		entry->regs[SIM_ECX] = sim_xsave_size(xfam);
		break;
	case 1:
		/* XFD is for AMX only. */
		if (!(xfam & XFAM_AMX))
			entry->regs[SIM_EAX] &= ~BIT(4);
		entry->regs[SIM_ECX] &= xfam;
		break;
	default:
		if (!(xfam & BIT_ULL(entry->subleaf)))
			memset(entry->regs, 0, sizeof(entry->regs));
	}
}

/* A feature of @tdcs, whose row comes before the one that depends on it. */
static bool sim_cpuid_has(const struct sim_tdcs *tdcs, u32 leaf, u32 subleaf,
			  enum sim_cpuid_reg reg, u32 bit)
{
	return sim_cpuid_get(tdcs, leaf, subleaf)->regs[reg] & bit;
}

/* Values that come from the TD's parameters. */
static void sim_cpuid_complete(struct sim_tdcs *tdcs, struct sim_cpuid_entry *entry,
			       const struct td_params *params)
{
	u32 *regs = entry->regs;

	switch (entry->leaf) {
	case 1:
		/* Family, model and stepping of 0 stand for those of the CPU. */
		if (!regs[SIM_EAX])
			regs[SIM_EAX] = cpuid_eax(1);
		break;
	case 5:
		if (!sim_cpuid_has(tdcs, 1, CPUID_ANY, SIM_ECX, BIT(3)))
			memset(regs, 0, sizeof(entry->regs));
		break;
	case 0xd:
		sim_cpuid_complete_xsave(entry, params->xfam);
		break;
	case 0x15:
		regs[SIM_EBX] = params->tsc_frequency;
		break;
	case 0x80000007:
		/* The TSC of a TD is invariant, whatever an emulator says of its own. */
		regs[SIM_EDX] = BIT(8);
		break;
	case 0x80000008:
		regs[SIM_EAX] &= ~CPUID_WIDTHS;
		regs[SIM_EAX] |= TDX_MAXPHYADDR;
		regs[SIM_EAX] |= (sim_cpuid_has(tdcs, 7, 0, SIM_ECX, BIT(16)) ?
				  LINEAR_WIDTH_LA57 : LINEAR_WIDTH) << 8;
		break;
	}
}

/* The row with @value of TD_PARAMS, unless it is NULL. */
static void sim_cpuid_compute(const struct sim_cpuid_row *row, const u32 *absent,
			      const u32 *value, u32 regs[SIM_CPUID_NR_REGS])
{
	int r;

	sim_cpuid_native(row, regs);
	for (r = 0; r < SIM_CPUID_NR_REGS; r++) {
		regs[r] &= ~(row->fixed0[r] | row->direct[r] | absent[r]);
		regs[r] |= row->fixed1[r];
		if (value) {
			regs[r] |= value[r] & row->direct[r];
			regs[r] &= value[r] | ~row->allow[r];
		}
	}
}

/* Whether TD_PARAMS may have @value for @row. */
static bool sim_cpuid_value_ok(const struct sim_cpuid_row *row, const u32 *absent,
			       const u32 *value)
{
	int r;

	for (r = 0; r < SIM_CPUID_NR_REGS; r++) {
		if (value[r] & ~(row->direct[r] | (row->allow[r] & ~absent[r])))
			return false;
	}

	/* A TD that cannot be migrated has the family, model and stepping of the CPU. */
	return row->leaf != 1 || !value[SIM_EAX] || value[SIM_EAX] == cpuid_eax(1);
}

/* Each leaf of a TD has a slot of its own: those of the second range begin with this one. */
#define CPUID_EXTENDED_SLOT	0x30

static_assert(TDX_CPUID_LAST_BASIC < CPUID_EXTENDED_SLOT);

static unsigned int sim_cpuid_slot(u32 leaf)
{
	return (leaf & CPUID_EXTENDED ? leaf + CPUID_EXTENDED_SLOT : leaf) % SIM_CPUID_NR_SLOTS;
}

/* Let the entry of @index be found, after the others of its leaf. */
static void sim_cpuid_link(struct sim_tdcs *tdcs, u32 index)
{
	u8 *link = &tdcs->cpuid_first[sim_cpuid_slot(tdcs->cpuid[index].leaf)];

	while (*link)
		link = &tdcs->cpuid[*link - 1].next;
	tdcs->cpuid[index].next = 0;
	*link = index + 1;
}

/* KVM asks for all leafs of each TD. */
static struct sim_cpuid_entry *sim_cpuid_lookup(const struct sim_tdcs *tdcs,
						u32 leaf, u32 subleaf)
{
	u8 next = tdcs->cpuid_first[sim_cpuid_slot(leaf)];

	while (next) {
		struct sim_cpuid_entry *entry = &tdcs->cpuid[next - 1];

		if (entry->leaf == leaf && entry->subleaf == subleaf)
			return entry;
		next = entry->next;
	}
	return NULL;
}

/* Take away what needs a component that is not in @xfam. */
static void sim_cpuid_apply_xfam(struct sim_tdcs *tdcs, u64 xfam)
{
	int i, r;

	for (i = 0; i < ARRAY_SIZE(sim_cpuid_xfam); i++) {
		const struct sim_cpuid_mask *mask = &sim_cpuid_xfam[i];
		struct sim_cpuid_entry *entry;

		if ((xfam & mask->xfam) == mask->xfam)
			continue;
		entry = sim_cpuid_lookup(tdcs, mask->leaf, mask->subleaf);
		for (r = 0; entry && r < SIM_CPUID_NR_REGS; r++)
			entry->regs[r] &= ~mask->mask[r];
	}
}

void sim_cpuid_clear(struct sim_tdcs *tdcs)
{
	tdcs->nr_cpuid = 0;
	memset(tdcs->cpuid_first, 0, sizeof(tdcs->cpuid_first));
}

u64 sim_cpuid_init(struct sim_tdcs *tdcs, const struct td_params *params, u64 *bad)
{
	const struct tdx_cpuid_value *values = params->cpuid_values;
	struct sim_cpuid_entry *entry = tdcs->cpuid;
	const struct sim_cpuid_row *row;

	sim_cpuid_clear(tdcs);
	for (row = sim_cpuid_rows; row < sim_cpuid_end; row++, entry++) {
		const u32 *absent = sim_cpuid_absent_bits(row);
		const u32 *value = NULL;

		if (row->config) {
			value = &(values++)->eax;
			if (!sim_cpuid_value_ok(row, absent, value)) {
				*bad = (u64)row->subleaf << 32 | row->leaf;
				return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_CPUID_CONFIG);
			}
		}
		entry->leaf = row->leaf;
		entry->subleaf = row->subleaf;
		entry->faulting = row->faulting;
		sim_cpuid_compute(row, absent, value, entry->regs);
		/* Some values depend on those of other leafs, so that they must be found. */
		sim_cpuid_link(tdcs, tdcs->nr_cpuid++);
		sim_cpuid_complete(tdcs, entry, params);
	}
	sim_cpuid_apply_xfam(tdcs, params->xfam);
	return 0;
}

const struct sim_cpuid_entry *sim_cpuid_get(const struct sim_tdcs *tdcs,
					    u32 leaf, u32 subleaf)
{
	const struct sim_cpuid_entry *entry = sim_cpuid_lookup(tdcs, leaf, subleaf);

	return entry && !entry->faulting ? entry : NULL;
}

const struct sim_cpuid_entry *sim_cpuid_find(const struct sim_tdcs *tdcs,
					     u32 leaf, u32 subleaf)
{
	/* For a leaf above the last one of its range the CPU gives the last basic leaf. */
	if ((leaf > TDX_CPUID_LAST_BASIC && leaf < CPUID_HYPERVISOR) ||
	    (leaf >= CPUID_HYPERVISOR + BIT(28) && leaf < CPUID_EXTENDED) ||
	    (leaf > TDX_CPUID_LAST_EXTENDED && leaf > cpuid_eax(CPUID_EXTENDED)))
		leaf = TDX_CPUID_LAST_BASIC;

	return sim_cpuid_get(tdcs, leaf, CPUID_ANY) ?: sim_cpuid_get(tdcs, leaf, subleaf);
}
