// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDH.SYS leafs.  TDH.SYS.CONFIG and TDH.SYS.TDMR.INIT are in
 * tdh_sys_tdmr.c.
 */
#define pr_fmt(fmt) "tdx_sim: " fmt

#include <linux/bitfield.h>
#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/minmax.h>
#include <linux/smp.h>

#include <asm/cpuid/api.h>
#include <asm/fpu/types.h>
#include <asm/msr.h>

#include "metadata/metadata_sys.h"
#include "platform.h"
#include "state/page.h"
#include "state/sys.h"
#include "tdh/tdh.h"
#include "vcpu/td_vmcs.h"

/* The kernel uses the first TDX KeyID for the module.  TDs need at least another. */
#define SIM_MIN_KEYIDS			2

/* State components that the module can switch for a TD. */
#define SIM_XFAM_KNOWN		(XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM | \
				 XFEATURE_MASK_AVX512 | XFEATURE_MASK_PKRU)

static void sim_sys_no_details(struct pt_regs *regs)
{
	regs->cx = 0;
	regs->dx = 0;
	regs->r8 = 0;
	regs->r9 = 0;
	regs->r10 = 0;
}

static u64 sim_cpu_xfam(void)
{
	u32 eax, ebx, ecx, edx;
	u64 xfam;

	cpuid_count(0xd, 0, &eax, &ebx, &ecx, &edx);
	xfam = eax & SIM_XFAM_KNOWN;

	/* The three components of AVX-512 need each other and AVX. */
	if (!(xfam & XFEATURE_MASK_YMM) || (xfam & XFEATURE_MASK_AVX512) != XFEATURE_MASK_AVX512)
		xfam &= ~XFEATURE_MASK_AVX512;
	return xfam;
}

u64 sim_tdh_sys_init(struct pt_regs *regs)
{
	u64 attributes = regs->cx;
	u64 partitioning;
	u64 status = 0;
	u32 nr_keyids;

	sim_sys_no_details(regs);

	if (!sim_trylock(&sim_sys.lock, SIM_EXCL))
		return TDX_SYS_BUSY;

	if (attributes) {
		status = sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);
		goto unlock;
	}

	if (sim_sys.state != SIM_SYSINIT_PENDING) {
		status = TDX_SYS_INIT_NOT_PENDING;
		goto unlock;
	}

	if (sim_keyid_partitioning(&partitioning)) {
		status = sim_err(TDX_INCORRECT_MSR_VALUE, MSR_IA32_MKTME_KEYID_PARTITIONING);
		goto unlock;
	}

	nr_keyids = FIELD_GET(KEYID_PARTITIONING_TDX, partitioning);
	if (nr_keyids < SIM_MIN_KEYIDS) {
		status = sim_err(TDX_INCORRECT_MSR_VALUE, MSR_IA32_MKTME_KEYID_PARTITIONING);
		goto unlock;
	}

	if (sim_vmcs_check_cpu() < 0 || !sim_page_cpu_ok()) {
		status = sim_err(TDX_INCORRECT_MSR_VALUE, MSR_IA32_VMX_BASIC);
		goto unlock;
	}

	/* All checks passed: no failure below. */
	sim_sys.keyid_start = FIELD_GET(KEYID_PARTITIONING_MKTME, partitioning) + 1;
	sim_sys.nr_keyids = min(nr_keyids, SIM_MAX_KEYIDS);
	sim_sys.xfam_fixed0 = sim_cpu_xfam();
	sim_sys.state = SIM_SYSINIT_DONE;
unlock:
	sim_unlock(&sim_sys.lock, SIM_EXCL);
	return status;
}

u64 sim_tdh_sys_lp_init(struct pt_regs *regs)
{
	int cpu = raw_smp_processor_id();
	u64 status = 0;

	sim_sys_no_details(regs);

	/* Shared: several CPUs may come up at once, and Linux does not try again. */
	if (!sim_trylock(&sim_sys.lock, SIM_SHARED))
		return TDX_SYS_BUSY;

	/*
	 * The real module accepts no CPU after TDH.SYS.CONFIG.  This one does: it has
	 * no per-CPU state to be checked before, and tests take CPUs offline and back.
	 */
	if (sim_sys.state < SIM_SYSINIT_DONE || sim_sys.state > SIM_SYS_READY)
		status = TDX_SYS_LP_INIT_NOT_PENDING;
	else if (cpumask_test_and_set_cpu(cpu, &sim_sys.lp_initialized))
		status = TDX_SYS_LP_INIT_DONE;

	sim_unlock(&sim_sys.lock, SIM_SHARED);
	return status;
}

u64 sim_tdh_sys_rd(struct pt_regs *regs)
{
	u64 value = 0, next = SIM_MD_NO_FIELD;
	u64 status = TDX_SYS_LP_INIT_NOT_DONE;
	u64 field = regs->dx;

	if (cpumask_test_cpu(raw_smp_processor_id(), &sim_sys.lp_initialized))
		status = sim_md_sys_read(field, &value, &next);

	/* A newer host may not initialize the module without a field that is newer, too. */
	if (status == TDX_METADATA_FIELD_ID_INCORRECT && READ_ONCE(sim_sys.state) < SIM_SYS_READY)
		pr_warn("no metadata field 0x%llx, which the host reads: add its row to metadata.def\n",
			field);

	regs->dx = next;
	regs->r8 = value;
	return status;
}

u64 sim_tdh_sys_key_config(struct pt_regs *regs)
{
	DECLARE_BITMAP(packages, SIM_MAX_PACKAGES);
	u64 status = 0;

	if (!sim_trylock(&sim_sys.lock, SIM_EXCL))
		return TDX_SYS_BUSY;

	if (!cpumask_test_cpu(raw_smp_processor_id(), &sim_sys.lp_initialized))
		status = TDX_SYS_LP_INIT_NOT_DONE;
	else if (sim_sys.state != SIM_SYSCONFIG_DONE)
		status = TDX_SYS_KEY_CONFIG_NOT_PENDING;
	else if (test_bit(sim_this_package(), sim_sys.key_packages))
		status = TDX_KEY_CONFIGURED;
	if (status)
		goto unlock;

	/* All checks passed: no failure below.  There is no key to generate. */
	__set_bit(sim_this_package(), sim_sys.key_packages);
	sim_packages(packages);
	if (bitmap_subset(packages, sim_sys.key_packages, SIM_MAX_PACKAGES))
		sim_sys.state = SIM_SYS_READY;
unlock:
	sim_unlock(&sim_sys.lock, SIM_EXCL);
	return status;
}

u64 sim_tdh_sys_disable(struct pt_regs *regs)
{
	/*
	 * Take no lock: after a crash its owner may be stopped, and Linux repeats the
	 * call as long as the answer is TDX_SYS_BUSY.
	 */
	WRITE_ONCE(sim_sys.state, SIM_SYS_DISABLED);
	return TDX_SUCCESS;
}
