// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDH.SYS leafs without those of TDMRs.
 */
#include <linux/bitfield.h>
#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/random.h>
#include <linux/smp.h>
#include <linux/topology.h>

#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/msr.h>

#include "metadata.h"
#include "platform.h"
#include "td.h"

/* The kernel keeps the first TDX KeyID for the module, TDs need one more. */
#define SIM_MIN_KEYIDS			2

/* State components that the module knows how to switch for a TD. */
#define SIM_XFAM_KNOWN		(XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM | \
				 XFEATURE_MASK_AVX512 | XFEATURE_MASK_PKRU)

struct sim_sys sim_sys;

/* Not by a leaf: the locks of the random number generator may sleep. */
static int __init sim_draw_report_key(void)
{
	if (sim_started)
		get_random_bytes(sim_sys.report_key, sizeof(sim_sys.report_key));
	return 0;
}
core_initcall(sim_draw_report_key);

unsigned int sim_this_package(void)
{
	return topology_logical_package_id(raw_smp_processor_id()) % SIM_MAX_PACKAGES;
}

void sim_packages(unsigned long *bitmap)
{
	int cpu;

	bitmap_zero(bitmap, SIM_MAX_PACKAGES);
	for_each_online_cpu(cpu)
		__set_bit(topology_logical_package_id(cpu) % SIM_MAX_PACKAGES, bitmap);
}

static void sim_sys_no_details(struct pt_regs *regs)
{
	regs->cx = 0;
	regs->dx = 0;
	regs->r8 = 0;
	regs->r9 = 0;
	regs->r10 = 0;
}

static u64 sim_host_xfam(void)
{
	u64 xfam = xgetbv(XCR_XFEATURE_ENABLED_MASK) & SIM_XFAM_KNOWN;

	/* The three of AVX-512 go together and rest on AVX. */
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

	if (sim_vmcs_check_cpu() < 0) {
		status = sim_err(TDX_INCORRECT_MSR_VALUE, MSR_IA32_VMX_BASIC);
		goto unlock;
	}

	/* All checks passed: no failure below. */
	sim_sys.keyid_start = FIELD_GET(KEYID_PARTITIONING_MKTME, partitioning) + 1;
	sim_sys.nr_keyids = min(nr_keyids, SIM_MAX_KEYIDS);
	sim_sys.xfam_fixed0 = sim_host_xfam();
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

	/* Shared: CPUs may come up side by side, and Linux does not try twice. */
	if (!sim_trylock(&sim_sys.lock, SIM_SHARED))
		return TDX_SYS_BUSY;

	/*
	 * The real module takes no CPU after TDH.SYS.CONFIG.  This one does:
	 * it has no per-CPU state that would have had to be checked before, and
	 * tests want to take CPUs offline and back.
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

	if (cpumask_test_cpu(raw_smp_processor_id(), &sim_sys.lp_initialized))
		status = sim_md_sys_read(regs->dx, &value, &next);

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
	 * The lock is left alone: in a crash the CPU that holds it is stopped,
	 * and Linux calls again for as long as the answer is SYS_BUSY.
	 */
	WRITE_ONCE(sim_sys.state, SIM_SYS_DISABLED);
	return TDX_SUCCESS;
}
