/* SPDX-License-Identifier: MIT */
/*
 * Where others can get between. An act that must wait for a lock runs when it is released, which is the point of the next
 * op call: so it is put at points where it may run, and nowhere else.
 *
 * A point is the same as the next one where its op neither looks at pages, areas and tables nor changes them, and takes no
 * lock: what runs before it might as well run after it, in the same order.
 */
#include "inject.h"

#include <string.h>

#define MOST_PENDING 8u /* RACE records that the world keeps for an event */

static bool does_nothing(uint8_t op)
{
    return op == FL_PINOP_RESCHED || op == FL_PINOP_PTL_UNLOCK || op == FL_PINOP_MM_UNLOCK;
}

static bool same_as_next(const struct trace *t, size_t i)
{
    const struct point *p = &t->points[i], *next = p + 1;

    return does_nothing(p->op) && i + 1 < t->n && next->pin && next->record == p->record && next->nth < UINT8_MAX &&
           !(next->locks & ~p->locks);
}

static bool has_room(const struct fl_scenario *s, unsigned event)
{
    unsigned pending = 0;

    for (unsigned i = event; i > 0 && s->records[i - 1].kind != FL_REC_PIN; i--)
        pending += s->records[i - 1].kind == FL_REC_RACE;
    return pending < MOST_PENDING && s->nrecords < FL_MAX_RECORDS;
}

/* How many of the acts may run where these locks are held; remembered for each set of locks. */
struct permitted {
    bool known[256];
    uint64_t n[256];
};

static uint64_t permitted(struct permitted *of, const struct choices *acts, uint8_t locks)
{
    if (of->known[locks])
        return of->n[locks];
    of->known[locks] = true;
    of->n[locks] = 0;
    for (size_t k = 0; k < acts->n; k++) {
        const struct fl_record *r = &acts->list[k].what;

        of->n[locks] += fl_pin_actor_may_run((enum fl_act)r->u.act.act, r->u.act.mm, locks);
    }
    return of->n[locks];
}

static void list_point(const struct point *p, const struct choices *acts, struct choices *out)
{
    for (size_t k = 0; k < acts->n; k++) {
        struct choice c = acts->list[k];

        if (!fl_pin_actor_may_run((enum fl_act)c.what.u.act.act, c.what.u.act.mm, p->locks))
            continue;
        c.call = p->call;
        c.what.u.act.op = p->op;
        c.what.u.act.nth = p->nth;
        choices_add(out, &c);
    }
}

uint64_t races_list(const struct fl_scenario *s, const struct trace *t, const struct since *since, struct choices *out,
                    uint64_t *pruned, uint64_t *no_room)
{
    struct choices acts = {0};
    struct permitted may = {.known = {false}};
    unsigned of = UINT32_MAX;
    uint64_t n = 0;
    bool room = true;

    for (size_t i = 0; i < t->n; i++) {
        const struct point *p = &t->points[i];
        uint64_t here;

        if (!p->pin || p->nth == UINT8_MAX ||
            (since && (p->record < since->record || (p->record == since->record && p->call < since->call))))
            continue;
        if (p->record != of) {
            of = p->record;
            acts.n = 0;
            acts_list(s, of, &acts);
            memset(may.known, 0, sizeof may.known);
            room = has_room(s, of);
        }
        here = permitted(&may, &acts, p->locks);
        if (same_as_next(t, i)) {
            *pruned += here;
        } else if (!room) {
            *no_room += here;
        } else {
            n += here;
            if (out)
                list_point(p, &acts, out);
        }
    }
    choices_free(&acts);
    return n;
}
