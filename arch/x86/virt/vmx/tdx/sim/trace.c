// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: tracepoints, which are here so that trace.h is included
 * with CREATE_TRACE_POINTS once.
 */
#define CREATE_TRACE_POINTS
#include "trace.h"
