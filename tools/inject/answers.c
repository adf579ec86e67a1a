/* SPDX-License-Identifier: MIT */
/* The answers that can be given instead of what is so. docs/inject.md lists them; a test holds it against these tables. */
#include "inject.h"

#include "../command.h"

#include <stdlib.h>

#define MOST_PENDING 8u /* ANSWER records that the world keeps for an event */

void choices_add(struct choices *c, const struct choice *choice)
{
    if (c->n == c->room) {
        c->room = c->room ? 2 * c->room : 256;
        c->list = realloc(c->list, c->room * sizeof c->list[0]);
        if (!c->list) {
            complain("out of memory");
            exit(EXIT_INTERNAL);
        }
    }
    c->list[c->n++] = *choice;
}

void choices_free(struct choices *c)
{
    free(c->list);
    *c = (struct choices){0};
}

static const struct inject_answer rows[] = {
    {"kprobe", FL_INJ_KPROBE, FL_INJ_KPROBE, false},
    {"lock_try", FL_INJ_LOCK_CONTENDED, FL_INJ_LOCK_CONTENDED, false},
    {"lock_try", FL_INJ_REPORT_CONTENDED, FL_INJ_REPORT_CONTENDED, false},
    {"vma_expand", FL_INJ_EXPAND_REFUSED, FL_INJ_EXPAND_REFUSED, false},
    {"mm_fault", FL_INJ_MM_OOM, FL_INJ_MM_OOM, false},
    {"mm_fault", FL_INJ_MM_OOM, FL_INJ_MM_SIGBUS, false},
    {"mm_fault", FL_INJ_MM_OOM, FL_INJ_MM_SIGSEGV, false},
    {"mm_fault", FL_INJ_MM_OOM, FL_INJ_MM_HWPOISON, false},
    {"mm_fault", FL_INJ_MM_OOM, FL_INJ_MM_HWPOISON_LARGE, false},
    {"mm_fault", FL_INJ_MM_OOM, FL_INJ_MM_MAJOR, false},
    {"mm_fault", FL_INJ_MM_OOM, FL_INJ_MM_RETRY, true},
    {"mm_fault", FL_INJ_MM_OOM, FL_INJ_MM_RETRY_MAJOR, true},
    {"yield", FL_INJ_YIELD_UNMAP, FL_INJ_YIELD_UNMAP, false},
    {"yield", FL_INJ_YIELD_UNMAP, FL_INJ_YIELD_PROTECT, false},
    {"fatal_signal", FL_INJ_FATAL_SIGNAL, FL_INJ_FATAL_SIGNAL, false},
    {"probe_byte", FL_INJ_PROBE, FL_INJ_PROBE, false},
    {"vsyscall", FL_INJ_VSYSCALL_FAULT, FL_INJ_VSYSCALL_FAULT, false},
    {"ratelimit", FL_INJ_RATELIMITED, FL_INJ_RATELIMITED, false},
};

const struct inject_answer *inject_answers(size_t *n)
{
    *n = sizeof rows / sizeof rows[0];
    return rows;
}

unsigned inject_question(unsigned answer)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].answer == answer)
            return rows[i].asked;
    return FL_INJ_COUNT;
}

/* ---- what s answers already --------------------------------------------------------------------------------------- */

static bool answered_pin(const struct fl_scenario *s, unsigned begin, const struct point *p, bool *room)
{
    unsigned pending = 0;
    bool is = false;

    for (unsigned i = begin; i < p->record; i++) {
        const struct fl_record *r = &s->records[i];

        if (r->kind != FL_REC_ANSWER)
            continue;
        pending++;
        is |= r->u.answer.op == p->op && r->u.answer.nth == p->nth;
    }
    *room = pending < MOST_PENDING;
    return is;
}

static bool answered(const struct fl_scenario *s, unsigned begin, const struct point *p)
{
    unsigned mm = 0;

    for (unsigned i = begin; i < p->record; i++) {
        unsigned op = s->records[i].u.inject.op;

        if (s->records[i].kind != FL_REC_INJECT)
            continue;
        if (inject_question(op) == FL_INJ_MM_OOM)
            mm++;
        else if (op == p->op || (op == FL_INJ_YIELD_PROTECT && p->op == FL_INJ_YIELD_UNMAP))
            return true;
    }
    return p->op == FL_INJ_MM_OOM && p->nth < mm;
}

/* ---- the list ----------------------------------------------------------------------------------------------------- */

static void list_pin(const struct fl_scenario *s, const struct point *p, unsigned begin, struct choices *out)
{
    struct choice c = {.record = p->record, .call = p->call, .what = {.kind = FL_REC_ANSWER}};
    bool room;

    if (p->nth == UINT8_MAX || answered_pin(s, begin, p, &room))
        return; /* 255 stands for all that come after 254 */
    c.what.u.answer.op = p->op;
    c.what.u.answer.nth = p->nth;
    for (unsigned a = 0; a < FL_PINANS_COUNT; a++) {
        if (!fl_pin_answer_fits((enum fl_pin_op)p->op, (enum fl_pin_answer)a, &c.hostile))
            continue;
        c.what.u.answer.answer = (uint8_t)a;
        if (room)
            choices_add(out, &c);
        else
            out->no_room++;
    }
}

static void list_other(const struct fl_scenario *s, const struct point *p, unsigned begin, struct choices *out)
{
    struct choice c = {.record = p->record, .call = p->call, .what = {.kind = FL_REC_INJECT}};

    if (answered(s, begin, p))
        return;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].asked != p->op || (rows[i].needs_retry && !p->may_retry))
            continue;
        c.what.u.inject.op = rows[i].answer;
        c.what.u.inject.n = p->op == FL_INJ_PROBE ? p->nth : 0;
        c.nth = p->op == FL_INJ_MM_OOM ? p->nth : 0;
        if (c.nth < FL_MM_ANSWERS && (p->op != FL_INJ_PROBE || p->nth < 16))
            choices_add(out, &c);
        else
            out->no_room++;
    }
}

static bool is_since(const struct point *p, const struct since *since)
{
    if (!since || p->record > since->record)
        return true;
    return p->record == since->record && (p->call > since->call || (since->same && p->call == since->call));
}

void answers_list(const struct fl_scenario *s, const struct trace *t, enum fl_target target, const struct since *since,
                  struct choices *out)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct point *p = &t->points[i];
        unsigned begin;

        if (!is_since(p, since))
            continue;
        begin = inject_begin(s, target, p->record);
        if (p->pin)
            list_pin(s, p, begin, out);
        else
            list_other(s, p, begin, out);
    }
}
