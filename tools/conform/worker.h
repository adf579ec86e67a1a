/* SPDX-License-Identifier: MIT */
/* What the two sides of the pool share: the parent in pool.c, the worker in worker.c. */
#ifndef FAULTLINE_TOOLS_CONFORM_WORKER_H
#define FAULTLINE_TOOLS_CONFORM_WORKER_H

#include "pool.h"

#include <sys/types.h>

#define CELLS_OF_WORKER (1u << 15)
#define NOBODY          UINT32_MAX
#define OPENING         MAX_COLUMNS /* added to a column that is being opened */

/* What a worker shares with the parent. */
struct shared {
    volatile uint32_t column, place; /* who is being asked about which string of which unit */
    volatile uint32_t unit;
    volatile uint64_t strings; /* answered */
    volatile uint64_t controls;
    uint64_t
        fired[MAX_ROWS]; /* of the block: expected differences met, by row, on axes that are judged string by string */
    bool failed;
    char why[256];
    struct cells cells;
    struct cell cell[CELLS_OF_WORKER];
};

/* What all of them read. */
struct common {
    unsigned nincidents;
    struct incident incident[MAX_INCIDENTS];
    bool dropped[MAX_COLUMNS];
};

/* In a child of parent: ends with it, and keeps what plug-ins print out of the report. */
void worker_settle(pid_t parent);

/* Does the blocks whose numbers come from command, answers each on reply. Does not return. */
void worker_main(struct pool *p, struct shared *shared, const struct common *common, int command, int reply)
    __attribute__((noreturn));

#endif
