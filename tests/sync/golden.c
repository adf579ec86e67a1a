/* SPDX-License-Identifier: MIT */
/*
 * Worked cases of the synchronisation, generation by generation: what each did with the same tables, written out from
 * their descriptions; and what a handler may read.
 *
 *     reference  top -> A -> B -> C -> DATA       CR3 -> FRAME_LIVE, PAE: -> page directory FRAME_OWN
 */
#include "../check.h"
#include "mini.h"

#define CUR FL_GEN_CURRENT
#define G08 FL_GEN_2008_64
#define G32 FL_GEN_2008_32
#define NAT FL_GEN_2014_NATIVE
#define P32 FL_GEN_2014_PV32
#define P64 FL_GEN_2014_PV64
#define G16 FL_GEN_2016

#define NO   FL_SYNC_NOT_HANDLED
#define OK   FL_SYNC_HANDLED
#define BUG  FL_SYNC_BUG
#define WILD FL_SYNC_WILD

/* What is done to the usual tables: reference mapped by a 4 KiB page, live slot empty. */
enum twist {
    AS_USUAL,
    SLOT_THERE,      /* the live slot is the reference's, and the PTE is missing for none */
    SLOT_THERE_READ, /* ... and the error code is that of a write to a read-only page */
    SLOT_DIFFERS,
    SLOT_JUNK,      /* not present, not zero, another frame */
    SLOT_JUNK_SAME, /* not present, the reference's frame */
    NO_PTE,         /* the reference's PTE is absent */
    NO_MIDDLE,      /* the reference's PDE is absent */
    NO_TOP,         /* the reference's slot (PAE: its PDPTE) is absent */
    LARGE,          /* the reference maps a large page by a PDE; what would be its table says nothing */
    HUGE,           /* ... by a PDPTE: 4-level only */
    LOST,           /* the reference's last table is no memory */
    OUTSIDE,        /* the address lies behind the range */
    LAZY,           /* lazy MMU updates are on */
    IN_NMI,
    OTHER_MM,    /* CR3 is still that of the task before */
    NO_MM,       /* a kernel thread: mm_root 0, active_root borrowed */
    NO_DIRECTORY /* PAE: the live PDPTE is absent */
};

#define FILL  1 /* the slot under CR3 is filled */
#define MINE  2 /* ... that of the destination of this generation instead */
#define FLUSH 4 /* ... and flushed */
#define WARN  8

static const struct {
    enum fl_mode mode;
    enum fl_generation generation;
    enum twist twist;
    enum fl_sync_end end;
    unsigned effects;
    const char *row;
} cases[] = {
    /* CURRENT */
    {FL_MODE_2LEVEL, CUR, AS_USUAL, OK, FILL | FLUSH, "current-copy"},
    {FL_MODE_PAE, CUR, AS_USUAL, OK, FILL | FLUSH, "current-copy"},
    {FL_MODE_4LEVEL, CUR, AS_USUAL, OK, FILL | FLUSH, "current-copy"},
    {FL_MODE_5LEVEL, CUR, AS_USUAL, OK, FILL | FLUSH, "current-copy"},
    {FL_MODE_4LEVEL, CUR, SLOT_THERE, OK, 0, "current-filled-meanwhile"},
    {FL_MODE_4LEVEL, CUR, SLOT_THERE_READ, NO, 0, "current-nothing-to-do"},
    {FL_MODE_2LEVEL, CUR, SLOT_THERE_READ, NO, 0, "current-nothing-to-do"},
    {FL_MODE_4LEVEL, CUR, SLOT_DIFFERS, OK, FILL | FLUSH, "current-copy"},
    {FL_MODE_4LEVEL, CUR, SLOT_JUNK, OK, FILL | FLUSH, "current-copy"},
    {FL_MODE_4LEVEL, CUR, NO_PTE, NO, 0, "current-reference-absent"},
    {FL_MODE_4LEVEL, CUR, NO_TOP, NO, 0, "current-reference-absent"},
    {FL_MODE_2LEVEL, CUR, LARGE, OK, FILL | FLUSH, "current-copy"},
    {FL_MODE_PAE, CUR, LARGE, OK, FILL | FLUSH, "current-copy"},
    {FL_MODE_4LEVEL, CUR, LARGE, OK, FILL | FLUSH, "current-copy"},
    {FL_MODE_5LEVEL, CUR, HUGE, OK, FILL | FLUSH, "current-copy"},
    {FL_MODE_4LEVEL, CUR, LOST, WILD, 0, "current-reference-wild"},
    {FL_MODE_4LEVEL, CUR, OUTSIDE, NO, 0, "out-of-range"},
    {FL_MODE_4LEVEL, CUR, LAZY, OK, FILL | FLUSH, "current-copy"},
    {FL_MODE_4LEVEL, CUR, IN_NMI, OK, FILL | FLUSH, "current-copy"},
    {FL_MODE_4LEVEL, CUR, OTHER_MM, OK, FILL | FLUSH, "current-copy"},
    {FL_MODE_4LEVEL, CUR, NO_MM, OK, FILL | FLUSH, "current-copy"},
    {FL_MODE_PAE, CUR, NO_DIRECTORY, NO, 0, "current-directory-absent"},
    /* 2.6.25, 32-bit */
    {FL_MODE_2LEVEL, G32, AS_USUAL, OK, FILL | FLUSH, "32-copied"},
    {FL_MODE_PAE, G32, AS_USUAL, OK, FILL | FLUSH, "32-copied"},
    {FL_MODE_PAE, G32, SLOT_THERE, OK, 0, "32-there"},
    {FL_MODE_PAE, G32, SLOT_THERE_READ, OK, 0, "32-there"},
    {FL_MODE_PAE, G32, SLOT_DIFFERS, BUG, 0, "32-slot-differs"},
    {FL_MODE_PAE, G32, SLOT_JUNK, OK, FILL | FLUSH, "32-copied"},
    {FL_MODE_PAE, G32, NO_PTE, NO, FILL | FLUSH, "32-pte-absent"},
    {FL_MODE_PAE, G32, NO_MIDDLE, NO, 0, "32-reference-absent"},
    {FL_MODE_PAE, G32, NO_TOP, NO, 0, "32-reference-up-absent"},
    {FL_MODE_2LEVEL, G32, NO_TOP, NO, 0, "32-reference-absent"},
    {FL_MODE_PAE, G32, LARGE, NO, FILL | FLUSH, "32-pte-absent"},
    {FL_MODE_PAE, G32, LOST, WILD, FILL | FLUSH, "32-pte-wild"},
    {FL_MODE_PAE, G32, OUTSIDE, OK, FILL | FLUSH, "32-copied"},
    {FL_MODE_PAE, G32, LAZY, OK, FILL | FLUSH, "32-copied"},
    /* 2.6.25, 64-bit */
    {FL_MODE_4LEVEL, G08, AS_USUAL, OK, FILL, "64-copied"},
    {FL_MODE_4LEVEL, G08, SLOT_THERE, OK, 0, "64-there"},
    {FL_MODE_4LEVEL, G08, SLOT_DIFFERS, BUG, 0, "64-slot-differs"},
    {FL_MODE_4LEVEL, G08, SLOT_JUNK, BUG, 0, "64-slot-differs"},
    {FL_MODE_4LEVEL, G08, SLOT_JUNK_SAME, OK, 0, "64-there"},
    {FL_MODE_4LEVEL, G08, NO_PTE, NO, FILL, "64-pte-absent"},
    {FL_MODE_4LEVEL, G08, NO_MIDDLE, NO, FILL, "64-reference-2-none"},
    {FL_MODE_4LEVEL, G08, NO_TOP, NO, 0, "64-reference-none"},
    {FL_MODE_4LEVEL, G08, LARGE, NO, FILL, "64-pte-absent"},
    {FL_MODE_4LEVEL, G08, HUGE, NO, FILL, "64-reference-2-none"},
    {FL_MODE_4LEVEL, G08, OUTSIDE, NO, 0, "out-of-range"},
    {FL_MODE_4LEVEL, G08, LAZY, BUG, FILL, "2008-64-queued-none"},
    {FL_MODE_4LEVEL, G08, OTHER_MM, OK, MINE, "64-copied"},
    {FL_MODE_4LEVEL, G08, NO_MM, OK, 0, "64-there"}, /* init_mm is in step with itself */
    /* 2014 */
    {FL_MODE_2LEVEL, NAT, AS_USUAL, OK, FILL, "2014-copy"},
    {FL_MODE_4LEVEL, NAT, AS_USUAL, OK, FILL, "2014-copy"},
    {FL_MODE_PAE, NAT, AS_USUAL, NO, 0, "2014-pae"},
    {FL_MODE_PAE, P32, AS_USUAL, NO, 0, "2014-pae"},
    {FL_MODE_2LEVEL, P32, AS_USUAL, OK, FILL, "2014-copy"},
    {FL_MODE_2LEVEL, P32, LAZY, OK, FILL, "2014-copy"},
    {FL_MODE_4LEVEL, P64, AS_USUAL, OK, FILL | FLUSH, "2014-copy"},
    {FL_MODE_4LEVEL, P64, SLOT_THERE, NO, 0, "2014-slot-taken"},
    {FL_MODE_4LEVEL, P64, SLOT_DIFFERS, NO, 0, "2014-slot-taken"},
    {FL_MODE_4LEVEL, P64, SLOT_JUNK, NO, 0, "2014-slot-taken"},
    {FL_MODE_4LEVEL, P64, NO_PTE, OK, FILL | FLUSH, "2014-copy"},
    {FL_MODE_4LEVEL, P64, NO_TOP, NO, 0, "2014-reference-absent"},
    {FL_MODE_4LEVEL, P64, LOST, OK, FILL | FLUSH, "2014-copy"},
    {FL_MODE_4LEVEL, P64, OUTSIDE, OK, FILL | FLUSH, "2014-copy"},
    {FL_MODE_4LEVEL, P64, OTHER_MM, OK, FILL | FLUSH, "2014-copy"},
    /* 2016 */
    {FL_MODE_2LEVEL, G16, AS_USUAL, OK, FILL, "32-copied"},
    {FL_MODE_PAE, G16, LARGE, OK, FILL, "2016-32-large-copied"},
    {FL_MODE_2LEVEL, G16, LARGE, OK, FILL, "2016-32-large-copied"},
    {FL_MODE_PAE, G16, OUTSIDE, NO, 0, "out-of-range"},
    {FL_MODE_PAE, G16, IN_NMI, OK, FILL | WARN, "32-copied"},
    {FL_MODE_4LEVEL, G16, AS_USUAL, OK, FILL | FLUSH, "64-copied"},
    {FL_MODE_4LEVEL, G16, LARGE, OK, FILL | FLUSH, "2016-64-2m-copied"},
    {FL_MODE_4LEVEL, G16, HUGE, OK, FILL | FLUSH, "2016-64-1g-copied"},
    {FL_MODE_4LEVEL, G16, SLOT_DIFFERS, BUG, 0, "64-slot-differs"},
    {FL_MODE_4LEVEL, G16, NO_PTE, NO, FILL | FLUSH, "64-pte-absent"},
    {FL_MODE_4LEVEL, G16, LAZY, OK, FILL | FLUSH, "64-copied"},
    {FL_MODE_4LEVEL, G16, IN_NMI, OK, FILL | FLUSH | WARN, "64-copied"},
    {FL_MODE_4LEVEL, G16, OTHER_MM, OK, MINE | FLUSH, "64-copied"},
    {FL_MODE_4LEVEL, G16, NO_MM, OK, FILL | FLUSH, "64-copied"}, /* active_mm is the borrowed one */
};

/* The frame whose entry is the slot, and its level. */
static unsigned slot_table(const struct mini *m)
{
    return m->s.cpu.mode == FL_MODE_PAE ? FRAME_OWN : FRAME_LIVE;
}

static unsigned slot_level(const struct mini *m)
{
    return m->s.cpu.mode == FL_MODE_PAE ? 2 : m->s.cpu.mode + 2u;
}

/* Where the reference's tables of each level lie. */
static unsigned reference_table(const struct mini *m, unsigned level)
{
    static const unsigned tables[FL_MODE_COUNT][6] = {
        [FL_MODE_2LEVEL] = {[2] = FRAME_REFERENCE, [1] = FRAME_C},
        [FL_MODE_PAE] = {[3] = FRAME_REFERENCE, [2] = FRAME_A, [1] = FRAME_C},
        [FL_MODE_4LEVEL] = {[4] = FRAME_REFERENCE, [3] = FRAME_A, [2] = FRAME_B, [1] = FRAME_C},
        [FL_MODE_5LEVEL] = {[5] = FRAME_REFERENCE, [4] = FRAME_Z, [3] = FRAME_A, [2] = FRAME_B, [1] = FRAME_C},
    };

    return tables[m->s.cpu.mode][level];
}

static void usual_tables(struct mini *m)
{
    unsigned top = m->s.cpu.mode + 2u;

    for (unsigned level = top; level > 1; level--)
        mini_put(m, mini_at(m, reference_table(m, level), level),
                 MFRAME(reference_table(m, level - 1)) | (top == 3 && level == 3 ? MP : MT));
    mini_put(m, mini_at(m, FRAME_C, 1), MFRAME(FRAME_DATA) | MPTE);
    if (top == 3)
        mini_put(m, mini_at(m, FRAME_LIVE, 3), MFRAME(FRAME_OWN) | MP);
}

static void twist(struct mini *m, enum twist twist)
{
    unsigned top = m->s.cpu.mode + 2u;
    uint64_t slot = mini_at(m, slot_table(m), slot_level(m));
    uint64_t reference = mini_at(m, reference_table(m, slot_level(m)), slot_level(m));

    switch (twist) {
    case SLOT_THERE: mini_put(m, slot, mini_get(m, reference) ^ MA); break;
    case SLOT_THERE_READ:
        mini_put(m, slot, mini_get(m, reference));
        mini_put(m, mini_at(m, FRAME_C, 1), MFRAME(FRAME_DATA) | MP);
        m->s.error_code = 2; /* a write */
        break;
    case SLOT_DIFFERS: mini_put(m, slot, MFRAME(FRAME_X) | MT); break;
    case SLOT_JUNK: mini_put(m, slot, MFRAME(FRAME_X)); break;
    case SLOT_JUNK_SAME: mini_put(m, slot, mini_get(m, reference) & ~MP); break;
    case NO_PTE: mini_put(m, mini_at(m, FRAME_C, 1), 0); break;
    case NO_MIDDLE: mini_put(m, mini_at(m, reference_table(m, 2), 2), 0); break;
    case NO_TOP: mini_put(m, mini_at(m, FRAME_REFERENCE, top), 0); break;
    case LARGE:
        mini_put(m, mini_at(m, reference_table(m, 2), 2),
                 (top == 2 ? 0 : MFRAME(FRAME_LARGE)) | MPTE | MPS); /* 4 MiB pages: frame 0 is aligned */
        break;
    case HUGE: mini_put(m, mini_at(m, FRAME_A, 3), MPTE | MPS); break;
    case LOST: mini_put(m, mini_at(m, reference_table(m, 2), 2), MFRAME(FRAME_WILD) | MT); break;
    case OUTSIDE: m->s.kernel.vmalloc_end = m->s.cr2; break;
    case LAZY: m->s.lazy_mmu = true; break;
    case IN_NMI: m->s.task.in_nmi = true; break;
    case OTHER_MM: m->s.task.mm_root = m->s.task.active_root = MFRAME(FRAME_OTHER); break;
    case NO_MM: m->s.task.mm_root = 0; break;
    case NO_DIRECTORY: mini_put(m, mini_at(m, FRAME_LIVE, 3), MFRAME(FRAME_OWN)); break;
    case AS_USUAL: break;
    }
}

static enum fl_set hook_of(enum fl_mode mode, enum fl_generation generation)
{
    if (generation == NAT)
        return FL_SET_PLAIN;
    return mode <= FL_MODE_PAE ? FL_SET_PMD : FL_SET_PGD;
}

static void one_address(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mini *m = mini_machine(cases[i].mode, cases[i].generation);
        unsigned effects = cases[i].effects;
        struct fl_sync_expected got;
        size_t count;

        usual_tables(m);
        twist(m, cases[i].twist);
        CHECK(fl_sync_decide(&m->s, &got) == FL_OK, "case %zu", i);
        CHECK(strcmp(fl_sync_rows(&count)[got.row].name, cases[i].row) == 0, "case %zu: row %s, expected %s", i,
              fl_sync_rows(&count)[got.row].name, cases[i].row);
        CHECK_EQ(got.end, cases[i].end, "case %zu, %s", i, cases[i].row);
        CHECK_EQ(got.flush, (effects & FLUSH) != 0, "case %zu, %s: flush", i, cases[i].row);
        CHECK_EQ(got.warn, (effects & WARN) != 0, "case %zu, %s: warning", i, cases[i].row);
        CHECK_EQ(got.nwrites, (effects & (FILL | MINE)) != 0, "case %zu, %s: writes", i, cases[i].row);
        if (!got.nwrites)
            continue;
        CHECK_EQ(got.write[0].paddr, mini_at(m, effects & MINE ? FRAME_OTHER : slot_table(m), slot_level(m)),
                 "case %zu: place", i);
        CHECK_EQ(got.write[0].value, mini_get(m, mini_at(m, reference_table(m, slot_level(m)), slot_level(m))),
                 "case %zu: value", i);
        CHECK_EQ(got.write[0].size, mini_entry_size(m), "case %zu: size", i);
        CHECK_EQ(got.write[0].how, hook_of(cases[i].mode, cases[i].generation), "case %zu: hook", i);
    }
}

/* Boundaries: both ends of the range, both sides of the first kernel slot, PDPTEs that do not begin a page. */
static void boundaries(void)
{
    struct mini *m = mini_machine(FL_MODE_4LEVEL, FL_GEN_CURRENT);
    struct fl_sync_expected got;

    usual_tables(m);
    m->s.kernel.vmalloc_start = m->s.cr2;
    m->s.kernel.vmalloc_end = m->s.cr2 + 1;
    CHECK(fl_sync_decide(&m->s, &got) == FL_OK && got.end == OK, "the only byte of the range");
    m->s.cr2++;
    CHECK(fl_sync_decide(&m->s, &got) == FL_OK && got.end == NO, "the byte behind it");
    m->s.cr2 -= 2;
    CHECK(fl_sync_decide(&m->s, &got) == FL_OK && got.end == NO, "the byte before it");

    m = mini_machine(FL_MODE_4LEVEL, FL_GEN_2014_NATIVE);
    usual_tables(m);
    m->s.kernel.page_offset = m->s.cr2 & ~((UINT64_C(1) << 39) - 1);
    CHECK(fl_sync_decide(&m->s, &got) == FL_OK && got.end == OK, "the first kernel slot");
    m->s.kernel.page_offset += UINT64_C(1) << 39;
    CHECK(fl_sync_decide(&m->s, &got) == FL_OK && got.end == NO, "the slot before it");

    m = mini_machine(FL_MODE_PAE, FL_GEN_CURRENT);
    usual_tables(m);
    m->s.cpu.cr3 += 0x20 + 0x18; /* bits 4:3 are PWT and PCD */
    CHECK(fl_sync_decide(&m->s, &got) == FL_OK && got.end == NO, "the PDPTEs at 0x20 are absent");
    mini_put(m, MFRAME(FRAME_LIVE) + 0x20 + 3 * 8, MFRAME(FRAME_OWN) | MP);
    CHECK(fl_sync_decide(&m->s, &got) == FL_OK && got.end == OK, "the PDPTEs at 0x20");
    m->s.cr2 |= UINT64_C(0xabcd) << 32; /* a 32-bit kernel does not see that */
    CHECK(fl_sync_decide(&m->s, &got) == FL_OK && got.end == OK, "CR2 beyond 32 bits");

    m->s.kernel.generation = FL_GEN_2008_64;
    CHECK(fl_sync_decide(&m->s, &got) == FL_INVALID, "a generation that PAE has not");
    CHECK(fl_sync_decide(NULL, &got) == FL_INVALID && fl_sync_decide(&m->s, NULL) == FL_INVALID, "NULL");
}

/* ---- what may be read -------------------------------------------------------------------------------------------- */

static void readable(void)
{
    for (enum fl_mode mode = FL_MODE_2LEVEL; mode < FL_MODE_COUNT; mode++) {
        struct mini *m = mini_machine(mode, FL_GEN_CURRENT);
        unsigned top = mode + 2u, size = mini_entry_size(m);
        uint64_t at;

        usual_tables(m);
        for (unsigned level = top; level > 0; level--) {
            at = mini_at(m, reference_table(m, level), level);
            CHECK(fl_sync_may_read(&m->s, NULL, at), "mode %u: the reference's entry of level %u", mode, level);
            CHECK(mode == FL_MODE_PAE && level == 3 ? fl_sync_may_read(&m->s, NULL, at - size)
                                                    : !fl_sync_may_read(&m->s, NULL, at + size),
                  "mode %u: its neighbour on level %u", mode, level);
        }
        CHECK(fl_sync_may_read(&m->s, NULL, mini_at(m, slot_table(m), slot_level(m))), "mode %u: the live slot", mode);
        CHECK(!fl_sync_may_read(&m->s, NULL, MFRAME(FRAME_DATA)), "mode %u: the page itself", mode);
        CHECK(!fl_sync_may_read(&m->s, NULL, mini_at(m, FRAME_DATA, 1)), "mode %u: the page as a table", mode);
        CHECK(!fl_sync_may_read(&m->s, NULL, mini_at(m, FRAME_OTHER, top)), "mode %u: a third root", mode);

        twist(m, LARGE);
        at = mini_at(m, top == 2 ? FRAME_ZERO : FRAME_LARGE, 1);
        CHECK(!fl_sync_may_read(&m->s, NULL, at), "mode %u: inside a large page", mode);
        CHECK(!fl_sync_may_read(&m->s, NULL, mini_at(m, FRAME_C, 1)), "mode %u: a table that is no longer there", mode);
        if (mode == FL_MODE_2LEVEL) {
            m->s.cpu.cr4 = 0; /* without PSE that entry names a table */
            CHECK(fl_sync_may_read(&m->s, NULL, at), "PS without CR4.PSE");
        }
        if (mode >= FL_MODE_4LEVEL) {
            twist(m, HUGE);
            CHECK(!fl_sync_may_read(&m->s, NULL, mini_at(m, FRAME_B, 2)), "mode %u: behind a 1 GiB page", mode);
            CHECK(!fl_sync_may_read(&m->s, NULL, mini_at(m, FRAME_ZERO, 2)), "mode %u: inside a 1 GiB page", mode);
        }
        if (mode == FL_MODE_PAE)
            for (unsigned i = 0; i < 4; i++)
                CHECK(fl_sync_may_read(&m->s, NULL, MFRAME(FRAME_LIVE) + 8 * i), "PDPTE %u", i);
    }
}

int main(void)
{
    one_address();
    boundaries();
    readable();
    return check_done("sync-golden");
}
