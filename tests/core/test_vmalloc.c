/* SPDX-License-Identifier: MIT */
/*
 * vmalloc_fault: which generations there are, and what each of the historical ones did, its faults included. Situations
 * are rows; the columns are the generations, by the steps that they take.
 */
#include "tables.h"
#include "vmalloc.h"

/* Who takes which steps. */
enum column { C08_32, C08_64, C14, C14_PAE, C16_32, C16_64, COLUMNS };

static const struct kind {
    uint8_t mode, generation, column;
    const char *copy; /* what it does to copy an entry */
} kinds[] = {
    {FL_MODE_2LEVEL, FL_GEN_2008_32, C08_32, "PF"}, {FL_MODE_PAE, FL_GEN_2008_32, C08_32, "PF"},
    {FL_MODE_4LEVEL, FL_GEN_2008_64, C08_64, "G"},  {FL_MODE_2LEVEL, FL_GEN_2014_NATIVE, C14, "w"},
    {FL_MODE_4LEVEL, FL_GEN_2014_NATIVE, C14, "w"}, {FL_MODE_2LEVEL, FL_GEN_2014_PV32, C14, "P"},
    {FL_MODE_4LEVEL, FL_GEN_2014_PV64, C14, "GF"},  {FL_MODE_PAE, FL_GEN_2014_NATIVE, C14_PAE, "-"},
    {FL_MODE_PAE, FL_GEN_2014_PV32, C14_PAE, "-"},  {FL_MODE_2LEVEL, FL_GEN_2016, C16_32, "P"},
    {FL_MODE_PAE, FL_GEN_2016, C16_32, "P"},        {FL_MODE_4LEVEL, FL_GEN_2016, C16_64, "GF"},
};

#define EACH_KIND(k) for (const struct kind *k = kinds; k < kinds + sizeof kinds / sizeof *kinds; k++)

static struct scene scene_kind(const struct kind *k)
{
    return scene_of(k->mode, k->generation);
}

/* ---- what there is ---- */

static void test_generations(void)
{
    unsigned found = 0;

    for (unsigned mode = 0; mode <= FL_MODE_COUNT; mode++)
        for (unsigned generation = 0; generation <= FL_GEN_COUNT; generation++) {
            struct scene s = scene_of(mode % FL_MODE_COUNT, FL_GEN_CURRENT);
            bool want = mode < FL_MODE_COUNT && generation == FL_GEN_CURRENT;
            enum fl_sync_end end = FL_SYNC_COUNT;

            EACH_KIND(k)
            want |= mode == k->mode && generation == k->generation;
            found += want;
            CHECK_EQ(core_generation_exists(mode, generation), want, "mode %u generation %u", mode, generation);
            s.f.cpu.mode = (uint8_t)mode;
            s.f.kernel.generation = (uint8_t)generation;
            CHECK_EQ(fl_core()->vmalloc_fault(&s.f, &fake_ops, &s.k, &end), want ? FL_OK : FL_INVALID,
                     "mode %u generation %u", mode, generation);
            CHECK_EQ(end == FL_SYNC_COUNT, !want, "mode %u generation %u", mode, generation);
        }
    CHECK_EQ(found, 4 + 12, "generations");
    CHECK(!core_generation_exists(UINT32_MAX, 0) && !core_generation_exists(0, UINT32_MAX), "any values");
}

static void test_contract(void)
{
    struct scene s = scene_of(FL_MODE_4LEVEL, FL_GEN_CURRENT);
    enum fl_sync_end end = FL_SYNC_COUNT;

    CHECK_EQ(fl_core()->vmalloc_fault(NULL, &fake_ops, &s.k, &end), FL_INVALID, "no fault");
    CHECK_EQ(fl_core()->vmalloc_fault(&s.f, NULL, &s.k, &end), FL_INVALID, "no ops");
    CHECK_EQ(fl_core()->vmalloc_fault(&s.f, &fake_ops, &s.k, NULL), FL_INVALID, "no end");
    for (unsigned i = 0; i < FAKE_OPS; i++) {
        struct fl_ops ops = fake_ops_without(i);

        CHECK_EQ(fl_core()->vmalloc_fault(&s.f, &ops, &s.k, &end), FL_INVALID, "op %u", i);
    }
    s.f.kernel.word = 2;
    CHECK_EQ(fl_core()->vmalloc_fault(&s.f, &fake_ops, &s.k, &end), FL_INVALID, "word");
    CHECK_EQ(s.k.ntrace, 0, "%s", s.k.trace);
    CHECK_EQ(end, FL_SYNC_COUNT, "untouched");
}

/* ---- situations ---- */

/* What became of one entry of the reference, or how the private one in use differs from the reference's. */
enum change { KEPT, CLEARED, NOT_PRESENT, OTHER_FRAME, OTHER_FRAME_NOT_PRESENT, OTHER_RIGHTS };

static uint64_t changed(uint64_t value, enum change how)
{
    static const struct {
        uint64_t set, clear;
    } changes[] = {
        [KEPT] = {0, 0},
        [CLEARED] = {0, UINT64_MAX},
        [NOT_PRESENT] = {0, P},
        [OTHER_FRAME] = {0x800000, 0},
        [OTHER_FRAME_NOT_PRESENT] = {0x800000, P},
        [OTHER_RIGHTS] = {US, RW | ACC},
    };

    return (value & ~changes[how].clear) | changes[how].set;
}

enum {
    NO = FL_SYNC_NOT_HANDLED,
    OK = FL_SYNC_HANDLED,
    BUG = FL_SYNC_BUG,
    COPY = 16, /* after the copy */
    NA = 99    /* that column has no such level, or (2014: PMD) differs by mode: see test_2level_top */
};

/* level counts from the leaf; 0: no change of the reference. */
static const struct situation {
    const char *what;
    uint8_t level;
    uint8_t ref, dst;      /* enum change; dst CLEARED: the entry is absent */
    uint8_t want[COLUMNS]; /* 2008-32, 2008-64, 2014, 2014 with PAE, 2016-32, 2016-64 */
} situations[] = {
    {"absent in the table", 0, KEPT, CLEARED, {OK | COPY, OK | COPY, OK | COPY, NO, OK | COPY, OK | COPY}},
    {"there already", 0, KEPT, KEPT, {OK, OK, NO, NO, OK, OK}},
    {"there, with other rights", 0, KEPT, OTHER_RIGHTS, {OK, OK, NO, NO, OK, OK}},
    {"there, another frame", 0, KEPT, OTHER_FRAME, {BUG, BUG, NO, NO, BUG, BUG}},
    {"there without P", 0, KEPT, NOT_PRESENT, {OK | COPY, OK, NO, NO, OK | COPY, OK}},
    {"without P, another frame", 0, KEPT, OTHER_FRAME_NOT_PRESENT, {OK | COPY, BUG, NO, NO, OK | COPY, BUG}},
    {"reference: no PGD", 4, CLEARED, CLEARED, {NA, NO, NO, NA, NA, NO}},
    {"reference: PGD without P", 4, NOT_PRESENT, CLEARED, {NA, OK | COPY, NO, NA, NA, OK | COPY}},
    {"reference: no PDPTE or PUD", 3, CLEARED, CLEARED, {NO, NO | COPY, OK | COPY, NO, NO, NO | COPY}},
    {"reference: PDPTE or PUD without P", 3, NOT_PRESENT, CLEARED, {NO, OK | COPY, OK | COPY, NO, NO, OK | COPY}},
    {"reference: no PMD", 2, CLEARED, CLEARED, {NO, NO | COPY, NA, NO, NO, NO | COPY}},
    {"reference: PMD without P", 2, NOT_PRESENT, CLEARED, {NO, OK | COPY, NA, NO, NO, OK | COPY}},
    {"reference: no PTE", 1, CLEARED, CLEARED, {NO | COPY, NO | COPY, OK | COPY, NO, NO | COPY, NO | COPY}},
    {"reference: PTE without P", 1, NOT_PRESENT, CLEARED, {NO | COPY, NO | COPY, OK | COPY, NO, NO | COPY, NO | COPY}},
    {"reference: no PTE, there already", 1, CLEARED, KEPT, {NO, NO, NO, NO, NO, NO}},
};

static void check_situation(const struct kind *k, const struct situation *it)
{
    struct scene s = scene_kind(k);
    uint8_t want = it->want[k->column];
    const char *copy = want & COPY ? k->copy : "";
    uint64_t root = k->generation == FL_GEN_2008_64                   ? MM
                    : k->generation == FL_GEN_2016 && *k->copy == 'G' ? ACTIVE
                                                                      : CR3;

    if (it->level > s.levels || want == NA)
        return;
    s.f.task.mm_root = MM;
    s.f.task.active_root = ACTIVE;
    if (it->level)
        set_ref(&s, it->level, changed(ref(&s, it->level), it->ref));
    set_slot(&s, root, changed(ref(&s, private_level(&s)), it->dst));

    CHECK_EQ(vmalloc_fault(&s), want & ~COPY, "%s, mode %u generation %u", it->what, k->mode, k->generation);
    CHECK(!strcmp(deeds(&s), copy), "%s, mode %u generation %u: %s", it->what, k->mode, k->generation, deeds(&s));
    if (*copy) {
        CHECK_EQ(s.k.write[0].paddr, slot_at(&s, root, s.f.cr2), "%s, mode %u", it->what, k->mode);
        CHECK_EQ(s.k.write[0].size, k->mode == FL_MODE_2LEVEL ? 4 : 8, "%s, mode %u", it->what, k->mode);
        CHECK_EQ(slot(&s, root), ref(&s, private_level(&s)), "%s, mode %u", it->what, k->mode);
    }
}

static void test_situations(void)
{
    EACH_KIND(k)
    for (unsigned i = 0; i < sizeof situations / sizeof *situations; i++)
        check_situation(k, &situations[i]);
}

/* Two levels alone: the PMD is the top, which the 2014 copy looks at as well. */
static void test_2level_top(void)
{
    EACH_KIND(k)
    for (unsigned zero = 0; zero < 2; zero++) {
        struct scene s = scene_kind(k);

        if (k->mode != FL_MODE_2LEVEL)
            continue;
        set_ref(&s, 2, zero ? 0 : 0x21000 | RW);
        CHECK_EQ(vmalloc_fault(&s), FL_SYNC_NOT_HANDLED, "generation %u", k->generation);
        CHECK_EQ(s.k.ntrace, 1, "generation %u: %s", k->generation, s.k.trace);
    }
}

/* The generations of 2008 take a leaf for a table: whatever data is there decides. That of 2016 does not look. */
static void test_leaves(void)
{
    EACH_KIND(k)
    for (unsigned level = 2; level <= 3; level++)
        for (unsigned data = 0; data < 3; data++) {
            struct scene s = scene_kind(k);
            bool new = k->generation == FL_GEN_2016;
            uint64_t frame = ref_table(&s, level - 1);
            enum fl_sync_end want = FL_SYNC_HANDLED;

            if (k->column == C14 || k->column == C14_PAE || (level == 3 && k->mode != FL_MODE_4LEVEL))
                continue;
            set_ref(&s, level, ref(&s, level) | PS);
            if (data == 0) /* looks like entries: a wild access to whatever they name would follow */
                want = FL_SYNC_HANDLED;
            if (data == 1) { /* zeroes */
                set_ref(&s, level - 1, 0);
                want = new ? FL_SYNC_HANDLED : FL_SYNC_NOT_HANDLED;
            }
            if (data == 2) { /* device memory beyond the RAM, as in 2016's report */
                s.k.hole = frame;
                s.k.hole_end = frame + 0x1000;
                want = new ? FL_SYNC_HANDLED : FL_SYNC_WILD;
            }
            CHECK_EQ(vmalloc_fault(&s), want, "mode %u generation %u level %u data %u", k->mode, k->generation, level,
                     data);
            CHECK_EQ(read_within(&s, frame, frame + 0x1000), !new, "mode %u level %u", k->mode, level);
            CHECK(!strcmp(deeds(&s), k->copy), "mode %u: %s", k->mode, deeds(&s));
        }

    /* PS is no leaf with CR4.PSE off. In a PDPTE it always is, also on a processor without 1 GiB pages. */
    for (unsigned mode = FL_MODE_2LEVEL; mode <= FL_MODE_4LEVEL; mode += 2) {
        struct scene s = scene_of(mode, FL_GEN_2016);

        s.f.cpu.cr4 &= ~UINT64_C(0x10);
        s.f.cpu.page1gb = false;
        set_ref(&s, mode == FL_MODE_2LEVEL ? 2 : 3, ref(&s, mode == FL_MODE_2LEVEL ? 2 : 3) | PS);
        set_ref(&s, 1, 0);
        CHECK_EQ(vmalloc_fault(&s), mode == FL_MODE_2LEVEL ? FL_SYNC_NOT_HANDLED : FL_SYNC_HANDLED, "mode %u", mode);
    }
}

/* The lower tables are shared, so only a race (or a queued write) can make them differ. */
static void test_64_assertions(void)
{
    static const unsigned generations[] = {FL_GEN_2008_64, FL_GEN_2016};

    for (unsigned g = 0; g < 2; g++)
        for (unsigned level = 1; level <= 3; level++)
            for (unsigned how = 0; how < 4; how++) {
                struct scene s = scene_of(FL_MODE_4LEVEL, generations[g]);
                const uint64_t found[] = {0, 0x800000 | TABLE, ref(&s, level) ^ (RW | ACC), 0};

                /* Reads: both PGDs, the table's again, then reference and table level by level. */
                set_slot(&s, CR3, ref(&s, 4));
                if (how == 3) /* none is not frame 0 */
                    set_ref(&s, level, TABLE);
                s.change_read = 2 + 2 * (4 - level);
                s.change_to = found[how];
                CHECK_EQ(vmalloc_fault(&s), how == 2 ? FL_SYNC_HANDLED : FL_SYNC_BUG, "generation %u level %u how %u",
                         generations[g], level, how);
                CHECK_EQ(s.k.reads, how == 2 ? 9 : s.change_read + 1, "generation %u level %u", generations[g], level);
                CHECK_EQ(s.k.nwrites, 0, "generation %u level %u", generations[g], level);
            }
}

/* ---- range ---- */

static void test_range(void)
{
    EACH_KIND(k)
    {
        const struct scene fresh = scene_kind(k);
        uint64_t start = fresh.f.kernel.vmalloc_start, end = fresh.f.kernel.vmalloc_end;
        uint64_t kernel = fresh.f.kernel.page_offset;
        bool has_range = k->column == C08_64 || k->generation == FL_GEN_2016;
        bool has_index = k->column == C14;
        const struct {
            uint64_t va;
            bool inside, indexed;
        } at[] = {{start - 1, false, true}, {start, true, true},        {end - 1, true, true},   {end, false, true},
                  {kernel, false, true},    {kernel - 1, false, false}, {0x400000, false, false}};

        for (unsigned i = 0; i < sizeof at / sizeof *at; i++) {
            struct scene s = fresh;
            bool want = has_range ? at[i].inside : has_index ? at[i].indexed : k->column != C14_PAE;

            map_reference(&s, at[i].va);
            s.f.task.in_nmi = true;
            CHECK_EQ(vmalloc_fault(&s), want ? FL_SYNC_HANDLED : FL_SYNC_NOT_HANDLED,
                     "mode %u generation %u va %" PRIx64, k->mode, k->generation, at[i].va);
            CHECK_EQ(s.k.nwrites, want, "mode %u generation %u va %" PRIx64, k->mode, k->generation, at[i].va);
            /* The check comes before everything else; then, 2016, the warning. */
            CHECK_EQ(s.k.ntrace == 0, !want, "mode %u generation %u: %s", k->mode, k->generation, s.k.trace);
            CHECK_EQ(strchr(s.k.trace, 'N') == s.k.trace, want && k->generation == FL_GEN_2016, "%s", s.k.trace);
        }
    }
}

/* CR2 of a 32-bit kernel has 32 bits, and nobody warns outside NMI context. */
static void test_32_bits(void)
{
    EACH_KIND(k)
    {
        struct scene s = scene_kind(k);
        bool want = k->column != C14_PAE;

        if (k->mode > FL_MODE_PAE)
            continue;
        s.f.cr2 |= UINT64_C(0xabc) << 32;
        CHECK_EQ(vmalloc_fault(&s), want ? FL_SYNC_HANDLED : FL_SYNC_NOT_HANDLED, "generation %u", k->generation);
        CHECK(!strchr(s.k.trace, 'N'), "%s", s.k.trace);
    }
}

/* ---- destinations ---- */

static void test_destination(void)
{
    EACH_KIND(k)
    {
        struct scene s = scene_kind(k);
        uint64_t want = k->column == C08_64 ? MM : k->column == C16_64 ? ACTIVE : CR3;

        s.f.task.mm_root = MM;
        s.f.task.active_root = ACTIVE;
        vmalloc_fault(&s);
        for (uint64_t root = CR3; root <= ACTIVE; root += 0x1000)
            if (root != INIT)
                CHECK_EQ(slot(&s, root) != 0, root == want && k->column != C14_PAE,
                         "mode %u generation %u root %" PRIx64, k->mode, k->generation, root);
    }

    /* A kernel thread of 2008: the reference with itself is in step, and CR3's table lacks the entry as before. */
    struct scene s = scene_of(FL_MODE_4LEVEL, FL_GEN_2008_64);

    s.f.task.mm_root = 0;
    CHECK_EQ(vmalloc_fault(&s), FL_SYNC_HANDLED, "without an mm");
    CHECK_EQ(s.k.nwrites, 0, "without an mm");
}

static void test_pae_directories(void)
{
    static const unsigned generations[] = {FL_GEN_2008_32, FL_GEN_2016};

    for (unsigned g = 0; g < 2; g++) {
        struct scene s = scene_of(FL_MODE_PAE, generations[g]);
        uint64_t pdpte = entry_in(&s, CR3, 3, s.f.cr2), at_zero = entry_in(&s, 0, 2, s.f.cr2);

        fake_set_entry(&s.k, pdpte, ref(&s, 3));
        CHECK_EQ(vmalloc_fault(&s), FL_SYNC_HANDLED, "shared directory");
        CHECK_EQ(s.k.nwrites, 0, "shared directory");

        /* Nobody tests the table's PDPTE: zero names the table at physical address 0. */
        s = scene_of(FL_MODE_PAE, generations[g]);
        fake_set_entry(&s.k, pdpte, 0);
        CHECK_EQ(vmalloc_fault(&s), FL_SYNC_HANDLED, "no directory");
        CHECK_EQ(s.k.write[0].paddr, at_zero, "no directory");
        CHECK_EQ(fake_entry(&s.k, at_zero), ref(&s, 2), "no directory");

        s = scene_of(FL_MODE_PAE, generations[g]);
        fake_set_entry(&s.k, pdpte, 0);
        s.k.hole_end = 0x1000;
        CHECK_EQ(vmalloc_fault(&s), FL_SYNC_WILD, "no directory, no memory");
    }
}

/* ---- lazy MMU updates ---- */

static void test_lazy(void)
{
    EACH_KIND(k)
    {
        struct scene s = scene_kind(k);
        bool flushes = strchr(k->copy, 'F'), queues = strpbrk(k->copy, "PG");
        enum fl_sync_end want = k->column == C14_PAE  ? FL_SYNC_NOT_HANDLED
                                : k->column == C08_64 ? FL_SYNC_BUG
                                                      : FL_SYNC_HANDLED;

        /* 2008, 64 bit: the entry still reads as zero, which names the table at physical address 0: all zeroes. */
        s.k.lazy = true;
        CHECK_EQ(vmalloc_fault(&s), want, "mode %u generation %u", k->mode, k->generation);
        CHECK_EQ(s.k.nqueue, queues && !flushes, "mode %u generation %u", k->mode, k->generation);
        CHECK_EQ(slot(&s, CR3) != 0, *k->copy == 'w' || flushes, "mode %u generation %u", k->mode, k->generation);
    }

    struct scene s = scene_of(FL_MODE_4LEVEL, FL_GEN_2008_64);

    s.k.lazy = true;
    s.k.hole_end = 0x1000;
    CHECK_EQ(vmalloc_fault(&s), FL_SYNC_WILD, "no memory at 0");

    /* Were the right entries there by chance, nobody would notice. */
    s = scene_of(FL_MODE_4LEVEL, FL_GEN_2008_64);
    s.k.lazy = true;
    fake_set_entry(&s.k, entry_in(&s, 0, 3, s.f.cr2), ref(&s, 3));
    CHECK_EQ(vmalloc_fault(&s), FL_SYNC_HANDLED, "the right entry at 0");
    CHECK_EQ(slot(&s, CR3), 0, "still queued");
}

/* ---- no memory ---- */

static void test_no_memory(void)
{
    EACH_KIND(k)
    {
        struct scene plain = scene_kind(k);
        unsigned reads;

        vmalloc_fault(&plain);
        reads = plain.k.reads;
        CHECK_EQ(reads == 0, k->column == C14_PAE, "mode %u generation %u", k->mode, k->generation);
        for (unsigned i = 0; i < reads; i++) {
            struct scene s = scene_kind(k);

            s.fail_read = i;
            CHECK_EQ(vmalloc_fault(&s), FL_SYNC_WILD, "mode %u generation %u read %u", k->mode, k->generation, i);
            CHECK_EQ(s.k.reads, i + 1, "mode %u generation %u", k->mode, k->generation);
        }
        if (!reads)
            continue;

        struct scene s = scene_kind(k);

        s.k.read_only = slot_at(&s, CR3, s.f.cr2);
        s.k.rom_end = s.k.read_only + 1;
        CHECK_EQ(vmalloc_fault(&s), FL_SYNC_WILD, "mode %u generation %u: the write fails", k->mode, k->generation);
        CHECK_EQ(s.k.nflushes, 0, "mode %u generation %u", k->mode, k->generation);
    }
}

int main(void)
{
    test_generations();
    test_contract();
    test_situations();
    test_2level_top();
    test_leaves();
    test_64_assertions();
    test_range();
    test_32_bits();
    test_destination();
    test_pae_directories();
    test_lazy();
    test_no_memory();
    return check_done("vmalloc");
}
