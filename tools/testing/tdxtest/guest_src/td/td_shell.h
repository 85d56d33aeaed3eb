/* SPDX-License-Identifier: GPL-2.0-only */
/* Joins a terminal to the console of a TD. */
#ifndef TDXTEST_GUEST_TD_SHELL_H
#define TDXTEST_GUEST_TD_SHELL_H

#include "td_vmm.h"

/**
 * td_shell - join standard input and output to the console of a TD
 * @vmm: of vmm_start()
 *
 * Returns after the VMM has ended. The terminal is as before then.
 */
void td_shell(struct vmm *vmm);

#endif /* TDXTEST_GUEST_TD_SHELL_H */
