// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module with one defect of each kind that the debug kernel must find.  A clean
 * run of the suite shows something only if the kernel reports each of these:
 * checks/debug_kernel.py has the texts of the reports.
 *
 * The first report of lockdep or of KASAN ends lockdep, so defects for it come first.
 */
#include <linux/compiler.h>
#include <linux/init.h>
#include <linux/instrumentation.h>
#include <linux/irqflags.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>

#define SIZE	24

static unsigned long __rcu *protected;
/* Takes the results of the defects, so that the compiler leaves none out. */
static unsigned long reached;
static DEFINE_MUTEX(one);
static DEFINE_MUTEX(other);

/* With an index that the compiler does not know. */
static u8 read_byte(const u8 *memory, unsigned long index)
{
	OPTIMIZER_HIDE_VAR(index);
	return READ_ONCE(memory[index]);
}

static void without_rcu_lock(void)
{
	reached += (unsigned long)rcu_dereference(protected);
}

static void sleep_without_preemption(void)
{
	preempt_disable();
	might_sleep();
	preempt_enable();
}

static void cpu_with_preemption(void)
{
	reached += smp_processor_id();
}

static void irqs_restored_twice(void)
{
	unsigned long flags;

	local_irq_save(flags);
	local_irq_restore(flags);
	local_irq_restore(flags);
}

static void lock_inversion(void)
{
	mutex_lock(&one);
	mutex_lock(&other);
	mutex_unlock(&other);
	mutex_unlock(&one);

	mutex_lock(&other);
	mutex_lock(&one);
	mutex_unlock(&one);
	mutex_unlock(&other);
}

static void shift_too_far(void)
{
	unsigned int bits = 64;

	OPTIMIZER_HIDE_VAR(bits);
	reached += 1UL << bits;
}

static void index_too_high(void)
{
	struct {
		u8 array[4];
		u8 behind[4];
	} both = {};
	unsigned int index = 5;

	OPTIMIZER_HIDE_VAR(index);
	reached += READ_ONCE(both.array[index]);
}

static void bool_of_two(void)
{
	u8 byte = 2;

	reached += READ_ONCE(*(bool *)&byte);
}

static void list_corrupt(void)
{
	LIST_HEAD(list);
	struct list_head before, entry;

	list_add(&before, &list);
	before.prev = &before;
	list_add(&entry, &list);
}

static void slab_beyond(void)
{
	u8 *memory = kzalloc(SIZE, GFP_KERNEL);

	if (memory)
		reached += read_byte(memory, SIZE);
	kfree(memory);
}

static void slab_after_free(void)
{
	u8 *memory = kzalloc(SIZE, GFP_KERNEL);
	u8 *stale = memory;

	OPTIMIZER_HIDE_VAR(stale);
	kfree(memory);
	if (stale)
		reached += read_byte(stale, 0);
}

static void stack_beyond(void)
{
	u8 memory[SIZE] = {};

	reached += read_byte(memory, SIZE);
}

static void vmalloc_beyond(void)
{
	u8 *memory = vmalloc(SIZE);

	if (memory)
		reached += read_byte(memory, SIZE);
	vfree(memory);
}

static void slab_lost(void)
{
	u8 *memory = kzalloc(SIZE, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(memory);
}

/* For objtool, which does not see it in a module unless asked. */
static noinline __used int defects_instrumented(void)
{
	return READ_ONCE(reached);
}

static noinstr __used int defects_noinstr(void)
{
	return defects_instrumented();
}

static int __init defects_init(void)
{
	without_rcu_lock();
	sleep_without_preemption();
	cpu_with_preemption();
	irqs_restored_twice();
	lock_inversion();
	shift_too_far();
	index_too_high();
	bool_of_two();
	list_corrupt();
	slab_beyond();
	slab_after_free();
	stack_beyond();
	vmalloc_beyond();
	slab_lost();
	return 0;
}
module_init(defects_init);

MODULE_DESCRIPTION("Defects that a debug kernel has to find");
MODULE_LICENSE("GPL");
