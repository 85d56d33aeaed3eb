// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDH.VP leafs.
 */
#include <linux/bitfield.h>
#include <linux/minmax.h>
#include <linux/smp.h>

#include <asm/debugreg.h>
#include <asm/fpu/types.h>

#include "metadata/metadata.h"
#include "run/td_run.h"
#include "state/cpuid.h"
#include "state/page.h"
#include "state/vcpu.h"
#include "tdh/tdh.h"

u64 sim_tdh_vp_create(struct pt_regs *regs)
{
	struct sim_vcpu *vcpu;
	struct sim_page_ref page;
	struct sim_td *td;
	u64 status;

	status = sim_td_get(regs->dx, TDX_OPERAND_ID_RDX, SIM_SHARED, SIM_OPS_INIT, &td);
	if (status)
		return status;

	status = sim_free_page_get(regs->cx, TDX_OPERAND_ID_RCX, TDX_PS_4K, SIM_EXCL, &page);
	if (status)
		goto put_td;

	/* All checks passed: no failure below. */
	vcpu = __va(regs->cx);
	sim_page_clear(vcpu);
	vcpu->pamt = page.pamt;
	vcpu->td = td;
	vcpu->state = SIM_VCPU_UNINITIALIZED;
	vcpu->cpu = -1;
	sim_page_assign(page.pamt, PT_TDVPR, TDX_PS_4K, td);
	sim_page_ref_put(&page);
put_td:
	sim_td_put(td, SIM_SHARED);
	return status;
}

u64 sim_tdh_vp_addcx(struct pt_regs *regs)
{
	struct sim_vcpu *vcpu;
	struct sim_page_ref page;
	u64 status;

	status = sim_vcpu_get(regs->dx, TDX_OPERAND_ID_RDX, SIM_EXCL, SIM_SHARED,
			      SIM_OPS_INIT, &vcpu);
	if (status)
		return status;

	if (vcpu->state != SIM_VCPU_UNINITIALIZED) {
		status = TDX_VCPU_STATE_INCORRECT;
		goto put_vcpu;
	}

	if (vcpu->num_tdcx == SIM_TDVPS_NR) {
		status = TDX_TDCX_NUM_INCORRECT;
		goto put_vcpu;
	}

	status = sim_free_page_get(regs->cx, TDX_OPERAND_ID_RCX, TDX_PS_4K, SIM_EXCL, &page);
	if (status)
		goto put_vcpu;

	/* All checks passed: no failure below. */
	sim_page_clear(__va(regs->cx));
	vcpu->tdcx_pa[vcpu->num_tdcx++] = regs->cx;
	sim_page_assign(page.pamt, PT_TDCX, TDX_PS_4K, vcpu->td);
	sim_page_ref_put(&page);
put_vcpu:
	sim_vcpu_put(vcpu, SIM_EXCL, SIM_SHARED);
	return status;
}

/* RSI: vCPU index.  RBX: width of a GPA.  RCX and R8: the value from the host. */
static void sim_vcpu_init_gprs(struct sim_vcpu *vcpu, u64 rcx)
{
	const struct sim_cpuid_entry *fms = sim_cpuid_find(vcpu->td->tdcs, 1, 0);

	vcpu->gpr[SIM_RBX] = TDX_GPA_WIDTH;
	vcpu->gpr[SIM_RCX] = rcx;
	vcpu->gpr[SIM_R8] = rcx;
	vcpu->gpr[SIM_RDX] = fms ? fms->regs[SIM_EAX] : 0;
	vcpu->gpr[SIM_RSI] = vcpu->index;
}

/* An XSAVE area with the INIT state.  XRSTOR always loads MXCSR from it. */
static void sim_xsave_area_init(struct xregs_state *area)
{
	area->i387.mxcsr = MXCSR_DEFAULT;
}

static bool sim_x2apic_id_used(struct sim_td *td, u32 id)
{
	const u32 *ids = sim_td_page(td, SIM_TDCX_X2APIC_IDS);
	int i;

	for (i = 0; i < atomic_read(&td->tdcs->num_vcpus); i++) {
		if (ids[i] == id)
			return true;
	}
	return false;
}

u64 sim_tdh_vp_init(struct pt_regs *regs)
{
	u8 version = FIELD_GET(TDX_LEAF_VERSION_MASK, regs->ax);
	/* Version 1 compares x2APIC ids, and keeps calls that add another one out. */
	enum sim_lock_mode td_mode = version ? SIM_EXCL : SIM_SHARED;
	struct sim_vcpu *vcpu;
	struct sim_tdcs *tdcs;
	u64 status;
	int index;
	u32 *ids;

	status = sim_vcpu_get(regs->cx, TDX_OPERAND_ID_RCX, SIM_EXCL, td_mode,
			      SIM_OPS_INIT, &vcpu);
	if (status)
		return status;

	tdcs = vcpu->td->tdcs;
	if (vcpu->num_tdcx != SIM_TDVPS_NR)
		status = TDX_TDCX_NUM_INCORRECT;
	else if (vcpu->state != SIM_VCPU_UNINITIALIZED)
		status = TDX_VCPU_STATE_INCORRECT;
	else if (version && regs->r8 > U32_MAX)
		status = sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_R8);
	else if (version && sim_x2apic_id_used(vcpu->td, regs->r8))
		status = TDX_X2APIC_ID_NOT_UNIQUE;
	if (status)
		goto put_vcpu;

	/* Several vCPUs may come at once: take an index first, then check it. */
	index = atomic_fetch_inc(&tdcs->num_vcpus);
	if (index >= tdcs->max_vcpus) {
		atomic_dec(&tdcs->num_vcpus);
		status = TDX_MAX_VCPUS_EXCEEDED;
		goto put_vcpu;
	}

	/* All checks passed: no failure below. */
	vcpu->index = index;
	vcpu->x2apic_id = version ? regs->r8 : vcpu->index;
	ids = sim_td_page(vcpu->td, SIM_TDCX_X2APIC_IDS);
	ids[vcpu->index] = vcpu->x2apic_id;
	if (!version)
		tdcs->topology_enum_configured = false;
	sim_vcpu_init_gprs(vcpu, regs->dx);
	vcpu->pi_nv = U16_MAX;
	vcpu->xcr0 = XFEATURE_MASK_FP;
	vcpu->dr6 = DR6_RESERVED;
	vcpu->msr[SIM_MSR_SYSCALL_MASK] = TDX_FMASK_INIT;
	vcpu->last_exit = SIM_EXIT_ASYNC_FAULT;
	vcpu->ept_root = sim_vcpu_page(vcpu, SIM_TDVPS_EPT_ROOT);
	sim_xsave_area_init(sim_vcpu_page(vcpu, SIM_TDVPS_XSAVE));
	sim_xsave_area_init(sim_vcpu_page(vcpu, SIM_TDVPS_XSAVE_INIT));
	vcpu->state = SIM_VCPU_READY;
	sim_vcpu_associate(vcpu);
put_vcpu:
	sim_vcpu_put(vcpu, SIM_EXCL, td_mode);
	return status;
}

u64 sim_tdh_vp_flush(struct pt_regs *regs)
{
	struct sim_vcpu *vcpu;
	struct sim_pamt *pamt;
	struct sim_td *td;
	u64 status;

	status = sim_page_get(regs->cx, TDX_OPERAND_ID_RCX, PT_TDVPR, SIM_EXCL, &pamt);
	if (status)
		return status;

	/* Allowed on a fatal TD as well: the teardown of a TD needs it. */
	status = sim_owner_get(pamt, SIM_SHARED, &td);
	if (status)
		goto put_page;

	vcpu = __va(regs->cx);
	if (td->lifecycle != SIM_KEYS_CONFIGURED)
		status = TDX_TD_KEYS_NOT_CONFIGURED;
	else if (vcpu->num_tdcx != SIM_TDVPS_NR)
		status = TDX_TDCX_NUM_INCORRECT;
	else if (vcpu->cpu != raw_smp_processor_id())
		status = TDX_VCPU_NOT_ASSOCIATED;
	if (status)
		goto put_td;

	/* All checks passed: no failure below. */
	vcpu->vmcs_loaded = false;
	vcpu->cpu = -1;
	atomic_dec(&td->tdcs->num_assoc_vcpus);
put_td:
	sim_td_put(td, SIM_SHARED);
put_page:
	sim_page_put(pamt, SIM_EXCL);
	return status;
}

/* Checks that TDH.VP.RD, TDH.VP.WR and TDH.VP.ENTER share, then association. */
static u64 sim_vcpu_get_ready(u64 pa, u32 op_states, bool read, struct sim_vcpu **vcpu)
{
	u64 status;

	status = sim_vcpu_get(pa, TDX_OPERAND_ID_RCX, SIM_SHARED, SIM_SHARED,
			      op_states, vcpu);
	if (status)
		return status;

	if ((*vcpu)->num_tdcx != SIM_TDVPS_NR)
		status = TDX_TDCX_NUM_INCORRECT;
	else if ((*vcpu)->state != SIM_VCPU_READY &&
		 !(read && (*vcpu)->state == SIM_VCPU_DISABLED))
		status = TDX_VCPU_STATE_INCORRECT;
	else
		status = sim_vcpu_associate(*vcpu);

	if (status)
		sim_vcpu_put(*vcpu, SIM_SHARED, SIM_SHARED);
	return status;
}

u64 sim_tdh_vp_rd(struct pt_regs *regs)
{
	bool version_1 = FIELD_GET(TDX_LEAF_VERSION_MASK, regs->ax);
	u64 value = 0, next = SIM_MD_NO_FIELD;
	struct sim_vcpu *vcpu;
	u64 status;

	status = sim_vcpu_get_ready(regs->cx, SIM_OPS_LIVE, true, &vcpu);
	if (!status) {
		status = sim_md_vp_read(vcpu, regs->dx, SIM_MD_HOST, &value,
					version_1 ? &next : NULL);
		sim_vcpu_put(vcpu, SIM_SHARED, SIM_SHARED);
	}

	regs->r8 = value;
	if (version_1)
		regs->dx = next;
	return status;
}

u64 sim_tdh_vp_wr(struct pt_regs *regs)
{
	struct sim_vcpu *vcpu;
	u64 status, old = 0;

	status = sim_vcpu_get_ready(regs->cx, SIM_OPS_LIVE, false, &vcpu);
	if (!status) {
		status = sim_md_vp_write(vcpu, regs->dx, SIM_MD_HOST, regs->r8, regs->r9, &old);
		sim_vcpu_put(vcpu, SIM_SHARED, SIM_SHARED);
	}

	regs->r8 = old;
	return status;
}

/* Join the TD's current epoch; caches of an older one become stale. */
static u64 sim_epoch_enter(struct sim_vcpu *vcpu)
{
	struct sim_tdcs *tdcs = vcpu->td->tdcs;
	u64 epoch;

	if (!sim_trylock(&tdcs->epoch_lock, SIM_SHARED))
		return sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_TD_EPOCH);

	epoch = READ_ONCE(tdcs->epoch);
	atomic_inc(&tdcs->epoch_vcpus[epoch & 1]);
	sim_unlock(&tdcs->epoch_lock, SIM_SHARED);

	if (vcpu->epoch != epoch) {
		vcpu->epoch = epoch;
		vcpu->ept_stale = true;
	}
	return 0;
}

static void sim_epoch_exit(struct sim_vcpu *vcpu)
{
	/* The epoch of the entry: the TD's may be a later one now. */
	atomic_dec(&vcpu->td->tdcs->epoch_vcpus[vcpu->epoch & 1]);
}

u64 sim_tdh_vp_enter(struct pt_regs *regs)
{
	struct sim_vcpu *vcpu;
	u64 status;

	if (regs->cx & ~(TDX_VP_ENTER_TDVPR | TDX_VP_ENTER_FLAGS))
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);

	status = sim_vcpu_get_ready(regs->cx & TDX_VP_ENTER_TDVPR, SIM_OPS_RUN,
				    false, &vcpu);
	if (status)
		return status;

	/*
	 * The recoverability hint is for the entry after a trap-like exit, and
	 * RESUME_L1 for that after an exit of a nested VM.  A TD here has neither.
	 */
	if (regs->cx & TDX_VP_ENTER_FLAGS) {
		status = sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);
		goto put_vcpu;
	}

	status = sim_epoch_enter(vcpu);
	if (status)
		goto put_vcpu;

	status = sim_td_run(vcpu, regs);
	sim_epoch_exit(vcpu);
put_vcpu:
	sim_vcpu_put(vcpu, SIM_SHARED, SIM_SHARED);
	return status;
}
