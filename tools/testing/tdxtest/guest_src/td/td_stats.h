/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel shows of its VMs. */
#ifndef TDXTEST_GUEST_TD_STATS_H
#define TDXTEST_GUEST_TD_STATS_H

/**
 * td_count - one of KVM's counts, over the VMs that exist
 * @kernel: the folder of sysfs that the kernel shows its own state in
 * @name: of the count, such as "halt_exits"
 *
 * Gives -1 if the kernel does not show it.
 */
long td_count(const char *kernel, const char *name);

/**
 * td_counts - KVM's counts of exits
 * @kernel: as above
 * @text: takes them as "exits 3, io_exits 1", "" if the kernel does not show them
 * @size: of @text
 */
void td_counts(const char *kernel, char *text, int size);

/**
 * td_page_tables - whether KVM has page tables
 * @kernel: as above
 *
 * Gives the number of slabs that describe them, 0 without any, -1 if the kernel does not
 * show it.
 */
long td_page_tables(const char *kernel);

#endif /* TDXTEST_GUEST_TD_STATS_H */
