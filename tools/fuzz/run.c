/* SPDX-License-Identifier: MIT */
/* The life of faultline fuzz: set-up, the watching loop, the end. */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
    (void)signal;
    interrupted = 1;
}

static bool add_task(struct fuzz *c, enum fl_target target, enum engine engine, unsigned job)
{
    struct task *t = &c->tasks[c->ntasks++];

    t->job = job;
    t->name = format_text("%s-%s-%u", fl_target_name(target), engine_name(engine), job);
    t->folder = format_text("%s/tasks-v%d/%s", c->out, FL_SCENARIO_VERSION, t->name);
    t->log = format_text("%s/log", t->folder);
    t->stats_path = format_text("%s/stats", t->folder);
    t->corpus = format_text("%s/corpus-v%d/%s", c->out, FL_SCENARIO_VERSION, fl_target_name(target));
    t->sync = format_text("%s/afl", t->folder);
    t->run = (struct engine_run){.engine = engine,
                                 .target = target,
                                 .build = c->build,
                                 .folder = t->folder,
                                 .log = t->log,
                                 .stats = t->stats_path,
                                 .corpus = t->corpus,
                                 .seeds = c->seeds,
                                 .sync = t->sync,
                                 .role = "default",
                                 .core = c->core,
                                 .executor = c->executor};
    if (!engine_ready(&t->run) || !make_folder(t->folder) || !make_folder(t->corpus) ||
        !(t->stats = engine_counters_open(t->stats_path)))
        return false;
    unlink(t->log);
    return true;
}

static void free_tasks(struct fuzz *c)
{
    for (unsigned i = 0; i < c->ntasks; i++) {
        struct task *t = &c->tasks[i];

        engine_counters_close(t->stats);
        free(t->name);
        free(t->folder);
        free(t->log);
        free(t->stats_path);
        free(t->corpus);
        free(t->sync);
    }
}

static bool start_task(struct fuzz *c, struct task *t, unsigned seconds)
{
    t->run.seconds = seconds;
    if (c->seed)
        t->run.seed = c->seed + t->job + (t->run.engine == ENGINE_LIBFUZZER ? t->starts * 1000 : 0);
    t->stats->in_executor = 0;
    t->pid = engine_start(&t->run, t->name);
    t->starts += t->pid != 0;
    return t->pid != 0;
}

/* A child has ended: a finding, the end of its time, or trouble. */
static void ended(struct fuzz *c, struct task *t, int status)
{
    unsigned found = findings_collect(c, t);

    t->pid = 0;
    engine_poll(&t->run, &t->says);
    if (found == 0 && !c->interrupted && !engine_ended_well(&t->run, status, t->why)) {
        char words[301];

        t->failed = t->stopped = true;
        engine_last_words(t->log, words, sizeof words);
        complain("%s %s%s%s (log: %s)", t->name, t->why, *words ? ": " : "", words, t->log);
    }
}

static void reap(struct fuzz *c)
{
    for (unsigned i = 0; i < c->ntasks; i++) {
        struct task *t = &c->tasks[i];
        int status;

        if (t->pid && waitpid(t->pid, &status, WNOHANG) == t->pid)
            ended(c, t, status);
    }
}

static void end_children(struct fuzz *c)
{
    double deadline = monotonic_seconds() + 5;
    bool running;

    for (unsigned i = 0; i < c->ntasks; i++)
        if (c->tasks[i].pid)
            engine_ask_to_end(&c->tasks[i].run, c->tasks[i].pid);
    do {
        running = false;
        for (unsigned i = 0; i < c->ntasks; i++) {
            struct task *t = &c->tasks[i];

            if (t->pid && waitpid(t->pid, NULL, WNOHANG) == t->pid) {
                t->pid = 0;
                findings_collect(c, t);
            }
            running |= t->pid != 0;
        }
        if (running)
            usleep(20000);
    } while (running && monotonic_seconds() < deadline);
    for (unsigned i = 0; i < c->ntasks; i++) {
        struct task *t = &c->tasks[i];

        if (t->pid) {
            kill(-t->pid, SIGKILL);
            kill(t->pid, SIGKILL);
            waitpid(t->pid, NULL, 0);
            t->pid = 0;
            findings_collect(c, t);
        }
    }
}

static bool start_tasks(struct fuzz *c)
{
    for (unsigned i = 0; i < c->ntasks; i++) {
        struct task *t = &c->tasks[i];
        unsigned left = c->now < c->seconds ? c->seconds - (unsigned)c->now : 0;

        if (t->pid || t->stopped || left == 0)
            continue;
        if (t->starts == 0) {
            t->started = c->now;
            findings_collect(c, t); /* what a killed campaign left */
        } else if (left < 2) {
            continue;
        }
        if (!start_task(c, t, left))
            return false;
    }
    return true;
}

static bool any_running(const struct fuzz *c)
{
    for (unsigned i = 0; i < c->ntasks; i++)
        if (c->tasks[i].pid)
            return true;
    return false;
}

/* A task that compared nothing says nothing: false, and t->why. */
static bool worked(const struct fuzz *c, struct task *t)
{
    const struct fl_stats *s = t->stats;
    const char *why = NULL;

    if (s->events == 0)
        why = "judged no event";
    else if (c->executor && fl_target_executes(t->run.target) && s->events > 100000 && s->executor_runs == 0)
        why = "never used the executor";
    else if (c->executor && t->run.target == FL_TARGET_FAULT && s->real_faults > 100000 && s->transparent == 0)
        why = "compared no run on demand with the run with everything mapped";
    if (why)
        snprintf(t->why, sizeof t->why, "%s", why);
    return why == NULL;
}

static int verdict(struct fuzz *c)
{
    uint64_t events = 0, mode_priv[FL_MODE_COUNT][2] = {{0}};
    bool failed = c->failed, supervisor = false; /* pins are all of user memory */

    for (unsigned i = 0; i < c->ntasks; i++) {
        struct task *t = &c->tasks[i];

        supervisor |= t->run.target != FL_TARGET_GUP;
        events += t->stats->events;
        for (unsigned m = 0; m < FL_MODE_COUNT; m++)
            for (unsigned p = 0; p < 2; p++)
                mode_priv[m][p] += t->stats->mode_priv[m][p];
        if (!t->failed && !c->interrupted && !t->stopped && !worked(c, t)) {
            complain("%s %s: nothing was compared, so its part of this run says nothing", t->name, t->why);
            t->failed = true;
        }
        failed |= t->failed;
    }
    for (unsigned m = 0; events > 1000000 && m < FL_MODE_COUNT; m++)
        if ((supervisor && mode_priv[m][0] == 0) || mode_priv[m][1] == 0) {
            complain("a paging mode and privilege was never reached: mode %u, user %" PRIu64 ", supervisor %" PRIu64, m,
                     mode_priv[m][1], mode_priv[m][0]);
            failed = true;
        }
    if (findings_count(c))
        return EXIT_FINDINGS;
    return failed ? EXIT_INTERNAL : EXIT_CLEAN;
}

/* One campaign at a time in a folder. False: it complained. The lock goes with the process. */
static bool lock_folder(struct fuzz *c)
{
    char *path = format_text("%s/lock", c->out);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    bool ok = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;

    if (!ok && fd >= 0 && errno == EWOULDBLOCK)
        complain("%s: another campaign works in this folder: wait for it, or give --out another folder", c->out);
    else if (!ok)
        complain("%s: %s", path, strerror(errno));
    free(path);
    return ok;
}

/* Whatever the engines find is replayed under the same core. False: it complained. */
static bool open_replayer(struct fuzz *c)
{
    struct replay_options options = {.core = c->core, .executor = c->executor, .decoders = true};
    char why[512];

    c->replayer = replay_open(&options, why);
    if (!c->replayer)
        complain("%s", why);
    return c->replayer != NULL;
}

/* Those that were asked for, or those that the core can run. False: it complained. */
static bool choose_targets(struct fuzz *c)
{
    const char *lacks = replay_lacks(c->replayer);

    for (unsigned t = 0; t < FL_TARGET_ALL; t++) {
        bool runs = replay_runs(c->replayer, (enum fl_target)t);

        if (c->all_targets)
            c->target[t] = runs;
        if (c->target[t] && !runs) {
            complain("%s: it lacks %s, which target %s needs", c->core, lacks, fl_target_name((enum fl_target)t));
            return false;
        }
    }
    if (*lacks)
        fprintf(stderr, "faultline: %s lacks %s: what needs that is left out\n", c->core, lacks);
    return true;
}

int fuzz_run(struct fuzz *c)
{
    struct sigaction action = {.sa_handler = on_signal};
    double start;
    int code = EXIT_INPUT;

    if (!make_folder(c->out) || !lock_folder(c))
        return EXIT_INPUT;
    c->seeds = format_text("%s/seeds", c->out);
    if (!open_replayer(c) || !choose_targets(c) || !engine_seeds(c->root, c->seeds))
        goto out;
    for (unsigned t = 0; t < FL_TARGET_ALL; t++)
        for (unsigned e = 0; e < ENGINE_COUNT; e++)
            for (unsigned job = 0; c->target[t] && c->engine[e] && job < c->jobs; job++)
                if (!add_task(c, (enum fl_target)t, (enum engine)e, job))
                    goto out;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    start = monotonic_seconds();
    for (;;) {
        c->now = monotonic_seconds() - start;
        c->interrupted = interrupted;
        reap(c);
        if (c->interrupted || c->now >= c->seconds + 5.0)
            break;
        if (!start_tasks(c)) {
            c->failed = true;
            break;
        }
        if (!any_running(c))
            break;
        for (unsigned i = 0; i < c->ntasks; i++) {
            engine_poll(&c->tasks[i].run, &c->tasks[i].says);
            if (c->tasks[i].run.engine == ENGINE_AFL && c->tasks[i].pid) {
                if (findings_collect(c, &c->tasks[i]) && c->tasks[i].stopped)
                    engine_ask_to_end(&c->tasks[i].run, c->tasks[i].pid);
            }
        }
        report_progress(c, false);
        usleep(200000);
    }
    end_children(c);
    c->now = monotonic_seconds() - start;
    report_progress(c, true);
    if (c->json)
        report_json(c);
    else
        report_summary(c);
    code = verdict(c);
out:
    replay_close(c->replayer);
    free_tasks(c);
    free(c->seeds);
    return code;
}
