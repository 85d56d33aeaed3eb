/* SPDX-License-Identifier: GPL-2.0-only */
/* What KVM counts of its VMs. */
#ifndef TDXTEST_GUEST_TD_STATS_H
#define TDXTEST_GUEST_TD_STATS_H

/**
 * td_stats - KVM's counts of exits
 * @text: takes them as "exits 3, io_exits 1", "" if the kernel does not show them
 * @size: of @text
 */
void td_stats(char *text, int size);

#endif /* TDXTEST_GUEST_TD_STATS_H */
