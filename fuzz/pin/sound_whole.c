/* SPDX-License-Identifier: MIT */
/* The model's own invariants, second part: tables, areas, held pins, records and lists are what they say they are. Each
 * answers NULL, or what is wrong. */
#include "state.h"

/* ---- tables: every one in use is reached once, at its level --------------------------------------------------------- */

struct reached {
    uint8_t times[TABLES];
    const char *wrong;
};

static void reach(const struct fl_pin_world *w, struct reached *r, uint64_t table, unsigned level)
{
    unsigned frame = (unsigned)(table >> PAGE_SHIFT), size = entry_size(w), n = PAGE_SIZE / size;

    if (table >> PAGE_SHIFT >= TABLES || frame < TABLE_FIRST) {
        r->wrong = "an entry names a table where none can be";
        return;
    }
    if (w->table_level[frame] != level)
        r->wrong = w->table_level[frame] ? "a table is used at another level" : "a table is used that has been freed";
    if (r->times[frame]++)
        r->wrong = "a table is reached twice";
    if (r->wrong || level == 1)
        return;
    for (unsigned i = 0; i < n && !r->wrong; i++) {
        uint64_t entry;

        if (!(w->table_lines[frame] & UINT64_C(1) << (i * size / 64))) /* nothing was ever written in that line */
            continue;
        entry = entry_get(w, table + (uint64_t)i * size);
        if ((entry & E_P) && !entry_maps(level, entry))
            reach(w, r, table_address(w, entry), level - 1);
    }
}

static const char *tables_wrong(const struct fl_pin_world *w)
{
    struct reached r = {.wrong = NULL};

    for (unsigned mm = 0; mm < 2 && !r.wrong; mm++)
        if (w->mm[mm].exists)
            reach(w, &r, w->mm[mm].root, levels(w));
    if (!r.wrong && w->space.kernel_root != w->mm[0].root)
        reach(w, &r, w->space.kernel_root, levels(w));
    for (unsigned i = TABLE_FIRST; i < TABLES && !r.wrong; i++)
        if (w->table_level[i] && !r.times[i])
            r.wrong = "a table is in use that nothing reaches";
    return r.wrong;
}

/* ---- areas ------------------------------------------------------------------------------------------------------------ */

static const char *areas_wrong(const struct fl_pin_world *w)
{
    for (unsigned mm = 0; mm < 2; mm++)
        for (unsigned i = 0; i < w->mm[mm].nareas; i++) {
            const struct area *a = &w->mm[mm].areas[i], *before = i ? a - 1 : NULL;

            if (!w->mm[mm].exists)
                return "an area of an address space that is none";
            if (a->vma.start >= a->vma.end || ((a->vma.start | a->vma.end) & ~PAGE_MASK) ||
                a->vma.end > w->space.task_size)
                return "an area that is none";
            if (before && before->vma.end > a->vma.start)
                return "areas overlap";
            if (a->vma.generation == 0 || a->vma.generation > w->generation)
                return "an area whose generation was never given";
            if (before && before->vma.generation == a->vma.generation)
                return "two areas have one generation";
            if ((a->vma.read && !a->vma.may_read) || (a->vma.write && !a->vma.may_write))
                return "an area has rights that it may not have";
        }
    return NULL;
}

/* ---- pages ------------------------------------------------------------------------------------------------------------ */

static const char *page_state_wrong(struct fl_pin_world *w, struct pg *p)
{
    const struct pg *head = p->head ? &w->pg[p->head - 1] : p;

    if (p->head) {
        uint64_t inside = p->pfn - head->pfn;

        if (!head->order || !inside || inside >> head->order)
            return "a tail that is not its head's";
        if (p->order || p->cached || p->maps)
            return "a tail has what only heads have";
        if (p->kind != head->kind && head->kind != PG_FREE)
            return "a tail is of another kind than its head";
    }
    if (p->locked && !w->in_event)
        return "a page is locked, and nobody is there";
    if ((p->own || p->own_tail || w->want[record_of(w, p)] || w->want_tail[record_of(w, p)]) && !w->in_event)
        return "references of a call that is over";
    if (p->kind == PG_ZERO && p->data && !w->diverged)
        return "the zero page is not zero";
    if (p->kind == PG_ANON && p->cached)
        return "an anonymous page is in the page cache";
    if (p->kind == PG_ANON && p->moving && p->maps)
        return "a page is mapped while it moves";
    if (p->cached && !p->head && file_page_find(w, p->file, p->index) != p)
        return "two pages are in one place of the page cache";
    return NULL;
}

static const char *pages_wrong(struct fl_pin_world *w)
{
    unsigned left = w->ntouched;

    for (uint32_t i = 0; i < w->ntouched; i++) {
        const char *wrong = page_state_wrong(w, &w->pg[w->touched[i]]);

        if (wrong)
            return wrong;
        if (!w->pg[w->touched[i]].touched)
            return "the list of changed pages is not of them";
    }
    for (uint32_t i = w->small_free; i; i = w->pg[i - 1].index) {
        if (w->pg[i - 1].kind != PG_FREE || left-- == 0)
            return "the list of free pages is not of free pages";
    }
    return NULL;
}

/* ---- pins -------------------------------------------------------------------------------------------------------------- */

static const char *pins_wrong(struct fl_pin_world *w)
{
    static uint16_t heads[RECORDS], tails[RECORDS]; /* large, and one check at a time is enough */

    memset(heads, 0, sizeof heads);
    memset(tails, 0, sizeof tails);
    for (unsigned i = 0; i < w->npins; i++) {
        struct pg *p = page_of(w, w->pins[i].pfn);

        if (!p)
            return "a pin holds what has no struct page";
        heads[record_of(w, page_head(w, p))]++;
        tails[record_of(w, p)] = (uint16_t)(tails[record_of(w, p)] + (p->head != 0));
    }
    for (unsigned i = 0; i < w->ntouched; i++) {
        const struct pg *p = &w->pg[w->touched[i]];

        if (p->pins != heads[w->touched[i]] || p->tail_pins != tails[w->touched[i]])
            return "pins that are held do not balance";
    }
    return NULL;
}

const char *sound_whole(struct fl_pin_world *w)
{
    const char *wrong = w->locks && !w->in_event ? "a lock is held, and nobody is there" : NULL;

    if (!wrong && !w->nlate)
        wrong = tables_wrong(w);
    if (!wrong)
        wrong = areas_wrong(w);
    if (!wrong)
        wrong = pages_wrong(w);
    return wrong ? wrong : pins_wrong(w);
}
