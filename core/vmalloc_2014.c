/* SPDX-License-Identifier: MIT */
/*
 * vmalloc_fault as proposed in November 2014 (linux-kernel, "frequent lockups in 3.18rc4"): it looks at one top-level
 * entry of each table and walks nothing. Three builds: native, and paravirt of either word size.
 *
 * Its faults: PAE is never synchronised; no range but a top-level index; a fault whose reference lacks a lower level is
 * "handled" once, by a copy, before the next one is not.
 */
#include "vmalloc_generations.h"

enum fl_sync_end core_vmalloc_2014(const struct vmalloc *v, const struct fl_fault *fault)
{
    struct slot entry, ref;

    if (v->cpu->mode == FL_MODE_PAE)
        return FL_SYNC_NOT_HANDLED;
    if (core_vmalloc_index(v, 0, v->va) < core_vmalloc_index(v, 0, v->kernel->page_offset))
        return FL_SYNC_NOT_HANDLED;

    if (!core_slot_read(v, core_vmalloc_root(v, v->kernel->init_root), 0, &ref))
        return FL_SYNC_WILD;
    if (!core_slot_present(&ref))
        return FL_SYNC_NOT_HANDLED;
    if (!core_slot_read(v, core_vmalloc_root(v, fault->cpu.cr3), 0, &entry))
        return FL_SYNC_WILD;
    if (!core_slot_none(&entry))
        return FL_SYNC_NOT_HANDLED;

    switch (v->kernel->generation) {
    case FL_GEN_2014_PV32: return core_slot_write(v, &entry, ref.entry, FL_SET_PMD) ? FL_SYNC_HANDLED : FL_SYNC_WILD;
    case FL_GEN_2014_PV64:
        if (!core_slot_write(v, &entry, ref.entry, FL_SET_PGD))
            return FL_SYNC_WILD;
        v->ops->flush_lazy(v->ctx);
        return FL_SYNC_HANDLED;
    default: return core_slot_write(v, &entry, ref.entry, FL_SET_PLAIN) ? FL_SYNC_HANDLED : FL_SYNC_WILD;
    }
}
