/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages of private memory with known contents, for tests that change memory under a TD
 * and then let the TD look at it:
 *
 *	tdx_td_build(&td, TDX_STAGE_CREATED);
 *	td.code = tdx_pages_guest_look;
 *	memfd = tdx_pages_add(td.vm);
 *	tdx_td_build(&td, TDX_STAGE_FINALIZED);
 *	...
 *	tdx_pages_look(td.vcpu, tdx_pages_gpa(0), false);
 */
#ifndef SELFTEST_TDX_TDX_PAGES_H
#define SELFTEST_TDX_TDX_PAGES_H

#include <linux/sizes.h>

#include "kvm_util.h"

/*
 * The slot, with as much memory as a large page maps, at as low a GPA as every CPU with
 * EPT supports.  It has the first half of a guest_memfd.
 */
#define TDX_PAGES_GPA	0x1234600000ULL
#define TDX_PAGES_SLOT	21
#define TDX_PAGES_SIZE	SZ_2M

/* The pages with contents: the first three, and the last one of the slot. */
#define TDX_NR_PAGES	4

/* Returns the GPA of page @i, 0 to TDX_NR_PAGES - 1, and the word that it begins with. */
gpa_t tdx_pages_gpa(unsigned int i);
u64 tdx_pages_value(unsigned int i);

/*
 * Add the slot to @vm, which maps the pages at the addresses that are their GPAs.
 * Returns the guest_memfd, which the caller closes.
 */
int tdx_pages_add(struct kvm_vm *vm);

/* Code of a TD that runs tdx_pages_look(). */
void tdx_pages_guest_look(void);

/* Code of a TD that asserts the contents of all pages before each of its hypercalls. */
void tdx_pages_guest_fetch_loop(void);

/*
 * Let the TD read a word at @gpa of a page, after it has accepted the page if @accept is
 * true.  Returns the word.
 */
u64 tdx_pages_look(struct kvm_vcpu *vcpu, gpa_t gpa, bool accept);

/*
 * Let the TD read a word at @gpa, as far as KVM_EXIT_MEMORY_FAULT of this page.  It goes
 * on as soon as there is memory.
 */
void tdx_pages_look_fault(struct kvm_vcpu *vcpu, gpa_t gpa);

/*
 * Run @vcpu to KVM_EXIT_MEMORY_FAULT of the page at @gpa, with @flags.  @try is for
 * messages.
 */
void tdx_run_to_memory_fault(struct kvm_vcpu *vcpu, u64 try, gpa_t gpa, u64 flags);

/* The check alone, of KVM_RUN with result @r and errno @error. */
void tdx_check_memory_fault(struct kvm_vcpu *vcpu, int r, int error, u64 try, gpa_t gpa,
			    u64 flags);

#endif /* SELFTEST_TDX_TDX_PAGES_H */
