/* SPDX-License-Identifier: MIT */
/*
 * Addresses. A page that is mapped, covered by a VMA and then touched stands in several records, so all that name it have to
 * move together: what lies in a range of pages into one page, everything that lies close together to a plain base, then single
 * bits of a page, and of a whole address, wherever it stands. A candidate that moves a part onto another one does not keep the key, or does no harm.
 */
#include "pass.h"

#include <stdlib.h>
#include <string.h>

#define PAGE     UINT64_C(4096)
#define NEAR     UINT64_C(0x200000) /* what is nearer than that stays at its distance: stacks keep a gap of 1 MiB */
#define MOST     (2 * FL_MAX_RECORDS + 4)
#define MACHINE  UINT32_MAX     /* place.record: a field of the machine */
#define NO_WHERE UINT64_C(4096) /* smaller numbers are no addresses */

/* Where an address stands. */
struct place {
    uint64_t value, end; /* end: of what begins there */
    uint32_t record;
    unsigned field; /* of the record; MACHINE: which of machine_fields */
};

static uint64_t *machine_field(struct fl_machine *m, unsigned which)
{
    uint64_t *const all[] = {&m->ip, &m->sp, &m->vmalloc_start, &m->vmalloc_end};

    return all[which];
}

static int by_value(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    if (x->record != y->record)
        return x->record < y->record ? -1 : 1;
    return x->field < y->field ? -1 : x->field > y->field;
}

static uint64_t end_of(const struct fl_record *r, uint64_t start)
{
    uint64_t pages = 1;

    if (r->kind == FL_REC_VMA)
        pages = r->u.vma.pages;
    else if (r->kind == FL_REC_UNMAP || r->kind == FL_REC_PROTECT || r->kind == FL_REC_ZAP)
        pages = r->u.range.pages;
    else if (r->kind == FL_REC_IOUNMAP)
        pages = r->u.iounmap.pages;
    else if (r->kind == FL_REC_IOREMAP)
        pages = (uint64_t)r->u.ioremap.leaves << 9 * (r->u.ioremap.level - 1);
    else if (r->kind == FL_REC_AREA)
        pages = r->u.area.pages;
    else if (r->kind == FL_REC_ACT || r->kind == FL_REC_RACE)
        pages = r->u.act.pages;
    else if (r->kind == FL_REC_PIN && r->u.pin.n && r->u.pin.n < 1u << 24) /* more is a range that does not exist */
        pages = r->u.pin.n;
    return start + pages * PAGE < start ? UINT64_MAX : start + pages * PAGE;
}

/* All addresses of the best scenario, in order. */
static unsigned list(struct work *w, struct place *all)
{
    unsigned n = 0;

    for (unsigned k = 0; k < 4; k++) {
        uint64_t value = *machine_field(&w->best.machine, k);

        if (value >= NO_WHERE)
            all[n++] = (struct place){value, value, MACHINE, k};
    }
    for (uint32_t i = 0; i < w->best.nrecords; i++) {
        const struct fl_record *r = &w->best.records[i];
        unsigned count;
        const struct field *f = fields_of((enum fl_record_kind)r->kind, &count);

        for (unsigned k = 0; k < count; k++) {
            uint64_t value = field_get(&f[k], r);

            if (f[k].role == ROLE_ADDRESS && value >= NO_WHERE)
                all[n++] = (struct place){value, end_of(r, value), i, k};
        }
    }
    qsort(all, n, sizeof *all, by_value);
    return n;
}

static void put(struct fl_scenario *s, const struct place *p, uint64_t value)
{
    unsigned count;

    if (p->record == MACHINE)
        *machine_field(&s->machine, p->field) = value;
    else
        field_set(&fields_of((enum fl_record_kind)s->records[p->record].kind, &count)[p->field], &s->records[p->record],
                  value);
}

/* Moves all of them by the same distance. */
static bool try_move(struct work *w, const struct place *p, unsigned n, uint64_t by)
{
    struct fl_scenario *s = work_begin(w);

    for (unsigned i = 0; i < n; i++)
        put(s, &p[i], p[i].value + by);
    return work_try(w);
}

/* ---- to plain bases ------------------------------------------------------------------------------------------------- */

static const uint64_t bases[] = {
    0,
    0x1000,
    0x10000,
    0x100000,
    0x200000,
    0x400000,
    0x1000000,
    0x10000000,
    0x20000000,
    0x40000000,
    0x80000000,
    0xc0000000,
    0xf8000000,
    0x100000000,
    0x8000000000,
    UINT64_C(0x400000000000),
    UINT64_C(0xff00000000000000),
    UINT64_C(0xffa0000000000000),
    UINT64_C(0xffff800000000000),
    UINT64_C(0xffff880000000000),
    UINT64_C(0xffffc90000000000),
    UINT64_C(0xffffffff80000000),
};

/* One group of neighbours to the first base that does, with what of its place is kept being as little as possible. */
static bool to_a_base(struct work *w, const struct place *p, unsigned n)
{
    static const uint64_t kept[] = {PAGE - 1, 0x1fffff, 0x3fffff, 0x3fffffff};

    for (unsigned k = 0; k < sizeof kept / sizeof kept[0]; k++)
        for (unsigned b = 0; b < sizeof bases / sizeof bases[0] && !work_over(w); b++) {
            uint64_t to = bases[b] + (p[0].value & kept[k]);

            if (to != p[0].value && try_move(w, p, n, to - p[0].value))
                return true;
        }
    return false;
}

static void groups(struct work *w, struct place *all)
{
    unsigned n = list(w, all), first = 0;

    while (first < n && !work_over(w)) {
        uint64_t end = all[first].end;
        unsigned count = 1;

        while (first + count < n && (all[first + count].value < end || all[first + count].value - end <= NEAR)) {
            if (all[first + count].end > end)
                end = all[first + count].end;
            count++;
        }
        if (to_a_base(w, all + first, count)) {
            /* The order may be another one now: again from the start of what is left. */
            n = list(w, all);
            first = 0;
            continue;
        }
        first += count;
    }
}

/* ---- into one page -------------------------------------------------------------------------------------------------- */

/* A range of pages becomes one page, and whatever lies in it lies in that one. */
static void collapse(struct work *w, struct place *all)
{
    for (unsigned k = 0; k < list(w, all) && !work_over(w); k++) {
        const struct place range = all[k];
        unsigned n = list(w, all), count;
        struct fl_scenario *s;
        const struct field *f;

        if (range.end <= range.value + PAGE || range.record == MACHINE)
            continue;
        s = work_begin(w);
        f = fields_of((enum fl_record_kind)s->records[range.record].kind, &count);
        for (unsigned i = 0; i < count; i++)
            if (f[i].role == ROLE_NUMBER && f[i].usual == 1 && f[i].width > 1)
                field_set(&f[i], &s->records[range.record], 1);
        for (unsigned i = 0; i < n; i++)
            if (all[i].value >= range.value && all[i].value < range.end)
                put(s, &all[i], (range.value & ~(PAGE - 1)) | (all[i].value & (PAGE - 1)));
        work_try(w);
    }
}

/* ---- single bits ---------------------------------------------------------------------------------------------------- */

/* For each run of places with the same value behind shift: each of its bits from `from` down to `to`. */
static void shared_bits(struct work *w, struct place *all, unsigned shift, unsigned from, unsigned to)
{
    for (unsigned bit = from; bit-- > to && !work_over(w);) {
        unsigned n = list(w, all), first = 0;

        while (first < n) {
            unsigned count = 1;

            while (first + count < n && all[first + count].value >> shift == all[first].value >> shift)
                count++;
            if (count > 1 && (all[first].value >> bit & 1) &&
                try_move(w, all + first, count, 0 - (UINT64_C(1) << bit))) {
                n = list(w, all);
                first = 0;
                continue;
            }
            first += count;
        }
    }
}

void pass_addresses(struct work *w)
{
    struct place *all = malloc(MOST * sizeof *all);

    if (!all)
        return;
    collapse(w, all);
    groups(w, all);
    shared_bits(w, all, 12, 64, 12);
    shared_bits(w, all, 0, 12, 0);
    free(all);
}
