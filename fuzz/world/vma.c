/* SPDX-License-Identifier: MIT */
/*
 * The VMA array: sorted, not overlapping. Every change of a VMA gives it a new generation. Neighbours are never merged:
 * a scenario sees the cuts that it made.
 */
#include "state.h"

struct fl_vma *vma_find(struct fl_world *w, uint64_t addr)
{
    for (unsigned i = 0; i < w->nvmas; i++)
        if (addr < w->vmas[i].end)
            return &w->vmas[i];
    return NULL;
}

struct fl_vma *vma_by_generation(struct fl_world *w, uint32_t generation)
{
    for (unsigned i = 0; i < w->nvmas; i++)
        if (w->vmas[i].generation == generation)
            return &w->vmas[i];
    return NULL;
}

void vma_copy_out(const struct fl_world *w, const struct fl_vma *vma, struct fl_vma *out)
{
    struct fl_vma copy = *vma;

    if (vma > w->vmas) {
        copy.prev_end = vma[-1].end;
        copy.prev_growsdown = vma[-1].growsdown;
    }
    copy.total_pages = 0;
    for (unsigned i = 0; i < w->nvmas; i++)
        copy.total_pages += (w->vmas[i].end - w->vmas[i].start) >> PAGE_SHIFT;
    *out = copy;
}

/* The part [start, end) of a VMA, as a VMA of its own. */
static struct fl_vma part(struct fl_world *w, const struct fl_vma *vma, uint64_t start, uint64_t end)
{
    struct fl_vma p = *vma;

    if (p.backing == FL_BACK_FILE)
        p.pgoff = vma_file_index(vma, start);
    p.start = start;
    p.end = end;
    if (start != vma->start || end != vma->end)
        p.generation = ++w->generation;
    return p;
}

/* Does a file page lie in both, once privately and once shared? Prefaulting copies it before the shared side writes. */
static bool mixed_file_mapping(const struct fl_vma *a, const struct fl_vma *b)
{
    if (a->backing != FL_BACK_FILE || b->backing != FL_BACK_FILE || a->file != b->file || a->shared == b->shared)
        return false;
    uint64_t a_pages = (a->end - a->start) >> PAGE_SHIFT, b_pages = (b->end - b->start) >> PAGE_SHIFT;
    return a->pgoff < b->pgoff + b_pages && b->pgoff < a->pgoff + a_pages;
}

static void check_aliases(struct fl_world *w, const struct fl_vma *vma)
{
    for (unsigned i = 0; i < w->nvmas; i++)
        if (mixed_file_mapping(&w->vmas[i], vma))
            world_opaque(w, "a file is mapped both privately and shared");
}

static bool user_range(const struct fl_world *w, uint64_t start, uint64_t end)
{
    return start < end && end <= w->kernel.task_size && !(start & ~PAGE_MASK) && !(end & ~PAGE_MASK);
}

static bool overlaps_any(const struct fl_world *w, uint64_t start, uint64_t end)
{
    for (unsigned i = 0; i < w->nvmas; i++)
        if (w->vmas[i].start < end && start < w->vmas[i].end)
            return true;
    return false;
}

/* Pages are forgotten with their leafs, or (zap of a shared page) only lose their leaf. */
static void drop_pages(struct fl_world *w, uint64_t start, uint64_t end, bool unmapping)
{
    for (unsigned i = 0; i < w->npages; i++) {
        struct page *p = &w->pages[i];
        if (!p->kind || p->va < start || p->va >= end)
            continue;
        page_unmap(w, p);
        if (unmapping || !vma_find(w, p->va)->shared)
            page_drop(w, p);
    }
}

/* What an operation on [start, end) leaves of the array: the part inside is left out or given to change(). The caller
 * checks the count: it is at most nvmas + 2. */
struct cut {
    struct fl_vma vmas[FL_MAX_VMAS + 2];
    unsigned n;
};

static void cut_out(struct fl_world *w, uint64_t start, uint64_t end, const uint8_t *prot, struct cut *c)
{
    c->n = 0;
    for (unsigned i = 0; i < w->nvmas; i++) {
        const struct fl_vma *v = &w->vmas[i];
        if (v->end <= start || v->start >= end) {
            c->vmas[c->n++] = *v;
            continue;
        }
        uint64_t from = v->start < start ? start : v->start, to = v->end > end ? end : v->end;
        if (v->start < from)
            c->vmas[c->n++] = part(w, v, v->start, from);
        if (prot) {
            struct fl_vma *in = &c->vmas[c->n++];
            *in = part(w, v, from, to);
            in->read = *prot & FL_PROT_READ;
            in->write = *prot & FL_PROT_WRITE;
            in->exec = *prot & FL_PROT_EXEC;
            in->generation = ++w->generation;
        }
        if (to < v->end)
            c->vmas[c->n++] = part(w, v, to, v->end);
    }
}

static bool commit(struct fl_world *w, const struct cut *c, unsigned more)
{
    if (c->n + more > FL_MAX_VMAS)
        return false;
    memcpy(w->vmas, c->vmas, c->n * sizeof(c->vmas[0]));
    w->nvmas = c->n;
    return true;
}

enum fl_status vma_map(struct fl_world *w, const struct fl_vma *want)
{
    struct cut c;

    if (!user_range(w, want->start, want->end) || want->start < w->kernel.mmap_min_addr)
        return FL_INVALID;
    cut_out(w, want->start, want->end, NULL, &c);
    if (!commit(w, &c, 1))
        return FL_NO_MEMORY;
    drop_pages(w, want->start, want->end, true);
    check_aliases(w, want);

    unsigned at = w->nvmas;
    while (at > 0 && w->vmas[at - 1].start > want->start)
        at--;
    memmove(&w->vmas[at + 1], &w->vmas[at], (w->nvmas - at) * sizeof(w->vmas[0]));
    w->vmas[at] = *want;
    w->vmas[at].generation = ++w->generation;
    w->nvmas++;
    if (w->prefault)
        mm_prefault(w, &w->vmas[at]);
    return FL_OK;
}

enum fl_status vma_unmap(struct fl_world *w, uint64_t start, uint64_t end)
{
    struct cut c;

    if (!user_range(w, start, end) || !overlaps_any(w, start, end))
        return FL_INVALID;
    cut_out(w, start, end, NULL, &c);
    if (!commit(w, &c, 0))
        return FL_NO_MEMORY;
    drop_pages(w, start, end, true);
    return FL_OK;
}

static void prefault_range(struct fl_world *w, uint64_t start, uint64_t end)
{
    for (unsigned i = 0; w->prefault && i < w->nvmas; i++)
        if (w->vmas[i].start < end && start < w->vmas[i].end)
            mm_prefault(w, &w->vmas[i]);
}

/* What mprotect does to the leafs of a range. */
static void restrict_pages(struct fl_world *w, uint64_t start, uint64_t end, uint8_t prot)
{
    for (unsigned i = 0; i < w->npages; i++) {
        struct page *p = &w->pages[i];
        uint64_t at;
        if (!p->kind || p->va < start || p->va >= end || !p->mapped)
            continue;
        if (!(prot & FL_PROT_BITS)) {
            page_unmap(w, p); /* no permission at all: no leaf, the contents stay */
        } else if (tables_find_pte(w, p->va, &at)) {
            unsigned size = tables_entry_size(w);
            uint64_t pte = ram_get(w, at, size);
            if (tables_present(pte))
                ram_put(w, at, size, tables_restrict(w, pte, prot & FL_PROT_WRITE, prot & FL_PROT_EXEC));
        }
    }
}

enum fl_status vma_protect(struct fl_world *w, uint64_t start, uint64_t end, uint8_t prot)
{
    struct cut c;

    if (!user_range(w, start, end) || !overlaps_any(w, start, end))
        return FL_INVALID;
    cut_out(w, start, end, &prot, &c);
    if (!commit(w, &c, 0))
        return FL_NO_MEMORY;

    restrict_pages(w, start, end, prot);
    prefault_range(w, start, end);
    return FL_OK;
}

/* ---- by another thread, in the middle of a decision --------------------------------------------------------------- */

static void set_late(struct fl_world *w, const struct fl_vma *vma, bool unmap)
{
    w->late.start = vma->start;
    w->late.end = vma->end;
    w->late.unmap = unmap;
}

void vma_unmap_late(struct fl_world *w, const struct fl_vma *vma)
{
    struct cut c;

    set_late(w, vma, true);
    cut_out(w, vma->start, vma->end, NULL, &c);
    commit(w, &c, 0); /* one less: it fits */
}

void vma_protect_late(struct fl_world *w, struct fl_vma *vma)
{
    set_late(w, vma, false);
    vma->write = false;
    vma->generation = ++w->generation;
}

void vma_settle(struct fl_world *w)
{
    uint64_t start = w->late.start, end = w->late.end;
    const struct fl_vma *vma;

    if (end == 0)
        return;
    w->late.start = w->late.end = 0;
    if (!w->late.unmap) {
        vma = vma_find(w, start);
        restrict_pages(w, start, end, (uint8_t)((vma->read ? FL_PROT_READ : 0) | (vma->exec ? FL_PROT_EXEC : 0)));
        return;
    }
    for (unsigned i = 0; i < w->npages; i++) {
        struct page *p = &w->pages[i];

        if (!p->kind || p->va < start || p->va >= end)
            continue;
        vma = vma_find(w, p->va);
        if (vma && vma->start <= p->va)
            continue; /* a stack has grown over it meanwhile, and holds it now */
        page_unmap(w, p);
        page_drop(w, p);
    }
}

enum fl_status vma_zap(struct fl_world *w, uint64_t start, uint64_t end)
{
    if (!user_range(w, start, end) || !overlaps_any(w, start, end))
        return FL_INVALID;
    drop_pages(w, start, end, false);
    prefault_range(w, start, end);
    return FL_OK;
}

enum fl_status vma_grow(struct fl_world *w, struct fl_vma *vma, uint64_t start)
{
    uint64_t floor = vma > w->vmas ? vma[-1].end : 0;

    if ((start & ~PAGE_MASK) || start >= vma->start || start < floor)
        return FL_NO_MEMORY;
    struct fl_vma grown = *vma;
    if (grown.backing == FL_BACK_FILE)
        grown.pgoff = vma_file_index(vma, start);
    grown.start = start;
    grown.generation = ++w->generation;
    *vma = grown;
    check_aliases(w, vma); /* a VMA never mixes with itself */
    if (w->prefault)
        mm_prefault(w, vma);
    return FL_OK;
}
