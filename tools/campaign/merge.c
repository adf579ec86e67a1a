/* SPDX-License-Identifier: MIT */
/*
 * Corpora are made small again: libFuzzer picks, from the shared corpus, the seeds and every queue of AFL++ together, the inputs
 * that cover as much (-set_cover_merge, or -merge where that kept less). Both folders are then measured by a run of
 * their own, and only when edges, features and decision cells are not fewer does the new one take the old one's place.
 * Queues of AFL++ that are much larger than the result begin again from it. All of this takes one of the campaign's jobs.
 */
#include "campaign.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MERGE_FEWEST   400    /* files: fewer are not worth it */
#define MERGE_GROWTH   2.0    /* times the files that the last one left */
#define MERGE_EVERY    3600.0 /* seconds after which a little growth is enough */
#define MERGE_LITTLE   1.2
#define MERGE_PAUSE    120.0  /* seconds at least between two of one target */
#define MERGE_LONGEST  1800.0 /* seconds of one stage; twice as much each time that it was not enough */
#define MERGE_LAST     (24 * 3600.0)
#define MERGE_RESTARTS 50 /* of stages, each without one more input */
#define QUEUE_FACTOR   2  /* a queue so many times the corpus begins again */

bool merge_working(const struct campaign *c)
{
    return c->merge.stage != MERGE_NONE && c->merge.stage != MERGE_RESEEDING;
}

/* ---- making a snapshot ----------------------------------------------------------------------------------------------- */

struct linking {
    struct merge *m;
    const struct task *t;
    bool ok;
};

static void link_queue(const char *path, void *ctx)
{
    struct linking *l = ctx;
    char *to = format_text("%s/afl-%s-%s", l->m->in, l->t->role_name, strrchr(path, '/') + 1);

    l->ok = l->ok && swap_link(path, to);
    free(to);
}

static const struct task *task_of(const struct campaign *c, enum fl_target target)
{
    for (unsigned i = 0; i < c->ntasks; i++)
        if (c->tasks[i].run.target == target)
            return &c->tasks[i];
    return NULL;
}

static bool snapshot(struct campaign *c)
{
    struct merge *m = &c->merge;
    struct linking l = {.m = m, .ok = true};

    if (!swap_remove(m->folder) || !make_folder(m->in) || !make_folder(m->new) || !make_folder(m->artifacts) ||
        !swap_join(task_of(c, m->target)->corpus, m->in, "") || !swap_join(c->seeds, m->in, "seed-"))
        return false;
    for (unsigned i = 0; i < c->ntasks; i++)
        if (c->tasks[i].run.target == m->target && c->tasks[i].run.engine == ENGINE_AFL) {
            l.t = &c->tasks[i];
            exchange_queue(l.t, link_queue, &l);
        }
    return l.ok;
}

/* ---- one stage: a process -------------------------------------------------------------------------------------------- */

static bool begin_stage(struct campaign *c, enum merge_stage stage)
{
    struct merge *m = &c->merge;

    engine_counters_close(m->stats);
    m->stats = engine_counters_open(m->stats_path);
    if (!m->stats)
        return false;
    unlink(m->log);
    m->says = (struct engine_says){0};
    m->run = (struct engine_run){.engine = ENGINE_LIBFUZZER,
                                 .target = m->target,
                                 .errand = stage != MERGE_MERGING ? ERRAND_MEASURE
                                           : m->plain             ? ERRAND_MERGE
                                                                  : ERRAND_COVER,
                                 .build = c->o->build,
                                 .folder = m->artifacts,
                                 .log = m->log,
                                 .stats = m->stats_path,
                                 .corpus = stage == MERGE_MEASURING_OLD ? m->in : m->new,
                                 .seeds = stage == MERGE_MERGING ? m->in : NULL,
                                 .core = c->o->core,
                                 .known = c->known,
                                 .campaign = c->o->folder,
                                 .executor = c->o->executor};
    m->stage = stage;
    m->began = c->clock;
    m->ended = false;
    m->found = m->dropped = 0;
    m->pid = engine_start(&m->run, "a merge");
    return m->pid != 0;
}

static void forget(struct campaign *c)
{
    struct merge *m = &c->merge;

    engine_counters_close(m->stats);
    m->stats = NULL;
    m->stage = MERGE_NONE;
    m->due[m->target] = c->clock + MERGE_PAUSE;
    if (m->folder)
        swap_remove(m->folder);
    free(m->folder);
    free(m->in);
    free(m->new);
    free(m->log);
    free(m->stats_path);
    free(m->artifacts);
    m->folder = m->in = m->new = m->log = m->stats_path = m->artifacts = NULL;
}

/* This time it comes to nothing; not again before the corpus has grown. */
static void give_up(struct campaign *c, const char *why)
{
    struct merge *m = &c->merge;

    m->kept_old++;
    campaign_say(c, "merge of %s: %s; the corpus stays as it was", fl_target_name(m->target), why);
    m->after[m->target] = c->corpus_files[m->target];
    forget(c);
}

static void begin(struct campaign *c, enum fl_target target)
{
    struct merge *m = &c->merge;

    m->target = target;
    m->plain = false;
    m->restarts = 0;
    m->folder = format_text("%s/merge", c->o->folder);
    m->in = format_text("%s/in", m->folder);
    m->new = format_text("%s/new", m->folder);
    m->log = format_text("%s/log", m->folder);
    m->stats_path = format_text("%s/counters", m->folder);
    m->artifacts = format_text("%s/artifacts", m->folder);
    if (!snapshot(c)) {
        forget(c);
        disk_write_failed(c);
    } else if (!begin_stage(c, MERGE_MERGING)) {
        give_up(c, "libFuzzer cannot be started");
    }
}

static void end_process(struct merge *m)
{
    if (!m->pid)
        return;
    kill(-m->pid, SIGKILL);
    kill(m->pid, SIGKILL);
    waitpid(m->pid, NULL, 0);
    m->pid = 0;
}

void merge_abandon(struct campaign *c)
{
    struct merge *m = &c->merge;

    end_process(m);
    if (m->stage == MERGE_RESEEDING)
        tasks_hold(c, m->target, ENGINE_AFL, false);
    if (m->stage != MERGE_NONE && !c->vanished)
        forget(c);
}

/* ---- its end --------------------------------------------------------------------------------------------------------- */

/* Once more, with the other way to merge; or never mind. */
static void not_as_good(struct campaign *c, const char *why)
{
    struct merge *m = &c->merge;

    if (!m->plain) {
        m->plain = true;
        if (swap_remove(m->new) && make_folder(m->new) && begin_stage(c, MERGE_MERGING))
            return;
    }
    give_up(c, why);
}

static double longest(const struct merge *m)
{
    return m->longest[m->target] > 0 ? m->longest[m->target] : MERGE_LONGEST;
}

static void too_long(struct campaign *c)
{
    struct merge *m = &c->merge;
    double limit = longest(m), next = limit < MERGE_LAST / 2 ? limit * 2 : MERGE_LAST;
    char why[120];

    snprintf(why, sizeof why, "not through in %.0f minutes (the next one may take %.0f)", limit / 60, next / 60);
    m->longest[m->target] = next;
    end_process(m);
    give_up(c, why);
}

static uint64_t files_in(const char *folder)
{
    uint64_t files, bytes;

    disk_size_of(folder, &files, &bytes);
    return files;
}

static void count_file(const char *path, void *ctx)
{
    (void)path;
    ++*(uint64_t *)ctx;
}

static bool queues_too_large(const struct campaign *c)
{
    const struct merge *m = &c->merge;

    for (unsigned i = 0; i < c->ntasks; i++) {
        uint64_t queue = 0;

        if (c->tasks[i].run.target == m->target && c->tasks[i].run.engine == ENGINE_AFL)
            exchange_queue(&c->tasks[i], count_file, &queue);
        if (queue > MERGE_FEWEST && queue > QUEUE_FACTOR * m->after[m->target])
            return true;
    }
    return false;
}

static void put_in_place(struct campaign *c)
{
    struct merge *m = &c->merge;
    const struct task *t = task_of(c, m->target);
    uint64_t before = files_in(m->in), after = files_in(m->new);

    if (!swap_in(t->corpus, m->new, m->in)) {
        disk_write_failed(c);
        forget(c);
        return;
    }
    m->done++;
    m->after[m->target] = after;
    campaign_say(c,
                 "merge of %s: %" PRIu64 " inputs became %" PRIu64 "; edges %" PRIu64 ", features %" PRIu64
                 ", cells %" PRIu64 " (before: %" PRIu64 ", %" PRIu64 ", %" PRIu64 ")",
                 fl_target_name(m->target), before, after, m->says.coverage, m->says.features, m->stats->cells_hit,
                 m->old_cov, m->old_ft, m->old_cells);
    if (queues_too_large(c)) {
        m->stage = MERGE_RESEEDING;
        m->began = c->clock;
        tasks_hold(c, m->target, ENGINE_AFL, true);
    } else {
        forget(c);
    }
}

/* AFL++ of this target has ended: its queue makes room. What was new in it has been passed on. */
static void reseed(struct campaign *c)
{
    struct merge *m = &c->merge;
    char *old = format_text("%s/afl-old", m->folder);

    for (unsigned i = 0; i < c->ntasks; i++) {
        struct task *t = &c->tasks[i];

        if (t->run.target != m->target || t->run.engine != ENGINE_AFL)
            continue;
        if (t->pid) {
            free(old);
            return;
        }
    }
    /* The corpus is all that is left of it then: it has to be on the disk. */
    if (!swap_on_disk(task_of(c, m->target)->corpus)) {
        free(old);
        tasks_hold(c, m->target, ENGINE_AFL, false);
        forget(c);
        disk_write_failed(c);
        return;
    }
    for (unsigned i = 0; i < c->ntasks; i++) {
        struct task *t = &c->tasks[i];

        if (t->run.target != m->target || t->run.engine != ENGINE_AFL)
            continue;
        if (strcmp(t->role_name, "main") == 0 && rename(t->sync, old) != 0)
            complain("%s: cannot move it: %s", t->sync, strerror(errno));
        make_folder(t->sync);
        t->exported = 0;
    }
    free(old);
    tasks_hold(c, m->target, ENGINE_AFL, false);
    forget(c);
}

void merge_drop(struct campaign *c, const char *artifact)
{
    struct merge *m = &c->merge;

    if (m->stage == MERGE_NONE || !m->in)
        return;
    m->dropped += aside_remove(m->in, artifact, NULL);
    aside_remove(m->new, artifact, NULL);
}

/* Inputs of the corpus show findings (another core or build than before). The merge goes on without them, and they stay in
 * the corpus: what the snapshot does not have is left alone. */
static void without_them(struct campaign *c)
{
    struct merge *m = &c->merge;

    if (m->dropped > 0 && m->restarts < MERGE_RESTARTS &&
        (m->stage != MERGE_MERGING || (swap_remove(m->new) && make_folder(m->new)))) {
        m->restarts++;
        if (begin_stage(c, m->stage))
            return;
    }
    give_up(c, "its inputs stop libFuzzer");
}

static void stage_ended(struct campaign *c)
{
    struct merge *m = &c->merge;
    bool well = WIFEXITED(m->status) && WEXITSTATUS(m->status) == 0;
    unsigned taken, left = run_findings(c, &m->run, "merge", c->clock - m->began, m->stats->events,
                                        m->stats->in_executor != 0, NULL, &taken);

    m->found += taken;
    if (m->stage == MERGE_NONE || left > 0) /* abandoned meanwhile: the disk is full; or the next turn goes on */
        return;
    m->ended = false;
    if (m->found > 0 && !(well && m->stage == MERGE_MERGING)) { /* a merge that got through has left them out itself */
        without_them(c);
        return;
    }
    if (!well) {
        not_as_good(c, "libFuzzer did not get through");
    } else if (m->stage == MERGE_MERGING) {
        if (!begin_stage(c, MERGE_MEASURING_OLD))
            give_up(c, "its corpus cannot be measured");
    } else if (m->stage == MERGE_MEASURING_OLD) {
        m->old_cov = m->says.coverage;
        m->old_ft = m->says.features;
        m->old_cells = m->stats->cells_hit;
        if (!begin_stage(c, MERGE_MEASURING_NEW))
            give_up(c, "the smaller corpus cannot be measured");
    } else if (m->stage == MERGE_MEASURING_NEW &&
               (m->says.features == 0 || m->says.coverage < m->old_cov || m->says.features < m->old_ft)) {
        not_as_good(c, "the smaller corpus covers less");
    } else if (m->stage == MERGE_MEASURING_NEW && m->stats->cells_hit < m->old_cells) {
        m->stage = MERGE_KEEPING_CELLS;
        m->began = c->clock;
        if (!(m->pid = merge_keep_cells(c)))
            give_up(c, "the cells of both cannot be compared");
    } else if (m->stats->cells_hit < m->old_cells) {
        not_as_good(c, "the smaller corpus hits fewer decision cells");
    } else {
        put_in_place(c);
    }
}

/* ---- when ------------------------------------------------------------------------------------------------------------ */

static bool is_due(const struct campaign *c, enum fl_target target)
{
    const struct merge *m = &c->merge;
    double files = (double)c->corpus_files[target], left = (double)m->after[target];
    struct engine_run run = {.engine = ENGINE_LIBFUZZER, .target = target, .build = c->o->build};
    char *program;
    bool there;

    if (!c->o->target[target] || c->clock < m->due[target] || files < MERGE_FEWEST)
        return false;
    if (files < left * MERGE_GROWTH && !(files > left * MERGE_LITTLE && c->clock - m->due[target] > MERGE_EVERY))
        return false;
    program = engine_program(&run);
    there = access(program, X_OK) == 0;
    free(program);
    return there;
}

void merge_step(struct campaign *c)
{
    struct merge *m = &c->merge;
    int status;

    if (m->stage == MERGE_RESEEDING) {
        reseed(c);
    } else if (m->stage != MERGE_NONE) {
        if (m->ended) {
            stage_ended(c);
        } else if (waitpid(m->pid, &status, WNOHANG) == m->pid) {
            m->pid = 0;
            m->ended = true;
            m->status = status;
            if (m->stage != MERGE_KEEPING_CELLS)
                engine_poll(&m->run, &m->says);
            stage_ended(c);
        } else if (c->clock - m->began > longest(m)) {
            too_long(c);
        }
    } else {
        for (unsigned t = 0; t < FL_TARGET_ALL; t++)
            if (is_due(c, (enum fl_target)t)) {
                begin(c, (enum fl_target)t);
                return;
            }
    }
}
