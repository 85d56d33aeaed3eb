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

/* Highest basic leaf of a TD; its own contents are for performance monitoring. */
#define TDX_CPUID_LEAF_LAST	0x23

/* Leaf 0x80000008 EAX: a TD always sees the physical width of the architecture. */
#define SIM_CPUID_MAXPHYADDR	52
#define SIM_CPUID_LINEAR_WIDTH	48

/* Leaf 0x80000007 EDX: the TSC of a TD is invariant. */
#define SIM_CPUID_CONSTANT_TSC	BIT(8)

enum sim_cpuid_kind {
	CPUID_NATIVE,
	CPUID_DIRECT,
	CPUID_ALLOW,
};

enum { EAX, EBX, ECX, EDX, NR_REGS };

struct sim_cpuid_row {
	u32 leaf;
	u32 subleaf;
	enum sim_cpuid_kind kind;
	u32 pass[NR_REGS];
	u32 config[NR_REGS];
};

#define CPUID_MASKS(...)	{ __VA_ARGS__ }
#define CPUID(_leaf, _subleaf, _kind, _pass, _config)	\
	{						\
		.leaf	 = _leaf,			\
		.subleaf = _subleaf,			\
		.kind	 = _kind,			\
		.pass	 = CPUID_MASKS _pass,		\
		.config	 = CPUID_MASKS _config,		\
	},

static const struct sim_cpuid_row sim_cpuid_rows[] = {
#include "state/cpuid.def"
};

static_assert(ARRAY_SIZE(sim_cpuid_rows) * sizeof(struct sim_cpuid_entry) <= PAGE_SIZE);

/* Features that a TD has only with a component of its XFAM. */
static const struct {
	u64 xfam;
	u32 leaf;
	u32 mask[NR_REGS];
} sim_cpuid_xfam[] = {
	/* FMA, AVX, F16C; AVX2; VAES, VPCLMULQDQ; AVX-VNNI, AVX-IFMA */
	{ XFEATURE_MASK_YMM, 1, { [ECX] = BIT(12) | BIT(28) | BIT(29) } },
	{ XFEATURE_MASK_YMM, 7, { [EAX] = BIT(4) | BIT(23), [EBX] = BIT(5),
				  [ECX] = BIT(9) | BIT(10) } },
	/* AVX512 F, DQ, IFMA, PF, ER, CD, BW, VL; VBMI, VBMI2, VNNI, BITALG, POPCNT; FP16 */
	{ XFEATURE_MASK_AVX512, 7, { [EBX] = 0xdc230000,
				     [ECX] = BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14),
				     [EDX] = BIT(2) | BIT(3) | BIT(8) | BIT(23) } },
	{ XFEATURE_MASK_PKRU, 7, { [ECX] = BIT(3) } },
};

static bool sim_cpuid_configurable(const struct sim_cpuid_row *row)
{
	return row->kind != CPUID_NATIVE;
}

unsigned int sim_cpuid_nr_config(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < ARRAY_SIZE(sim_cpuid_rows); i++)
		nr += sim_cpuid_configurable(&sim_cpuid_rows[i]);
	return nr;
}

/* Bits that the host may set.  In a CPUID_ALLOW row the CPU must have them as well. */
static void sim_cpuid_config_masks(const struct sim_cpuid_row *row, u32 mask[NR_REGS])
{
	u32 native[NR_REGS];
	int i;

	cpuid_count(row->leaf, row->subleaf == CPUID_ANY ? 0 : row->subleaf,
		    &native[EAX], &native[EBX], &native[ECX], &native[EDX]);
	for (i = 0; i < NR_REGS; i++)
		mask[i] = row->config[i] &
			  (row->kind == CPUID_ALLOW ? native[i] : U32_MAX);

	/* The GPA width is the module's, not the CPU's. */
	if (row->leaf == 0x80000008)
		mask[EAX] = row->config[EAX];
}

void sim_cpuid_config(unsigned int i, u64 *leaf, u64 values[2])
{
	const struct sim_cpuid_row *row = sim_cpuid_rows;
	u32 mask[NR_REGS];

	for (; ; row++) {
		if (sim_cpuid_configurable(row) && !i--)
			break;
	}

	sim_cpuid_config_masks(row, mask);
	*leaf = (u64)row->subleaf << 32 | row->leaf;
	values[0] = (u64)mask[EBX] << 32 | mask[EAX];
	values[1] = (u64)mask[EDX] << 32 | mask[ECX];
}

/* Size of the XSAVE area for all of @xfam, as leaf 0xd reports it in ECX. */
static u32 sim_xsave_size(u64 xfam)
{
	u32 size = sizeof(struct fxregs_state) + sizeof(struct xstate_header);
	u32 eax, ebx, ecx, edx;
	int i;

	for (i = XFEATURE_YMM; i < XFEATURE_MAX; i++) {
		if (!(xfam & BIT_ULL(i)))
			continue;
		cpuid_count(0xd, i, &eax, &ebx, &ecx, &edx);
		size = max(size, ebx + eax);
	}
	return size;
}

/* Clear the features whose component of the XFAM the TD does not have. */
static void sim_cpuid_clear_features(struct sim_cpuid_entry *entry, u64 xfam)
{
	u32 clear[NR_REGS] = {};
	int i, r;

	for (i = 0; i < ARRAY_SIZE(sim_cpuid_xfam); i++) {
		if (entry->leaf == sim_cpuid_xfam[i].leaf && !(xfam & sim_cpuid_xfam[i].xfam)) {
			for (r = 0; r < NR_REGS; r++)
				clear[r] |= sim_cpuid_xfam[i].mask[r];
		}
	}

	/* EAX of leaf 7.0 is a number of subleafs, of 7.1 it is features. */
	if (entry->leaf != 7 || entry->subleaf)
		entry->eax &= ~clear[EAX];
	if (!entry->subleaf || entry->subleaf == CPUID_ANY) {
		entry->ebx &= ~clear[EBX];
		entry->ecx &= ~clear[ECX];
		entry->edx &= ~clear[EDX];
	}
}

/* Leaf 0xd: the XSAVE area of a TD. */
static void sim_cpuid_complete_xsave(struct sim_cpuid_entry *entry, u64 xfam)
{
	if (!entry->subleaf) {
		entry->eax = (u32)(xfam & ~TDX_XFAM_SUPERVISOR);
		entry->edx = (xfam & ~TDX_XFAM_SUPERVISOR) >> 32;
		entry->ecx = sim_xsave_size(xfam);
	} else if (entry->subleaf > 1 && !(xfam & BIT_ULL(entry->subleaf))) {
		entry->eax = 0;
		entry->ebx = 0;
		entry->ecx = 0;
		entry->edx = 0;
	}
}

/* Values that come from the TD's parameters or are the same for all TDs. */
static void sim_cpuid_complete(struct sim_cpuid_entry *entry, const struct td_params *params)
{
	sim_cpuid_clear_features(entry, params->xfam);

	switch (entry->leaf) {
	case 0:
		entry->eax = TDX_CPUID_LEAF_LAST;
		break;
	case 1:
		/* Family, model and stepping of 0 stand for those of the CPU. */
		if (!entry->eax)
			entry->eax = cpuid_eax(1);
		/* The APIC of a TD is always in x2APIC mode. */
		entry->ecx |= BIT(X86_FEATURE_HYPERVISOR & 31) |
			      BIT(X86_FEATURE_X2APIC & 31);
		break;
	case 7:
		if (!entry->subleaf)
			entry->eax = 2;
		break;
	case 0xd:
		sim_cpuid_complete_xsave(entry, params->xfam);
		break;
	case 0x15:
		entry->eax = 1;
		entry->ebx = params->tsc_frequency;
		entry->ecx = TDX_TSC_UNIT_HZ;
		break;
	case TDX_CPUID_LEAF_ID:
		/* A guest reads the string from EBX, EDX and ECX. */
		memcpy(&entry->ebx, &TDX_IDENT[0], 4);
		memcpy(&entry->edx, &TDX_IDENT[4], 4);
		memcpy(&entry->ecx, &TDX_IDENT[8], 4);
		break;
	case 0x80000000:
		entry->eax = 0x80000008;
		break;
	case 0x80000007:
		entry->edx = SIM_CPUID_CONSTANT_TSC;
		break;
	case 0x80000008:
		entry->eax |= SIM_CPUID_MAXPHYADDR | SIM_CPUID_LINEAR_WIDTH << 8;
		break;
	}
}

u64 sim_cpuid_init(struct sim_tdcs *tdcs, const struct td_params *params, u64 *bad)
{
	const struct tdx_cpuid_value *value = params->cpuid_values;
	const struct sim_cpuid_row *row;
	struct sim_cpuid_entry *entry = tdcs->cpuid;

	for (row = sim_cpuid_rows; row < sim_cpuid_rows + ARRAY_SIZE(sim_cpuid_rows);
	     row++, entry++) {
		u32 subleaf = row->subleaf == CPUID_ANY ? 0 : row->subleaf;
		u32 mask[NR_REGS];

		cpuid_count(row->leaf, subleaf, &entry->eax, &entry->ebx, &entry->ecx, &entry->edx);
		entry->leaf = row->leaf;
		entry->subleaf = row->subleaf;
		entry->eax &= row->pass[EAX];
		entry->ebx &= row->pass[EBX];
		entry->ecx &= row->pass[ECX];
		entry->edx &= row->pass[EDX];

		if (sim_cpuid_configurable(row)) {
			sim_cpuid_config_masks(row, mask);
			/* TD_PARAMS has the GPA width in CONFIG_FLAGS, not here. */
			if (row->leaf == 0x80000008)
				mask[EAX] = 0;
			if (value->eax & ~mask[EAX] || value->ebx & ~mask[EBX] ||
			    value->ecx & ~mask[ECX] || value->edx & ~mask[EDX]) {
				*bad = (u64)row->subleaf << 32 | row->leaf;
				return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_CPUID_CONFIG);
			}
			entry->eax |= value->eax;
			entry->ebx |= value->ebx;
			entry->ecx |= value->ecx;
			entry->edx |= value->edx;
			value++;
		}
		sim_cpuid_complete(entry, params);
	}
	tdcs->nr_cpuid = ARRAY_SIZE(sim_cpuid_rows);
	return 0;
}

const struct sim_cpuid_entry *sim_cpuid_get(const struct sim_tdcs *tdcs,
					    u32 leaf, u32 subleaf)
{
	u32 i;

	for (i = 0; i < tdcs->nr_cpuid; i++) {
		if (tdcs->cpuid[i].leaf == leaf && tdcs->cpuid[i].subleaf == subleaf)
			return &tdcs->cpuid[i];
	}
	return NULL;
}

const struct sim_cpuid_entry *sim_cpuid_find(const struct sim_tdcs *tdcs,
					     u32 leaf, u32 subleaf)
{
	/* A subleaf that the CPU does not have reads as zeros. */
	static const struct sim_cpuid_entry no_subleaf;
	const struct sim_cpuid_entry *entry;
	u32 i;

	/* For a leaf above the last one of its range the CPU gives the last basic leaf. */
	if ((leaf > TDX_CPUID_LEAF_LAST && leaf < 0x40000000) || leaf > 0x80000008)
		leaf = TDX_CPUID_LEAF_LAST;

	entry = sim_cpuid_get(tdcs, leaf, CPUID_ANY) ?: sim_cpuid_get(tdcs, leaf, subleaf);
	if (entry)
		return entry;

	for (i = 0; i < tdcs->nr_cpuid; i++) {
		if (tdcs->cpuid[i].leaf == leaf)
			return &no_subleaf;
	}
	return NULL;
}
