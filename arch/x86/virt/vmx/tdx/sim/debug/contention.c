// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: where two callers meet at a lock of the module.
 *
 * The module never waits for a lock.  A host whose own locks are right knows which
 * calls can meet, and repeats those.  Reading debugfs tdx_sim/busy gives the calls that
 * have met another one, as lines "LEAF OPERAND CALLS"; writing "clear" forgets them.
 * Calls that fault.c refuses do not count.
 *
 * A leaf has its locks for an instant only, so that a missing lock of the host rarely
 * shows.  After a line "LEAF MICROSECONDS [NTH]" is written to tdx_sim/hold, the NTH
 * call of the leaf from now, by default the next one, keeps its locks for so long, or
 * until another call is refused because of a lock.  The refused call returns a while
 * after the held one: what the host does next meets no lock of that call.  Reading
 * gives "armed", "holding" or "done".  Writing "clear" ends the request.
 */
#define pr_fmt(fmt) "tdx_sim: hold: " fmt

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/debugfs.h>
#include <linux/kstrtox.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/processor.h>
#include <linux/seq_file.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/time64.h>
#include <linux/uaccess.h>

#include <asm/msr.h>
#include <asm/tsc.h>

#include "abi.h"
#include "debug/contention.h"
#include "debug/names.h"

#define SIM_MAX_BUSY		64
#define SIM_HOLD_LINE		64	/* bytes, the final zero included */
#define SIM_MAX_HOLD_US		USEC_PER_SEC
#define SIM_HOLD_GRACE_US	200

struct sim_busy {
	u64 leaf;
	u32 operand;
	u64 calls;
};

/* SEAMCALLs add to the rows with interrupts off. */
static DEFINE_RAW_SPINLOCK(sim_busy_lock);
static struct sim_busy sim_busy_rows[SIM_MAX_BUSY];
static unsigned int sim_nr_busy;
static unsigned long sim_busy_total;

static struct sim_busy *sim_busy_find(u64 leaf, u32 operand)
{
	unsigned int i;

	for (i = 0; i < sim_nr_busy; i++) {
		struct sim_busy *row = &sim_busy_rows[i];

		if (row->leaf == leaf && row->operand == operand)
			return row;
	}
	return NULL;
}

void sim_busy_count(u64 leaf, u64 status)
{
	struct sim_busy *row;

	guard(raw_spinlock_irqsave)(&sim_busy_lock);
	row = sim_busy_find(leaf, (u32)status);
	if (!row && sim_nr_busy < SIM_MAX_BUSY) {
		row = &sim_busy_rows[sim_nr_busy];
		*row = (struct sim_busy) { .leaf = leaf, .operand = (u32)status };
		WRITE_ONCE(sim_nr_busy, sim_nr_busy + 1);
	}
	if (row)
		row->calls++;
	/* Ends a call that is held: see sim_hold_here(). */
	WRITE_ONCE(sim_busy_total, sim_busy_total + 1);
}

u64 sim_busy_calls(u64 leaf, u64 status)
{
	struct sim_busy *row;

	guard(raw_spinlock_irqsave)(&sim_busy_lock);
	row = sim_busy_find(leaf, (u32)status);
	return row ? row->calls : 0;
}

static int sim_busy_show(struct seq_file *m, void *unused)
{
	unsigned int i, nr = READ_ONCE(sim_nr_busy);

	for (i = 0; i < nr; i++) {
		const struct sim_busy *row = &sim_busy_rows[i];
		const char *leaf = sim_name_of(&sim_seamcall_names, row->leaf);
		const char *operand = sim_name_of(&sim_operand_names, row->operand);

		seq_printf(m, "%s %s %llu\n", leaf, operand ?: "-", READ_ONCE(row->calls));
	}
	return 0;
}

static int sim_busy_open(struct inode *inode, struct file *file)
{
	return single_open(file, sim_busy_show, NULL);
}

/* The line that is written to a file; NULL if it is too long or cannot be read. */
static char *sim_line(char text[SIM_HOLD_LINE], const char __user *from, size_t size)
{
	if (size >= SIM_HOLD_LINE || copy_from_user(text, from, size))
		return NULL;
	text[size] = '\0';
	return strim(text);
}

static ssize_t sim_busy_write(struct file *file, const char __user *from, size_t size,
			      loff_t *offset)
{
	char text[SIM_HOLD_LINE], *line = sim_line(text, from, size);

	if (!line || strcmp(line, "clear"))
		return -EINVAL;

	guard(raw_spinlock_irqsave)(&sim_busy_lock);
	WRITE_ONCE(sim_nr_busy, 0);
	return size;
}

const struct file_operations sim_busy_fops = {
	.owner	 = THIS_MODULE,
	.open	 = sim_busy_open,
	.read	 = seq_read,
	.write	 = sim_busy_write,
	.llseek	 = seq_lseek,
	.release = single_release,
};

enum sim_hold_state {
	SIM_HOLD_NONE,
	SIM_HOLD_ARMED,
	SIM_HOLD_TAKEN,		/* by a call that has not come to its release yet */
	SIM_HOLD_HOLDING,
	SIM_HOLD_RELEASING,	/* the call has not returned yet */
	SIM_HOLD_DONE,
};

static const char * const sim_hold_states[] = {
	[SIM_HOLD_NONE]		= "none",
	[SIM_HOLD_ARMED]	= "armed",
	[SIM_HOLD_TAKEN]	= "armed",
	[SIM_HOLD_HOLDING]	= "holding",
	[SIM_HOLD_RELEASING]	= "holding",
	[SIM_HOLD_DONE]		= "done",
};

DEFINE_STATIC_KEY_FALSE(sim_hold_armed);

static DEFINE_MUTEX(sim_hold_lock);
static enum sim_hold_state sim_hold_state;
static u64 sim_hold_leaf;
static u64 sim_hold_ticks;
static atomic_t sim_hold_calls;		/* up to and with the one to be held */
static int sim_hold_cpu = -1;

void __sim_hold_begin(u64 leaf)
{
	/* Pairs with the release in sim_hold_arm(): the request is filled in. */
	if (smp_load_acquire(&sim_hold_state) != SIM_HOLD_ARMED || leaf != sim_hold_leaf)
		return;
	if (atomic_dec_and_test(&sim_hold_calls)) {
		WRITE_ONCE(sim_hold_state, SIM_HOLD_TAKEN);
		WRITE_ONCE(sim_hold_cpu, raw_smp_processor_id());
	}
}

void __sim_hold_here(void)
{
	unsigned long met = READ_ONCE(sim_busy_total);
	u64 start;

	if (READ_ONCE(sim_hold_state) != SIM_HOLD_TAKEN ||
	    READ_ONCE(sim_hold_cpu) != raw_smp_processor_id())
		return;

	WRITE_ONCE(sim_hold_state, SIM_HOLD_HOLDING);
	start = rdtsc_ordered();
	while (rdtsc_ordered() - start < sim_hold_ticks && READ_ONCE(sim_busy_total) == met)
		cpu_relax();
	WRITE_ONCE(sim_hold_state, SIM_HOLD_RELEASING);
}

void __sim_hold_end(void)
{
	if (READ_ONCE(sim_hold_state) == SIM_HOLD_RELEASING &&
	    READ_ONCE(sim_hold_cpu) == raw_smp_processor_id())
		WRITE_ONCE(sim_hold_state, SIM_HOLD_DONE);
}

static u64 sim_hold_us(u32 us)
{
	return div_u64((u64)us * tsc_khz, MSEC_PER_SEC);
}

static bool sim_is_held(void)
{
	const enum sim_hold_state state = READ_ONCE(sim_hold_state);

	return state == SIM_HOLD_HOLDING || state == SIM_HOLD_RELEASING;
}

/*
 * The wait has an end, because the held call may itself wait for an interrupt on this CPU,
 * which has interrupts disabled.  A grace time follows, in which the host's other CPU takes
 * note of what the held call has done.  Without it a host that lacks a lock would act on
 * the state before or after the held call, by chance.
 */
void __sim_hold_wait(void)
{
	u64 start = rdtsc_ordered();

	if (!sim_is_held())
		return;
	while (sim_is_held() && rdtsc_ordered() - start < sim_hold_ticks)
		cpu_relax();

	start = rdtsc_ordered();
	while (rdtsc_ordered() - start < sim_hold_us(SIM_HOLD_GRACE_US))
		cpu_relax();
}

void sim_hold_clear(void)
{
	if (sim_hold_state == SIM_HOLD_NONE)
		return;
	static_branch_disable(&sim_hold_armed);
	WRITE_ONCE(sim_hold_state, SIM_HOLD_NONE);
}

void sim_hold_arm(u64 leaf, u32 us, u32 nth)
{
	sim_hold_clear();
	sim_hold_leaf = leaf;
	sim_hold_ticks = sim_hold_us(us);
	atomic_set(&sim_hold_calls, nth);
	WRITE_ONCE(sim_hold_cpu, -1);
	/* Pairs with __sim_hold_begin(). */
	smp_store_release(&sim_hold_state, SIM_HOLD_ARMED);
	static_branch_enable(&sim_hold_armed);
}

static ssize_t sim_hold_write(struct file *file, const char __user *from, size_t size,
			      loff_t *offset)
{
	char text[SIM_HOLD_LINE], *line = sim_line(text, from, size), *leaf, *time;
	const struct sim_name *name;
	u32 us, nth = 1;

	if (!line)
		return -EINVAL;

	guard(mutex)(&sim_hold_lock);
	if (!strcmp(line, "clear")) {
		sim_hold_clear();
		return size;
	}

	leaf = strsep(&line, " ");
	time = strsep(&line, " ");
	name = sim_name_find(&sim_seamcall_names, leaf, strlen(leaf));
	if (!name || !time || kstrtou32(time, 0, &us) || us > SIM_MAX_HOLD_US ||
	    (line && (kstrtou32(line, 0, &nth) || !nth))) {
		pr_err("wanted LEAF MICROSECONDS [NTH], or clear\n");
		return -EINVAL;
	}
	sim_hold_arm(name->value, us, nth);
	return size;
}

static int sim_hold_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%s\n", sim_hold_states[READ_ONCE(sim_hold_state)]);
	return 0;
}

static int sim_hold_open(struct inode *inode, struct file *file)
{
	return single_open(file, sim_hold_show, NULL);
}

const struct file_operations sim_hold_fops = {
	.owner	 = THIS_MODULE,
	.open	 = sim_hold_open,
	.read	 = seq_read,
	.write	 = sim_hold_write,
	.llseek	 = seq_lseek,
	.release = single_release,
};
