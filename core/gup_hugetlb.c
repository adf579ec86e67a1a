/* SPDX-License-Identifier: MIT */
/* follow_hugetlb_page: a hugetlb area has leaves of one size; a fault brings in one, and its pages are pinned in a row. */
#include "gup.h"

#include "x86.h"

/* The leaf's entry, locked. False: there is no table for it yet, nothing is locked. */
static bool lock_leaf(const struct gup *g, const struct fl_pin_vma *vma, uint64_t va, struct gup_entry *e)
{
    if (!gup_top(g, g->space->cpu.cr3, va, e))
        return false;
    while (e->level->shift > vma->huge_shift)
        if (gup_kind_of(g, e->level, e->value) != GUP_TABLE || !gup_down(g, va, e))
            return false;
    g->ops->ptl_lock(g->ctx, e->level->level, e->paddr);
    gup_read(g, e, &e->value);
    return true;
}

/* The pages from va to the end of the leaf, the area or the wish. ptl held. False: no reference could be had. */
static bool take_pages(const struct gup *g, const struct fl_pin_vma *vma, const struct gup_entry *e, uint64_t *start,
                       uint64_t *n, unsigned flags, uint64_t *pfns, uint32_t *gens, uint64_t *done)
{
    uint64_t end = ((*start >> vma->huge_shift) + 1) << vma->huge_shift;

    while (*n && *start < end && *start < vma->end) {
        uint64_t pfn = gup_pfn(g, e, *start);

        if (!g->ops->page_valid(g->ctx, pfn) || !gup_found(g, vma, e->value, pfn, flags))
            return false;
        if (pfns)
            pfns[*done] = pfn;
        if (gens)
            gens[*done] = vma->generation;
        ++*done;
        --*n;
        *start += X86_PAGE_SIZE;
    }
    return true;
}

bool gup_hugetlb(const struct gup *g, const struct fl_pin_vma *vma, uint64_t *start, uint64_t *n, unsigned flags,
                 uint64_t *pfns, uint32_t *gens, uint64_t *done)
{
    while (*n && *start < vma->end) {
        bool write = flags & FL_FOLL_WRITE, locked, leaf = false, taken = false;
        struct gup_entry e;
        struct fl_pin_fault got;

        if (g->ops->fatal_signal(g->ctx))
            return false;
        locked = lock_leaf(g, vma, *start, &e);
        if (locked) {
            leaf = gup_kind_of(g, e.level, e.value) == GUP_LEAF;
            if (leaf && (!write || gup_may_follow_write(g, vma, e.value, gup_pfn(g, &e, *start), flags))) {
                taken = true;
                leaf = take_pages(g, vma, &e, start, n, flags, pfns, gens, done);
            }
            g->ops->ptl_unlock(g->ctx);
        }
        if (taken) {
            if (!leaf)
                return false;
            continue;
        }
        if (!leaf && (flags & FL_FOLL_DUMP) && !g->ops->hugetlb_cached(g->ctx, vma->generation, *start))
            return false; /* a hole stays one */
        g->ops->resched(g->ctx);
        got = g->ops->hugetlb_fault(g->ctx, vma->generation, *start, write ? FL_MM_WRITE : 0);
        if (gup_fault_error(got.result, false) != FL_PIN_OK)
            return false;
    }
    return true;
}
