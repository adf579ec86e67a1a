/* SPDX-License-Identifier: MIT */
/*
 * What others can do to the pages of a call. Left out is only what the world refuses whatever the point (fuzz/pin/actors*.c):
 *     - where no AREA record can have put an area, nothing is found to act on
 *     - UFFD_CONTINUE wants shmem; TRUNCATE and CLEAN a file or shmem; COLLAPSE a private anonymous area that holds an
 *       aligned huge page; HINT anything but hugetlb; DEVICE_GONE an area of a device; GATE_GONE a gate page
 *     - SPLIT and SPLIT_BEGIN want a huge page: an area that has them, or a COLLAPSE before
 *     - MIGRATE_END wants a MIGRATE_BEGIN before; acts of the child, and EXIT, a FORK; USE and UNPIN a call before this one
 * Of large ranges the first and the last pages are acted on; of protections none, r, w and rw.
 */
#include "inject.h"

#define PAGE       UINT64_C(4096)
#define MOST_PAGES 8u /* of a range one by one: all of them, or the first six and the last two */
#define GROWTH     1024u

/* What is known of the records before the event. */
struct past {
    const struct fl_scenario *s;
    unsigned event;
    bool fork, migration, collapse, huge, pinned, device;
};

static bool is_act(const struct fl_record *r, enum fl_act act)
{
    return (r->kind == FL_REC_ACT || r->kind == FL_REC_RACE) && r->u.act.act == act;
}

static void look_back(struct past *p)
{
    for (unsigned i = 0; i < p->event; i++) {
        const struct fl_record *r = &p->s->records[i];

        p->fork |= is_act(r, FL_ACTOR_FORK);
        p->migration |= is_act(r, FL_ACTOR_MIGRATE_BEGIN);
        p->collapse |= is_act(r, FL_ACTOR_COLLAPSE);
        p->pinned |= r->kind == FL_REC_PIN;
        p->huge |= r->kind == FL_REC_AREA && (r->u.area.flags & FL_AREA_HUGE);
        p->device |= r->kind == FL_REC_AREA && r->u.area.kind == FL_AREA_DEVICE;
    }
}

/* Where an AREA record may have put an area: hugetlb rounds outwards, stacks grow. */
static void reach(const struct fl_record *r, uint64_t *start, uint64_t *end)
{
    uint64_t size = r->u.area.kind == FL_AREA_HUGETLB     ? UINT64_C(1) << 22
                    : r->u.area.kind == FL_AREA_HUGETLB1G ? UINT64_C(1) << 30
                                                          : PAGE;

    *start = r->u.area.start & ~(size - 1);
    *end = *start + ((r->u.area.pages * PAGE + 2 * size - 1) & ~(size - 1));
    if (r->u.area.flags & FL_AREA_GROWSDOWN)
        *start = *start > GROWTH * PAGE ? *start - GROWTH * PAGE : 0;
}

/* The kinds of area that may be there: a bit for each enum fl_area_kind. */
static unsigned kinds_at(const struct past *p, uint64_t va)
{
    unsigned kinds = 0;

    for (unsigned i = 0; i < p->event; i++) {
        const struct fl_record *r = &p->s->records[i];
        uint64_t start, end;

        if (r->kind != FL_REC_AREA)
            continue;
        reach(r, &start, &end);
        if (va >= start && va < end)
            kinds |= 1u << r->u.area.kind;
    }
    return kinds;
}

/* Could small pages there become a huge one? */
static bool may_collapse(const struct past *p, uint64_t va)
{
    uint64_t size = p->s->machine.mode == FL_MODE_2LEVEL ? UINT64_C(1) << 22 : UINT64_C(1) << 21,
             from = va & ~(size - 1);

    for (unsigned i = 0; i < p->event; i++) {
        const struct fl_record *r = &p->s->records[i];
        uint64_t start, end;

        if (r->kind != FL_REC_AREA || r->u.area.kind != FL_AREA_ANON || (r->u.area.flags & FL_AREA_SHARED))
            continue;
        reach(r, &start, &end);
        if (start <= from && from + size <= end)
            return true;
    }
    return false;
}

static bool fits(const struct past *p, enum fl_act act, uint64_t va)
{
    const unsigned cached = 1u << FL_AREA_FILE | 1u << FL_AREA_SHMEM;
    unsigned kinds = kinds_at(p, va);

    if (!kinds)
        return false;
    switch (act) {
    case FL_ACTOR_UFFD_CONTINUE: return kinds & 1u << FL_AREA_SHMEM;
    case FL_ACTOR_TRUNCATE:
    case FL_ACTOR_CLEAN: return kinds & cached;
    case FL_ACTOR_COLLAPSE: return may_collapse(p, va);
    case FL_ACTOR_HINT: return kinds & ~(1u << FL_AREA_HUGETLB | 1u << FL_AREA_HUGETLB1G);
    case FL_ACTOR_SPLIT_BEGIN:
    case FL_ACTOR_SPLIT: return p->huge || p->collapse;
    case FL_ACTOR_MIGRATE_END: return p->migration;
    default: return true;
    }
}

static void add(const struct past *p, struct choices *out, enum fl_act act, unsigned mm, uint64_t va, uint32_t pages,
                unsigned arg)
{
    struct choice c = {.record = (uint16_t)p->event, .what = {.kind = FL_REC_RACE}};

    c.what.u.act.act = (uint8_t)act;
    c.what.u.act.mm = (uint8_t)mm;
    c.what.u.act.va = va;
    c.what.u.act.pages = pages;
    c.what.u.act.arg = (uint8_t)arg;
    choices_add(out, &c);
}

/* What takes a range of pages. */
static void add_range(const struct past *p, struct choices *out, unsigned mm, uint64_t va, uint32_t pages)
{
    static const uint8_t prots[] = {0, FL_AREA_READ, FL_AREA_WRITE, FL_AREA_READ | FL_AREA_WRITE};

    add(p, out, FL_ACTOR_DONTNEED, mm, va, pages, 0);
    add(p, out, FL_ACTOR_MUNMAP, mm, va, pages, 0);
    add(p, out, FL_ACTOR_MLOCK, mm, va, pages, 0);
    for (size_t i = 0; i < sizeof prots; i++)
        add(p, out, FL_ACTOR_MPROTECT, mm, va, pages, prots[i]);
}

/* What is about one page. */
static void add_page(const struct past *p, struct choices *out, unsigned mm, uint64_t va)
{
    static const uint8_t acts[] = {
        FL_ACTOR_READ,          FL_ACTOR_WRITE,    FL_ACTOR_UFFD_CONTINUE, FL_ACTOR_RECLAIM,     FL_ACTOR_MIGRATE_END,
        FL_ACTOR_MIGRATE_BEGIN, FL_ACTOR_HINT,     FL_ACTOR_COLLAPSE,      FL_ACTOR_SPLIT_BEGIN, FL_ACTOR_SPLIT,
        FL_ACTOR_POISON,        FL_ACTOR_TRUNCATE, FL_ACTOR_CLEAN,         FL_ACTOR_SATURATE};

    for (size_t i = 0; i < sizeof acts; i++)
        if (fits(p, (enum fl_act)acts[i], va))
            add(p, out, (enum fl_act)acts[i], mm, va, 1, 0);
}

static void add_plain(const struct past *p, struct choices *out)
{
    const struct fl_machine *m = &p->s->machine;
    uint64_t va = p->s->records[p->event].u.pin.start & ~(PAGE - 1); /* an act needs an address of user space */

    if (va >= UINT64_C(0x40000000))
        va = PAGE;
    add(p, out, FL_ACTOR_FORK, 0, va, 1, 0);
    if (p->fork)
        add(p, out, FL_ACTOR_EXIT, 0, va, 1, 0);
    add(p, out, FL_ACTOR_SIGKILL, 0, va, 1, 0);
    add(p, out, FL_ACTOR_SIGKILL_OTHER, 0, va, 1, 0);
    if (p->pinned) {
        add(p, out, FL_ACTOR_UNPIN, 0, va, 1, 0);
        add(p, out, FL_ACTOR_USE, 0, va, 1, 0);
    }
    if (p->device)
        add(p, out, FL_ACTOR_DEVICE_GONE, 0, va, 1, 0);
    if (m->vsyscall && m->mode >= FL_MODE_4LEVEL)
        add(p, out, FL_ACTOR_GATE_GONE, 0, va, 1, 0);
}

/* The pages that are acted on one by one: those of the range, and the first one of each area outside it. */
static unsigned list_pages(const struct past *p, uint64_t start, uint32_t n, uint64_t *pages, unsigned most)
{
    unsigned count = 0;

    for (uint32_t i = 0; i < n && count < most; i++) {
        if (n > MOST_PAGES && i == MOST_PAGES - 2)
            i = n - 2;
        if (start + i * PAGE >= start && kinds_at(p, start + i * PAGE))
            pages[count++] = start + i * PAGE;
    }
    for (unsigned i = 0; i < p->event && count < most; i++) {
        const struct fl_record *r = &p->s->records[i];
        bool there = false;

        if (r->kind != FL_REC_AREA || (r->u.area.start >= start && r->u.area.start < start + n * PAGE))
            continue;
        for (unsigned k = 0; k < count; k++)
            there |= pages[k] == r->u.area.start;
        if (!there)
            pages[count++] = r->u.area.start;
    }
    return count;
}

void acts_list(const struct fl_scenario *s, unsigned event, struct choices *out)
{
    const struct fl_record *pin = &s->records[event];
    struct past p = {.s = s, .event = event};
    uint64_t start = pin->u.pin.start & ~(PAGE - 1), pages[64];
    uint32_t n = (int32_t)pin->u.pin.n < 0 ? 0 : pin->u.pin.n;
    unsigned count;

    if (n > FL_PIN_ROOM)
        n = FL_PIN_ROOM;
    look_back(&p);
    count = list_pages(&p, start, n, pages, 64);
    add_plain(&p, out);
    for (unsigned mm = 0; mm < (p.fork ? 2u : 1u); mm++) {
        for (unsigned i = 0; i < count; i++) {
            add_page(&p, out, mm, pages[i]);
            add_range(&p, out, mm, pages[i], 1);
        }
        if (n > 1 && count)
            add_range(&p, out, mm, start, n);
        for (unsigned i = 0; i < event; i++) {
            const struct fl_record *r = &s->records[i];

            if (r->kind == FL_REC_AREA && r->u.area.pages > 1 && (r->u.area.start != start || r->u.area.pages != n))
                add_range(&p, out, mm, r->u.area.start, r->u.area.pages);
        }
    }
}
