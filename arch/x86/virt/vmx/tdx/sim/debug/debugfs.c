// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: files in debugfs.
 *
 *	tdx_sim/fault	answers given on request (fault.c)
 *	tdx_sim/busy	calls that met another one at a lock (contention.c)
 *	tdx_sim/hold	a call that keeps its locks for longer (contention.c)
 *	tdx_sim/pages	number of pages that the module holds, by type; "forget" frees
 *			those of TDs whose KeyID is free
 *	tdx_sim/keyids	number of KeyIDs, by state
 *	tdx_sim/cpuid	features that the CPU lacks, and that TDs do not see
 *	tdx_sim/last_page	physical address of the page that a TD got last
 *	tdx_sim/fuzz	random SEAMCALLs (tests/fuzz.c, which adds it)
 *	tdx_sim/seamcall_cost	SEAMCALLs that do nothing, and TSC ticks they took
 */
#include <linux/array_size.h>
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/preempt.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/processor-flags.h>
#include <asm/tlbflush.h>
#include <asm/tsc.h>

#include "debug/contention.h"
#include "debug/debugfs.h"
#include "debug/fault.h"
#include "state/cpuid.h"
#include "state/pamt.h"
#include "state/sys.h"
#include "state/td.h"

static const char * const sim_page_types[] = {
	[PT_REG]	= "REG",
	[PT_TDR]	= "TDR",
	[PT_TDCX]	= "TDCX",
	[PT_TDVPR]	= "TDVPR",
	[PT_EPT]	= "EPT",
};

static const char * const sim_kot_states[] = {
	[SIM_KOT_FREE]		= "FREE",
	[SIM_KOT_ASSIGNED]	= "ASSIGNED",
	[SIM_KOT_FLUSHED]	= "FLUSHED",
	[SIM_KOT_RESERVED]	= "RESERVED",
};

static void sim_show_counts(struct seq_file *m, const char * const *names,
			    const unsigned long *counts, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		if (names[i])
			seq_printf(m, "%s %lu\n", names[i], counts[i]);
	}
}

/* Without locks: exact only while no SEAMCALL is made. */
static int sim_pages_show(struct seq_file *m, void *unused)
{
	unsigned long counts[ARRAY_SIZE(sim_page_types)];
	unsigned int type;

	for (type = 0; type < ARRAY_SIZE(counts); type++)
		counts[type] = atomic_long_read(&sim_sys.pages[type]);

	sim_show_counts(m, sim_page_types, counts, ARRAY_SIZE(counts));
	return 0;
}

/* The page belongs to a TD, or is its TDR, and TDH.PHYMEM.PAGE.RECLAIM can take it. */
static bool sim_is_torn_down(const struct sim_pamt *pamt, u64 pa)
{
	u64 tdr = pamt->type == PT_TDR ? pa : pamt->owner;

	return pamt->type < ARRAY_SIZE(sim_page_types) && sim_page_types[pamt->type] &&
	       sim_pamt_of(tdr)->type == PT_TDR &&
	       ((struct sim_td *)__va(tdr))->lifecycle == SIM_TEARDOWN;
}

/* TDRs must be forgotten last: sim_is_torn_down() looks up the owner of a page. */
static void sim_pages_forget(bool tdrs)
{
	u32 i;

	for (i = 0; i < sim_sys.nr_tdmrs; i++) {
		const struct sim_tdmr *tdmr = &sim_sys.tdmr[i];
		u64 pa;

		for (pa = tdmr->base; pa < tdmr->initialized; pa += PAGE_SIZE) {
			struct sim_pamt *pamt = &tdmr->pamt_4k[(pa - tdmr->base) >> PAGE_SHIFT];
			bool is_tdr = pamt->type == PT_TDR;

			if (is_tdr == tdrs && sim_is_torn_down(pamt, pa))
				sim_pamt_set_type(pamt, PT_NDA);
		}
	}
}

/*
 * After a test has made the host lose pages, they would be in the way of later TDs.
 * Without locks, as above.
 */
static ssize_t sim_pages_write(struct file *file, const char __user *from, size_t size,
			       loff_t *offset)
{
	char text[16];

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, size))
		return -EFAULT;

	text[size] = '\0';
	if (strcmp(strim(text), "forget"))
		return -EINVAL;

	sim_pages_forget(false);
	sim_pages_forget(true);
	return size;
}
DEFINE_SHOW_STORE_ATTRIBUTE(sim_pages);

static int sim_keyids_show(struct seq_file *m, void *unused)
{
	unsigned long counts[ARRAY_SIZE(sim_kot_states)] = {};
	u32 i;

	for (i = 0; i < READ_ONCE(sim_sys.nr_keyids); i++)
		counts[READ_ONCE(sim_sys.kot[i].state)]++;

	sim_show_counts(m, sim_kot_states, counts, ARRAY_SIZE(counts));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sim_keyids);

static int sim_cpuid_show(struct seq_file *m, void *unused)
{
	static const char * const names[] = { "EAX", "EBX", "ECX", "EDX" };
	struct sim_cpuid_features f;
	unsigned int i;

	for (i = 0; sim_cpuid_features(i, &f); i++) {
		seq_printf(m, "0x%x", f.leaf);
		if (f.subleaf != SIM_CPUID_NO_SUBLEAF)
			seq_printf(m, ".%u", f.subleaf);
		seq_printf(m, " %s cpu 0x%08x hidden 0x%08x lacking 0x%08x configurable 0x%08x\n",
			   names[f.reg], f.cpu, f.hidden, f.lacking, f.configurable);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sim_cpuid);

#define SIM_COST_CALLS		1000

/* No leaf has this number, so that the answer takes the least time. */
static void sim_seamcall_nothing(void)
{
	u64 rax = TDX_LEAF_MASK;

	asm volatile(".byte 0x66, 0x0f, 0x01, 0xcf"	/* SEAMCALL */
		     : "+a" (rax) : : "cc", "memory");
}

static int sim_seamcall_cost_show(struct seq_file *m, void *unused)
{
	u64 ticks;
	int i;

	guard(preempt)();

	/* Outside VMX operation seam.c leaves the #UD alone: it would be an oops. */
	if (!(cr4_read_shadow() & X86_CR4_VMXE))
		return -ENODEV;

	ticks = rdtsc_ordered();
	for (i = 0; i < SIM_COST_CALLS; i++)
		sim_seamcall_nothing();
	ticks = rdtsc_ordered() - ticks;

	seq_printf(m, "%d %llu\n", SIM_COST_CALLS, ticks);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(sim_seamcall_cost);

struct dentry *__init sim_debugfs_dir(void)
{
	static struct dentry *dir __initdata;

	if (!dir)
		dir = debugfs_create_dir("tdx_sim", NULL);
	return dir;
}

static int __init sim_debugfs_init(void)
{
	struct dentry *dir;

	if (!sim_started)
		return 0;

	dir = sim_debugfs_dir();
	debugfs_create_file("fault", 0600, dir, NULL, &sim_fault_fops);
	debugfs_create_file("busy", 0600, dir, NULL, &sim_busy_fops);
	debugfs_create_file("hold", 0600, dir, NULL, &sim_hold_fops);
	debugfs_create_file("pages", 0600, dir, NULL, &sim_pages_fops);
	debugfs_create_file("keyids", 0400, dir, NULL, &sim_keyids_fops);
	debugfs_create_file("cpuid", 0400, dir, NULL, &sim_cpuid_fops);
	debugfs_create_x64("last_page", 0400, dir, &sim_sys.last_page);
	debugfs_create_file("seamcall_cost", 0400, dir, NULL, &sim_seamcall_cost_fops);
	return 0;
}
late_initcall(sim_debugfs_init);
