// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TD_PARAMS, the input of TDH.MNG.INIT.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include <asm/fpu/types.h>
#include <asm/msr.h>
#include <asm/tsc.h>
#include <asm/vmx.h>

#include "state/cpuid.h"
#include "tdh/td_params.h"

/*
 * In the kernel's struct, reserved0 is NUM_L2_VMS, MSR_CONFIG_CTLS and 4 bytes that
 * are reserved indeed, and reserved2 begins with IA32_ARCH_CAPABILITIES ("TD_PARAMS",
 * 1.5 ABI).
 */
#define PARAMS_NUM_L2_VMS		0
#define PARAMS_MSR_CONFIG_CTLS		1
#define PARAMS_RESERVED			2
#define PARAMS_ARCH_CAP_CONFIG		0

/* CONFIG_FLAGS that a TD may have and must have. */
#define SIM_CONFIG_FLAGS_FIXED0		TDX_CONFIG_FLAGS_NO_RBP_MOD
#define SIM_CONFIG_FLAGS_FIXED1		0ULL

#define EPTP_CONTROLS_4_LEVEL		(VMX_EPTP_MT_WB | VMX_EPTP_PWL_4)

#define TSC_RATIO_1			BIT_ULL(48)

static u64 params_err(u32 op)
{
	return sim_err(TDX_OPERAND_INVALID, op);
}

static bool xfam_ok(u64 xfam)
{
	u64 avx512 = xfam & XFEATURE_MASK_AVX512;

	if (xfam & ~sim_sys.xfam_fixed0 || ~xfam & SIM_XFAM_FIXED1)
		return false;

	return !avx512 || (avx512 == XFEATURE_MASK_AVX512 && xfam & XFEATURE_MASK_YMM);
}

static bool tsc_scaling(void)
{
	u64 ctls;

	/* Bits 63:32 are the controls that may be 1. */
	return !rdmsrq_safe(MSR_IA32_VMX_PROCBASED_CTLS2, &ctls) &&
	       (ctls >> 32) & SECONDARY_EXEC_TSC_SCALING;
}

/*
 * The frequency may be rounded down, as KVM does it, or up: the kernel refines tsc_khz
 * after boot, which may carry it across a multiple of 25 MHz.
 */
static bool tsc_is_native(u16 frequency)
{
	u32 unit_khz = TDX_TSC_UNIT_HZ / 1000;

	return frequency == tsc_khz / unit_khz ||
	       frequency == DIV_ROUND_UP(tsc_khz, unit_khz);
}

static bool tsc_frequency_ok(u16 frequency)
{
	/* An emulator's TSC can be slower than the ABI allows a TD's to be. */
	if (tsc_is_native(frequency))
		return true;

	return in_range(frequency, TDX_TSC_FREQUENCY_MIN,
			TDX_TSC_FREQUENCY_MAX - TDX_TSC_FREQUENCY_MIN + 1) &&
	       tsc_scaling();
}

u64 sim_td_params_check(const struct td_params *params)
{
	if (params->attributes & ~SIM_ATTRIBUTES_FIXED0 ||
	    ~params->attributes & SIM_ATTRIBUTES_FIXED1)
		return params_err(TDX_OPERAND_ID_ATTRIBUTES);

	if (!xfam_ok(params->xfam))
		return params_err(TDX_OPERAND_ID_XFAM);

	if (!params->max_vcpus || params->max_vcpus > SIM_MAX_VCPUS)
		return params_err(TDX_OPERAND_ID_MAX_VCPUS);

	if (params->reserved0[PARAMS_NUM_L2_VMS])
		return params_err(TDX_OPERAND_ID_NUM_L2_VMS);

	if (memchr_inv(&params->reserved0[PARAMS_RESERVED], 0,
		       sizeof(params->reserved0) - PARAMS_RESERVED))
		return params_err(TDX_OPERAND_ID_RDX);

	if (params->config_flags & ~SIM_CONFIG_FLAGS_FIXED0 ||
	    ~params->config_flags & SIM_CONFIG_FLAGS_FIXED1)
		return params_err(TDX_OPERAND_ID_CONFIG_FLAGS);

	if (params->eptp_controls != EPTP_CONTROLS_4_LEVEL)
		return params_err(TDX_OPERAND_ID_EPTP_CONTROLS);

	if (!tsc_frequency_ok(params->tsc_frequency))
		return params_err(TDX_OPERAND_ID_TSC_FREQUENCY);

	if (memchr_inv(params->reserved1, 0, sizeof(params->reserved1)))
		return params_err(TDX_OPERAND_ID_RDX);

	if (params->reserved0[PARAMS_MSR_CONFIG_CTLS])
		return params_err(TDX_OPERAND_ID_RDX);

	if (memchr_inv(&params->reserved2[PARAMS_ARCH_CAP_CONFIG + 1], 0,
		       sizeof(params->reserved2) - sizeof(params->reserved2[0])))
		return params_err(TDX_OPERAND_ID_RDX);

	return 0;
}

u64 sim_td_params_check_rest(const struct td_params *params)
{
	unsigned int nr_cpuid = sim_cpuid_nr_config();

	if (memchr_inv(&params->cpuid_values[nr_cpuid], 0,
		       sizeof(params->reserved3) - nr_cpuid * sizeof(params->cpuid_values[0])))
		return params_err(TDX_OPERAND_ID_RDX);

	if (params->reserved2[PARAMS_ARCH_CAP_CONFIG])
		return params_err(TDX_OPERAND_ID_ARCH_CAP_CONFIG);

	return 0;
}

static void take_tsc(struct sim_tdcs *tdcs, u16 frequency)
{
	tdcs->tsc_frequency = frequency;
	if (tsc_is_native(frequency))
		tdcs->tsc_multiplier = TSC_RATIO_1;
	else
		tdcs->tsc_multiplier = mul_u64_u64_div_u64((u64)frequency * TDX_TSC_UNIT_HZ,
							   TSC_RATIO_1, tsc_khz * 1000ULL);

	tdcs->tsc_offset = -mul_u64_u64_shr(rdtsc_ordered(), tdcs->tsc_multiplier, 48);
}

void sim_td_params_take(struct sim_tdcs *tdcs, const struct td_params *params)
{
	tdcs->attributes = params->attributes;
	tdcs->xfam = params->xfam;
	tdcs->max_vcpus = params->max_vcpus;
	tdcs->eptp_controls = params->eptp_controls;
	tdcs->config_flags = params->config_flags;
	if (params->attributes & TDX_TD_ATTR_SEPT_VE_DISABLE)
		tdcs->td_ctls = TD_CTLS_PENDING_VE_DISABLE;
	tdcs->topology_enum_configured = true;
	memcpy(tdcs->mrconfigid, params->mrconfigid, sizeof(tdcs->mrconfigid));
	memcpy(tdcs->mrowner, params->mrowner, sizeof(tdcs->mrowner));
	memcpy(tdcs->mrownerconfig, params->mrownerconfig, sizeof(tdcs->mrownerconfig));
	take_tsc(tdcs, params->tsc_frequency);
}
