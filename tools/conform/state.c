/* SPDX-License-Identifier: MIT */
#include "state.h"

#include "../command.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORMAT       1
#define CELLS_OF_RUN (1u << 18)

bool state_open(struct state *s, const struct space *space, const struct column *columns, unsigned ncolumns,
                uint32_t nblocks)
{
    *s = (struct state){.space = *space, .columns = columns, .ncolumns = ncolumns, .nblocks = nblocks};
    s->done = calloc(nblocks + 1u, 1);
    s->cells = (struct cells){.capacity = CELLS_OF_RUN, .cell = calloc(CELLS_OF_RUN, sizeof(struct cell))};
    if (s->done && s->cells.cell)
        return true;
    state_close(s);
    complain("out of memory");
    return false;
}

void state_close(struct state *s)
{
    free(s->done);
    free(s->cells.cell);
    s->done = NULL;
    s->cells.cell = NULL;
}

void state_add_incidents(struct state *s, const struct incident *incident, unsigned n)
{
    for (unsigned i = 0; i < n && s->nincidents < MAX_INCIDENTS; i++) {
        unsigned same = 0;

        s->incident[s->nincidents++] = incident[i];
        for (unsigned k = 0; k < s->nincidents; k++)
            same += s->incident[k].column == incident[i].column;
        s->dropped[incident[i].column] |= same >= MAX_PER_COLUMN;
    }
}

bool state_is_complete(const struct state *s)
{
    return memchr(s->done, 0, s->nblocks) == NULL;
}

/* ---- writing ---------------------------------------------------------------------------------------------------------- */

/* What must be the same for two files to be parts of one run. */
static json_t *identity(const struct state *s)
{
    json_t *columns = json_array();

    for (unsigned c = 0; c < s->ncolumns; c++)
        json_array_append_new(columns, json_pack("{s:s, s:s, s:s, s:I}", "name", s->columns[c].name, "version",
                                                 s->columns[c].version, "host", s->columns[c].host, "file",
                                                 (json_int_t)s->columns[c].digest));
    return json_pack("{s:s, s:i, s:i, s:i, s:b, s:i, s:o}", "faultline", FAULTLINE_VERSION, "modes",
                     (int)s->space.modes, "prefixes", (int)s->space.prefixes, "axes", (int)s->space.axes, "operands",
                     (int)s->space.operands, "blocks", (int)s->nblocks, "columns", columns);
}

static json_t *hex_json(const uint8_t *bytes, size_t n)
{
    char text[2 * STRING_BYTES + 1] = "";

    for (size_t i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return json_string(text);
}

static json_t *cell_json(const struct cell *c)
{
    return json_pack("[I, o, I, I, o, i, i]", (json_int_t)c->key, hex_json(c->answer, MAX_COLUMNS),
                     (json_int_t)c->count, (json_int_t)c->first, hex_json(c->example, STRING_BYTES), c->length,
                     c->readable);
}

static json_t *incident_json(const struct incident *x)
{
    return json_pack("[i, i, i, b, i, I, i, o, i, i]", x->column, x->axis, x->mode, (int)x->hung, x->signal,
                     (json_int_t)x->unit, (int)x->place, hex_json(x->bytes, STRING_BYTES), x->length, x->readable);
}

bool state_save(const struct state *s, const char *path)
{
    json_t *done = json_array(), *fired = json_array(), *cells = json_array(), *incidents = json_array(), *all;
    struct cell *sorted = cells_sorted(&s->cells);
    char *text;
    bool ok;

    if (!sorted) {
        complain("out of memory");
        return false;
    }
    for (uint32_t i = 0; i < s->nblocks; i++)
        if (s->done[i])
            json_array_append_new(done, json_integer(i));
    for (unsigned i = 0; i < MAX_ROWS; i++)
        if (s->fired[i])
            json_array_append_new(fired, json_pack("[i, I]", (int)i, (json_int_t)s->fired[i]));
    for (uint32_t i = 0; i < s->cells.used; i++)
        json_array_append_new(cells, cell_json(&sorted[i]));
    for (unsigned i = 0; i < s->nincidents; i++)
        json_array_append_new(incidents, incident_json(&s->incident[i]));
    free(sorted);
    all = json_pack("{s:i, s:o, s:o, s:o, s:I, s:o, s:o}", "faultline-conform-state", FORMAT, "of", identity(s), "done",
                    done, "fired", fired, "controls", (json_int_t)s->controls, "incidents", incidents, "cells", cells);
    text = all ? json_dumps(all, JSON_COMPACT) : NULL;
    ok = text && write_atomically(path, text, strlen(text));
    if (!text)
        complain("%s: out of memory", path);
    free(text);
    json_decref(all);
    return ok;
}

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

static bool hex_bytes(const char *text, uint8_t *bytes, size_t n)
{
    if (strlen(text) != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned byte;

        if (sscanf(text + 2 * i, "%2x", &byte) != 1)
            return false;
        bytes[i] = (uint8_t)byte;
    }
    return true;
}

static bool read_cell(const json_t *j, struct cells *cells)
{
    json_int_t key, count, first;
    const char *answer, *example;
    int length, readable;
    struct cell one = {0}, *c;

    if (json_unpack((json_t *)j, "[I, s, I, I, s, i, i]", &key, &answer, &count, &first, &example, &length,
                    &readable) != 0 ||
        count <= 0 || first < 0 || length < 0 || length > 255 || readable < 0 || readable > 255 || key < 0 ||
        !hex_bytes(answer, one.answer, MAX_COLUMNS) || !hex_bytes(example, one.example, STRING_BYTES) ||
        key_axis((cell_key)key) >= AXIS_COUNT || key_get((cell_key)key, ATTR_MODE) > 2)
        return false;
    for (unsigned i = 0; i < MAX_COLUMNS; i++)
        if (verdict_of(one.answer[i]) >= V_COUNT || hint_of(one.answer[i]) >= FL_HINT_COUNT ||
            (verdict_of(one.answer[i]) == V_RAN && hint_of(one.answer[i]) != 0))
            return false;
    c = cells_find(cells, (cell_key)key, one.answer);
    if (!c || c->count)
        return false;
    c->count = (uint64_t)count;
    c->first = (uint64_t)first;
    memcpy(c->example, one.example, STRING_BYTES);
    c->length = (uint8_t)length;
    c->readable = (uint8_t)readable;
    return true;
}

static bool read_incident(const json_t *j, unsigned ncolumns, struct incident *x)
{
    int column, axis, mode, hung, signal, place, length, readable;
    json_int_t unit;
    const char *bytes;

    if (json_unpack((json_t *)j, "[i, i, i, b, i, I, i, s, i, i]", &column, &axis, &mode, &hung, &signal, &unit, &place,
                    &bytes, &length, &readable) != 0 ||
        column < 0 || (unsigned)column >= ncolumns || axis < 0 || axis >= AXIS_COUNT || mode < 0 || mode > 2 ||
        !hex_bytes(bytes, x->bytes, STRING_BYTES))
        return false;
    x->column = (uint8_t)column;
    x->axis = (uint8_t)axis;
    x->mode = (uint8_t)mode;
    x->hung = hung;
    x->signal = signal;
    x->unit = (uint32_t)unit;
    x->place = (uint32_t)place;
    x->length = (uint8_t)length;
    x->readable = (uint8_t)readable;
    return true;
}

/* Fills *in, which is empty. NULL, or what is wrong with it. */
static const char *read_all(const json_t *all, struct state *in)
{
    const json_t *part;
    json_t *mine = identity(in);
    bool same = json_equal(json_object_get(all, "of"), mine);
    size_t i;

    json_decref(mine);
    if (json_integer_value(json_object_get(all, "faultline-conform-state")) != FORMAT)
        return "not the state of a conformance run";
    if (!same)
        return "of another run: other versions, processor or options; name another file, or remove it";
    json_array_foreach(json_object_get(all, "done"), i, part)
    {
        json_int_t block = json_is_integer(part) ? json_integer_value(part) : -1;

        if (block < 0 || block >= in->nblocks)
            return "damaged: a block that does not exist";
        in->done[block] = 1;
    }
    json_array_foreach(json_object_get(all, "fired"), i, part)
    {
        json_int_t row = json_integer_value(json_array_get(part, 0)), n = json_integer_value(json_array_get(part, 1));

        if (row < 0 || row >= MAX_ROWS || n < 0)
            return "damaged: a row that does not exist";
        in->fired[row] = (uint64_t)n;
    }
    json_array_foreach(json_object_get(all, "cells"), i,
                       part) if (!read_cell(part, &in->cells)) return "damaged: a cell";
    json_array_foreach(json_object_get(all, "incidents"), i, part)
    {
        struct incident x = {0};

        if (!read_incident(part, in->ncolumns, &x))
            return "damaged: a crash or hang";
        state_add_incidents(in, &x, 1);
    }
    in->controls = (uint64_t)json_integer_value(json_object_get(all, "controls"));
    return NULL;
}

/* Adds from to s. False: both hold a block. */
static bool put_together(struct state *s, const struct state *from)
{
    for (uint32_t i = 0; i < s->nblocks; i++)
        if (s->done[i] && from->done[i])
            return false;
    for (uint32_t i = 0; i < s->nblocks; i++)
        s->done[i] |= from->done[i];
    for (unsigned i = 0; i < MAX_ROWS; i++)
        s->fired[i] += from->fired[i];
    s->controls += from->controls;
    state_add_incidents(s, from->incident, from->nincidents);
    return cells_merge(&s->cells, &from->cells);
}

enum state_read state_add_file(struct state *s, const char *path)
{
    struct state in;
    json_error_t error;
    const char *wrong;
    json_t *all;

    if (access(path, F_OK) != 0 && errno == ENOENT)
        return STATE_MISSING;
    all = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!all) {
        complain("%s:%d:%d: %s", path, error.line, error.column, error.text);
        return STATE_REFUSED;
    }
    if (!state_open(&in, &s->space, s->columns, s->ncolumns, s->nblocks)) {
        json_decref(all);
        return STATE_REFUSED;
    }
    wrong = read_all(all, &in);
    if (!wrong && !put_together(s, &in))
        wrong = "holds a block that is there already: each part is to be named once";
    if (wrong)
        complain("%s: %s", path, wrong);
    json_decref(all);
    state_close(&in);
    return wrong ? STATE_REFUSED : STATE_READ;
}
