// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: metadata fields of TDs and vCPUs.
 */
#include <linux/array_size.h>
#include <linux/bitfield.h>
#include <linux/mm.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include <asm/vmx.h>

#include "metadata/metadata.h"
#include "state/cpuid.h"
#include "state/vcpu.h"
#include "vcpu/td_apic.h"

/* CPUID_VALUES of a TD, and the parts of its field code. */
#define MD_CLASS_CPUID		FIELD_GET(TDX_MD_FIELD_CLASS_MASK, TD_MD_FIELD_ID_CPUID_VALUES)
#define MD_CPUID_LEAF_31	BIT_ULL(16)
#define MD_CPUID_LEAF		GENMASK_ULL(15, 9)
#define MD_CPUID_NO_SUBLEAF	BIT_ULL(8)
#define MD_CPUID_SUBLEAF	GENMASK_ULL(7, 1)
#define MD_CPUID_ECX_EDX	BIT_ULL(0)

/* TD_CTLS: the others belong to features that the module does not have. */
#define MD_TD_CTLS_MASK		(TD_CTLS_PENDING_VE_DISABLE | TD_CTLS_LOCK)

/* CPUID_CONTROL: #VE on CPUID, as TDG.VP.CPUIDVE.SET has it. */
#define MD_CPUID_CONTROL_MASK	GENMASK_ULL(1, 0)

enum sim_md_access {
	MD_NONE,
	MD_RD,
	MD_RDWR,
};

struct sim_md_field {
	u64 id;
	u16 offset;
	u16 size;		/* of an element, in bytes */
	u16 nr;			/* elements, one after the other from @id on */
	enum sim_md_access access[SIM_MD_NR_SIDES];
	u64 mask;
	u64 (*check)(const void *object, u64 value);
};

struct sim_md_table {
	const struct sim_md_field *fields;
	size_t nr;
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

/* Posted interrupts need the descriptor and the vector. */
static u64 md_check_pin_controls(const void *object, u64 value)
{
	const struct sim_vcpu *vcpu = object;

	if (!(value & PIN_BASED_POSTED_INTR))
		return 0;
	if (vcpu->pi_nv > U8_MAX)
		return sim_err(TDX_TD_VMCS_FIELD_NOT_INITIALIZED, POSTED_INTR_NV);
	if (!vcpu->pi_desc_pa)
		return sim_err(TDX_TD_VMCS_FIELD_NOT_INITIALIZED, POSTED_INTR_DESC_ADDR);
	return 0;
}

#define MD_FIELD(_id, _struct, _member, _nr, _host, _guest, _mask, _check)	\
	{								\
		.id	= _id,						\
		.offset	= offsetof(_struct, _member),			\
		.size	= sizeof_field(_struct, _member) / (_nr),	\
		.nr	= _nr,						\
		.access	= { [SIM_MD_HOST] = _host, [SIM_MD_GUEST] = _guest },	\
		.mask	= _mask,					\
		.check	= _check,					\
	},

#define MD_TD(_id, _member, _nr, _host, _guest, _mask, _check)		\
	MD_FIELD(_id, struct sim_tdcs, _member, _nr, _host, _guest, _mask, _check)

static const struct sim_md_field sim_md_td_fields[] = {
#include "metadata/metadata.def"
};

#define MD_VP(_id, _member, _host, _guest, _mask, _check)		\
	MD_FIELD(_id, struct sim_vcpu, _member, 1, _host, _guest, _mask, _check)

static const struct sim_md_field sim_md_vp_fields[] = {
#include "metadata/metadata.def"
};

static const struct sim_md_table sim_md_td = {
	.fields = sim_md_td_fields, .nr = ARRAY_SIZE(sim_md_td_fields),
};

static const struct sim_md_table sim_md_vp = {
	.fields = sim_md_vp_fields, .nr = ARRAY_SIZE(sim_md_vp_fields),
};

static const struct sim_md_field *sim_md_find(const struct sim_md_table *table, u64 id,
					      unsigned int *index)
{
	const struct sim_md_field *field;

	if (id & TDX_MD_FIELD_RESERVED)
		return NULL;

	for (field = table->fields; field < table->fields + table->nr; field++) {
		u64 distance = (id & TDX_MD_FIELD_SELECT) - (field->id & TDX_MD_FIELD_SELECT);

		/* An identifier of another class or of a lower code gives a huge distance. */
		if (distance < field->nr) {
			*index = distance;
			return field;
		}
	}
	return NULL;
}

/* Identifier of the first readable element at or after row @field. */
static u64 sim_md_first_of(const struct sim_md_table *table, const struct sim_md_field *field,
			   enum sim_md_side side)
{
	for (; field < table->fields + table->nr; field++) {
		if (field->access[side] != MD_NONE)
			return field->id;
	}
	return SIM_MD_NO_FIELD;
}

static u64 sim_md_get(const struct sim_md_field *field, unsigned int index, const void *object)
{
	u64 value = 0;

	memcpy(&value, object + field->offset + index * field->size, field->size);
	return value;
}

static u64 sim_md_read(const struct sim_md_table *table, const void *object, u64 id,
		       enum sim_md_side side, u64 *value, u64 *next)
{
	const struct sim_md_field *field;
	unsigned int index;

	if (next && id == SIM_MD_NO_FIELD) {
		*next = sim_md_first_of(table, table->fields, side);
		return TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT;
	}

	if (next)
		*next = SIM_MD_NO_FIELD;
	field = sim_md_find(table, id, &index);
	if (!field)
		return TDX_METADATA_FIELD_ID_INCORRECT;
	if (field->access[side] == MD_NONE)
		return TDX_METADATA_FIELD_NOT_READABLE;

	*value = sim_md_get(field, index, object);
	if (next)
		*next = index + 1 < field->nr ? field->id + index + 1 :
			sim_md_first_of(table, field + 1, side);
	return 0;
}

static u64 sim_md_write(const struct sim_md_table *table, void *object, u64 id,
			enum sim_md_side side, u64 value, u64 mask, u64 *old)
{
	const struct sim_md_field *field;
	unsigned int index;
	u64 status = 0;
	u64 before;

	*old = 0;
	field = sim_md_find(table, id, &index);
	if (!field)
		return TDX_METADATA_FIELD_ID_INCORRECT;

	/* A mask wider than the field's own is not an error. */
	mask &= field->mask;
	if (field->access[side] != MD_RDWR || !mask)
		return TDX_METADATA_FIELD_NOT_WRITABLE;

	before = sim_md_get(field, index, object);
	value = (before & ~mask) | (value & mask);
	if (field->check)
		status = field->check(object, value);
	if (status)
		return status;

	memcpy(object + field->offset + index * field->size, &value, field->size);
	*old = before;
	return 0;
}

/* Only rows of the table are readable, with a subleaf if the row has one. */
static u64 sim_md_cpuid(const struct sim_tdcs *tdcs, u64 id, u64 *value)
{
	u32 leaf = FIELD_GET(MD_CPUID_LEAF, id) | (id & MD_CPUID_LEAF_31 ? BIT(31) : 0);
	u32 subleaf = id & MD_CPUID_NO_SUBLEAF ? SIM_CPUID_NO_SUBLEAF :
		      FIELD_GET(MD_CPUID_SUBLEAF, id);
	const struct sim_cpuid_entry *entry = sim_cpuid_get(tdcs, leaf, subleaf);

	if (!entry || id & TDX_MD_FIELD_RESERVED)
		return TDX_METADATA_FIELD_ID_INCORRECT;

	if (id & MD_CPUID_ECX_EDX)
		*value = (u64)entry->regs[SIM_EDX] << 32 | entry->regs[SIM_ECX];
	else
		*value = (u64)entry->regs[SIM_EBX] << 32 | entry->regs[SIM_EAX];
	return 0;
}

u64 sim_md_td_read(struct sim_td *td, u64 id, enum sim_md_side side, u64 *value, u64 *next)
{
	*value = 0;

	/* CPUID_VALUES are read by number only: no next identifier is given. */
	if (id != SIM_MD_NO_FIELD &&
	    FIELD_GET(TDX_MD_FIELD_CLASS_MASK, id) == MD_CLASS_CPUID) {
		if (next)
			*next = SIM_MD_NO_FIELD;
		return side == SIM_MD_HOST ? sim_md_cpuid(td->tdcs, id, value) :
		       TDX_METADATA_FIELD_NOT_READABLE;
	}

	return sim_md_read(&sim_md_td, td->tdcs, id, side, value, next);
}

u64 sim_md_td_write(struct sim_td *td, u64 id, enum sim_md_side side, u64 value, u64 mask,
		    u64 *old)
{
	return sim_md_write(&sim_md_td, td->tdcs, id, side, value, mask, old);
}

/* This field is calculated, so that it has no row.  It is the only one. */
static bool sim_md_is_state_details(u64 id)
{
	const u64 details = TDVPS_STATE_NON_ARCH(TD_VCPU_STATE_DETAILS_NON_ARCH);

	return !((id ^ details) & (TDX_MD_FIELD_SELECT | TDX_MD_FIELD_RESERVED));
}

u64 sim_md_vp_read(struct sim_vcpu *vcpu, u64 id, enum sim_md_side side, u64 *value, u64 *next)
{
	*value = 0;

	if (sim_md_is_state_details(id)) {
		if (next)
			*next = SIM_MD_NO_FIELD;
		if (side != SIM_MD_HOST)
			return TDX_METADATA_FIELD_NOT_READABLE;
		*value = sim_apic_intr_pending(vcpu) ? TDX_VCPU_STATE_DETAILS_INTR_PENDING : 0;
		return 0;
	}

	return sim_md_read(&sim_md_vp, vcpu, id, side, value, next);
}

u64 sim_md_vp_write(struct sim_vcpu *vcpu, u64 id, enum sim_md_side side, u64 value, u64 mask,
		    u64 *old)
{
	if (sim_md_is_state_details(id)) {
		*old = 0;
		return TDX_METADATA_FIELD_NOT_WRITABLE;
	}

	return sim_md_write(&sim_md_vp, vcpu, id, side, value, mask, old);
}
