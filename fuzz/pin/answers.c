/* SPDX-License-Identifier: MIT */
/* Races and keyed answers of one event. Both are keyed by op and the how manieth call of it, so that a core which asks in
 * another order, or more often, still meets the same world. */
#include "state.h"

bool fl_pin_answer_fits(enum fl_pin_op op, enum fl_pin_answer answer, bool *hostile)
{
    bool fault = op == FL_PINOP_MM_FAULT || op == FL_PINOP_HUGETLB_FAULT;

    *hostile = answer == FL_PINANS_TRUE || answer == FL_PINANS_GARBAGE;
    switch (answer) {
    case FL_PINANS_REFUSE:
        return fault || op == FL_PINOP_PAGE_GET || op == FL_PINOP_PAGE_GET_SPECULATIVE || op == FL_PINOP_DEVICE_GET ||
               op == FL_PINOP_PAGE_MARK;
    case FL_PINANS_SIGBUS:
    case FL_PINANS_SIGSEGV:
    case FL_PINANS_HWPOISON:
    case FL_PINANS_HWPOISON_LARGE:
    case FL_PINANS_MAJOR:
    case FL_PINANS_LAZY: return fault;
    case FL_PINANS_RETRY:
    case FL_PINANS_RETRY_MAJOR: return op == FL_PINOP_MM_FAULT;
    case FL_PINANS_TRUE: return op == FL_PINOP_FATAL_SIGNAL || op == FL_PINOP_PAGE_FACT || op == FL_PINOP_GATE_VMA;
    case FL_PINANS_GARBAGE: return fault || op == FL_PINOP_READ || op == FL_PINOP_PAGE_HEAD;
    case FL_PINANS_COUNT: break;
    }
    return false;
}

bool answer_for(struct fl_pin_world *w, enum fl_pin_op op, unsigned nth, enum fl_pin_answer *answer)
{
    if (nth == 255)
        return false; /* that one and all behind it: who answers every call answers none of them */
    for (unsigned i = 0; i < w->nanswers; i++) {
        const struct fl_record *r = &w->answers[i];
        bool hostile;

        if (r->u.answer.op != op || r->u.answer.nth != nth)
            continue;
        if (!fl_pin_answer_fits(op, (enum fl_pin_answer)r->u.answer.answer, &hostile))
            continue;
        w->answered = true;
        w->hostile |= hostile;
        /* A core that was lied to about pages and tables may have lost count of them, or hold what it should not: what
         * comes of that later is not its fault either. */
        w->lied |= hostile && (op == FL_PINOP_READ || op == FL_PINOP_PAGE_HEAD || op == FL_PINOP_PAGE_FACT ||
                               op == FL_PINOP_GATE_VMA);
        if (call_kept(w))
            w->calls[w->ncalls - 1].given = true;
        *answer = (enum fl_pin_answer)r->u.answer.answer;
        return true;
    }
    return false;
}

enum fl_status race_add(struct fl_pin_world *w, const struct fl_record *r)
{
    if (r->kind == FL_REC_ANSWER) {
        if (w->nanswers == MAX_ANSWERS)
            return FL_NO_MEMORY;
        w->answers[w->nanswers++] = *r;
        return FL_OK;
    }
    if (w->nraces == MAX_RACES)
        return FL_NO_MEMORY;
    w->raced[w->nraces] = false;
    w->races[w->nraces++] = *r;
    return FL_OK;
}

/* What acts change without touching tables and pages. */
static unsigned plain_facts(const struct fl_pin_world *w)
{
    return (unsigned)w->gate | (unsigned)w->device_gone << 1 | (unsigned)w->killed << 2 |
           (unsigned)w->killed_other << 3 | (unsigned)w->mm[1].exists << 4 | (unsigned)w->fatal_seen << 5;
}

static bool run(struct fl_pin_world *w, unsigned i)
{
    const struct fl_record *r = &w->races[i];
    enum fl_status status;
    bool before = w->changed;
    unsigned facts = plain_facts(w);
    uint32_t generation = w->generation;

    if (!fl_pin_actor_may_run((enum fl_act)r->u.act.act, r->u.act.mm & 1, w->locks))
        return false;
    w->acted = true;
    w->changed = false;
    status = act(w, r);
    /* Held pins part from their address even where nothing is mapped. */
    w->race_changed |= w->changed || facts != plain_facts(w) || generation != w->generation || w->npins;
    w->changed |= before;
    if (status != FL_STALE) {
        w->raced[i] = true;
        instant(w);
    }
    if (w->watch)
        step(w, FL_PIN_STEP_ACT, r, status);
    return status != FL_STALE; /* else it waits for interrupts, like all that is deferred */
}

unsigned race_point(struct fl_pin_world *w, enum fl_pin_op op, unsigned nth)
{
    unsigned ran = 0;

    for (unsigned i = 0; i < w->nraces; i++) {
        const struct fl_record *r = &w->races[i];

        if (w->raced[i] || r->u.act.op != op || r->u.act.nth != nth)
            continue;
        if (run(w, i)) {
            ran++;
        } else if (w->ndeferred < MAX_RACES) {
            w->raced[i] = true; /* its turn has come; it waits for a lock */
            w->deferred[w->ndeferred++] = i;
            if (w->watch)
                step(w, FL_PIN_STEP_WAITS, r, FL_OK);
        }
    }
    return ran;
}

void race_released(struct fl_pin_world *w)
{
    unsigned n = w->ndeferred, waiting[MAX_RACES];

    memcpy(waiting, w->deferred, sizeof waiting);
    w->ndeferred = 0;
    w->releasing = true;
    for (unsigned i = 0; i < n; i++)
        if (!run(w, waiting[i]))
            w->deferred[w->ndeferred++] = waiting[i];
    w->releasing = false;
}

/* ---- what waits for interrupts ------------------------------------------------------------------------------------ */

enum late { LATE_UNREF, LATE_TABLE };

/* False: there is no more room, as only a core that gives references back without end gets to see. */
static bool later(struct fl_pin_world *w, uint32_t record, unsigned n, enum late what)
{
    if (w->nlate == MAX_LATE)
        return false;
    w->late[w->nlate].record = record;
    w->late[w->nlate].n = n;
    w->late[w->nlate++].what = (uint8_t)what;
    return true;
}

bool late_unref(struct fl_pin_world *w, struct pg *p, unsigned n)
{
    return later(w, record_of(w, p), n, LATE_UNREF);
}

void late_table(struct fl_pin_world *w, unsigned frame)
{
    if (!(w->locks & LOCK_IRQ) || !later(w, frame, 0, LATE_TABLE))
        table_free(w, frame);
}

void late_run(struct fl_pin_world *w)
{
    unsigned n = w->nlate;

    w->nlate = 0;
    for (unsigned i = 0; i < n; i++) {
        if (w->late[i].what == LATE_TABLE)
            table_free(w, w->late[i].record);
        else
            page_unref(w, &w->pg[w->late[i].record], (int)w->late[i].n);
    }
    if (w->split_late) {
        uint64_t va = w->split_late - 1;

        w->split_late = 0;
        act_split(w, 0, va);
        instant(w);
    }
}
