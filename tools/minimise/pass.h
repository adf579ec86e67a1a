/* SPDX-License-Identifier: MIT */
/*
 * What the passes of the minimiser share. A pass makes candidates out of the best scenario so far and tries them; a candidate
 * that costs less and keeps the key is the best from then on. Costs are whole numbers that fall with each step, so it ends.
 *
 *   minimise.c   the order of the passes, until none of them finds anything
 *   cost.c       how much of a scenario is unlike the defaults
 *   fields.c     which fields records have, what is plain for each, and the pass over them
 *   records.c    dropping records
 *   races.c      where races and answers of pinning come
 *   machine.c    the machine's fields back to their defaults
 *   code.c       instruction and memory bytes
 *   addresses.c  moving addresses, all records that share them at once
 */
#ifndef FAULTLINE_TOOLS_MINIMISE_PASS_H
#define FAULTLINE_TOOLS_MINIMISE_PASS_H

#include "minimise.h"

#include <stddef.h>

struct work {
    struct replayer *replayer;
    enum fl_target target;
    char key[256];
    unsigned tries, max_tries; /* 0: no limit */

    struct fl_scenario best;
    unsigned cost; /* of best */
    struct replay_result result;

    struct fl_scenario candidate; /* room for the passes */

    uint64_t *seen; /* digests of what was tried: open addressing, 0 is free */
    size_t nseen, room;
};

/* Tries w->candidate, of which encoding and decoding make a valid scenario first. True: it is the best now. */
bool work_try(struct work *w);
/* w->candidate becomes a copy of the best. Answers it. */
struct fl_scenario *work_begin(struct work *w);
/* No more tries are allowed. */
bool work_over(const struct work *w);

/* The passes. Each tries all of its candidates once, in the same order each time. */
void pass_records(struct work *w);
void pass_pairs(struct work *w);
void pass_swaps(struct work *w);
void pass_fold_regs(struct work *w);
void pass_races(struct work *w);
void pass_machine(struct work *w);
void pass_fields(struct work *w);
void pass_code(struct work *w);
void pass_addresses(struct work *w);

unsigned scenario_cost(const struct fl_scenario *s);
unsigned machine_cost(const struct fl_machine *m);
/* Bytes that are as plain as can be. */
#define PLAIN_NOP    0x90
#define PLAIN_PREFIX 0x66
unsigned code_cost(const uint8_t *code, unsigned n, bool instructions);

/* ---- fields --------------------------------------------------------------------------------------------------------- */

enum role {
    ROLE_ADDRESS, /* bits; all records that share it move together */
    ROLE_BITS,    /* each bit by itself */
    ROLE_NUMBER,  /* the nearer to usual, from above, the better */
};

struct field {
    uint8_t kind; /* enum fl_record_kind */
    uint8_t role; /* enum role */
    uint8_t width;
    uint16_t offset; /* in struct fl_record */
    uint64_t usual;
};

/* The fields of records of that kind; *count [OUT]. */
const struct field *fields_of(enum fl_record_kind kind, unsigned *count);
uint64_t field_get(const struct field *f, const struct fl_record *r);
void field_set(const struct field *f, struct fl_record *r, uint64_t value);
unsigned field_cost(const struct field *f, enum fl_mode mode, uint64_t value);

/* The instruction or memory bytes of a record: *n [OUT] points to their number. NULL: it has none. */
uint8_t *code_of(struct fl_record *r, uint8_t **n);

#endif
