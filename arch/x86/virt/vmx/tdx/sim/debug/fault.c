// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: answers that are given on request.
 *
 * What is written to debugfs tdx_sim/fault is one of
 *
 *	LEAF NTH STATUS [TIMES] [REG=VALUE]...
 *	LEAF NTH STATUS+BITS [TIMES]
 *	clear
 *
 * The NTH call of LEAF from now, and TIMES - 1 calls after it, answer STATUS and
 * change nothing, as a leaf that refuses does.  REG is RCX, RDX, R8 or R9, which
 * the answer sets.  LEAF is a name such as TDH_MEM_PAGE_AUG or a number; STATUS is one
 * such as TDX_OPERAND_BUSY, with |NAME of the operand (RCX, SEPT) if it has one, or the
 * number for RAX.
 *
 * With BITS, a number, the calls are those that answer STATUS by themselves.  They are
 * carried out, and RAX has BITS set in addition.
 *
 * Reading gives each request, the calls seen since, and how many were refused, or got
 * the bits.
 */
#define pr_fmt(fmt) "tdx_sim: fault: " fmt

#include <linux/array_size.h>
#include <linux/atomic.h>
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/kstrtox.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/ptrace.h>

#include "abi.h"
#include "debug/fault.h"
#include "debug/names.h"

#define SIM_MAX_FAULTS		16
#define SIM_FAULT_LINE		160	/* bytes, the final zero included */

/* The registers that an answer may set, by their operand ids. */
static const struct sim_fault_reg {
	u32 operand;
	size_t offset;
} sim_fault_regs[] = {
	{ TDX_OPERAND_ID_RCX,	offsetof(struct pt_regs, cx) },
	{ TDX_OPERAND_ID_RDX,	offsetof(struct pt_regs, dx) },
	{ TDX_OPERAND_ID_R8,	offsetof(struct pt_regs, r8) },
	{ TDX_OPERAND_ID_R9,	offsetof(struct pt_regs, r9) },
};

#define SIM_NR_FAULT_REGS	ARRAY_SIZE(sim_fault_regs)

struct sim_fault {
	u64 leaf;
	u32 nth;
	u32 times;
	u64 status;
	u64 bits;			/* 0: the call is refused */
	unsigned int set;		/* bit i: the answer sets sim_fault_regs[i] */
	u64 regs[SIM_NR_FAULT_REGS];
	atomic_t calls;
};

DEFINE_STATIC_KEY_FALSE(sim_fault_armed);

/* Rows are added and dropped under the lock, and read with interrupts off. */
static DEFINE_MUTEX(sim_fault_lock);
static struct sim_fault sim_faults[SIM_MAX_FAULTS];
static unsigned int sim_nr_faults;

/* Count the call.  True if it is one of those that the request is for. */
static bool sim_fault_is_due(struct sim_fault *fault)
{
	u32 call = atomic_inc_return(&fault->calls);

	return call >= fault->nth && call - fault->nth < fault->times;
}

static void sim_fault_set_regs(const struct sim_fault *fault, struct pt_regs *regs)
{
	unsigned int i;

	for (i = 0; i < SIM_NR_FAULT_REGS; i++) {
		if (fault->set & BIT(i))
			*(unsigned long *)((void *)regs + sim_fault_regs[i].offset) =
				fault->regs[i];
	}
}

bool __sim_fault_refuse(u64 leaf, struct pt_regs *regs, u64 *status)
{
	/* Pairs with sim_fault_add(): a row that is counted is filled in. */
	unsigned int i, nr = smp_load_acquire(&sim_nr_faults);
	bool hit = false;

	for (i = 0; i < nr; i++) {
		struct sim_fault *fault = &sim_faults[i];

		if (fault->leaf != leaf || fault->bits)
			continue;

		/* Every row counts, the first that is due answers. */
		if (sim_fault_is_due(fault) && !hit) {
			*status = fault->status;
			sim_fault_set_regs(fault, regs);
			hit = true;
		}
	}

	return hit;
}

u64 __sim_fault_mark(u64 leaf, u64 status)
{
	/* Pairs with sim_fault_add(). */
	unsigned int i, nr = smp_load_acquire(&sim_nr_faults);
	u64 bits = 0;

	for (i = 0; i < nr; i++) {
		struct sim_fault *fault = &sim_faults[i];

		if (fault->leaf == leaf && fault->bits && fault->status == status &&
		    sim_fault_is_due(fault))
			bits |= fault->bits;
	}

	return status | bits;
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
	/* Pairs with __sim_fault_refuse() and __sim_fault_mark(). */
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

static bool sim_fault_parse_reg(char *word, struct sim_fault *fault)
{
	const char *name = strsep(&word, "=");
	const struct sim_name *operand = sim_name_find(&sim_operand_names, name,
						       strlen(name));
	unsigned int i;

	for (i = 0; word && operand && i < SIM_NR_FAULT_REGS; i++) {
		if (operand->value == sim_fault_regs[i].operand) {
			fault->set |= BIT(i);
			return !kstrtou64(word, 0, &fault->regs[i]);
		}
	}
	return false;
}

/* Gives what is wrong with the line, NULL if nothing is. */
static const char *sim_fault_parse(char *line, struct sim_fault *fault)
{
	char *leaf = strsep(&line, " ");
	char *nth = strsep(&line, " ");
	char *bits = strsep(&line, " ");
	char *status = bits ? strsep(&bits, "+") : NULL;
	char *word;

	if (!status)
		return "wanted LEAF NTH STATUS[+BITS] [TIMES] [REG=VALUE]..., or clear";
	if (!sim_fault_parse_leaf(leaf, &fault->leaf))
		return "no such leaf";
	if (kstrtou32(nth, 0, &fault->nth) || !fault->nth)
		return "NTH counts from 1";
	if (!sim_fault_parse_status(status, &fault->status))
		return "no such status";
	if (bits && (kstrtou64(bits, 0, &fault->bits) || !fault->bits))
		return "BITS is no number above 0";

	fault->times = 1;
	if (line && isdigit(*line)) {
		word = strsep(&line, " ");
		if (kstrtou32(word, 0, &fault->times) || !fault->times)
			return "TIMES counts from 1";
	}
	while ((word = strsep(&line, " "))) {
		if (fault->bits || !sim_fault_parse_reg(word, fault))
			return "wanted REG=VALUE of RCX, RDX, R8 or R9, and that without BITS";
	}
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

static void sim_fault_show_regs(struct seq_file *m, const struct sim_fault *fault)
{
	unsigned int i;

	for (i = 0; i < SIM_NR_FAULT_REGS; i++) {
		if (fault->set & BIT(i))
			seq_printf(m, " %s=0x%llx",
				   sim_name_of(&sim_operand_names, sim_fault_regs[i].operand),
				   fault->regs[i]);
	}
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
		seq_printf(m, " %u 0x%016llx", fault->nth, fault->status);
		if (fault->bits)
			seq_printf(m, "+0x%llx", fault->bits);
		seq_printf(m, " %u", fault->times);
		sim_fault_show_regs(m, fault);
		seq_printf(m, ": %u calls, %u %s\n", atomic_read(&fault->calls),
			   sim_fault_injected(fault), fault->bits ? "marked" : "refused");
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
