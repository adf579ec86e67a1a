/* SPDX-License-Identifier: MIT */
/* hugetlb areas: every page has the area's size; shared ones and the file's are in the page cache. */
#include "state.h"

static uint32_t huge_index(const struct fl_pin_world *w, const struct area *a, uint64_t va)
{
    return (uint32_t)((va - a->vma.start) >> level_shift(w, area_level(w, a))) + a->pgoff;
}

static bool room(const struct fl_pin_world *w, const struct area *a)
{
    return tables_left(w) >= 6 && (area_level(w, a) == 3 ? w->giants < GIANTS && w->giant_records < GIANT_RECORDS
                                                         : w->huge_next + (1u << huge_order(w)) <= FL_PIN_FRAMES);
}

/* In the page cache: each size of page is a file system of its own, with files of its own. */
static uint32_t cache_index(const struct fl_pin_world *w, const struct area *a, uint64_t va)
{
    return huge_index(w, a, va) | (area_level(w, a) == 3 ? 3u : 2u) << 30;
}

struct pg *hugetlb_cached(struct fl_pin_world *w, const struct area *a, uint64_t va)
{
    struct pg *p = file_page_find(w, a->file, cache_index(w, a, va));

    return p && p->kind == PG_HUGETLB ? p : NULL;
}

static bool must_copy(const struct area *a, const struct pg *p)
{
    return !a->vma.shared && (p->cached || p->maps > 1);
}

enum fl_mm_result hugetlb_plan(struct fl_pin_world *w, unsigned mm, const struct area *a, uint64_t va, bool write)
{
    unsigned level;
    uint64_t entry = entry_get(w, entry_find(w, w->mm[mm].root, va, &level));
    uint32_t first = huge_index(w, a, va) << (level_shift(w, area_level(w, a)) - PAGE_SHIFT);
    struct pg *p = leaf_page(w, level, entry);

    if (entry_swapped(entry) && entry_swap(entry) == FL_SWAP_HWPOISON)
        return FL_MM_HWPOISON_LARGE;
    if (entry_swapped(entry))
        return FL_MM_MINOR;
    if (p)
        return write && !(entry & E_RW) && must_copy(a, p) && !room(w, a) ? FL_MM_OOM : FL_MM_MINOR;
    if (first >= a->file_pages || first >= w->file_pages[a->file & 3])
        return FL_MM_SIGBUS;
    if (hugetlb_cached(w, a, va) && !(write && !a->vma.shared))
        return tables_left(w) >= 6 ? FL_MM_MINOR : FL_MM_OOM;
    return room(w, a) ? FL_MM_MINOR : FL_MM_OOM;
}

static struct pg *new_page(struct fl_pin_world *w, const struct area *a)
{
    struct pg *p = area_level(w, a) == 3 ? giant_alloc(w) : huge_alloc(w, PG_HUGETLB);

    p->kind = PG_HUGETLB;
    p->exclusive = true;
    return p;
}

/* hugetlb gives a private write its writable entry whatever the area says (Linux 3.19, hugetlb_cow); this model does not. */
static void map(struct fl_pin_world *w, unsigned mm, const struct area *a, uint64_t va, struct pg *p, bool write)
{
    unsigned level = area_level(w, a);
    uint64_t at = entry_force(w, w->mm[mm].root, va, level);

    if (at)
        leaf_map(w, at, level, p, leaf_bits(w, a, write));
}

struct fl_pin_fault hugetlb_do(struct fl_pin_world *w, unsigned mm, const struct area *a, uint64_t va, bool write)
{
    struct fl_pin_fault out = {.result = (uint8_t)hugetlb_plan(w, mm, a, va, write)};
    unsigned level;
    uint64_t at = entry_find(w, w->mm[mm].root, va, &level), entry = entry_get(w, at);
    struct pg *p = leaf_page(w, level, entry);

    if (out.result != FL_MM_MINOR)
        return out;
    w->changed_all = true;
    if (entry_swapped(entry)) {
        act_migrate_end(w, mm, va);
        return out;
    }
    if (!p) {
        p = hugetlb_cached(w, a, va);
        if (!p && a->vma.shared) {
            p = new_page(w, a);
            p->cached = true;
            p->exclusive = false;
            p->file = a->file;
            p->index = cache_index(w, a, va);
            p->count = 1;
        } else if (!p || (write && !a->vma.shared)) {
            uint64_t data = p ? p->data : 0;

            p = new_page(w, a);
            p->data = data;
        }
        map(w, mm, a, va, p, write);
        out.wrote = write;
        return out;
    }
    if (!write || (entry & E_RW))
        return out;
    if (must_copy(a, p)) {
        struct pg *copy = new_page(w, a);

        copy->data = p->data;
        map(w, mm, a, va, copy, true);
    } else {
        page_change(w, p);
        p->exclusive = !a->vma.shared;
        entry_put(w, at, (entry & ~(E_RW | E_D)) | leaf_bits(w, a, true));
    }
    out.wrote = true;
    return out;
}
