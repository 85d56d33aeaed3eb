// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDG.MR leafs, run time measurement and reports of a TD.
 *
 * A report is made like a real one, with a key that the module drew at boot.  Only
 * the TDs of this boot can verify it.
 */
#include <linux/align.h>
#include <linux/string.h>

#include <crypto/sha2.h>

#include "state/mrtd.h"
#include "state/sept.h"
#include "state/vcpu.h"
#include "tdg/tdcall_map.h"
#include "tdg/tdg.h"
#include "tdg/tdg_mr.h"
#include "tdg/tdreport.h"
#include "vcpu/td_switch.h"

/* Bytes of data that extend an RTMR, and how they are aligned. */
#define RTMR_DATA_SIZE		SHA384_DIGEST_SIZE
#define RTMR_DATA_ALIGN		64

static_assert(sizeof_field(struct tdreport_td_info, rtmr) ==
	      sizeof_field(struct sim_tdcs, rtmr));

/*
 * The kernel's hashes use the FPU, whose state is the TD's, and instructions that
 * XCR0 of the TD may not allow.
 */
static void hash_begin(struct sim_tdcall_ctx *ctx)
{
	sim_fpu_to_host(ctx->exit->vcpu);
}

static void hash_end(struct sim_tdcall_ctx *ctx)
{
	sim_fpu_to_td(ctx->exit->vcpu);
}

void sim_tdg_mrtd_settle(struct sim_tdcall_ctx *ctx)
{
	hash_begin(ctx);
	sim_mrtd_settle(ctx->exit->vcpu->td->tdcs);
	hash_end(ctx);
}

u64 sim_tdg_mr_rtmr_extend(struct sim_tdcall_ctx *ctx)
{
	struct sim_tdcs *tdcs = ctx->exit->vcpu->td->tdcs;
	u64 gpa = ctx->gpr[SIM_RCX], index = ctx->gpr[SIM_RDX];
	struct sha384_ctx sha;
	void *data;

	if (!IS_ALIGNED(gpa, RTMR_DATA_ALIGN) || !sim_gpa_private(gpa))
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);

	data = sim_tdcall_map(ctx, gpa, SIM_GPA_READ);
	if (!data)
		return TDX_SUCCESS;

	if (index >= SIM_NR_RTMRS)
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RDX);

	if (!sim_trylock(&tdcs->rtmr_lock, SIM_EXCL))
		return sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_RTMR);

	/* All checks passed: no failure below. */
	hash_begin(ctx);
	sha384_init(&sha);
	sha384_update(&sha, tdcs->rtmr[index], SHA384_DIGEST_SIZE);
	sha384_update(&sha, data, RTMR_DATA_SIZE);
	sha384_final(&sha, tdcs->rtmr[index]);
	hash_end(ctx);
	sim_unlock(&tdcs->rtmr_lock, SIM_EXCL);
	return TDX_SUCCESS;
}

static void take_td_info(struct tdreport_td_info *info, struct sim_tdcs *tdcs)
{
	sim_mrtd_settle(tdcs);
	info->attributes = tdcs->attributes;
	info->xfam = tdcs->xfam;
	memcpy(info->mrtd, tdcs->mrtd, sizeof(info->mrtd));
	memcpy(info->mrconfigid, tdcs->mrconfigid, sizeof(info->mrconfigid));
	memcpy(info->mrowner, tdcs->mrowner, sizeof(info->mrowner));
	memcpy(info->mrownerconfig, tdcs->mrownerconfig, sizeof(info->mrownerconfig));
	memcpy(info->rtmr, tdcs->rtmr, sizeof(info->rtmr));
}

static void mac_of(const struct tdreport_mac *mac, u8 value[SHA256_DIGEST_SIZE])
{
	hmac_sha256_usingrawkey(sim_sys.report_key, sizeof(sim_sys.report_key), (const u8 *)mac,
				offsetof(struct tdreport_mac, mac), value);
}

/* TCB_INFO stays zero, its bitmap of valid fields too: no module was measured. */
static void seal(struct tdreport *report)
{
	report->mac.report_type.type = TDREPORT_TYPE_TDX;
	report->mac.report_type.subtype = TDREPORT_SUBTYPE;
	report->mac.report_type.version = TDREPORT_VERSION;
	sha384((const u8 *)&report->tcb_info, sizeof(report->tcb_info),
	       report->mac.tee_tcb_info_hash);
	sha384((const u8 *)&report->td_info, sizeof(report->td_info), report->mac.tee_info_hash);
	mac_of(&report->mac, report->mac.mac);
}

u64 sim_tdg_mr_report(struct sim_tdcall_ctx *ctx)
{
	u64 gpa = ctx->gpr[SIM_RCX], data_gpa = ctx->gpr[SIM_RDX];
	struct sim_tdcs *tdcs = ctx->exit->vcpu->td->tdcs;
	struct tdreport *report;
	void *data;

	if (!IS_ALIGNED(gpa, sizeof(*report)) || !sim_gpa_valid(gpa))
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);

	if (!IS_ALIGNED(data_gpa, TDREPORT_DATA_SIZE) || !sim_gpa_valid(data_gpa))
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RDX);

	data = sim_tdcall_map(ctx, data_gpa, SIM_GPA_READ);
	if (!data)
		return TDX_SUCCESS;

	if (ctx->gpr[SIM_R8] != TDREPORT_SUBTYPE)
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_R8);

	report = sim_tdcall_map(ctx, gpa, SIM_GPA_WRITE);
	if (!report)
		return TDX_SUCCESS;

	if (!sim_trylock(&tdcs->rtmr_lock, SIM_SHARED))
		return sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_RTMR);

	/*
	 * All checks passed: no failure below.  The report may overwrite its own
	 * data, so that the data is taken first.
	 */
	hash_begin(ctx);
	memmove(report->mac.reportdata, data, TDREPORT_DATA_SIZE);
	memset(&report->mac, 0, offsetof(struct tdreport_mac, reportdata));
	memset(report->mac.reserved1, 0,
	       sizeof(*report) - offsetof(struct tdreport, mac.reserved1));
	take_td_info(&report->td_info, tdcs);
	seal(report);
	hash_end(ctx);
	sim_unlock(&tdcs->rtmr_lock, SIM_SHARED);
	return TDX_SUCCESS;
}

u64 sim_tdg_mr_verifyreport(struct sim_tdcall_ctx *ctx)
{
	static const u8 cpusvn[sizeof_field(struct tdreport_mac, cpusvn)];
	u64 gpa = ctx->gpr[SIM_RCX];
	struct tdreport_mac *mac;
	u8 value[SHA256_DIGEST_SIZE];

	if (!IS_ALIGNED(gpa, sizeof(*mac)) || !sim_gpa_private(gpa))
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);

	mac = sim_tdcall_map(ctx, gpa, SIM_GPA_READ);
	if (!mac)
		return TDX_SUCCESS;

	if (mac->report_type.type != TDREPORT_TYPE_TDX)
		return TDX_INVALID_REPORTMACSTRUCT;

	if (memcmp(mac->cpusvn, cpusvn, sizeof(cpusvn)))
		return TDX_INVALID_CPUSVN;

	hash_begin(ctx);
	mac_of(mac, value);
	hash_end(ctx);
	return memcmp(value, mac->mac, sizeof(value)) ? TDX_INVALID_REPORTMACSTRUCT : TDX_SUCCESS;
}
