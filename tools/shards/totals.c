/* SPDX-License-Identifier: MIT */
/*
 * Figures of the whole: runs, jobs, samples, cells, decisions of all shards. Shards work side by side, so their running seconds
 * are laid on each other and not end to end: a figure of the whole at a second is the sum of what each shard had at that second.
 * Where figures of two shards may mean the same thing (edges, features, cells of a target), it is the larger one: at least that
 * much is covered.
 */
#include "internal.h"

#include "../command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct series {
    struct sample *at;
    size_t n, room;
};

/* One shard's. */
struct part {
    unsigned number;
    struct run run;
    bool alive;
    struct series series[FL_TARGET_COUNT];
    struct job *jobs;
    size_t njobs;
};

struct totals {
    struct part *parts;
    size_t nparts;
    double cell_at[FL_CELLS]; /* below 0: not seen */
    enum fl_target cell_target[FL_CELLS];
    struct decisions decisions;
};

struct totals *totals_new(void)
{
    struct totals *t = calloc(1, sizeof *t);

    if (!t) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    for (unsigned i = 0; i < FL_CELLS; i++)
        t->cell_at[i] = -1;
    return t;
}

static void part_free(struct part *p)
{
    for (unsigned i = 0; i < FL_TARGET_COUNT; i++)
        free(p->series[i].at);
    free(p->jobs);
}

void totals_free(struct totals *t)
{
    for (size_t i = 0; i < t->nparts; i++)
        part_free(&t->parts[i]);
    free(t->parts);
    free(t);
}

/* ---- one shard ----------------------------------------------------------------------------------------------------------- */

static bool take_sample(const struct sample *m, void *ctx)
{
    struct series *s = ctx;

    s->at = grow_array(s->at, s->n, sizeof *s->at);
    s->at[s->n++] = *m;
    return true;
}

static bool take_job(const struct job *j, void *ctx)
{
    struct part *p = ctx;
    struct job *mine;

    p->jobs = grow_array(p->jobs, p->njobs, sizeof *p->jobs);
    mine = &p->jobs[p->njobs++];
    *mine = *j;
    snprintf(mine->name, sizeof mine->name, "%u/%.50s", p->number, j->name);
    mine->pid = 0; /* on another machine it is somebody else's */
    mine->born = 0;
    if (!p->alive && mine->state == JOB_WORKING)
        mine->state = JOB_IDLE;
    if (mine->state != JOB_WORKING)
        mine->rate = mine->event_rate = 0;
    return true;
}

/* What a shard has seen, apart until all of it could be read. */
struct seen {
    double at[FL_CELLS];
    enum fl_target target[FL_CELLS];
};

static bool take_cell(unsigned cell, enum fl_target target, double at, void *ctx)
{
    struct seen *s = ctx;

    s->at[cell] = at < 0 ? 0 : at;
    s->target[cell] = target;
    return true;
}

bool totals_add(struct totals *t, struct store *theirs, unsigned number, struct run *run)
{
    struct part p = {.number = number};
    struct seen *seen = calloc(1, sizeof *seen);
    struct decisions *d = calloc(1, sizeof *d);
    bool found, ok = seen && d && store_run_last(theirs, &p.run, &found);

    for (unsigned i = 0; seen && i < FL_CELLS; i++)
        seen->at[i] = -1;
    if (ok) {
        enum presence presence = run_presence(&p.run, (int64_t)time(NULL));

        p.alive = presence == PRESENCE_HERE;
    }
    for (unsigned i = 0; ok && i < FL_TARGET_COUNT; i++)
        ok = store_samples_each(theirs, (enum fl_target)i, take_sample, &p.series[i]);
    ok = ok && store_jobs_each(theirs, take_job, &p) && store_cells_each(theirs, take_cell, seen) &&
         store_decisions_get(theirs, d);
    if (ok) {
        const uint64_t *from = &d->count[0][0][0];
        uint64_t *to = &t->decisions.count[0][0][0];

        t->parts = grow_array(t->parts, t->nparts, sizeof *t->parts);
        t->parts[t->nparts++] = p;
        for (size_t i = 0; i < sizeof *d / sizeof(uint64_t); i++)
            to[i] += from[i];
        for (unsigned i = 0; i < FL_CELLS; i++)
            if (seen->at[i] >= 0 && (t->cell_at[i] < 0 || seen->at[i] < t->cell_at[i])) {
                t->cell_at[i] = seen->at[i];
                t->cell_target[i] = seen->target[i];
            }
        *run = p.run;
    } else {
        part_free(&p);
    }
    free(seen);
    free(d);
    return ok;
}

/* ---- sums ---------------------------------------------------------------------------------------------------------------- */

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void sum_up(struct sample *sum, const struct sample *m)
{
    sum->executions += m->executions;
    sum->events += m->events;
    sum->real_faults += m->real_faults;
    sum->edges = larger(sum->edges, m->edges);
    sum->features = larger(sum->features, m->features);
    sum->cells = larger(sum->cells, m->cells);
    sum->corpus_files += m->corpus_files;
    sum->corpus_bytes += m->corpus_bytes;
    sum->open = larger(sum->open, m->open);
    sum->disk += m->disk;
}

static int by_time(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Every moment at which some shard was sampled. */
static double *moments(const struct totals *t, size_t *n)
{
    size_t most = 0;
    double *all;

    *n = 0;
    for (size_t i = 0; i < t->nparts; i++)
        for (unsigned k = 0; k < FL_TARGET_COUNT; k++)
            most += t->parts[i].series[k].n;
    all = malloc((most ? most : 1) * sizeof *all);
    if (!all) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    for (size_t i = 0; i < t->nparts; i++)
        for (unsigned k = 0; k < FL_TARGET_COUNT; k++)
            for (size_t m = 0; m < t->parts[i].series[k].n; m++)
                all[(*n)++] = t->parts[i].series[k].at[m].at;
    qsort(all, *n, sizeof *all, by_time);
    return all;
}

static bool store_moment(struct totals *t, struct store *s, double at, size_t (*next)[FL_TARGET_COUNT], uint64_t cells)
{
    struct sample sums[FL_TARGET_COUNT];
    size_t n = 0;

    for (unsigned k = 0; k < FL_TARGET_COUNT; k++) {
        struct sample sum = {.at = at, .target = (enum fl_target)k};
        bool any = false;

        for (size_t i = 0; i < t->nparts; i++) {
            const struct series *series = &t->parts[i].series[k];

            while (next[i][k] < series->n && series->at[next[i][k]].at <= at)
                next[i][k]++;
            if (next[i][k] > 0) {
                sum_up(&sum, &series->at[next[i][k] - 1]);
                any = true;
            }
        }
        if (k == FL_TARGET_ALL)
            sum.cells = cells;
        if (any)
            sums[n++] = sum;
    }
    return store_samples_add(s, sums, n);
}

static bool store_samples(struct totals *t, struct store *s)
{
    size_t n, c = 0;
    double *all = moments(t, &n), *cells = malloc(FL_CELLS * sizeof *cells), newest = n ? all[n - 1] : 0, kept = -1;
    size_t(*next)[FL_TARGET_COUNT] = calloc(t->nparts ? t->nparts : 1, sizeof *next), ncells = 0;
    bool ok = store_samples_reset(s);

    if (!next || !cells) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    for (unsigned i = 0; i < FL_CELLS; i++)
        if (t->cell_at[i] >= 0)
            cells[ncells++] = t->cell_at[i];
    qsort(cells, ncells, sizeof *cells, by_time);
    for (size_t i = 0; ok && i < n; i++) {
        if (i + 1 < n && kept >= 0 && all[i] - kept < sample_spacing(all[i], newest - all[i]))
            continue;
        if (i + 1 < n && all[i] >= newest)
            continue; /* the last of those that are the same */
        kept = all[i];
        while (c < ncells && cells[c] <= kept)
            c++;
        ok = store_moment(t, s, kept, next, i + 1 == n ? ncells : c);
    }
    free(next);
    free(cells);
    free(all);
    return ok;
}

static bool store_jobs(const struct totals *t, struct store *s)
{
    bool ok = store_jobs_reset(s);

    for (size_t i = 0; ok && i < t->nparts; i++)
        for (size_t k = 0; ok && k < t->parts[i].njobs; k++)
            ok = store_job_put(s, &t->parts[i].jobs[k]);
    return ok;
}

/* One run stands for all of them. */
static bool store_run_of_all(const struct totals *t, struct store *s)
{
    struct run sum = {0}, last;
    size_t begun = 0, alive = 0, paused = 0;
    bool found, ok = store_run_last(s, &last, &found);

    for (size_t i = 0; i < t->nparts; i++) {
        const struct run *r = &t->parts[i].run;
        double ran = r->before + r->ran;

        if (r->id == 0)
            continue;
        if (begun++ == 0 || r->started < sum.started)
            sum.started = r->started;
        alive += t->parts[i].alive;
        paused += t->parts[i].alive && r->state == RUN_PAUSED;
        sum.ended = sum.ended > r->beat ? sum.ended : r->beat;
        sum.ran = sum.ran > ran ? sum.ran : ran;
        sum.limit = sum.limit > r->limit ? sum.limit : r->limit;
        sum.slots += r->slots;
        sum.working += t->parts[i].alive ? r->working : 0;
        sum.disk += r->disk;
        sum.disk_free = i == 0 || r->disk_free < sum.disk_free ? r->disk_free : sum.disk_free;
        sum.artifacts += r->artifacts;
        memcpy(sum.build, r->build, sizeof sum.build);
        if (paused)
            snprintf(sum.why, sizeof sum.why, "shard %u: %.250s", t->parts[i].number, r->why);
    }
    if (!ok || begun == 0)
        return ok;
    if (found) {
        sum.id = last.id;
    } else {
        struct run fresh = sum;

        ok = store_run_begin(s, &fresh);
        sum.id = fresh.id;
    }
    sum.state = alive == 0 ? RUN_STOPPED : paused == alive ? RUN_PAUSED : RUN_RUNNING;
    if (alive)
        sum.ended = 0;
    else
        snprintf(sum.why, sizeof sum.why, "no shard works");
    /* No host of that name: onlookers go by its signs of life. */
    snprintf(sum.host, sizeof sum.host, "%zu of %zu shards", alive, t->nparts);
    return ok && store_run_put(s, &sum);
}

bool totals_store(struct totals *t, struct store *s)
{
    bool ok = store_samples(t, s) && store_jobs(t, s) && store_run_of_all(t, s);

    for (unsigned i = 0; ok && i < FL_CELLS; i++)
        if (t->cell_at[i] >= 0)
            ok = store_cell_join(s, i, t->cell_target[i], t->cell_at[i]);
    if (ok) {
        struct run r;
        bool found;

        ok = store_run_last(s, &r, &found) && (!found || store_decisions_put(s, r.id, &t->decisions));
    }
    return ok;
}
