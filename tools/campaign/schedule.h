/* SPDX-License-Identifier: MIT */
/*
 * Which tasks work, and for how long: pure functions of what is known of each. docs/campaign.md tells the rule to users.
 *
 * A task's worth is what it found (gain) by the seconds that it ran for it, both fading with half a life of
 * SCHEDULE_FADE_SLICES slices of its own running time. Its share is an even part of SCHEDULE_FLOOR, and of the rest as its
 * worth is to all worth. Time is handed out by stride: each task has a pass that grows by seconds / share while it runs, and
 * the waiting task with the lowest pass is next. So shares hold over time, and nobody starves.
 */
#ifndef FAULTLINE_TOOLS_CAMPAIGN_SCHEDULE_H
#define FAULTLINE_TOOLS_CAMPAIGN_SCHEDULE_H

#include <stdbool.h>

#define SCHEDULE_FLOOR       0.4
#define SCHEDULE_FADE_SLICES 4.0
#define SCHEDULE_SHORTEST    15.0  /* seconds of a slice at the start */
#define SCHEDULE_LONGEST     600.0 /* and after SCHEDULE_LONGEST * SCHEDULE_AGE seconds */
#define SCHEDULE_AGE         40.0

/* What a find counts. */
#define GAIN_EDGE   1.0
#define GAIN_CELL   2.0
#define GAIN_BUCKET 100.0

/* NEXT: a place is being made for it. */
enum schedule_order { SCHEDULE_STAY, SCHEDULE_START, SCHEDULE_NEXT, SCHEDULE_END };

struct schedule_task {
    bool ready;           /* may run: not failed, not backing off, nothing else works in its folder */
    bool running;         /* has a process that was not asked to end */
    bool ending;          /* has a process that was: it still takes a slot */
    double in_slice;      /* seconds since its process started */
    double gain, seconds; /* faded */
    double pass;
    double share;              /* [OUT] of schedule_shares: 0..1, their sum is 1 over those that are ready or running */
    enum schedule_order order; /* [OUT] of schedule_decide */
};

/* Seconds of a slice in a campaign that has worked for age seconds; limit: those that it will have, 0: no limit. A short
 * campaign has slices short enough to let every task have its turn. */
double schedule_slice(double age, double limit, unsigned tasks, unsigned slots);
void schedule_shares(struct schedule_task *tasks, unsigned n);
/* Time has gone by: dt seconds in which running tasks ran. New finds are added to gain by the caller. */
void schedule_account(struct schedule_task *tasks, unsigned n, double dt, double slice);
/* Orders for now: at most `slots` processes, those that are ending included. A task is ended when its slice is over and one
 * with a lower pass waits. Equal passes: the first in the list. */
void schedule_decide(struct schedule_task *tasks, unsigned n, unsigned slots, double slice);

#endif
