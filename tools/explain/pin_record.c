/* SPDX-License-Identifier: MIT */
/* Keeps what happens in the judge's worlds of pages. */
#include "record.h"

#include <string.h>

static struct pin_capture *notes;
static bool by_act;

static bool same_act(const struct fl_record *a, const struct fl_record *b)
{
    return a->kind == b->kind && a->u.act.va == b->u.act.va && a->u.act.pages == b->u.act.pages &&
           a->u.act.act == b->u.act.act && a->u.act.mm == b->u.act.mm && a->u.act.arg == b->u.act.arg &&
           a->u.act.op == b->u.act.op && a->u.act.nth == b->u.act.nth;
}

/* Which record of the scenario that is: the event's own, or a race before it. */
static unsigned index_of(unsigned record, const struct fl_record *r)
{
    const struct fl_scenario *s = recorder.scenario;

    for (unsigned i = record; r->kind == FL_REC_RACE && i-- > 0;)
        if (same_act(&s->records[i], r))
            return i;
    return record;
}

static void keep_change(void *ctx, unsigned i, const struct fl_pin_place *before, const struct fl_pin_place *after)
{
    const struct fl_pin_follow *f = ctx;
    struct pin_change *c;

    if (notes->nsteps == 0)
        return;
    if (notes->nchanges == PIN_CHANGES) {
        notes->changes_gone++;
        return;
    }
    c = &notes->change[notes->nchanges++];
    *c = (struct pin_change){.step = notes->nsteps - 1,
                             .mm = f->at[i].mm,
                             .other = f == &notes->follow_other,
                             .by_act = by_act,
                             .va = f->at[i].va,
                             .before = *before,
                             .after = *after};
}

static void keep_areas(const struct fl_pin_world *w, struct pin_areas *out)
{
    for (unsigned mm = 0; mm < 2; mm++)
        for (out->n[mm] = 0; out->n[mm] < PIN_AREAS && fl_pin_world_area(w, mm, out->n[mm], &out->at[mm][out->n[mm]]);)
            out->n[mm]++;
}

/* The answers of the calls before are there only now. */
static void answers(const struct fl_pin_world *w, bool other)
{
    const struct fl_pin_op_call *calls;
    unsigned n = fl_pin_world_calls(w, &calls);

    for (unsigned i = notes->nsteps; i-- > 0 && notes->step[i].kind != FL_PIN_STEP_BEGIN;)
        if (notes->step[i].kind == FL_PIN_STEP_CALL && notes->step[i].other == other) {
            if (notes->step[i].nth < n)
                notes->step[i].u.call = calls[notes->step[i].nth];
            return;
        }
}

static void keep_begin(struct capture *c, unsigned record, const struct fl_pin_world *w)
{
    if (c->last_event && c->events >= c->last_event)
        recorder.over = true;
    c->events++;
    if (recorder.over)
        return;
    c->event_record = record;
    c->ncalls = c->calls_gone = c->nops = c->ops_gone = c->nwrites = 0;
    c->nsaid = 0;
    c->said[0] = 0;
    notes->last = true;
    notes->ended = notes->has_other = false;
    notes->record = record;
    notes->events++;
    notes->space = *fl_pin_world_space((struct fl_pin_world *)w); /* looking changes nothing */
    notes->task_size = notes->space.task_size;
    keep_areas(w, &notes->before);
}

static void keep_end(const struct fl_pin_world *w, const struct fl_pin_step *step, bool other)
{
    struct fl_pin_seen *seen = other ? &notes->seen_other : &notes->seen;
    char(*frame)[112] = other ? notes->frame_other : notes->frame;

    *seen = *step->seen;
    seen->view = NULL;
    for (unsigned i = 0; i < FL_PIN_PAGES && i < seen->out.pages && seen->pfn[i] != FL_NO_PAGE; i++)
        fl_pin_world_describe(w, seen->pfn[i], frame[i], sizeof frame[i]);
    if (other) {
        notes->has_other = true;
        return;
    }
    notes->call = *step->pin;
    memcpy(notes->view, step->seen->view, step->seen->ninstants * sizeof notes->view[0]);
    keep_areas(w, &notes->after);
    notes->ended = true;
}

static struct pin_step *new_step(void)
{
    if (notes->nsteps == PIN_STEPS) {
        notes->steps_gone++;
        return NULL;
    }
    return &notes->step[notes->nsteps++];
}

void record_pin(void *ctx, unsigned record, bool other, const struct fl_pin_world *w, const struct fl_pin_step *step)
{
    struct capture *c = ctx;
    struct fl_pin_follow *follow;
    struct pin_step *kept;
    const struct fl_pin_op_call *calls;
    unsigned n = fl_pin_world_calls(w, &calls);
    bool detail;

    notes = &c->pin;
    follow = other ? &notes->follow_other : &notes->follow;
    if (!notes->any) {
        fl_pin_follow_begin(&notes->follow, recorder.scenario);
        if (notes->about && notes->follow.n + 2 > FL_PIN_FOLLOWED)
            notes->follow.n = FL_PIN_FOLLOWED - 2;
        if (notes->about)
            fl_pin_follow_page(&notes->follow, notes->about);
        notes->any = true;
        fl_pin_follow_step(&notes->follow, w, NULL, NULL);
    }
    if (step->kind == FL_PIN_STEP_BEGIN && !other)
        keep_begin(c, record, w);
    if (recorder.over)
        return;
    if (step->kind == FL_PIN_STEP_BEGIN && other) {
        notes->follow_other = notes->follow;
        fl_pin_follow_step(follow, w, NULL, NULL); /* what the first way has changed is not so here */
    }
    detail = c->last_event && notes->events > notes->keep_from;
    if (step->kind == FL_PIN_STEP_CALL && !detail)
        return;
    answers(w, other);
    by_act = false;
    if (step->kind != FL_PIN_STEP_ACT) /* what the call before has changed */
        fl_pin_follow_step(follow, w, keep_change, follow);
    kept = new_step();
    if (!kept)
        return;
    *kept = (struct pin_step){.kind = step->kind,
                              .when = step->when,
                              .status = (uint8_t)step->status,
                              .other = other,
                              .record = (uint16_t)record,
                              .instant = (uint16_t)step->instant,
                              .nth = step->call};
    if (step->kind == FL_PIN_STEP_ACT || step->kind == FL_PIN_STEP_WAITS)
        kept->record = (uint16_t)index_of(record, step->record);
    if (step->kind == FL_PIN_STEP_CALL && n)
        kept->u.call = calls[n - 1];
    if (step->kind == FL_PIN_STEP_ACT) {
        by_act = true;
        fl_pin_follow_step(follow, w, keep_change, follow);
    }
    if (step->kind == FL_PIN_STEP_END) {
        kept->u.end.out = step->seen->out;
        kept->u.end.first = step->seen->pfn[0];
        keep_end(w, step, other);
    }
}
