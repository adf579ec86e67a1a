/* SPDX-License-Identifier: MIT */
/*
 * Which table entries a handler may read for an address: those on the walks of the live and the reference tables, and
 * nothing behind a leaf.
 */
#include "facts.h"

/* Is the entry on the walk of that root? The walk goes on through reserved bits, as reports of corrupt tables do. */
static bool on_walk(const struct fl_snapshot *s, uint64_t root, uint64_t paddr)
{
    const struct fl_shape *f = fl_shape_of(s->cpu.mode);
    uint64_t va = fl_shape_address(f, s->cr2), table = root & f->root, entry;

    for (unsigned level = f->top;; level--) {
        uint64_t place = fl_shape_entry(f, level, table, va);

        if (place == paddr)
            return true;
        /* SDM vol. 3A, 4.4.1: all four PDPTEs are loaded together. */
        if (level == 3 && f->top == 3 && paddr - table < 4u * 8u && (paddr - table) % 8 == 0)
            return true;
        if (!s->read(s->ctx, place, f->size, &entry) || !(entry & ENTRY_P) || fl_shape_leaf(&s->cpu, level, entry))
            return false;
        table = entry & f->frame;
    }
}

bool fl_sync_may_read(const struct fl_snapshot *s, uint64_t paddr)
{
    return on_walk(s, s->cpu.cr3, paddr) || on_walk(s, s->kernel.init_root, paddr);
}
