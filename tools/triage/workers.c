/* SPDX-License-Identifier: MIT */
/* Worker processes that share the items among themselves. */
#include "workers.h"

#include "../command.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_WORKERS 64
#define MOST_DEATHS  8 /* workers that are replaced */

struct shared {
    atomic_size_t next, done;
    atomic_bool stop;
    atomic_size_t item[MOST_WORKERS]; /* what each is at, plus one; 0: nothing */
    uint8_t results[];
};

struct worker {
    const struct workers *all;
    struct replayer *replayer;
    struct store *store;
};

struct replayer *worker_replayer(struct worker *w)
{
    return w->replayer;
}

struct store *worker_store(struct worker *w)
{
    if (!w->store) {
        w->store = store_open(w->all->folder, w->all->creates ? STORE_CREATE : STORE_WRITE);
        if (w->store)
            store_use_core(w->store, w->all->replay->core);
    }
    return w->store;
}

static _Noreturn void work(const struct workers *all, size_t n, worker_fn one, void *ctx, struct shared *shared,
                           unsigned me, pid_t parent)
{
    struct worker w = {.all = all};
    static char lines[1 << 16];
    char why[512];
    size_t i;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    /* What workers say comes line by line, and of several that stop for one reason only the first says it. */
    setvbuf(stderr, lines, _IOFBF, sizeof lines);
    w.replayer = replay_open(all->replay, why);
    if (!w.replayer) {
        complain("%s", why);
        fflush(stderr);
        _exit(1);
    }
    while (!atomic_load(&shared->stop) && (i = atomic_fetch_add(&shared->next, 1)) < n) {
        uint8_t result;

        atomic_store(&shared->item[me], i + 1);
        result = one(&w, i, ctx);
        shared->results[i] = result;
        if (result == WORK_STOP && atomic_exchange(&shared->stop, true))
            __fpurge(stderr);
        fflush(stderr);
        atomic_store(&shared->item[me], 0);
        atomic_fetch_add(&shared->done, 1);
    }
    store_close(w.store);
    replay_close(w.replayer);
    _exit(0);
}

/* On a terminal a line that changes, else a line now and then: short runs say nothing. */
static void progress(const struct workers *all, size_t done, size_t n, double start, double *last, bool end)
{
    double now = monotonic_seconds(), rate = now > start ? (double)done / (now - start) : 0;
    bool terminal = isatty(STDERR_FILENO);

    if (all->silent || (!end && now - *last < (terminal ? 0.5 : 10)))
        return;
    if (end && terminal && *last > start)
        fputs("\r\033[K", stderr);
    if (end)
        return;
    *last = now;
    fprintf(stderr, "%sfaultline: %s %zu of %zu, %.0f a second, about %.0f s left%s", terminal ? "\r\033[K" : "",
            all->doing, done, n, rate, rate > 0 ? (double)(n - done) / rate : 0, terminal ? "" : "\n");
    fflush(stderr);
}

struct running {
    pid_t pid[MOST_WORKERS];
    unsigned n, running, deaths;
};

static bool start(struct running *ws, unsigned me, const struct workers *all, size_t n, worker_fn one, void *ctx,
                  struct shared *shared)
{
    pid_t parent = getpid();

    fflush(NULL);
    ws->pid[me] = fork();
    if (ws->pid[me] == 0)
        work(all, n, one, ctx, shared, me, parent);
    if (ws->pid[me] < 0) {
        ws->pid[me] = 0;
        complain("a worker cannot be started: %s", strerror(errno));
        return false;
    }
    ws->running++;
    return true;
}

/* Takes up workers that have ended. *again [OUT]: one that has died, whose place may be taken; else -1. */
static void reap(struct running *ws, struct shared *shared, int *again)
{
    *again = -1;
    for (unsigned i = 0; i < ws->n && *again < 0; i++) {
        int status;
        size_t item;

        if (!ws->pid[i] || waitpid(ws->pid[i], &status, WNOHANG) != ws->pid[i])
            continue;
        ws->pid[i] = 0;
        ws->running--;
        item = atomic_exchange(&shared->item[i], 0);
        if (status == 0)
            continue;
        ws->deaths++;
        if (item == 0)
            continue; /* it could not begin, and has said why */
        shared->results[item - 1] = WORK_DIED;
        atomic_fetch_add(&shared->done, 1);
        *again = (int)i;
    }
}

bool workers_run(const struct workers *all, size_t n, worker_fn one, void *ctx, uint8_t *results)
{
    size_t size = sizeof(struct shared) + n;
    struct shared *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct running ws = {.n = all->jobs < MOST_WORKERS ? all->jobs : MOST_WORKERS};
    double begun = monotonic_seconds(), last = begun;
    bool ok = true;

    memset(results, WORK_UNDONE, n);
    if (n == 0)
        return true;
    if (shared == MAP_FAILED) {
        complain("out of memory for %zu items", n);
        return false;
    }
    memset(shared->results, WORK_UNDONE, n);
    ws.n = ws.n < n ? ws.n : (unsigned)n;
    for (unsigned i = 0; i < ws.n && ok; i++)
        ok = start(&ws, i, all, n, one, ctx, shared);
    while (ws.running) {
        int again;

        reap(&ws, shared, &again);
        if (again >= 0 && ws.deaths <= MOST_DEATHS && !atomic_load(&shared->stop))
            start(&ws, (unsigned)again, all, n, one, ctx, shared);
        progress(all, atomic_load(&shared->done), n, begun, &last, false);
        usleep(5000);
    }
    progress(all, n, n, begun, &last, true);
    memcpy(results, shared->results, n);
    ok = !atomic_load(&shared->stop);
    for (size_t i = 0; ok && i < n; i++)
        ok = results[i] != WORK_UNDONE;
    munmap(shared, size);
    return ok;
}
