// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: posted interrupts and the virtual APIC of a vCPU.
 *
 * The host posts an interrupt in its descriptor and notifies the CPU.  A real
 * module lets the CPU process the descriptor.  The emulators that can run this
 * want another alignment of it than hardware does.  So the module processes it, at
 * each entry.  The notification causes an exit, after which there is an entry.
 */
#include <linux/bitfield.h>
#include <linux/bitops.h>

#include <asm/apic.h>
#include <asm/posted_intr.h>
#include <asm/vmx.h>

#include "vcpu/td_apic.h"
#include "vcpu/vmx_insn.h"

/* GUEST_INTR_STATUS: requesting virtual interrupt in 7:0, servicing one in 15:8. */
#define SIM_RVI			0xff
#define SIM_SVI			0xff00

/* Priority class of a vector, or of the processor in PPR. */
#define SIM_PRIORITY(vector)	((vector) & 0xf0)

/* Rows of 32 vectors in the APIC page, 16 bytes apart. */
#define SIM_NR_ROWS		(256 / 32)

static u32 *sim_vapic_irr(void *vapic, unsigned int row)
{
	return vapic + APIC_IRR + row * 0x10;
}

static u32 *sim_vapic_isr(void *vapic, unsigned int row)
{
	return vapic + APIC_ISR + row * 0x10;
}

static void sim_write_intr_status(struct sim_vcpu *vcpu, u16 status)
{
	sim_vmwrite(GUEST_INTR_STATUS, status);
	vcpu->intr_status = status;
}

void sim_apic_sync_pir(struct sim_vcpu *vcpu)
{
	struct pi_desc *desc = __va(vcpu->pi_desc_pa);
	void *vapic = sim_vcpu_page(vcpu, SIM_TDVPS_VAPIC);
	int highest = -1;
	u16 status;
	unsigned int i;

	if (!sim_posts_interrupts(vcpu) || !pi_test_and_clear_on(desc))
		return;

	for (i = 0; i < SIM_NR_ROWS; i++) {
		u32 pir = xchg((u32 *)desc->pir + i, 0);
		u32 *irr = sim_vapic_irr(vapic, i);

		if (!pir)
			continue;
		*irr |= pir;
		highest = i * 32 + __fls(pir);
	}

	status = sim_vmread(GUEST_INTR_STATUS);
	if (highest > (status & SIM_RVI))
		sim_write_intr_status(vcpu, (status & ~SIM_RVI) | highest);
}

bool sim_apic_has_request(const struct sim_vcpu *vcpu)
{
	return vcpu->intr_status & SIM_RVI;
}

bool sim_apic_intr_pending(const struct sim_vcpu *vcpu)
{
	const void *vapic = sim_vcpu_page(vcpu, SIM_TDVPS_VAPIC);
	u32 ppr = *(const u32 *)(vapic + APIC_PROCPRI);

	return SIM_PRIORITY(vcpu->intr_status & SIM_RVI) > SIM_PRIORITY(ppr);
}

u8 sim_apic_accept(struct sim_vcpu *vcpu)
{
	void *vapic = sim_vcpu_page(vcpu, SIM_TDVPS_VAPIC);
	u8 vector = vcpu->intr_status & SIM_RVI;
	unsigned int row = SIM_NR_ROWS;
	u16 next = 0;

	*sim_vapic_irr(vapic, vector / 32) &= ~BIT(vector % 32);
	*sim_vapic_isr(vapic, vector / 32) |= BIT(vector % 32);
	while (row-- && !next) {
		if (*sim_vapic_irr(vapic, row))
			next = row * 32 + __fls(*sim_vapic_irr(vapic, row));
	}
	sim_write_intr_status(vcpu, FIELD_PREP(SIM_SVI, vector) | next);
	return vector;
}
