/* SPDX-License-Identifier: MIT */
/*
 * Which of the forms that silicon runs bring their operand's line into the cache. Measured once for each form without
 * prefixes (a segment override or 67 moves the operand away; no prefix that lets an instruction run makes it another one),
 * and then known for every string of that form.
 */
#include "loads.h"

#include "../command.h"

#include <stdio.h>
#include <string.h>

/* By mode, opcode, register, reg, RIP-relative. */
struct known {
    uint8_t loads[3][2][2][8][2]; /* enum loads */
};

enum loads loads_of(struct fl_probe *p, const uint8_t bytes[STRING_BYTES], unsigned length, unsigned bits)
{
    struct fl_probe_case one = {.n = (uint8_t)length, .bits = (uint8_t)bits};
    struct fl_probe_loads l = {0};

    memcpy(one.bytes, bytes, STRING_BYTES);
    /* Another process may take the line away again: what is not sure is asked again. */
    for (unsigned tries = 0; tries < 5; tries++) {
        if (p->loads(p, &one, &l) != FL_OK)
            return LOADS_UNSURE;
        if (l.sure)
            return l.loads ? LOADS_YES : LOADS_NO;
    }
    return LOADS_UNSURE;
}

bool loads_note(const struct column *columns, unsigned native, struct cell *cells, uint32_t ncells)
{
    struct known known = {0};
    struct column column = columns[native];
    struct answerer a;
    char why[256];

    if (!answerer_open(&column, &a, why)) {
        complain("%s", why);
        return false;
    }
    for (unsigned pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < ncells; i++) {
            struct cell *c = &cells[i];
            cell_key k = c->key;
            uint8_t *l = &known.loads[key_get(k, ATTR_MODE)][key_get(k, ATTR_OPCODE) & 1][key_get(k, ATTR_REGISTER)]
                                     [key_get(k, ATTR_REG)][key_get(k, ATTR_RIP)];

            if (key_axis(k) > AXIS_RUNS || verdict_of(c->answer[native]) != V_RAN)
                continue;
            /* The string without prefixes is the first of the space. */
            if (pass == 0 && key_axis(k) == AXIS_SPACE && !(k >> FEATURES_AT))
                *l = (uint8_t)(key_get(k, ATTR_REGISTER)
                                   ? LOADS_NO
                                   : loads_of(a.probe, c->example, c->length, mode_bits(key_get(k, ATTR_MODE))));
            else if (pass == 1)
                c->answer[native] = (uint8_t)(V_RAN | *l << 4);
        }
    if (!answerer_close(&a, why)) {
        complain("%s", why);
        return false;
    }
    return true;
}
