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

enum fl_sync_end core_vmalloc_2016(const struct vmalloc *v, const struct fl_fault *fault)
{
    if (!core_vmalloc_in_range(v))
        return FL_SYNC_NOT_HANDLED;
    if (fault->task.in_nmi)
        v->ops->warn_nmi(v->ctx);
    if (v->cpu->mode == FL_MODE_4LEVEL)
        return core_vmalloc_walk_64(v, core_vmalloc_root(v, fault->task.active_root), true, true);
    return sync_32(v, fault);
}
