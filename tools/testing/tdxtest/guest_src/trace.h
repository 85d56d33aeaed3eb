/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's trace of what the TDX module and its TDs did. */
#ifndef GUEST_TRACE_H
#define GUEST_TRACE_H

/* Trace from now on, and remember the last @lines for trace_print(). */
void trace_want(unsigned int lines);

/* Forget what was traced. */
void trace_forget(void);

/* Print the last lines, as comments of KTAP; nothing if none are wanted. */
void trace_print(void);

#endif /* GUEST_TRACE_H */
