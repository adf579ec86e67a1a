/* SPDX-License-Identifier: MIT */
/* follow_hugetlb_page: a hugetlb area has leaves of one size; a fault brings in one, and its pages are pinned in a row.
 * Nothing but references: a hugetlb page is neither aged nor mlocked. */
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

/* The pages from *start to the end of the leaf, the area or the wish. ptl held. */
static enum fl_pin_error take_pages(const struct gup *g, const struct fl_pin_vma *vma, const struct gup_entry *e,
                                    uint64_t *start, uint64_t *n, unsigned flags, uint64_t *pfns, uint32_t *gens,
                                    uint64_t *done)
{
    uint64_t end = ((*start >> vma->huge_shift) + 1) << vma->huge_shift;

    while (*n && *start < end && *start < vma->end) {
        uint64_t pfn = gup_pfn(g, e, *start);

        if (!g->ops->page_valid(g->ctx, pfn))
            return FL_PIN_EFAULT;
        if ((flags & FL_FOLL_GET) && !g->ops->page_get(g->ctx, pfn))
            return FL_PIN_ENOMEM;
        if (pfns)
            pfns[*done] = pfn;
        if (gens)
            gens[*done] = vma->generation;
        ++*done;
        --*n;
        *start += X86_PAGE_SIZE;
    }
    return FL_PIN_OK;
}

enum fl_pin_error gup_hugetlb(const struct gup *g, const struct fl_pin_vma *vma, uint64_t *start, uint64_t *n,
                              unsigned flags, uint64_t *pfns, uint32_t *gens, uint64_t *done)
{
    while (*n && *start < vma->end) {
        bool write = flags & FL_FOLL_WRITE, hole = true, serves = false;
        enum fl_pin_error error = FL_PIN_OK;
        struct gup_entry e;
        struct fl_pin_fault got;

        if (g->ops->fatal_signal(g->ctx))
            return FL_PIN_EFAULT;
        if (lock_leaf(g, vma, *start, &e)) {
            enum gup_kind kind = gup_kind_of(g, e.level, e.value);

            hole = kind == GUP_NONE;
            serves =
                kind == GUP_LEAF && (!write || gup_may_follow_write(g, vma, e.value, gup_pfn(g, &e, *start), flags));
            if (serves)
                error = take_pages(g, vma, &e, start, n, flags, pfns, gens, done);
            g->ops->ptl_unlock(g->ctx);
        }
        if (error != FL_PIN_OK)
            return error;
        if (serves)
            continue;
        /* A hole stays one in a dump. What is on its way, or poisoned, is none: the fault waits, or says so. */
        if (hole && (flags & FL_FOLL_DUMP) && !g->ops->hugetlb_cached(g->ctx, vma->generation, *start))
            return FL_PIN_EFAULT;
        got = g->ops->hugetlb_fault(g->ctx, vma->generation, *start, write ? FL_MM_WRITE : 0);
        if (gup_fault_error(got.result, false) != FL_PIN_OK)
            return FL_PIN_EFAULT;
    }
    return FL_PIN_OK;
}
