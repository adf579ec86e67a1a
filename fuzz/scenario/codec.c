/* SPDX-License-Identifier: MIT */
/*
 * Binary form of scenarios: FL_MACHINE_BYTES, then FL_RECORD_BYTES a record. docs/scenario-format.md has the layout.
 *
 * Rules that make it total and canonical: every stored field is brought into its range by a mask, a small table or a
 * modulo that leaves values in range alone; reserved bytes are not read and are written as zero; what a field means never
 * depends on anything but the machine's mode (and, for machine.flags and regs.flags, on the privilege beside it). A
 * machine that is an SH4 has everything that only an x86 has as usual.
 *
 * Machine fields are stored as the difference from their usual value, so that zero bytes, and so also the empty input,
 * are the machine of fl_scenario_default(): mutation starts from a machine that works instead of one without WP, memory
 * or stack.
 */
#include "codec.h"

#include <string.h>

/* ---- the whole -------------------------------------------------------------------------------------------------- */

void fl_scenario_decode(const uint8_t *data, size_t size, struct fl_scenario *out)
{
    uint8_t partial[FL_MACHINE_BYTES] = {0};
    size_t whole, rest;

    if (size < FL_MACHINE_BYTES) {
        if (size != 0)
            memcpy(partial, data, size);
        fl_machine_decode(partial, &out->machine);
        out->nrecords = 0;
        return;
    }
    fl_machine_decode(data, &out->machine);
    if (size > FL_SCENARIO_MAX_BYTES)
        size = FL_SCENARIO_MAX_BYTES;
    whole = (size - FL_MACHINE_BYTES) / FL_RECORD_BYTES;
    rest = (size - FL_MACHINE_BYTES) % FL_RECORD_BYTES;
    for (size_t i = 0; i < whole; i++)
        fl_record_decode(data + FL_MACHINE_BYTES + i * FL_RECORD_BYTES, out->machine.mode, &out->records[i]);
    if (rest != 0) {
        memcpy(partial, data + FL_MACHINE_BYTES + whole * FL_RECORD_BYTES, rest);
        fl_record_decode(partial, out->machine.mode, &out->records[whole]);
        whole++;
    }
    out->nrecords = (uint32_t)whole;
}

size_t fl_scenario_encode(const struct fl_scenario *s, uint8_t *data, size_t size)
{
    const uint32_t n = s->nrecords < FL_MAX_RECORDS ? s->nrecords : FL_MAX_RECORDS;
    const size_t need = FL_MACHINE_BYTES + (size_t)n * FL_RECORD_BYTES;

    if (need > size)
        return need;
    fl_machine_encode(&s->machine, data);
    for (uint32_t i = 0; i < n; i++)
        fl_record_encode(&s->records[i], s->machine.mode, data + FL_MACHINE_BYTES + (size_t)i * FL_RECORD_BYTES);
    return need;
}

void fl_scenario_default(struct fl_scenario *out)
{
    fl_scenario_decode(NULL, 0, out);
}

void fl_machine_canonical(struct fl_machine *m)
{
    uint8_t bytes[FL_MACHINE_BYTES];

    fl_machine_encode(m, bytes);
    fl_machine_decode(bytes, m);
}

void fl_record_canonical(enum fl_mode mode, struct fl_record *r)
{
    uint8_t bytes[FL_RECORD_BYTES];

    fl_record_encode(r, mode, bytes);
    fl_record_decode(bytes, mode, r);
}
