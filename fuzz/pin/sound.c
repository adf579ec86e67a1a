/* SPDX-License-Identifier: MIT */
/* The model's own invariants: what is counted is what is there. Not fast: for debug builds and tests. */
#include "state.h"

#include <stdio.h>

struct counting {
    struct fl_pin_world *w;
    int32_t maps[RECORDS];
    uint8_t moving[RECORDS];
    uint16_t slots[MAX_SLOTS];
    const char *wrong;
    uint64_t where;
};

static bool accessible(const struct area *a)
{
    return a->vma.read || a->vma.write || a->vma.exec;
}

static void count(struct fl_pin_world *w, unsigned mm, uint64_t va, uint64_t paddr, unsigned level, void *ctx)
{
    struct counting *c = ctx;
    uint64_t entry = entry_get(w, paddr);
    const struct area *a = area_find(w, mm, va);
    struct pg *p = leaf_page(w, level, entry);

    if (c->wrong)
        return;
    c->where = va;
    if (!a)
        c->wrong = "an entry outside every area";
    if (entry_maps(level, entry)) {
        if (p && p->kind == PG_FREE)
            c->wrong = "a leaf maps a free page";
        if (p && p->head)
            c->wrong = "a leaf begins at a tail page";
        if (p && level == 1 && p->order)
            c->wrong = "a small leaf maps a huge page";
        if (p && a && (entry & E_RW) && !a->vma.write)
            c->wrong = "a writable leaf in an area that is not";
        if (p && a && (entry & E_RW) && !a->vma.shared && (p->kind != PG_ANON && (p->kind != PG_HUGETLB || p->cached)))
            c->wrong = "a writable leaf of a private area maps what is not its own";
        if (p && (entry & E_RW) && a && !a->vma.shared && p->maps > 1)
            c->wrong = "a writable leaf of a private area maps what is shared";
        if (p && a && !a->vma.shared && p->kind == PG_ANON && p->exclusive && p->maps > 1)
            c->wrong = "a page of one address space alone is mapped twice";
        if (p && a && a->vma.shared && a->kind != FL_AREA_ANON && p->kind == PG_ANON)
            c->wrong = "an anonymous page in a shared mapping of a file";
        if (p && a && !(entry & E_P) != !accessible(a) && !(entry & SOFT_NUMA && !(entry & E_P)))
            c->wrong = "a leaf and its area differ in whether anything is permitted";
        if (p)
            c->maps[record_of(w, p)]++;
    } else if (entry_swap(entry) == FL_SWAP_SLOT) {
        if (swap_payload(entry) == 0 || swap_payload(entry) > w->nslots)
            c->wrong = "an entry names a swap slot that is none";
        else
            c->slots[swap_payload(entry) - 1]++;
    } else if (entry_swap(entry) == FL_SWAP_MIGRATION && (p = page_of(w, swap_payload(entry)))) {
        c->moving[record_of(w, p)]++;
    }
}

static const char *page_wrong(const struct pg *p, int32_t maps, uint8_t moving)
{
    int64_t due = (int64_t)p->maps + p->cached + (p->moving ? 1 : 0) + p->pins + p->others +
                  (p->kind == PG_DEVICE || (p->kind == PG_ZERO && p->order) ? 1 : 0);

    if (p->head)
        return p->tail == p->tail_pins && !p->count ? NULL : "a tail page's counts do not balance";
    if (p->maps != maps)
        return "mappings do not balance";
    if (p->moving != moving)
        return "migration entries do not balance";
    if (p->kind == PG_FREE)
        return p->count == 0 ? NULL : "a free page is referenced";
    return p->count == due ? NULL : "references do not balance";
}

bool fl_pin_world_sound(const struct fl_pin_world *world, char why[256])
{
    static struct counting c; /* large, and one check at a time is enough */
    struct fl_pin_world *w = (struct fl_pin_world *)world;
    const char *wrong;

    if (w->views_wrong) {
        snprintf(why, 256, "a view was kept though its page has changed");
        return false;
    }
    if (w->lied)
        return true; /* whoever counts pages by what is not so counts them wrongly */
    memset(&c, 0, sizeof c);
    c.w = w;
    for (unsigned mm = 0; mm < 2 && !c.wrong; mm++)
        leaf_each(w, mm, 0, w->space.task_size, count, &c);
    if (c.wrong) {
        snprintf(why, 256, "%s, at %#llx", c.wrong, (unsigned long long)c.where);
        return false;
    }
    for (unsigned i = 0; i < w->ntouched; i++) {
        uint32_t r = w->touched[i];
        wrong = page_wrong(&w->pg[r], c.maps[r], c.moving[r]);

        if (wrong) {
            snprintf(why, 256,
                     "%s: frame %#llx: count %d, mapped %d (found %d), pinned %u, others %d, tail %d of %u, kind %u",
                     wrong, (unsigned long long)w->pg[r].pfn, w->pg[r].count, w->pg[r].maps, c.maps[r], w->pg[r].pins,
                     w->pg[r].others, w->pg[r].tail, w->pg[r].tail_pins, w->pg[r].kind);
            return false;
        }
    }
    for (unsigned i = 0; i < w->nslots; i++)
        if (w->slots[i].uses != c.slots[i]) {
            snprintf(why, 256, "swap slot %u: %u entries name it, %u are counted", i + 1, c.slots[i], w->slots[i].uses);
            return false;
        }
    wrong = sound_whole(w);
    if (wrong)
        snprintf(why, 256, "%s", wrong);
    return wrong == NULL;
}
