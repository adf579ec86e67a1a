/* SPDX-License-Identifier: MIT */
/*
 * vmalloc_fault of 4.5 (arch/x86/mm/fault.c, 2016): that of 2008 with a range, and stopping at large pages. What it
 * kept: the assertions, a handled fault where nothing was copied, active_mm instead of CR3 on 64 bit. It warns in NMI
 * context.
 */
#include "vmalloc_generations.h"

static enum fl_sync_end sync_32(const struct vmalloc *v, const struct fl_fault *fault)
{
    unsigned pmd_depth = v->format->levels - 2u;
    struct slot pmd_ref, pte_ref;
    enum fl_sync_end end = core_vmalloc_sync_one(v, fault->cpu.cr3, false, &pmd_ref);

    if (end != FL_SYNC_HANDLED)
        return end;
    if (core_slot_is_leaf(v, pmd_depth, &pmd_ref))
        return FL_SYNC_HANDLED;

    if (!core_slot_read(v, core_slot_table(v, &pmd_ref), pmd_depth + 1, &pte_ref))
        return FL_SYNC_WILD;
    return core_slot_present(&pte_ref) ? FL_SYNC_HANDLED : FL_SYNC_NOT_HANDLED;
}

static enum fl_sync_end sync_64(const struct vmalloc *v, const struct fl_fault *fault)
{
    enum { PGD, PUD, PMD, PTE };
    uint64_t active = core_vmalloc_root(v, fault->task.active_root);
    struct slot entry, ref;

    if (!core_slot_read(v, core_vmalloc_root(v, v->kernel->init_root), PGD, &ref))
        return FL_SYNC_WILD;
    if (core_slot_none(&ref))
        return FL_SYNC_NOT_HANDLED;
    if (!core_slot_read(v, active, PGD, &entry))
        return FL_SYNC_WILD;
    if (core_slot_none(&entry)) {
        if (!core_slot_write(v, &entry, ref.entry, FL_SET_PGD))
            return FL_SYNC_WILD;
        v->ops->flush_lazy(v->ctx);
    } else if (!core_slot_same_frame(v, &entry, &ref)) {
        return FL_SYNC_BUG;
    }
    if (!core_slot_read(v, active, PGD, &entry))
        return FL_SYNC_WILD;

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
        if (core_slot_is_leaf(v, depth, &ref))
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

enum fl_sync_end core_vmalloc_2016(const struct vmalloc *v, const struct fl_fault *fault)
{
    if (!core_vmalloc_in_range(v))
        return FL_SYNC_NOT_HANDLED;
    if (fault->task.in_nmi)
        v->ops->warn_nmi(v->ctx);
    return v->cpu->mode == FL_MODE_4LEVEL ? sync_64(v, fault) : sync_32(v, fault);
}
