/* SPDX-License-Identifier: MIT */
/*
 * The child of a replayer: opens core and judge once, then judges one scenario each time the bell rings.
 *
 * What it may do to its surroundings: nothing. It closes every descriptor of the parent's but its own three, so that no lock
 * and no pipe outlives the parent through it; whatever it prints goes to a file in memory of a limited size; it leaves no core
 * dump, and it dies with its parent.
 */
#include "child.h"

#include <faultline/fuzz/plugin_core.h>
#include <faultline/oracle/exec.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* The tested code may call exit(): what the parent has registered for its own end must not run here. */
static void leave(int status, void *unused)
{
    (void)unused;
    _exit(status);
}

static void close_others(const struct child *c)
{
    int keep[3] = {c->bell, c->reply, c->output};
    int from = 3;

    for (unsigned i = 0; i < 3; i++)
        for (unsigned k = i + 1; k < 3; k++)
            if (keep[k] < keep[i]) {
                int other = keep[i];

                keep[i] = keep[k];
                keep[k] = other;
            }
    for (unsigned i = 0; i < 3; i++) {
        if (keep[i] > from)
            close_range((unsigned)from, (unsigned)keep[i] - 1, 0);
        if (keep[i] >= from)
            from = keep[i] + 1;
    }
    close_range((unsigned)from, ~0u, 0);
}

static void settle(const struct child *c)
{
    static const int theirs[] = {SIGINT, SIGQUIT, SIGHUP, SIGTERM, SIGPIPE};
    /* Handlers that the parent (or a sanitizer) has for these would turn a signal into something else. */
    static const int ours[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGALRM, SIGCHLD, SIGUSR1, SIGUSR2};
    struct rlimit none = {0, 0};
    sigset_t all;
    int null;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != c->parent)
        _exit(1);
    /* The terminal's signals reach this process as well; whether the tool ends is the parent's affair. */
    for (size_t i = 0; i < sizeof theirs / sizeof theirs[0]; i++)
        signal(theirs[i], SIG_IGN);
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        signal(ours[i], SIG_DFL);
    sigemptyset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setrlimit(RLIMIT_CORE, &none);
    null = open("/dev/null", O_RDONLY);
    if (null >= 0)
        dup2(null, STDIN_FILENO);
    dup2(c->output, STDOUT_FILENO);
    dup2(c->output, STDERR_FILENO);
    close_others(c);
    on_exit(leave, NULL);
}

static struct fl_judge *open_judge(const struct child *c, struct plugin_core *plugin)
{
    struct shared *sh = c->shared;
    struct fl_judge_options options = {.target = FL_TARGET_ALL,
                                       .executor = c->options->executor,
                                       .decoders = c->options->decoders,
                                       .endings = true,
                                       .stats = &sh->stats};
    const struct fl_core *core;
    const struct fl_gup *gup;
    struct fl_judge *judge;
    char why[256];

    if (c->options->core) {
        if (!plugin_core_open(c->options->core, plugin, sh->why))
            return NULL;
        options.core = plugin->core;
        options.gup = plugin->gup;
    }
    core = options.core ? options.core : fl_core();
    gup = options.gup ? options.gup : fl_gup();
    fl_core_lacks(core, gup, sh->lacks, sizeof sh->lacks);
    for (unsigned t = 0; t < FL_TARGET_COUNT; t++)
        sh->runs[t] = fl_core_runs(core, gup, (enum fl_target)t);
    if (fl_judge_open(&options, &judge, why) != FL_OK) {
        snprintf(sh->why, sizeof sh->why, "%s", why);
        return NULL;
    }
    if (c->options->executor)
        fl_unicorn_watchdog(c->watchdog); /* built without it: nothing to watch */
    snprintf(sh->executor, sizeof sh->executor, "%s", fl_judge_executor(judge));
    return judge;
}

static void judge_one(struct fl_judge *judge, struct shared *sh)
{
    struct replay_result *r = &sh->result;
    uint64_t events = sh->stats.events;
    struct fl_divergence d;

    fl_judge_set_target(judge, sh->target);
    if (fl_judge_scenario(judge, &sh->scenario, &d, &r->record)) {
        r->end = REPLAY_DIVERGED;
        r->check = (enum fl_check)d.check;
        fl_divergence_key(&d, r->key, sizeof r->key);
        snprintf(r->row, sizeof r->row, "%s", d.row);
        snprintf(r->expected, sizeof r->expected, "%s", d.expected);
        snprintf(r->actual, sizeof r->actual, "%s", d.actual);
        snprintf(r->detail, sizeof r->detail, "%s", d.detail);
        r->events = sh->stats.events - events + (r->record < sh->scenario.nrecords);
    } else {
        r->record = 0;
        r->events = sh->stats.events - events;
        r->end = r->events ? REPLAY_CLEAN : REPLAY_NOTHING;
    }
    snprintf(sh->endings, sizeof sh->endings, "%s", fl_judge_endings(judge));
}

static void answer(const struct child *c)
{
    while (write(c->reply, "", 1) != 1)
        if (errno != EINTR)
            _exit(1); /* nobody listens */
}

void child_main(const struct child *c)
{
    struct plugin_core plugin;
    struct fl_judge *judge;
    uint64_t rings;

    settle(c);
    judge = open_judge(c, &plugin);
    c->shared->failed = !judge;
    c->shared->state = CHILD_WAITING;
    answer(c);
    while (judge) {
        ssize_t n = read(c->bell, &rings, sizeof rings);

        if (n < 0 && errno == EINTR)
            continue;
        if (n != sizeof rings)
            break;
        c->shared->state = CHILD_JUDGING;
        lseek(c->output, 0, SEEK_SET); /* what is in there from here on is about this scenario */
        judge_one(judge, c->shared);
        c->shared->state = CHILD_WAITING;
        answer(c);
    }
    _exit(1);
}
