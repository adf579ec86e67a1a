/* SPDX-License-Identifier: MIT */
/* Workers, and what comes of them: a file done, something found, a process that is gone or does not go on. */
#include "run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HANG_SECONDS 30.0 /* of one repetition */
#define MOST_CRASHES 64u  /* of one file: then it is given up */
#define MOST_JOBS    64u

struct run {
    const struct inject_options *o;
    struct inputs *in;
    struct worker worker[MOST_JOBS];
    unsigned n;
    size_t next; /* file */
    struct findings findings;
    struct replayer *replayer;
    struct progress progress;
    double ends; /* 0: no end */
    bool trouble;
};

/* True: all of it arrived. */
static bool get(int fd, void *data, size_t size)
{
    char *p = data;

    while (size) {
        ssize_t n = read(fd, p, size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        size -= (size_t)n;
    }
    return true;
}

static void next_file(struct run *r, struct worker *w)
{
    w->busy = false;
    if (r->next == r->in->n || w->shared->state.stop)
        return;
    w->crashes = 0;
    memset(&w->shared->state, 0, offsetof(struct inject_state, seconds));
    worker_ask(w, r->next++);
}

static void file_done(struct run *r, struct worker *w)
{
    struct input *in = &r->in->list[w->file];

    in->counts = w->shared->state.counts;
    in->done = true;
    in->cut = w->shared->state.stop && in->counts.left_out;
    report_file(r->o, in);
}

/* A process that is gone: the repetition that was under way is the finding, and the file goes on behind it. */
static void crashed(struct run *r, struct worker *w)
{
    struct input *in = &r->in->list[w->file];
    bool hung = w->stuck;
    char key[256], why[512];
    int status;

    worker_end(w, &status);
    if (w->busy) {
        if (hung)
            snprintf(key, sizeof key, "hang/%s", fl_target_name(in->target));
        else
            snprintf(key, sizeof key, "crash/%s/%s-%d", fl_target_name(in->target),
                     WIFSIGNALED(status) ? "signal" : "exit",
                     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        w->shared->state.counts.findings++;
        w->shared->state.skip = true;
        findings_add(&r->findings, r->o, r->replayer, in, key, &w->shared->state.current);
    }
    if (!worker_start(w, r->o, r->in, why)) {
        complain("inject: %s", why);
        r->trouble = true;
        w->busy = false;
        return;
    }
    if (!w->busy)
        return;
    if (++w->crashes == MOST_CRASHES) {
        in->gone = true;
        complain("%s: given up after %u repetitions that ended the process", in->path, MOST_CRASHES);
        file_done(r, w);
        next_file(r, w);
    } else {
        worker_ask(w, w->file);
    }
}

static void hear(struct run *r, struct worker *w)
{
    static uint8_t bytes[FL_SCENARIO_MAX_BYTES];
    static struct fl_scenario s;
    struct message m;

    if (!get(w->hear, &m, sizeof m) || m.size > sizeof bytes || !get(w->hear, bytes, m.size)) {
        crashed(r, w);
        return;
    }
    m.key[sizeof m.key - 1] = 0;
    if (m.kind == MESSAGE_DONE) {
        file_done(r, w);
        next_file(r, w);
    } else {
        if (m.size)
            fl_scenario_decode(bytes, m.size, &s);
        findings_add(&r->findings, r->o, r->replayer, &r->in->list[w->file], m.key, m.size ? &s : NULL);
    }
}

static void look_after(struct run *r, double now)
{
    for (unsigned i = 0; i < r->n; i++) {
        struct worker *w = &r->worker[i];

        if (r->ends > 0 && now > r->ends)
            w->shared->state.stop = true;
        if (!w->busy || w->shared->state.beat != w->beat) {
            w->beat = w->shared->state.beat;
            w->beaten = now;
        } else if (now - w->beaten > HANG_SECONDS && !w->stuck) {
            w->stuck = true;
            kill(w->pid, SIGKILL); /* it is heard that it is gone */
        }
    }
}

static bool any_busy(const struct run *r)
{
    for (unsigned i = 0; i < r->n; i++)
        if (r->worker[i].busy)
            return true;
    return false;
}

static void listen(struct run *r)
{
    struct pollfd fds[MOST_JOBS];

    while (any_busy(r)) {
        unsigned k = 0, of[MOST_JOBS];

        for (unsigned i = 0; i < r->n; i++)
            if (r->worker[i].busy) {
                of[k] = i;
                fds[k++] = (struct pollfd){.fd = r->worker[i].hear, .events = POLLIN};
            }
        poll(fds, k, 100);
        for (unsigned i = 0; i < k; i++)
            if (fds[i].revents)
                hear(r, &r->worker[of[i]]);
        look_after(r, monotonic_seconds());
        progress_tell(&r->progress, r->in, r->worker, r->n, &r->findings);
    }
}

static bool open_all(struct run *r)
{
    struct replay_options replay = {.core = r->o->core, .executor = r->o->executor, .decoders = true};
    char why[512];

    r->replayer = replay_open(&replay, why);
    if (!r->replayer) {
        complain("%s", why);
        return false;
    }
    for (; r->n < r->o->jobs && r->n < MOST_JOBS && r->n < r->in->n; r->n++)
        if (!worker_start(&r->worker[r->n], r->o, r->in, why)) {
            complain("inject: %s", why);
            return false;
        }
    return true;
}

static int verdict(const struct run *r)
{
    uint64_t judged = 0, left = 0;

    for (size_t i = 0; i < r->in->n; i++) {
        judged += r->in->list[i].counts.singles;
        left += !r->in->list[i].done;
    }
    if (left && !r->trouble)
        complain("inject: the time was up: %llu files were not begun", (unsigned long long)left);
    if (r->findings.n)
        return EXIT_FINDINGS;
    if (r->trouble)
        return EXIT_INTERNAL;
    if (r->in->unreadable)
        return EXIT_INPUT;
    if (judged == 0) {
        complain("nothing was injected: no event in these files asks anything that can be %s",
                 r->o->preempt ? "preceded by another actor" : "answered otherwise");
        return EXIT_INPUT;
    }
    return EXIT_CLEAN;
}

int inject_run(const struct inject_options *o, struct inputs *in)
{
    struct run *r = calloc(1, sizeof *r);
    int code, status;
    double began = monotonic_seconds();

    if (!r) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    r->o = o;
    r->in = in;
    r->ends = o->seconds ? began + o->seconds : 0;
    signal(SIGPIPE, SIG_IGN);
    if (open_all(r)) {
        progress_begin(&r->progress);
        for (unsigned i = 0; i < r->n; i++)
            next_file(r, &r->worker[i]);
        listen(r);
        progress_end(&r->progress);
        report_end(o, in, &r->findings, monotonic_seconds() - began);
        code = verdict(r);
    } else {
        code = o->core ? EXIT_INPUT : EXIT_INTERNAL;
    }
    for (unsigned i = 0; i < r->n; i++) {
        worker_end(&r->worker[i], &status);
        munmap(r->worker[i].shared, sizeof *r->worker[i].shared);
    }
    replay_close(r->replayer);
    findings_free(&r->findings);
    free(r);
    return code;
}
