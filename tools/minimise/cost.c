/* SPDX-License-Identifier: MIT */
/*
 * What a scenario costs, in bits that are unlike the defaults. A record costs RECORD before anything in it is looked at, which
 * is what its encoding takes: dropping one is worth more than any change within it. The machine costs the bits of its encoding,
 * in which usual values are zeros.
 */
#include "pass.h"

#define RECORD (8 * FL_RECORD_BYTES)

/* A byte costs its place, and what is in it: nop and zero are the plainest, what repeats the byte before comes next, then the
 * one prefix that stands for all that do as well. */
#define PLACE     8
#define ZERO      1
#define AS_BEFORE 2
#define PREFIX    3
#define OTHER     4

unsigned code_cost(const uint8_t *code, unsigned n, bool instructions)
{
    unsigned cost = PLACE * n;

    for (unsigned i = 0; i < n; i++) {
        if (!instructions)
            cost += (unsigned)__builtin_popcount(code[i]);
        else if (code[i] == 0)
            cost += ZERO;
        else if (i && code[i] == code[i - 1])
            cost += code[i] == PLAIN_NOP ? 0 : AS_BEFORE;
        else if (code[i] != PLAIN_NOP)
            cost += code[i] == PLAIN_PREFIX ? PREFIX : OTHER;
    }
    return cost;
}

unsigned machine_cost(const struct fl_machine *m)
{
    struct fl_scenario s;
    uint8_t bytes[FL_MACHINE_BYTES];
    unsigned cost = 0;

    s.machine = *m;
    s.nrecords = 0;
    fl_scenario_encode(&s, bytes, sizeof bytes);
    for (unsigned i = 0; i < sizeof bytes; i++)
        cost += (unsigned)__builtin_popcount(bytes[i]);
    return cost;
}

static unsigned record_cost(enum fl_mode mode, const struct fl_record *r)
{
    struct fl_record copy = *r; /* code_of() is for those who change it */
    uint8_t *n, *code = code_of(&copy, &n);
    const struct field *f;
    unsigned count, cost = RECORD;

    f = fields_of((enum fl_record_kind)r->kind, &count);
    for (unsigned i = 0; i < count; i++)
        cost += field_cost(&f[i], mode, field_get(&f[i], r));
    return code ? cost + code_cost(code, *n, r->kind != FL_REC_BYTES) : cost;
}

unsigned scenario_cost(const struct fl_scenario *s)
{
    unsigned cost = machine_cost(&s->machine);

    for (uint32_t i = 0; i < s->nrecords; i++)
        cost += record_cost((enum fl_mode)s->machine.mode, &s->records[i]);
    return cost;
}
