/* SPDX-License-Identifier: MIT */
/*
 * Page tables for the tests of the synchronisation: the reference with one page mapped, and tables that lack its entry.
 *
 *     cr3      0x1000 ---(PAE: directory 0x11000)---> slot 0
 *     init     0x2000 -> 0x21000 -> 0x22000 ... -> page 0x700000          each level one frame further
 *     mm_root  0x3000    (PAE: directory 0x13000)
 *     active   0x4000    (PAE: directory 0x14000)
 *
 * Levels count from the leaf (1 = PTE). Bits and shifts are written out here once more, from the manuals.
 */
#ifndef FAULTLINE_TESTS_CORE_TABLES_H
#define FAULTLINE_TESTS_CORE_TABLES_H

#include "check.h"
#include "fake.h"

#define CR3    0x1000u
#define INIT   0x2000u
#define MM     0x3000u
#define ACTIVE 0x4000u
#define PAGE   0x700000u

#define P       0x1u
#define RW      0x2u
#define US      0x4u
#define ACC     0x20u
#define DIRTY   0x40u
#define PS      0x80u
#define NX      0x8000000000000000u
#define TABLE   (P | RW | ACC)         /* what an entry that names a table has set */
#define LEAF    (P | RW | ACC | DIRTY) /* ... and one that maps a page */
#define NO_READ UINT32_MAX

struct scene {
    struct fake k; /* first: it is the ctx */
    struct fl_fault f;
    unsigned levels;
    unsigned fail_read;   /* the read with that index answers "no memory" */
    unsigned change_read; /* the read with that index finds change_to: another processor was here */
    uint64_t change_to;
};

static inline bool scene_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    struct scene *s = ctx;
    unsigned index = s->k.reads;

    if (!fake_ops.read_entry(ctx, paddr, size, value) || index == s->fail_read)
        return false;
    if (index == s->change_read)
        *value = s->change_to;
    return true;
}

static inline struct fl_ops scene_ops(void)
{
    struct fl_ops ops = fake_ops;

    ops.read_entry = scene_read;
    return ops;
}

static inline unsigned shift_of(const struct scene *s, unsigned level)
{
    return s->f.cpu.mode == FL_MODE_2LEVEL ? 2 + 10 * level : 3 + 9 * level;
}

/* Level of the entry that each mm has of its own. */
static inline unsigned private_level(const struct scene *s)
{
    return s->f.cpu.mode == FL_MODE_PAE ? 2 : s->levels;
}

/* Where the entry for va lies in a table of that level. */
static inline uint64_t entry_in(const struct scene *s, uint64_t table, unsigned level, uint64_t va)
{
    unsigned size = s->f.cpu.mode == FL_MODE_2LEVEL ? 4 : 8;
    uint64_t index = (uint32_t)(va >> shift_of(s, level)) & (4096 / size - 1);

    if (s->f.cpu.mode == FL_MODE_PAE && level == 3)
        index &= 3;
    return table + index * size;
}

static inline uint64_t ref_table(const struct scene *s, unsigned level)
{
    return level == s->levels ? INIT : 0x20000 + 0x1000 * (uint64_t)(s->levels - level);
}

/* The reference's entry of that level, for the faulting address. */
static inline uint64_t ref_at(const struct scene *s, unsigned level)
{
    return entry_in(s, ref_table(s, level), level, s->f.cr2);
}

static inline uint64_t ref(const struct scene *s, unsigned level)
{
    return fake_entry(&s->k, ref_at(s, level));
}

static inline void set_ref(struct scene *s, unsigned level, uint64_t value)
{
    fake_set_entry(&s->k, ref_at(s, level), value);
}

/* The private entry under that root. */
static inline uint64_t slot_at(const struct scene *s, uint64_t root, uint64_t va)
{
    return entry_in(s, s->f.cpu.mode == FL_MODE_PAE ? root + 0x10000 : root, private_level(s), va);
}

static inline uint64_t slot(const struct scene *s, uint64_t root)
{
    return fake_entry(&s->k, slot_at(s, root, s->f.cr2));
}

static inline void set_slot(struct scene *s, uint64_t root, uint64_t value)
{
    fake_set_entry(&s->k, slot_at(s, root, s->f.cr2), value);
}

/* Maps the page at va in the reference. */
static inline void map_reference(struct scene *s, uint64_t va)
{
    s->f.cr2 = va;
    for (unsigned level = s->levels; level > 1; level--)
        set_ref(s, level, ref_table(s, level - 1) | (s->f.cpu.mode == FL_MODE_PAE && level == 3 ? P : TABLE));
    set_ref(s, 1, PAGE | LEAF);
    if (s->f.cpu.mode != FL_MODE_PAE)
        return;
    for (uint64_t root = CR3; root <= ACTIVE; root += 0x1000)
        if (root != INIT)
            fake_set_entry(&s->k, entry_in(s, root, 3, va), (root + 0x10000) | P);
}

/* A kernel read of a vmalloc address that only the reference maps. */
static inline struct scene scene_of(unsigned mode, unsigned generation)
{
    static const uint64_t va[] = {0xf8123456, 0xf8123456, 0xffffc98000123456, 0xffa1800000123456};
    struct scene s = {.k = fake_world(), .levels = mode + 2, .fail_read = NO_READ, .change_read = NO_READ};

    s.f = mode <= FL_MODE_PAE ? fake_fault32((enum fl_mode)mode) : fake_fault();
    s.f.cpu.mode = (uint8_t)mode;
    s.f.cpu.page1gb = true;
    s.f.cpu.efer |= mode == FL_MODE_2LEVEL ? 0 : 0x800;
    s.f.kernel.generation = (uint8_t)generation;
    if (mode == FL_MODE_5LEVEL) {
        s.f.kernel.page_offset = 0xff11000000000000;
        s.f.kernel.vmalloc_start = 0xffa0000000000000;
        s.f.kernel.vmalloc_end = 0xffd2000000000000;
    }
    s.f.cpu.cr3 = s.f.task.mm_root = s.f.task.active_root = CR3;
    s.f.kernel.init_root = INIT;
    s.f.regs.cs = 0x10;
    s.f.error_code = 0;
    map_reference(&s, va[mode]);
    return s;
}

static inline enum fl_sync_end vmalloc_fault(struct scene *s)
{
    struct fl_ops ops = scene_ops();
    enum fl_sync_end end = FL_SYNC_COUNT;

    CHECK_EQ(fl_core()->vmalloc_fault(&s->f, &ops, &s->k, &end), FL_OK, "mode %u", s->f.cpu.mode);
    CHECK(!s->k.misuse, "%s", s->k.misuse);
    CHECK_EQ(strspn(s->k.trace, "rwPGFN"), s->k.ntrace, "no other op: %s", s->k.trace);
    return end;
}

/* What was done to the tables: "PF" = written through the PMD hook, flushed. */
static inline const char *deeds(const struct scene *s)
{
    static char text[sizeof s->k.trace];
    unsigned n = 0;

    for (unsigned i = 0; i < s->k.ntrace; i++)
        if (!strchr("r(n)", s->k.trace[i]))
            text[n++] = s->k.trace[i];
    text[n] = 0;
    return text;
}

/* Was an entry read in the bytes [start, end)? */
static inline bool read_within(const struct scene *s, uint64_t start, uint64_t end)
{
    for (unsigned i = 0; i < s->k.reads && i < FAKE_READS; i++)
        if (s->k.read_paddr[i] >= start && s->k.read_paddr[i] < end)
            return true;
    return false;
}

#endif
