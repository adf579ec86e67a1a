/* SPDX-License-Identifier: MIT */
/* Idioms of target vmalloc: kernel mappings that come after the address spaces were made, and who touches them when. */
#include "mutator.h"

#include <faultline/fuzz/world.h>

#include "../scenario/internal.h"

#define PAGE 4096u

/* SH4: where P3 begins and, without store queues, ends. */
#define P3_START 0xc0000000u
#define P3_END   0xe0000000u
/* Tables are named by their P1 addresses, of 29 bits. */
#define P1         0x80000000u
#define P3_NOWHERE 0x9f000000u

/* What a mapping looks like: mostly everything that lets the kernel in. */
static uint8_t kernel_flags(struct fl_mutation *m)
{
    unsigned flags = FL_MAP_PRESENT | FL_MAP_WRITE | FL_MAP_ACCESSED | FL_MAP_DIRTY | FL_MAP_GLOBAL;

    if (fl_one_in(m, 4))
        flags ^= 1u << fl_below(m, 8);
    if (fl_one_in(m, 16))
        flags = 0;
    return (uint8_t)flags;
}

struct fl_record *fl_add_leaves(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va, unsigned level,
                                unsigned leaves)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_IOREMAP);

    r->u.ioremap.va = va;
    r->u.ioremap.level = (uint8_t)level;
    r->u.ioremap.leaves = (uint16_t)leaves;
    r->u.ioremap.frame = (uint16_t)(FL_RAM_POOL_END + fl_below(m, FL_RAM_FRAMES - FL_RAM_POOL_END));
    r->u.ioremap.flags = kernel_flags(m);
    return r;
}

static void add_ioremap(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va, unsigned level, unsigned most)
{
    fl_add_leaves(m, out, va, level, 1 + fl_below(m, most));
}

static void add_iounmap(struct fl_idiom_out *out, uint64_t va, uint64_t pages)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_IOUNMAP);

    r->u.iounmap.start = va & ~(uint64_t)(PAGE - 1);
    r->u.iounmap.pages = (uint32_t)(pages < 1u << 24 ? pages : 1u << 24);
}

void fl_add_fork(struct fl_idiom_out *out, unsigned mm)
{
    fl_idiom_add(out, FL_REC_FORK)->u.mm.mm = (uint8_t)mm;
}

void fl_add_switch(struct fl_mutation *m, struct fl_idiom_out *out, unsigned mm, unsigned lag)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_SWITCH);

    r->u.mm.mm = (uint8_t)mm;
    r->u.mm.lag = lag != 0 && fl_one_in(m, lag);
}

void fl_add_sync(struct fl_idiom_out *out)
{
    fl_idiom_add(out, FL_REC_SYNCALL);
}

/* log2 of the size of a leaf. */
static unsigned leaf_shift(const struct fl_mutation *m, unsigned level)
{
    if (level == 1)
        return 12;
    if (m->machine.mode == FL_MODE_2LEVEL)
        return 22;
    return level == 2 || !fl_is_ia32e(m) ? 21 : 30;
}

/* An address space of its own, 1..3. */
static unsigned some_mm(struct fl_mutation *m)
{
    return 1 + fl_below(m, FL_MAX_MMS - 1);
}

/* Somebody to switch to: mostly that one, else the first, another, a kernel thread. */
static unsigned somebody(struct fl_mutation *m, unsigned mm)
{
    return fl_one_in(m, 3) ? fl_below(m, FL_MM_NONE + 1) : mm;
}

/* Which kernel it is, as often as not. */
static void some_kernel(struct fl_mutation *m)
{
    struct fl_machine *c = &m->machine;

    if (fl_one_in(m, 2))
        c->generation = fl_generation_at((enum fl_mode)c->mode, c->sh4, fl_below(m, 5));
    if (fl_one_in(m, 2))
        c->shared_pmd = fl_one_in(m, 4);
    if (fl_one_in(m, 4))
        c->lazy_mmu ^= true;
    if (fl_one_in(m, 8)) {
        c->in_nmi ^= true;
        c->in_atomic = c->in_nmi;
    }
    if (fl_one_in(m, 8))
        c->has_mm ^= true;
    fl_machine_changed(m);
}

/* ---- idioms ------------------------------------------------------------------------------------------------------ */

static void late(struct fl_mutation *m, struct fl_idiom_out *out)
{
    uint64_t first = fl_value_vmalloc_page(m), second = fl_value_vmalloc_page(m);
    unsigned mm = some_mm(m), leaves = 1 + fl_below(m, 4), level = fl_one_in(m, 3) ? 2 : 1;

    if (fl_one_in(m, 2))
        add_ioremap(m, out, first, 1, 3);
    fl_add_fork(out, mm);
    fl_add_leaves(m, out, second, level, leaves);
    if (fl_one_in(m, 2))
        fl_add_fork(out, some_mm(m));
    for (unsigned i = 1 + fl_below(m, 2); i; i--) {
        fl_add_switch(m, out, somebody(m, mm), 6);
        for (unsigned j = 1 + fl_below(m, 2); j; j--)
            fl_add_touch(m, out, (fl_one_in(m, 4) ? first : second) + 4 * j);
    }
    /* One that is not there, beside one that is: the same table. */
    if (fl_one_in(m, 2))
        fl_add_touch(m, out, second + PAGE * (uint64_t)leaves);
}

/* Up to the edge of a top-level entry, or of what else an address space has of its own, and over it. */
static void large(struct fl_mutation *m, struct fl_idiom_out *out)
{
    unsigned level = 2 + fl_below(m, 2), shift = leaf_shift(m, level), below = 1 + fl_below(m, 16),
             above = fl_below(m, 5);
    uint64_t leaf = UINT64_C(1) << shift, own = UINT64_C(1) << fl_own_shift(m);
    uint64_t edge = (fl_value_vmalloc_start(m) | (own - 1)) + 1 + own * fl_below(m, 2), start;
    unsigned mm = some_mm(m);

    if (own <= leaf) /* 32-bit: each leaf is an entry of its own */
        below = 1 + fl_below(m, 3);
    start = edge - below * leaf;
    if (fl_one_in(m, 2))
        fl_add_leaves(m, out, start - leaf, level, 1);
    fl_add_fork(out, mm);
    fl_add_leaves(m, out, start, level, below + above);
    fl_add_switch(m, out, somebody(m, mm), 8);
    fl_add_touch(m, out, edge - 1 - fl_below(m, PAGE));
    fl_add_touch(m, out, edge + fl_below(m, PAGE));
    if (fl_one_in(m, 2))
        fl_add_touch(m, out, edge + above * leaf - fl_below(m, 2));
    if (fl_one_in(m, 2)) {
        fl_add_switch(m, out, somebody(m, 0), 0);
        fl_add_touch(m, out, start + fl_below(m, PAGE));
    }
}

static void lag(struct fl_mutation *m, struct fl_idiom_out *out)
{
    uint64_t va = fl_value_vmalloc_page(m);
    unsigned mm = some_mm(m), other = some_mm(m);

    fl_add_fork(out, mm);
    if (fl_one_in(m, 2))
        fl_add_fork(out, other);
    if (fl_one_in(m, 2))
        fl_add_switch(m, out, other, 0);
    add_ioremap(m, out, va, fl_one_in(m, 3) ? 2 : 1, 3);
    fl_add_switch(m, out, fl_one_in(m, 2) ? mm : FL_MM_NONE, 2);
    if (fl_one_in(m, 2))
        out->r[out->n - 1].u.mm.lag = true;
    fl_add_touch(m, out, va);
    if (fl_one_in(m, 3))
        fl_add_sync(out);
    fl_add_switch(m, out, somebody(m, mm), 4);
    fl_add_touch(m, out, va + 4);
}

/* The copy names a table, or a leaf, that the reference no longer has. */
static void remap(struct fl_mutation *m, struct fl_idiom_out *out)
{
    unsigned mm = some_mm(m), before = 1 + fl_below(m, 3), after = 1 + fl_below(m, 3);
    uint64_t size = UINT64_C(1) << leaf_shift(m, before), va = fl_value_vmalloc_page(m) & ~(size - 1);

    fl_add_fork(out, mm);
    fl_add_leaves(m, out, va, before, 1);
    fl_add_switch(m, out, somebody(m, mm), 0);
    if (!fl_one_in(m, 4))
        fl_add_touch(m, out, va);
    if (fl_one_in(m, 4))
        fl_add_sync(out);
    add_iounmap(out, va, size / PAGE);
    if (fl_one_in(m, 3))
        fl_add_touch(m, out, va + 8);
    add_ioremap(m, out, va, after, 2);
    fl_add_touch(m, out, va + 4);
    fl_add_switch(m, out, somebody(m, 0), 0);
    fl_add_touch(m, out, va + 4);
}

/* Another value where the copy belongs, or below it: none at all, not present, another frame, outside RAM. */
static void add_junk(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va)
{
    struct fl_record *r = fl_idiom_add(out, FL_REC_ENTRY);
    uint64_t frame = (uint64_t)fl_below(m, FL_RAM_FRAMES) * PAGE;

    r->u.entry.va = va;
    r->u.entry.level = (uint8_t)(fl_one_in(m, 3) ? 1 + fl_below(m, 5) : fl_own_level(m));
    r->u.entry.mask = m->machine.mode == FL_MODE_2LEVEL ? UINT32_MAX : UINT64_MAX;
    switch (fl_below(m, 8)) {
    case 0: r->u.entry.set = 0; break;
    case 1: r->u.entry.set = 2; break;            /* not none, not present */
    case 2: r->u.entry.set = frame | 0x62; break; /* the same with a frame */
    case 3: r->u.entry.set = frame | 0x63; break;
    case 4: r->u.entry.set = frame | 0xe3; break; /* a leaf */
    case 5: r->u.entry.set = UINT64_C(0x7fffff000) | 0x63; break;
    default: /* what is there, but for a bit or few: accessed, dirty, no write, no execute */
        r->u.entry.mask = fl_value_entry_bits(m, r->u.entry.level);
        r->u.entry.set = fl_one_in(m, 2) ? r->u.entry.mask : 0;
        break;
    }
    r->u.entry.set &= r->u.entry.mask;
}

static void stale(struct fl_mutation *m, struct fl_idiom_out *out)
{
    uint64_t va = fl_value_vmalloc_page(m);
    unsigned mm = some_mm(m);
    bool before = fl_one_in(m, 2);

    fl_add_fork(out, mm);
    if (before)
        add_ioremap(m, out, va, 1 + fl_below(m, 2), 1);
    fl_add_switch(m, out, somebody(m, mm), 0);
    if (before && fl_one_in(m, 2))
        fl_add_touch(m, out, va);
    if (fl_one_in(m, 4)) {
        /* A mapping of its own in a place that is the reference's. */
        fl_add_kernel_map(m, out, va, 1 + fl_below(m, 2), FL_MAP_PRESENT | FL_MAP_WRITE);
    } else {
        add_junk(m, out, va);
    }
    if (!before)
        add_ioremap(m, out, va, 1 + fl_below(m, 2), 1);
    fl_add_touch(m, out, va + 4);
    if (fl_one_in(m, 3))
        fl_add_sync(out);
    if (fl_one_in(m, 2))
        fl_add_touch(m, out, va + 8);
}

static void limits(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const int16_t offsets[] = {-1, -1, 0, 0, 1, -4096, 4095};
    unsigned mm = some_mm(m);
    struct fl_record *r;
    uint64_t edge;

    if (fl_one_in(m, 3)) {
        /* Not at the edge of a table. */
        if (fl_one_in(m, 2))
            m->machine.vmalloc_start = fl_value_vmalloc_page(m);
        else
            m->machine.vmalloc_end = fl_value_vmalloc_page(m);
        fl_machine_changed(m);
    }
    edge = fl_one_in(m, 2) ? fl_value_vmalloc_start(m) : fl_value_vmalloc_end(m);
    if (fl_one_in(m, 4))
        edge = fl_value_vmalloc_edge(m);
    edge &= ~(uint64_t)(PAGE - 1);
    fl_add_fork(out, mm);
    fl_add_leaves(m, out, edge - PAGE, 1, 2);
    fl_add_switch(m, out, somebody(m, mm), 0);
    if (fl_one_in(m, 4)) {
        /* Damage that some repair and others do not, in a slot that is inside on one side of the edge only. */
        fl_add_sync(out);
        r = fl_add_entry(out, edge, fl_own_level(m), 0);
        if (fl_one_in(m, 2))
            r->u.entry.mask = 1;
        fl_add_sync(out);
        fl_add_touch(m, out, fl_one_in(m, 2) ? edge - PAGE : edge);
    }
    for (unsigned i = 2 + fl_below(m, 3); i; i--)
        fl_add_touch(m, out, edge + (uint64_t)(int64_t)FL_PICK(m, offsets));
    if (fl_one_in(m, 2))
        fl_add_sync(out);
}

static void sync(struct fl_mutation *m, struct fl_idiom_out *out)
{
    uint64_t va[2] = {fl_value_vmalloc_page(m), 0};
    unsigned forks = fl_below(m, FL_MAX_MMS);

    va[1] = fl_value_vmalloc_page(m);
    for (unsigned i = 0; i < forks; i++)
        fl_add_fork(out, 1 + i);
    add_ioremap(m, out, va[0], 1 + fl_below(m, 2), 2);
    fl_add_sync(out);
    if (fl_one_in(m, 2))
        fl_add_switch(m, out, somebody(m, forks), 4);
    fl_add_touch(m, out, va[0]);
    if (fl_one_in(m, 3))
        add_iounmap(out, va[0], 4);
    add_ioremap(m, out, va[1], 1 + fl_below(m, 3), 2);
    if (fl_one_in(m, 4))
        add_junk(m, out, fl_one_in(m, 2) ? va[0] : va[1]);
    fl_add_sync(out);
    fl_add_touch(m, out, va[1]);
    if (fl_one_in(m, 3))
        fl_add_sync(out);
}

/* An SH4's entries have none of the x86's bits: absent, another table, no memory; there and permitting nothing. */
static void add_sh4_junk(struct fl_mutation *m, struct fl_idiom_out *out, uint64_t va)
{
    uint64_t table = P1 | fl_below(m, FL_RAM_FRAMES) * PAGE;

    switch (fl_below(m, 6)) {
    case 0: fl_add_entry(out, va, 2, 0); break;
    case 1: fl_add_entry(out, va, 2, table); break;
    case 2: fl_add_entry(out, va, 2, P3_NOWHERE); break;
    case 3: fl_add_entry_of(m, out, FL_FRAME_REFERENCE, (unsigned)(va >> 22) & 1023, P3_NOWHERE); break;
    case 4: fl_add_entry(out, va, 1, 0); break;
    default: fl_add_entry(out, va, 1, 0x200)->u.entry.mask = 0x300; break; /* not valid, protnone */
    }
}

/* A slot that comes after the copy, in the part of P3 that was forgotten, in the rest, and at the edges of both. */
static void p3(struct fl_mutation *m, struct fl_idiom_out *out)
{
    static const uint32_t bases[] = {P3_START,   P3_START,          P3_START + 0x400000,
                                     0xc1000000, 0xc1000000 - PAGE, P3_END - PAGE};
    uint64_t va = FL_PICK(m, bases);
    unsigned mm = some_mm(m);

    if (fl_one_in(m, 2))
        m->machine.sh4_fixed ^= true;
    if (fl_one_in(m, 8))
        m->machine.vmalloc_end = fl_one_in(m, 2) ? 0xe4000000 : 0;
    fl_machine_changed(m);
    va += PAGE * (uint64_t)fl_below(m, 2);
    if (fl_one_in(m, 4))
        va = fl_value_vmalloc_page(m);
    fl_add_fork(out, mm);
    add_ioremap(m, out, va, 1, 2);
    if (fl_one_in(m, 2))
        fl_add_fork(out, mm);
    fl_add_switch(m, out, mm, 6);
    if (fl_one_in(m, 2))
        fl_add_switch(m, out, FL_MM_NONE, 4);
    if (fl_one_in(m, 3))
        add_sh4_junk(m, out, va);
    fl_add_touch(m, out, va);
    fl_add_touch(m, out, va + (fl_one_in(m, 2) ? PAGE : 4));
    if (fl_one_in(m, 2)) {
        add_iounmap(out, va, 1);
        fl_add_switch(m, out, somebody(m, 0), 0);
        fl_add_touch(m, out, va);
    }
}

void fl_idiom_vmalloc(struct fl_mutation *m, enum fl_idiom idiom, struct fl_idiom_out *out)
{
    if (idiom == FL_IDIOM_P3 && fl_want_sh4(m)) {
        p3(m, out);
        return;
    }
    if (m->machine.sh4 && !fl_one_in(m, 4))
        fl_mutation_set_mode(m, (enum fl_mode)fl_below(m, FL_MODE_COUNT), false);
    some_kernel(m);
    switch (idiom) {
    case FL_IDIOM_LARGE: large(m, out); break;
    case FL_IDIOM_LAG: lag(m, out); break;
    case FL_IDIOM_REMAP: remap(m, out); break;
    case FL_IDIOM_STALE: stale(m, out); break;
    case FL_IDIOM_LIMITS: limits(m, out); break;
    case FL_IDIOM_SYNC: sync(m, out); break;
    case FL_IDIOM_LOST: fl_idiom_lost(m, out); break;
    default: late(m, out); break;
    }
}
