// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDH.MNG leafs.
 */
#include <linux/bitfield.h>
#include <linux/bitmap.h>

#include "metadata/metadata.h"
#include "state/cpuid.h"
#include "state/mrtd.h"
#include "state/page.h"
#include "state/sept.h"
#include "tdh/td_params.h"
#include "tdh/tdh.h"
#include "vcpu/td_msr.h"

static struct sim_kot_entry *sim_kot_of(u16 hkid)
{
	return &sim_sys.kot[hkid - sim_sys.keyid_start];
}

u64 sim_tdh_mng_create(struct pt_regs *regs)
{
	u64 pa = regs->cx, hkid = regs->dx;
	struct sim_page_ref page;
	struct sim_td *td;
	u64 status;

	if (hkid < sim_sys.keyid_start ||
	    hkid >= sim_sys.keyid_start + sim_sys.nr_keyids)
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RDX);

	status = sim_free_page_get(pa, TDX_OPERAND_ID_RCX, TDX_PS_4K, SIM_EXCL, &page);
	if (status)
		return status;

	if (!sim_trylock(&sim_sys.kot_lock, SIM_EXCL)) {
		status = sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_KOT);
		goto put_page;
	}

	if (sim_kot_of(hkid)->state != SIM_KOT_FREE) {
		status = TDX_HKID_NOT_FREE;
		goto unlock_kot;
	}

	/* All checks passed: no failure below. */
	td = __va(pa);
	sim_page_clear(td);
	td->pamt = page.pamt;
	td->pa = pa;
	td->hkid = hkid;
	td->lifecycle = SIM_HKID_ASSIGNED;
	sim_kot_of(hkid)->state = SIM_KOT_ASSIGNED;
	sim_page_assign(page.pamt, PT_TDR, TDX_PS_4K, NULL);
unlock_kot:
	sim_unlock(&sim_sys.kot_lock, SIM_EXCL);
put_page:
	sim_page_ref_put(&page);
	return status;
}

u64 sim_tdh_mng_key_config(struct pt_regs *regs)
{
	DECLARE_BITMAP(packages, SIM_MAX_PACKAGES);
	unsigned int package = sim_this_package();
	struct sim_td *td;
	u64 status;

	status = sim_tdr_get(regs->cx, TDX_OPERAND_ID_RCX, SIM_EXCL, &td);
	if (status)
		return status;

	if (td->fatal)
		status = TDX_TD_FATAL;
	else if (td->lifecycle != SIM_HKID_ASSIGNED)
		status = TDX_LIFECYCLE_STATE_INCORRECT;
	else if (test_bit(package, td->key_packages))
		status = TDX_KEY_CONFIGURED;
	if (status)
		goto put_td;

	/* All checks passed: no failure below.  There is no key to generate. */
	__set_bit(package, td->key_packages);
	sim_packages(packages);
	if (bitmap_subset(packages, td->key_packages, SIM_MAX_PACKAGES))
		td->lifecycle = SIM_KEYS_CONFIGURED;
put_td:
	sim_td_put(td, SIM_EXCL);
	return status;
}

u64 sim_tdh_mng_addcx(struct pt_regs *regs)
{
	u64 pa = regs->cx;
	struct sim_page_ref page;
	struct sim_td *td;
	u64 status;

	status = sim_tdr_get(regs->dx, TDX_OPERAND_ID_RDX, SIM_EXCL, &td);
	if (status)
		return status;

	if (td->fatal)
		status = TDX_TD_FATAL;
	else if (td->lifecycle != SIM_KEYS_CONFIGURED)
		status = TDX_TD_KEYS_NOT_CONFIGURED;
	else if (td->tdcs && td->tdcs->op_state != SIM_OP_UNINITIALIZED)
		status = TDX_OP_STATE_INCORRECT;
	else if (td->num_tdcx == TDX_TDCS_PAGES)
		status = TDX_TDCX_NUM_INCORRECT;
	if (status)
		goto put_td;

	status = sim_free_page_get(pa, TDX_OPERAND_ID_RCX, TDX_PS_4K, SIM_EXCL, &page);
	if (status)
		goto put_td;

	/* All checks passed: no failure below. */
	sim_page_clear(__va(pa));
	if (td->num_tdcx == SIM_TDCX_TDCS)
		td->tdcs = __va(pa);
	td->tdcx_pa[td->num_tdcx++] = pa;
	sim_page_assign(page.pamt, PT_TDCX, TDX_PS_4K, td);
	sim_page_ref_put(&page);
put_td:
	sim_td_put(td, SIM_EXCL);
	return status;
}

u64 sim_tdh_mng_init(struct pt_regs *regs)
{
	struct td_params *params;
	struct sim_tdcs *tdcs;
	u64 bad_cpuid = 0;
	struct sim_td *td;
	u64 status;

	status = sim_td_get(regs->cx, TDX_OPERAND_ID_RCX, SIM_EXCL,
			    BIT(SIM_OP_UNINITIALIZED), &td);
	if (status)
		goto out;

	if (!sim_shared_hpa_ok(regs->dx, sizeof(*params), __alignof__(*params))) {
		status = sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RDX);
		goto put_td;
	}

	/*
	 * The host can change TD_PARAMS at any time, so a copy is checked.  It is in a
	 * page that gets its own content only below.
	 */
	params = sim_td_page(td, SIM_TDCX_SEPT_ROOT);
	sim_page_copy(params, __va(regs->dx), sizeof(*params));

	status = sim_td_params_check(params);
	if (status)
		goto put_td;

	/* On failure the table stays half filled, and unused. */
	tdcs = td->tdcs;
	tdcs->cpuid = sim_td_page(td, SIM_TDCX_CPUID);
	status = sim_cpuid_init(tdcs, params, &bad_cpuid) ?: sim_td_params_check_rest(params);
	if (status) {
		tdcs->cpuid = NULL;
		sim_cpuid_clear(tdcs);
		goto put_td;
	}

	/* All checks passed: no failure below. */
	sim_td_params_take(tdcs, params);
	tdcs->sept_root = sim_td_page(td, SIM_TDCX_SEPT_ROOT);
	sim_sept_clear_table(tdcs->sept_root);
	atomic_set(&tdcs->sept_root_gen, 1);
	tdcs->msr_bitmap = sim_td_page(td, SIM_TDCX_MSR_BITMAP);
	sim_msr_bitmap_init(tdcs->msr_bitmap);
	tdcs->has_spec_ctrl = sim_msr_has_spec_ctrl(tdcs);
	tdcs->epoch = 1;
	sim_mrtd_init(tdcs);
	tdcs->op_state = SIM_OP_INITIALIZED;
put_td:
	sim_td_put(td, SIM_EXCL);
out:
	regs->cx = bad_cpuid;
	return status;
}

u64 sim_tdh_mng_rd(struct pt_regs *regs)
{
	bool version_1 = FIELD_GET(TDX_LEAF_VERSION_MASK, regs->ax);
	u64 value = 0, next = SIM_MD_NO_FIELD;
	struct sim_td *td;
	u64 status;

	status = sim_td_get(regs->cx, TDX_OPERAND_ID_RCX, SIM_SHARED, SIM_OPS_LIVE, &td);
	if (!status) {
		if (sim_md_is_mrtd(regs->dx))
			sim_mrtd_settle(td->tdcs);
		status = sim_md_td_read(td, regs->dx, SIM_MD_HOST, &value,
					version_1 ? &next : NULL);
		sim_td_put(td, SIM_SHARED);
	}

	regs->r8 = value;
	if (version_1)
		regs->dx = next;
	return status;
}

u64 sim_tdh_mng_vpflushdone(struct pt_regs *regs)
{
	struct sim_kot_entry *kot;
	struct sim_td *td;
	u64 status;

	/* Half-built and fatal TDs are torn down in this way as well. */
	status = sim_tdr_get(regs->cx, TDX_OPERAND_ID_RCX, SIM_EXCL, &td);
	if (status)
		return status;

	if (!sim_trylock(&sim_sys.kot_lock, SIM_EXCL)) {
		status = sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_KOT);
		goto put_td;
	}

	if (td->lifecycle != SIM_HKID_ASSIGNED && td->lifecycle != SIM_KEYS_CONFIGURED) {
		status = TDX_LIFECYCLE_STATE_INCORRECT;
		goto unlock_kot;
	}

	if (td->tdcs && td->tdcs->op_state != SIM_OP_UNINITIALIZED &&
	    atomic_read(&td->tdcs->num_assoc_vcpus)) {
		status = TDX_FLUSHVP_NOT_DONE;
		goto unlock_kot;
	}

	/* All checks passed: no failure below. */
	kot = sim_kot_of(td->hkid);
	sim_packages(kot->wbinvd);
	kot->state = SIM_KOT_FLUSHED;
	td->lifecycle = SIM_BLOCKED;
unlock_kot:
	sim_unlock(&sim_sys.kot_lock, SIM_EXCL);
put_td:
	sim_td_put(td, SIM_EXCL);
	return status;
}

u64 sim_tdh_mng_key_freeid(struct pt_regs *regs)
{
	struct sim_kot_entry *kot;
	struct sim_td *td;
	u64 status;

	status = sim_tdr_get(regs->cx, TDX_OPERAND_ID_RCX, SIM_EXCL, &td);
	if (status)
		return status;

	if (td->lifecycle != SIM_BLOCKED) {
		status = TDX_LIFECYCLE_STATE_INCORRECT;
		goto put_td;
	}

	if (!sim_trylock(&sim_sys.kot_lock, SIM_EXCL)) {
		status = sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_KOT);
		goto put_td;
	}

	kot = sim_kot_of(td->hkid);
	if (!bitmap_empty(kot->wbinvd, SIM_MAX_PACKAGES)) {
		status = TDX_WBCACHE_NOT_COMPLETE;
		goto unlock_kot;
	}

	/* All checks passed: no failure below. */
	kot->state = SIM_KOT_FREE;
	td->lifecycle = SIM_TEARDOWN;
unlock_kot:
	sim_unlock(&sim_sys.kot_lock, SIM_EXCL);
put_td:
	sim_td_put(td, SIM_EXCL);
	return status;
}

/* The ABI keeps this leaf for old callers.  TDH.MNG.VPFLUSHDONE does its work. */
u64 sim_tdh_mng_key_reclaimid(struct pt_regs *regs)
{
	return TDX_SUCCESS;
}
