// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: names of the numbers of its ABI.
 */
#include <linux/array_size.h>
#include <linux/string.h>
#include <linux/trace_seq.h>

#include "abi.h"
#include "debug/names.h"

#define NAMES(_rows)		{ .rows = _rows, .nr = ARRAY_SIZE(_rows) }

#define SEAMCALL(_name, _leaf, _number, ...)	{ .value = _number, .name = #_leaf },
#define SEAMCALL_ABSENT(_leaf, _number, ...)	{ .value = _number, .name = #_leaf },
static const struct sim_name seamcalls[] = {
#include "tdh/seamcalls.def"
};

#define TDCALL(_name, _leaf, _number, ...)	{ .value = _number, .name = #_leaf },
#define TDCALL_ABSENT(_leaf, _number, ...)	{ .value = _number, .name = #_leaf },
static const struct sim_name tdcalls[] = {
#include "tdg/tdcalls.def"
};

#define STATUS(_name)		{ .value = _name, .name = #_name },
#define OPERAND(...)
static const struct sim_name statuses[] = {
#include "status.def"
};

#define STATUS(...)
#define OPERAND(_name)		{ .value = TDX_OPERAND_ID_##_name, .name = #_name },
static const struct sim_name operands[] = {
#include "status.def"
};

const struct sim_names sim_seamcall_names = NAMES(seamcalls);
const struct sim_names sim_tdcall_names = NAMES(tdcalls);
const struct sim_names sim_status_names = NAMES(statuses);
const struct sim_names sim_operand_names = NAMES(operands);

const char *sim_name_of(const struct sim_names *names, u64 value)
{
	unsigned int i;

	for (i = 0; i < names->nr; i++) {
		if (names->rows[i].value == value)
			return names->rows[i].name;
	}
	return NULL;
}

const struct sim_name *sim_name_find(const struct sim_names *names, const char *name,
				     size_t length)
{
	unsigned int i;

	for (i = 0; i < names->nr; i++) {
		if (strlen(names->rows[i].name) == length &&
		    !memcmp(names->rows[i].name, name, length))
			return &names->rows[i];
	}
	return NULL;
}

const char *sim_trace_name(struct trace_seq *p, const struct sim_names *names, u64 value)
{
	const char *start = trace_seq_buffer_ptr(p);
	const char *name = sim_name_of(names, value);

	if (name)
		trace_seq_puts(p, name);
	else
		trace_seq_printf(p, "0x%llx", value);
	trace_seq_putc(p, 0);
	return start;
}

/* A status of TDH.VP.ENTER that ran the TD: bits 31:0 are the exit reason. */
static bool is_td_exit(u64 status)
{
	u64 code = status & TDX_SEAMCALL_STATUS_MASK;

	return !code || (code & TDX_NON_RECOVERABLE && !(code & TDX_ERROR));
}

const char *sim_trace_status(struct trace_seq *p, u64 status, bool vp_enter)
{
	const char *start = trace_seq_buffer_ptr(p);
	const char *name = sim_name_of(&sim_status_names, status & TDX_SEAMCALL_STATUS_MASK);
	const char *operand = sim_name_of(&sim_operand_names, (u32)status);

	if (!name)
		trace_seq_printf(p, "0x%llx", status);
	else if (!(u32)status)
		trace_seq_puts(p, name);
	else if (operand && !(vp_enter && is_td_exit(status)))
		trace_seq_printf(p, "%s | %s", name, operand);
	else
		trace_seq_printf(p, "%s | 0x%x", name, (u32)status);
	trace_seq_putc(p, 0);
	return start;
}
