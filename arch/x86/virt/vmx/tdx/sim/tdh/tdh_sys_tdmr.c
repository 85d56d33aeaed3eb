// SPDX-License-Identifier: GPL-2.0
/*
 * Simulated TDX module: TDMRs, from the host's description to a usable PAMT.
 */
#include <linux/align.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include <asm/processor.h>

#include "state/pamt.h"
#include "state/page.h"
#include "state/sys.h"
#include "tdh/tdh.h"

/* Bits 31:0 of TDX_INVALID_TDMR and of similar statuses. */
#define TDMR_ERR_INDEX(tdmr)		(tdmr)
#define TDMR_ERR_ITEM(tdmr, item)	((tdmr) | (item) << 8)

#define TDMR_ALIGN			SZ_1G
#define PAMT_ENTRY_SIZE			sizeof(struct sim_pamt)

/* TDMR_INFO as the host wrote it, with the areas that the module has room for. */
struct tdmr_desc {
	u64 base;
	u64 size;
	struct {
		u64 base;
		u64 size;
	} pamt[TDX_PS_NR];		/* 1G, 2M, 4K */
	struct tdmr_reserved_area reserved[SIM_MAX_RESERVED];
};

static_assert(offsetof(struct tdmr_desc, reserved) ==
	      offsetof(struct tdmr_info, reserved_areas));
static_assert(sizeof(struct tdmr_desc) <= TDMR_INFO_ALIGNMENT);

/* Bytes that one entry of tdmr_desc::pamt[] describes. */
static const u64 pamt_page_size[TDX_PS_NR] = { SZ_1G, SZ_2M, SZ_4K };

#define TDMR_PAMT_4K	(TDX_PS_NR - 1)
#define TDMR_PAMT_2M	(TDMR_PAMT_4K - 1)

/*
 * Copies: all are checked before the first is used, and must not change meanwhile.
 * They are too large for a stack.  sim_sys.lock protects them.
 */
static struct tdmr_desc tdmr_descs[SIM_MAX_TDMRS];

static u64 desc_end(const struct tdmr_desc *desc)
{
	return desc->base + desc->size;
}

static bool ranges_overlap(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

static bool range_fits_cpu(u64 base, u64 size)
{
	return base + size >= base && !((base + size - 1) >> boot_cpu_data.x86_phys_bits);
}

/*
 * Call for every part of a TDMR that is not reserved: *@pos is the number of
 * the reserved area to go on with, 0 at first.  False at the end.
 */
static bool desc_next_used(const struct tdmr_desc *desc, int *pos, u64 *start, u64 *size)
{
	for (; *pos <= SIM_MAX_RESERVED; (*pos)++) {
		const struct tdmr_reserved_area *prev, *next;
		u64 end;

		prev = *pos ? &desc->reserved[*pos - 1] : NULL;
		next = *pos < SIM_MAX_RESERVED ? &desc->reserved[*pos] : NULL;
		if (prev && !prev->size)
			return false;

		*start = desc->base + (prev ? prev->offset + prev->size : 0);
		end = next && next->size ? desc->base + next->offset : desc_end(desc);
		*size = end - *start;
		if (*size) {
			(*pos)++;
			return true;
		}
	}

	return false;
}

static u64 check_base(const struct tdmr_desc *desc, int i)
{
	if (!desc->size || !IS_ALIGNED(desc->base, TDMR_ALIGN) ||
	    !IS_ALIGNED(desc->size, TDMR_ALIGN) ||
	    !range_fits_cpu(desc->base, desc->size))
		return sim_err(TDX_INVALID_TDMR, TDMR_ERR_INDEX(i));

	if (i && desc->base < desc_end(desc - 1))
		return sim_err(TDX_NON_ORDERED_TDMR, TDMR_ERR_INDEX(i));

	return 0;
}

static u64 check_reserved(const struct tdmr_desc *desc, int i)
{
	u64 end = 0;
	bool last = false;
	int r;

	for (r = 0; r < SIM_MAX_RESERVED; r++) {
		const struct tdmr_reserved_area *area = &desc->reserved[r];

		if (!area->size || last) {
			if (area->size || area->offset)
				return sim_err(TDX_INVALID_RESERVED_IN_TDMR, TDMR_ERR_ITEM(i, r));
			last = true;
			continue;
		}

		if (!PAGE_ALIGNED(area->offset) || !PAGE_ALIGNED(area->size) ||
		    area->offset >= desc->size || area->size > desc->size - area->offset)
			return sim_err(TDX_INVALID_RESERVED_IN_TDMR, TDMR_ERR_ITEM(i, r));

		if (area->offset < end)
			return sim_err(TDX_NON_ORDERED_RESERVED_IN_TDMR, TDMR_ERR_ITEM(i, r));
		end = area->offset + area->size;
	}

	return 0;
}

static u64 check_pamt(const struct tdmr_desc *desc, int i)
{
	int p;

	for (p = 0; p < TDX_PS_NR; p++) {
		u64 base = desc->pamt[p].base;
		u64 size = desc->pamt[p].size;
		u64 need = PAGE_ALIGN(desc->size / pamt_page_size[p] * PAMT_ENTRY_SIZE);

		if (!PAGE_ALIGNED(base) || !PAGE_ALIGNED(size) || size < need ||
		    !range_fits_cpu(base, size))
			return sim_err(TDX_INVALID_PAMT, TDMR_ERR_ITEM(i, p));

		/* The RAM that the kernel has mapped stands for the CMRs. */
		if (!sim_shared_hpa_ok(base, size, PAGE_SIZE))
			return sim_err(TDX_PAMT_OUTSIDE_CMRS, TDMR_ERR_ITEM(i, p));
	}

	return 0;
}

static u64 check_used(const struct tdmr_desc *desc, int i)
{
	u64 start, size;
	int pos = 0;

	while (desc_next_used(desc, &pos, &start, &size)) {
		if (!sim_shared_hpa_ok(start, size, PAGE_SIZE))
			return sim_err(TDX_TDMR_OUTSIDE_CMRS, TDMR_ERR_INDEX(i));
	}

	return 0;
}

/* Compare PAMT @p of TDMR @i with every PAMT before it and with all usable memory. */
static u64 check_pamt_overlap(int i, int p, int nr)
{
	u64 base = tdmr_descs[i].pamt[p].base;
	u64 size = tdmr_descs[i].pamt[p].size;
	u64 start, len;
	int j, q, pos;

	for (j = 0; j < nr; j++) {
		const struct tdmr_desc *desc = &tdmr_descs[j];

		for (q = 0; q < TDX_PS_NR && (j < i || (j == i && q < p)); q++) {
			if (ranges_overlap(base, size, desc->pamt[q].base, desc->pamt[q].size))
				return sim_err(TDX_PAMT_OVERLAP, TDMR_ERR_ITEM(i, p));
		}

		pos = 0;
		while (desc_next_used(desc, &pos, &start, &len)) {
			if (ranges_overlap(base, size, start, len))
				return sim_err(TDX_PAMT_OVERLAP, TDMR_ERR_ITEM(i, p));
		}
	}

	return 0;
}

static u64 check_descs(int nr)
{
	u64 status = 0;
	int i, p;

	for (i = 0; i < nr && !status; i++) {
		status = check_base(&tdmr_descs[i], i);
		status = status ?: check_reserved(&tdmr_descs[i], i);
		status = status ?: check_pamt(&tdmr_descs[i], i);
		status = status ?: check_used(&tdmr_descs[i], i);
	}

	for (i = 0; i < nr && !status; i++) {
		for (p = 0; p < TDX_PS_NR && !status; p++)
			status = check_pamt_overlap(i, p, nr);
	}

	return status;
}

static u64 copy_descs(u64 array_pa, int nr)
{
	const u64 *array = __va(array_pa);
	int i;

	for (i = 0; i < nr; i++) {
		u64 pa = READ_ONCE(array[i]);

		if (!sim_shared_hpa_ok(pa, sizeof(tdmr_descs[i]), TDMR_INFO_ALIGNMENT))
			return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_TDMR_INFO_PA);
		memcpy(&tdmr_descs[i], __va(pa), sizeof(tdmr_descs[i]));
	}

	return 0;
}

static void take_desc(struct sim_tdmr *tdmr, const struct tdmr_desc *desc)
{
	tdmr->base = desc->base;
	tdmr->size = desc->size;
	tdmr->initialized = desc->base;
	tdmr->pamt_4k = __va(desc->pamt[TDMR_PAMT_4K].base);
	tdmr->pamt_2m = __va(desc->pamt[TDMR_PAMT_2M].base);
	memcpy(tdmr->reserved, desc->reserved, sizeof(tdmr->reserved));
}

u64 sim_tdh_sys_config(struct pt_regs *regs)
{
	u64 array_pa = regs->cx, nr = regs->dx, keyid = regs->r8;
	u64 status;
	int i;

	regs->cx = 0;

	if (!sim_trylock(&sim_sys.lock, SIM_EXCL))
		return TDX_SYS_BUSY;

	/*
	 * The real module wants all CPUs of the platform initialized.  Here those
	 * that are online are enough: see TDH.SYS.LP.INIT.
	 */
	if (sim_sys.state != SIM_SYSINIT_DONE ||
	    !cpumask_subset(cpu_online_mask, &sim_sys.lp_initialized)) {
		status = TDX_SYS_CONFIG_NOT_PENDING;
		goto unlock;
	}

	if (!nr || nr > SIM_MAX_TDMRS) {
		status = sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RDX);
		goto unlock;
	}

	if (!sim_shared_hpa_ok(array_pa, nr * sizeof(u64), TDMR_INFO_PA_ARRAY_ALIGNMENT)) {
		status = sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);
		goto unlock;
	}

	if (keyid < sim_sys.keyid_start ||
	    keyid >= sim_sys.keyid_start + sim_sys.nr_keyids) {
		status = sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_R8);
		goto unlock;
	}

	status = copy_descs(array_pa, nr);
	if (status)
		goto unlock;

	status = check_descs(nr);
	if (status)
		goto unlock;

	/* All checks passed: no failure below. */
	for (i = 0; i < nr; i++)
		take_desc(&sim_sys.tdmr[i], &tdmr_descs[i]);
	sim_sys.kot[keyid - sim_sys.keyid_start].state = SIM_KOT_RESERVED;
	sim_sys.global_keyid = keyid;
	WRITE_ONCE(sim_sys.nr_tdmrs, nr);
	sim_sys.state = SIM_SYSCONFIG_DONE;
unlock:
	sim_unlock(&sim_sys.lock, SIM_EXCL);
	return status;
}

/* Make the entries of [@start, @end) free, or reserved if the host said so. */
static void init_pamt(struct sim_tdmr *tdmr, u64 start, u64 end)
{
	int r;

	sim_page_fill(&tdmr->pamt_4k[(start - tdmr->base) >> PAGE_SHIFT],
		      ((end - start) >> PAGE_SHIFT) * PAMT_ENTRY_SIZE, 0);
	sim_page_fill(&tdmr->pamt_2m[(start - tdmr->base) / SZ_2M],
		      (end - start) / SZ_2M * PAMT_ENTRY_SIZE, 0);

	for (r = 0; r < SIM_MAX_RESERVED && tdmr->reserved[r].size; r++) {
		u64 first = tdmr->base + tdmr->reserved[r].offset;
		u64 last = min(first + tdmr->reserved[r].size, end);
		u64 pa;

		for (pa = max(first, start); pa < last; pa += PAGE_SIZE)
			tdmr->pamt_4k[(pa - tdmr->base) >> PAGE_SHIFT].type = PT_RSVD;
	}
}

u64 sim_tdh_sys_tdmr_init(struct pt_regs *regs)
{
	u64 base = regs->cx;
	struct sim_tdmr *tdmr;
	u64 start, end;
	u32 i;

	regs->dx = 0;

	for (i = 0; i < sim_sys.nr_tdmrs; i++) {
		if (sim_sys.tdmr[i].base == base)
			break;
	}
	if (i == sim_sys.nr_tdmrs)
		return sim_err(TDX_OPERAND_INVALID, TDX_OPERAND_ID_RCX);

	tdmr = &sim_sys.tdmr[i];
	if (!sim_trylock(&tdmr->lock, SIM_EXCL))
		return sim_err(TDX_OPERAND_BUSY, TDX_OPERAND_ID_RCX);

	start = tdmr->initialized;
	if (start == tdmr->base + tdmr->size) {
		sim_unlock(&tdmr->lock, SIM_EXCL);
		return TDX_TDMR_ALREADY_INITIALIZED;
	}

	/* All checks passed: no failure below. */
	end = start + SZ_1G;
	init_pamt(tdmr, start, end);
	/* After the PAMT entries: sim_pamt_of() takes no lock. */
	smp_store_release(&tdmr->initialized, end);
	regs->dx = end;
	sim_unlock(&tdmr->lock, SIM_EXCL);
	return TDX_SUCCESS;
}
