/* SPDX-License-Identifier: MIT */
/*
 * Inputs on which engines stopped become buckets (triage_take). One that has not been taken up stays where the engine put it,
 * so that nothing is lost when we are killed in between; it is said only after it is on the disk.
 *
 * A key that has brought a few artifacts in this run goes into DIR/known: from then on the targets count inputs that show it
 * and go on, so that the next bug is found behind it and no engine does nothing but stop.
 */
#include "campaign.h"

#include "../triage/triage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KNOWN_AFTER 3   /* artifacts in this run */
#define KNOWN_KEYS  512 /* that are counted; further ones are not passed over */

#define LONGEST_CHAIN 16 /* of duplicates of duplicates */

static struct {
    char key[STORE_KEY];
    unsigned count;
    bool passed_over;
} keys[KNOWN_KEYS];
static unsigned nkeys;

static unsigned *count_of(const char *key, bool **passed_over)
{
    for (unsigned i = 0; i < nkeys; i++)
        if (strcmp(keys[i].key, key) == 0) {
            *passed_over = &keys[i].passed_over;
            return &keys[i].count;
        }
    if (nkeys == KNOWN_KEYS)
        return NULL;
    snprintf(keys[nkeys].key, STORE_KEY, "%s", key);
    keys[nkeys].count = 0;
    keys[nkeys].passed_over = false;
    *passed_over = &keys[nkeys].passed_over;
    return &keys[nkeys++].count;
}

static bool write_known(const struct campaign *c)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    bool ok;

    if (!out) {
        complain("out of memory");
        return false;
    }
    for (unsigned i = 0; i < nkeys; i++)
        if (keys[i].passed_over)
            fprintf(out, "%s\n", keys[i].key);
    ok = fclose(out) == 0 && write_atomically(c->known, text, size);
    free(text);
    return ok;
}

/* The bug of which it is a duplicate is there still. When that is fixed or gone, what shows yet is another one, and triage
 * opens it again: so it has to be seen. */
static bool leader_there(struct store *s, const struct bucket *b)
{
    struct bucket at = *b;
    bool found;

    for (unsigned i = 0; at.status == BUCKET_DUPLICATE; i++)
        if (i == LONGEST_CHAIN || !store_bucket_get(s, at.duplicate_of, &at, &found) || !found)
            return false;
    return at.status != BUCKET_FIXED;
}

/* Somebody has looked at it and does not want to see it again. A fixed one must stop the engines when it comes back; an open
 * one is seen again, so that the store says under which build it was. */
static bool settled(const struct bucket *b, void *ctx)
{
    bool *passed_over;

    if ((b->status == BUCKET_INVALID || (b->status == BUCKET_DUPLICATE && leader_there(ctx, b))) &&
        count_of(b->key, &passed_over))
        *passed_over = true;
    return true;
}

bool known_begin(struct campaign *c)
{
    nkeys = 0;
    return store_buckets_each(c->store, settled, c->store) && write_known(c);
}

static void count_key(struct campaign *c, const char *key)
{
    bool *passed_over;
    unsigned *count = count_of(key, &passed_over);

    if (!count || ++*count < KNOWN_AFTER || *passed_over)
        return;
    *passed_over = true;
    if (write_known(c))
        campaign_say(c, "%s was found %u times: from now on it is counted and passed over", key, *count);
    else
        disk_write_failed(c);
}

struct taking {
    struct campaign *c;
    const struct engine_run *run;
    struct triage_origin origin;
    struct task *task; /* NULL: none */
};

static void take(const char *path, bool limit, void *ctx)
{
    static struct fl_scenario scenario;
    struct taking *x = ctx;
    struct campaign *c = x->c;
    struct bucket b;
    enum taken taken;

    if (c->paused || c->failed || c->vanished)
        return; /* it stays */
    if (!engine_read_artifact(path, &scenario))
        return;
    x->origin.path = path;
    x->origin.limit = limit;
    taken = triage_take(c->store, c->replayer, &scenario, &x->origin, false, &b);
    if (taken == TAKEN_FAILED) {
        complain("the input stays at %s", path);
        disk_write_failed(c);
        return;
    }
    c->run.artifacts++;
    c->tidy_wanted = true;
    unlink(path);
    if (taken == TAKEN_NEW) {
        campaign_say(c, "%s %s (%s, %s): %s/%s", b.aside ? "left aside" : "finding", b.key, severity_name(b.severity),
                     x->origin.found_by, c->o->folder, b.file);
        if (x->task && !b.aside) {
            c->plan[x->task - c->tasks].gain += GAIN_BUCKET;
            x->task->job.last_new = c->run.before + c->ran;
        }
    } else if (taken == TAKEN_AGAIN && b.status == BUCKET_REGRESSION && b.count > 1) {
        campaign_say(c, "regression %s (%s): %s/%s", b.key, x->origin.found_by, c->o->folder, b.file);
    }
    count_key(c, b.key);
}

void run_findings(struct campaign *c, const struct engine_run *run, const char *name, double after, uint64_t events,
                  bool in_executor, struct task *t)
{
    struct taking x = {
        .c = c,
        .run = run,
        .task = t,
        .origin = {
            .found_by = name, .target = run->target, .in_executor = in_executor, .after = after, .events = events}};

    engine_artifacts(run, take, &x);
}

void task_findings(struct campaign *c, struct task *t)
{
    /* AFL++'s target dies and is started again by it: what was going on then is not known. */
    bool in_executor = t->run.engine == ENGINE_LIBFUZZER && !t->pid && t->stats->in_executor != 0;

    run_findings(c, &t->run, t->job.name, t->job.ran, t->base.events + t->stats->events, in_executor, t);
}
