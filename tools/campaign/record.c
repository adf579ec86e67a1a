/* SPDX-License-Identifier: MIT */
/* What is written down of a campaign as it goes: the run, its jobs, samples, cells, decisions; and lines for people. */
#include "campaign.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RECORD_EVERY   1.0  /* seconds */
#define RECORD_RETRY   10.0 /* after one that failed, which may have taken as long as the database is waited for */
#define PROGRESS_EVERY 10.0 /* seconds between plain lines; the log of one in the background has one each 10 minutes */
#define PROGRESS_LOG   600.0
#define PROGRESS_SOON  3600.0 /* seconds of a run after which plain lines are as rare: nobody makes Slurm's logs short */

/* ---- counters of all tasks ------------------------------------------------------------------------------------------- */

static void decided(const struct campaign *c, struct decisions *d)
{
    memset(d, 0, sizeof *d);
    for (unsigned i = 0; i < c->ntasks; i++) {
        const struct fl_stats *s = c->tasks[i].stats;

        for (unsigned m = 0; m < FL_MODE_COUNT; m++)
            for (unsigned a = 0; a < FL_ACT_COUNT; a++)
                for (unsigned e = 0; e < FL_ERROR_BITS; e++)
                    d->count[m][a][e] += s->decided[m][a][e];
    }
}

bool record_begin(struct campaign *c)
{
    struct sample last;

    decided(c, &c->decided_before);
    for (unsigned i = 0; i < c->ntasks; i++) {
        const struct task *t = &c->tasks[i];

        disk_size_of(t->corpus, &c->corpus_files[t->run.target], &c->corpus_bytes[t->run.target]);
    }
    if (!store_sample_last(c->store, FL_TARGET_ALL, &last, &c->had_sample))
        return false;
    c->last_sample = c->had_sample ? last.at : 0;
    return true;
}

static bool put_decisions(struct campaign *c)
{
    struct decisions now;

    decided(c, &now);
    for (unsigned m = 0; m < FL_MODE_COUNT; m++)
        for (unsigned a = 0; a < FL_ACT_COUNT; a++)
            for (unsigned e = 0; e < FL_ERROR_BITS; e++)
                now.count[m][a][e] -= c->decided_before.count[m][a][e];
    return store_decisions_put(c->store, c->run.id, &now);
}

/* ---- samples --------------------------------------------------------------------------------------------------------- */

static void sum_target(const struct campaign *c, enum fl_target target, struct sample *m)
{
    uint8_t cell[FL_CELLS] = {0};

    m->target = target;
    for (unsigned i = 0; i < c->ntasks; i++) {
        const struct task *t = &c->tasks[i];

        if (t->run.target != target)
            continue;
        m->executions += t->job.executions;
        m->events += t->job.events;
        m->real_faults += t->job.real_faults;
        if (t->job.edges > m->edges)
            m->edges = t->job.edges;
        if (t->run.engine == ENGINE_LIBFUZZER && t->says.features > m->features)
            m->features = t->says.features;
        for (unsigned k = 0; k < FL_CELLS; k++)
            cell[k] |= t->stats->cell[k];
    }
    for (unsigned k = 0; k < FL_CELLS; k++)
        m->cells += cell[k] != 0;
    m->corpus_files = c->corpus_files[target];
    m->corpus_bytes = c->corpus_bytes[target];
}

static unsigned take_samples(struct campaign *c, double at, struct sample samples[FL_TARGET_COUNT])
{
    struct sample all = {.at = at, .target = FL_TARGET_ALL, .disk = c->run.disk};
    unsigned n = 0;

    for (unsigned t = 0; t < FL_TARGET_ALL; t++) {
        struct sample *m = &samples[n];

        if (!c->o->target[t])
            continue;
        memset(m, 0, sizeof *m);
        m->at = at;
        sum_target(c, (enum fl_target)t, m);
        all.executions += m->executions;
        all.events += m->events;
        all.real_faults += m->real_faults;
        all.edges += m->edges;
        all.features += m->features;
        all.cells += m->cells;
        all.corpus_files += m->corpus_files;
        all.corpus_bytes += m->corpus_bytes;
        n++;
    }
    samples[n++] = all;
    return n;
}

static bool put_samples(struct campaign *c, double at)
{
    struct sample samples[FL_TARGET_COUNT + 1];
    unsigned n = take_samples(c, at, samples);

    if (!store_open_findings(c->store, &samples[n - 1].open) || !store_samples_add(c->store, samples, n))
        return false;
    c->last_sample = at;
    c->had_sample = true;
    return true;
}

static bool put_cells(struct campaign *c, double at)
{
    for (unsigned i = 0; i < c->ntasks; i++)
        if (!store_cells_add(c->store, c->tasks[i].stats->cell, c->tasks[i].run.target, at, NULL))
            return false;
    return true;
}

/* ---- one moment ------------------------------------------------------------------------------------------------------ */

static bool put_all(struct campaign *c, double at, bool now)
{
    for (unsigned i = 0; i < c->ntasks; i++)
        if (!store_job_put(c->store, &c->tasks[i].job))
            return false;
    if (now || !c->had_sample || store_sample_due(c->last_sample, at))
        if (!put_samples(c, at) || !put_decisions(c) || !put_cells(c, at))
            return false;
    return store_run_put(c->store, &c->run);
}

void record_step(struct campaign *c, bool now)
{
    double at = c->run.before + c->ran, began = monotonic_seconds();

    if (!now && c->clock - c->recorded < RECORD_EVERY)
        return;
    c->recorded = c->clock;
    c->run.ran = c->ran;
    c->run.working = tasks_working(c) + merge_working(c);
    if (store_begin(c->store)) {
        if (put_all(c, at, now) && store_commit(c->store))
            return;
        store_rollback(c->store);
    }
    if (c->paused) /* the first line of the pause has said it all */
        return;
    c->recorded = c->clock + monotonic_seconds() - began + RECORD_RETRY;
    disk_write_failed(c);
}

void record_progress(struct campaign *c, bool last)
{
    bool terminal = c->o->foreground && isatty(STDERR_FILENO);
    struct sample samples[FL_TARGET_COUNT + 1], *all;
    double every = terminal ? 0 : c->o->foreground && c->ran < PROGRESS_SOON ? PROGRESS_EVERY : PROGRESS_LOG, rate = 0;
    uint64_t open = 0;
    char b[4][24];

    if (!last && c->clock - c->progressed < every)
        return;
    c->progressed = c->clock;
    all = &samples[take_samples(c, 0, samples) - 1];
    if (!store_open_findings(c->store, &open))
        return;
    for (unsigned i = 0; i < c->ntasks; i++)
        rate += c->tasks[i].job.rate;
    fprintf(stderr,
            "%s%.0f s: %u working, %s executions (%s/s), %s events, edges %s, cells %" PRIu64 ", corpus %" PRIu64
            ", open findings %" PRIu64 "%s%s",
            terminal ? "\r\033[K" : "faultline: ", c->run.before + c->ran, c->run.working,
            brief_number((double)all->executions, b[0]), brief_number(rate, b[1]),
            brief_number((double)all->events, b[2]), brief_number((double)all->edges, b[3]), all->cells,
            all->corpus_files, open, c->paused ? ", PAUSED" : "", terminal && !last ? "" : "\n");
    fflush(stderr);
}
