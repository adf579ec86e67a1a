/* SPDX-License-Identifier: MIT */
/* fork and exit. Private memory is shared until it is written to: read only on both sides, exclusive on neither. Pages that
 * are pinned are shared as well, as they were before 5.9. */
#include "state.h"

enum fl_status mm_make(struct fl_pin_world *w, unsigned mm)
{
    unsigned frame = tables_left(w) ? table_alloc(w, levels(w)) : TABLE_NONE;

    if (!frame)
        return FL_NO_MEMORY;
    w->mm[mm].exists = true;
    w->mm[mm].nareas = 0;
    w->mm[mm].root = (uint64_t)frame << PAGE_SHIFT;
    return FL_OK;
}

struct copying {
    bool failed;
};

/* What is not present is copied as it is: who waits for a page that moves is counted, and so are the users of a slot. */
static bool copy_swap(struct fl_pin_world *w, const struct area *a, uint64_t entry)
{
    struct pg *p;

    if (entry_swap(entry) == FL_SWAP_SLOT)
        w->slots[swap_payload(entry) - 1].uses++;
    if (entry_swap(entry) != FL_SWAP_MIGRATION)
        return true;
    p = page_of(w, swap_payload(entry));
    if (p->moving >= 200)
        return false;
    page_change(w, p);
    p->moving++;
    if (!a->vma.shared)
        p->exclusive = false;
    return true;
}

static void copy_leaf(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level, void *ctx)
{
    struct copying *c = ctx;
    struct area *a = area_find(w, mm, va);
    uint64_t entry = entry_get(w, paddr), at;
    struct pg *p = leaf_page(w, level, entry);

    if (c->failed || !a)
        return;
    if (tables_left(w) < 6 || !(at = entry_force(w, w->mm[1].root, va, level))) {
        c->failed = true;
        return;
    }
    if (entry_swapped(entry)) {
        c->failed |= !copy_swap(w, a, entry);
        if (!c->failed)
            entry_put(w, at, entry);
        return;
    }
    if (!a->vma.shared && (entry & E_RW)) {
        entry &= ~E_RW;
        entry_put(w, paddr, entry);
    }
    if (p) {
        page_ref(w, p, 1);
        p->maps++;
        if (!a->vma.shared)
            p->exclusive = false;
    }
    entry_put(w, at, entry);
}

void mm_exit(struct fl_pin_world *w)
{
    struct mm *m = &w->mm[1];

    if (!m->exists)
        return;
    leaf_zap(w, 1, 0, w->space.task_size);
    leaf_free_tables(w, 1, 0, UINT64_MAX);
    late_table(w, (unsigned)(m->root >> PAGE_SHIFT));
    m->exists = false;
    m->nareas = 0;
    world_changed(w);
}

enum fl_status mm_fork(struct fl_pin_world *w)
{
    struct copying c = {false};

    mm_exit(w);
    if (mm_make(w, 1) != FL_OK)
        return FL_NO_MEMORY;
    w->mm[1].nareas = w->mm[0].nareas;
    memcpy(w->mm[1].areas, w->mm[0].areas, w->mm[0].nareas * sizeof w->mm[0].areas[0]);
    for (unsigned i = 0; i < w->mm[1].nareas; i++)
        w->mm[1].areas[i].vma.generation = ++w->generation;
    leaf_each(w, 0, 0, w->space.task_size, copy_leaf, &c);
    pins_parted(w, 0, 0, UINT64_MAX);
    if (c.failed) {
        mm_exit(w);
        return FL_NO_MEMORY;
    }
    return FL_OK;
}
