/* SPDX-License-Identifier: MIT */
/*
 * __get_user_pages_fast: walks the caller's own tables with interrupts off and no lock. What keeps tables from being freed
 * under it is that whoever frees one waits for an interrupt to be taken here. Pages have no such protection: a reference is
 * taken only where the count is not zero, and afterwards the entry is read once more; when anything has changed, the
 * reference is given back and the slow path decides.
 *
 * Only entries that a user write could use are taken, even for reading: a page that a fork shares is the slow path's
 * (CVE-2020-29374).
 */
#include "gup.h"

#include "x86.h"

struct fast {
    struct gup g;
    bool write;
    uint64_t *pfns;
    uint64_t done;
};

/* The entry's pages [pfn, pfn + n): all referenced and still mapped, or none and false. */
static bool take(struct fast *f, const struct gup_entry *e, uint64_t pfn, unsigned n)
{
    const struct fl_gup_ops *ops = f->g.ops;
    uint64_t head, now = 0;

    if (!ops->page_valid(f->g.ctx, pfn) || !ops->page_valid(f->g.ctx, pfn + n - 1))
        return false;
    head = ops->page_head(f->g.ctx, pfn);
    if (!ops->page_get_speculative(f->g.ctx, head, n))
        return false;
    /* With a reference held the page stays what it is; whether it was what the entry says is asked now. */
    if (ops->page_head(f->g.ctx, pfn) != head || !gup_read(&f->g, e, &now) || now != e->value) {
        ops->page_put(f->g.ctx, head, n);
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        if (pfn + i != head)
            ops->page_tail_get(f->g.ctx, pfn + i);
        f->pfns[f->done++] = pfn + i;
    }
    return true;
}

/* A leaf of any level, for the addresses [va, end) inside it. */
static bool take_leaf(struct fast *f, const struct gup_entry *e, uint64_t va, uint64_t end)
{
    uint64_t pfn = gup_pfn(&f->g, e, va);
    bool ok, device = gup_has(e->value, f->g.space->soft.devmap);

    /* Permission before anything else: what a device maps read only is no exception. */
    if (!gup_user_may(&f->g, e->value, f->write) || !gup_is_writable(e->value))
        return false;
    if (gup_is_splitting(&f->g, e->value) || (e->level->level == 1 && gup_has(e->value, f->g.space->soft.special)))
        return false;
    if (device && !f->g.ops->device_get(f->g.ctx, pfn))
        return false;
    ok = take(f, e, pfn, (unsigned)((end - va) >> X86_PAGE_SHIFT));
    if (device)
        f->g.ops->device_put(f->g.ctx, pfn);
    return ok;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* [va, end) within one top-level entry and below. Answers where it came to. */
static uint64_t walk(struct fast *f, uint64_t va, uint64_t end)
{
    while (va < end) {
        struct gup_entry e;
        enum gup_kind kind;
        uint64_t next;

        if (!gup_top(&f->g, f->g.space->cpu.cr3, va, &e))
            return va;
        while ((kind = gup_kind_of(&f->g, e.level, e.value)) == GUP_TABLE)
            if (!gup_down(&f->g, va, &e))
                return va;
        /* Not present is not the same as none: a migrating huge page has an entry, and it is no table. */
        if (kind != GUP_LEAF || (e.level->level == 1 && !f->g.space->has_special))
            return va;
        next = least(end, ((va >> e.level->shift) + 1) << e.level->shift);
        if (!take_leaf(f, &e, va, next))
            return va;
        va = next;
    }
    return va;
}

enum fl_status gup_fast_only(const struct fl_gup_space *space, uint64_t start, int32_t n, bool write, uint64_t *pfns,
                             const struct fl_gup_ops *ops, void *ctx, struct fl_pinned *out)
{
    struct fast f = {.write = write, .pfns = pfns};
    uint64_t end;

    if (!out || !pfns || !gup_ready(&f.g, space, ops, ctx) || !space->current)
        return FL_INVALID;
    start &= ~(X86_PAGE_SIZE - 1);
    end = start + ((uint64_t)(n > 0 ? n : 0) << X86_PAGE_SHIFT);
    /* The whole range is user space, whatever address limit the caller runs with; it does not wrap. */
    if (end > start && end <= space->task_size) {
        ops->irq_save(ctx);
        walk(&f, start, end);
        ops->irq_restore(ctx);
    }
    *out = (struct fl_pinned){.pages = f.done};
    return FL_OK;
}
