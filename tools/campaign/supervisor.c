/* SPDX-License-Identifier: MIT */
/* The loop: what ended, what was found, whose turn it is, what is written down. */
#include "campaign.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOP_MS        200
#define EXCHANGE_EVERY 5.0
#define REPLAY_SECONDS 10   /* what takes longer hangs; the loop waits for it */
#define LONGEST_STEP   60.0 /* seconds that one turn of the loop may count as: the machine may have slept */

static volatile sig_atomic_t interrupted;

bool campaign_interrupted(void)
{
    return interrupted != 0;
}

static void on_signal(int number)
{
    if (number != SIGCHLD)
        interrupted = 1;
}

void campaign_say(const struct campaign *c, const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    fprintf(stderr, "%sfaultline: %.0f s: %s\n", isatty(STDERR_FILENO) ? "\r\033[K" : "", c->run.before + c->ran, line);
}

/* ---- set-up ---------------------------------------------------------------------------------------------------------- */

static bool set_up(struct campaign *c)
{
    struct campaign_options *o = c->o;
    struct replay_options options = {
        .core = o->core, .executor = o->executor, .decoders = true, .seconds = REPLAY_SECONDS};
    char why[512];

    c->store = store_open(o->folder, STORE_WRITE);
    if (!c->store)
        return false;
    store_use_core(c->store, o->core);
    c->seeds = format_text("%s/seeds", o->folder);
    c->known = format_text("%s/known", o->folder);
    c->log = format_text("%s/log", o->folder);
    leftovers_of_run(c);
    if (!disk_begin(c))
        return false;
    c->run.state = RUN_STARTING;
    c->run.slots = o->slots;
    c->run.limit = o->seconds;
    build_name(o->core, c->run.build);
    if (!disk_begin_run(c) || !store_option_set(c->store, "build", c->run.build))
        return false;
    c->replayer = replay_open(&options, why);
    if (!c->replayer) {
        complain("%s", why);
        return false;
    }
    return engine_seeds(o->root, c->seeds) && known_begin(c) && tasks_make(c) && record_begin(c);
}

/* From now on everything goes into the log, and the starter may go. */
void campaign_into_background(struct campaign *c)
{
    int fd;

    if (c->o->foreground)
        return;
    fd = open(c->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd >= 0) {
        fflush(NULL);
        dup2(fd, 1);
        dup2(fd, 2);
        close(fd);
    }
    if (c->ready >= 0) {
        if (write(c->ready, "ok\n", 3) != 3)
            campaign_say(c, "nobody waited for the start");
        close(c->ready);
        c->ready = -1;
    }
}

/* ---- the turn -------------------------------------------------------------------------------------------------------- */

static void plan(struct campaign *c, double dt)
{
    unsigned merging = merge_working(c), slots = c->o->slots > merging ? c->o->slots - merging : 0;

    for (unsigned i = 0; i < c->ntasks; i++) {
        struct task *t = &c->tasks[i];

        /* libFuzzer ends at each artifact: the next one is found after this one has been taken up. */
        c->plan[i].ready = t->job.state != JOB_FAILED && !t->held && c->clock >= t->retry &&
                           !(t->waiting && t->run.engine == ENGINE_LIBFUZZER);
        c->plan[i].running = t->pid && !t->ending;
        c->plan[i].ending = t->pid && t->ending;
        c->plan[i].in_slice = t->pid ? c->clock - t->began : 0;
    }
    c->slice = schedule_slice(c->run.before + c->ran, c->o->seconds, c->ntasks, c->o->slots);
    schedule_shares(c->plan, c->ntasks);
    schedule_account(c->plan, c->ntasks, dt, c->slice);
    schedule_decide(c->plan, c->ntasks, slots, c->slice);
    for (unsigned i = 0; i < c->ntasks; i++) {
        c->tasks[i].job.share = c->plan[i].share;
        if (c->plan[i].order == SCHEDULE_START)
            task_start(c, &c->tasks[i]);
        else if (c->plan[i].order == SCHEDULE_END)
            task_end(c, &c->tasks[i]);
    }
}

static bool all_failed(const struct campaign *c)
{
    for (unsigned i = 0; i < c->ntasks; i++)
        if (c->tasks[i].job.state != JOB_FAILED)
            return false;
    return true;
}

/* Why it ends; NULL: it goes on. */
static const char *over(struct campaign *c)
{
    if (interrupted)
        return "asked to stop";
    if (c->vanished)
        return "its folder is gone";
    if (c->failed)
        return "what it finds cannot be stored";
    if (c->o->seconds > 0 && c->ran >= c->o->seconds)
        return "its time is over";
    if (all_failed(c))
        return "no job starts any more";
    if (c->anew)
        return "its programs were built anew, and these go on";
    return NULL;
}

static void turn(struct campaign *c, double dt)
{
    tasks_reap(c);
    findings_step(c);
    disk_look(c);
    if (c->vanished)
        return;
    tasks_poll(c, dt);
    if (!c->paused) {
        c->anew = builds_changed(c);
        merge_step(c);
        plan(c, dt);
        if (c->clock - c->exchanged >= EXCHANGE_EVERY) {
            c->exchanged = c->clock;
            exchange_all(c);
        }
    }
    tidy_step(c, false);
    record_step(c, false);
    record_progress(c, false);
}

static void loop(struct campaign *c)
{
    double start = monotonic_seconds(), last = 0;
    const struct timespec wait = {.tv_nsec = LOOP_MS * 1000000l};
    const char *why;

    c->run.state = RUN_RUNNING;
    while (!(why = over(c))) {
        double dt;

        c->clock = monotonic_seconds() - start;
        dt = c->clock - last;
        last = c->clock;
        if (dt > LONGEST_STEP)
            dt = LONGEST_STEP;
        if (!c->paused)
            c->ran += dt;
        turn(c, c->paused ? 0 : dt);
        nanosleep(&wait, NULL);
    }
    c->clock = monotonic_seconds() - start;
    snprintf(c->why, sizeof c->why, "%s", why);
}

static void wind_up(struct campaign *c)
{
    if (c->vanished) {
        merge_abandon(c);
        tasks_end_all(c);
        tidy_end(c);
        return;
    }
    c->run.state = RUN_STOPPING;
    record_step(c, true);
    merge_abandon(c);
    tasks_end_all(c);
    findings_last(c);
    exchange_all(c);
    tidy_step(c, true);
    snprintf(c->run.why, sizeof c->run.why, "%s", c->why);
    c->run.state = RUN_STOPPED;
    record_step(c, true);
    record_progress(c, true);
    campaign_say(c, "ended: %s", c->why);
}

static void set_signals(const struct campaign *c)
{
    struct sigaction action = {.sa_handler = on_signal}, ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGCHLD, &action, NULL);
    sigaction(SIGHUP, c->o->foreground ? &action : &ignore, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
}

static void free_all(struct campaign *c)
{
    tasks_free(c);
    replay_close(c->replayer);
    store_close(c->store);
    free(c->seeds);
    free(c->known);
    free(c->log);
    free(c);
}

int campaign_supervise(struct campaign_options *o, int ready)
{
    struct campaign *c = calloc(1, sizeof *c);
    int code;

    if (!c) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    c->o = o;
    c->ready = ready;
    set_signals(c);
    if (!set_up(c)) {
        free_all(c);
        return EXIT_INPUT;
    }
    campaign_into_background(c);
    campaign_say(c, "run %lld of %s: %u jobs, %u tasks", (long long)c->run.id, c->run.build, o->slots, c->ntasks);
    loop(c);
    wind_up(c);
    if (c->vanished)
        code = EXIT_INPUT;
    else if (c->anew && !interrupted && !c->failed)
        code = CAMPAIGN_ANEW;
    else
        code = campaign_summary(c->store, o->json);
    if (c->failed || (code == EXIT_CLEAN && all_failed(c)))
        code = EXIT_INTERNAL;
    free_all(c);
    return code;
}
