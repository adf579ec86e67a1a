/* SPDX-License-Identifier: MIT */
/* What tasks do to their address space: munmap, madvise, mprotect, mlock, userfault's minor mode, truncate. */
#include "state.h"

enum fl_status act_munmap(struct fl_pin_world *w, unsigned mm, uint64_t start, uint64_t end)
{
    struct mm *m = &w->mm[mm];
    enum fl_status status = area_cut(w, mm, start);

    if (status == FL_OK)
        status = area_cut(w, mm, end);
    if (status == FL_OK)
        status = leaf_zap(w, mm, start, end);
    if (status != FL_OK)
        return status;
    for (unsigned i = m->nareas; i-- > 0;)
        if (m->areas[i].vma.start >= start && m->areas[i].vma.end <= end)
            area_remove(w, mm, i);
    leaf_free_tables(w, mm, start, end);
    pins_parted(w, mm, start, end);
    return FL_OK;
}

enum fl_status act_dontneed(struct fl_pin_world *w, unsigned mm, uint64_t start, uint64_t end)
{
    enum fl_status status = FL_OK;

    for (unsigned i = 0; i < w->mm[mm].nareas && status == FL_OK; i++) {
        const struct area *a = &w->mm[mm].areas[i];
        uint64_t from = start > a->vma.start ? start : a->vma.start, to = end < a->vma.end ? end : a->vma.end;

        if (from >= to || a->vma.locked || a->vma.huge_shift || a->vma.pfnmap)
            continue;
        status = leaf_zap(w, mm, from, to);
        pins_parted(w, mm, from, to);
    }
    return status;
}

static void protect_leaf(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level, void *ctx)
{
    const struct area *a = ctx;
    uint64_t entry = entry_get(w, paddr), allowed = a->vma.write ? E_RW : 0;

    (void)mm, (void)va;
    if (!entry_maps(level, entry) || leaf_page(w, level, entry) == NULL)
        return;
    if (!(entry & E_P) && (entry & SOFT_NUMA)) /* a change of protection ends the hint */
        entry = (entry & ~SOFT_NUMA) | E_P;
    entry &= ~E_RW | allowed;
    if (a->vma.read || a->vma.write || a->vma.exec)
        entry = (entry & ~SOFT_PROTNONE) | E_P;
    else /* bits that mean something else with P clear go; a page without them is faulted in anew */
        entry = (entry & ~(E_P | SOFT_SPECIAL | SOFT_SPLITTING | SOFT_DEVMAP)) | SOFT_PROTNONE;
    entry_put(w, paddr, entry);
}

enum fl_status act_mprotect(struct fl_pin_world *w, unsigned mm, uint64_t start, uint64_t end, unsigned prot)
{
    struct mm *m = &w->mm[mm];
    enum fl_status status = area_cut(w, mm, start);

    if (status == FL_OK)
        status = area_cut(w, mm, end);
    /* Huge pages that stick out first: what has to wait for interrupts waits before anything is changed. */
    for (unsigned i = 0; i < m->nareas && status == FL_OK; i++)
        if (m->areas[i].vma.start >= start && m->areas[i].vma.end <= end)
            status = split_edges(w, mm, m->areas[i].vma.start, m->areas[i].vma.end);
    if (status != FL_OK)
        return status;
    for (unsigned i = 0; i < m->nareas; i++) {
        struct area *a = &m->areas[i];

        if (a->vma.start < start || a->vma.end > end)
            continue;
        if (((prot & FL_AREA_WRITE) && !a->vma.may_write) || ((prot & FL_AREA_READ) && !a->vma.may_read) ||
            a->kind == FL_AREA_SPECIAL || a->kind == FL_AREA_DEVICE)
            return FL_INVALID;
        a->vma.read = prot & FL_AREA_READ;
        a->vma.write = prot & FL_AREA_WRITE;
        a->vma.exec = prot & FL_AREA_EXEC;
        a->vma.generation = ++w->generation;
        leaf_each(w, mm, a->vma.start, a->vma.end, protect_leaf, a);
    }
    world_changed(w);
    return FL_OK;
}

enum fl_status act_mlock(struct fl_pin_world *w, unsigned mm, uint64_t start, uint64_t end)
{
    enum fl_status status = area_cut(w, mm, start);

    if (status == FL_OK)
        status = area_cut(w, mm, end);
    if (status != FL_OK)
        return status;
    for (unsigned i = 0; i < w->mm[mm].nareas; i++) {
        struct area *a = &w->mm[mm].areas[i];

        if (a->vma.start >= start && a->vma.end <= end && a->kind != FL_AREA_SPECIAL) {
            a->vma.locked = true;
            a->vma.generation = ++w->generation;
        }
    }
    world_changed(w);
    return FL_OK;
}

/* UFFDIO_CONTINUE: the page that is in the page cache is mapped, dirty, though nobody has written through this mapping. */
enum fl_status act_uffd(struct fl_pin_world *w, unsigned mm, uint64_t va)
{
    struct area *a = area_find(w, mm, va);
    unsigned level;
    uint64_t at;
    struct pg *p;

    if (!a || a->kind != FL_AREA_SHMEM || area_index(a, va) >= a->file_pages ||
        area_index(a, va) >= w->file_pages[a->file & 3] || tables_left(w) < 6)
        return FL_INVALID;
    at = entry_find(w, w->mm[mm].root, va, &level);
    if (entry_get(w, at) || !(p = file_page_make(w, a->file, area_index(a, va))))
        return FL_INVALID;
    at = entry_force(w, w->mm[mm].root, va, 1);
    leaf_map(w, at, 1, p, (leaf_bits(w, a, a->vma.shared) | E_D));
    return FL_OK;
}

enum fl_status act_truncate(struct fl_pin_world *w, unsigned mm, uint64_t va)
{
    struct area *a = area_find(w, mm, va);
    uint32_t from;
    uint8_t file;

    if (!a || a->kind == FL_AREA_ANON || a->kind == FL_AREA_SPECIAL || a->vma.huge_shift || a->kind == FL_AREA_DEVICE)
        return FL_INVALID;
    file = a->file & 3;
    from = area_index(a, va);
    if (from < w->file_pages[file])
        w->file_pages[file] = from;
    for (mm = 0; mm < 2; mm++)
        for (unsigned i = 0; i < w->mm[mm].nareas; i++) {
            const struct area *v = &w->mm[mm].areas[i];
            uint32_t gap = from > v->pgoff ? from - v->pgoff : 0;
            uint64_t start = v->vma.start + ((uint64_t)gap << PAGE_SHIFT);

            if (v->kind == FL_AREA_ANON || v->kind == FL_AREA_SPECIAL || v->kind == FL_AREA_DEVICE ||
                v->vma.huge_shift || (v->file & 3) != file || start >= v->vma.end)
                continue;
            leaf_zap(w, mm, start, v->vma.end);
            pins_parted(w, mm, start, v->vma.end);
        }
    for (unsigned i = 0; i < w->ntouched; i++) {
        struct pg *p = &w->pg[w->touched[i]];

        if (p->cached && p->kind == PG_CACHE && (p->file & 3) == file && p->index >= from && !p->moving) {
            p->cached = false;
            page_unref(w, p, 1);
        }
    }
    world_changed(w);
    return FL_OK;
}
