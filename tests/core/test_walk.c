/* SPDX-License-Identifier: MIT */
/* The walk: every way it ends at every level, what it reads, translation and rights of each page size. */
#include "check.h"
#include "fake.h"

#define CR4_PSE 0x10u
#define NXE     0x800u

/* Tables at 0x10000 (top), 0x11000, ... one per level, each with the one entry that va needs. */
struct tables {
    struct fake world;
    struct fl_cpu cpu;
    uint64_t va;
    unsigned levels, size;
    uint64_t page;
};

static uint64_t where(const struct tables *t, unsigned level)
{
    static const uint8_t shift8[] = {0, 12, 21, 30, 39, 48};
    unsigned shift = t->size == 4 ? (level == 1 ? 12 : 22) : shift8[level];
    uint64_t mask = t->size == 4 ? 0x3ff : t->cpu.mode == FL_MODE_PAE && level == 3 ? 3 : 0x1ff;

    return 0x10000 + 0x1000 * (uint64_t)(t->levels - level) + (t->va >> shift & mask) * t->size;
}

static uint64_t *entry(struct tables *t, unsigned level)
{
    return &t->world.entry[t->levels - level].value;
}

/* Everything present, writable, user, accessed; the leaf at level 1. */
static struct tables build(enum fl_mode mode, enum fl_vendor vendor)
{
    static const unsigned levels[] = {2, 3, 4, 5};
    static const uint64_t va[] = {0xbfc12345, 0xbfc12345, 0x00007abcdef01234, 0x00abcdef12345678};
    struct tables t = {.world = fake_world(), .levels = levels[mode], .size = mode == FL_MODE_2LEVEL ? 4 : 8};

    t.cpu = (struct fl_cpu){.mode = (uint8_t)mode,
                            .vendor = (uint8_t)vendor,
                            .maxphyaddr = 40,
                            .pse36 = true,
                            .page1gb = true,
                            .cr3 = 0x10000,
                            .cr4 = CR4_PSE,
                            .efer = NXE};
    t.va = va[mode];
    t.page = 0x7654000;
    t.world.nentries = t.levels;
    for (unsigned level = t.levels; level >= 1; level--) {
        t.world.entry[t.levels - level].paddr = where(&t, level);
        *entry(&t, level) = (level == 1 ? t.page : 0x10000 + 0x1000 * (uint64_t)(t.levels - level + 1)) | 0x27;
    }
    if (mode == FL_MODE_PAE)
        *entry(&t, 3) = 0x11000 | 1;
    return t;
}

static struct fl_walk walk(struct tables *t)
{
    struct fl_walk w;

    memset(&w, 0xa5, sizeof w);
    CHECK_EQ(fl_core()->walk(&t->cpu, &fake_ops, &t->world, t->va, &w), FL_OK, "walk");
    return w;
}

static unsigned reads_of(const struct tables *t, unsigned level)
{
    unsigned pdptes = t->cpu.mode == FL_MODE_PAE && t->cpu.vendor == FL_VENDOR_INTEL ? 3 : 0;

    return t->levels - level + 1 + pdptes;
}

static void test_small_pages(void)
{
    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++)
        for (unsigned vendor = 0; vendor < FL_VENDOR_COUNT; vendor++) {
            struct tables t = build(mode, vendor);
            struct fl_walk w = walk(&t);

            CHECK_EQ(w.end, FL_WALK_MAPPED, "mode %u", mode);
            CHECK_EQ(w.level, 1, "mode %u", mode);
            CHECK_EQ(w.page_shift, 12, "mode %u", mode);
            CHECK_EQ(w.paddr, t.page | (t.va & 0xfff), "mode %u", mode);
            CHECK(w.writable && w.user && !w.nx && w.accessed && !w.dirty, "mode %u", mode);
            CHECK_EQ(w.entry, *entry(&t, 1), "mode %u", mode);
            CHECK_EQ(w.entry_paddr, where(&t, 1), "mode %u", mode);
            CHECK_EQ(t.world.reads, reads_of(&t, 1), "mode %u vendor %u", mode, vendor);
            CHECK_EQ(t.world.read_size, t.size, "mode %u", mode);
            CHECK_EQ(t.world.ntrace, t.world.reads, "mode %u: no other op", mode);
        }
}

/* Each end at each level: the walk names the level, the entry and its place, and leaves the rest zero. */
static void test_ends(void)
{
    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++)
        for (unsigned vendor = 0; vendor < FL_VENDOR_COUNT; vendor++)
            for (unsigned level = 1; level <= build(mode, vendor).levels; level++) {
                struct tables t = build(mode, vendor);
                struct fl_walk w;

                *entry(&t, level) &= ~UINT64_C(1);
                w = walk(&t);
                CHECK_EQ(w.end, FL_WALK_ABSENT, "mode %u level %u", mode, level);
                CHECK_EQ(w.level, level, "mode %u level %u", mode, level);
                CHECK_EQ(w.entry, *entry(&t, level), "mode %u level %u", mode, level);
                CHECK_EQ(w.entry_paddr, where(&t, level), "mode %u level %u", mode, level);
                CHECK(!w.writable && !w.user && !w.nx && !w.paddr && !w.page_shift, "mode %u level %u", mode, level);
                CHECK_EQ(t.world.reads, reads_of(&t, level), "mode %u level %u", mode, level);

                t = build(mode, vendor);
                t.world.ram_end = where(&t, level) & ~UINT64_C(0xfff);
                w = walk(&t);
                CHECK_EQ(w.end, FL_WALK_NO_TABLE, "mode %u level %u", mode, level);
                CHECK_EQ(w.level, level, "mode %u level %u", mode, level);
                CHECK_EQ(w.entry, 0, "mode %u level %u", mode, level);

                if (mode == FL_MODE_2LEVEL)
                    continue; /* 4 KiB entries have no reserved bits there */
                t = build(mode, vendor);
                *entry(&t, level) |= UINT64_C(1) << 45;
                w = walk(&t);
                CHECK_EQ(w.end, FL_WALK_RESERVED, "mode %u level %u", mode, level);
                CHECK_EQ(w.level, level, "mode %u level %u", mode, level);
                CHECK_EQ(w.entry, *entry(&t, level), "mode %u level %u", mode, level);
            }
}

static void test_large_pages(void)
{
    static const struct {
        enum fl_mode mode;
        unsigned level, shift;
        uint64_t leaf, page;
    } cases[] = {
        {FL_MODE_2LEVEL, 2, 22, 0x804010e7, 0x80400000},   /* bit 12 is PAT, no address bit */
        {FL_MODE_2LEVEL, 2, 22, 0x801fe0e7, 0xff80000000}, /* PSE-36 */
        {FL_MODE_PAE, 2, 21, 0x12e00010e7, 0x12e0000000},    {FL_MODE_4LEVEL, 2, 21, 0x12e02000e7, 0x12e0200000},
        {FL_MODE_4LEVEL, 3, 30, 0x12c00010e7, 0x12c0000000}, {FL_MODE_5LEVEL, 3, 30, 0x40000000e7, 0x4000000000},
        {FL_MODE_5LEVEL, 2, 21, 0xffffe000e7, 0xffffe00000},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tables t = build(cases[i].mode, FL_VENDOR_INTEL);
        struct fl_walk w;

        *entry(&t, cases[i].level) = cases[i].leaf;
        w = walk(&t);
        CHECK_EQ(w.end, FL_WALK_MAPPED, "case %u", i);
        CHECK_EQ(w.level, cases[i].level, "case %u", i);
        CHECK_EQ(w.page_shift, cases[i].shift, "case %u", i);
        CHECK_EQ(w.paddr, cases[i].page | (t.va & ((UINT64_C(1) << cases[i].shift) - 1)), "case %u", i);
        CHECK(w.dirty && w.accessed, "case %u", i);
        *entry(&t, cases[i].level) |= 1 << 20 | 1 << 21;
        if (cases[i].shift == 30 || cases[i].mode == FL_MODE_2LEVEL)
            CHECK_EQ(walk(&t).end, FL_WALK_RESERVED, "case %u: bits 21:20", i);
    }
}

/* PS where it maps nothing: ignored, reserved, or the name of a table. */
static void test_page_size_off(void)
{
    struct tables t = build(FL_MODE_2LEVEL, FL_VENDOR_INTEL);

    t.cpu.cr4 = 0;
    *entry(&t, 2) |= 0x80;
    CHECK_EQ(walk(&t).level, 1, "PS without CR4.PSE is ignored");

    t = build(FL_MODE_PAE, FL_VENDOR_INTEL);
    t.cpu.cr4 = 0;
    *entry(&t, 2) = 0x12e00000e7;
    CHECK_EQ(walk(&t).page_shift, 21, "PAE needs no CR4.PSE");

    t = build(FL_MODE_4LEVEL, FL_VENDOR_INTEL);
    t.cpu.page1gb = false;
    *entry(&t, 3) = 0x12c00000e7;
    CHECK_EQ(walk(&t).end, FL_WALK_RESERVED, "PS in a PDPTE without 1 GiB pages");
    for (unsigned mode = FL_MODE_4LEVEL; mode <= FL_MODE_5LEVEL; mode++)
        for (unsigned level = 4; level <= build(mode, FL_VENDOR_INTEL).levels; level++)
            for (unsigned vendor = 0; vendor < FL_VENDOR_COUNT; vendor++) {
                t = build(mode, vendor);
                *entry(&t, level) |= 0x80;
                CHECK_EQ(walk(&t).end, FL_WALK_RESERVED, "PS at level %u", level);
                t = build(mode, vendor);
                *entry(&t, level) |= 0x100;
                CHECK_EQ(walk(&t).end, vendor == FL_VENDOR_AMD ? FL_WALK_RESERVED : FL_WALK_MAPPED, "G at level %u",
                         level);
            }
}

/* Rights are the conjunction over the levels; the PDPTE of PAE has none. */
static void test_rights(void)
{
    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++)
        for (unsigned level = 1; level <= build(mode, FL_VENDOR_AMD).levels; level++) {
            struct tables t;
            struct fl_walk w;

            if (mode == FL_MODE_PAE && level == 3)
                continue;
            t = build(mode, FL_VENDOR_AMD);
            *entry(&t, level) &= ~UINT64_C(2);
            w = walk(&t);
            CHECK(!w.writable && w.user && !w.nx, "mode %u level %u", mode, level);
            t = build(mode, FL_VENDOR_AMD);
            *entry(&t, level) &= ~UINT64_C(4);
            w = walk(&t);
            CHECK(w.writable && !w.user && !w.nx, "mode %u level %u", mode, level);
            if (mode == FL_MODE_2LEVEL)
                continue;
            t = build(mode, FL_VENDOR_AMD);
            *entry(&t, level) |= UINT64_C(1) << 63;
            w = walk(&t);
            CHECK(w.writable && w.user && w.nx, "mode %u level %u", mode, level);
            t.cpu.efer = 0;
            w = walk(&t);
            CHECK_EQ(w.end, FL_WALK_RESERVED, "XD without NXE, mode %u level %u", mode, level);
        }
}

static void test_pkey(void)
{
    for (unsigned mode = FL_MODE_PAE; mode < FL_MODE_COUNT; mode++) {
        struct tables t = build(mode, FL_VENDOR_INTEL);
        struct fl_walk w;

        *entry(&t, 1) |= UINT64_C(11) << 59;
        *entry(&t, 2) |= mode == FL_MODE_PAE ? 0 : UINT64_C(4) << 59;
        w = walk(&t);
        CHECK_EQ(w.end, mode == FL_MODE_PAE ? FL_WALK_RESERVED : FL_WALK_MAPPED, "mode %u", mode);
        CHECK_EQ(w.pkey, mode == FL_MODE_PAE ? 0 : 11, "mode %u", mode);
    }
}

/* Intel loads all four PDPTEs, AMD reads one. va 0xbfc12345 needs number 2. */
static void test_pdptes(void)
{
    for (unsigned i = 0; i < 4; i++)
        for (unsigned vendor = 0; vendor < FL_VENDOR_COUNT; vendor++) {
            struct tables t = build(FL_MODE_PAE, vendor);
            bool seen = vendor == FL_VENDOR_INTEL || i == 2;
            struct fl_walk w;

            t.world.entry[3].paddr = 0x10000 + 8 * i;
            t.world.entry[3].value = 0x11003; /* bit 1 is reserved */
            t.world.nentries = 4;
            w = walk(&t);
            CHECK_EQ(w.end, seen ? FL_WALK_RESERVED : FL_WALK_MAPPED, "PDPTE %u vendor %u", i, vendor);
            CHECK_EQ(w.level, seen ? 3 : 1, "PDPTE %u vendor %u", i, vendor);
            if (seen) {
                CHECK_EQ(w.entry_paddr, 0x10000 + 8 * i, "PDPTE %u", i);
                CHECK_EQ(w.entry, 0x11003, "PDPTE %u", i);
            }
            t.world.entry[3].value = 0x11002; /* malformed, but absent */
            w = walk(&t);
            CHECK_EQ(w.end, i == 2 ? FL_WALK_ABSENT : FL_WALK_MAPPED, "PDPTE %u vendor %u", i, vendor);
        }

    struct tables t = build(FL_MODE_PAE, FL_VENDOR_INTEL);
    t.world.nentries = 5;
    t.world.entry[3].paddr = 0x10018;
    t.world.entry[3].value = 0x21;
    t.world.entry[4].paddr = 0x10008;
    t.world.entry[4].value = 0x41;
    CHECK_EQ(walk(&t).entry, 0x41, "the first malformed PDPTE is named");
    t = build(FL_MODE_PAE, FL_VENDOR_INTEL);
    t.cpu.cr3 = 0x1001f;
    CHECK_EQ(walk(&t).end, FL_WALK_MAPPED, "CR3 bits 4:0 are no address");
}

static void test_noncanonical(void)
{
    for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++) {
        struct tables t = build(mode, FL_VENDOR_INTEL);
        struct fl_walk w;

        t.va = mode < FL_MODE_4LEVEL ? UINT64_C(1) << 32 : UINT64_C(1) << 60;
        w = walk(&t);
        CHECK_EQ(w.end, FL_WALK_NONCANONICAL, "mode %u", mode);
        CHECK_EQ(w.level, 0, "mode %u", mode);
        CHECK_EQ(t.world.reads, 0, "mode %u", mode);
    }
}

static void test_invalid(void)
{
    struct tables t = build(FL_MODE_4LEVEL, FL_VENDOR_INTEL);
    const struct fl_core *core = fl_core();
    struct fl_walk w = {.level = 77};

    CHECK_EQ(core->abi, FL_CORE_ABI, "abi");
    CHECK(core->name && core->name[0], "name");
    CHECK_EQ(core->walk(NULL, &fake_ops, &t.world, 0, &w), FL_INVALID, "cpu");
    CHECK_EQ(core->walk(&t.cpu, NULL, &t.world, 0, &w), FL_INVALID, "ops");
    CHECK_EQ(core->walk(&t.cpu, &fake_ops, &t.world, 0, NULL), FL_INVALID, "out");
    for (unsigned i = 0; i < FAKE_OPS; i++) {
        struct fl_ops ops = fake_ops_without(i);

        CHECK_EQ(core->walk(&t.cpu, &ops, &t.world, 0, &w), FL_INVALID, "op %u", i);
    }
    t.cpu.mode = FL_MODE_COUNT;
    CHECK_EQ(core->walk(&t.cpu, &fake_ops, &t.world, 0, &w), FL_INVALID, "mode");
    CHECK_EQ(w.level, 77, "out is untouched");
    CHECK_EQ(t.world.ntrace, 0, "no op was called");
}

int main(void)
{
    test_small_pages();
    test_ends();
    test_large_pages();
    test_page_size_off();
    test_rights();
    test_pkey();
    test_pdptes();
    test_noncanonical();
    test_invalid();
    return check_done("walk");
}
