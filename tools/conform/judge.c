/* SPDX-License-Identifier: MIT */
/* What a class's answers mean: held against the rule and the list of expected differences, against silicon, against each
 * other; and which rows of the list are stale. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

static struct fl_decoder who(const struct column *c)
{
    return (struct fl_decoder){.name = c->name, .version = c->version};
}

/* ---- silicon ---------------------------------------------------------------------------------------------------------- */

int conform_silicon(const struct column *columns, unsigned ncolumns)
{
    for (unsigned c = 0; c < ncolumns; c++)
        if (columns[c].kind == COLUMN_PROBE && strcmp(columns[c].name, "native") == 0)
            return (int)c;
    return -1;
}

enum against conform_against(uint8_t said, uint8_t silicon, enum loads loads)
{
    bool ran = silicon == V_RAN, rejected = silicon == V_INVALID || silicon == V_TOO_LONG;

    switch (said) {
    case V_PREFETCH: return rejected ? AGAINST_SILICON : ran && loads == LOADS_NO ? AGAINST_NAME : AGAINST_NOTHING;
    case V_NOP: return rejected ? AGAINST_SILICON : ran && loads == LOADS_YES ? AGAINST_NAME : AGAINST_NOTHING;
    case V_INVALID:
    case V_SPLIT:
    case V_TOO_LONG:
    case V_INCOMPLETE: return ran ? AGAINST_SILICON : AGAINST_NOTHING;
    case V_LENGTH: return ran || rejected ? AGAINST_SILICON : AGAINST_NOTHING;
    case V_OTHER: return ran ? AGAINST_SILICON : AGAINST_NOTHING;
    default: return AGAINST_NOTHING; /* not asked; what the core says is the rule's matter */
    }
}

/* ---- one answer ------------------------------------------------------------------------------------------------------- */

/* Does the list speak of this decoder at all? */
static bool is_listed(const struct column *c)
{
    size_t count;
    const struct fl_decode_row *rows = fl_decode_rows(&count);

    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].decoder, c->name) == 0)
            return true;
    return false;
}

/* A decoder that the list does not know, a user's own, is held against silicon, which it is to agree with, and not against
 * the rule, which is wider. True: it is right, or nothing here can tell. */
static bool is_right_anyway(const struct column *columns, unsigned ncolumns, enum axis axis, const struct answers *a,
                            unsigned c, bool rule)
{
    uint8_t v = verdict_of(a->answer[c]);
    int silicon = conform_silicon(columns, ncolumns);

    if (axis == AXIS_LEADS || axis == AXIS_ENCODINGS)
        return v != V_PREFETCH || rule || hint_of(a->answer[c]) == FL_HINT_VECTOR;
    if (a->readable < a->length && v == V_INCOMPLETE)
        return true;
    return silicon >= 0 && verdict_of(a->answer[silicon]) != V_NONE &&
           conform_against(v, verdict_of(a->answer[silicon]), LOADS_NOT_ASKED) != AGAINST_SILICON;
}

enum standing conform_standing(const struct column *columns, unsigned ncolumns, enum axis axis, const struct answers *a,
                               unsigned c, const struct fl_decode_row **row)
{
    const struct column *column = &columns[c];
    const struct fl_decoder d = who(column);
    uint8_t v = verdict_of(a->answer[c]);
    bool rule = fl_prefetch_rule(a->example, a->readable, mode_bits(a->mode), NULL);

    *row = NULL;
    if (v == V_NONE)
        return STANDS_FINE;
    if (column->kind == COLUMN_CORE)
        return v == (rule ? V_PREFETCH : V_NO) ? STANDS_FINE : STANDS_UNKNOWN;
    if (v == V_CRASHED || v == V_HUNG)
        return STANDS_UNKNOWN;
    switch (fl_decode_judge(&d, a->example, a->readable, mode_bits(a->mode), rule, decoded_of(a->answer[c], a->length),
                            row)) {
    case FL_DECODE_AGREE: return STANDS_FINE;
    case FL_DECODE_EXPECTED: return STANDS_EXPECTED;
    default:
        return column->kind == COLUMN_DECODER && !is_listed(column) &&
                       is_right_anyway(columns, ncolumns, axis, a, c, rule)
                   ? STANDS_FINE
                   : STANDS_UNKNOWN;
    }
}

/* ---- one class -------------------------------------------------------------------------------------------------------- */

static void judge_class(struct class *k, const struct report *r)
{
    int silicon = conform_silicon(r->columns, r->ncolumns);
    unsigned kept = k->nanswers < MAX_ANSWERS ? k->nanswers : MAX_ANSWERS;

    if (silicon >= 0 && verdict_of(k->answers[0].answer[silicon]) == V_RAN)
        k->loads = hint_of(k->answers[0].answer[silicon]);
    for (unsigned c = 0; c < r->ncolumns; c++) {
        for (unsigned i = 0; i < kept; i++) {
            const struct fl_decode_row *row;
            enum standing s = conform_standing(r->columns, r->ncolumns, k->axis, &k->answers[i], c, &row);

            if (s > k->standing[c])
                k->standing[c] = (uint8_t)s;
            if (row && !k->row[c])
                k->row[c] = row;
        }
        /* The core is to do what the rule says, which looks at less than silicon does. */
        if (silicon >= 0 && (int)c != silicon && r->columns[c].kind != COLUMN_CORE)
            k->against[c] = (uint8_t)conform_against(verdict_of(k->answers[0].answer[c]),
                                                     verdict_of(k->answers[0].answer[silicon]), (enum loads)k->loads);
    }
}

bool class_is_disputed(const struct class *k, const struct report *r)
{
    for (unsigned c = 0; c < r->ncolumns; c++)
        if (k->standing[c] != STANDS_FINE || k->against[c] != AGAINST_NOTHING)
            return true;
    return k->nanswers > 1;
}

/* What is looked at first. An unknown difference comes before everything; then how many contradict silicon in what an
 * instruction is; then where answers are mixed in one form; then how many call a thing by another name than silicon bears
 * out; then how many different things are said. */
static unsigned class_surprise(const struct class *k, const struct report *r)
{
    unsigned surprise = 0, said = 0, different = 0;

    for (unsigned c = 0; c < r->ncolumns; c++) {
        uint8_t v = verdict_of(k->answers[0].answer[c]);

        surprise += k->standing[c] == STANDS_UNKNOWN ? 10000 : 0;
        surprise += k->against[c] == AGAINST_SILICON ? 100 : k->against[c] == AGAINST_NAME ? 10 : 0;
        if (v != V_NONE && r->columns[c].kind == COLUMN_DECODER && !(said >> v & 1)) {
            said |= 1u << v;
            different++;
        }
    }
    return surprise + (k->nanswers > 1 ? 50 : 0) + (different > 1 ? different : 0);
}

static int most_surprising_first(const void *a, const void *b)
{
    const struct class *x = a, *y = b;

    if (x->axis != y->axis)
        return x->axis < y->axis ? -1 : 1;
    if (x->surprise != y->surprise)
        return x->surprise > y->surprise ? -1 : 1;
    if (x->answers[0].length != y->answers[0].length)
        return x->answers[0].length < y->answers[0].length ? -1 : 1;
    if (x->answers[0].mode != y->answers[0].mode)
        return x->answers[0].mode > y->answers[0].mode ? -1 : 1;

    int bytes = memcmp(x->answers[0].example, y->answers[0].example, STRING_BYTES);

    return bytes ? bytes : memcmp(x->set, y->set, sizeof x->set);
}

/* ---- the list --------------------------------------------------------------------------------------------------------- */

bool row_is_stale(const struct report *r, size_t row)
{
    size_t count;
    const struct fl_decode_row *rows = fl_decode_rows(&count);

    if (!r->whole || r->fired[row])
        return false;
    for (unsigned c = 0; c < r->ncolumns; c++) {
        const struct fl_decoder d = who(&r->columns[c]);

        /* A column that was given up says nothing of the list. */
        if (!(r->dropped && r->dropped[c]) && fl_decode_row_applies(&rows[row], &d))
            return true;
    }
    return false;
}

/* The strings of a cell of the first three axes have one form, and rows speak of forms: the example stands for all of them
 * (tests/decode holds the list against that). */
static void count_rows(struct report *r, const struct cell *cells, uint32_t ncells)
{
    size_t count;
    const struct fl_decode_row *rows = fl_decode_rows(&count), *row;

    for (uint32_t i = 0; i < ncells; i++) {
        struct answers a = {.count = cells[i].count,
                            .length = cells[i].length,
                            .readable = cells[i].readable,
                            .mode = (uint8_t)key_get(cells[i].key, ATTR_MODE)};

        if (key_axis(cells[i].key) > AXIS_CUTS)
            continue;
        memcpy(a.answer, cells[i].answer, MAX_COLUMNS);
        memcpy(a.example, cells[i].example, STRING_BYTES);
        for (unsigned c = 0; c < r->ncolumns; c++) {
            enum standing s = conform_standing(r->columns, r->ncolumns, key_axis(cells[i].key), &a, c, &row);

            if (s == STANDS_EXPECTED)
                r->fired[row - rows] += a.count;
            r->unknown_cells += s == STANDS_UNKNOWN;
        }
    }
}

void conform_judge(struct report *r, const struct cell *cells, uint32_t ncells)
{
    size_t count;

    fl_decode_rows(&count);
    count_rows(r, cells, ncells);
    for (uint32_t i = 0; i < r->nclasses; i++) {
        struct class *k = &r->classes[i];
        bool unknown = false;

        judge_class(k, r);
        k->surprise = class_surprise(k, r);
        for (unsigned c = 0; c < r->ncolumns; c++)
            unknown |= k->standing[c] == STANDS_UNKNOWN;
        r->unknown += unknown;
        r->strings += k->count;
        r->of_axis[k->axis] += k->count;
    }
    qsort(r->classes, r->nclasses, sizeof *r->classes, most_surprising_first);
    for (size_t i = 0; i < count; i++)
        r->stale += row_is_stale(r, i);
}
