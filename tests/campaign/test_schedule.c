/* SPDX-License-Identifier: MIT */
/* The rule by which tasks share time: simulated campaigns. */
#include "schedule.h"

#include "../check.h"

#include <math.h>
#include <string.h>

#define N    8
#define STEP 0.2

/* A campaign of `seconds` in which task i finds finds[i] a second while it runs. ran[i] [OUT]: seconds; longest[i] [OUT]: that
 * it waited for its turn. */
static void simulate(unsigned n, unsigned slots, double seconds, double limit, const double *finds, double *ran,
                     double *longest)
{
    struct schedule_task t[N];
    double waited[N] = {0};

    memset(t, 0, sizeof t);
    memset(ran, 0, n * sizeof *ran);
    memset(longest, 0, n * sizeof *longest);
    for (double now = 0; now < seconds; now += STEP) {
        double slice = schedule_slice(now, limit, n, slots);
        unsigned running = 0;

        for (unsigned i = 0; i < n; i++) {
            t[i].ready = true;
            if (t[i].running)
                t[i].gain += finds[i] * STEP;
        }
        schedule_shares(t, n);
        schedule_account(t, n, STEP, slice);
        schedule_decide(t, n, slots, slice);
        for (unsigned i = 0; i < n; i++) {
            if (t[i].order == SCHEDULE_START) {
                t[i].running = true;
                t[i].in_slice = 0;
            } else if (t[i].order == SCHEDULE_END) {
                t[i].running = false;
            }
            running += t[i].running;
            t[i].in_slice += STEP;
            ran[i] += t[i].running ? STEP : 0;
            waited[i] = t[i].running ? 0 : waited[i] + STEP;
            if (waited[i] > longest[i])
                longest[i] = waited[i];
        }
        CHECK(running <= slots, "%u of %u at %.1f s", running, slots, now);
    }
}

static double sum(const double *values, unsigned n)
{
    double all = 0;

    for (unsigned i = 0; i < n; i++)
        all += values[i];
    return all;
}

static void no_slot_is_idle(void)
{
    double finds[N] = {0}, ran[N], longest[N];

    for (unsigned slots = 1; slots <= N; slots++) {
        simulate(N, slots, 600, 0, finds, ran, longest);
        /* A change takes one step of the loop. */
        CHECK(sum(ran, N) > 600 * slots * 0.97, "%u slots: %.1f s", slots, sum(ran, N));
        CHECK(sum(ran, N) <= 600 * slots + N, "%u slots: %.1f s", slots, sum(ran, N));
    }
}

static void equals_share_equally(void)
{
    double finds[N] = {1, 1, 1, 1, 1, 1, 1, 1}, ran[N], longest[N];

    simulate(N, 2, 3600, 0, finds, ran, longest);
    for (unsigned i = 0; i < N; i++) {
        CHECK(ran[i] > 3600 * 2 / N * 0.75, "task %u: %.1f s", i, ran[i]);
        CHECK(ran[i] < 3600 * 2 / N * 1.25, "task %u: %.1f s", i, ran[i]);
    }
}

static void what_pays_off_gets_more_and_nobody_starves(void)
{
    double finds[N] = {0, 0, 20, 0, 0, 0, 0, 0}, ran[N], longest[N];

    simulate(N, 2, 7200, 0, finds, ran, longest);
    for (unsigned i = 0; i < N; i++) {
        if (i == 2)
            continue;
        CHECK(ran[2] > 3 * ran[i], "task %u: %.1f s", i, ran[i]);
        /* The floor alone is SCHEDULE_FLOOR / N of all slots' time. */
        CHECK(ran[i] > 0.7 * SCHEDULE_FLOOR / N * 2 * 7200, "task %u: %.1f s", i, ran[i]);
    }
    /* One process at a time: no more than one slot's time. */
    CHECK(ran[2] <= 7200 + 1, "%s", __func__);
}

static void short_campaigns_see_every_task(void)
{
    double finds[N] = {0}, ran[N], longest[N];

    simulate(N, 2, 20, 20, finds, ran, longest);
    for (unsigned i = 0; i < N; i++)
        CHECK(ran[i] >= 3, "task %u: %.1f s", i, ran[i]);
    simulate(N, 2, 62, 0, finds, ran, longest);
    for (unsigned i = 0; i < N; i++)
        CHECK(ran[i] >= SCHEDULE_SHORTEST - 4, "task %u: %.1f s", i, ran[i]);
}

static void as_many_slots_as_tasks_run_on(void)
{
    double finds[N] = {5, 0, 0, 0, 0, 0, 0, 0}, ran[N], longest[N];

    simulate(N, N, 1000, 0, finds, ran, longest);
    for (unsigned i = 0; i < N; i++)
        CHECK(ran[i] > 999, "task %u: %.1f s", i, ran[i]);
}

static void slices(void)
{
    CHECK(schedule_slice(0, 0, 8, 2) == SCHEDULE_SHORTEST, "%s", __func__);
    CHECK(schedule_slice(SCHEDULE_LONGEST * SCHEDULE_AGE, 0, 8, 2) == SCHEDULE_LONGEST, "%s", __func__);
    CHECK(schedule_slice(1e9, 0, 8, 2) == SCHEDULE_LONGEST, "%s", __func__);
    CHECK(schedule_slice(3600, 0, 8, 2) == 3600 / SCHEDULE_AGE, "%s", __func__);
    CHECK(schedule_slice(0, 20, 8, 2) < SCHEDULE_SHORTEST, "%s", __func__);
    CHECK(schedule_slice(0, 20, 2, 2) == SCHEDULE_SHORTEST, "%s", __func__);
    CHECK(schedule_slice(0, 1, 200, 1) >= 2, "%s", __func__);
}

static void shares(void)
{
    struct schedule_task t[3] = {{.ready = true}, {.running = true, .gain = 100, .seconds = 10}, {.gain = 1000}};

    schedule_shares(t, 3);
    CHECK(fabs(t[0].share + t[1].share - 1) < 1e-9, "%s", __func__);
    CHECK(t[2].share == 0, "%s", __func__); /* set aside */
    CHECK(t[1].share > t[0].share, "%s", __func__);
    CHECK(t[0].share >= SCHEDULE_FLOOR / 2, "%s", __func__);
}

/* A merge takes a slot from those that run; one that was set back does not make up for all of the time that it missed. */
static void fewer_slots_and_set_back(void)
{
    struct schedule_task t[3] = {{.ready = true, .running = true, .pass = 50, .in_slice = 3},
                                 {.ready = true, .running = true, .pass = 70, .in_slice = 3},
                                 {.ready = false, .pass = 0}};

    schedule_shares(t, 3);
    schedule_decide(t, 3, 1, 15);
    CHECK(t[0].order == SCHEDULE_STAY && t[1].order == SCHEDULE_END, "%s", __func__);
    for (unsigned i = 0; i < 2; i++)
        t[i].pass += 100000;
    t[2].ready = true;
    schedule_decide(t, 3, 2, 15);
    CHECK(t[2].pass > 99000, "%s", __func__);
    CHECK(t[2].order == SCHEDULE_STAY, "%s", __func__); /* no slice is over */
    t[0].in_slice = t[1].in_slice = 16;
    schedule_decide(t, 3, 2, 15);
    CHECK(t[2].order == SCHEDULE_NEXT && t[1].order == SCHEDULE_END && t[0].order == SCHEDULE_STAY, "%s", __func__);
    t[1].running = false;
    t[1].ending = true;
    schedule_decide(t, 3, 2, 15);
    CHECK(t[2].order != SCHEDULE_START, "%s", __func__); /* the process still takes its slot */
    t[1].ending = false;
    schedule_decide(t, 3, 2, 15);
    CHECK(t[2].order == SCHEDULE_START, "%s", __func__);
}

int main(void)
{
    no_slot_is_idle();
    equals_share_equally();
    what_pays_off_gets_more_and_nobody_starves();
    short_campaigns_see_every_task();
    as_many_slots_as_tasks_run_on();
    slices();
    shares();
    fewer_slots_and_set_back();
    return check_done("schedule");
}
