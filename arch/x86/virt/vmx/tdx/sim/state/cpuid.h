/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: CPUID as a TD sees it, a table in one of its TDCX pages.
 */
#ifndef _X86_VIRT_TDX_SIM_CPUID_H
#define _X86_VIRT_TDX_SIM_CPUID_H

#include <linux/limits.h>
#include <linux/types.h>

struct sim_tdcs;
struct td_params;

/* Registers in the order of TD_PARAMS and of CPUID_CONFIG_VALUES. */
enum sim_cpuid_reg {
	SIM_EAX, SIM_EBX, SIM_ECX, SIM_EDX,
	SIM_CPUID_NR_REGS,
};

struct sim_cpuid_entry {
	u32 leaf;
	u32 subleaf;			/* SIM_CPUID_NO_SUBLEAF: any */
	u32 regs[SIM_CPUID_NR_REGS];
	bool faulting;			/* #VE in place of the value */
	u8 next;			/* of the same slot of the TD's cpuid_first */
};

#define SIM_CPUID_NO_SUBLEAF	U32_MAX

/* Number of rows of cpuid.def that TD_PARAMS has values for, the first ones. */
unsigned int sim_cpuid_nr_config(void);

/*
 * Configurable row @i, which is below sim_cpuid_nr_config(), in the form of the
 * fields CPUID_CONFIG_LEAVES and CPUID_CONFIG_VALUES of SYS metadata: *@leaf has
 * the subleaf in 63:32 and the leaf in 31:0, @values the masks of EBX:EAX and of
 * EDX:ECX.
 */
void sim_cpuid_config(unsigned int i, u64 *leaf, u64 values[2]);

/* A register of features, as debugfs shows it. */
struct sim_cpuid_features {
	u32 leaf;
	u32 subleaf;			/* SIM_CPUID_NO_SUBLEAF: any */
	enum sim_cpuid_reg reg;
	u32 cpu;			/* as the CPU has it */
	u32 hidden;			/* of the CPU, from every TD */
	u32 lacking;			/* what the real module demands of a CPU */
	u32 configurable;		/* for TD_PARAMS to choose */
};

/* Register number @i; false if there are no more. */
bool sim_cpuid_features(unsigned int i, struct sim_cpuid_features *features);

/*
 * Fill @tdcs->cpuid, a page, from @params.  Returns 0, or TDX_OPERAND_INVALID |
 * CPUID_CONFIG if a bit is set that is not configurable, or if the family, model and
 * stepping are neither 0 nor the CPU's.  *@bad is then the row, with the subleaf in
 * 63:32 and the leaf in 31:0.
 */
u64 sim_cpuid_init(struct sim_tdcs *tdcs, const struct td_params *params, u64 *bad);

/* Let @tdcs have no leafs, as before sim_cpuid_init(). */
void sim_cpuid_clear(struct sim_tdcs *tdcs);

/*
 * The TD's own value of a leaf, NULL if there is none.
 *
 * sim_cpuid_get():	only of what has a row; of a leaf without subleafs by
 *			SIM_CPUID_NO_SUBLEAF.
 * sim_cpuid_find():	as the CPUID instruction gives it, for any leaf and subleaf.
 *			NULL if the TD gets #VE: the module leaves it to the host.
 */
const struct sim_cpuid_entry *sim_cpuid_get(const struct sim_tdcs *tdcs,
					    u32 leaf, u32 subleaf);
const struct sim_cpuid_entry *sim_cpuid_find(const struct sim_tdcs *tdcs,
					     u32 leaf, u32 subleaf);

#endif /* _X86_VIRT_TDX_SIM_CPUID_H */
