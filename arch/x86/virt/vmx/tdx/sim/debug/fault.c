// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: answers that are given on request.
 *
 * What is written to debugfs tdx_sim/fault is one of
 *
 *	LEAF NTH STATUS [TIMES]
 *	clear
 *
 * The NTH call of LEAF from now, and TIMES - 1 calls after it, answer STATUS and
 * change nothing, as a leaf that refuses does.  LEAF is a name such as
 * TDH_MEM_PAGE_AUG or a number; STATUS is one such as TDX_OPERAND_BUSY, with
 * |NAME of the operand (RCX, SEPT) if it has one, or the number for RAX.
 * Reading gives each request, the calls seen since, and how many were refused.
 */
#define pr_fmt(fmt) "tdx_sim: fault: " fmt

#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/kstrtox.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "abi.h"
#include "debug/fault.h"
#include "debug/names.h"

#define SIM_MAX_FAULTS		16
#define SIM_FAULT_LINE		128	/* bytes, the final zero included */

struct sim_fault {
	u64 leaf;
	u32 nth;
	u32 times;
	u64 status;
	atomic_t calls;
};

DEFINE_STATIC_KEY_FALSE(sim_fault_armed);

/* Rows are added and dropped under the lock, and read with interrupts off. */
static DEFINE_MUTEX(sim_fault_lock);
static struct sim_fault sim_faults[SIM_MAX_FAULTS];
static unsigned int sim_nr_faults;

bool __sim_fault_hit(u64 leaf, u64 *status)
{
	/* Pairs with sim_fault_add(): a row that is counted is filled in. */
	unsigned int i, nr = smp_load_acquire(&sim_nr_faults);
	bool hit = false;

	for (i = 0; i < nr; i++) {
		struct sim_fault *fault = &sim_faults[i];
		u32 call;

		if (fault->leaf != leaf)
			continue;

		/* Every row counts, the first that is due answers. */
		call = atomic_inc_return(&fault->calls);
		if (!hit && call >= fault->nth && call - fault->nth < fault->times) {
			*status = fault->status;
			hit = true;
		}
	}

	return hit;
}

static int sim_fault_add(const struct sim_fault *wanted)
{
	struct sim_fault *fault;

	if (sim_nr_faults == SIM_MAX_FAULTS) {
		pr_err("there are %u requests already; write \"clear\"\n", SIM_MAX_FAULTS);
		return -ENOSPC;
	}

	fault = &sim_faults[sim_nr_faults];
	*fault = *wanted;
	atomic_set(&fault->calls, 0);
	/* Pairs with __sim_fault_hit(). */
	smp_store_release(&sim_nr_faults, sim_nr_faults + 1);
	if (sim_nr_faults == 1)
		static_branch_enable(&sim_fault_armed);
	return 0;
}

static void sim_fault_clear(void)
{
	if (!sim_nr_faults)
		return;

	static_branch_disable(&sim_fault_armed);
	WRITE_ONCE(sim_nr_faults, 0);
	/* A SEAMCALL under way may still look at the rows. */
	synchronize_rcu();
}

static bool sim_fault_parse_leaf(const char *word, u64 *leaf)
{
	const struct sim_name *row = sim_name_find(&sim_seamcall_names, word, strlen(word));

	if (row)
		*leaf = row->value;
	return row || (!kstrtou64(word, 0, leaf) && *leaf <= TDX_LEAF_MASK);
}

static bool sim_fault_parse_status(const char *word, u64 *status)
{
	size_t length = strcspn(word, "|");
	const struct sim_name *code, *operand;

	if (!kstrtou64(word, 0, status))
		return true;

	code = sim_name_find(&sim_status_names, word, length);
	if (!code)
		return false;

	*status = code->value;
	if (!word[length])
		return true;

	word += length + 1;
	operand = sim_name_find(&sim_operand_names, word, strlen(word));
	if (operand)
		*status |= operand->value;
	return operand;
}

/* Gives what is wrong with the line, NULL if nothing is. */
static const char *sim_fault_parse(char *line, struct sim_fault *fault)
{
	char *leaf = strsep(&line, " ");
	char *nth = strsep(&line, " ");
	char *status = strsep(&line, " ");
	char *times = strsep(&line, " ");

	if (!status || line)
		return "wanted LEAF NTH STATUS [TIMES], or clear";
	if (!sim_fault_parse_leaf(leaf, &fault->leaf))
		return "no such leaf";
	if (kstrtou32(nth, 0, &fault->nth) || !fault->nth)
		return "NTH counts from 1";
	if (!sim_fault_parse_status(status, &fault->status))
		return "no such status";
	fault->times = 1;
	if (times && (kstrtou32(times, 0, &fault->times) || !fault->times))
		return "TIMES counts from 1";
	return NULL;
}

static ssize_t sim_fault_write(struct file *file, const char __user *from, size_t size,
			       loff_t *offset)
{
	char text[SIM_FAULT_LINE], *line;
	struct sim_fault fault = {};
	const char *wrong;
	int ret = 0;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, size))
		return -EFAULT;

	text[size] = '\0';
	line = strim(text);

	guard(mutex)(&sim_fault_lock);
	if (!strcmp(line, "clear")) {
		sim_fault_clear();
		return size;
	}

	wrong = sim_fault_parse(line, &fault);
	if (wrong) {
		pr_err("\"%.*s\": %s\n", (int)size, text, wrong);
		return -EINVAL;
	}

	ret = sim_fault_add(&fault);
	return ret ?: size;
}

static u32 sim_fault_injected(const struct sim_fault *fault)
{
	u32 calls = atomic_read(&fault->calls);

	return calls < fault->nth ? 0 : min(calls - fault->nth + 1, fault->times);
}

static int sim_fault_show(struct seq_file *m, void *unused)
{
	unsigned int i;

	guard(mutex)(&sim_fault_lock);
	for (i = 0; i < sim_nr_faults; i++) {
		const struct sim_fault *fault = &sim_faults[i];
		const char *name = sim_name_of(&sim_seamcall_names, fault->leaf);

		if (name)
			seq_puts(m, name);
		else
			seq_printf(m, "%llu", fault->leaf);
		seq_printf(m, " %u 0x%016llx %u: %u calls, %u refused\n", fault->nth,
			   fault->status, fault->times, atomic_read(&fault->calls),
			   sim_fault_injected(fault));
	}
	return 0;
}

static int sim_fault_open(struct inode *inode, struct file *file)
{
	return single_open(file, sim_fault_show, NULL);
}

const struct file_operations sim_fault_fops = {
	.owner	 = THIS_MODULE,
	.open	 = sim_fault_open,
	.read	 = seq_read,
	.write	 = sim_fault_write,
	.llseek	 = seq_lseek,
	.release = single_release,
};
