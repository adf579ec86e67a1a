/* SPDX-License-Identifier: MIT */
/* The machine. In its encoding a usual value is zeros: all of them at once, halves, ever smaller parts, single bits. */
#include "pass.h"

#include <string.h>

/* The first byte of the encoding: what the other bytes mean depends on it. */
#define MODE 0

/* Zeroes bits of bytes[first..last) where mask has ones. */
static bool try_zero(struct work *w, unsigned first, unsigned last, uint8_t mask, bool but_mode)
{
    struct fl_scenario *s = work_begin(w), machine;
    uint8_t bytes[FL_MACHINE_BYTES];
    bool any = false;

    machine.machine = s->machine;
    machine.nrecords = 0;
    fl_scenario_encode(&machine, bytes, sizeof bytes);
    for (unsigned i = first; i < last; i++) {
        if (i == MODE && but_mode)
            continue;
        any |= (bytes[i] & mask) != 0;
        bytes[i] &= (uint8_t)~mask;
    }
    if (!any)
        return true; /* as it should be */
    fl_scenario_decode(bytes, sizeof bytes, &machine);
    s->machine = machine.machine;
    return work_try(w);
}

static void zero_part(struct work *w, unsigned first, unsigned last)
{
    if (work_over(w) || try_zero(w, first, last, 0xff, false))
        return;
    if (last - first > 1) {
        unsigned middle = first + (last - first) / 2;

        zero_part(w, first, middle);
        zero_part(w, middle, last);
        return;
    }
    for (unsigned bit = 8; bit-- > 0;)
        try_zero(w, first, last, (uint8_t)(1u << bit), false);
}

void pass_machine(struct work *w)
{
    if (!try_zero(w, 0, FL_MACHINE_BYTES, 0xff, true))
        zero_part(w, 1, FL_MACHINE_BYTES);
    zero_part(w, MODE, MODE + 1);
}
