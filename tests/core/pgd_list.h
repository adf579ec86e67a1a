/* SPDX-License-Identifier: MIT */
/*
 * A list of page tables for the tests of sync_all. The trace tells the order: ( lock, n next table, r read, P and G
 * writes through a hook, F flush, ) unlock.
 */
#ifndef FAULTLINE_TESTS_CORE_PGD_LIST_H
#define FAULTLINE_TESTS_CORE_PGD_LIST_H

#include "tables.h"

struct all {
    struct scene s;
    struct fl_sync_state state;
    unsigned vanish_at; /* before this pgd_next the reference's private entry is cleared by somebody else */
    unsigned nexts;
};

/* Reference with one page at its address; the tables cr3, mm and active are the list. */
static inline struct all all_of(unsigned mode, unsigned generation)
{
    struct all a = {.s = scene_of(mode, generation), .vanish_at = NO_READ};

    a.s.k.pgd[0] = CR3;
    a.s.k.pgd[1] = MM;
    a.s.k.pgd[2] = ACTIVE;
    a.s.k.npgds = 3;
    return a;
}

static inline bool vanishing_next(void *ctx, unsigned i, uint64_t *root)
{
    struct all *a = ctx;

    if (a->nexts++ == a->vanish_at)
        set_ref(&a->s, private_level(&a->s), 0);
    return fake_ops.pgd_next(ctx, i, root);
}

static inline enum fl_sync_end sync_all(struct all *a)
{
    struct fl_ops ops = scene_ops();
    enum fl_sync_end end = FL_SYNC_COUNT;

    ops.pgd_next = vanishing_next;
    CHECK_EQ(fl_core()->sync_all(&a->s.f.cpu, &a->s.f.kernel, &a->state, &ops, a, &end), FL_OK, "sync_all");
    CHECK(!a->s.k.misuse, "%s", a->s.k.misuse);
    CHECK(!a->s.k.pgd_locked, "the lock is left");
    CHECK_EQ(strspn(a->s.k.trace, "rwPGF(n)"), a->s.k.ntrace, "no other op: %s", a->s.k.trace);
    return end;
}

/* How often that op was called, as far as the trace goes. */
static inline unsigned count(const struct all *a, char letter)
{
    unsigned n = 0;

    for (unsigned i = 0; i < a->s.k.ntrace; i++)
        n += a->s.k.trace[i] == letter;
    return n;
}

/* Maps a further page in the reference, in the same tables. */
static inline uint64_t add_page(struct all *a, uint64_t va)
{
    uint64_t before = a->s.f.cr2, value;

    map_reference(&a->s, va);
    value = ref(&a->s, private_level(&a->s));
    a->s.f.cr2 = before;
    return value;
}

static inline uint64_t slot_for(const struct all *a, uint64_t root, uint64_t va)
{
    return fake_entry(&a->s.k, slot_at(&a->s, root, va));
}

static inline void set_slot_for(struct all *a, uint64_t root, uint64_t va, uint64_t value)
{
    fake_set_entry(&a->s.k, slot_at(&a->s, root, va), value);
}

static inline void set_reference_for(struct all *a, uint64_t va, uint64_t value)
{
    unsigned level = private_level(&a->s);

    fake_set_entry(&a->s.k, entry_in(&a->s, ref_table(&a->s, level), level, va), value);
}

/* What 2008 remembers. */
static inline bool bit(const struct all *a, unsigned index)
{
    return a->state.insync[index / 64] >> index % 64 & 1;
}

static inline unsigned bits(const struct all *a)
{
    unsigned n = 0;

    for (unsigned i = 0; i < 1024; i++)
        n += bit(a, i);
    return n;
}

/* The range is the slot of the mapped page alone (2008, 32 bit: it begins there). */
static inline struct all narrow(unsigned mode, unsigned generation)
{
    struct all a = all_of(mode, generation);
    uint64_t span = UINT64_C(1) << shift_of(&a.s, private_level(&a.s));

    a.s.f.kernel.vmalloc_start = a.s.f.cr2 & ~(span - 1);
    a.s.f.kernel.vmalloc_end = a.s.f.kernel.vmalloc_start + span - 0x1000;
    a.s.f.kernel.fixaddr_top = a.s.f.kernel.vmalloc_end;
    if (generation == FL_GEN_2008_32)
        a.s.f.kernel.task_size = a.s.f.kernel.vmalloc_start;
    return a;
}

#endif
