// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: string instructions with a REP prefix on shared memory.
 *
 * td_shared.c stops a TD after one instruction, and a CPU takes each iteration of a
 * REP instruction for one.  A firmware that copies a kernel from shared memory
 * would stop a million times.  So the module makes the iterations that stay in the
 * pages of the one that the CPU has just made: those it may access, and the accessed
 * and dirty bits of their entries are set.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/string.h>

#include <asm/pgtable_types.h>
#include <asm/processor-flags.h>
#include <asm/vmx.h>

#include "state/vcpu.h"
#include "vcpu/td_guest_mem.h"
#include "vcpu/td_mem.h"
#include "vcpu/td_rep.h"
#include "vcpu/vmx_insn.h"

#define PREFIX_REP	0xf3
#define PREFIX_REX_W	0x48
#define OP_MOVSB	0xa4
#define OP_MOVS		0xa5
#define OP_STOSB	0xaa
#define OP_STOS		0xab

struct sim_rep {
	bool moves;		/* MOVS; else STOS */
	unsigned int size;	/* of an element */
};

/* The instruction at the guest's RIP, if it is one of those above in 64-bit mode. */
static bool sim_rep_decode(struct sim_vcpu *vcpu, struct sim_rep *rep)
{
	bool wide;
	u32 insn;
	u8 op;

	if (!(sim_vmread(GUEST_CS_AR_BYTES) & VMX_AR_L_MASK) ||
	    sim_vmread(GUEST_RFLAGS) & (X86_EFLAGS_DF | X86_EFLAGS_TF) ||
	    !sim_guest_fetch(vcpu, &insn) || (insn & 0xff) != PREFIX_REP)
		return false;

	wide = (u8)(insn >> 8) == PREFIX_REX_W;
	op = insn >> (wide ? 16 : 8);
	rep->moves = op == OP_MOVSB || op == OP_MOVS;
	rep->size = op == OP_MOVSB || op == OP_STOSB ? 1 : wide ? 8 : 4;
	return rep->moves || op == OP_STOSB || op == OP_STOS;
}

/*
 * Where @linear is, whose page the last iteration accessed as @wanted says
 * (VMX_EPT_READABLE_MASK or VMX_EPT_WRITABLE_MASK); NULL if that is not known.
 */
static void *sim_rep_operand(struct sim_vcpu *vcpu, u64 linear, unsigned int size, u64 wanted)
{
	u64 used = wanted == VMX_EPT_WRITABLE_MASK ? _PAGE_ACCESSED | _PAGE_DIRTY : _PAGE_ACCESSED;
	u64 gpa, rwx, hpa;

	if ((linear ^ (linear - size)) & PAGE_MASK)
		return NULL;
	if ((sim_guest_translate(vcpu, linear, &gpa) & used) != used ||
	    !sim_gpa_translate(vcpu, gpa, wanted, &rwx, &hpa))
		return NULL;
	return __va(hpa);
}

/* Iterations that stay in the page of @linear. */
static u64 sim_rep_fit(u64 linear, unsigned int size)
{
	return (PAGE_SIZE - offset_in_page(linear)) / size;
}

static void sim_rep_make(struct sim_vcpu *vcpu, const struct sim_rep *rep)
{
	u64 *rsi = &vcpu->gpr[SIM_RSI], *rdi = &vcpu->gpr[SIM_RDI];
	u64 nr = min(vcpu->gpr[SIM_RCX] - 1, sim_rep_fit(*rdi, rep->size)), i;
	void *from = NULL, *to;

	to = sim_rep_operand(vcpu, *rdi, rep->size, VMX_EPT_WRITABLE_MASK);
	if (rep->moves) {
		nr = min(nr, sim_rep_fit(*rsi, rep->size));
		from = sim_rep_operand(vcpu, *rsi, rep->size, VMX_EPT_READABLE_MASK);
	}
	/* In one page an iteration may read what the one before it wrote. */
	if (!to || (rep->moves && (!from || !(((u64)from ^ (u64)to) & PAGE_MASK))))
		return;

	if (rep->moves)
		memcpy(to, from, nr * rep->size);
	for (i = 0; !rep->moves && i < nr; i++)
		memcpy(to + rep->size * i, &vcpu->gpr[SIM_RAX], rep->size);

	vcpu->gpr[SIM_RCX] -= nr;
	*rdi += nr * rep->size;
	if (rep->moves)
		*rsi += nr * rep->size;
}

bool sim_rep_advance(struct sim_vcpu *vcpu)
{
	struct sim_rep rep;

	if (!sim_rep_decode(vcpu, &rep) || vcpu->gpr[SIM_RCX] <= 1)
		return false;

	sim_rep_make(vcpu, &rep);
	return !offset_in_page(vcpu->gpr[SIM_RDI]) ||
	       (rep.moves && !offset_in_page(vcpu->gpr[SIM_RSI]));
}
