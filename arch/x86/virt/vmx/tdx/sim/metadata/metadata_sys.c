// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: metadata fields of the module.
 */
#include <linux/array_size.h>
#include <linux/mm.h>

#include "metadata/metadata_sys.h"
#include "state/cpuid.h"
#include "state/pamt.h"
#include "state/td.h"

/* Version 1.5.06 of the module has the ABI that is simulated. */
#define SIM_VERSION_MAJOR	1
#define SIM_VERSION_MINOR	5
#define SIM_VERSION_UPDATE	6

/*
 * TDX_FEATURES0: TDG.VP.RD and TDG.VP.WR exist, the extended exit qualification names a
 * PENDING page, the host chooses family, model and stepping, and interrupts do not end
 * TDH.MEM.PAGE.DEMOTE.
 */
#define SIM_FEATURES0_TDG_VP_RDWR		BIT_ULL(3)
#define SIM_FEATURES0_PENDING_EPT_VIOLATION_V2	BIT_ULL(16)
#define SIM_FEATURES0_FMS_CONFIG		BIT_ULL(17)
#define SIM_FEATURES0_DEMOTE_INTERRUPTIBILITY	BIT_ULL(51)

static u64 md_major_version(u32 i) { return SIM_VERSION_MAJOR; }
static u64 md_minor_version(u32 i) { return SIM_VERSION_MINOR; }
static u64 md_update_version(u32 i) { return SIM_VERSION_UPDATE; }
static u64 md_module_hv(u32 i) { return 0; }
static u64 md_max_tdmrs(u32 i) { return SIM_MAX_TDMRS; }
static u64 md_max_reserved_per_tdmr(u32 i) { return SIM_MAX_RESERVED; }
static u64 md_pamt_4k_entry_size(u32 i) { return sizeof(struct sim_pamt); }
static u64 md_pamt_2m_entry_size(u32 i) { return sizeof(struct sim_pamt); }
static u64 md_pamt_1g_entry_size(u32 i) { return sizeof(struct sim_pamt); }
static u64 md_tdr_base_size(u32 i) { return PAGE_SIZE; }
static u64 md_tdcs_base_size(u32 i) { return TDX_TDCS_PAGES * PAGE_SIZE; }
static u64 md_tdvps_base_size(u32 i) { return TDX_TDVPS_PAGES * PAGE_SIZE; }
static u64 md_attributes_fixed0(u32 i) { return SIM_ATTRIBUTES_FIXED0; }
static u64 md_attributes_fixed1(u32 i) { return SIM_ATTRIBUTES_FIXED1; }
static u64 md_xfam_fixed0(u32 i) { return sim_sys.xfam_fixed0; }
static u64 md_xfam_fixed1(u32 i) { return SIM_XFAM_FIXED1; }
static u64 md_num_cpuid_config(u32 i) { return sim_cpuid_nr_config(); }
static u64 md_max_vcpus_per_td(u32 i) { return SIM_MAX_VCPUS; }

static u64 md_features0(u32 i)
{
	return TDX_FEATURES0_NO_RBP_MOD | MD_FIELD_ID_FEATURES0_TOPOLOGY_ENUM |
	       SIM_FEATURES0_TDG_VP_RDWR | SIM_FEATURES0_PENDING_EPT_VIOLATION_V2 |
	       SIM_FEATURES0_FMS_CONFIG | SIM_FEATURES0_DEMOTE_INTERRUPTIBILITY;
}

static u64 md_cpuid_config_leaf(u32 i)
{
	u64 leaf, values[2];

	sim_cpuid_config(i, &leaf, values);
	return leaf;
}

static u64 md_cpuid_config_value(u32 i)
{
	u64 leaf, values[2];

	sim_cpuid_config(i / 2, &leaf, values);
	return values[i & 1];
}

static unsigned int md_nr_cpuid_config_values(void)
{
	return 2 * sim_cpuid_nr_config();
}

struct sim_md_sys_field {
	u64 id;
	u64 (*get)(u32 i);
	unsigned int (*nr)(void);
};

#define MD_SYS(_id, _get, _nr)	{ .id = _id, .get = _get, .nr = _nr },

static const struct sim_md_sys_field sim_md_sys_fields[] = {
#include "metadata/metadata.def"
};

static u32 sim_md_sys_count(const struct sim_md_sys_field *field)
{
	return field->nr ? field->nr() : 1;
}

static const struct sim_md_sys_field *sim_md_sys_find(u64 id, u32 *index)
{
	const struct sim_md_sys_field *field;

	if (id & TDX_MD_FIELD_RESERVED)
		return NULL;

	for (field = sim_md_sys_fields;
	     field < sim_md_sys_fields + ARRAY_SIZE(sim_md_sys_fields); field++) {
		u64 distance = (id & TDX_MD_FIELD_SELECT) - (field->id & TDX_MD_FIELD_SELECT);

		/* An identifier of another class or of a lower code gives a huge distance. */
		if (distance < sim_md_sys_count(field)) {
			*index = distance;
			return field;
		}
	}
	return NULL;
}

/* Identifier of the element after number @index of @field. */
static u64 sim_md_sys_next(const struct sim_md_sys_field *field, u32 index)
{
	if (index + 1 < sim_md_sys_count(field))
		return field->id + index + 1;
	if (++field == sim_md_sys_fields + ARRAY_SIZE(sim_md_sys_fields))
		return SIM_MD_NO_FIELD;
	return field->id;
}

u64 sim_md_sys_read(u64 id, u64 *value, u64 *next)
{
	const struct sim_md_sys_field *field;
	u32 index;

	*value = 0;
	*next = SIM_MD_NO_FIELD;

	if (id == SIM_MD_NO_FIELD) {
		*next = sim_md_sys_fields[0].id;
		return TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT;
	}

	field = sim_md_sys_find(id, &index);
	if (!field)
		return TDX_METADATA_FIELD_ID_INCORRECT;

	*value = field->get(index);
	*next = sim_md_sys_next(field, index);
	return 0;
}
