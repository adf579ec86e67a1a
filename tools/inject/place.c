/* SPDX-License-Identifier: MIT */
/* A choice becomes records before its event. */
#include "inject.h"

#include <string.h>

unsigned inject_begin(const struct fl_scenario *s, enum fl_target target, unsigned event)
{
    bool pin = s->records[event].kind == FL_REC_PIN;

    while (event > 0) {
        enum fl_record_kind kind = (enum fl_record_kind)s->records[event - 1].kind;

        if (fl_record_is_event(kind) && (kind == FL_REC_PIN) == pin && fl_target_judges(target, kind))
            break;
        event--;
    }
    return event;
}

/* The answers of mm_fault are given in the order of their records: the calls before this one are answered as they would be,
 * but for the word "major". */
static unsigned fillers(const struct fl_scenario *s, enum fl_target target, const struct choice *c)
{
    unsigned there = 0;

    if (c->what.kind != FL_REC_INJECT || inject_question(c->what.u.inject.op) != FL_INJ_MM_OOM)
        return 0;
    for (unsigned i = inject_begin(s, target, c->record); i < c->record; i++)
        there += s->records[i].kind == FL_REC_INJECT && inject_question(s->records[i].u.inject.op) == FL_INJ_MM_OOM;
    return c->nth > there ? c->nth - there : 0;
}

unsigned inject_place(struct fl_scenario *s, enum fl_target target, const struct choice *c)
{
    unsigned fill = fillers(s, target, c), more = fill + 1;
    struct fl_record *at = &s->records[c->record];

    if (s->nrecords + more > FL_MAX_RECORDS)
        return 0;
    memmove(at + more, at, (s->nrecords - c->record) * sizeof *at);
    for (unsigned i = 0; i < fill; i++) {
        memset(at + i, 0, sizeof *at);
        at[i].kind = FL_REC_INJECT;
        at[i].u.inject.op = FL_INJ_MM_MAJOR;
    }
    at[fill] = c->what;
    s->nrecords += more;
    return more;
}
