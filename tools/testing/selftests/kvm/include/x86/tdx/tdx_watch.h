/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts how often the kernel touches a word of memory that it shares with
 * userspace, by a debug register on the kernel's own mapping of it.
 */
#ifndef SELFTEST_TDX_WATCH_H
#define SELFTEST_TDX_WATCH_H

#include <stdbool.h>

#include <linux/types.h>

/* The reason of a skip is part of the result's name for some: keep it. */
#define TDX_WATCH_SKIP_REASON	"no watchpoint on memory of the kernel"

struct tdx_watch {
	int fd;
};

/*
 * Watch @word, a field of the uAPI, for accesses by this thread while it is in the
 * kernel.  False if that cannot be: it needs root, CONFIG_PROC_KCORE,
 * CONFIG_PROC_PAGE_MONITOR and a free debug register.
 */
bool tdx_watch_open(struct tdx_watch *watch, const __u64 *word);
void tdx_watch_close(struct tdx_watch *watch);

/* Give the number of accesses, reads and writes alike, since it was asked last. */
u64 tdx_watch_count(struct tdx_watch *watch);

#endif /* SELFTEST_TDX_WATCH_H */
