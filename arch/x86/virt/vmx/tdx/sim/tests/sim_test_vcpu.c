// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: vCPUs that run, and their exits.
 */
#include <linux/array_size.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/apic.h>
#include <asm/cpuid/api.h>
#include <asm/fpu/xcr.h>
#include <asm/msr.h>
#include <asm/vmx.h>

#include "debug/names.h"
#include "run/td_exits.h"
#include "tdg/tdcall.h"
#include "tdh/seamcall.h"
#include "tests/sim_test.h"
#include "tests/sim_test_vcpu.h"
#include "vcpu/td_ept.h"
#include "vcpu/td_switch.h"
#include "vcpu/vmx_insn.h"

#define SIM_TEST_JUMP_LEN	5	/* bytes of JMP rel32 */

/*
 * An exit, or the TD itself, on CPU 0 in the context of a task, which does not use the
 * extended state of the CPU.
 */
struct guest_work {
	struct sim_test_guest *guest;
	struct sim_vcpu *vcpu;
	enum sim_action (*handler)(struct sim_exit *exit);
};

static int exit_on_cpu(void *data)
{
	struct guest_work *work = data;
	struct sim_test_guest *guest = work->guest;
	struct sim_test_field *f;
	struct sim_exit exit = {
		.vcpu = work->vcpu, .regs = &guest->regs, .reason = guest->reason,
		.qualification = guest->qualification, .intr_info = guest->intr_info,
	};
	u64 before[SIM_TEST_FIELDS];
	unsigned long flags;
	struct sim_host host;
	u64 rip;

	local_irq_save(flags);
	sim_td_load(work->vcpu, &host);
	for (f = guest->set; f < guest->set + SIM_TEST_FIELDS && f->field; f++) {
		before[f - guest->set] = sim_vmread(f->field);
		sim_vmwrite(f->field, f->value);
	}

	/* An entry does this; without it an EPT violation would do it first. */
	sim_sync_private_root(work->vcpu);
	rip = sim_vmread(GUEST_RIP);
	work->vcpu->event = (struct sim_event) {};
	guest->action = work->handler(&exit);
	guest->skipped = sim_vmread(GUEST_RIP) - rip;
	guest->event = work->vcpu->event;

	for (f = guest->get; f < guest->get + SIM_TEST_FIELDS && f->field; f++)
		f->value = sim_vmread(f->field);
	for (f = guest->set; f < guest->set + SIM_TEST_FIELDS && f->field; f++)
		sim_vmwrite(f->field, before[f - guest->set]);
	sim_td_unload(work->vcpu, &host);
	xsetbv(XCR_XFEATURE_ENABLED_MASK, work->vcpu->host_xcr0);
	wrmsrq(MSR_IA32_XSS, work->vcpu->host_xss);
	local_irq_restore(flags);
	return 0;
}

void sim_test_run_handler(struct kunit *test, struct sim_test_td *td, struct sim_test_guest *guest,
			  enum sim_action (*handler)(struct sim_exit *exit))
{
	struct guest_work work = { .guest = guest, .vcpu = __va(td->tdvpr), .handler = handler };
	u64 *gpr = work.vcpu->gpr;

	memcpy(gpr, guest->gpr, sizeof(guest->gpr));
	KUNIT_ASSERT_EQ(test, 0, smp_call_on_cpu(0, exit_on_cpu, &work, false));
	memcpy(guest->gpr, gpr, sizeof(guest->gpr));
}

void sim_test_exit(struct kunit *test, struct sim_test_td *td, struct sim_test_guest *guest)
{
	sim_test_run_handler(test, td, guest, sim_handle_exit);
}

u64 sim_test_tdcall(struct kunit *test, struct sim_test_td *td, u64 rax,
		    struct sim_test_guest *guest)
{
	guest->reason = EXIT_REASON_TDCALL;
	guest->gpr[SIM_RAX] = rax;
	sim_test_run_handler(test, td, guest, sim_tdcall);

	/* An instruction that is not finished has no status. */
	if (!guest->skipped)
		return guest->regs.ax;
	sim_test_tell(&sim_tdcall_names, rax, guest->gpr[SIM_RAX]);
	return guest->gpr[SIM_RAX];
}

/* MSRs that TDH.VP.ENTER changes, and KVM restores. */
static const u32 host_msrs[] = {
	MSR_STAR, MSR_LSTAR, MSR_SYSCALL_MASK, MSR_TSC_AUX, MSR_KERNEL_GS_BASE, MSR_IA32_XSS,
};

/* The host has enabled every supervisor component that the CPU has. */
static void enable_all_supervisor_components(void)
{
	u32 eax, ebx, ecx, edx;

	cpuid_count(0xd, 1, &eax, &ebx, &ecx, &edx);
	wrmsrq(MSR_IA32_XSS, (u64)edx << 32 | ecx);
}

static void enter_once(struct pt_regs *regs, const struct sim_test_around *around)
{
	u64 xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	u64 msrs[ARRAY_SIZE(host_msrs)];
	int i;

	for (i = 0; i < ARRAY_SIZE(host_msrs); i++)
		rdmsrq(host_msrs[i], msrs[i]);
	enable_all_supervisor_components();
	if (around)
		around->before(around->data);
	sim_seamcall(regs);
	if (around)
		around->after(around->data);
	for (i = 0; i < ARRAY_SIZE(host_msrs); i++)
		wrmsrq(host_msrs[i], msrs[i]);
	xsetbv(XCR_XFEATURE_ENABLED_MASK, xcr0);
}

struct entry_work {
	struct pt_regs *regs;
	const struct sim_test_around *around;
};

static int enter_on_cpu(void *data)
{
	const struct entry_work *work = data;
	struct pt_regs *regs = work->regs;
	const struct pt_regs input = *regs;

	for (;;) {
		unsigned long flags;

		local_irq_save(flags);
		enter_once(regs, work->around);
		/* The exit acknowledged an interrupt of the host: raise it again. */
		if (regs->ax == EXIT_REASON_EXTERNAL_INTERRUPT) {
			apic_eoi();
			__apic_send_IPI_self(regs->r9 & INTR_INFO_VECTOR_MASK);
		}
		local_irq_restore(flags);
		if (regs->ax != EXIT_REASON_EXTERNAL_INTERRUPT)
			return 0;
		*regs = input;
	}
}

u64 sim_test_enter_around(struct kunit *test, struct sim_test_td *td, struct pt_regs *regs,
			  const struct sim_test_around *around)
{
	struct entry_work work = { .regs = regs, .around = around };

	regs->ax = TDH_VP_ENTER;
	regs->cx = td->tdvpr;
	KUNIT_ASSERT_EQ(test, 0, smp_call_on_cpu(0, enter_on_cpu, &work, false));
	sim_test_tell(&sim_seamcall_names, TDH_VP_ENTER, regs->ax);
	return regs->ax;
}

u64 sim_test_enter(struct kunit *test, struct sim_test_td *td, struct pt_regs *regs)
{
	return sim_test_enter_around(test, td, regs, NULL);
}

/* Of up to 16 bytes, or a jump to the beginning of the page and the code there. */
static void place_code(struct kunit *test, u8 *page, const u8 *code, size_t size)
{
	unsigned int start = offset_in_page(SIM_TEST_RESET_VECTOR);
	s32 distance = -(s32)(start + SIM_TEST_JUMP_LEN);

	KUNIT_ASSERT_LE(test, size, start);
	if (start + size <= PAGE_SIZE) {
		memcpy(page + start, code, size);
		return;
	}
	page[start] = 0xe9;
	memcpy(page + start + 1, &distance, sizeof(distance));
	memcpy(page, code, size);
}

struct sim_test_td *sim_test_td_with_code(struct kunit *test, u64 xfam, const u8 *code, size_t size)
{
	struct sim_test_td *td = sim_test_td_create(test);
	u64 source = sim_test_page(test);
	struct td_params *params = __va(td->params);

	/* Leaf 1 is the first that TD_PARAMS configure. */
	params->cpuid_values[0].eax = SIM_TEST_FMS;
	params->xfam = xfam;
	sim_test_td_advance(test, td, STAGE_INIT);
	if (code) {
		place_code(test, __va(source), code, size);
		sim_test_map(test, td, SIM_TEST_RESET_VECTOR & PAGE_MASK, source);
	}
	sim_test_td_advance(test, td, STAGE_RUNNABLE);
	return td;
}
