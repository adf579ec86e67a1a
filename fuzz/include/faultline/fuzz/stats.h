/* SPDX-License-Identifier: MIT */
/*
 * What a run has done so far, as plain counters in one block that may be shared memory: a fuzz target writes it, the
 * `faultline` command reads it while the target runs. Counters only grow. One writer per block.
 *
 * Decision cells: at most FL_CELLS small numbers, one per (mode, outcome, error bits, level, policy row ...) situation.
 * A cell is hit or not; engines see them as extra coverage counters.
 */
#ifndef FAULTLINE_FUZZ_STATS_H
#define FAULTLINE_FUZZ_STATS_H

#include <faultline/oracle/compare.h>
#include <faultline/oracle/exec.h>
#include <faultline/oracle/sync.h>
#include <faultline/types.h>

#define FL_CELLS           8192u
#define FL_STATS_MAGIC     0x3354415453544c46u /* "FLTSTAT3" */
#define FL_MAX_DEVIATIONS  64
#define FL_MAX_POLICY_ROWS 128
#define FL_MAX_SYNC_ROWS   128
#define FL_MAX_GEN_ROWS    64
#define FL_ERROR_BITS      32 /* P, W, U, RSVD, I: bits 0 to 4 of the error code (SDM 4.7) */

/* Why the on-demand run of a scenario was not compared with the run with everything mapped. */
enum fl_skip {
    FL_SKIP_NO_EXEC,        /* nothing was executed to its end */
    FL_SKIP_NOT_HANDLED,    /* some fault was not handled (signal, fix-up, oops, limit) */
    FL_SKIP_INJECTED,       /* an answer was injected */
    FL_SKIP_TABLES,         /* MAP or ENTRY records shaped the tables, or memory is aliased */
    FL_SKIP_RAW,            /* raw faults are part of the trace */
    FL_SKIP_GREW,           /* a stack grew */
    FL_SKIP_EXECUTOR,       /* the executor cannot run it, or deviates */
    FL_SKIP_SELF_MODIFYING, /* code that faulted changed itself */
    FL_SKIP_COUNT
};

struct fl_stats {
    uint64_t magic;
    uint64_t executions;     /* scenarios */
    uint64_t in_executor;    /* an executor is at work: if the process dies now, it is the executor that died */
    uint64_t events;         /* events judged */
    uint64_t events_skipped; /* after the end of the task or trace, or of a kind that the target does not judge */
    uint64_t unsupported;    /* events that nobody decides (SH4 machines have no do_page_fault) */
    uint64_t executor_runs;  /* events that an executor took part in */
    uint64_t executor_unsupported;
    uint64_t real_faults; /* page faults that an executor raised and the core decided */
    uint64_t compared[FL_CHECK_COUNT];
    uint64_t mode_priv[FL_MODE_COUNT][2]; /* events by paging mode and privilege: [0] supervisor, [1] user */
    uint64_t label[FL_LABEL_COUNT];
    uint64_t action[FL_ACT_COUNT];
    /* Faults that the core decided, by paging mode, outcome and bits 0 to 4 of the error code. */
    uint64_t decided[FL_MODE_COUNT][FL_ACT_COUNT][FL_ERROR_BITS];
    uint64_t row[FL_MAX_POLICY_ROWS];
    uint64_t sync_row[FL_MAX_SYNC_ROWS];
    uint64_t generation_row[FL_MAX_GEN_ROWS]; /* expected differences between generations */
    uint64_t generations_apart;               /* TOUCH events that began in another world than under CURRENT */
    uint64_t touched[FL_TOUCH_COUNT];         /* TOUCH events by how they ended */
    uint64_t pinned_pages;                    /* PIN events: pages handed out */
    uint64_t pin_quiet, pin_raced, pin_answered,
        pin_hostile;    /* PIN events: undisturbed; with a race; with an answer; ... */
    uint64_t pin_twice; /* PIN events that were done in two ways */
    uint64_t deviation[FL_MAX_DEVIATIONS];
    uint64_t transparent; /* scenarios compared both ways */
    uint64_t opaque[FL_SKIP_COUNT];
    uint64_t decoder_expected; /* decoder differences that a row of the list covers */
    uint64_t known;            /* scenarios that diverged with a key of FAULTLINE_KNOWN, and were passed over */
    uint64_t cells_hit;        /* how many of cell[] are not zero */
    uint8_t cell[FL_CELLS];
};

const char *fl_skip_name(enum fl_skip reason);

/* The cells that each target can reach are one run of numbers; an engine needs counters for its target's only. */
enum {
    FL_CELLS_WALK_FIRST = 0,
    FL_CELLS_WALK = 350,
    FL_CELLS_FAULT_FIRST = FL_CELLS_WALK_FIRST + FL_CELLS_WALK,
    FL_CELLS_FAULT = FL_MODE_COUNT * 2 * FL_MAX_POLICY_ROWS + FL_MODE_COUNT * FL_ACT_COUNT * FL_ERROR_BITS + 160,
    FL_CELLS_PREFETCH_FIRST = FL_CELLS_FAULT_FIRST + FL_CELLS_FAULT,
    FL_CELLS_PREFETCH = 288,
    FL_CELLS_VMALLOC_FIRST = FL_CELLS_PREFETCH_FIRST + FL_CELLS_PREFETCH,
    FL_CELLS_VMALLOC =
        FL_MODE_COUNT * FL_MAX_SYNC_ROWS + FL_GEN_COUNT * FL_TOUCH_COUNT * FL_MODE_COUNT + FL_MAX_GEN_ROWS,
    FL_CELLS_GUP_FIRST = FL_CELLS_VMALLOC_FIRST + FL_CELLS_VMALLOC,
    FL_CELLS_GUP = 7 * 7 * 3 * FL_MODE_COUNT + 26 * 26 + 11 * 26 + 7 * 16 * 8,
};

/* ---- cells. Each answers a number below FL_CELLS; the ranges do not overlap. ------------------------------------- */
unsigned fl_cell_walk(enum fl_mode mode, const struct fl_arch_result *r);
unsigned fl_cell_row(enum fl_mode mode, bool user, unsigned row);
unsigned fl_cell_action(enum fl_mode mode, enum fl_action action, uint64_t error_code);
unsigned fl_cell_run(enum fl_mode mode, enum fl_exec_end end, unsigned faults);
unsigned fl_cell_decode(unsigned bits, bool prefetch, unsigned prefixes, uint8_t opcode);
unsigned fl_cell_sync(enum fl_mode mode, unsigned row);
unsigned fl_cell_touch(enum fl_mode mode, enum fl_generation generation, enum fl_touch_end end);
unsigned fl_cell_generation(unsigned row);
unsigned fl_cell_pin_end(enum fl_mode mode, unsigned api, unsigned error, uint64_t pages);
unsigned fl_cell_pin_race(unsigned act, unsigned op);
unsigned fl_cell_pin_answer(unsigned answer, unsigned op);
/* state: 0..15, what was mapped at the first page; how: bits 0 write, 1 force, 2 get. */
unsigned fl_cell_pin_page(unsigned api, unsigned state, unsigned how);
/* What a cell stands for, for reports: "walk 4level pf:7 at level 2". Always terminated. */
void fl_cell_name(unsigned cell, char *buf, size_t size);

#endif
