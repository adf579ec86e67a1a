/* SPDX-License-Identifier: MIT */
#include "schedule.h"

#include <math.h>
#include <stddef.h>

/* So that nobody's worth is without bounds, and one that has not run yet is worth a try. */
#define GAIN_PRIOR    1.0
#define SECONDS_PRIOR 15.0

double schedule_slice(double age, double limit, unsigned tasks, unsigned slots)
{
    double slice = age / SCHEDULE_AGE;

    if (slice < SCHEDULE_SHORTEST)
        slice = SCHEDULE_SHORTEST;
    if (slice > SCHEDULE_LONGEST)
        slice = SCHEDULE_LONGEST;
    if (limit > 0 && tasks > slots && slots > 0) {
        double rounds = ceil((double)tasks / slots), most = limit * 0.9 / rounds;

        if (slice > most)
            slice = most < 2 ? 2 : most;
    }
    return slice;
}

void schedule_shares(struct schedule_task *tasks, unsigned n)
{
    double sum = 0;
    unsigned takers = 0;

    for (unsigned i = 0; i < n; i++) {
        tasks[i].share = 0;
        if (tasks[i].ready || tasks[i].running) {
            tasks[i].share = (tasks[i].gain + GAIN_PRIOR) / (tasks[i].seconds + SECONDS_PRIOR);
            sum += tasks[i].share;
            takers++;
        }
    }
    for (unsigned i = 0; i < n; i++)
        if (tasks[i].share > 0)
            tasks[i].share = SCHEDULE_FLOOR / takers + (1 - SCHEDULE_FLOOR) * tasks[i].share / sum;
}

void schedule_account(struct schedule_task *tasks, unsigned n, double dt, double slice)
{
    double fade = exp2(-dt / (SCHEDULE_FADE_SLICES * slice));

    for (unsigned i = 0; i < n; i++) {
        struct schedule_task *t = &tasks[i];

        if (!t->running)
            continue;
        t->gain *= fade;
        t->seconds = t->seconds * fade + dt;
        if (t->share > 0)
            t->pass += dt / t->share;
    }
}

static struct schedule_task *next(struct schedule_task *tasks, unsigned n)
{
    struct schedule_task *best = NULL;

    for (unsigned i = 0; i < n; i++) {
        struct schedule_task *t = &tasks[i];

        if (t->ready && !t->running && !t->ending && t->order == SCHEDULE_STAY && (!best || t->pass < best->pass))
            best = t;
    }
    return best;
}

/* One that has waited long (it was set back, or its folder was in use) is not to make up for all of it. */
static void level(struct schedule_task *tasks, unsigned n, double slice)
{
    double lowest = -1, most;

    for (unsigned i = 0; i < n; i++)
        if (tasks[i].running && (lowest < 0 || tasks[i].pass < lowest))
            lowest = tasks[i].pass;
    most = slice * n / SCHEDULE_FLOOR;
    for (unsigned i = 0; i < n; i++)
        if (!tasks[i].running && tasks[i].pass < lowest - most)
            tasks[i].pass = lowest - most;
}

void schedule_decide(struct schedule_task *tasks, unsigned n, unsigned slots, double slice)
{
    unsigned taken = 0;

    for (unsigned i = 0; i < n; i++) {
        tasks[i].order = SCHEDULE_STAY;
        taken += tasks[i].running || tasks[i].ending;
    }
    level(tasks, n, slice);
    while (taken < slots) {
        struct schedule_task *t = next(tasks, n);

        if (!t)
            return;
        t->order = SCHEDULE_START;
        taken++;
    }
    /* More than there are slots for (a merge has taken one): the one that is furthest ahead makes room. */
    for (; taken > slots; taken--) {
        struct schedule_task *most = NULL;

        for (unsigned i = 0; i < n; i++)
            if (tasks[i].running && tasks[i].order == SCHEDULE_STAY && (!most || tasks[i].pass > most->pass))
                most = &tasks[i];
        if (!most)
            return;
        most->order = SCHEDULE_END;
    }
    /* Each waiting task may take the place of one whose slice is over; it starts when that has ended. */
    for (unsigned round = 0; round < n; round++) {
        struct schedule_task *waiting = next(tasks, n), *over = NULL;

        if (!waiting)
            return;
        for (unsigned i = 0; i < n; i++) {
            struct schedule_task *t = &tasks[i];

            if (t->running && t->order == SCHEDULE_STAY && t->in_slice >= slice && t->pass > waiting->pass &&
                (!over || t->pass > over->pass))
                over = t;
        }
        if (!over)
            return;
        over->order = SCHEDULE_END;
        waiting->order = SCHEDULE_NEXT;
    }
}
