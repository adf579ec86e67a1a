/* SPDX-License-Identifier: MIT */
/* The current vmalloc_fault, in every paging mode: what it copies, when it refuses, what it never does. */
#include "tables.h"

#define EACH_MODE(mode) for (unsigned mode = 0; mode < FL_MODE_COUNT; mode++)

static const char *hook_of(unsigned mode)
{
    return mode <= FL_MODE_PAE ? "PF" : "GF";
}

/* The private entry is what the reference has, written once, flushed; no other table is touched. */
static void check_copied(struct scene *s, enum fl_sync_end end, const char *what)
{
    unsigned mode = s->f.cpu.mode;

    CHECK_EQ(end, FL_SYNC_HANDLED, "%s, mode %u", what, mode);
    CHECK(!strcmp(deeds(s), hook_of(mode)), "%s, mode %u: %s", what, mode, deeds(s));
    CHECK_EQ(s->k.write[0].paddr, slot_at(s, CR3, s->f.cr2), "%s, mode %u", what, mode);
    CHECK_EQ(s->k.write[0].size, mode == FL_MODE_2LEVEL ? 4 : 8, "%s, mode %u", what, mode);
    CHECK_EQ(slot(s, CR3), ref(s, private_level(s)), "%s, mode %u", what, mode);
}

static void check_refused(struct scene *s, const char *what)
{
    CHECK_EQ(vmalloc_fault(s), FL_SYNC_NOT_HANDLED, "%s, mode %u", what, s->f.cpu.mode);
    CHECK(!*deeds(s), "%s, mode %u: %s", what, s->f.cpu.mode, deeds(s));
}

static void test_copy(void)
{
    EACH_MODE(mode)
    for (unsigned lazy = 0; lazy < 2; lazy++)
        for (unsigned nmi = 0; nmi < 2; nmi++) {
            struct scene s = scene_of(mode, FL_GEN_CURRENT);
            struct fl_walk w;

            s.k.lazy = lazy;
            s.f.task.in_nmi = s.f.task.in_atomic = nmi;
            s.f.task.mm_root = MM; /* neither current's nor the borrowed tables count, but CR3's */
            s.f.task.active_root = ACTIVE;
            check_copied(&s, vmalloc_fault(&s), "copy");
            CHECK_EQ(slot(&s, MM) | slot(&s, ACTIVE), 0, "mode %u", mode);
            CHECK_EQ(fl_core()->walk(&s.f.cpu, &fake_ops, &s.k, s.f.cr2, &w), FL_OK, "mode %u", mode);
            CHECK_EQ(w.end, FL_WALK_MAPPED, "mode %u", mode);
            CHECK_EQ(w.paddr, PAGE | 0x456, "mode %u", mode);
        }
}

/* A level of the reference that is not there, be its entry zero or only without P. */
static void test_reference_absent(void)
{
    EACH_MODE(mode)
    for (unsigned level = mode + 2; level >= 1; level--)
        for (unsigned zero = 0; zero < 2; zero++) {
            struct scene s = scene_of(mode, FL_GEN_CURRENT);

            set_ref(&s, level, zero ? 0 : ref(&s, level) & ~(uint64_t)P);
            check_refused(&s, "reference absent");
            CHECK_EQ(s.k.reads, s.levels - level + 1, "mode %u level %u", mode, level);
        }
}

static void test_leaves(void)
{
    static const struct {
        uint8_t mode, level;
        bool pse, page1gb;
        bool leaf; /* else PS is no leaf there, and what the entry names is a table. A PDPTE's is one whatever the
                      processor has: there the bit is reserved otherwise, and names no table */
    } cases[] = {
        {FL_MODE_2LEVEL, 2, true, true, true},  {FL_MODE_2LEVEL, 2, false, true, false},
        {FL_MODE_PAE, 2, false, true, true},    {FL_MODE_4LEVEL, 2, false, true, true},
        {FL_MODE_4LEVEL, 3, true, true, true},  {FL_MODE_4LEVEL, 3, true, false, true},
        {FL_MODE_4LEVEL, 4, true, true, false}, {FL_MODE_5LEVEL, 2, true, true, true},
        {FL_MODE_5LEVEL, 3, true, true, true},
    };

    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene s = scene_of(cases[i].mode, FL_GEN_CURRENT);
        uint64_t frame = ref_table(&s, cases[i].level - 1u);

        s.f.cpu.cr4 = cases[i].pse ? s.f.cpu.cr4 | 0x10 : s.f.cpu.cr4 & ~UINT64_C(0x10);
        s.f.cpu.page1gb = cases[i].page1gb;
        set_ref(&s, cases[i].level, ref(&s, cases[i].level) | PS);
        check_copied(&s, vmalloc_fault(&s), "leaf");
        CHECK_EQ(read_within(&s, frame, frame + 0x1000), !cases[i].leaf, "case %u", i);

        /* Data that looks like an absent entry says nothing; an absent entry does. */
        s = scene_of(cases[i].mode, FL_GEN_CURRENT);
        s.f.cpu.cr4 = cases[i].pse ? s.f.cpu.cr4 | 0x10 : s.f.cpu.cr4 & ~UINT64_C(0x10);
        s.f.cpu.page1gb = cases[i].page1gb;
        set_ref(&s, cases[i].level, ref(&s, cases[i].level) | PS);
        set_ref(&s, cases[i].level - 1u, 0);
        CHECK_EQ(vmalloc_fault(&s), cases[i].leaf ? FL_SYNC_HANDLED : FL_SYNC_NOT_HANDLED, "case %u", i);
    }
}

static void test_destination_differs(void)
{
    EACH_MODE(mode)
    {
        const struct scene fresh = scene_of(mode, FL_GEN_CURRENT);
        uint64_t want = ref(&fresh, private_level(&fresh));
        const uint64_t other[] = {
            0x55000 | TABLE,      /* another frame: no assertion */
            want & ~(uint64_t)P,  /* there, but for P */
            0x55000 | RW,         /* not present, not zero */
            want & ~(uint64_t)RW, /* other rights */
            want ^ DIRTY,         /* D means nothing in an entry that names a table: it was put there */
            want ^ (DIRTY | ACC),
        };

        for (unsigned i = 0; i < sizeof other / sizeof *other; i++) {
            struct scene s = fresh;

            set_slot(&s, CR3, other[i]);
            check_copied(&s, vmalloc_fault(&s), "destination differs");
        }
    }
}

/* A and D of what the processor itself has set are no difference: nothing is written. */
static void test_accessed_and_dirty(void)
{
    EACH_MODE(mode)
    {
        struct scene s = scene_of(mode, FL_GEN_CURRENT);

        set_slot(&s, CR3, ref(&s, private_level(&s)) ^ ACC);
        CHECK_EQ(vmalloc_fault(&s), FL_SYNC_HANDLED, "mode %u", mode);
        CHECK(!*deeds(&s), "mode %u: %s", mode, deeds(&s));
        if (mode > FL_MODE_PAE)
            continue;
        for (unsigned bits = 1; bits < 4; bits++) {
            s = scene_of(mode, FL_GEN_CURRENT);
            set_ref(&s, 2, 0x800000 | LEAF | PS);
            set_slot(&s, CR3, ref(&s, 2) ^ (bits & 1 ? ACC : 0) ^ (bits & 2 ? DIRTY : 0));
            CHECK_EQ(vmalloc_fault(&s), FL_SYNC_HANDLED, "mode %u bits %u", mode, bits);
            CHECK(!*deeds(&s), "mode %u: %s", mode, deeds(&s));
        }
    }
}

/* The entry is there already: handled only if the access can be made now. */
static void test_same_already(void)
{
    enum { WP = 0x10000, SMAP = 0x200000, SMEP = 0x100000, AC = 0x40000, RESERVED = 1 << 30 };
    static const struct {
        const char *what;
        uint64_t code, set, clear; /* of the PTE */
        uint64_t cr0, cr4, flags;
        uint16_t cs;
        bool handled;
    } cases[] = {
        {"read", 0, 0, 0, 0, 0, 0, 0x10, true},
        {"write", 2, 0, 0, WP, 0, 0, 0x10, true},
        {"write, read-only", 2, 0, RW, WP, 0, 0, 0x10, false},
        {"write, read-only, WP off", 2, 0, RW, 0, 0, 0, 0x10, true},
        {"read, read-only", 0, 0, RW, WP, 0, 0, 0x10, true},
        {"fetch", 0x10, 0, 0, 0, 0, 0, 0x10, true},
        {"fetch, NX", 0x10, NX, 0, 0, 0, 0, 0x10, false},
        {"write, NX", 2, NX, 0, WP, 0, 0, 0x10, true},
        {"both bits: a write", 0x12, NX, 0, WP, 0, 0, 0x10, true},
        {"unknown bits", 0x8000, 0, 0, 0, 0, 0, 0x10, true},
        {"fetch of a user page", 0x10, US, 0, 0, SMEP, 0, 0x10, false},
        {"read of a user page", 0, US, 0, 0, SMAP, 0, 0x10, false},
        {"... with AC", 0, US, 0, 0, SMAP, AC, 0x10, true},
        {"... with AC, implicit", 0, US, 0, 0, SMAP, AC, 0x33, false},
        {"... with AC, implicit, no SMAP", 0, US, 0, 0, 0, AC, 0x33, true},
        {"reserved bit", 0, UINT64_C(1) << 45, 0, 0, 0, 0, 0x10, false},
    };
    unsigned done = 0;

    EACH_MODE(mode)
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scene s = scene_of(mode, FL_GEN_CURRENT);

        if (mode == FL_MODE_2LEVEL && cases[i].set >> 32)
            continue;
        if (cases[i].set & US)
            for (unsigned level = s.levels; level > 1; level--)
                if (!(mode == FL_MODE_PAE && level == 3))
                    set_ref(&s, level, ref(&s, level) | US);
        set_ref(&s, 1, (ref(&s, 1) | cases[i].set) & ~cases[i].clear);
        set_slot(&s, CR3, ref(&s, private_level(&s)));
        s.f.error_code = cases[i].code;
        s.f.cpu.cr0 = (s.f.cpu.cr0 & ~(uint64_t)WP) | cases[i].cr0;
        s.f.cpu.cr4 |= cases[i].cr4;
        s.f.regs.flags = cases[i].flags | 0x202;
        s.f.regs.cs = cases[i].cs;
        CHECK_EQ(vmalloc_fault(&s), cases[i].handled ? FL_SYNC_HANDLED : FL_SYNC_NOT_HANDLED, "mode %u: %s", mode,
                 cases[i].what);
        CHECK(!*deeds(&s), "mode %u: %s: %s", mode, cases[i].what, deeds(&s));
        done++;
    }
    CHECK_EQ(done, 4 * sizeof cases / sizeof *cases - 4, "four cases need bits that 2-level entries do not have");
}

static void test_pae(void)
{
    struct scene s = scene_of(FL_MODE_PAE, FL_GEN_CURRENT);

    /* The table shares the reference's directory. */
    fake_set_entry(&s.k, entry_in(&s, CR3, 3, s.f.cr2), ref(&s, 3));
    CHECK_EQ(vmalloc_fault(&s), FL_SYNC_HANDLED, "shared directory");
    CHECK(!*deeds(&s), "%s", deeds(&s));
    set_ref(&s, 1, ref(&s, 1) & ~(uint64_t)RW);
    fake_forget(&s.k);
    s.f.error_code = 2;
    check_refused(&s, "shared directory, the access is refused");

    /* It has none: there is no slot, and the table at physical address 0 is none either. */
    for (unsigned zero = 0; zero < 2; zero++) {
        s = scene_of(FL_MODE_PAE, FL_GEN_CURRENT);
        fake_set_entry(&s.k, entry_in(&s, CR3, 3, s.f.cr2), zero ? 0 : 0x11000);
        check_refused(&s, "no directory");
    }
}

static void test_range(void)
{
    EACH_MODE(mode)
    {
        const struct scene fresh = scene_of(mode, FL_GEN_CURRENT);
        uint64_t start = fresh.f.kernel.vmalloc_start, end = fresh.f.kernel.vmalloc_end;
        const struct {
            uint64_t va;
            bool inside;
        } at[] = {{start - 1, false}, {start, true}, {end - 1, true}, {end, false}, {fresh.f.kernel.task_size, false}};

        for (unsigned i = 0; i < sizeof at / sizeof *at; i++) {
            struct scene s = fresh;

            map_reference(&s, at[i].va);
            if (at[i].inside)
                check_copied(&s, vmalloc_fault(&s), "inside");
            else {
                check_refused(&s, "outside");
                CHECK_EQ(s.k.reads, 0, "mode %u", mode);
            }
        }
    }
    /* No table translates these, though the kernel's numbers have them inside. */
    for (unsigned mode = FL_MODE_4LEVEL; mode <= FL_MODE_5LEVEL; mode++) {
        struct scene s = scene_of(mode, FL_GEN_CURRENT);

        s.f.kernel.vmalloc_start = 0;
        s.f.cr2 &= UINT64_MAX >> 1;
        check_refused(&s, "not canonical");
        CHECK_EQ(s.k.reads, 0, "mode %u", mode);
    }
    /* CR2 of a 32-bit kernel has 32 bits. */
    for (unsigned mode = FL_MODE_2LEVEL; mode <= FL_MODE_PAE; mode++) {
        struct scene s = scene_of(mode, FL_GEN_CURRENT);

        s.f.cr2 |= UINT64_C(1) << 32;
        check_copied(&s, vmalloc_fault(&s), "33 bits");
    }
}

static void test_no_memory(void)
{
    EACH_MODE(mode)
    for (unsigned same = 0; same < 2; same++) {
        struct scene fresh = scene_of(mode, FL_GEN_CURRENT);
        unsigned before; /* reads before the re-walk, which may end anyhow: its answer is no */

        before = fresh.levels + (mode == FL_MODE_PAE ? 2 : 1);
        if (same)
            set_slot(&fresh, CR3, ref(&fresh, private_level(&fresh)));
        for (unsigned i = 0; i < before + (same ? fresh.levels : 0); i++) {
            struct scene s = fresh;

            s.fail_read = i;
            CHECK_EQ(vmalloc_fault(&s), i < before ? FL_SYNC_WILD : FL_SYNC_NOT_HANDLED, "mode %u read %u", mode, i);
            CHECK_EQ(s.k.reads, i + 1, "mode %u", mode);
            CHECK(!*deeds(&s), "mode %u: %s", mode, deeds(&s));
        }
    }
    EACH_MODE(mode)
    {
        struct scene s = scene_of(mode, FL_GEN_CURRENT);

        s.k.read_only = slot_at(&s, CR3, s.f.cr2);
        s.k.rom_end = s.k.read_only + 1;
        CHECK_EQ(vmalloc_fault(&s), FL_SYNC_WILD, "mode %u: the write fails", mode);
        CHECK_EQ(s.k.nflushes, 0, "mode %u", mode);
    }
}

int main(void)
{
    test_copy();
    test_reference_absent();
    test_leaves();
    test_destination_differs();
    test_accessed_and_dirty();
    test_same_already();
    test_pae();
    test_range();
    test_no_memory();
    return check_done("vmalloc_current");
}
