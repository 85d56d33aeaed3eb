// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: metadata fields of the module, of TDs and of vCPUs.
 */
#include <linux/array_size.h>
#include <linux/bitfield.h>
#include <linux/mm.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include <asm/vmx.h>

#include "metadata.h"
#include "mng.h"

/* Version 1.5.06 of the module has the ABI that is simulated. */
#define SIM_VERSION_MAJOR	1
#define SIM_VERSION_MINOR	5
#define SIM_VERSION_UPDATE	6

/* TDX_FEATURES0: a PENDING page is told apart in the extended exit qualification. */
#define SIM_FEATURES0_PENDING_EPT_VIOLATION_V2	BIT_ULL(16)

/* TDH.MNG.RD: CPUID_VALUES of a TD, and what its field code says. */
#define MD_CLASS_CPUID		FIELD_GET(TDX_MD_FIELD_CLASS_MASK, TD_MD_FIELD_ID_CPUID_VALUES)
#define MD_CPUID_LEAF_31	BIT_ULL(16)
#define MD_CPUID_LEAF		GENMASK_ULL(15, 9)
#define MD_CPUID_NO_SUBLEAF	BIT_ULL(8)
#define MD_CPUID_SUBLEAF	GENMASK_ULL(7, 1)
#define MD_CPUID_ECX_EDX	BIT_ULL(0)

/* TD_CTLS: the others belong to features that the module does not have. */
#define MD_TD_CTLS_MASK		(TD_CTLS_PENDING_VE_DISABLE | TD_CTLS_LOCK)

enum sim_md_access {
	MD_NONE,
	MD_RD,
	MD_RDWR,
};

/*
 * Values of SYS fields
 */

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
	       SIM_FEATURES0_PENDING_EPT_VIOLATION_V2;
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
#include "metadata.def"
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

		/* Far off for another class, and wrapped for a lower code. */
		if (distance < sim_md_sys_count(field)) {
			*index = distance;
			return field;
		}
	}
	return NULL;
}

u64 sim_md_sys_read(u64 id, u64 *value)
{
	const struct sim_md_sys_field *field;
	u32 index;

	field = sim_md_sys_find(id, &index);
	if (!field)
		return TDX_METADATA_FIELD_ID_INCORRECT;

	*value = field->get(index);
	return 0;
}

u64 sim_md_sys_first(void)
{
	return sim_md_sys_fields[0].id;
}

u64 sim_md_sys_next(u64 id)
{
	const struct sim_md_sys_field *field;
	u32 index;

	field = sim_md_sys_find(id, &index);
	if (!field)
		return SIM_MD_NO_FIELD;
	if (index + 1 < sim_md_sys_count(field))
		return field->id + index + 1;
	if (++field == sim_md_sys_fields + ARRAY_SIZE(sim_md_sys_fields))
		return SIM_MD_NO_FIELD;
	return field->id;
}

/*
 * Fields of TDs and vCPUs
 */

struct sim_md_field {
	u64 id;
	u16 offset;
	u16 size;
	enum sim_md_access host;
	enum sim_md_access guest;
	u64 mask;
	u64 (*check)(const void *object, u64 value);
};

static u64 md_check_td_ctls(const void *object, u64 value)
{
	const struct sim_tdcs *tdcs = object;
	u64 changed = value ^ tdcs->td_ctls;

	if (tdcs->td_ctls & TD_CTLS_LOCK)
		return TDX_METADATA_FIELD_NOT_WRITABLE;
	if (changed & TD_CTLS_PENDING_VE_DISABLE &&
	    !(tdcs->config_flags & TDCS_CONFIG_FLEXIBLE_PENDING_VE))
		return TDX_METADATA_FIELD_VALUE_NOT_VALID;
	return 0;
}

static u64 md_check_pi_nv(const void *object, u64 value)
{
	return value > U8_MAX ? TDX_METADATA_FIELD_VALUE_NOT_VALID : 0;
}

static u64 md_check_pi_desc(const void *object, u64 value)
{
	return sim_shared_hpa_ok(value, 64, 64) ? 0 : TDX_METADATA_FIELD_VALUE_NOT_VALID;
}

static u64 md_check_shared_eptp(const void *object, u64 value)
{
	return sim_shared_hpa_ok(value, PAGE_SIZE, PAGE_SIZE) ? 0 :
	       TDX_METADATA_FIELD_VALUE_NOT_VALID;
}

/* Posted interrupts need to know where and by which vector. */
static u64 md_check_pin_controls(const void *object, u64 value)
{
	const struct sim_vcpu *vcpu = object;

	if (vcpu->pi_nv > U8_MAX)
		return sim_err(TDX_TD_VMCS_FIELD_NOT_INITIALIZED, POSTED_INTR_NV);
	if (!vcpu->pi_desc_pa)
		return sim_err(TDX_TD_VMCS_FIELD_NOT_INITIALIZED, POSTED_INTR_DESC_ADDR);
	return 0;
}

#define MD_FIELD(_id, _struct, _member, _host, _guest, _mask, _check)	\
	{								\
		.id	= _id,						\
		.offset	= offsetof(_struct, _member),			\
		.size	= sizeof_field(_struct, _member),		\
		.host	= _host,					\
		.guest	= _guest,					\
		.mask	= _mask,					\
		.check	= _check,					\
	},

#define MD_TD(_id, _member, _host, _guest, _mask, _check)		\
	MD_FIELD(_id, struct sim_tdcs, _member, _host, _guest, _mask, _check)

static const struct sim_md_field sim_md_td_fields[] = {
#include "metadata.def"
};

#define MD_VP(_id, _member, _host, _mask, _check)			\
	MD_FIELD(_id, struct sim_vcpu, _member, _host, MD_NONE, _mask, _check)

static const struct sim_md_field sim_md_vp_fields[] = {
#include "metadata.def"
};

static const struct sim_md_field *sim_md_find(const struct sim_md_field *fields,
					      size_t nr, u64 id)
{
	size_t i;

	if (id & TDX_MD_FIELD_RESERVED)
		return NULL;

	for (i = 0; i < nr; i++) {
		if (!((fields[i].id ^ id) & TDX_MD_FIELD_SELECT))
			return &fields[i];
	}
	return NULL;
}

static u64 sim_md_get(const struct sim_md_field *field, const void *object)
{
	u64 value = 0;

	memcpy(&value, object + field->offset, field->size);
	return value;
}

static u64 sim_md_write(const struct sim_md_field *field, enum sim_md_access access,
			void *object, u64 value, u64 mask, u64 *old)
{
	u64 status = 0;

	if (!field)
		return TDX_METADATA_FIELD_ID_INCORRECT;

	/* A mask wider than the field's own is not an error. */
	mask &= field->mask;
	if (access != MD_RDWR || !mask)
		return TDX_METADATA_FIELD_NOT_WRITABLE;

	*old = sim_md_get(field, object);
	value = (*old & ~mask) | (value & mask);
	if (field->check)
		status = field->check(object, value);
	if (!status)
		memcpy(object + field->offset, &value, field->size);
	return status;
}

/* Only rows of the table are readable, in the form that has the subleaf or not. */
static u64 sim_md_cpuid(const struct sim_tdcs *tdcs, u64 id, u64 *value)
{
	u32 leaf = FIELD_GET(MD_CPUID_LEAF, id) | (id & MD_CPUID_LEAF_31 ? BIT(31) : 0);
	u32 subleaf = id & MD_CPUID_NO_SUBLEAF ? SIM_CPUID_NO_SUBLEAF :
		      FIELD_GET(MD_CPUID_SUBLEAF, id);
	const struct sim_cpuid_entry *entry = sim_cpuid_get(tdcs, leaf, subleaf);

	if (!entry || id & TDX_MD_FIELD_RESERVED)
		return TDX_METADATA_FIELD_ID_INCORRECT;

	if (id & MD_CPUID_ECX_EDX)
		*value = (u64)entry->edx << 32 | entry->ecx;
	else
		*value = (u64)entry->ebx << 32 | entry->eax;
	return 0;
}

u64 sim_md_td_read(struct sim_td *td, u64 id, bool guest, u64 *value)
{
	const struct sim_md_field *field;

	if (FIELD_GET(TDX_MD_FIELD_CLASS_MASK, id) == MD_CLASS_CPUID)
		return sim_md_cpuid(td->tdcs, id, value);

	field = sim_md_find(sim_md_td_fields, ARRAY_SIZE(sim_md_td_fields), id);
	if (!field)
		return TDX_METADATA_FIELD_ID_INCORRECT;
	if ((guest ? field->guest : field->host) == MD_NONE)
		return TDX_METADATA_FIELD_NOT_READABLE;

	*value = sim_md_get(field, td->tdcs);
	return 0;
}

u64 sim_md_td_write(struct sim_td *td, u64 id, u64 value, u64 mask, u64 *old)
{
	const struct sim_md_field *field =
		sim_md_find(sim_md_td_fields, ARRAY_SIZE(sim_md_td_fields), id);

	return sim_md_write(field, field ? field->guest : MD_NONE, td->tdcs, value, mask, old);
}

/* The one field that is calculated, so it has no row. */
static bool sim_md_is_state_details(u64 id)
{
	const u64 details = TDVPS_STATE_NON_ARCH(TD_VCPU_STATE_DETAILS_NON_ARCH);

	return !((id ^ details) & (TDX_MD_FIELD_SELECT | TDX_MD_FIELD_RESERVED));
}

u64 sim_md_vp_read(struct sim_vcpu *vcpu, u64 id, u64 *value)
{
	const struct sim_md_field *field;

	if (sim_md_is_state_details(id)) {
		*value = sim_vcpu_intr_pending(vcpu) ? TDX_VCPU_STATE_DETAILS_INTR_PENDING : 0;
		return 0;
	}

	field = sim_md_find(sim_md_vp_fields, ARRAY_SIZE(sim_md_vp_fields), id);
	if (!field)
		return TDX_METADATA_FIELD_ID_INCORRECT;
	if (field->host == MD_NONE)
		return TDX_METADATA_FIELD_NOT_READABLE;

	*value = sim_md_get(field, vcpu);
	return 0;
}

u64 sim_md_vp_write(struct sim_vcpu *vcpu, u64 id, u64 value, u64 mask, u64 *old)
{
	const struct sim_md_field *field =
		sim_md_find(sim_md_vp_fields, ARRAY_SIZE(sim_md_vp_fields), id);

	if (sim_md_is_state_details(id))
		return TDX_METADATA_FIELD_NOT_WRITABLE;

	return sim_md_write(field, field ? field->host : MD_NONE, vcpu, value, mask, old);
}
