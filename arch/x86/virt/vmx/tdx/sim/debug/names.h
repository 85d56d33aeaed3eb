/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: names of the numbers of its ABI, from the tables that
 * define them.
 */
#ifndef _X86_VIRT_TDX_SIM_NAMES_H
#define _X86_VIRT_TDX_SIM_NAMES_H

#include <linux/types.h>

struct trace_seq;

struct sim_name {
	u64 value;
	const char *name;
};

struct sim_names {
	const struct sim_name *rows;
	unsigned int nr;
};

/* Leafs of SEAMCALL and TDCALL; statuses without and operands with bits 31:0. */
extern const struct sim_names sim_seamcall_names;
extern const struct sim_names sim_tdcall_names;
extern const struct sim_names sim_status_names;
extern const struct sim_names sim_operand_names;

/* Name of @value, NULL if it has none. */
const char *sim_name_of(const struct sim_names *names, u64 value);

/* Row with the name @name of @length characters, NULL if there is none. */
const struct sim_name *sim_name_find(const struct sim_names *names, const char *name,
				     size_t length);

/*
 * For the print format of a tracepoint, in the buffer of @p:
 *
 * sim_trace_name():	the name of a leaf, or its number.
 * sim_trace_status():	a status with the operand that it names, e.g.
 *			"TDX_OPERAND_BUSY | SEPT".  With @vp_enter, bits 31:0 of a status that
 *			is no error are the exit reason.
 */
const char *sim_trace_name(struct trace_seq *p, const struct sim_names *names, u64 value);
const char *sim_trace_status(struct trace_seq *p, u64 status, bool vp_enter);

#endif /* _X86_VIRT_TDX_SIM_NAMES_H */
