/* SPDX-License-Identifier: MIT */
/*
 * Races and keyed answers of pinning. Each names an op and the how manieth call of it: the two move together to the plainest
 * point at which the same comes of it. A race that need not be one is an act before the call.
 */
#include "pass.h"

#include <stdlib.h>

#define NTH_UP_TO 24 /* calls of one op that are tried */

struct point {
    uint8_t op, nth;
    unsigned cost;
};

static const struct field *field_named(enum fl_record_kind kind, size_t offset)
{
    unsigned count;
    const struct field *f = fields_of(kind, &count);

    while (count && f->offset != offset) {
        f++;
        count--;
    }
    return f;
}

static unsigned cost_of(enum fl_record_kind kind, uint8_t op, uint8_t nth)
{
    bool race = kind == FL_REC_RACE;
    size_t at_op = race ? offsetof(struct fl_record, u.act.op) : offsetof(struct fl_record, u.answer.op),
           at_nth = race ? offsetof(struct fl_record, u.act.nth) : offsetof(struct fl_record, u.answer.nth);

    return field_cost(field_named(kind, at_op), FL_MODE_4LEVEL, op) +
           field_cost(field_named(kind, at_nth), FL_MODE_4LEVEL, nth);
}

static int by_cost(const void *a, const void *b)
{
    const struct point *x = a, *y = b;

    if (x->cost != y->cost)
        return x->cost < y->cost ? -1 : 1;
    return x->op != y->op ? (x->op < y->op ? -1 : 1) : (x->nth > y->nth) - (x->nth < y->nth);
}

static void move_point(struct work *w, uint32_t i)
{
    enum fl_record_kind kind = (enum fl_record_kind)w->best.records[i].kind;
    bool race = kind == FL_REC_RACE;
    struct point points[FL_PINOP_COUNT * NTH_UP_TO];
    unsigned n = 0, now = race ? cost_of(kind, w->best.records[i].u.act.op, w->best.records[i].u.act.nth)
                               : cost_of(kind, w->best.records[i].u.answer.op, w->best.records[i].u.answer.nth);

    for (uint8_t op = 0; op < FL_PINOP_COUNT; op++)
        for (uint8_t nth = 1; nth <= NTH_UP_TO; nth++) {
            unsigned cost = cost_of(kind, op, nth);

            if (cost < now)
                points[n++] = (struct point){op, nth, cost};
        }
    qsort(points, n, sizeof points[0], by_cost);
    for (unsigned k = 0; k < n && !work_over(w); k++) {
        struct fl_record *r = &work_begin(w)->records[i];

        if (race) {
            r->u.act.op = points[k].op;
            r->u.act.nth = points[k].nth;
        } else {
            r->u.answer.op = points[k].op;
            r->u.answer.nth = points[k].nth;
        }
        if (work_try(w))
            return;
    }
}

void pass_races(struct work *w)
{
    for (uint32_t i = 0; i < w->best.nrecords && !work_over(w); i++) {
        struct fl_record *r;

        if (w->best.records[i].kind != FL_REC_RACE && w->best.records[i].kind != FL_REC_ANSWER)
            continue;
        if (w->best.records[i].kind == FL_REC_RACE) {
            r = &work_begin(w)->records[i];
            r->kind = FL_REC_ACT;
            r->u.act.op = r->u.act.nth = 0;
            if (work_try(w))
                continue;
        }
        move_point(w, i);
    }
}
