/* SPDX-License-Identifier: MIT */
/*
 * sh4: synchronisation of one P3 address of an SH4 kernel, before and after its fix of 2012 (arch/sh/mm/fault_32.c,
 * 8d9a784d1e). P3 is the one kernel segment that two-level tables translate: 1024 first-level entries, which each mm
 * has of its own, and 4 KiB pages. First-level entries hold a P1 address, the cached window onto physical memory.
 */
#include "vmalloc.h"

#include "contract.h"

#define SH4_ENTRY      4u
#define SH4_PAGE_SHIFT 12
#define SH4_PGD_SHIFT  22
#define SH4_INDEX      0x3ffu
#define SH4_FRAME      UINT64_C(0x1ffff000) /* physical address, of a table or in an entry */
#define SH4_PTE_FOUND  UINT64_C(0x300)      /* valid, or there with no access permitted (PROT_NONE) */

/* Address of the entry number (addr >> shift) of a table. */
static uint64_t entry_at(uint64_t table, uint64_t addr, unsigned shift)
{
    return (table & ~UINT64_C(0xfff)) + (addr >> shift & SH4_INDEX) * SH4_ENTRY;
}

static enum fl_sync_end sync(const struct fl_sh4 *sh, uint64_t addr, const struct fl_ops *ops, void *ctx)
{
    uint64_t start = sh->fixed ? sh->p3_start : sh->vmalloc_start;
    uint64_t slot = entry_at(sh->ttb, addr, SH4_PGD_SHIFT);
    uint64_t own, reference, pte;
    bool copied = false;

    if (addr < start || addr >= sh->p3_end)
        return FL_SYNC_NOT_HANDLED;

    if (!ops->read_entry(ctx, entry_at(sh->reference, addr, SH4_PGD_SHIFT), SH4_ENTRY, &reference))
        return FL_SYNC_WILD;
    if (!reference)
        return FL_SYNC_NOT_HANDLED;

    /* The table in use, whoever's it is: a kernel thread borrows one. */
    if (!ops->read_entry(ctx, slot, SH4_ENTRY, &own))
        return FL_SYNC_WILD;
    if (!own) {
        if (!ops->write_entry(ctx, slot, SH4_ENTRY, reference, FL_SET_PLAIN))
            return FL_SYNC_WILD;
        copied = true;
    } else if ((own ^ reference) & SH4_FRAME) {
        return FL_SYNC_BUG;
    }

    if (!ops->read_entry(ctx, entry_at(reference & SH4_FRAME, addr, SH4_PAGE_SHIFT), SH4_ENTRY, &pte))
        return FL_SYNC_WILD;
    /* Where nothing was copied, something else is the reason of the fault; calling it handled would make a loop. */
    return copied && (pte & SH4_PTE_FOUND) ? FL_SYNC_HANDLED : FL_SYNC_NOT_HANDLED;
}

enum fl_status core_p3_sync(const struct fl_sh4 *sh, uint64_t addr, const struct fl_ops *ops, void *ctx,
                            enum fl_sync_end *end)
{
    if (!sh || !end || !core_ops_complete(ops))
        return FL_INVALID;
    *end = sync(sh, addr, ops, ctx);
    return FL_OK;
}
