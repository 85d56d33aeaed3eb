// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: the seam between SEAMCALL and the simulation.
 *
 * A CPU without SEAM raises #UD on SEAMCALL.  The kernel asks its die notifiers
 * before it looks for an exception table entry, with the registers of the
 * trapped context at hand and interrupts still off.  A notifier that answers
 * the instruction and steps over it is therefore a complete SEAM, and the host
 * side code keeps its real, unmodified seamcall.S.
 */
#define pr_fmt(fmt) "tdx_sim: " fmt

#include <linux/init.h>
#include <linux/kdebug.h>
#include <linux/kstrtox.h>
#include <linux/panic.h>
#include <linux/printk.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/sections.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>
#include <asm/trapnr.h>

#include "abi.h"
#include "state/sys.h"
#include "tdh/seamcall.h"

/* IA32_MTRRCAP: the CPU has SEAM range registers, i.e. can have a real module. */
#define MTRRCAP_SEAMRR		BIT_ULL(15)

static bool sim_requested __initdata;

static int __init sim_parse_param(char *arg)
{
	return arg ? kstrtobool(arg, &sim_requested) : -EINVAL;
}
early_param("tdx_sim", sim_parse_param);

/*
 * The instruction at @ip, 0 if nothing is mapped there.  All SEAMCALLs of the kernel are
 * in its own text, which can be read directly.  A copy that may fail costs too much on
 * the path of every exit.
 */
static u32 sim_insn(unsigned long ip)
{
	u32 insn;

	if (__is_kernel_text(ip))
		return get_unaligned((const u32 *)ip);

	return copy_from_kernel_nofault(&insn, (void *)ip, sizeof(insn)) ? 0 : insn;
}

static int sim_die_notify(struct notifier_block *nb, unsigned long event,
			  void *data)
{
	struct die_args *args = data;
	struct pt_regs *regs = args->regs;

	if (event != DIE_TRAP || args->trapnr != X86_TRAP_UD || user_mode(regs))
		return NOTIFY_DONE;

	if (sim_insn(regs->ip) != TDX_INSN_SEAMCALL)
		return NOTIFY_DONE;

	/* Outside VMX operation a SEAMCALL is #UD on a CPU with SEAM, too. */
	if (!(cr4_read_shadow() & X86_CR4_VMXE))
		return NOTIFY_DONE;

	sim_seamcall(regs);
	regs->ip += TDX_INSN_LEN;
	return NOTIFY_STOP;
}

static struct notifier_block sim_die_notifier = {
	.notifier_call	= sim_die_notify,
	.priority	= INT_MAX,
};

static int __init sim_init(void)
{
	u64 mtrrcap;

	if (!sim_requested)
		return 0;

	if (!rdmsrq_safe(MSR_MTRRcap, &mtrrcap) && (mtrrcap & MTRRCAP_SEAMRR)) {
		pr_err("not started: this CPU has SEAM, its own module answers\n");
		return -EBUSY;
	}

	/* A result of this kernel must never be taken for one of hardware. */
	add_taint(TAINT_TEST, LOCKDEP_STILL_OK);
	pr_warn("simulated TDX module answers SEAMCALL, nothing here is confidential\n");

	sim_started = true;
	return register_die_notifier(&sim_die_notifier);
}
early_initcall(sim_init);
