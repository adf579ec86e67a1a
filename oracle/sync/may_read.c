/* SPDX-License-Identifier: MIT */
/*
 * Which table entries a handler may read for an address: those on the walks of the live and the reference tables, and
 * nothing behind a leaf.
 */
#include "facts.h"

/* Is the entry on the walk of that root? The walk goes on through reserved bits, as reports of corrupt tables do. */
static bool on_walk(const struct fl_snapshot *s, const struct fl_sync_memory *m, uint64_t root, uint64_t paddr)
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
        if (!fl_sync_read(m, place, f->size, &entry) || !(entry & ENTRY_P) || fl_shape_leaf(&s->cpu, level, entry))
            return false;
        table = entry & f->frame;
    }
}

bool fl_sync_may_read(const struct fl_snapshot *s, const struct fl_sync_expected *sync, uint64_t paddr)
{
    struct fl_sync_memory m = {.read = s->read, .ctx = s->ctx, .written = FL_SYNC_NOWHERE};

    if (on_walk(s, &m, s->cpu.cr3, paddr) || on_walk(s, &m, s->kernel.init_root, paddr))
        return true;
    if (!sync || sync->nwrites == 0)
        return false;
    /* An entry of the walks may have been the slot itself. */
    m.written = sync->write[0].paddr;
    m.value = sync->before;
    return on_walk(s, &m, s->cpu.cr3, paddr) || on_walk(s, &m, s->kernel.init_root, paddr);
}
