/* SPDX-License-Identifier: MIT */
/* Dropping records: what comes behind the failing one, then runs of them, each half as long as those before, then one by one,
 * in pairs (a fork and the switch to it go together), and one where two others change places (of two mappings of a page the
 * first may be there for the table only, which the second would make as well). */
#include "pass.h"

#include <string.h>

/* With more records than that, pairs would be too many. */
#define PAIRS_UP_TO 40
#define SWAPS_UP_TO 16

static bool without(struct work *w, uint32_t first, uint32_t count)
{
    struct fl_scenario *s = work_begin(w);

    memmove(&s->records[first], &s->records[first + count], (s->nrecords - first - count) * sizeof s->records[0]);
    s->nrecords -= count;
    return work_try(w);
}

void pass_records(struct work *w)
{
    uint32_t run = w->best.nrecords;

    if (w->result.end == REPLAY_DIVERGED && w->result.record + 1 < w->best.nrecords)
        without(w, w->result.record + 1, w->best.nrecords - w->result.record - 1);
    for (; run >= 1; run /= 2) {
        /* From the end: what is there depends on what is before it, not the other way round. */
        uint32_t end = w->best.nrecords;

        while (end > 0 && !work_over(w)) {
            uint32_t length = run < end ? run : end;

            without(w, end - length, length);
            end -= length;
        }
    }
}

void pass_pairs(struct work *w)
{
    for (uint32_t b = w->best.nrecords; b-- > 1;) {
        if (w->best.nrecords > PAIRS_UP_TO)
            return;
        if (b >= w->best.nrecords)
            continue;
        for (uint32_t a = b; a-- > 0 && !work_over(w);) {
            struct fl_scenario *s = work_begin(w);

            memmove(&s->records[b], &s->records[b + 1], (s->nrecords - b - 1) * sizeof s->records[0]);
            memmove(&s->records[a], &s->records[a + 1], (s->nrecords - a - 2) * sizeof s->records[0]);
            s->nrecords -= 2;
            if (work_try(w))
                break;
        }
    }
}

void pass_swaps(struct work *w)
{
    for (uint32_t gone = w->best.nrecords; gone-- > 0;) {
        if (w->best.nrecords > SWAPS_UP_TO)
            return;
        for (uint32_t i = 0; gone < w->best.nrecords && i + 2 < w->best.nrecords && !work_over(w); i++) {
            struct fl_scenario *s = work_begin(w);
            struct fl_record first;

            memmove(&s->records[gone], &s->records[gone + 1], (s->nrecords - gone - 1) * sizeof s->records[0]);
            s->nrecords--;
            first = s->records[i];
            s->records[i] = s->records[i + 1];
            s->records[i + 1] = first;
            if (work_try(w))
                break;
        }
    }
}

void pass_fold_regs(struct work *w)
{
    for (uint32_t i = w->best.nrecords; i-- > 0 && !work_over(w);) {
        const struct fl_record r = w->best.records[i];
        struct fl_machine *m;

        if (r.kind != FL_REC_REGS)
            continue;
        m = &work_begin(w)->machine;
        m->ip = r.u.regs.ip;
        m->sp = r.u.regs.sp;
        m->flags = r.u.regs.flags;
        m->user = r.u.regs.user;
        m->code_bits = r.u.regs.code_bits;
        memmove(&w->candidate.records[i], &w->candidate.records[i + 1],
                (w->candidate.nrecords - i - 1) * sizeof w->candidate.records[0]);
        w->candidate.nrecords--;
        work_try(w);
    }
}
