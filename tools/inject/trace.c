/* SPDX-License-Identifier: MIT */
/* What the core asked in a run, event by event. */
#include "inject.h"

#include "../command.h"

#include <stdlib.h>

static struct point *add(struct trace *t)
{
    if (t->n == t->room) {
        t->room = t->room ? 2 * t->room : 256;
        t->points = realloc(t->points, t->room * sizeof t->points[0]);
        if (!t->points) {
            complain("out of memory");
            exit(EXIT_INTERNAL);
        }
    }
    return &t->points[t->n++];
}

void trace_free(struct trace *t)
{
    free(t->points);
    *t = (struct trace){0};
}

static void note_pin(struct trace *t, unsigned record, const struct fl_judge_calls *calls)
{
    for (unsigned i = 0; i < calls->npin; i++) {
        const struct fl_pin_op_call *c = &calls->pin[i];

        *add(t) = (struct point){.record = (uint16_t)record,
                                 .call = (uint16_t)i,
                                 .pin = true,
                                 .op = c->op,
                                 .nth = c->nth,
                                 .locks = c->locks,
                                 .acted = c->acted != 0,
                                 .quiet = !c->changed};
    }
}

/* Under another generation the same event may have other questions: they come behind. */
static void note_ask(struct trace *t, unsigned record, const struct fl_world_ask *ask)
{
    unsigned call = 0;

    for (size_t i = 0; i < t->n; i++) {
        struct point *p = &t->points[i];

        if (p->pin || p->record != record)
            continue;
        if (p->op == ask->op && p->nth == ask->n) {
            p->may_retry |= ask->may_retry;
            return;
        }
        call = p->call + 1u;
    }
    *add(t) = (struct point){
        .record = (uint16_t)record, .call = (uint16_t)call, .op = ask->op, .nth = ask->n, .may_retry = ask->may_retry};
}

void trace_note(void *trace, unsigned record, const struct fl_judge_calls *calls)
{
    note_pin(trace, record, calls);
    for (unsigned i = 0; i < calls->nasks; i++)
        note_ask(trace, record, &calls->asks[i]);
}

/* ---- keys that were reached --------------------------------------------------------------------------------------- */

static bool reached(const struct trace *t, unsigned event, bool pin, unsigned op, unsigned nth)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct point *p = &t->points[i];

        if (p->record == event && p->pin == pin && p->op == op && (p->nth == nth || (!pin && op == FL_INJ_PROBE)))
            return true;
    }
    return false;
}

bool trace_reaches(const struct trace *t, unsigned event, const struct choice *c)
{
    const struct fl_record *r = &c->what;

    switch (r->kind) {
    case FL_REC_RACE: return reached(t, event, true, r->u.act.op, r->u.act.nth);
    case FL_REC_ANSWER: return reached(t, event, true, r->u.answer.op, r->u.answer.nth);
    default: return reached(t, event, false, inject_question(r->u.inject.op), c->nth);
    }
}

unsigned trace_unreached(const struct trace *t, const struct fl_scenario *s, enum fl_target target)
{
    unsigned pin = 0, other = 0, missed = 0; /* first record behind the last event of each world */

    for (unsigned i = 0; i < s->nrecords; i++) {
        enum fl_record_kind kind = (enum fl_record_kind)s->records[i].kind;
        unsigned mm = 0;

        if (!fl_record_is_event(kind) || !fl_target_judges(target, kind))
            continue;
        for (unsigned k = kind == FL_REC_PIN ? pin : other; k < i; k++) {
            const struct fl_record *r = &s->records[k];

            if (kind == FL_REC_PIN && r->kind == FL_REC_RACE)
                missed += !reached(t, i, true, r->u.act.op, r->u.act.nth);
            else if (kind == FL_REC_PIN && r->kind == FL_REC_ANSWER)
                missed += !reached(t, i, true, r->u.answer.op, r->u.answer.nth);
            else if (kind != FL_REC_PIN && r->kind == FL_REC_INJECT) {
                unsigned asked = inject_question(r->u.inject.op);

                missed += !reached(t, i, false, asked, asked == FL_INJ_MM_OOM ? mm++ : 0);
            }
        }
        *(kind == FL_REC_PIN ? &pin : &other) = i + 1;
    }
    return missed;
}
