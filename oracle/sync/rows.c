/* SPDX-License-Identifier: MIT */
/*
 * The rows of a synchronisation. For each generation the first row whose facts match decides. They read like the
 * handlers of their time: what was looked at first comes first, and every place where a table can turn out to lie where
 * there is no memory has its row.
 *
 * After two walks have met in the same frame there are no rows that hold them against each other again, although the
 * handlers did: from there on both read the same entries.
 */
#include "facts.h"

#define G(generation) (1u << FL_GEN_##generation)
#define WALK_32       (G(2008_32) | G(2016)) /* directory walkers; S_WIDE tells 2016's two halves apart */
#define WALK_64       (G(2008_64) | G(2016))
#define COPY_2014     (G(2014_NATIVE) | G(2014_PV32) | G(2014_PV64))
#define SH4           0u /* none of the generations: fl_sh4_decide */

#define NOT_HANDLED FL_SYNC_NOT_HANDLED
#define HANDLED     FL_SYNC_HANDLED
#define BUG         FL_SYNC_BUG
#define WILD        FL_SYNC_WILD
/* The same, after an empty slot was filled. */
#define THEN(end) (SV_FILLED | (end))

#define ZOO_NOOP   "zoo vmf-noop-success; arch/x86/mm/fault.c 2017"
#define ZOO_RANGE  "zoo vmf-no-range-check; arch/x86/mm/fault.c 2009"
#define SEED_32    "arch/x86/mm/fault.c 2008 (2.6.25), 32-bit half; kept in 2016"
#define SEED_64    "arch/x86/mm/fault.c 2008 (2.6.25), 64-bit half; kept in 2016"
#define SEED_2014  "top-level copy proposed on LKML, 2014-11-21"
#define SEED_2016  "arch/x86/mm/fault.c 2016: vmalloc_fault and large pages"
#define SEED_SH4   "arch/sh/mm/fault_32.c 2012 (commit 8d9a784d1e)"
#define FOLLOWS    "what an unreadable table does to the walk of its time"
#define SDM_ABSENT "SDM vol. 3A, 4.7: nothing is mapped there"

static const struct fl_sync_row rows[] = {
    {"out-of-range", ZOO_RANGE, G(CURRENT) | WALK_64, S_IN_RANGE, 0, NOT_HANDLED},

    /* CURRENT: all of the reference's walk has to reach a leaf before anything is copied. */
    {"current-reference-wild", FOLLOWS, G(CURRENT), S_REF_WILD, S_REF_WILD, WILD},
    {"current-reference-absent", SDM_ABSENT, G(CURRENT), S_REF_MAPPED, 0, NOT_HANDLED},
    {"current-directory-wild", FOLLOWS, G(CURRENT), S_DST_UP_WILD, S_DST_UP_WILD, WILD},
    {"current-directory-absent", "SDM vol. 3A, 4.4.1: a PDPTE is loaded with CR3, not by a walk", G(CURRENT),
     S_DST_UP_P, 0, NOT_HANDLED},
    {"current-slot-wild", FOLLOWS, G(CURRENT), S_DST_SLOT_WILD, S_DST_SLOT_WILD, WILD},
    {"current-copy",
     "zoo vmf-mm-not-cr3, vmf-lazy-mmu-noflush, vsync-no-unmap: CR3's table, flushed, also over what "
     "differs",
     G(CURRENT), S_DST_SAME, 0, THEN(HANDLED)},
    {"current-filled-meanwhile", ZOO_NOOP, G(CURRENT), S_PERMITS, S_PERMITS, HANDLED},
    {"current-nothing-to-do", ZOO_NOOP, G(CURRENT), 0, 0, NOT_HANDLED},

    /* 2014: one top-level entry, by bit 0 of the reference's. */
    {"2014-pae", SEED_2014, G(2014_NATIVE) | G(2014_PV32), S_PAE, S_PAE, NOT_HANDLED},
    {"2014-low-index", SEED_2014, COPY_2014, S_LOW_INDEX, S_LOW_INDEX, NOT_HANDLED},
    {"2014-reference-wild", FOLLOWS, COPY_2014, S_REF_SLOT_WILD, S_REF_SLOT_WILD, WILD},
    {"2014-reference-absent", SEED_2014, COPY_2014, S_REF_SLOT_P, 0, NOT_HANDLED},
    {"2014-slot-wild", FOLLOWS, COPY_2014, S_DST_SLOT_WILD, S_DST_SLOT_WILD, WILD},
    {"2014-slot-taken", SEED_2014, COPY_2014, S_DST_SLOT_NONE, 0, NOT_HANDLED},
    {"2014-copy", SEED_2014, COPY_2014, 0, 0, THEN(HANDLED)},

    /* 32-bit walkers: the page-directory entry, then the PTE under the reference's. */
    {"32-reference-up-wild", FOLLOWS, WALK_32, S_WIDE | S_REF_UP_WILD, S_REF_UP_WILD, WILD},
    {"32-reference-up-absent", SEED_32, WALK_32, S_WIDE | S_REF_UP_P, 0, NOT_HANDLED},
    {"32-directory-wild", FOLLOWS, WALK_32, S_WIDE | S_DST_UP_WILD, S_DST_UP_WILD, WILD},
    {"32-reference-wild", FOLLOWS, WALK_32, S_WIDE | S_REF_SLOT_WILD, S_REF_SLOT_WILD, WILD},
    {"32-reference-absent", SEED_32, WALK_32, S_WIDE | S_REF_SLOT_P, 0, NOT_HANDLED},
    {"32-slot-wild", FOLLOWS, WALK_32, S_WIDE | S_DST_SLOT_WILD, S_DST_SLOT_WILD, WILD},
    {"32-slot-differs", SEED_32, WALK_32, S_WIDE | S_DST_SLOT_P | S_DST_FRAME, S_DST_SLOT_P, BUG},
    {"2016-32-large-copied", SEED_2016, G(2016), S_WIDE | S_REF_SLOT_LEAF | S_DST_SLOT_P, S_REF_SLOT_LEAF,
     THEN(HANDLED)},
    {"2016-32-large-there", SEED_2016, G(2016), S_WIDE | S_REF_SLOT_LEAF, S_REF_SLOT_LEAF, HANDLED},
    {"32-pte-wild", FOLLOWS, WALK_32, S_WIDE | S_REF_1_WILD, S_REF_1_WILD, THEN(WILD)},
    {"32-pte-absent", SEED_32, WALK_32, S_WIDE | S_REF_1_P, 0, THEN(NOT_HANDLED)},
    {"32-copied", SEED_32, WALK_32, S_WIDE | S_DST_SLOT_P, 0, THEN(HANDLED)},
    {"32-there", SEED_32, WALK_32, S_WIDE, 0, HANDLED},

    /* 64-bit walkers: the top-level entry, then both tables down to the PTE. "none": the entry is zero. */
    {"64-reference-wild", FOLLOWS, WALK_64, S_REF_SLOT_WILD, S_REF_SLOT_WILD, WILD},
    {"64-reference-none", SEED_64, WALK_64, S_REF_SLOT_NONE, S_REF_SLOT_NONE, NOT_HANDLED},
    {"64-slot-wild", FOLLOWS, WALK_64, S_DST_SLOT_WILD, S_DST_SLOT_WILD, WILD},
    {"64-slot-differs", SEED_64, WALK_64, S_DST_SLOT_NONE | S_DST_FRAME, 0, BUG},
    {"64-reference-3-wild", FOLLOWS, WALK_64, S_REF_3_WILD, S_REF_3_WILD, THEN(WILD)},
    {"64-reference-3-none", SEED_64, WALK_64, S_REF_3_NONE, S_REF_3_NONE, THEN(NOT_HANDLED)},
    /* The slot was filled, but the write is still queued: the walk goes on from an empty entry. */
    {"2008-64-queued-wild", FOLLOWS, G(2008_64), S_DST_3_WILD, S_DST_3_WILD, THEN(WILD)},
    {"2008-64-queued-none", "zoo vmf-lazy-mmu-noflush", G(2008_64), S_DST_3_NONE, S_DST_3_NONE, THEN(BUG)},
    {"2008-64-queued-differs", "zoo vmf-lazy-mmu-noflush", G(2008_64), S_DST_3_FRAME, 0, THEN(BUG)},
    {"2016-64-1g-copied", SEED_2016, G(2016), S_REF_3_LEAF | S_DST_SLOT_NONE, S_REF_3_LEAF | S_DST_SLOT_NONE,
     THEN(HANDLED)},
    {"2016-64-1g-there", SEED_2016, G(2016), S_REF_3_LEAF, S_REF_3_LEAF, HANDLED},
    {"64-reference-2-wild", FOLLOWS, WALK_64, S_REF_2_WILD, S_REF_2_WILD, THEN(WILD)},
    {"64-reference-2-none", SEED_64, WALK_64, S_REF_2_NONE, S_REF_2_NONE, THEN(NOT_HANDLED)},
    {"2016-64-2m-copied", SEED_2016, G(2016), S_REF_2_LEAF | S_DST_SLOT_NONE, S_REF_2_LEAF | S_DST_SLOT_NONE,
     THEN(HANDLED)},
    {"2016-64-2m-there", SEED_2016, G(2016), S_REF_2_LEAF, S_REF_2_LEAF, HANDLED},
    {"64-pte-wild", FOLLOWS, WALK_64, S_REF_1_WILD, S_REF_1_WILD, THEN(WILD)},
    {"64-pte-absent", SEED_64, WALK_64, S_REF_1_P, 0, THEN(NOT_HANDLED)},
    {"64-copied", SEED_64, WALK_64, S_DST_SLOT_NONE, S_DST_SLOT_NONE, THEN(HANDLED)},
    {"64-there", SEED_64, WALK_64, 0, 0, HANDLED},

    /* SH4. IN_RANGE is P3 as far as it is synchronised; "none" of a first-level entry is its not being present. */
    {"sh4-out-of-range", "arch/sh/mm/fault_32.c 2012 (commit 8d9a784d1e): from P3SEG on; before: from VMALLOC_START on",
     SH4, S_IN_RANGE, 0, NOT_HANDLED},
    {"sh4-reference-wild", FOLLOWS, SH4, S_REF_SLOT_WILD, S_REF_SLOT_WILD, WILD},
    {"sh4-reference-none", SEED_SH4, SH4, S_REF_SLOT_NONE, S_REF_SLOT_NONE, NOT_HANDLED},
    {"sh4-slot-wild", FOLLOWS, SH4, S_DST_SLOT_WILD, S_DST_SLOT_WILD, WILD},
    {"sh4-slot-differs", SEED_SH4, SH4, S_DST_SLOT_NONE | S_DST_FRAME, 0, BUG},
    {"sh4-pte-wild", FOLLOWS, SH4, S_REF_1_WILD, S_REF_1_WILD, THEN(WILD)},
    {"sh4-pte-absent", SEED_SH4, SH4, S_REF_1_P, 0, THEN(NOT_HANDLED)},
    {"sh4-slot-there", "arch/sh/mm/fault_32.c 2012: present already is no reason to try again", SH4, S_DST_SLOT_NONE, 0,
     NOT_HANDLED},
    {"sh4-copied", SEED_SH4, SH4, 0, 0, THEN(HANDLED)},
};

#define ROWS (sizeof rows / sizeof rows[0])
_Static_assert(ROWS <= 120, "statistics count 120 rows of the synchronisation");

const struct fl_sync_row *fl_sync_rows(size_t *count)
{
    *count = ROWS;
    return rows;
}

uint16_t fl_sync_match(unsigned generation, uint64_t facts)
{
    for (uint16_t i = 0; i < ROWS; i++) {
        bool speaks = generation < FL_GEN_COUNT ? rows[i].generations >> generation & 1u : rows[i].generations == SH4;

        if (speaks && (facts & rows[i].mask) == rows[i].want)
            return i;
    }
    return FL_POLICY_NO_ROW;
}
