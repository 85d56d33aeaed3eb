/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: how random SEAMCALLs are made up.
 */
#ifndef _X86_VIRT_TDX_SIM_FUZZ_GEN_H
#define _X86_VIRT_TDX_SIM_FUZZ_GEN_H

#include <linux/types.h>

/* Pages that a fuzzer's SEAMCALLs may give to the module, and source pages. */
#define FUZZ_PAGES		192
#define FUZZ_SOURCES		4

/* KeyIDs that it uses: the last ones, KVM takes the first. */
#define FUZZ_KEYIDS		2

struct pt_regs;
struct rnd_state;

struct fuzz_pool {
	u64 page[FUZZ_PAGES];		/* physical addresses */
	u64 source[FUZZ_SOURCES];
	u64 params;			/* good TD_PARAMS */
	u64 bad_params;			/* the same with a bit flipped at times */
};

/*
 * Make up the registers of a SEAMCALL: mostly one that a host could make in some state
 * of a TD, now and then with something else for an operand.  @regs->ax is leaf and
 * version.
 */
void fuzz_generate(const struct fuzz_pool *pool, struct rnd_state *rnd,
		   struct pt_regs *regs);

/* True if the leaf must succeed at times when it is called often. */
bool fuzz_must_succeed(u64 leaf);

#endif /* _X86_VIRT_TDX_SIM_FUZZ_GEN_H */
