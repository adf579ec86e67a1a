/* SPDX-License-Identifier: MIT */
/*
 * vmalloc_fault of 2.6.25 (arch/x86/mm/fault_32.c, 2008, both halves), with the faults that it had: no large pages, no
 * range of its own, a handled fault where nothing was copied; on 64 bit a destination that is not CR3's, and a write
 * that is not flushed.
 */
#include "vmalloc_generations.h"

enum fl_sync_end core_vmalloc_sync_one(const struct vmalloc *v, uint64_t cr3, bool flush, struct slot *reference)
{
    unsigned pmd_depth = v->format->levels - 2u;
    uint64_t table = core_vmalloc_root(v, cr3);
    uint64_t ref_table = core_vmalloc_root(v, v->kernel->init_root);
    struct slot pmd;

    /* PAE: the reference's PDPTE is tested, the table's own is not. */
    if (pmd_depth) {
        struct slot pdpte, ref_pdpte;

        if (!core_slot_read(v, ref_table, 0, &ref_pdpte))
            return FL_SYNC_WILD;
        if (!core_slot_present(&ref_pdpte))
            return FL_SYNC_NOT_HANDLED;
        if (!core_slot_read(v, table, 0, &pdpte))
            return FL_SYNC_WILD;
        table = core_slot_table(v, &pdpte);
        ref_table = core_slot_table(v, &ref_pdpte);
    }

    if (!core_slot_read(v, ref_table, pmd_depth, reference))
        return FL_SYNC_WILD;
    if (!core_slot_present(reference))
        return FL_SYNC_NOT_HANDLED;

    if (!core_slot_read(v, table, pmd_depth, &pmd))
        return FL_SYNC_WILD;
    if (core_slot_present(&pmd))
        return core_slot_same_frame(v, &pmd, reference) ? FL_SYNC_HANDLED : FL_SYNC_BUG;
    if (!core_slot_write(v, &pmd, reference->entry, FL_SET_PMD))
        return FL_SYNC_WILD;
    if (flush)
        v->ops->flush_lazy(v->ctx);
    return FL_SYNC_HANDLED;
}

enum fl_sync_end core_vmalloc_2008_32(const struct vmalloc *v, const struct fl_fault *fault)
{
    struct slot pmd_ref, pte_ref;
    enum fl_sync_end end = core_vmalloc_sync_one(v, fault->cpu.cr3, true, &pmd_ref);

    if (end != FL_SYNC_HANDLED)
        return end;

    /* Whatever the entry is, it is taken for a table. */
    if (!core_slot_read(v, core_slot_table(v, &pmd_ref), v->format->levels - 1u, &pte_ref))
        return FL_SYNC_WILD;
    return core_slot_present(&pte_ref) ? FL_SYNC_HANDLED : FL_SYNC_NOT_HANDLED;
}

enum fl_sync_end core_vmalloc_walk_64(const struct vmalloc *v, uint64_t root, bool flush, bool large_pages)
{
    enum { PGD, PUD, PMD, PTE };
    struct slot entry, ref;

    if (!core_slot_read(v, core_vmalloc_root(v, v->kernel->init_root), PGD, &ref))
        return FL_SYNC_WILD;
    if (core_slot_none(&ref))
        return FL_SYNC_NOT_HANDLED;
    if (!core_slot_read(v, root, PGD, &entry))
        return FL_SYNC_WILD;
    if (core_slot_none(&entry)) {
        if (!core_slot_write(v, &entry, ref.entry, FL_SET_PGD))
            return FL_SYNC_WILD;
        if (flush)
            v->ops->flush_lazy(v->ctx);
    } else if (!core_slot_same_frame(v, &entry, &ref)) {
        return FL_SYNC_BUG;
    }
    if (!core_slot_read(v, root, PGD, &entry))
        return FL_SYNC_WILD;

    /* The lower tables are shared, so both ways down must meet. */
    for (unsigned depth = PUD; depth <= PMD; depth++) {
        uint64_t table = core_slot_table(v, &entry);

        if (!core_slot_read(v, core_slot_table(v, &ref), depth, &ref))
            return FL_SYNC_WILD;
        if (core_slot_none(&ref))
            return FL_SYNC_NOT_HANDLED;
        if (!core_slot_read(v, table, depth, &entry))
            return FL_SYNC_WILD;
        if (core_slot_none(&entry) || !core_slot_same_frame(v, &entry, &ref))
            return FL_SYNC_BUG;
        if (large_pages && core_slot_is_leaf(v, depth, &ref))
            return FL_SYNC_HANDLED;
    }

    uint64_t pte_table = core_slot_table(v, &entry);

    if (!core_slot_read(v, core_slot_table(v, &ref), PTE, &ref))
        return FL_SYNC_WILD;
    if (!core_slot_present(&ref))
        return FL_SYNC_NOT_HANDLED;
    if (!core_slot_read(v, pte_table, PTE, &entry))
        return FL_SYNC_WILD;
    if (!core_slot_present(&entry) || !core_slot_same_frame(v, &entry, &ref))
        return FL_SYNC_BUG;
    return FL_SYNC_HANDLED;
}

enum fl_sync_end core_vmalloc_2008_64(const struct vmalloc *v, const struct fl_fault *fault)
{
    uint64_t mm = fault->task.mm_root ? fault->task.mm_root : v->kernel->init_root;

    /* The range check of its caller. */
    if (!core_vmalloc_in_range(v))
        return FL_SYNC_NOT_HANDLED;
    /* No flush: a queued write is not in memory yet when the entry is read again. No large pages: whatever an entry is,
     * it is taken for a table. */
    return core_vmalloc_walk_64(v, core_vmalloc_root(v, mm), false, false);
}
