/* SPDX-License-Identifier: MIT */
/*
 * The processes that ask. Each worker opens every column for itself and works through blocks of units; what it counts
 * lies in memory that it shares with the parent. A worker that dies or stops moving tells by that memory which string it
 * was at: that string is noted as an incident, another worker takes the block again and passes the string over.
 */
#ifndef FAULTLINE_TOOLS_CONFORM_POOL_H
#define FAULTLINE_TOOLS_CONFORM_POOL_H

#include "conform.h"

#define MAX_ROWS 256u /* at least as many as fl_decode_rows() has */

/* Some units of an axis in one mode: what is handed to a worker at a time, and what a resumed run need not do again. */
struct block {
    uint8_t axis, mode;
    uint32_t first, units;
};

/* Blocks of all that the space asks, in a stable order. NULL: no memory. */
struct block *pool_blocks(const struct space *s, uint32_t *count);

#define MAX_INCIDENTS  64u
#define MAX_PER_COLUMN 8u

/* A string that a column crashed or hung on. */
struct incident {
    uint8_t column, axis, mode, length, readable;
    bool hung;
    int signal; /* crashed: by it; 0: it exited */
    uint32_t unit, place;
    uint8_t bytes[STRING_BYTES];
};

struct pool {
    /* set by the caller */
    struct space space;
    struct column *columns;
    unsigned ncolumns, jobs;
    unsigned hang_seconds;
    const struct block *blocks;
    uint32_t nblocks;
    uint8_t *done; /* [IN, OUT] one for each block: 1 when it is counted, or is to be left out */
    /* Called in the parent after each block: its cells, and how often each row of fl_decode_rows() explained a string of
     * the axes of leads and encodings. False: stop (it complained). */
    bool (*on_block)(void *ctx, uint32_t block, const struct cells *cells, const uint64_t fired[MAX_ROWS]);
    /* Called about five times a second. False: stop. strings: answered so far, in this run. */
    bool (*on_tick)(void *ctx, uint64_t strings);
    void *ctx;

    /* [IN, OUT] Of a run that is gone on from: those strings and columns are not asked again. Kept up to date meanwhile. */
    struct incident incident[MAX_INCIDENTS];
    unsigned nincidents;
    bool dropped[MAX_COLUMNS]; /* MAX_PER_COLUMN incidents: the column is not asked any more */

    /* [OUT] */
    uint64_t strings;
    uint64_t controls; /* of probes, passed */
};

enum pool_end {
    POOL_DONE,
    POOL_STOPPED, /* on_block or on_tick said so */
    POOL_FAILED   /* why: a probe's controls, no memory, a worker that dies without asking anybody */
};

/* Opens every column once in a process of its own, which fills in names, versions and modes. False: why, and *failed is the
 * column. */
bool pool_describe(struct column *columns, unsigned n, unsigned hang_seconds, unsigned *failed, char why[256]);

enum pool_end pool_run(struct pool *p, char why[256]);

#endif
