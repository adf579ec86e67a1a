/* SPDX-License-Identifier: MIT */
/*
 * What a conformance run has counted so far, and keeping it in a file: to go on after an interruption (--state), to put
 * the parts of several machines together (--shard, --merge). One JSON document; written whole or not at all.
 */
#ifndef FAULTLINE_TOOLS_CONFORM_STATE_H
#define FAULTLINE_TOOLS_CONFORM_STATE_H

#include "pool.h"

struct state {
    struct space space;
    const struct column *columns;
    unsigned ncolumns;
    uint32_t nblocks;
    uint8_t *done; /* by block */
    uint64_t fired[MAX_ROWS];
    uint64_t controls;
    struct incident incident[MAX_INCIDENTS];
    unsigned nincidents;
    bool dropped[MAX_COLUMNS];
    struct cells cells;
};

/* Nothing is counted yet. False: no memory. */
bool state_open(struct state *s, const struct space *space, const struct column *columns, unsigned ncolumns,
                uint32_t nblocks);
void state_close(struct state *s);

/* Notes what a pool found of crashes and hangs. */
void state_add_incidents(struct state *s, const struct incident *incident, unsigned n);

/* Writes it. False: it complained. */
bool state_save(const struct state *s, const char *path);

enum state_read {
    STATE_READ,    /* added to what is there */
    STATE_MISSING, /* no such file: nothing changed, nothing said */
    STATE_REFUSED /* it complained: not such a file, damaged, or of another run (other versions, processor, options); or
                      it holds a block that is there already */
};

/* Adds what the file holds. *s is unchanged unless STATE_READ. */
enum state_read state_add_file(struct state *s, const char *path);

bool state_is_complete(const struct state *s);

#endif
