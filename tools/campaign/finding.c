/* SPDX-License-Identifier: MIT */
/*
 * Inputs on which engines stopped become buckets (triage_take). One that has not been taken up stays where the engine put it,
 * so that nothing is lost when we are killed in between; it is said only after it is on the disk. A replay may take long (a
 * hang takes all of its limit), so that the loop has at least half of the time for its other work.
 */
#include "campaign.h"

#include "../triage/triage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TAKING_SHARE 0.5  /* seconds of taking up, after which the loop has as long for itself */
#define TAKING_LAST  5.0  /* seconds in which the end of a campaign takes up what is left */
#define LONGEST_WAIT 30.0 /* seconds before one that could not be stored is tried again */

struct taking {
    struct campaign *c;
    struct triage_origin origin;
    struct task *task; /* NULL: none */
    bool merging;
    unsigned taken, left;
};

static bool is_time(const struct campaign *c, bool limit)
{
    if (c->paused || c->failed || c->vanished)
        return false;
    /* What took too long once is likely to do so again: no end of a campaign waits for that. */
    return c->taking.until > 0 ? !limit && monotonic_seconds() < c->taking.until
                               : monotonic_seconds() >= c->taking.from;
}

static void could_not(struct campaign *c)
{
    double wait = 1;

    for (unsigned i = 0; i < c->taking.failures && wait < LONGEST_WAIT; i++)
        wait *= 2;
    c->taking.failures++;
    c->taking.from = monotonic_seconds() + (wait < LONGEST_WAIT ? wait : LONGEST_WAIT);
    if (c->taking.until > 0)
        c->taking.until = 1; /* it is over */
    disk_write_failed(c);
}

static void account(struct campaign *c, double began)
{
    double now = monotonic_seconds();

    c->taking.failures = 0;
    c->taking.spent += now - began;
    if (c->taking.spent < TAKING_SHARE)
        return;
    c->taking.from = now + c->taking.spent;
    c->taking.spent = 0;
}

static void tell(struct taking *x, enum taken taken, const struct bucket *b)
{
    struct campaign *c = x->c;

    if (taken == TAKEN_NEW) {
        campaign_say(c, "%s %s (%s, %s): %s/%s", b->aside ? "left aside" : "finding", b->key,
                     severity_name(b->severity), x->origin.found_by, c->o->folder, b->file);
        if (x->task && !b->aside) {
            c->plan[x->task - c->tasks].gain += GAIN_BUCKET;
            x->task->job.last_new = c->run.before + c->ran;
        }
    }
    if (known_came_back(b))
        campaign_say(c, "regression %s (%s): %s/%s", b->key, x->origin.found_by, c->o->folder, b->file);
    if (x->task)
        snprintf(x->task->stops_on, sizeof x->task->stops_on, "%s", b->key);
}

static void take(const char *path, bool limit, void *ctx)
{
    static struct fl_scenario scenario;
    struct taking *x = ctx;
    struct campaign *c = x->c;
    double began = monotonic_seconds();
    struct bucket b;
    enum taken taken;

    if (!is_time(c, limit)) {
        x->left++; /* it stays */
        return;
    }
    if (!engine_read_artifact(path, &scenario))
        return;
    x->origin.path = path;
    x->origin.limit = limit;
    taken = triage_take(c->store, c->replayer, &scenario, &x->origin, false, &b);
    if (taken == TAKEN_FAILED) {
        complain("the input stays at %s", path);
        x->left++;
        could_not(c);
        return;
    }
    account(c, began);
    x->taken++;
    c->run.artifacts++;
    c->tidy_wanted |= taken == TAKEN_NEW || taken == TAKEN_AGAIN;
    tell(x, taken, &b);
    if (x->merging)
        merge_drop(c, path);
    if (known_count(c, b.key))
        aside_input(c, x->origin.target, path, b.key);
    unlink(path);
}

unsigned run_findings(struct campaign *c, const struct engine_run *run, const char *name, double after, uint64_t events,
                      bool in_executor, struct task *t, unsigned *taken)
{
    struct taking x = {
        .c = c,
        .task = t,
        .merging = run == &c->merge.run,
        .origin = {
            .found_by = name, .target = run->target, .in_executor = in_executor, .after = after, .events = events}};
    struct engine_run copy = *run;
    char *folder = format_text("%s", run->folder); /* a merge's is gone when a full disk ends it in here */

    copy.folder = folder;
    engine_artifacts(&copy, take, &x);
    free(folder);
    *taken = x.taken;
    return x.left;
}

bool task_findings(struct campaign *c, struct task *t)
{
    /* AFL++'s target dies and is started again by it: what was going on then is not known. */
    bool in_executor = t->run.engine == ENGINE_LIBFUZZER && !t->pid && t->stats->in_executor != 0;
    unsigned taken, left = run_findings(c, &t->run, t->job.name, t->job.ran, t->base.events + t->stats->events,
                                        in_executor, t, &taken);

    t->waiting = left > 0;
    return taken + left > 0;
}

void findings_step(struct campaign *c)
{
    unsigned first = c->taking.first++;

    for (unsigned i = 0; i < c->ntasks; i++) {
        struct task *t = &c->tasks[(first + i) % c->ntasks];

        if (t->pid ? t->run.engine == ENGINE_AFL : t->waiting)
            task_findings(c, t);
    }
}

void findings_last(struct campaign *c)
{
    unsigned waiting = 0;

    c->taking.until = monotonic_seconds() + TAKING_LAST;
    for (unsigned i = 0; i < c->ntasks; i++) {
        task_findings(c, &c->tasks[i]);
        waiting += c->tasks[i].waiting;
    }
    if (waiting)
        campaign_say(c, "inputs on which %u tasks stopped have not been looked at; resume looks at them", waiting);
}
