/* SPDX-License-Identifier: MIT */
/*
 * What is mapped at an address now, as follow_page_mask() and what it calls tell it: no page, a page, or something that has
 * no struct page. A write is followed through an entry that does not permit it only where the page is known to be a copy
 * that belongs to this address space alone: an exclusive anonymous page. That a fault was asked for and answered proves
 * nothing, since the page may have gone again in between (CVE-2016-5195).
 */
#include "gup.h"

#include "x86.h"

#define HUGETLB_IGNORES (unsigned)(FL_FOLL_SPLIT | FL_FOLL_TOUCH | FL_FOLL_MLOCK | FL_FOLL_NUMA)

/* Nothing there. A dump leaves a hole where a hole must be zero (no fault handler): it is told not to fault it in. */
static uint64_t no_table(const struct fl_pin_vma *vma, unsigned flags, enum fl_pin_error *error)
{
    if ((flags & FL_FOLL_DUMP) && !vma->has_fault)
        *error = FL_PIN_EFAULT;
    return FL_NO_PAGE;
}

/* An entry that leads no further. What is not present is no hole: it is brought in, for a dump as well. */
static uint64_t dead_end(const struct gup *g, const struct fl_pin_vma *vma, const struct gup_entry *e, unsigned flags,
                         enum fl_pin_error *error)
{
    if (gup_kind_of(g, e->level, e->value) == GUP_NOT_PRESENT && !(e->value & X86_PTE_P))
        return FL_NO_PAGE;
    return no_table(vma, flags, error);
}

bool gup_may_follow_write(const struct gup *g, const struct fl_pin_vma *vma, uint64_t value, uint64_t pfn,
                          unsigned flags)
{
    if (gup_is_writable(value))
        return true;
    if (!(flags & (FL_FOLL_FORCE | GUP_BREAK_COW)) || vma->shared || !vma->may_write || vma->write)
        return false;
    return g->ops->page_valid(g->ctx, pfn) && g->ops->page_anon_exclusive(g->ctx, pfn);
}

/* The page is mlocked when it can be had without waiting: reclaim does it otherwise. */
static void mlock_page(const struct gup *g, const struct fl_pin_vma *vma, uint64_t pfn, unsigned flags)
{
    if (!(flags & FL_FOLL_MLOCK) || !vma->locked || !g->ops->page_has_mapping(g->ctx, pfn))
        return;
    if (g->ops->page_trylock(g->ctx, pfn)) {
        g->ops->page_mlock(g->ctx, pfn);
        g->ops->page_unlock(g->ctx, pfn);
    }
}

/* GET, TOUCH and MLOCK of a small page. False: no reference could be had. */
static bool found(const struct gup *g, const struct fl_pin_vma *vma, uint64_t value, uint64_t pfn, unsigned flags)
{
    if ((flags & FL_FOLL_GET) && !g->ops->page_get(g->ctx, pfn))
        return false;
    if (flags & FL_FOLL_TOUCH) {
        if ((flags & FL_FOLL_WRITE) && !gup_is_dirty(value) && !g->ops->page_dirty(g->ctx, pfn))
            g->ops->page_set_dirty(g->ctx, pfn);
        g->ops->page_accessed(g->ctx, pfn);
    }
    mlock_page(g, vma, pfn, flags);
    return true;
}

/* The same of a page in a large leaf: what is touched is the entry, and dirty only by a write (CVE-2017-1000405); mlocked
 * is the whole. */
static bool found_in_huge(const struct gup *g, const struct fl_pin_vma *vma, const struct gup_entry *e, uint64_t pfn,
                          unsigned flags)
{
    if (flags & FL_FOLL_TOUCH)
        g->ops->touch_leaf(g->ctx, e->level->level, e->paddr, flags & FL_FOLL_WRITE);
    mlock_page(g, vma, gup_pfn(g, e, 0), flags);
    return !(flags & FL_FOLL_GET) || g->ops->page_get(g->ctx, pfn);
}

/* A hint is for the task's own accesses; where the area permits none, the entry is one of PROT_NONE, whatever it says. */
static bool takes_hint(const struct gup *g, const struct fl_pin_vma *vma, uint64_t value, unsigned flags)
{
    return (flags & FL_FOLL_NUMA) && (vma->read || vma->write || vma->exec) && gup_is_hint(g, value);
}

bool gup_has_page(const struct gup *g, uint64_t value, uint64_t pfn, unsigned flags)
{
    if (!g->ops->page_valid(g->ctx, pfn))
        return false;
    if (g->ops->page_zero(g->ctx, pfn))
        return !(flags & FL_FOLL_DUMP);
    return !((value & X86_PTE_P) && gup_has(value, g->space->soft.special));
}

/* Found in a leaf, page-table lock held: the page, or FL_NO_PAGE with or without an error. */
static uint64_t use_leaf(const struct gup *g, const struct fl_pin_vma *vma, const struct gup_entry *e, uint64_t va,
                         unsigned flags, enum fl_pin_error *error)
{
    uint64_t pfn = gup_pfn(g, e, va);
    bool device, got;

    if (takes_hint(g, vma, e->value, flags))
        return FL_NO_PAGE;
    if ((flags & FL_FOLL_WRITE) && !gup_may_follow_write(g, vma, e->value, pfn, flags))
        return FL_NO_PAGE;
    if (!gup_has_page(g, e->value, pfn, flags)) {
        *error = FL_PIN_EFAULT;
        return FL_NO_PAGE;
    }
    /* The pages of a device live as long as somebody holds the device. */
    device = (e->value & X86_PTE_P) && gup_has(e->value, g->space->soft.devmap);
    if (device && !g->ops->device_get(g->ctx, pfn)) {
        *error = FL_PIN_EFAULT;
        return FL_NO_PAGE;
    }
    got = e->level->level > 1 ? found_in_huge(g, vma, e, pfn, flags) : found(g, vma, e->value, pfn, flags);
    if (device)
        g->ops->device_put(g->ctx, pfn);
    if (!got) {
        *error = FL_PIN_ENOMEM;
        return FL_NO_PAGE;
    }
    return pfn;
}

/* From the level-2 entry on: e names a table, or did a moment ago. */
static uint64_t follow_pte(const struct gup *g, const struct fl_pin_vma *vma, struct gup_entry *e, uint64_t va,
                           unsigned flags, enum fl_pin_error *error)
{
    for (;;) {
        struct gup_entry pte;
        uint64_t pfn = FL_NO_PAGE;
        enum gup_kind kind;
        enum fl_swap_kind swap;

        gup_read(g, e, &e->value);
        if (gup_kind_of(g, e->level, e->value) != GUP_TABLE)
            return dead_end(g, vma, e, flags, error);
        pte = *e;
        if (!gup_down(g, va, &pte))
            return no_table(vma, flags, error);
        g->ops->ptl_lock(g->ctx, 1, pte.paddr);
        gup_read(g, &pte, &pte.value);
        kind = gup_kind_of(g, pte.level, pte.value);
        if (kind == GUP_LEAF)
            pfn = use_leaf(g, vma, &pte, va, flags, error);
        g->ops->ptl_unlock(g->ctx);
        if (kind == GUP_LEAF)
            return pfn;
        if (kind == GUP_NONE)
            return no_table(vma, flags, error);
        swap = g->ops->swap_kind(g->ctx, pte.value);
        if (!(flags & FL_FOLL_MIGRATION) || swap != FL_SWAP_MIGRATION)
            return FL_NO_PAGE;
        /* KSM knows its page by address, and asks even while it moves. */
        g->ops->migration_wait(g->ctx, pte.paddr);
        if (g->ops->fatal_signal(g->ctx))
            return FL_NO_PAGE;
    }
}

/* A huge page of the level-2 entry e, or what has become of it. */
static uint64_t follow_huge(const struct gup *g, const struct fl_pin_vma *vma, struct gup_entry *e, uint64_t va,
                            unsigned flags, uint64_t *mask, enum fl_pin_error *error)
{
    uint64_t pfn;
    bool splitting;

    if (takes_hint(g, vma, e->value, flags))
        return FL_NO_PAGE;
    if (flags & FL_FOLL_SPLIT) {
        g->ops->split_huge(g->ctx, vma->generation, va, e->paddr);
        return follow_pte(g, vma, e, va, flags, error);
    }
    g->ops->ptl_lock(g->ctx, e->level->level, e->paddr);
    gup_read(g, e, &e->value);
    if (gup_kind_of(g, e->level, e->value) != GUP_LEAF) {
        g->ops->ptl_unlock(g->ctx);
        return vma->huge_shift ? dead_end(g, vma, e, flags, error) : follow_pte(g, vma, e, va, flags, error);
    }
    splitting = gup_is_splitting(g, e->value);
    if (splitting) {
        g->ops->ptl_unlock(g->ctx);
        g->ops->split_wait(g->ctx, e->paddr);
        return follow_pte(g, vma, e, va, flags, error);
    }
    pfn = use_leaf(g, vma, e, va, flags, error);
    g->ops->ptl_unlock(g->ctx);
    if (pfn != FL_NO_PAGE)
        *mask = (UINT64_C(1) << (e->level->shift - X86_PAGE_SHIFT)) - 1;
    return pfn;
}

/* Once more from the top: *again is set when the page was on its way and has arrived. */
static uint64_t follow_once(const struct gup *g, const struct fl_pin_vma *vma, uint64_t va, unsigned flags,
                            uint64_t *mask, enum fl_pin_error *error, bool *again)
{
    struct gup_entry e;
    enum gup_kind kind;

    if (!gup_top(g, g->space->cpu.cr3, va, &e))
        return no_table(vma, flags, error);
    while ((kind = gup_kind_of(g, e.level, e.value)) == GUP_TABLE) {
        if (e.level->level == 2)
            return follow_pte(g, vma, &e, va, flags, error);
        if (!gup_down(g, va, &e))
            return no_table(vma, flags, error);
    }
    /* follow_huge_pud() and follow_huge_pmd() take a reference, and know of nothing else. */
    if (vma->huge_shift)
        flags = (flags & ~HUGETLB_IGNORES) | FL_FOLL_MIGRATION;
    /* A leaf above level 2 is hugetlb's; in any other area it is no table, and so nothing. */
    if (kind == GUP_LEAF && (e.level->level == 2 || vma->huge_shift))
        return follow_huge(g, vma, &e, va, flags, mask, error);
    if (kind == GUP_NOT_PRESENT && (flags & FL_FOLL_MIGRATION) &&
        g->ops->swap_kind(g->ctx, e.value) == FL_SWAP_MIGRATION) {
        g->ops->migration_wait(g->ctx, e.paddr);
        *again = !g->ops->fatal_signal(g->ctx);
        return FL_NO_PAGE;
    }
    return dead_end(g, vma, &e, flags, error);
}

uint64_t gup_follow(const struct gup *g, const struct fl_pin_vma *vma, uint64_t va, unsigned flags, uint64_t *mask,
                    enum fl_pin_error *error)
{
    uint64_t pfn;
    bool again;

    *mask = 0;
    do {
        *error = FL_PIN_OK;
        again = false;
        pfn = follow_once(g, vma, va, flags, mask, error, &again);
    } while (again);
    return pfn;
}
