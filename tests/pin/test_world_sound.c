/* SPDX-License-Identifier: MIT */
/* The model's own invariants can fail: a world with some of everything, damaged in one fact at a time. */
#include "world.h"

/* ---- a world with some of everything ------------------------------------------------------------------------------ */

enum {
    ANON = 0,      /* 8 pages: 0 own, 1 zero page, 2 swapped, 3 migrating, 4 pinned, 5 hint, 6 a hole, 7 poisoned */
    FILED = 16,    /* 4 pages: 16 the cache's, 17 a copy */
    SHARED = 32,   /* 2 pages: 32 written to */
    NONE = 40,     /* 1 page, of PROT_NONE */
    FORKED = 44,   /* 2 pages that mm 1 shares */
    DEVICE = 48,   /* 1 page */
    HUGE = 0x400,  /* a huge page, its page 3 pinned */
    LARGE = 0x800, /* hugetlb, shared */
};

static void build(struct fl_pin_world *w)
{
    world_begin(w, FL_MODE_4LEVEL);
    world_area(w, FL_AREA_ANON, PAGE(FORKED), 2, RW);
    world_act(w, FL_ACTOR_WRITE, PAGE(FORKED));
    world_act(w, FL_ACTOR_FORK, 0);
    world_area(w, FL_AREA_ANON, PAGE(ANON), 8, RW);
    world_area(w, FL_AREA_FILE, PAGE(FILED), 4, RW);
    world_area(w, FL_AREA_SHMEM, PAGE(SHARED), 2, RW | FL_AREA_SHARED);
    world_area(w, FL_AREA_FILE, PAGE(NONE), 1, FL_AREA_MAY_READ | FL_AREA_MAY_WRITE);
    world_area(w, FL_AREA_DEVICE, PAGE(DEVICE), 1, RW | FL_AREA_SHARED);
    world_area(w, FL_AREA_ANON, PAGE(HUGE), 512, RW | FL_AREA_HUGE);
    world_area(w, FL_AREA_HUGETLB, PAGE(LARGE), 512, RW | FL_AREA_SHARED);
    for (unsigned i = 0; i < 8; i++)
        if (i != 6)
            world_act(w, i == 1 ? FL_ACTOR_READ : FL_ACTOR_WRITE, PAGE(ANON + i));
    world_act(w, FL_ACTOR_RECLAIM, PAGE(ANON + 2));
    world_act(w, FL_ACTOR_MIGRATE_BEGIN, PAGE(ANON + 3));
    world_pin(w, PAGE(ANON + 4), 1, FL_FOLL_WRITE);
    world_act(w, FL_ACTOR_HINT, PAGE(ANON + 5));
    world_act(w, FL_ACTOR_POISON, PAGE(ANON + 7));
    world_act(w, FL_ACTOR_READ, PAGE(FILED));
    world_act(w, FL_ACTOR_WRITE, PAGE(FILED + 1));
    world_act(w, FL_ACTOR_WRITE, PAGE(SHARED));
    world_pin(w, PAGE(NONE), 1, FL_FOLL_FORCE);
    world_act(w, FL_ACTOR_WRITE, PAGE(DEVICE));
    world_act(w, FL_ACTOR_WRITE, PAGE(HUGE));
    world_pin(w, PAGE(HUGE + 3), 1, FL_FOLL_WRITE);
    world_act(w, FL_ACTOR_WRITE, PAGE(LARGE));
}

static uint64_t at(struct fl_pin_world *w, unsigned mm, unsigned page)
{
    unsigned level;

    return entry_find(w, w->mm[mm].root, PAGE(page), &level);
}

static struct pg *page(struct fl_pin_world *w, unsigned page)
{
    return page_of(w, world_look(w, 0, PAGE(page)).pfn);
}

static struct area *area(struct fl_pin_world *w, unsigned page)
{
    return area_find(w, 0, PAGE(page));
}

static void entry(struct fl_pin_world *w, unsigned page, uint64_t clear, uint64_t set)
{
    entry_put(w, at(w, 0, page), (entry_get(w, at(w, 0, page)) & ~clear) | set);
}

/* ---- damage -------------------------------------------------------------------------------------------------------- */

#define DAMAGE(name, ...)                                                                                              \
    static void name(struct fl_pin_world *w)                                                                           \
    {                                                                                                                  \
        __VA_ARGS__;                                                                                                   \
    }

/* counts */
DAMAGE(count_more, page(w, ANON)->count++)
DAMAGE(count_less, page(w, ANON)->count--)
DAMAGE(count_of_file, page(w, FILED)->count++)
DAMAGE(count_of_zero, page(w, ANON + 1)->count--)
DAMAGE(count_of_device, page(w, DEVICE)->count++)
DAMAGE(count_of_head, page(w, HUGE)->count--)
DAMAGE(count_of_large, page(w, LARGE)->count++)
DAMAGE(maps_more, page(w, SHARED)->maps++)
DAMAGE(maps_both, page(w, SHARED)->maps++; page(w, SHARED)->count++)
DAMAGE(maps_less, page(w, FORKED)->maps--; page(w, FORKED)->count--)
DAMAGE(tail_more, page(w, HUGE + 3)->tail++)
DAMAGE(tail_less, page(w, HUGE + 3)->tail--)
DAMAGE(tail_counted, page(w, HUGE + 5)->count = 1)
DAMAGE(cached_not, page(w, FILED)->cached = false)
DAMAGE(others, page(w, ANON)->others++)
DAMAGE(pins_more, page(w, ANON + 4)->pins++; page(w, ANON + 4)->count++)
DAMAGE(pins_less, page(w, ANON + 4)->pins--; page(w, ANON + 4)->count--)
DAMAGE(pin_lost, w->npins--)
DAMAGE(pin_elsewhere, w->pins[0].pfn = page(w, ANON)->pfn)
DAMAGE(pin_of_nothing, w->pins[0].pfn = PFN_SPECIAL)
DAMAGE(moving_more, page_of(w, swap_payload(entry_get(w, at(w, 0, ANON + 3))))->moving++)
DAMAGE(moving_none, page_of(w, swap_payload(entry_get(w, at(w, 0, ANON + 3))))->moving = 0)
DAMAGE(slot_more, w->slots[0].uses++)
DAMAGE(slot_less, w->slots[0].uses--)
DAMAGE(slot_of_none, entry_put(w, at(w, 0, ANON + 2), swap_make(1, FL_SWAP_SLOT, w->nslots + 1)))
DAMAGE(slot_0, entry_put(w, at(w, 0, ANON + 2), swap_make(1, FL_SWAP_SLOT, 0)))

/* entries */
DAMAGE(leaf_lost, entry(w, ANON, UINT64_MAX, 0))
DAMAGE(leaf_free, page(w, FORKED)->kind = PG_FREE)
DAMAGE(leaf_of_other, entry_put(w, at(w, 0, ANON), entry_get(w, at(w, 0, ANON + 4))))
DAMAGE(leaf_outside, area(w, ANON)->vma.end = PAGE(7))
DAMAGE(leaf_tail, entry_put(w, at(w, 0, ANON), leaf_make(w, 1, page(w, HUGE + 1)->pfn, E_P | E_US | E_RW)))
DAMAGE(leaf_small_of_huge, entry_put(w, at(w, 0, ANON), leaf_make(w, 1, page(w, HUGE)->pfn, E_P | E_US | E_RW)))
DAMAGE(leaf_writable, area(w, ANON)->vma.write = false)
DAMAGE(leaf_writable_zero, entry(w, ANON + 1, 0, E_RW))
DAMAGE(leaf_writable_file, entry(w, FILED, 0, E_RW))
DAMAGE(leaf_writable_forked, entry(w, FORKED, 0, E_RW))
DAMAGE(leaf_none, entry(w, ANON, E_P, SOFT_PROTNONE))
DAMAGE(leaf_of_none, entry(w, NONE, SOFT_PROTNONE, E_P))
DAMAGE(exclusive_twice, page(w, FORKED)->exclusive = true)
DAMAGE(anon_in_shared, page(w, SHARED)->kind = PG_ANON; page(w, SHARED)->cached = false; page(w, SHARED)->count--)

/* pages */
DAMAGE(locked, page(w, ANON)->locked = true)
DAMAGE(own_left, page(w, ANON)->own = 1)
DAMAGE(own_tail_left, page(w, HUGE + 3)->own_tail = 1)
DAMAGE(wanted_left, w->want[record_of(w, page(w, ANON))] = 1)
DAMAGE(wanted_tail_left, w->want_tail[record_of(w, page(w, HUGE + 3))] = 1)
DAMAGE(zero_written, page(w, ANON + 1)->data = 1)
DAMAGE(anon_cached, page(w, ANON)->cached = true; page(w, ANON)->count++)
DAMAGE(cached_twice, struct pg *p = page(w, SHARED); p->file = page(w, FILED)->file; p->index = page(w, FILED)->index)
DAMAGE(tail_of_other, page(w, HUGE + 3)->head = record_of(w, page(w, LARGE)) + 1)
DAMAGE(tail_with_order, page(w, HUGE + 5)->order = 9)
DAMAGE(tail_of_kind, page(w, HUGE + 5)->kind = PG_CACHE)
DAMAGE(tail_mapped, page(w, HUGE + 5)->maps = 1)
DAMAGE(head_small, page(w, HUGE)->order = 0)
DAMAGE(free_in_use, struct pg *p = page(w, ANON); p->index = w->small_free; w->small_free = record_of(w, p) + 1)
DAMAGE(free_counted, world_act(w, FL_ACTOR_DONTNEED, PAGE(ANON)); w->pg[w->small_free - 1].count = 1)
DAMAGE(free_endless, world_act(w, FL_ACTOR_DONTNEED, PAGE(ANON)); w->pg[w->small_free - 1].index = w->small_free)
DAMAGE(unlisted, page(w, ANON)->touched = false)

/* tables */
DAMAGE(table_freed, w->table_level[at(w, 0, ANON) >> PAGE_SHIFT] = 0)
DAMAGE(table_other_level, w->table_level[at(w, 0, ANON) >> PAGE_SHIFT] = 2)
DAMAGE(table_leaked, table_alloc(w, 1))
DAMAGE(table_twice, uint64_t entry = table_make(w, 4, table_alloc(w, 3)); entry_put(w, w->mm[0].root + 800, entry);
       entry_put(w, w->mm[0].root + 808, entry))
DAMAGE(table_nowhere, entry_put(w, w->mm[0].root + 800, table_make(w, 4, TABLES)))

/* areas and locks */
DAMAGE(areas_overlap, area(w, ANON)->vma.end = PAGE(FILED + 1))
DAMAGE(area_odd, area(w, SHARED)->vma.end += 0x800)
DAMAGE(area_of_kernel, w->mm[0].areas[w->mm[0].nareas - 1].vma.end = UINT64_MAX & PAGE_MASK)
DAMAGE(area_no_generation, area(w, ANON)->vma.generation = 0)
DAMAGE(area_future_generation, area(w, ANON)->vma.generation = w->generation + 1)
DAMAGE(area_same_generation, w->mm[0].areas[1].vma.generation = w->mm[0].areas[0].vma.generation)
DAMAGE(area_may_not_write, area(w, ANON)->vma.may_write = false)
DAMAGE(area_may_not_read, area(w, ANON)->vma.may_read = false)
DAMAGE(area_of_nobody, mm_exit(w); w->mm[1].nareas = 1; w->mm[1].areas[0] = w->mm[0].areas[0])
DAMAGE(lock_left, w->locks = LOCK_PTL)

static const struct {
    void (*damage)(struct fl_pin_world *w);
    const char *name, *why;
} damages[] = {
#define ROW(name, why)                                                                                                 \
    {                                                                                                                  \
        name, #name, why                                                                                               \
    }
    ROW(count_more, "references do not balance"),
    ROW(count_less, "references do not balance"),
    ROW(count_of_file, "references do not balance"),
    ROW(count_of_zero, "references do not balance"),
    ROW(count_of_device, "references do not balance"),
    ROW(count_of_head, "references do not balance"),
    ROW(count_of_large, "references do not balance"),
    ROW(maps_more, "mappings do not balance"),
    ROW(maps_both, "mappings do not balance"),
    ROW(maps_less, "mappings do not balance"),
    ROW(tail_more, "a tail page's counts do not balance"),
    ROW(tail_less, "a tail page's counts do not balance"),
    ROW(tail_counted, "a tail page's counts do not balance"),
    ROW(cached_not, "references do not balance"),
    ROW(others, "references do not balance"),
    ROW(pins_more, "pins that are held do not balance"),
    ROW(pins_less, "pins that are held do not balance"),
    ROW(pin_lost, "pins that are held do not balance"),
    ROW(pin_elsewhere, "pins that are held do not balance"),
    ROW(pin_of_nothing, "a pin holds what has no struct page"),
    ROW(moving_more, "migration entries do not balance"),
    ROW(moving_none, "migration entries do not balance"),
    ROW(slot_more, "swap slot 1"),
    ROW(slot_less, "swap slot 1"),
    ROW(slot_of_none, "an entry names a swap slot that is none"),
    ROW(slot_0, "an entry names a swap slot that is none"),
    ROW(leaf_lost, "mappings do not balance"),
    ROW(leaf_free, "a leaf maps a free page"),
    ROW(leaf_of_other, "mappings do not balance"),
    ROW(leaf_outside, "an entry outside every area"),
    ROW(leaf_tail, "a leaf begins at a tail page"),
    ROW(leaf_small_of_huge, "a small leaf maps a huge page"),
    ROW(leaf_writable, "a writable leaf in an area that is not"),
    ROW(leaf_writable_zero, "a writable leaf of a private area maps what is not its own"),
    ROW(leaf_writable_file, "a writable leaf of a private area maps what is not its own"),
    ROW(leaf_writable_forked, "a writable leaf of a private area maps what is shared"),
    ROW(leaf_none, "a leaf and its area differ in whether anything is permitted"),
    ROW(leaf_of_none, "a leaf and its area differ in whether anything is permitted"),
    ROW(exclusive_twice, "a page of one address space alone is mapped twice"),
    ROW(anon_in_shared, "an anonymous page in a shared mapping of a file"),
    ROW(locked, "a page is locked, and nobody is there"),
    ROW(own_left, "references of a call that is over"),
    ROW(own_tail_left, "references of a call that is over"),
    ROW(wanted_left, "references of a call that is over"),
    ROW(wanted_tail_left, "references of a call that is over"),
    ROW(zero_written, "the zero page is not zero"),
    ROW(anon_cached, "an anonymous page is in the page cache"),
    ROW(cached_twice, "two pages are in one place of the page cache"),
    ROW(tail_of_other, "a tail that is not its head's"),
    ROW(tail_with_order, "a tail has what only heads have"),
    ROW(tail_of_kind, "a tail is of another kind than its head"),
    ROW(tail_mapped, "a tail has what only heads have"),
    ROW(head_small, "a tail that is not its head's"),
    ROW(free_in_use, "the list of free pages is not of free pages"),
    ROW(free_counted, "a free page is referenced"),
    ROW(free_endless, "the list of free pages is not of free pages"),
    ROW(unlisted, "the list of changed pages is not of them"),
    ROW(table_freed, "a table is used that has been freed"),
    ROW(table_other_level, "a table is used at another level"),
    ROW(table_leaked, "a table is in use that nothing reaches"),
    ROW(table_twice, "a table is reached twice"),
    ROW(table_nowhere, "an entry names a table where none can be"),
    ROW(areas_overlap, "areas overlap"),
    ROW(area_odd, "an area that is none"),
    ROW(area_of_kernel, "an area that is none"),
    ROW(area_no_generation, "an area whose generation was never given"),
    ROW(area_future_generation, "an area whose generation was never given"),
    ROW(area_same_generation, "two areas have one generation"),
    ROW(area_may_not_write, "an area has rights that it may not have"),
    ROW(area_may_not_read, "an area has rights that it may not have"),
    ROW(area_of_nobody, "an area of an address space that is none"),
    ROW(lock_left, "a lock is held, and nobody is there"),
};

/* What the damage is done to is there. */
static void test_whole(struct fl_pin_world *w)
{
    static const struct {
        unsigned page;
        uint8_t kind;
        bool mapped;
        uint8_t swap;
    } there[] = {{ANON, PG_ANON, true, 0},           {ANON + 1, PG_ZERO, true, 0},
                 {ANON + 2, 0, false, FL_SWAP_SLOT}, {ANON + 3, 0, false, FL_SWAP_MIGRATION},
                 {ANON + 4, PG_ANON, true, 0},       {ANON + 5, PG_ANON, true, 0},
                 {ANON + 6, 0, false, FL_SWAP_NONE}, {ANON + 7, 0, false, FL_SWAP_HWPOISON},
                 {FILED, PG_CACHE, true, 0},         {FILED + 1, PG_ANON, true, 0},
                 {SHARED, PG_CACHE, true, 0},        {NONE, PG_ANON, true, 0},
                 {FORKED, PG_ANON, true, 0},         {DEVICE, PG_DEVICE, true, 0},
                 {HUGE + 3, PG_ANON, true, 0},       {LARGE, PG_HUGETLB, true, 0}};

    build(w);
    world_sound(w, "the whole world");
    for (size_t i = 0; i < sizeof there / sizeof there[0]; i++) {
        struct fl_pin_place p = world_look(w, 0, PAGE(there[i].page));

        CHECK(p.mapped == there[i].mapped && p.kind == there[i].kind && p.swap == there[i].swap,
              "page %#x: mapped %d, kind %u, swap %u", there[i].page, p.mapped, p.kind, p.swap);
    }
    CHECK_EQ(w->npins, 3, "pins are held");
    CHECK_EQ(world_look(w, 1, PAGE(FORKED)).pfn, world_look(w, 0, PAGE(FORKED)).pfn, "the fork shares it");
}

int main(void)
{
    struct fl_pin_world *w;
    char why[256];

    if (fl_pin_world_open(&w) != FL_OK)
        return 1;
    test_whole(w);
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        build(w);
        damages[i].damage(w);
        why[0] = '\0';
        CHECK(!fl_pin_world_sound(w, why), "%s is not noticed", damages[i].name);
        CHECK(!strncmp(why, damages[i].why, strlen(damages[i].why)), "%s: \"%s\", expected \"%s\"", damages[i].name,
              why, damages[i].why);
        fl_pin_world_close(w);
        if (fl_pin_world_open(&w) != FL_OK)
            return 1;
    }
    fl_pin_world_close(w);
    return check_done("pin-world-sound");
}
