/* SPDX-License-Identifier: MIT */
/* Every op call of the last event, with what others did in between; and the same as a picture with a lane for each. */
#include "pin_story.h"

#include <inttypes.h>
#include <string.h>

#define MOST 90 /* calls of one event that are told: the first and the last of them */

/* The first step of the last event, in the first world. */
static unsigned begin_of_last(const struct pin_capture *p)
{
    for (unsigned s = p->nsteps; s-- > 0;)
        if (p->step[s].kind == FL_PIN_STEP_BEGIN && !p->step[s].other)
            return s;
    return p->nsteps;
}

static void locks_text(uint8_t locks, char buf[40])
{
    snprintf(buf, 40, "%s%s%s", locks & 1 ? " mm" : "", locks & 4 ? " ptl" : "", locks & 8 ? " irqs-off" : "");
}

static void act_line(struct document *d, const struct subject *x, const struct pin_step *s)
{
    char text[200];

    fl_pin_act_text(&x->scenario->records[s->record], text, sizeof text);
    doc_line(d, DOC_HERE, "      %s%s", text,
             s->kind == FL_PIN_STEP_WAITS ? ": is due, and has to wait for a lock"
             : s->status == FL_STALE      ? ": begins, and waits for interrupts"
             : s->status != FL_OK         ? ": changes nothing"
                                          : "");
}

static void call_line(struct document *d, const struct pin_step *s)
{
    char op[160], answer[100], locks[40];

    fl_pin_op_text(&s->u.call, op, sizeof op);
    fl_pin_op_answer_text(&s->u.call, answer, sizeof answer);
    locks_text(s->u.call.locks, locks);
    doc_line(d, DOC_PLAIN, "%4u  %s%s%s%s%s", s->nth + 1, op, answer[0] ? " = " : "", answer,
             locks[0] ? "  · holding" : "", locks);
}

void tell_pin_calls(struct document *d, const struct subject *x)
{
    const struct pin_capture *p = &x->capture->pin;
    unsigned begin = begin_of_last(p), calls = 0, n = 0;

    doc_section(d, "core", "What the core did");
    for (unsigned s = begin; s < p->nsteps; s++)
        calls += p->step[s].kind == FL_PIN_STEP_CALL && !p->step[s].other;
    if (calls == 0) {
        doc_paragraph(d, "The core asked for nothing in this event.");
        return;
    }
    for (unsigned s = begin; s < p->nsteps; s++) {
        const struct pin_step *step = &p->step[s];
        unsigned behind = s;

        if (step->other || (step->kind == FL_PIN_STEP_ACT && step->when == FL_PIN_OUTSIDE))
            continue;
        if (step->kind == FL_PIN_STEP_ACT || step->kind == FL_PIN_STEP_WAITS) {
            if (step->when != FL_PIN_BEFORE && step->kind == FL_PIN_STEP_ACT)
                act_line(d, x, step);
            continue;
        }
        if (step->kind != FL_PIN_STEP_CALL)
            continue;
        while (behind + 1 < p->nsteps &&
               (p->step[behind + 1].kind == FL_PIN_STEP_WAITS ||
                (p->step[behind + 1].kind == FL_PIN_STEP_ACT && p->step[behind + 1].when == FL_PIN_BEFORE)))
            act_line(d, x, &p->step[++behind]);
        n++;
        if (calls > MOST && n > MOST / 2 && n <= calls - MOST / 2) {
            if (n == MOST / 2 + 1)
                doc_line(d, DOC_PLAIN, "      … %u more", calls - MOST);
            continue;
        }
        call_line(d, step);
    }
    if (p->ended)
        doc_line(d, DOC_PLAIN, "  = %" PRIu64 " page%s, %s, %s", p->seen.out.pages, p->seen.out.pages == 1 ? "" : "s",
                 fl_pin_error_text(p->seen.out.error),
                 p->seen.out.lock_held ? "the mm lock is held" : "the mm lock is not held");
    else
        doc_line(d, DOC_HERE, "  does not return");
}

/* ---- lanes ------------------------------------------------------------------------------------------------------------------ */

/* One word or two: lanes are narrow. */
static void lane_call(const struct pin_step *s, char *buf, size_t size)
{
    const struct fl_pin_op_call *c = &s->u.call;
    const char *end = "";

    switch ((enum fl_pin_op)c->op) {
    case FL_PINOP_MM_FAULT:
    case FL_PINOP_HUGETLB_FAULT: end = c->detail & FL_MM_WRITE ? " write" : " read"; break;
    case FL_PINOP_PAGE_FACT:
        snprintf(buf, size, "%s %s",
                 c->detail == FL_PIN_EXCLUSIVE ? "exclusive?"
                 : c->detail == FL_PIN_DIRTY   ? "dirty?"
                                               : "mapping?",
                 c->answer ? "yes" : "no");
        return;
    case FL_PINOP_PAGE_GET:
    case FL_PINOP_PAGE_GET_SPECULATIVE: end = c->answer ? "" : " refused"; break;
    default: break;
    }
    snprintf(buf, size, "%s%s", fl_pin_op_name(c->op), end);
}

static const char *lane_place(const struct pin_capture *p, uint64_t va, unsigned s, char *buf, size_t size)
{
    const struct fl_pin_place *place;
    unsigned at = s;

    /* What an op call has made of it is seen at the next step. */
    if (p->step[s].kind == FL_PIN_STEP_CALL) {
        while (at + 1 < p->nsteps && p->step[at + 1].kind == FL_PIN_STEP_ACT && p->step[at + 1].when == FL_PIN_BEFORE)
            at++;
        at++;
        if (at >= p->nsteps)
            at = p->nsteps - 1;
    }
    place = pin_place_at(p, 0, va, false, at);
    if (place)
        fl_pin_place_text(place, buf, size);
    return place ? buf : "–";
}

static void lane_row(struct document *d, const struct subject *x, uint64_t va, unsigned s, unsigned *rows)
{
    const struct pin_capture *p = &x->capture->pin;
    const struct pin_step *step = &p->step[s];
    const char *const heads[] = {"", "the caller", "task, others", "the page"};
    char when[16] = "", call[48] = "", others[64] = "", place[256];
    const struct fl_record *r = &x->scenario->records[step->record];

    switch ((enum fl_pin_step_kind)step->kind) {
    case FL_PIN_STEP_BEGIN: snprintf(call, sizeof call, "pin %s", fl_pin_api_name(r->u.pin.api)); break;
    case FL_PIN_STEP_CALL:
        snprintf(when, sizeof when, "%u", step->nth + 1);
        lane_call(step, call, sizeof call);
        break;
    case FL_PIN_STEP_END:
        snprintf(call, sizeof call, "= %" PRIu64 " page%s", step->u.end.out.pages,
                 step->u.end.out.pages == 1 ? "" : "s");
        break;
    default:
        snprintf(others, sizeof others, "%s%s", fl_pin_actor_name(r->u.act.act), r->u.act.mm ? " (child)" : "");
        if (step->when == FL_PIN_OUTSIDE && (r->u.act.act == FL_ACTOR_USE || r->u.act.act == FL_ACTOR_UNPIN)) {
            snprintf(call, sizeof call, "%s", others);
            others[0] = 0;
        }
        break;
    }
    if ((*rows)++ == 0)
        doc_table(d, 4, heads);
    doc_row(d, step->kind == FL_PIN_STEP_ACT && step->when != FL_PIN_OUTSIDE,
            (const char *const[]){when, call, others, lane_place(p, va, s, place, sizeof place)});
}

void tell_pin_lanes(struct document *d, const struct subject *x)
{
    const struct pin_capture *p = &x->capture->pin;
    unsigned index, rows = 0;
    uint64_t va;

    pin_page(x->scenario, x->capture, &va, &index);
    doc_section(d, "lanes", "The same as a picture");
    doc_paragraph(d, "Time goes down; the page is the one at %#" PRIx64 ", as it is after the step.", va);
    for (unsigned s = 0; s < p->nsteps && rows < 60; s++) {
        const struct pin_step *step = &p->step[s];
        unsigned behind = s;

        if (step->other || step->kind == FL_PIN_STEP_WAITS)
            continue;
        if (step->kind == FL_PIN_STEP_ACT) {
            const struct fl_record *r = &x->scenario->records[step->record];

            if (step->when != FL_PIN_BEFORE && r->kind != FL_REC_AREA)
                lane_row(d, x, va, s, &rows);
            continue;
        }
        if (step->kind == FL_PIN_STEP_CALL) {
            while (behind + 1 < p->nsteps && p->step[behind + 1].kind == FL_PIN_STEP_ACT &&
                   p->step[behind + 1].when == FL_PIN_BEFORE)
                lane_row(d, x, va, ++behind, &rows);
            if (!pin_decides(&step->u.call) || step->u.call.op == FL_PINOP_VMA_FIND)
                continue;
        }
        lane_row(d, x, va, s, &rows);
    }
    if (rows == 60)
        doc_paragraph(d, "… and so on.");
}
