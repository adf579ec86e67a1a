/* SPDX-License-Identifier: MIT */
/*
 * __get_user_pages: one page (or, where only presence is asked for, one huge page) after the other is looked up, faulted in
 * where it is not there, and looked up again. Between fault and look-up others may take it away again: then it is faulted in
 * once more, as the same kind of access as before.
 */
#include "gup.h"

#include "x86.h"

enum fl_pin_error gup_fault_error(uint8_t result, bool hwpoison)
{
    switch (result) {
    case FL_MM_MINOR:
    case FL_MM_MAJOR:
    case FL_MM_RETRY:
    case FL_MM_RETRY_MAJOR: return FL_PIN_OK;
    case FL_MM_OOM: return FL_PIN_ENOMEM;
    case FL_MM_HWPOISON:
    case FL_MM_HWPOISON_LARGE: return hwpoison ? FL_PIN_EHWPOISON : FL_PIN_EFAULT;
    case FL_MM_SIGBUS:
    case FL_MM_SIGSEGV: return FL_PIN_EFAULT;
    default: return FL_PIN_BUG; /* an answer that there is not */
    }
}

/* Only a private area that may become writable keeps copies. */
static bool is_cow(const struct fl_pin_vma *vma)
{
    return !vma->shared && vma->may_write;
}

/* Keys bind the task's own memory only (mm/gup.c since 4.6: foreign accesses have no PKRU to ask). */
bool gup_key_permits(const struct gup *g, const struct fl_pin_vma *vma, bool write)
{
    const struct fl_cpu *cpu = &g->space->cpu;
    uint32_t key = cpu->pkru >> 2 * (vma->pkey & X86_PTE_PKEY_MASK);

    if (!g->format->has_pkey || !(cpu->cr4 & X86_CR4_PKE) || !g->space->current)
        return true;
    return !(key & 1) && !(write && (key & 2));
}

static bool area_permits(const struct gup *g, const struct fl_pin_vma *vma, unsigned flags)
{
    bool force = flags & FL_FOLL_FORCE, write = flags & FL_FOLL_WRITE;

    if (vma->io || vma->pfnmap || !gup_key_permits(g, vma, write))
        return false;
    if (write)
        return vma->write || (force && is_cow(vma));
    return vma->read || (force && vma->may_read);
}

/* What is pinned must stay what the task sees: a page that a fork shares is copied before, even for reading, since a later
 * write of either side could move the task to a copy of its own (CVE-2020-29374). A dump reads at once, of a task whose
 * threads have all ended, and wants no copies of holes. */
static bool breaks_cow(const struct fl_pin_vma *vma, unsigned flags)
{
    return is_cow(vma) && (flags & FL_FOLL_GET) && !(flags & FL_FOLL_DUMP);
}

/* ---- the gate area ---------------------------------------------------------------------------------------------- */

static enum fl_pin_error gate_page(const struct gup *g, uint64_t va, unsigned flags, uint64_t *pfn)
{
    uint64_t root = va >= g->space->task_size ? g->space->kernel_root : g->space->cpu.cr3;
    struct gup_entry e;

    if ((flags & FL_FOLL_WRITE) || !gup_top(g, root, va, &e))
        return FL_PIN_EFAULT;
    while (e.level->level > 1) {
        /* Of the kernel's own tables U/S is the leaf's affair: a table is what is present and no leaf. */
        if (!(e.value & X86_PTE_P) || core_format_is_leaf(e.level, &g->space->cpu, e.value) || !gup_down(g, va, &e))
            return FL_PIN_EFAULT;
    }
    if (gup_kind_of(g, e.level, e.value) != GUP_LEAF || !(e.value & X86_PTE_P))
        return FL_PIN_EFAULT;
    if (!pfn)
        return FL_PIN_OK;
    *pfn = gup_pfn(g, &e, va);
    if (!gup_has_page(g, e.value, *pfn, flags))
        return FL_PIN_EFAULT;
    return g->ops->page_get(g->ctx, *pfn) ? FL_PIN_OK : FL_PIN_ENOMEM;
}

/* ---- faulting in ------------------------------------------------------------------------------------------------- */

enum fault_end {
    FAULT_AGAIN, /* look once more */
    FAULT_SKIP,  /* a guard page of a stack: mlock leaves it out */
    FAULT_STOP,  /* a RETRY: what has been pinned is all */
    FAULT_ERROR
};

/* The lowest page of a stack is its guard. */
static bool is_guard_page(const struct fl_pin_vma *vma, uint64_t va)
{
    return vma->growsdown && !vma->prev_adjoins && va == vma->start;
}

static enum fault_end fault_in(const struct gup *g, const struct fl_pin_vma *vma, uint64_t va, unsigned flags,
                               bool nonblocking, struct fl_pinned *out)
{
    bool nowait = flags & FL_FOLL_NOWAIT, tried = flags & FL_FOLL_TRIED;
    unsigned how = 0;
    struct fl_pin_fault got;

    if ((flags & FL_FOLL_MLOCK) && is_guard_page(vma, va))
        return FAULT_SKIP;
    if (flags & FL_FOLL_WRITE)
        how |= FL_MM_WRITE;
    if (tried)
        how |= FL_MM_TRIED;
    else if (nonblocking || nowait)
        how |= FL_MM_ALLOW_RETRY;
    got = g->ops->mm_fault(g->ctx, vma->generation, va, how, nowait);
    out->error = (uint8_t)gup_fault_error(got.result, flags & FL_FOLL_HWPOISON);
    if (out->error != FL_PIN_OK)
        return FAULT_ERROR;
    g->ops->account(g->ctx, got.result == FL_MM_MAJOR || got.result == FL_MM_RETRY_MAJOR);
    if (got.result != FL_MM_RETRY && got.result != FL_MM_RETRY_MAJOR)
        return FAULT_AGAIN;
    /* The lock has been dropped, unless that was not allowed: the caller is told the truth. */
    if ((how & FL_MM_ALLOW_RETRY) && !nowait)
        out->lock_held = false;
    return FAULT_STOP;
}

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

struct pin {
    struct gup g;
    uint64_t at, left, done;
    unsigned flags;
    bool nonblocking;
    uint64_t *pfns;
    uint32_t *gens;
    struct fl_pin_vma vma;
    bool has_vma;
    struct fl_pinned out;
};

static bool fail(struct pin *p, enum fl_pin_error error)
{
    p->out.error = (uint8_t)error;
    return false;
}

/* One step forward: the page at p->at, or with a mask the rest of its huge page, has been dealt with. */
static void step(struct pin *p, uint64_t pfn, uint64_t mask)
{
    uint64_t pages;

    if (p->pfns)
        p->pfns[p->done] = pfn;
    if (p->gens)
        p->gens[p->done] = p->vma.generation;
    if (p->pfns || p->gens)
        mask = 0;
    pages = 1 + (~(p->at >> X86_PAGE_SHIFT) & mask);
    if (pages > p->left)
        pages = p->left;
    p->done += pages;
    p->left -= pages;
    p->at += pages << X86_PAGE_SHIFT;
}

/* The area at p->at. *stepped: a gate page or a hugetlb area has been dealt with already. False: the end. */
static bool enter_area(struct pin *p, bool *stepped)
{
    uint64_t pfn = FL_NO_PAGE;

    *stepped = false;
    p->has_vma = p->g.ops->vma_find(p->g.ctx, p->at, &p->vma);
    if (!p->has_vma && p->g.ops->gate_vma(p->g.ctx, p->at, &p->vma)) {
        enum fl_pin_error error = gate_page(&p->g, p->at, p->flags, p->pfns ? &pfn : NULL);

        if (error != FL_PIN_OK)
            return fail(p, error);
        step(p, pfn, 0);
        *stepped = true;
        return true;
    }
    if (!p->has_vma || !area_permits(&p->g, &p->vma, p->flags))
        return fail(p, FL_PIN_EFAULT);
    if (p->vma.huge_shift) {
        unsigned flags = p->flags | (breaks_cow(&p->vma, p->flags) ? FL_FOLL_WRITE | GUP_BREAK_COW : 0);
        enum fl_pin_error error = gup_hugetlb(&p->g, &p->vma, &p->at, &p->left, flags, p->pfns, p->gens, &p->done);

        if (error != FL_PIN_OK)
            return fail(p, error);
        p->has_vma = false;
        *stepped = true;
    }
    return true;
}

/* One page of an ordinary area. False: the end. */
static bool pin_page(struct pin *p)
{
    unsigned flags = p->flags | (breaks_cow(&p->vma, p->flags) ? FL_FOLL_WRITE | GUP_BREAK_COW : 0);

    for (;;) {
        enum fl_pin_error error;
        uint64_t pfn, mask;

        if (p->g.ops->fatal_signal(p->g.ctx))
            return fail(p, FL_PIN_ERESTARTSYS);
        p->g.ops->resched(p->g.ctx);
        pfn = gup_follow(&p->g, &p->vma, p->at, flags, &mask, &error);
        if (error != FL_PIN_OK)
            return fail(p, error);
        if (pfn != FL_NO_PAGE) {
            step(p, pfn, mask);
            return true;
        }
        switch (fault_in(&p->g, &p->vma, p->at, flags, p->nonblocking, &p->out)) {
        case FAULT_AGAIN: break;
        case FAULT_SKIP:
            if (p->pfns)
                return fail(p, FL_PIN_EFAULT); /* there is no page to hand out */
            step(p, FL_NO_PAGE, 0);
            return true;
        case FAULT_STOP: p->out.error = FL_PIN_EBUSY; return false;
        case FAULT_ERROR: return false;
        }
    }
}

enum fl_status gup_pin(const struct fl_gup_space *space, uint64_t start, uint64_t n, unsigned flags, bool nonblocking,
                       uint64_t *pfns, uint32_t *gens, const struct fl_gup_ops *ops, void *ctx, struct fl_pinned *out)
{
    struct pin p = {.at = start & ~(X86_PAGE_SIZE - 1),
                    .left = n,
                    .nonblocking = nonblocking,
                    .pfns = pfns,
                    .gens = gens,
                    .out = {.lock_held = true}};

    if (!out || !gup_ready(&p.g, space, ops, ctx) || (flags & ~(unsigned)FL_FOLL_BITS) ||
        (pfns != NULL) != ((flags & FL_FOLL_GET) != 0))
        return FL_INVALID;
    /* Hints are about the task's own accesses; a forced one is somebody else's. */
    p.flags = flags & FL_FOLL_FORCE ? flags : flags | FL_FOLL_NUMA;
    while (p.left) {
        bool stepped = false;

        if ((!p.has_vma || p.at >= p.vma.end) && !enter_area(&p, &stepped))
            break;
        if (!stepped && !pin_page(&p))
            break;
    }
    p.out.pages = p.done;
    /* A RETRY with nothing pinned is no error: zero pages, and lock_held says why. */
    if (p.done || p.out.error == FL_PIN_EBUSY)
        p.out.error = FL_PIN_OK;
    *out = p.out;
    return FL_OK;
}
