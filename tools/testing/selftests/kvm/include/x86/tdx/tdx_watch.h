/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts how often the kernel accesses a word of memory that it shares with userspace,
 * by a debug register on its own mapping of the word.
 */
#ifndef SELFTEST_TDX_TDX_WATCH_H
#define SELFTEST_TDX_TDX_WATCH_H

#include <stdbool.h>

#include <linux/types.h>

/* Some consumers make the reason of a skip a part of the result's name: keep it. */
#define TDX_WATCH_SKIP_REASON	"no watchpoint on memory of the kernel"

struct tdx_watch {
	int fd;
};

/*
 * Watch @word, a field of the uAPI, for accesses by this thread in the kernel.  Returns
 * false if that is not possible: it needs root, CONFIG_PROC_KCORE,
 * CONFIG_PROC_PAGE_MONITOR and a free debug register.
 */
bool tdx_watch_open(struct tdx_watch *watch, const __u64 *word);
void tdx_watch_close(struct tdx_watch *watch);

/* Returns the number of accesses, reads and writes, since the last call. */
u64 tdx_watch_count(struct tdx_watch *watch);

#endif /* SELFTEST_TDX_TDX_WATCH_H */
