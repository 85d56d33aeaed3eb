// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: tracepoints.  One file must include trace.h with
 * CREATE_TRACE_POINTS.
 */
#define CREATE_TRACE_POINTS
#include "debug/trace.h"
