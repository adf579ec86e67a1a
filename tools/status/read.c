/* SPDX-License-Identifier: MIT */
/* One look at a campaign's database. */
#include "../command.h"
#include "status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *const cell_kinds[CELL_KINDS] = {"walk", "row",   "decision",   "run", "decode",
                                            "sync", "touch", "generation", "pin"};

static bool take_sample(const struct sample *m, void *ctx)
{
    struct history *h = ctx;

    h->sample = grow_array(h->sample, h->n, sizeof *h->sample);
    h->sample[h->n++] = *m;
    return true;
}

static bool take_job(const struct job *j, void *ctx)
{
    struct status *s = ctx;

    s->jobs = grow_array(s->jobs, s->njobs, sizeof *s->jobs);
    s->jobs[s->njobs++] = *j;
    return true;
}

static bool take_bucket(const struct bucket *b, void *ctx)
{
    struct status *s = ctx;

    s->buckets = grow_array(s->buckets, s->nbuckets, sizeof *s->buckets);
    s->buckets[s->nbuckets++] = *b;
    if (b->aside) {
        s->aside++;
        return true;
    }
    s->by_status[b->status]++;
    if (b->status == BUCKET_OPEN || b->status == BUCKET_REGRESSION)
        s->open[b->severity]++;
    return true;
}

static bool take_cell(unsigned cell, enum fl_target target, double at, void *ctx)
{
    struct status *s = ctx;
    char name[128];
    size_t word;

    s->cells++;
    if ((unsigned)target < FL_TARGET_COUNT)
        s->cells_of[target]++;
    fl_cell_name(cell, name, sizeof name);
    word = strcspn(name, " ");
    for (unsigned k = 0; k < CELL_KINDS; k++)
        s->kind_hit[k] += strlen(cell_kinds[k]) == word && strncmp(name, cell_kinds[k], word) == 0;
    memmove(s->newest + 1, s->newest, sizeof s->newest - sizeof s->newest[0]);
    s->newest[0].cell = cell;
    s->newest[0].at = at;
    if (s->nnewest < sizeof s->newest / sizeof s->newest[0])
        s->nnewest++;
    return true;
}

static bool take_shard(const struct shard *shard, void *ctx)
{
    struct status *s = ctx;

    s->shards = grow_array(s->shards, s->nshards, sizeof *s->shards);
    s->shards[s->nshards++] = *shard;
    return true;
}

void status_free(struct status *out)
{
    for (unsigned t = 0; t < FL_TARGET_COUNT; t++)
        free(out->history[t].sample);
    free(out->folder);
    free(out->jobs);
    free(out->buckets);
    free(out->shards);
    memset(out, 0, sizeof *out);
}

static bool read_all(struct store *store, struct status *s)
{
    bool found;

    s->folder = format_text("%s", store_folder(store));
    s->now = time(NULL);
    store_option_get(store, "targets", s->targets, sizeof s->targets);
    store_option_get(store, "engines", s->engines, sizeof s->engines);
    if (!store_run_last(store, &s->run, &found))
        return false;
    s->presence = run_presence(&s->run, s->now);
    for (unsigned t = 0; t < FL_TARGET_COUNT; t++)
        if (!store_samples_each(store, (enum fl_target)t, take_sample, &s->history[t]))
            return false;
    return store_jobs_each(store, take_job, s) && store_buckets_each(store, take_bucket, s) &&
           store_cells_each(store, take_cell, s) && store_shards_each(store, take_shard, s);
}

bool status_read(struct store *store, struct status *out)
{
    struct status fresh = {0};
    /* One transaction, so that all of it is of the same moment. */
    bool ok = store_begin(store) && read_all(store, &fresh);

    if (ok)
        ok = store_commit(store);
    else
        store_rollback(store);
    if (ok) {
        status_free(out);
        *out = fresh;
    } else {
        status_free(&fresh);
    }
    return ok;
}

double status_ran(const struct status *s)
{
    return s->run.before + s->run.ran;
}

struct sample status_now(const struct status *s, enum fl_target target)
{
    const struct history *h = &s->history[target];

    return h->n ? h->sample[h->n - 1] : (struct sample){.target = target};
}

double status_rate(const struct status *s, enum fl_target target, bool events)
{
    double sum = 0;

    if (s->presence != PRESENCE_HERE)
        return 0;
    for (size_t i = 0; i < s->njobs; i++) {
        const struct job *j = &s->jobs[i];

        if (j->state == JOB_WORKING && (target == FL_TARGET_ALL || j->target == target))
            sum += events ? j->event_rate : j->rate;
    }
    return sum;
}

uint64_t status_open(const struct status *s)
{
    uint64_t sum = 0;

    for (unsigned k = 0; k < SEVERITIES; k++)
        sum += s->open[k];
    return sum;
}
