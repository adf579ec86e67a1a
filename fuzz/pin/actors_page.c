/* SPDX-License-Identifier: MIT */
/* What the kernel does to pages behind the task's back: reclaim, migration, NUMA hints, collapse, split, poison, writeback. */
#include "state.h"

struct spot {
    struct area *area;
    uint64_t at, entry;
    unsigned level;
    struct pg *page; /* head, or small */
};

/* What is mapped at va; false: nothing with a struct page. */
static bool spot_of(struct fl_pin_world *w, unsigned mm, uint64_t va, struct spot *s)
{
    s->area = area_find(w, mm, va);
    if (!s->area)
        return false;
    s->at = entry_find(w, w->mm[mm].root, va, &s->level);
    s->entry = entry_get(w, s->at);
    s->page = leaf_page(w, s->level, s->entry);
    return s->page != NULL;
}

static void to_slot(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level, void *ctx)
{
    unsigned slot = *(unsigned *)ctx;

    leaf_clear(w, paddr, level);
    pins_parted(w, mm, va, va + PAGE_SIZE);
    if (slot) {
        w->slots[slot - 1].uses++;
        entry_put(w, paddr, swap_make(level, FL_SWAP_SLOT, slot));
    }
}

enum fl_status act_reclaim(struct fl_pin_world *w, unsigned mm, uint64_t va)
{
    struct spot s;
    unsigned slot = 0;

    /* A page that somebody has pinned stays: its count tells. */
    if (!spot_of(w, mm, va, &s) || s.level != 1 || s.area->vma.locked || page_busy(s.page) || s.page->locked)
        return FL_INVALID;
    if (s.page->kind == PG_ANON && !(slot = slot_alloc(w, s.page->data)))
        return FL_NO_MEMORY;
    if (s.page->kind != PG_ANON && s.page->kind != PG_CACHE)
        return FL_INVALID;
    leaf_of_page(w, s.page, to_slot, &slot);
    return FL_OK;
}

static void to_migration(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level, void *ctx)
{
    struct pg *p = ctx;

    (void)mm, (void)va;
    leaf_clear(w, paddr, level);
    p->moving++;
    entry_put(w, paddr, swap_make(level, FL_SWAP_MIGRATION, p->pfn));
}

enum fl_status act_migrate_begin(struct fl_pin_world *w, unsigned mm, uint64_t va)
{
    struct spot s;

    if (!spot_of(w, mm, va, &s) || page_busy(s.page) || s.page->locked || s.page->moving || s.page->maps > 200)
        return FL_INVALID;
    if (s.page->kind != PG_ANON && s.page->kind != PG_CACHE && s.page->kind != PG_HUGETLB)
        return FL_INVALID;
    page_ref(w, s.page, 1);
    leaf_of_page(w, s.page, to_migration, s.page);
    return FL_OK;
}

struct moving {
    uint64_t from;
    struct pg *to;
};

static void from_migration(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level, void *ctx)
{
    struct moving *m = ctx;
    uint64_t entry = entry_get(w, paddr);
    struct area *a = area_find(w, mm, va);

    if (!entry_swapped(entry) || entry_swap(entry) != FL_SWAP_MIGRATION || swap_payload(entry) != m->from || !a)
        return;
    entry_put(w, paddr, 0);
    leaf_map(w, paddr, level, m->to,
             leaf_bits(w, a, m->to->exclusive || (a->vma.shared && m->to->dirty)) | (m->to->dirty ? E_D : 0));
}

/* The same page again where there is no other; a page that has been pinned meanwhile cannot move either. */
static struct pg *new_home(struct fl_pin_world *w, struct pg *p)
{
    struct pg *to;

    if (page_busy(p) || p->order > huge_order(w))
        return p;
    to = p->order ? huge_alloc(w, (enum page_kind)p->kind) : small_alloc(w, (enum page_kind)p->kind);
    if (!to)
        return p;
    to->data = p->data;
    for (uint32_t i = 1; i < 1u << p->order; i++)
        if (p[i].touched)
            page_of(w, to->pfn + i)->data = p[i].data;
    to->file = p->file;
    to->index = p->index;
    to->dirty = p->dirty;
    to->exclusive = p->exclusive;
    if (p->cached) {
        page_change(w, p);
        p->cached = false;
        page_unref(w, p, 1);
        to->cached = true;
        to->count = 1;
    }
    return to;
}

enum fl_status act_migrate_end(struct fl_pin_world *w, unsigned mm, uint64_t va)
{
    unsigned level;
    uint64_t entry;
    struct moving m;
    struct pg *p;

    if (!w->mm[mm].exists)
        return FL_INVALID;
    entry = entry_get(w, entry_find(w, w->mm[mm].root, va, &level));
    if (!entry_swapped(entry) || entry_swap(entry) != FL_SWAP_MIGRATION)
        return FL_INVALID;
    w->changed_all = true;
    m.from = swap_payload(entry);
    p = page_of(w, m.from);
    m.to = new_home(w, p);
    for (mm = 0; mm < 2; mm++)
        leaf_each(w, mm, 0, w->space.task_size, from_migration, &m);
    page_change(w, p);
    p->moving = 0;
    page_unref(w, p, 1);
    return FL_OK;
}

enum fl_status act_hint(struct fl_pin_world *w, unsigned mm, uint64_t va)
{
    struct spot s;

    if (!spot_of(w, mm, va, &s) || !(s.entry & E_P) || s.page->kind == PG_ZERO || s.page->kind == PG_DEVICE ||
        s.area->vma.huge_shift || (s.entry & SOFT_SPLITTING && s.level == 2))
        return FL_INVALID;
    entry_put(w, s.at, (s.entry & ~(E_P | SOFT_SPLITTING | SOFT_DEVMAP)) | SOFT_NUMA);
    return FL_OK;
}

enum fl_status act_split_begin(struct fl_pin_world *w, unsigned mm, uint64_t va)
{
    struct spot s;

    if (!spot_of(w, mm, va, &s) || s.level != 2 || s.page->kind != PG_ANON || !(s.entry & E_P))
        return FL_INVALID;
    entry_put(w, s.at, s.entry | SOFT_SPLITTING);
    return FL_OK;
}

enum fl_status act_split(struct fl_pin_world *w, unsigned mm, uint64_t va)
{
    struct spot s;

    if (!spot_of(w, mm, va, &s) || s.level != 2 || (s.page->kind != PG_ANON && s.page->kind != PG_ZERO))
        return FL_INVALID;
    if (w->locks & LOCK_IRQ) {
        /* The splitting bit is set, and the flush waits for interrupts; without that wait a page that has just got
         * references which are not handed to its tails is let be. */
        if (!w->pv && s.page->kind == PG_ZERO)
            return FL_INVALID; /* it has no such bit: it stays for now */
        if (!w->pv) {
            w->split_late = (va & PAGE_MASK) + 1;
            return act_split_begin(w, mm, va);
        }
    }
    return leaf_split(w, mm, va);
}

/* ---- collapse ----------------------------------------------------------------------------------------------------- */

struct collapsing {
    bool possible;
    unsigned pages;
    struct pg *huge;
    uint64_t start;
    bool write;
};

static void look(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level, void *ctx)
{
    struct collapsing *c = ctx;
    uint64_t entry = entry_get(w, paddr);
    struct pg *p = leaf_page(w, level, entry);

    (void)mm, (void)va;
    if (level != 1 || !p || !(entry & E_P) || p->kind != PG_ANON || p->maps != 1 || page_busy(p) || !p->exclusive)
        c->possible = false;
    c->pages++;
}

static void move_in(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level, void *ctx)
{
    struct collapsing *c = ctx;
    struct pg *p = leaf_page(w, level, entry_get(w, paddr));

    (void)mm;
    page_of(w, c->huge->pfn + ((va - c->start) >> PAGE_SHIFT))->data = p->data;
    leaf_clear(w, paddr, level);
}

enum fl_status act_collapse(struct fl_pin_world *w, unsigned mm, uint64_t va)
{
    struct area *a = area_find(w, mm, va);
    uint64_t size = UINT64_C(1) << level_shift(w, 2), at;
    struct collapsing c = {.possible = true, .start = va & ~(size - 1)};
    unsigned level;

    if (!a || a->kind != FL_AREA_ANON || a->vma.shared || c.start < a->vma.start || c.start + size > a->vma.end)
        return FL_INVALID;
    at = entry_find(w, w->mm[mm].root, va, &level);
    if (level != 1)
        return FL_INVALID;
    leaf_each(w, mm, c.start, c.start + size, look, &c);
    if (!c.possible || !c.pages || !(c.huge = huge_alloc(w, PG_ANON)))
        return FL_INVALID;
    leaf_each(w, mm, c.start, c.start + size, move_in, &c);
    leaf_free_tables(w, mm, c.start, c.start + size);
    at = entry_force(w, w->mm[mm].root, c.start, 2);
    leaf_map(w, at, 2, c.huge, leaf_bits(w, a, true));
    pins_parted(w, mm, c.start, c.start + size);
    return FL_OK;
}

/* ---- the rest ----------------------------------------------------------------------------------------------------- */

static void to_poison(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level, void *ctx)
{
    (void)ctx;
    leaf_clear(w, paddr, level);
    pins_parted(w, mm, va, va + (UINT64_C(1) << level_shift(w, level)));
    entry_put(w, paddr, swap_make(level, FL_SWAP_HWPOISON, 0));
}

enum fl_status act_poison(struct fl_pin_world *w, unsigned mm, uint64_t va)
{
    struct spot s;

    if (!spot_of(w, mm, va, &s) || s.page->kind == PG_ZERO || s.page->kind == PG_DEVICE || s.page->poisoned)
        return FL_INVALID;
    if (s.level == 2 && s.page->kind == PG_ANON)
        return FL_INVALID;  /* a huge page is split first: an act of its own */
    page_ref(w, s.page, 1); /* it is never used again */
    s.page->others++;
    s.page->poisoned = true;
    leaf_of_page(w, s.page, to_poison, NULL);
    return FL_OK;
}

static void clean_leaf(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level, void *ctx)
{
    struct area *a = area_find(w, mm, va);
    uint64_t entry = entry_get(w, paddr);

    (void)level, (void)ctx;
    entry_put(w, paddr, entry & ~(E_D | (a && a->vma.shared ? E_RW : 0)));
}

/* Written back: the next write of a shared page is noticed, since it is write protected. */
enum fl_status act_clean(struct fl_pin_world *w, unsigned mm, uint64_t va)
{
    struct spot s;

    if (!spot_of(w, mm, va, &s) || s.page->kind != PG_CACHE)
        return FL_INVALID;
    leaf_of_page(w, s.page, clean_leaf, NULL);
    page_change(w, s.page);
    s.page->dirty = false;
    return FL_OK;
}

enum fl_status act_saturate(struct fl_pin_world *w, unsigned mm, uint64_t va)
{
    struct spot s;
    int32_t more;

    if (!spot_of(w, mm, va, &s) || s.page->kind == PG_ZERO)
        return FL_INVALID;
    more = COUNT_SATURATED - s.page->count;
    w->saturated = true;
    page_ref(w, s.page, more);
    s.page->others += more;
    return FL_OK;
}
