// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: random SEAMCALLs.
 *
 * "SEED COUNT", written to debugfs tdx_sim/fuzz, makes COUNT of them on each CPU,
 * on all CPUs at once, over one pool of pages.  Each must end in a status that
 * has a name, and change nothing except what it returns.  At the end no lock is
 * held, each TD has counted its pages, and all can be torn down.  Reading the file
 * gives the first fault, and for each leaf the number of its calls and of those that
 * succeeded.  A seed repeats the same calls on one CPU only.
 */
#define pr_fmt(fmt) "tdx_sim: fuzz: " fmt

#include <linux/atomic.h>
#include <linux/bitfield.h>
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include <asm/desc.h>
#include <asm/msr.h>
#include <asm/tsc.h>
#include <asm/vmx.h>

#include "debug/debugfs.h"
#include "debug/names.h"
#include "state/pamt.h"
#include "state/sys.h"
#include "state/td.h"
#include "tdh/seamcall.h"
#include "tests/fuzz_gen.h"

#define FUZZ_LEAFS		128
#define FUZZ_BATCH		256	/* calls after which others may run */
#define FUZZ_SOURCE_BYTE	0x5c

/* Host state that only TDH.VP.ENTER may touch. */
struct fuzz_host {
	u64 cr0, cr3, cr4, efer, star, lstar, fmask, tsc_aux, debugctl, pat;
	struct desc_ptr gdt, idt;
};

struct fuzz_worker {
	struct work_struct work;
	const struct fuzz_pool *pool;
	struct rnd_state rnd;
	u64 todo;
	u64 calls[FUZZ_LEAFS];
	u64 successes[FUZZ_LEAFS];
};

/* Of the last run. */
static DEFINE_MUTEX(fuzz_lock);
static char fuzz_wrong[192];
static atomic64_t fuzz_nr_wrong;
static u64 fuzz_calls[FUZZ_LEAFS];
static u64 fuzz_successes[FUZZ_LEAFS];

/* Count a fault; the text of the first one is kept. */
static __printf(1, 2) void wrong(const char *fmt, ...)
{
	va_list args;

	if (atomic64_inc_return(&fuzz_nr_wrong) != 1)
		return;

	va_start(args, fmt);
	vsnprintf(fuzz_wrong, sizeof(fuzz_wrong), fmt, args);
	va_end(args);
}

static void fuzz_host_save(struct fuzz_host *host)
{
	memset(host, 0, sizeof(*host));
	host->cr0 = read_cr0();
	host->cr3 = __read_cr3();
	host->cr4 = __read_cr4();
	rdmsrq(MSR_EFER, host->efer);
	rdmsrq(MSR_STAR, host->star);
	rdmsrq(MSR_LSTAR, host->lstar);
	rdmsrq(MSR_SYSCALL_MASK, host->fmask);
	rdmsrq(MSR_IA32_DEBUGCTLMSR, host->debugctl);
	rdmsrq(MSR_IA32_CR_PAT, host->pat);
	if (boot_cpu_has(X86_FEATURE_RDTSCP))
		rdmsrq(MSR_TSC_AUX, host->tsc_aux);
	native_store_gdt(&host->gdt);
	store_idt(&host->idt);
}

/* A status of the list; in bits 31:0 an operand id, a field of the VMCS, or nothing. */
static bool is_documented(u64 status)
{
	u64 code = status & TDX_SEAMCALL_STATUS_MASK;
	u32 detail = status;

	if (code == TDX_TD_VMCS_FIELD_NOT_INITIALIZED)
		return detail == POSTED_INTR_NV || detail == POSTED_INTR_DESC_ADDR;

	return sim_name_of(&sim_status_names, code) && sim_name_of(&sim_operand_names, detail);
}

/* What a leaf may return: RAX, RCX, RDX, R8 to R11 and the flags. */
static bool is_untouched(const struct pt_regs *before, const struct pt_regs *after)
{
	struct pt_regs got = *after;

	got.ax = before->ax;
	got.cx = before->cx;
	got.dx = before->dx;
	got.r8 = before->r8;
	got.r9 = before->r9;
	got.r10 = before->r10;
	got.r11 = before->r11;
	got.flags = before->flags;
	return !memcmp(&got, before, sizeof(got));
}

static u64 fuzz_call(struct pt_regs *regs)
{
	struct pt_regs before = *regs;
	unsigned long flags;
	bool irqs_off;
	u64 status;

	local_irq_save(flags);
	sim_seamcall(regs);
	irqs_off = irqs_disabled();
	local_irq_restore(flags);

	status = regs->ax;
	if (!irqs_off)
		wrong("RAX 0x%lx: interrupts were switched on", before.ax);
	if (!is_untouched(&before, regs))
		wrong("RAX 0x%lx: a register changed that is no output", before.ax);

	/* No SEAMLDR is there: VMfailInvalid, and RAX as it was. */
	if (before.ax & TDX_LEAF_SEAMLDR) {
		if (!(regs->flags & X86_EFLAGS_CF) || status != before.ax)
			wrong("RAX 0x%lx: answered 0x%llx", before.ax, status);
		return TDX_SEAMCALL_VMFAILINVALID;
	}

	if (regs->flags & X86_EFLAGS_CF)
		wrong("RAX 0x%lx: VMfailInvalid", before.ax);
	if (!is_documented(status))
		wrong("RAX 0x%lx RCX 0x%lx RDX 0x%lx R8 0x%lx: status 0x%llx is not documented",
		      before.ax, before.cx, before.dx, before.r8, status);
	return status;
}

static void fuzz_work(struct work_struct *work)
{
	struct fuzz_worker *worker = container_of(work, struct fuzz_worker, work);
	struct fuzz_host before, after;
	u64 i, leaf;

	for (i = 0; i < worker->todo; i++) {
		struct pt_regs regs;

		fuzz_generate(worker->pool, &worker->rnd, &regs);
		leaf = regs.ax & TDX_LEAF_MASK;

		if (!(i % FUZZ_BATCH)) {
			cond_resched();
			preempt_disable();
			fuzz_host_save(&before);
		}

		if (fuzz_call(&regs) == TDX_SUCCESS && leaf < FUZZ_LEAFS)
			worker->successes[leaf]++;
		if (leaf < FUZZ_LEAFS)
			worker->calls[leaf]++;

		if (i % FUZZ_BATCH == FUZZ_BATCH - 1 || i == worker->todo - 1) {
			fuzz_host_save(&after);
			preempt_enable();
			if (memcmp(&before, &after, sizeof(before)))
				wrong("call %llu or one of the %u before: host state changed", i,
				      FUZZ_BATCH - 1);
		}
	}
}

static void seamcall_on_cpu(void *regs)
{
	sim_seamcall(regs);
}

static u64 call_on(int cpu, u64 leaf, u64 rcx)
{
	struct pt_regs regs = { .ax = leaf, .cx = rcx };

	smp_call_function_single(cpu, seamcall_on_cpu, &regs, true);
	return regs.ax;
}

static u8 type_of(u64 pa)
{
	return sim_pamt_of(pa)->type;
}

/* What the PAMT says of all pages: the counts that the module keeps must agree. */
static void check_counts(void)
{
	long counts[SIM_NR_PAGE_TYPES] = {};
	u64 pa, large;
	u32 i;

	for (i = 0; i < sim_sys.nr_tdmrs; i++) {
		const struct sim_tdmr *tdmr = &sim_sys.tdmr[i];

		for (pa = tdmr->base; pa < tdmr->initialized; pa += PAGE_SIZE)
			counts[type_of(pa)]++;
		for (large = tdmr->base; large < tdmr->initialized; large += SZ_2M)
			counts[sim_pamt_2m_of(large)->type] += sim_level_pages(TDX_PS_2M);
	}

	for (i = PT_REG; i < ARRAY_SIZE(counts); i++) {
		if (atomic_long_read(&sim_sys.pages[i]) != counts[i])
			wrong("there are %ld pages of type %u, and the module counts %ld",
			      counts[i], i, atomic_long_read(&sim_sys.pages[i]));
	}
}

static void check_pool(const struct fuzz_pool *pool)
{
	int i, j;

	check_counts();

	if (sim_sys.kot_lock.state || sim_sys.lock.state)
		wrong("a lock of the module is held");

	for (i = 0; i < FUZZ_SOURCES; i++) {
		if (memchr_inv(__va(pool->source[i]), FUZZ_SOURCE_BYTE, PAGE_SIZE))
			wrong("a page of the host was written");
	}

	for (i = 0; i < FUZZ_PAGES; i++) {
		const struct sim_td *td = __va(pool->page[i]);
		u64 owned = 0;

		if (sim_pamt_of(pool->page[i])->lock.state)
			wrong("a page of type %u is locked", type_of(pool->page[i]));
		if (type_of(pool->page[i]) != PT_TDR)
			continue;

		for (j = 0; j < FUZZ_PAGES; j++) {
			if (type_of(pool->page[j]) != PT_NDA &&
			    sim_pamt_of(pool->page[j])->owner == pool->page[i])
				owned++;
		}
		if (owned != atomic64_read(&td->chldcnt))
			wrong("a TD has %llu pages and counts %lld", owned,
			      atomic64_read(&td->chldcnt));
		/* In teardown the TDCS may be gone, and the page another's. */
		if (td->tdcs && td->lifecycle != SIM_TEARDOWN &&
		    (td->tdcs->sept_lock.state || td->tdcs->epoch_lock.state))
			wrong("a lock of a TD is held");
	}
}

/* Statuses do not matter here: nothing must be left. */
static void tear_down(const struct fuzz_pool *pool)
{
	int cpu, i;

	for_each_online_cpu(cpu) {
		for (i = 0; i < FUZZ_PAGES; i++) {
			if (type_of(pool->page[i]) == PT_TDVPR)
				call_on(cpu, TDH_VP_FLUSH, pool->page[i]);
		}
	}
	for (i = 0; i < FUZZ_PAGES; i++) {
		if (type_of(pool->page[i]) == PT_TDR)
			call_on(raw_smp_processor_id(), TDH_MNG_VPFLUSHDONE, pool->page[i]);
	}
	for_each_online_cpu(cpu)
		call_on(cpu, TDH_PHYMEM_CACHE_WB, 0);
	for (i = 0; i < FUZZ_PAGES; i++) {
		if (type_of(pool->page[i]) == PT_TDR)
			call_on(raw_smp_processor_id(), TDH_MNG_KEY_FREEID, pool->page[i]);
	}
	for (i = 0; i < 2 * FUZZ_PAGES; i++) {
		u64 pa = pool->page[i % FUZZ_PAGES];

		/* TDRs in the second round. */
		if (type_of(pa) != PT_NDA && (i >= FUZZ_PAGES || type_of(pa) != PT_TDR))
			call_on(raw_smp_processor_id(), TDH_PHYMEM_PAGE_RECLAIM, pa);
	}
	for (i = 0; i < FUZZ_PAGES; i++) {
		if (type_of(pool->page[i]) != PT_NDA)
			wrong("a page of type %u cannot be reclaimed", type_of(pool->page[i]));
	}
	for (i = 0; i < FUZZ_KEYIDS; i++) {
		if (sim_sys.kot[sim_sys.nr_keyids - 1 - i].state != SIM_KOT_FREE)
			wrong("KeyID %u cannot be freed",
			      sim_sys.keyid_start + sim_sys.nr_keyids - 1 - i);
	}
}

static bool pool_page(u64 *pa)
{
	unsigned long page = get_zeroed_page(GFP_KERNEL);

	*pa = page ? __pa(page) : 0;
	return page && sim_pamt_of(*pa) && sim_pamt_of(*pa)->type == PT_NDA;
}

/* A page that the module did not give back is not freed. */
static void pool_page_free(u64 pa)
{
	if (pa && (!sim_pamt_of(pa) || type_of(pa) == PT_NDA))
		free_page((unsigned long)__va(pa));
}

static void pool_free(struct fuzz_pool *pool)
{
	int i;

	for (i = 0; i < FUZZ_PAGES; i++)
		pool_page_free(pool->page[i]);
	for (i = 0; i < FUZZ_SOURCES; i++)
		pool_page_free(pool->source[i]);
	pool_page_free(pool->params);
	pool_page_free(pool->bad_params);
	kfree(pool);
}

static struct fuzz_pool *pool_alloc(void)
{
	struct fuzz_pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	struct td_params *params;
	bool ok;
	int i;

	if (!pool)
		return NULL;

	ok = pool_page(&pool->params) && pool_page(&pool->bad_params);
	for (i = 0; ok && i < FUZZ_PAGES; i++)
		ok = pool_page(&pool->page[i]);
	for (i = 0; ok && i < FUZZ_SOURCES; i++) {
		ok = pool_page(&pool->source[i]);
		if (ok)
			memset(__va(pool->source[i]), FUZZ_SOURCE_BYTE, PAGE_SIZE);
	}
	if (!ok) {
		pool_free(pool);
		return NULL;
	}

	params = __va(pool->params);
	params->attributes = TDX_TD_ATTR_SEPT_VE_DISABLE;
	params->xfam = SIM_XFAM_FIXED1;
	params->max_vcpus = 4;
	params->eptp_controls = VMX_EPTP_MT_WB | VMX_EPTP_PWL_4;
	params->config_flags = TDX_CONFIG_FLAGS_NO_RBP_MOD;
	params->tsc_frequency = TDX_TSC_KHZ_TO_25MHZ(tsc_khz);
	return pool;
}

static void fuzz_run(struct fuzz_pool *pool, struct fuzz_worker *workers, u64 seed, u64 count)
{
	int cpu, i;

	atomic64_set(&fuzz_nr_wrong, 0);
	fuzz_wrong[0] = '\0';
	memset(fuzz_calls, 0, sizeof(fuzz_calls));
	memset(fuzz_successes, 0, sizeof(fuzz_successes));

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		struct fuzz_worker *worker = &workers[cpu];

		INIT_WORK(&worker->work, fuzz_work);
		worker->pool = pool;
		worker->todo = count;
		prandom_seed_state(&worker->rnd, seed + cpu);
		schedule_work_on(cpu, &worker->work);
	}
	for_each_online_cpu(cpu) {
		struct fuzz_worker *worker = &workers[cpu];

		flush_work(&worker->work);
		for (i = 0; i < FUZZ_LEAFS; i++) {
			fuzz_calls[i] += worker->calls[i];
			fuzz_successes[i] += worker->successes[i];
		}
	}

	check_pool(pool);
	tear_down(pool);
	cpus_read_unlock();
}

static ssize_t fuzz_write(struct file *file, const char __user *from, size_t size,
			  loff_t *offset)
{
	struct fuzz_worker *workers;
	struct fuzz_pool *pool;
	u64 seed, count;
	char text[48];

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, size))
		return -EFAULT;

	text[size] = '\0';
	if (sscanf(text, "%llu %llu", &seed, &count) != 2 || !count || count > U32_MAX) {
		pr_err("\"%s\": wanted SEED COUNT\n", strim(text));
		return -EINVAL;
	}

	guard(mutex)(&fuzz_lock);
	pool = pool_alloc();
	workers = kcalloc(nr_cpu_ids, sizeof(*workers), GFP_KERNEL);
	if (pool && workers)
		fuzz_run(pool, workers, seed, count);

	if (!pool || !workers)
		size = -ENOMEM;
	kfree(workers);
	if (pool)
		pool_free(pool);
	return size;
}

static int fuzz_show(struct seq_file *m, void *unused)
{
	const char *name;
	int i;

	guard(mutex)(&fuzz_lock);
	seq_printf(m, "%lld wrong %s\n", atomic64_read(&fuzz_nr_wrong),
		   fuzz_wrong[0] ? fuzz_wrong : "-");
	for (i = 0; i < FUZZ_LEAFS; i++) {
		name = sim_name_of(&sim_seamcall_names, i);
		if (name)
			seq_printf(m, "%s %llu calls %llu succeeded %s\n", name, fuzz_calls[i],
				   fuzz_successes[i], fuzz_must_succeed(i) ? "must" : "may");
	}
	return 0;
}

static int fuzz_open(struct inode *inode, struct file *file)
{
	return single_open(file, fuzz_show, NULL);
}

static const struct file_operations fuzz_fops = {
	.owner	 = THIS_MODULE,
	.open	 = fuzz_open,
	.read	 = seq_read,
	.write	 = fuzz_write,
	.llseek	 = seq_lseek,
	.release = single_release,
};

static int __init fuzz_init(void)
{
	if (sim_started)
		debugfs_create_file("fuzz", 0600, sim_debugfs_dir(), NULL, &fuzz_fops);
	return 0;
}
late_initcall(fuzz_init);
