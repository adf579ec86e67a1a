/* SPDX-License-Identifier: MIT */
/* Putting pages behind entries and taking them away, with all that is counted. */
#include "state.h"

uint64_t leaf_bits(const struct fl_pin_world *w, const struct area *a, bool write)
{
    uint64_t bits = E_US | E_A;

    if (write && a->vma.write)
        bits |= E_RW | E_D;
    bits |= a->vma.read || a->vma.write || a->vma.exec ? E_P : SOFT_PROTNONE;
    if (w->space.cpu.mode >= FL_MODE_4LEVEL)
        bits |= (uint64_t)a->vma.pkey << E_KEY_SHIFT;
    return bits;
}

void leaf_map(struct fl_pin_world *w, uint64_t paddr, unsigned level, struct pg *p, uint64_t bits)
{
    leaf_clear(w, paddr, level);
    page_ref(w, p, 1);
    p->maps++;
    entry_put(w, paddr, leaf_make(w, level, p->pfn, bits));
}

struct pg *leaf_page(struct fl_pin_world *w, unsigned level, uint64_t entry)
{
    if (!entry_maps(level, entry))
        return NULL;
    return page_of(w, leaf_pfn(w, level, entry));
}

void leaf_clear(struct fl_pin_world *w, uint64_t paddr, unsigned level)
{
    uint64_t entry = entry_get(w, paddr);
    struct pg *p = leaf_page(w, level, entry);

    if (!entry)
        return;
    entry_put(w, paddr, 0);
    if (p) {
        page_change(w, p);
        if (entry & E_D)
            p->dirty = true;
        p->maps--;
        page_unref(w, p, 1);
    } else if (entry_swapped(entry) && entry_swap(entry) == FL_SWAP_SLOT) {
        w->slots[swap_payload(entry) - 1].uses--;
    } else if (entry_swapped(entry) && entry_swap(entry) == FL_SWAP_MIGRATION) {
        /* The last entry that waits for the page: migration has nothing to put back, and lets it go. */
        p = page_of(w, swap_payload(entry));
        page_change(w, p);
        if (--p->moving == 0)
            page_unref(w, p, 1);
    }
}

struct each_range {
    uint64_t start, end;
    void (*each)(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level, void *ctx);
    void *ctx;
};

/* How many entries from paddr on, to the end of their line of 64 bytes, are none because nothing was ever written there. */
static unsigned empty_entries(const struct fl_pin_world *w, uint64_t paddr)
{
    unsigned in_page = (unsigned)(paddr & (PAGE_SIZE - 1));

    if (w->table_lines[paddr >> PAGE_SHIFT] & UINT64_C(1) << in_page / 64)
        return 0;
    return (64 - in_page % 64) / entry_size(w);
}

static void each_below(struct fl_pin_world *w, unsigned mm, uint64_t table, unsigned level, uint64_t base,
                       const struct each_range *r)
{
    uint64_t span = UINT64_C(1) << level_shift(w, level), va = base;
    unsigned size = entry_size(w), n = PAGE_SIZE / size, i = 0, skip;

    if (w->space.cpu.mode == FL_MODE_PAE && level == 3)
        n = 4;
    if (r->start > base) {
        i = (unsigned)((r->start - base) / span);
        va += i * span;
    }
    for (; i < n && va < r->end; i++, va += span) {
        uint64_t paddr = table + (uint64_t)i * size, value;

        if ((skip = empty_entries(w, paddr))) {
            i += skip - 1;
            va += (skip - 1) * span;
            continue;
        }
        value = entry_get(w, paddr);
        if (entry_maps(level, value) || entry_swapped(value))
            r->each(w, mm, va, paddr, level, r->ctx);
        else if (value & E_P)
            each_below(w, mm, table_address(w, value), level - 1, va, r);
    }
}

void leaf_each(struct fl_pin_world *w, unsigned mm, uint64_t start, uint64_t end,
               void (*each)(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level,
                            void *ctx),
               void *ctx)
{
    struct each_range r = {start, end, each, ctx};

    if (w->mm[mm].exists)
        each_below(w, mm, w->mm[mm].root, levels(w), 0, &r);
}

struct of_page {
    uint64_t pfn;
    void (*each)(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level, void *ctx);
    void *ctx;
};

static void of_page(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level, void *ctx)
{
    const struct of_page *o = ctx;
    uint64_t entry = entry_get(w, paddr);

    if (entry_maps(level, entry) && leaf_pfn(w, level, entry) == o->pfn)
        o->each(w, mm, va, paddr, level, o->ctx);
}

void leaf_of_page(struct fl_pin_world *w, const struct pg *p,
                  void (*each)(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level,
                               void *ctx),
                  void *ctx)
{
    struct of_page o = {p->pfn, each, ctx};

    for (unsigned mm = 0; mm < 2; mm++)
        leaf_each(w, mm, 0, w->space.task_size, of_page, &o);
}

/* ---- splitting --------------------------------------------------------------------------------------------------- */

struct splitting {
    unsigned leaves;
};

static void count_leaf(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level, void *ctx)
{
    (void)w, (void)mm, (void)va, (void)paddr, (void)level;
    ((struct splitting *)ctx)->leaves++;
}

static void split_leaf(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level, void *ctx)
{
    uint64_t entry = entry_get(w, paddr), pfn = leaf_pfn(w, level, entry);
    uint64_t bits = entry & (E_P | E_RW | E_US | E_A | E_D | UINT64_C(15) << E_KEY_SHIFT | SOFT_PROTNONE);
    unsigned frame = table_alloc(w, 1);

    (void)mm, (void)va, (void)ctx;
    if (!(entry & E_P))
        bits |= entry & SOFT_NUMA;
    for (uint64_t i = 0; i < UINT64_C(1) << huge_order(w); i++)
        entry_put(w, ((uint64_t)frame << PAGE_SHIFT) + i * entry_size(w), leaf_make(w, 1, pfn + i, bits));
    entry_put(w, paddr, table_make(w, 2, frame));
}

/* Every tail becomes a page of its own: mapped as often as the whole was, and pinned as often as itself was. */
static void split_counts(struct fl_pin_world *w, struct pg *head)
{
    uint32_t n = 1u << head->order;

    page_change(w, head);
    head->order = 0;
    for (uint32_t i = 1; i < n; i++) {
        struct pg *t = page_of(w, head->pfn + i);

        page_change(w, t);
        t->head = 0;
        t->maps = head->maps;
        t->count = head->maps + t->tail;
        t->own = t->own_tail;
        t->pins = t->tail_pins;
        head->count -= t->tail;
        head->own -= t->own_tail;
        head->pins = (uint16_t)(head->pins - t->tail_pins);
        t->tail = t->own_tail = 0;
        t->tail_pins = 0;
        t->exclusive = head->exclusive;
        t->dirty = head->dirty;
        t->kind = t->count ? head->kind : PG_FREE;
    }
}

/* The huge zero page is replaced by small ones. */
static enum fl_status split_zero(struct fl_pin_world *w, uint64_t at)
{
    uint64_t entry = entry_get(w, at), bits = entry & (E_US | E_A | UINT64_C(15) << E_KEY_SHIFT | SOFT_PROTNONE);
    unsigned frame = tables_left(w) ? table_alloc(w, 1) : TABLE_NONE;

    if (!frame)
        return FL_NO_MEMORY;
    if (entry & E_P)
        bits |= E_P | SOFT_SPECIAL;
    leaf_clear(w, at, 2);
    for (uint64_t i = 0; i < UINT64_C(1) << huge_order(w); i++)
        leaf_map(w, ((uint64_t)frame << PAGE_SHIFT) + i * entry_size(w), 1, page_of(w, PFN_ZERO), bits);
    entry_put(w, at, table_make(w, 2, frame));
    return FL_OK;
}

enum fl_status leaf_split(struct fl_pin_world *w, unsigned mm, uint64_t va)
{
    struct splitting s = {0};
    unsigned level;
    uint64_t at = entry_find(w, w->mm[mm].root, va, &level);
    struct pg *head = leaf_page(w, level, entry_get(w, at));

    if (level != 2 || !head)
        return FL_INVALID;
    w->changed_all = true;
    if (head->kind == PG_ZERO)
        return split_zero(w, at);
    if (head->kind != PG_ANON)
        return FL_INVALID;
    /* A split waits for interrupts; where it need not, it lets pages be whose references it cannot hand on. */
    if ((w->locks & LOCK_IRQ) && (!w->pv || head->own))
        return FL_STALE;
    leaf_of_page(w, head, count_leaf, &s);
    if (tables_left(w) < s.leaves)
        return FL_NO_MEMORY;
    leaf_of_page(w, head, split_leaf, NULL);
    split_counts(w, head);
    return FL_OK;
}

/* ---- zapping ----------------------------------------------------------------------------------------------------- */

static void zap_leaf(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level, void *ctx)
{
    const uint64_t *range = ctx;

    (void)mm;
    if (va >= range[0] && va < range[1])
        leaf_clear(w, paddr, level);
}

static enum fl_status split_at(struct fl_pin_world *w, unsigned mm, uint64_t addr)
{
    unsigned level;
    uint64_t at = entry_find(w, w->mm[mm].root, addr, &level);
    uint64_t entry = entry_get(w, at);

    if (level != 2 || !(addr & ((UINT64_C(1) << level_shift(w, 2)) - 1)) || !entry)
        return FL_OK;
    if (entry_swapped(entry))
        return FL_NO_MEMORY; /* a huge page on its way cannot be split */
    return leaf_split(w, mm, addr);
}

enum fl_status split_edges(struct fl_pin_world *w, unsigned mm, uint64_t start, uint64_t end)
{
    enum fl_status status = start ? split_at(w, mm, start) : FL_OK;

    return status == FL_OK && end < w->space.task_size ? split_at(w, mm, end) : status;
}

enum fl_status leaf_zap(struct fl_pin_world *w, unsigned mm, uint64_t start, uint64_t end)
{
    uint64_t range[2] = {start, end};
    enum fl_status status = split_edges(w, mm, start, end);

    if (status != FL_OK)
        return status;
    leaf_each(w, mm, start, end, zap_leaf, range);
    return FL_OK;
}

/* Frees the tables below one of that level that no area needs. Answers whether the table itself is empty now. */
static bool free_below(struct fl_pin_world *w, unsigned mm, uint64_t table, unsigned level, uint64_t base,
                       uint64_t start, uint64_t end)
{
    uint64_t span = UINT64_C(1) << level_shift(w, level), va = base;
    unsigned size = entry_size(w), n = w->space.cpu.mode == FL_MODE_PAE && level == 3 ? 4 : PAGE_SIZE / size;
    unsigned skip;
    bool empty = true;

    for (unsigned i = 0; i < n; i++, va += span) {
        uint64_t paddr = table + (uint64_t)i * size, value;

        if ((skip = empty_entries(w, paddr))) {
            i += skip - 1;
            va += (skip - 1) * span;
            continue;
        }
        value = entry_get(w, paddr);
        if (value && level > 1 && (value & E_P) && !entry_maps(level, value) && va < end && va + span > start &&
            free_below(w, mm, table_address(w, value), level - 1, va, start, end)) {
            entry_put(w, paddr, 0);
            late_table(w, (unsigned)(table_address(w, value) >> PAGE_SHIFT));
            value = 0;
        }
        empty &= value == 0;
    }
    return empty;
}

void leaf_free_tables(struct fl_pin_world *w, unsigned mm, uint64_t start, uint64_t end)
{
    free_below(w, mm, w->mm[mm].root, levels(w), 0, start, end);
}
