/* SPDX-License-Identifier: MIT */
/* Two traces into one. */
#include "mutator.h"

#include <string.h>

#include "../scenario/codec.h"

/* An input as whole records; the last one may be partial. */
struct side {
    const uint8_t *data;
    size_t size;
    uint32_t n;
    struct fl_machine machine;
};

static void open_side(struct side *s, const uint8_t *data, size_t size)
{
    struct fl_scenario scenario; /* decoding touches the machine only */

    s->data = data;
    s->size = size < FL_SCENARIO_MAX_BYTES ? size : FL_SCENARIO_MAX_BYTES;
    s->n = 0;
    if (s->size > FL_MACHINE_BYTES)
        s->n = (uint32_t)((s->size - FL_MACHINE_BYTES + FL_RECORD_BYTES - 1) / FL_RECORD_BYTES);
    fl_scenario_decode(data, s->size < FL_MACHINE_BYTES ? s->size : FL_MACHINE_BYTES, &scenario);
    s->machine = scenario.machine;
}

/* Appends records from..from+count of a side, as the mode of m reads them. */
static void append(struct fl_mutation *m, const struct side *s, uint32_t from, uint32_t count)
{
    for (; count && m->n < m->max && from < s->n; count--, from++) {
        size_t at = FL_MACHINE_BYTES + (size_t)from * FL_RECORD_BYTES;
        uint8_t bytes[FL_RECORD_BYTES] = {0};
        struct fl_record r;

        memcpy(bytes, s->data + at, s->size - at < sizeof(bytes) ? s->size - at : sizeof(bytes));
        /* Read as its own machine reads it: another mode shortens addresses, it does not reinterpret the record. */
        fl_record_decode(bytes, s->machine.mode, &r);
        fl_record_store(m, m->n++, &r);
    }
}

size_t fl_crossover(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out, size_t max_size,
                    uint32_t seed)
{
    struct fl_mutation m = {.rng = (uint64_t)seed << 32 | (a_size ^ b_size << 16)};
    struct fl_scenario s;
    struct side first, second;
    uint32_t cut, from, count;

    open_side(&first, a, a_size);
    open_side(&second, b, b_size);
    if (fl_one_in(&m, 2)) {
        struct side hold = first;

        first = second;
        second = hold;
    }
    m.machine = first.machine;
    if (max_size > FL_SCENARIO_MAX_BYTES)
        max_size = FL_SCENARIO_MAX_BYTES;
    s.machine = m.machine;
    s.nrecords = 0;
    if (max_size < FL_MACHINE_BYTES) {
        uint8_t small[FL_MACHINE_BYTES];

        fl_scenario_encode(&s, small, sizeof(small));
        if (max_size)
            memcpy(out, small, max_size);
        return max_size;
    }
    fl_scenario_encode(&s, out, FL_MACHINE_BYTES);
    m.records = out + FL_MACHINE_BYTES;
    m.max = (uint32_t)((max_size - FL_MACHINE_BYTES) / FL_RECORD_BYTES);

    cut = fl_below(&m, first.n + 1);
    from = fl_below(&m, second.n + 1);
    switch (fl_below(&m, 3)) {
    case 0: /* the beginning of one, the end of the other */
        append(&m, &first, 0, cut);
        append(&m, &second, from, second.n);
        break;
    case 1: /* a run of the other in the middle of one */
        count = 1 + fl_below(&m, second.n + 1);
        append(&m, &first, 0, cut);
        append(&m, &second, from, count);
        append(&m, &first, cut, first.n);
        break;
    default: /* a run of one replaced by as long a run of the other */
        count = 1 + fl_below(&m, 8);
        append(&m, &first, 0, cut);
        append(&m, &second, from, count);
        append(&m, &first, cut + count, first.n);
        break;
    }
    return FL_MACHINE_BYTES + (size_t)m.n * FL_RECORD_BYTES;
}
