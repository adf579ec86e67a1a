/* SPDX-License-Identifier: MIT */
/* Idioms of target walk: tables and the accesses that walk them. */
#include "mutator.h"

#define PAGE 4096u

static void add_map(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va, unsigned level)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_MAP);
    uint64_t random = fl_draw(m);

    r->u.map.va = va;
    r->u.map.level = (uint8_t)level;
    r->u.map.frame = (uint16_t)(random >> 8 & 1023);
    /* Present, and the rest as it comes; twice as often with everything that lets accesses through. */
    r->u.map.flags = (uint8_t)(FL_MAP_PRESENT | (random & 3 ? FL_MAP_WRITE | FL_MAP_USER : random >> 32));
    if ((random >> 2 & 3) == 0)
        r->u.map.flags |= FL_MAP_NX;
    if ((random >> 4 & 7) == 0)
        r->u.map.flags ^= FL_MAP_PRESENT;
    if (m->machine.pke || m->machine.pks)
        r->u.map.pkey = (uint8_t)(random >> 40 & 15);
}

static void add_entry(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_ENTRY);

    r->u.entry.va = va;
    r->u.entry.level = (uint8_t)(1 + fl_below(m, 5));
    r->u.entry.mask = fl_value_entry_bits(m, r->u.entry.level);
    r->u.entry.set = fl_one_in(m, 2) ? r->u.entry.mask : fl_draw(m) & r->u.entry.mask;
}

static void add_access(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va, unsigned kind)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_ACCESS);
    uint64_t random = fl_draw(m);

    r->u.access.va = random & 3 ? va + (random >> 8 & (PAGE - 1)) : fl_value_nudge(m, va);
    r->u.access.kind = (uint8_t)kind;
    r->u.access.priv = (uint8_t)(random & 4 ? FL_USER : (random >> 24) % FL_ACCESS_PRIV_COUNT);
    r->u.access.ac = random >> 32 & 1;
    r->u.access.execute = (random >> 33 & 3) == 0;
}

void fl_idiom_walk(struct fl_mutation *m, enum fl_idiom idiom, struct fl_idiom_out *out)
{
    static const uint8_t levels[] = {1, 1, 1, 2, 2, 3};
    uint64_t va = fl_one_in(m, 4) ? fl_value_kernel_page(m) : fl_value_user_page(m), other;
    unsigned level = FL_PICK(m, levels);

    if (fl_one_in(m, 8))
        va = fl_value_address(m) & ~(uint64_t)(PAGE - 1);
    add_map(m, out, va, level);
    if (idiom == FL_IDIOM_TWINS) {
        /* Next to it, or with one index different: tables are shared down to that level. */
        static const uint8_t shifts[] = {12, 12, 12, 13, 20, 21, 22, 29, 30, 39};

        other = va ^ UINT64_C(1) << FL_PICK(m, shifts);
        add_map(m, out, other, fl_one_in(m, 2) ? level : FL_PICK(m, levels));
        if (fl_one_in(m, 2))
            add_entry(m, out, fl_one_in(m, 2) ? va : other);
        for (unsigned i = 2 + fl_below(m, 4); i; i--)
            add_access(m, out, i & 1 ? va : other, fl_below(m, FL_ACCESS_KIND_COUNT));
        return;
    }
    for (unsigned i = fl_below(m, 4); i; i--)
        add_entry(m, out, va);
    /* Each kind once, in any order, and some more. */
    for (unsigned i = 3 + fl_below(m, 4), kind = fl_below(m, FL_ACCESS_KIND_COUNT); i; i--)
        add_access(m, out, va, kind++ % FL_ACCESS_KIND_COUNT);
}
