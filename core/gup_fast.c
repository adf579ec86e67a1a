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

/* Is the entry still what it was? */
static bool unchanged(const struct fast *f, const struct gup_entry *e)
{
    uint64_t now = 0;

    return gup_read(&f->g, e, &now) && now == e->value;
}

static bool take_nothing(const struct fast *f, uint64_t head, unsigned n)
{
    f->g.ops->page_put(f->g.ctx, head, n);
    return false;
}

/* The entry's pages [pfn, pfn + n): all referenced and still mapped, or none and false. */
static bool take(struct fast *f, const struct gup_entry *e, uint64_t pfn, unsigned n)
{
    const struct fl_gup_ops *ops = f->g.ops;
    uint64_t head = ops->page_head(f->g.ctx, pfn);

    if (!ops->page_get_speculative(f->g.ctx, head, n))
        return false;
    /* With a reference held the page stays what it is; whether it was what the entry says is asked now. */
    if (ops->page_head(f->g.ctx, pfn) != head || !unchanged(f, e))
        return take_nothing(f, head, n);
    for (unsigned i = 0; i < n; i++) {
        if (pfn + i != head)
            ops->page_tail_get(f->g.ctx, pfn + i);
        f->pfns[f->done++] = pfn + i;
    }
    return true;
}

/* The same for memory of a device, whose pages are each their own under a large leaf too. */
static bool take_device(struct fast *f, const struct gup_entry *e, uint64_t pfn, unsigned n)
{
    const struct fl_gup_ops *ops = f->g.ops;
    unsigned got = 0;

    while (got < n && ops->page_get_speculative(f->g.ctx, pfn + got, 1))
        got++;
    if (got < n || !unchanged(f, e)) {
        while (got)
            take_nothing(f, pfn + --got, 1);
        return false;
    }
    for (unsigned i = 0; i < n; i++)
        f->pfns[f->done++] = pfn + i;
    return true;
}

/* A leaf of any level, for the addresses [va, end) inside it. */
static bool take_leaf(struct fast *f, const struct gup_entry *e, uint64_t va, uint64_t end)
{
    const struct fl_gup_ops *ops = f->g.ops;
    uint64_t pfn = gup_pfn(&f->g, e, va);
    unsigned n = (unsigned)((end - va) >> X86_PAGE_SHIFT);
    bool ok;

    /* Permission before anything else: what a device maps read only is no exception. */
    if (!gup_user_may(&f->g, e->value, f->write) || !gup_is_writable(e->value))
        return false;
    if (gup_is_splitting(&f->g, e->value))
        return false;
    /* Which small leaves have no struct page, not every kernel can tell. */
    if (e->level->level == 1 && (!f->g.space->has_special || gup_has(e->value, f->g.space->soft.special)))
        return false;
    if (!ops->page_valid(f->g.ctx, pfn) || !ops->page_valid(f->g.ctx, pfn + n - 1))
        return false;
    if (!gup_has(e->value, f->g.space->soft.devmap))
        return take(f, e, pfn, n);
    if (!ops->device_get(f->g.ctx, pfn))
        return false;
    ok = take_device(f, e, pfn, n);
    ops->device_put(f->g.ctx, pfn);
    return ok;
}

/* Where the part of [va, end) that one entry of that level stands for ends. */
static uint64_t entry_end(const struct format_level *l, uint64_t va, uint64_t end)
{
    uint64_t last = va | ((UINT64_C(1) << l->shift) - 1);

    return last < end - 1 ? last + 1 : end;
}

/* [va, end) below one entry, which is read once: what it names is not freed meanwhile. False: here begins the slow path's
 * part. */
static bool take_range(struct fast *f, const struct gup_entry *e, uint64_t va, uint64_t end)
{
    enum gup_kind kind = gup_kind_of(&f->g, e->level, e->value);

    if (kind == GUP_LEAF)
        return take_leaf(f, e, va, end);
    /* Not present is not the same as none: a migrating huge page has an entry, and it is no table. */
    if (kind != GUP_TABLE)
        return false;
    for (uint64_t next; va < end; va = next) {
        struct gup_entry below = *e;

        if (!gup_down(&f->g, va, &below))
            return false;
        next = entry_end(below.level, va, end);
        if (!take_range(f, &below, va, next))
            return false;
    }
    return true;
}

static void take_all(struct fast *f, uint64_t va, uint64_t end)
{
    struct gup_entry e;

    while (va < end && gup_top(&f->g, f->g.space->cpu.cr3, va, &e)) {
        uint64_t next = entry_end(e.level, va, end);

        if (!take_range(f, &e, va, next))
            return;
        va = next;
    }
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
        take_all(&f, start, end);
        ops->irq_restore(ctx);
    }
    *out = (struct fl_pinned){.pages = f.done};
    return FL_OK;
}
