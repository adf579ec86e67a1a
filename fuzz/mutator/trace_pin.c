/* SPDX-License-Identifier: MIT */
/*
 * Traces of pinning, changed by what their records mean: a call and what waits for it belong together, a race has a point
 * at which it runs, and an act aims at a page.
 */
#include "mutator.h"

#include <string.h>

#define KIND(kind) (1u << (FL_REC_##kind - FL_REC_AREA))
#define ACTS       (KIND(ACT) | KIND(RACE))
#define CALLS      KIND(PIN)
#define WAITING    (KIND(RACE) | KIND(ANSWER))
#define MAX_RUN    5u

static bool is_of(const struct fl_record *r, unsigned kinds)
{
    return r->kind >= FL_REC_AREA && r->kind <= FL_REC_PIN && kinds >> (r->kind - FL_REC_AREA) & 1;
}

static bool is_at(const struct fl_mutation *m, uint32_t i, unsigned kinds)
{
    struct fl_record r;

    if (i >= m->n)
        return false;
    fl_record_load(m, i, &r);
    return is_of(&r, kinds);
}

/* Any record of these kinds, but that one; m->n: there is none. */
static uint32_t any_of(struct fl_mutation *m, unsigned kinds, uint32_t but)
{
    uint32_t first = fl_below(m, m->n);

    for (uint32_t i = 0; i < m->n; i++) {
        uint32_t at = (first + i) % m->n;

        if (at != but && is_at(m, at, kinds))
            return at;
    }
    return m->n;
}

static void take_out(struct fl_mutation *m, uint32_t at)
{
    uint8_t *record = m->records + (size_t)at * FL_RECORD_BYTES;

    memmove(record, record + FL_RECORD_BYTES, (size_t)(m->n - at - 1) * FL_RECORD_BYTES);
    m->n--;
}

/* Two that follow each other, but for areas between them, change places. */
static bool swap(struct fl_mutation *m)
{
    uint32_t a = any_of(m, ACTS | CALLS | WAITING, m->n), b = a + 1;
    struct fl_record first, second;

    while (b < m->n && !is_at(m, b, ACTS | CALLS | WAITING))
        b++;
    if (b >= m->n)
        return false;
    fl_record_load(m, a, &first);
    fl_record_load(m, b, &second);
    fl_record_store(m, a, &second);
    fl_record_store(m, b, &first);
    return true;
}

/* A call with all that waits for it, once more behind itself; or an act. */
static bool duplicate(struct fl_mutation *m)
{
    uint32_t at = any_of(m, fl_one_in(m, 4) ? KIND(ACT) : CALLS, m->n), first = at, n = 0;
    struct fl_record run[MAX_RUN];

    if (at >= m->n)
        return false;
    while (is_at(m, at, CALLS) && first > 0 && at - first < MAX_RUN - 1 && is_at(m, first - 1, WAITING))
        first--;
    if (m->max - m->n < at - first + 1)
        return false;
    for (uint32_t i = first; i <= at; i++)
        fl_record_load(m, i, &run[n++]);
    fl_records_insert(m, at + 1, run, n);
    return true;
}

/* A race runs one call earlier or later, at another op, or in another call of pinning. */
static bool move_race(struct fl_mutation *m)
{
    uint32_t at = any_of(m, KIND(RACE), m->n), to;
    struct fl_record r;

    if (at >= m->n)
        return false;
    fl_record_load(m, at, &r);
    switch (fl_below(m, 4)) {
    case 0:
    case 1:
        if (fl_one_in(m, 2))
            r.u.act.nth = (uint8_t)(r.u.act.nth < 255 ? r.u.act.nth + 1 : 1);
        else
            r.u.act.nth = (uint8_t)(r.u.act.nth > 1 ? r.u.act.nth - 1 : 2);
        break;
    case 2: fl_pin_some_point(m, &r); break;
    default:
        take_out(m, at);
        to = any_of(m, CALLS, m->n);
        if (to >= m->n)
            to = at;
        fl_records_insert(m, to, &r, 1);
        return true;
    }
    fl_record_store(m, at, &r);
    return true;
}

/* What is done between two calls is done in the middle of one of them, or the other way round. */
static bool turn(struct fl_mutation *m)
{
    uint32_t at = any_of(m, fl_one_in(m, 4) ? KIND(RACE) : KIND(ACT), m->n), to;
    struct fl_record r;

    if (at >= m->n)
        return false;
    fl_record_load(m, at, &r);
    if (r.kind == FL_REC_RACE) {
        r.kind = FL_REC_ACT;
        fl_record_store(m, at, &r);
        return true;
    }
    r.kind = FL_REC_RACE;
    fl_pin_some_point(m, &r);
    take_out(m, at);
    to = m->n ? any_of(m, CALLS, m->n) : 0;
    fl_records_insert(m, to < m->n ? to : at, &r, 1);
    return true;
}

static bool change_act(struct fl_mutation *m)
{
    uint32_t at = any_of(m, ACTS, m->n);
    struct fl_record r;
    uint8_t was;

    if (at >= m->n)
        return false;
    fl_record_load(m, at, &r);
    was = r.u.act.act;
    r.u.act.act = fl_pin_some_act(m);
    if (r.u.act.act == was)
        r.u.act.act = (uint8_t)((was + 1 + fl_below(m, FL_ACTOR_COUNT - 1)) % FL_ACTOR_COUNT);
    if (r.u.act.act == FL_ACTOR_MPROTECT)
        r.u.act.arg = (uint8_t)fl_below(m, 8);
    fl_record_store(m, at, &r);
    return true;
}

static uint64_t *address_of(struct fl_record *r)
{
    return r->kind == FL_REC_AREA ? &r->u.area.start : r->kind == FL_REC_PIN ? &r->u.pin.start : &r->u.act.va;
}

/* An act or a call aims where another one does, at another page of an area, or one page further. */
static bool aim(struct fl_mutation *m)
{
    uint32_t at = any_of(m, ACTS | CALLS, m->n), at2;
    struct fl_record r, other;
    uint64_t was;

    if (at >= m->n)
        return false;
    fl_record_load(m, at, &r);
    was = *address_of(&r);
    at2 = any_of(m, ACTS | CALLS, at);
    switch (fl_below(m, 4)) {
    case 0: *address_of(&r) = fl_pin_some_va(m); break;
    case 1: *address_of(&r) += fl_one_in(m, 2) ? UINT64_C(4096) : UINT64_C(0) - 4096; break;
    default:
        if (at2 >= m->n)
            return false;
        fl_record_load(m, at2, &other);
        *address_of(&r) = *address_of(&other);
    }
    fl_record_store(m, at, &r);
    fl_record_load(m, at, &r);
    return *address_of(&r) != was;
}

/* Acts and calls of one place of the trace happen once more at another, and to the memory that is touched there. */
static bool splice(struct fl_mutation *m)
{
    uint32_t from, to, n = 0, most = 1 + fl_below(m, MAX_RUN);
    struct fl_record run[MAX_RUN], there;
    uint64_t base = 0, target;

    from = any_of(m, ACTS | CALLS | WAITING, m->n);
    to = any_of(m, ACTS | CALLS, from);
    if (to >= m->n)
        return false;
    for (uint32_t i = from; i < m->n && n < most; i++) {
        if (!is_at(m, i, ACTS | CALLS | WAITING))
            continue;
        fl_record_load(m, i, &run[n]);
        if (!base && !is_of(&run[n], KIND(ANSWER)))
            base = *address_of(&run[n]);
        n++;
    }
    if (m->max - m->n < n)
        return false;
    fl_record_load(m, to, &there);
    target = *address_of(&there);
    for (uint32_t i = 0; i < n; i++)
        if (!is_of(&run[i], KIND(ANSWER)))
            *address_of(&run[i]) += target - base;
    fl_records_insert(m, to, run, n);
    return true;
}

bool fl_trace_pin(struct fl_mutation *m, enum fl_mutation_op op)
{
    if (m->n == 0)
        return false;
    switch (op) {
    case FL_OP_PIN_SWAP: return swap(m);
    case FL_OP_PIN_DUPLICATE: return duplicate(m);
    case FL_OP_PIN_MOVE_RACE: return move_race(m);
    case FL_OP_PIN_TURN: return turn(m);
    case FL_OP_PIN_CHANGE_ACT: return change_act(m);
    case FL_OP_PIN_AIM: return aim(m);
    case FL_OP_PIN_SPLICE: return splice(m);
    default: return false;
    }
}
