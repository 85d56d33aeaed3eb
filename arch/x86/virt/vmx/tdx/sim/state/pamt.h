/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Simulated TDX module: the Physical Address Metadata Table (PAMT), and operands
 * that are pages.
 *
 * The PAMT has one entry for each 4 KiB of a TDMR and one for each 2 MiB.  It is
 * in the memory that the host gave for it with TDH.SYS.CONFIG.  The lock of an
 * entry is the lock of the object that the page holds, e.g. of the TDR.  An entry
 * for 2 MiB is PT_REG if all of it is one page.  It is PT_NDA if the entries for
 * 4 KiB say what its pages are.
 */
#ifndef _X86_VIRT_TDX_SIM_PAMT_H
#define _X86_VIRT_TDX_SIM_PAMT_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/types.h>

#include "abi.h"
#include "state/lock.h"

struct sim_pamt {
	u8 type;		/* PT_* */
	u8 level;		/* TDX_PS_* of the page */
	struct sim_lock lock;
	u32 bepoch;		/* TD epoch of the last TDH.MEM.RANGE.BLOCK */
	u64 owner;		/* physical address of the TDR */
};

static_assert(sizeof(struct sim_pamt) == 16);

/* 4 KiB pages in a page of @level (TDX_PS_4K to TDX_PS_1G). */
static inline u64 sim_level_pages(int level)
{
	return BIT_ULL(9 * level);
}

/*
 * Entries of the PAMT by the physical address @pa of a page, without checks of the
 * operand and without a lock.
 *
 * sim_pamt_of():	for 4 KiB; its type is PT_RSVD in a reserved area.  NULL if
 *			@pa is in no TDMR, or in a part that is not initialized.
 * sim_pamt_2m_of():	for the 2 MiB around @pa, which must be in a TDMR.
 * sim_pamt_leaf_of():	that of the two which says what the page at @pa is; @pa
 *			must be in a TDMR.
 */
struct sim_pamt *sim_pamt_of(u64 pa);
struct sim_pamt *sim_pamt_2m_of(u64 pa);
struct sim_pamt *sim_pamt_leaf_of(u64 pa);

/*
 * sim_pamt_set_type():	the page of pamt->level becomes one of @type (PT_*).  Those who
 *			read the type without the lock see what was written before.
 *			sim_sys.pages follows.
 */
void sim_pamt_set_type(struct sim_pamt *pamt, u8 type);

/*
 * Operands that are pages.  @pa is the operand, a physical address.  @op is the
 * TDX_OPERAND_ID_* that the status names.  All return 0 or, in this order,
 *
 *	TDX_OPERAND_INVALID		@pa is not aligned, or has KeyID bits
 *	TDX_OPERAND_ADDR_RANGE_ERROR	it is in no initialized TDMR
 *	TDX_OPERAND_BUSY		its lock is taken
 *	TDX_PAGE_METADATA_INCORRECT	it is of another type
 *
 * sim_page_check():	the first two, of 4 KiB; *@pamt is its entry.
 * sim_page_get():	all four, of the 4 KiB page of an object of @type (PT_*).
 *			Its entry *@pamt is locked; release with sim_page_put().
 */
u64 sim_page_check(u64 pa, u32 op, struct sim_pamt **pamt);
u64 sim_page_get(u64 pa, u32 op, u8 type, enum sim_lock_mode mode, struct sim_pamt **pamt);

static inline void sim_page_put(struct sim_pamt *pamt, enum sim_lock_mode mode)
{
	sim_unlock(&pamt->lock, mode);
}

/* A locked page of either size. */
struct sim_page_ref {
	struct sim_pamt *pamt;		/* locked in @mode */
	struct sim_pamt *around;	/* of the 2 MiB, shared; NULL if they are the page */
	enum sim_lock_mode mode;
};

/*
 * sim_free_page_get():	all four checks, of a page of @level (TDX_PS_4K or TDX_PS_2M)
 *			all of which must be PT_NDA.
 * sim_any_page_get():	the first three, of any page of either size.
 * sim_page_ref_put():	release what one of the two has locked.
 */
u64 sim_free_page_get(u64 pa, u32 op, int level, enum sim_lock_mode mode,
		      struct sim_page_ref *ref);
u64 sim_any_page_get(u64 pa, u32 op, enum sim_lock_mode mode, struct sim_page_ref *ref);
void sim_page_ref_put(const struct sim_page_ref *ref);

/*
 * Operands in memory of the host: true if @size bytes at the physical address @pa
 * are RAM that the kernel has mapped, @pa is a multiple of @align and has no KeyID
 * bits.  @size is not 0.
 */
bool sim_shared_hpa_ok(u64 pa, u64 size, u64 align);

#endif /* _X86_VIRT_TDX_SIM_PAMT_H */
