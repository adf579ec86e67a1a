/* SPDX-License-Identifier: MIT */
/*
 * sync: what the synchronisation of kernel page tables with the reference tables should do, generation by generation:
 * an ordered table of predicate rows over facts that the oracle's own walks of both tables find. CURRENT's rows are the
 * right ones; those of the historical generations say what those did, faults included.
 *
 * Also: sync-all as an image of what every table should hold afterwards, the SH4 of 2012, and the list of differences
 * between generations that are expected.
 */
#ifndef FAULTLINE_ORACLE_SYNC_H
#define FAULTLINE_ORACLE_SYNC_H

#include <faultline/oracle/policy.h>

struct fl_sync_row {
    const char *name;     /* stable: part of divergence keys */
    const char *source;   /* kernel file and year, or zoo row */
    uint16_t generations; /* bit per enum fl_generation that the row speaks of */
    uint64_t mask, want;  /* facts & mask == want; the fact bits are private to oracle/sync */
    uint8_t verdict;      /* private to oracle/sync */
};

/* What the rows say of s->cr2 under s->kernel.generation, whatever the error code. FL_OK: *out is whole. FL_INVALID:
 * NULL, or a generation that the mode does not have. FL_FAILED: no row matches (the exhaustive test finds none). */
enum fl_status fl_sync_decide(const struct fl_snapshot *s, struct fl_sync_expected *out);
const struct fl_sync_row *fl_sync_rows(size_t *count);
const char *fl_sync_end_name(enum fl_sync_end end); /* "not-handled", "handled", "bug", "wild" */

/* May the current generation, or a spurious check or a report, read a table entry at paddr for that address? Only where
 * the walks of the live and the reference tables find their entries (five levels each; the four PDPTEs of PAE): never
 * inside a page that a leaf maps. sync: a synchronisation that has been made in this memory meanwhile, or NULL; the walks
 * before it count as well. */
bool fl_sync_may_read(const struct fl_snapshot *s, const struct fl_sync_expected *sync, uint64_t paddr);

/* ---- sync-all ---- */

#define FL_MAX_PGDS 4

struct fl_sync_all {
    struct fl_cpu cpu;
    struct fl_kernel kernel;
    uint64_t pgd[FL_MAX_PGDS]; /* roots, in the form of CR3; the reference (kernel.init_root) is not among them */
    unsigned npgds;
    fl_read_fn read;
    void *ctx;
};

/* Works out what each table entry that a synchronisation of all tables may touch should be afterwards, and calls emit
 * for each one that changes, in no particular order. *end [OUT]: HANDLED, BUG or WILD (what was emitted before that is
 * what is done by then). state is what the generation remembers (2008 only) and is brought up to date. FL_OK, FL_INVALID:
 * as above. */
enum fl_status fl_sync_all_decide(const struct fl_sync_all *s, uint64_t *state_start, uint64_t state_insync[16],
                                  void (*emit)(void *ctx, const struct fl_entry_write *write), void *emit_ctx,
                                  enum fl_sync_end *end);

/* Sync equality: after a sync-all of CURRENT, the entry of every table in the list equals the reference's over the whole
 * vmalloc range at the level that is not shared (A and D apart). False: it holds. True: *pgd, *addr [OUT] is the first
 * place where it does not. compared [OUT, added to]: entries looked at. */
bool fl_sync_unequal(const struct fl_sync_all *s, unsigned *pgd, uint64_t *addr, uint64_t *compared);

/* ---- SH4 ---- */

/* What the P3 sync should do. rows: those of fl_sync_rows() whose name begins with "sh4-". */
enum fl_status fl_sh4_decide(const struct fl_sh4 *sh, uint64_t addr, fl_read_fn read, void *ctx,
                             struct fl_sync_expected *out);
/* Does the table in TTB translate the address (what the TLB miss handler does)? *paddr [OUT] when it does. */
bool fl_sh4_walk(const struct fl_sh4 *sh, uint64_t addr, fl_read_fn read, void *ctx, uint64_t *paddr);

/* ---- generations against each other ---- */

/* What a kernel access came to in the end, faults and all. */
enum fl_touch_end {
    FL_TOUCH_DONE,    /* the access was made */
    FL_TOUCH_REFUSED, /* oops, signal, fix-up: the fault was not handled */
    FL_TOUCH_BUG,
    FL_TOUCH_WILD,
    FL_TOUCH_LOOP, /* handled again and again, without progress */
    FL_TOUCH_COUNT
};
const char *fl_touch_end_name(enum fl_touch_end end); /* "done", "refused", "bug", "wild", "loop" */

/* An expected difference: this generation ends thus where CURRENT ends otherwise, because the facts before the access
 * were thus. */
struct fl_generation_row {
    const char *name;
    const char *reason; /* with its source */
    uint16_t generations;
    uint8_t current, ends; /* bits: enum fl_touch_end */
    uint64_t mask, want;   /* facts of fl_sync */
};

/* s: the state before the access, its error code and cr2 those of its first fault. NULL: not expected. */
const struct fl_generation_row *fl_generation_explain(const struct fl_snapshot *s, enum fl_generation generation,
                                                      enum fl_touch_end current, enum fl_touch_end ends);
const struct fl_generation_row *fl_generation_rows(size_t *count);
/* Do the walks of the address go on, below the slot, in a table that some address space has of its own (s->pgd, or the
 * reference)? What sync-all puts right then changes the very mappings, generation by generation: ends cannot be
 * compared. */
bool fl_generation_tangled(const struct fl_snapshot *s);

/* Does a kernel in that paging mode have that generation? */
bool fl_generation_exists(enum fl_mode mode, enum fl_generation generation);
const char *fl_generation_name(enum fl_generation generation); /* "current", "2008-32", ... "2016" */

#endif
