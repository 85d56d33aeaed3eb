// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the simulated TDX module: an interrupt that is delivered without the
 * CPU leaves the virtual APIC as the CPU would.
 */
#include <linux/array_size.h>

#include <asm/apicdef.h>
#include <asm/vmx.h>

#include "tests/sim_test.h"
#include "tests/sim_test_vcpu.h"
#include "vcpu/td_apic.h"

#define NR_VECTORS		256

/* The bit of a vector in a bitmap of the APIC page, and the register that has it. */
static u32 vapic_bit(u8 vector)
{
	return BIT(vector % 32);
}

static u32 *vapic_reg(struct sim_vcpu *vcpu, unsigned int bitmap, u8 vector)
{
	return sim_vcpu_page(vcpu, SIM_TDVPS_VAPIC) + bitmap + vector / 32 * 0x10;
}

/* Runs with the VMCS of the vCPU; the host's RAX takes the vector. */
static enum sim_action accept(struct sim_exit *exit)
{
	exit->regs->ax = sim_apic_accept(exit->vcpu);
	return SIM_TO_HOST;
}

/* Vectors that are requested, the highest first, and GUEST_INTR_STATUS after the first is taken. */
static const struct {
	const char *name;
	u8 requested[3];
	u16 status;
} accept_cases[] = {
	{ "alone", { 0xa5 }, 0xa500 },
	{ "in the lowest row", { 0x1f }, 0x1f00 },
	{ "in the highest row", { 0xff }, 0xff00 },
	{ "before one of its row", { 0xa5, 0xa0 }, 0xa5a0 },
	{ "before others", { 0xff, 0x41, 0x20 }, 0xff41 },
};

static void accept_interrupt(struct kunit *test)
{
	struct sim_test_td *td = sim_test_td_with_code(test, SIM_XFAM_FIXED1, NULL, 0);
	struct sim_vcpu *vcpu = __va(td->tdvpr);
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(accept_cases); i++) {
		const u8 *requested = accept_cases[i].requested;
		struct sim_test_guest guest = { .get = { { GUEST_INTR_STATUS } } };
		const char *name = accept_cases[i].name;

		for (j = 0; j < ARRAY_SIZE(accept_cases[i].requested) && requested[j]; j++)
			*vapic_reg(vcpu, APIC_IRR, requested[j]) |= vapic_bit(requested[j]);
		vcpu->intr_status = requested[0];
		sim_test_run_handler(test, td, &guest, accept);

		KUNIT_EXPECT_EQ_MSG(test, guest.regs.ax, requested[0], "%s: vector", name);
		KUNIT_EXPECT_EQ_MSG(test, guest.get[0].value, accept_cases[i].status,
				    "%s: interrupt status", name);
		KUNIT_EXPECT_EQ_MSG(test, vcpu->intr_status, accept_cases[i].status,
				    "%s: copy of the interrupt status", name);
		for (j = 0; j < NR_VECTORS; j++) {
			bool waits = j && (j == requested[1] || j == requested[2]);

			KUNIT_EXPECT_EQ_MSG(test, waits,
					    !!(*vapic_reg(vcpu, APIC_IRR, j) & vapic_bit(j)),
					    "%s: bit %u of IRR", name, j);
			KUNIT_EXPECT_EQ_MSG(test, j == requested[0],
					    !!(*vapic_reg(vcpu, APIC_ISR, j) & vapic_bit(j)),
					    "%s: bit %u of ISR", name, j);
			*vapic_reg(vcpu, APIC_IRR, j) &= ~vapic_bit(j);
			*vapic_reg(vcpu, APIC_ISR, j) &= ~vapic_bit(j);
		}
	}
}

static struct kunit_case sim_apic_cases[] = {
	KUNIT_CASE(accept_interrupt),
	{}
};

static struct kunit_suite sim_apic_suite = {
	.name = "tdx_sim_apic",
	.init = sim_test_init,
	.test_cases = sim_apic_cases,
};

kunit_test_suite(sim_apic_suite);
