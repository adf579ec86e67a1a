/* SPDX-License-Identifier: MIT */
/* Tasks: one target under one engine, its processes one after the other. */
#include "campaign.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE      5.0  /* seconds between being asked to end and being killed */
#define DEATHS        10   /* in a row: set aside */
#define LONGEST_RETRY 60.0 /* seconds before a process that died is started again */
#define LONG_LIFE     30.0 /* one that lived so long and worked is no part of a row of deaths */
#define RATE_EVERY    3.0
#define STOPS         3 /* on findings, in a row: that is told */

/* ---- making them ----------------------------------------------------------------------------------------------------- */

static bool make_task(struct campaign *c, enum fl_target target, enum engine engine, unsigned number)
{
    const struct campaign_options *o = c->o;
    const char *name = fl_target_name(target);
    struct task *t = &c->tasks[c->ntasks++];
    bool found;

    memset(t, 0, sizeof *t);
    snprintf(t->job.name, sizeof t->job.name, "%s-%s-%u", name, engine_name(engine), number);
    t->job.target = target;
    snprintf(t->job.engine, sizeof t->job.engine, "%s", engine_name(engine));
    t->job.role = engine == ENGINE_LIBFUZZER ? JOB_WORKER : number == 0 ? JOB_MAIN : JOB_SECONDARY;
    t->folder = format_text("%s/jobs/%s", o->folder, t->job.name);
    t->log = format_text("%s/log", t->folder);
    t->stats_path = format_text("%s/counters", t->folder);
    t->corpus = format_text("%s/corpus-v%d/%s", o->folder, FL_SCENARIO_VERSION, name);
    t->sync = format_text("%s/afl-v%d/%s", o->folder, FL_SCENARIO_VERSION, name);
    t->role_name = number == 0 ? format_text("main") : format_text("secondary-%u", number);
    t->run = (struct engine_run){.engine = engine,
                                 .target = target,
                                 .build = o->build,
                                 .folder = t->folder,
                                 .log = t->log,
                                 .stats = t->stats_path,
                                 .corpus = t->corpus,
                                 .seeds = c->seeds,
                                 .sync = t->sync,
                                 .role = t->role_name,
                                 .foreign = number == 0 && o->engine[ENGINE_LIBFUZZER] ? t->corpus : NULL,
                                 .core = o->core,
                                 .known = c->known,
                                 .campaign = o->folder,
                                 .executor = o->executor};
    if (!make_folder(t->folder) || !make_folder(t->corpus) || (engine == ENGINE_AFL && !make_folder(t->sync)) ||
        !(t->stats = engine_counters_keep(t->stats_path)) || !store_job_get(c->store, t->job.name, &t->base, &found))
        return false;
    if (found) {
        /* The counters file goes on where it was, unless the machine went down before it was on the disk. */
        t->job.starts = t->base.starts;
        t->job.deaths = t->base.deaths;
        t->job.ran = t->base.ran;
        t->job.last_new = t->base.last_new;
        t->base.executions -= t->stats->executions < t->base.executions ? t->stats->executions : t->base.executions;
        t->base.events -= t->stats->events < t->base.events ? t->stats->events : t->base.events;
        t->base.real_faults -=
            t->stats->real_faults < t->base.real_faults ? t->stats->real_faults : t->base.real_faults;
    }
    t->cells = t->stats->cells_hit;
    t->job.since = time(NULL);
    t->waiting = true; /* what a killed campaign may have left is looked at first */
    return true;
}

/* The first worker of libFuzzer of each target, then the mains of AFL++; as many more of each as there are jobs for. */
bool tasks_make(struct campaign *c)
{
    const struct campaign_options *o = c->o;

    for (unsigned number = 0; number == 0 || c->ntasks < o->slots; number++)
        for (unsigned e = 0; e < ENGINE_COUNT; e++)
            for (unsigned t = 0; t < FL_TARGET_ALL; t++)
                if (o->target[t] && o->engine[e] && (number == 0 || c->ntasks < o->slots) &&
                    c->ntasks < CAMPAIGN_TASKS && !make_task(c, (enum fl_target)t, (enum engine)e, number))
                    return false;
    return true;
}

void tasks_free(struct campaign *c)
{
    for (unsigned i = 0; i < c->ntasks; i++) {
        struct task *t = &c->tasks[i];

        engine_counters_close(t->stats);
        free(t->folder);
        free(t->log);
        free(t->stats_path);
        free(t->corpus);
        free(t->sync);
        free(t->role_name);
    }
}

/* ---- a process ------------------------------------------------------------------------------------------------------- */

static void set_state(struct task *t, enum job_state state)
{
    if (t->job.state != state)
        t->job.since = time(NULL);
    t->job.state = state;
}

static void set_back(struct campaign *c, struct task *t, const char *what)
{
    double wait = 1;

    t->deaths++;
    for (unsigned i = 1; i < t->deaths && wait < LONGEST_RETRY; i++)
        wait *= 2;
    t->retry = c->clock + (wait < LONGEST_RETRY ? wait : LONGEST_RETRY);
    if (t->deaths >= DEATHS) {
        snprintf(t->job.health, sizeof t->job.health, "set aside after %d deaths in a row: %.140s", DEATHS, what);
        set_state(t, JOB_FAILED);
        campaign_say(c, "%s is %s (log: %s)", t->job.name, t->job.health, t->log);
    } else {
        snprintf(t->job.health, sizeof t->job.health, "died %u times in a row: %.140s", t->deaths, what);
        if (t->deaths == 1 || t->deaths == DEATHS / 2)
            campaign_say(c, "%s %s (log: %s)", t->job.name, what, t->log);
    }
}

/* Where AFL++ begins when it has no queue of its own: with what is known, so that nothing is found twice. */
static const char *first_inputs(const struct campaign *c, const struct task *t)
{
    return c->corpus_files[t->run.target] > 0 ? t->corpus : c->seeds;
}

void task_start(struct campaign *c, struct task *t)
{
    if (t->run.engine == ENGINE_AFL) {
        char *plot = format_text("%s/%s/plot_data", t->sync, t->role_name);

        t->run.seeds = first_inputs(c, t);
        disk_rotate(plot); /* while it works it may not be touched */
        free(plot);
    }
    if (c->o->seed)
        t->run.seed = c->o->seed + (unsigned)(t - c->tasks) + t->job.starts * 1000;
    t->stats->in_executor = 0;
    t->pid = engine_start(&t->run, t->job.name);
    if (!t->pid) {
        set_back(c, t, "its process cannot be started");
        return;
    }
    t->job.pid = t->pid;
    t->job.born = process_born(t->pid);
    t->job.starts++;
    t->began = t->rated = c->clock;
    t->rated_events = t->stats->events;
    t->rated_executions = t->stats->executions;
    t->ending = t->settled = false;
    set_state(t, JOB_WORKING);
}

void task_end(struct campaign *c, struct task *t)
{
    if (!t->pid || t->ending)
        return;
    engine_ask_to_end(&t->run, t->pid);
    t->ending = true;
    t->asked = c->clock;
}

static void ended(struct campaign *c, struct task *t, int status)
{
    double lived = c->clock - t->began;
    bool asked = t->ending, found;
    char why[200], words[160], what[400];

    kill(-t->pid, SIGKILL); /* whatever it has left of its group */
    /* The target of AFL++ has a session of its own. afl-fuzz ends it, unless that was killed: then one that hangs stays. */
    if (t->run.engine == ENGINE_AFL && !WIFEXITED(status))
        leftovers_of_task(c, t);
    t->pid = 0;
    t->job.pid = 0;
    t->job.born = 0;
    t->job.rate = t->job.event_rate = 0;
    t->ending = false;
    if (t->job.state != JOB_FAILED)
        set_state(t, JOB_IDLE);
    engine_poll(&t->run, &t->says);
    found = task_findings(c, t);
    exchange_task(c, t);
    if (asked || found) {
        /* Stopping on a finding is its work; but one that does nothing else is slowed down. */
        t->retry = !asked && lived < 1 ? c->clock + 1 : c->clock;
        if (lived >= LONG_LIFE || asked || t->deaths == 0) {
            t->deaths = 0;
            t->job.health[0] = 0;
        }
        t->stops = asked || lived >= LONG_LIFE ? 0 : t->stops + 1;
        if (t->stops >= STOPS)
            snprintf(t->job.health, sizeof t->job.health, "stops soon after each start, %u times in a row: %.140s",
                     t->stops, t->stops_on);
        return;
    }
    if (engine_ended_well(&t->run, status, why)) {
        snprintf(why, sizeof why, "ended by itself");
        if (lived >= LONG_LIFE)
            return;
    }
    t->job.deaths++;
    if (lived >= LONG_LIFE)
        t->deaths = 0;
    engine_last_words(t->log, words, sizeof words);
    snprintf(what, sizeof what, "%s%s%s", why, *words ? ": " : "", words);
    set_back(c, t, what);
}

void tasks_reap(struct campaign *c)
{
    for (unsigned i = 0; i < c->ntasks; i++) {
        struct task *t = &c->tasks[i];
        int status;

        if (!t->pid)
            continue;
        if (t->ending && c->clock - t->asked > PATIENCE) {
            kill(-t->pid, SIGKILL);
            kill(t->pid, SIGKILL);
        }
        if (waitpid(t->pid, &status, WNOHANG) == t->pid)
            ended(c, t, status);
    }
}

void tasks_end_all(struct campaign *c)
{
    const struct timespec wait = {.tv_nsec = 20000000};
    double asked = 0;

    for (unsigned i = 0; i < c->ntasks; i++)
        task_end(c, &c->tasks[i]);
    while (tasks_working(c)) {
        tasks_reap(c);
        nanosleep(&wait, NULL);
        asked += 0.02;
        if (asked > PATIENCE) /* the clock stands still here */
            for (unsigned i = 0; i < c->ntasks; i++)
                if (c->tasks[i].pid)
                    kill(-c->tasks[i].pid, SIGKILL);
    }
}

unsigned tasks_working(const struct campaign *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->ntasks; i++)
        n += c->tasks[i].pid != 0;
    return n;
}

void tasks_hold(struct campaign *c, enum fl_target target, enum engine engine, bool held)
{
    for (unsigned i = 0; i < c->ntasks; i++) {
        struct task *t = &c->tasks[i];

        if (t->run.target != target || t->run.engine != engine)
            continue;
        t->held = held;
        if (held)
            task_end(c, t);
    }
}

/* ---- what they say --------------------------------------------------------------------------------------------------- */

static void rate(struct campaign *c, struct task *t)
{
    double dt = c->clock - t->rated;

    if (!t->pid || dt < RATE_EVERY)
        return;
    t->job.rate = (double)(t->stats->executions - t->rated_executions) / dt;
    t->job.event_rate = (double)(t->stats->events - t->rated_events) / dt;
    t->rated = c->clock;
    t->rated_executions = t->stats->executions;
    t->rated_events = t->stats->events;
}

/* Edges; of a core that is not instrumented what there is instead. */
static uint64_t covered(const struct task *t)
{
    return t->says.coverage ? t->says.coverage : t->says.features;
}

/* What is new since the last look, as the scheduler counts it. */
static double news(struct task *t)
{
    double gain = 0;
    uint64_t cells = t->stats->cells_hit, now = covered(t);

    if (now > 0 && !t->settled) {
        t->settled = true; /* the first word after a start: what it has read is no find */
        if (now > t->best)
            t->best = now;
    }
    if (t->settled && now > t->best) {
        gain += GAIN_EDGE * (double)(now - t->best);
        t->best = now;
    }
    if (cells > t->cells) {
        gain += GAIN_CELL * (double)(cells - t->cells);
        t->cells = cells;
    }
    return gain;
}

void tasks_poll(struct campaign *c, double dt)
{
    for (unsigned i = 0; i < c->ntasks; i++) {
        struct task *t = &c->tasks[i];
        double gain;

        if (!t->pid)
            continue;
        if (!t->settled)
            t->says.coverage = t->says.features = 0;
        engine_poll(&t->run, &t->says);
        t->job.ran += dt;
        if ((gain = news(t)) > 0) {
            c->plan[i].gain += gain;
            t->job.last_new = c->run.before + c->ran;
        }
        rate(c, t);
        t->job.executions = t->base.executions + t->stats->executions;
        t->job.events = t->base.events + t->stats->events;
        t->job.real_faults = t->base.real_faults + t->stats->real_faults;
        if (t->says.coverage > t->job.edges)
            t->job.edges = t->says.coverage;
        t->job.corpus = t->says.corpus;
        t->job.cells = t->stats->cells_hit;
        if ((t->deaths || t->stops) && c->clock - t->began > LONG_LIFE) {
            t->deaths = t->stops = 0;
            t->job.health[0] = 0;
        }
    }
}
