/* SPDX-License-Identifier: MIT */
/*
 * The checked-in list of expected differences: where a historical generation ends a kernel access otherwise than
 * CURRENT does from the same state. No two rows speak of the same difference.
 *
 * An access that misses no page (S_LIVE) raises no fault that could be synchronised; rows about those are about what
 * an earlier sync-all of CURRENT put right.
 */
#include "facts.h"

#define G(generation) (1u << FL_GEN_##generation)
#define COPY_2014     (G(2014_NATIVE) | G(2014_PV32) | G(2014_PV64))
#define HISTORICAL    (G(2008_32) | G(2008_64) | COPY_2014 | G(2016))

#define E(end)  (1u << FL_TOUCH_##end)
#define DONE    E(DONE)
#define REFUSED E(REFUSED)
#define IS_BUG  E(BUG)
#define WILD    E(WILD)
#define LOOP    E(LOOP)

/* The mask and wanted facts of a row: what has to be set, what has to be clear. */
#define FACTS(set, clear) .mask = (set) | (clear), .want = (set)
/* The first fault is one that is synchronised, and the tables have only one role for each entry. */
#define FAULTS(set, clear) FACTS((set) | S_KERNEL | S_TRIED, (clear) | S_LIVE | S_ALIASED)

static const struct fl_generation_row rows[] = {
    /* ---- 2014 ---- */
    {"2014-pae-never", "PAE: the copy of 2014 answers not-handled at once (LKML 2014-11-21)", COPY_2014, DONE | WILD,
     REFUSED, FAULTS(S_PAE, 0)},
    {"2014-low-index", "2014 asks for the index of the first kernel slot, not for the vmalloc range", COPY_2014,
     DONE | WILD, REFUSED, FAULTS(S_LOW_INDEX, S_PAE)},
    {"2014-slot-taken", "2014 fills empty slots only; CURRENT puts right what differs (zoo linus14-junk-slot)",
     COPY_2014, DONE | WILD, REFUSED, FAULTS(S_REF_SLOT_P, S_PAE | S_LOW_INDEX | S_DST_SLOT_NONE)},
    {"2014-no-range", "2014 copies any kernel slot; CURRENT only those of the vmalloc range (zoo vmf-no-range-check)",
     COPY_2014, REFUSED, DONE, FAULTS(S_REF_SLOT_P | S_DST_SLOT_NONE, S_PAE | S_LOW_INDEX | S_IN_RANGE | S_QUEUED)},
    {"2014-no-range-wild", "... and looks at the reference for any, where its root is no memory", COPY_2014, REFUSED,
     WILD, FAULTS(S_REF_SLOT_WILD, S_PAE | S_LOW_INDEX | S_IN_RANGE)},
    {"2014-queued",
     "32-bit paravirt of 2014: set_pmd is queued under lazy MMU updates and never flushed, so that the "
     "access finds the slot empty for ever (zoo vmf-lazy-mmu-noflush)",
     G(2014_PV32), DONE | REFUSED | WILD, LOOP, FAULTS(S_QUEUED | S_REF_SLOT_P, S_PAE | S_LOW_INDEX)},
    {"2014-not-walked",
     "2014 does not walk: where the reference's table is no memory, the copy does no harm to the "
     "handler, and the access ends in a bus error",
     COPY_2014, WILD, REFUSED, FAULTS(S_REF_WILD | S_REF_SLOT_P | S_DST_SLOT_NONE, S_PAE | S_LOW_INDEX | S_QUEUED)},

    /* ---- walkers, 32-bit ---- */
    {"32-slot-differs",
     "2008 and 2016 assert that a present page-directory entry names the reference's page; CURRENT "
     "puts it right",
     G(2008_32) | G(2016), DONE | REFUSED | WILD, IS_BUG,
     FAULTS(S_DST_UP_P | S_REF_SLOT_P | S_DST_SLOT_P, S_WIDE | S_DST_FRAME)},
    {"32-directory-absent",
     "2008 and 2016 use the destination's PDPTE without asking whether it is present, and so a "
     "table that no processor walks (arch/x86/mm/fault.c 2008: vmalloc_sync_one)",
     G(2008_32) | G(2016), REFUSED | WILD, IS_BUG | WILD | LOOP, FAULTS(S_PAE | S_REF_SLOT_P, S_DST_UP_P)},
    {"2008-32-no-range",
     "2.6.25 has no range check on 32-bit: any kernel address with a present reference is copied "
     "(zoo vmf-no-range-check)",
     G(2008_32), REFUSED, DONE, FAULTS(S_DST_UP_P | S_REF_SLOT_P, S_WIDE | S_IN_RANGE | S_DST_SLOT_P)},
    {"2008-32-no-range-wild", "... and walked, where a page directory of the reference is no memory", G(2008_32),
     REFUSED, WILD, FAULTS(S_REF_SLOT_WILD, S_WIDE | S_IN_RANGE)},
    {"2008-32-no-range-pte-wild", "... or its page table", G(2008_32), REFUSED, WILD,
     FAULTS(S_DST_UP_P | S_REF_SLOT_P | S_REF_WILD, S_WIDE | S_IN_RANGE)},
    {"2008-32-large-page", "a large page of the reference is taken for a table of PTEs (zoo vmf-large-page-deref)",
     G(2008_32), DONE, REFUSED, FAULTS(S_DST_UP_P | S_REF_LARGE, S_WIDE)},
    {"2008-32-large-page-wild", "... and that page is no memory (zoo vmf-large-page-deref)", G(2008_32), DONE | REFUSED,
     WILD, FAULTS(S_DST_UP_P | S_REF_LARGE | S_REF_1_WILD, S_WIDE)},
    {"2016-32-queued",
     "32-bit of 2016: set_pmd is queued under lazy MMU updates and never flushed (zoo "
     "vmf-lazy-mmu-noflush)",
     G(2016), DONE | REFUSED, LOOP, FAULTS(S_IN_RANGE | S_DST_UP_P | S_QUEUED | S_REF_MAPPED, S_WIDE)},
    {"2016-32-large-by-frame",
     "2016 compares a large page's frame alone: an entry that names the same frame as a table "
     "passes for it, and nothing is copied",
     G(2016), DONE | REFUSED, LOOP,
     FAULTS(S_IN_RANGE | S_DST_UP_P | S_DST_SLOT_P | S_DST_FRAME | S_REF_LARGE, S_WIDE | S_DST_SAME)},

    /* ---- walkers, 64-bit ---- */
    {"64-slot-differs",
     "2008 and 2016 assert that a top-level entry that is not zero names the reference's table; "
     "CURRENT puts it right",
     G(2008_64) | G(2016), DONE | REFUSED | WILD, IS_BUG,
     FAULTS(S_WIDE | S_IN_RANGE, S_REF_SLOT_NONE | S_DST_SLOT_NONE | S_DST_FRAME)},
    {"2008-64-queued",
     "64-bit of 2.6.25: set_pgd is queued under lazy MMU updates, and the walk goes on from an entry "
     "that is still zero, as if physical page 0 were a table (zoo vmf-lazy-mmu-noflush)",
     G(2008_64), DONE | REFUSED | WILD, IS_BUG | LOOP | REFUSED | WILD,
     FAULTS(S_WIDE | S_IN_RANGE | S_QUEUED, S_REF_SLOT_NONE)},
    {"2008-64-wrong-table",
     "2.6.25 fills the table of current's mm (init_mm's without one), not the one under CR3: in "
     "the middle of a switch, or on a borrowed mm (zoo vmf-mm-not-cr3)",
     G(2008_64), DONE | REFUSED, LOOP, FAULTS(S_WIDE | S_IN_RANGE | S_REF_MAPPED, S_OWN | S_QUEUED)},
    {"2016-64-wrong-table", "2016 fills the table of active_mm, not the one under CR3 (zoo vmf-mm-not-cr3)", G(2016),
     DONE | REFUSED, LOOP, FAULTS(S_WIDE | S_IN_RANGE | S_REF_MAPPED, S_OWN)},
    {"64-root-wild", "the table of current's mm (2016: active_mm) is no memory; CURRENT does not look at it",
     G(2008_64) | G(2016), DONE | REFUSED, WILD, FAULTS(S_WIDE | S_IN_RANGE | S_DST_SLOT_WILD, S_REF_SLOT_NONE)},
    {"64-slot-by-frame", "2008 and 2016 compare the frames of top-level entries alone: one that is not present passes",
     G(2008_64) | G(2016), DONE | REFUSED, LOOP,
     FAULTS(S_WIDE | S_IN_RANGE | S_REF_MAPPED | S_OWN | S_DST_FRAME, S_DST_SLOT_NONE | S_DST_SAME)},
    {"64-reference-junk",
     "2008 and 2016 ask whether an upper entry of the reference is zero, not whether it is present, "
     "and follow it",
     G(2008_64) | G(2016), REFUSED, WILD | LOOP, FAULTS(S_WIDE | S_IN_RANGE | S_REF_JUNK, S_QUEUED | S_DST_SLOT_WILD)},
    {"2008-64-large-page", "a large page of the reference is taken for a table (zoo vmf-large-page-deref)", G(2008_64),
     DONE, REFUSED, FAULTS(S_WIDE | S_IN_RANGE | S_REF_LARGE, S_QUEUED)},
    {"2008-64-large-page-wild", "... and the walk through its contents leads to where no memory is", G(2008_64),
     DONE | REFUSED, WILD, FAULTS(S_WIDE | S_IN_RANGE | S_REF_LARGE, S_QUEUED | S_DST_SLOT_WILD)},

    /* ---- all walkers ---- */
    {"wild-after-sync-all",
     "sync-all of CURRENT had filled the slot, and the access met the missing table by itself; "
     "the walkers meet it in the handler",
     G(2008_32) | G(2008_64) | G(2016), REFUSED, WILD, FAULTS(S_IN_RANGE | S_REF_WILD, S_QUEUED | S_DST_SLOT_WILD)},

    /* ---- what sync-all of CURRENT does and theirs does not ---- */
    {"stale-slot",
     "the slot under CR3 is not the reference's any more, and maps something: sync-all of CURRENT makes "
     "them equal; the others never take away or change what is present (zoo vsync-no-unmap)",
     HISTORICAL, DONE | REFUSED, DONE | REFUSED, FACTS(S_KERNEL | S_LIVE, S_LIVE_EQ)},
    {"filled-beyond-range",
     "a slot outside the vmalloc range is filled: by sync-all of 2008 and 2016 (zoo "
     "vsync-overrun-ldt), or by a copy without a range check that an earlier access did not live "
     "to see",
     HISTORICAL, REFUSED, DONE, FACTS(S_KERNEL | S_LIVE | S_LIVE_EQ, S_IN_RANGE)},
    {"not-asked",
     "a fault that no handler synchronises (user mode, or claimed by a kprobe) on a slot that sync-all of "
     "CURRENT had put right",
     HISTORICAL, DONE, REFUSED, FACTS(S_KERNEL, S_LIVE | S_TRIED | S_LIVE_EQ)},
    {"beside-range", "outside the vmalloc range, but in a slot that sync-all of CURRENT had put right as a whole",
     G(2008_64) | G(2016), DONE, REFUSED, FAULTS(0, S_IN_RANGE | S_LIVE_EQ)},

    {"aliased",
     "the slot to be filled is another entry of the same walks as well: what the copy does to those is the "
     "tables' doing, not the generation's",
     HISTORICAL, DONE | REFUSED | WILD | LOOP, DONE | REFUSED | IS_BUG | WILD | LOOP,
     FACTS(S_KERNEL | S_TRIED | S_ALIASED, S_LIVE)},
};

#define ROWS (sizeof rows / sizeof rows[0])
_Static_assert(ROWS <= 60, "statistics count 60 rows of expected differences");

const struct fl_generation_row *fl_generation_rows(size_t *count)
{
    *count = ROWS;
    return rows;
}
