/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include "../command.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct worker {
    pid_t pid;
    int command, reply; /* pipes: block numbers */
    uint32_t block;     /* NOBODY: none */
    struct shared *shared;
    uint64_t stamp; /* of its movement; when that was seen, and how much processor time it had taken by then */
    double moved, used;
};

static void note_movement(struct worker *w)
{
    w->moved = monotonic_seconds();
    w->used = processor_seconds(w->pid);
}

/* On a busy machine a worker may stand still because it is not let run: what hangs has had its share of a processor, or has
 * waited for much longer than that takes. */
static bool stands_still(const struct worker *w, unsigned seconds)
{
    double still = monotonic_seconds() - w->moved;

    return still > seconds && (processor_seconds(w->pid) - w->used > seconds / 2.0 || still > seconds * 6.0);
}

static void *share(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

/* ---- blocks --------------------------------------------------------------------------------------------------------- */

struct block *pool_blocks(const struct space *s, uint32_t *count)
{
    /* About a tenth of a second of work each. */
    static const uint32_t units_of[AXIS_COUNT] = {128, 512, 64, 256, 256};
    struct block *blocks = NULL;
    uint32_t n = 0;

    for (unsigned pass = 0; pass < 2; pass++) {
        n = 0;
        for (unsigned axis = 0; axis < AXIS_COUNT; axis++)
            for (unsigned mode = 3; mode-- > 0;) {
                uint32_t all = axis_units(s, (enum axis)axis);

                if (!(s->axes >> axis & 1) || !(s->modes >> mode & 1))
                    continue;
                for (uint32_t first = 0; first < all; first += units_of[axis], n++) {
                    uint32_t units = all - first < units_of[axis] ? all - first : units_of[axis];

                    if (blocks)
                        blocks[n] = (struct block){(uint8_t)axis, (uint8_t)mode, first, units};
                }
            }
        if (!blocks && !(blocks = calloc(n + 1u, sizeof *blocks)))
            return NULL;
    }
    *count = n;
    return blocks;
}

static bool worker_start(struct pool *p, struct worker *w, const struct common *common, struct worker *all, unsigned n)
{
    int down[2], up[2];
    pid_t parent = getpid();

    if (pipe(down) != 0)
        return false;
    if (pipe(up) != 0) {
        close(down[0]);
        close(down[1]);
        return false;
    }
    w->shared->column = NOBODY;
    w->shared->failed = false;
    w->shared->why[0] = 0;
    fflush(NULL);
    w->pid = fork();
    if (w->pid == 0) {
        /* A pipe that another worker holds open as well would not end when its owner does. */
        for (unsigned i = 0; i < n; i++)
            if (&all[i] != w && all[i].pid > 0) {
                close(all[i].command);
                close(all[i].reply);
            }
        close(down[1]);
        close(up[0]);
        worker_settle(parent);
        worker_main(p, w->shared, common, down[0], up[1]);
    }
    close(down[0]);
    close(up[1]);
    w->command = down[1];
    w->reply = up[0];
    w->block = NOBODY;
    w->moved = monotonic_seconds();
    if (w->pid < 0) {
        close(down[1]);
        close(up[0]);
        return false;
    }
    return true;
}

static int worker_end(struct worker *w, bool kill_it)
{
    int status = 0;

    close(w->command);
    close(w->reply);
    if (kill_it)
        kill(w->pid, SIGKILL);
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
        ;
    w->pid = 0;
    return status;
}

static bool give_block(struct pool *p, struct worker *w, uint8_t *taken)
{
    for (uint32_t i = 0; i < p->nblocks; i++)
        if (!p->done[i] && !taken[i]) {
            taken[i] = 1;
            w->block = i;
            note_movement(w);
            return write(w->command, &i, sizeof i) == sizeof i;
        }
    return true;
}

static void copy_incidents(struct pool *p, const struct common *common)
{
    p->nincidents = common->nincidents;
    memcpy(p->incident, common->incident, sizeof p->incident);
    memcpy(p->dropped, common->dropped, sizeof p->dropped);
}

/* A worker is gone, or was stopped for standing still. Notes whose fault it was. False: why. */
static bool note_incident(struct pool *p, struct worker *w, struct common *common, int status, bool hung, char why[256])
{
    struct shared *s = w->shared;
    const struct block *b = w->block == NOBODY ? NULL : &p->blocks[w->block];
    struct incident x = {.hung = hung, .signal = !hung && WIFSIGNALED(status) ? WTERMSIG(status) : 0};
    struct batch *batch;
    unsigned same = 0;

    if (s->failed && s->why[0]) {
        snprintf(why, 256, "%s", s->why);
        return false;
    }
    if (s->column >= OPENING && s->column < OPENING + p->ncolumns) {
        snprintf(why, 256, "%s %s while a worker opened it", p->columns[s->column - OPENING].name,
                 hung ? "did not come back" : "crashed");
        return false;
    }
    if (!b || s->column >= p->ncolumns || p->columns[s->column].kind == COLUMN_PROBE) {
        snprintf(why, 256, "a worker %s (%s)", hung ? "stood still" : "died",
                 s->column < p->ncolumns ? p->columns[s->column].name : "between two columns");
        return false;
    }
    x.column = (uint8_t)s->column;
    x.axis = b->axis;
    x.mode = b->mode;
    x.unit = s->unit;
    x.place = s->place;
    batch = calloc(1, sizeof *batch);
    if (!batch || common->nincidents == MAX_INCIDENTS) {
        snprintf(why, 256, batch ? "too many crashes and hangs" : "out of memory");
        free(batch);
        return false;
    }
    axis_fill(&p->space, (enum axis)b->axis, b->mode, x.unit, batch);
    memcpy(x.bytes, batch->bytes[x.place], sizeof x.bytes);
    x.length = batch->length[x.place];
    x.readable = batch->readable[x.place];
    free(batch);
    for (unsigned i = 0; i < common->nincidents; i++)
        same += common->incident[i].column == x.column;
    common->incident[common->nincidents++] = x;
    if (same + 1 >= MAX_PER_COLUMN)
        common->dropped[x.column] = true;
    copy_incidents(p, common);
    return true;
}

/* One worker said something, or its end of the pipe is closed. */
static enum pool_end hear(struct pool *p, struct worker *w, struct common *common, struct worker *all, uint8_t *taken,
                          char why[256])
{
    uint32_t number;

    if (read(w->reply, &number, sizeof number) == sizeof number) {
        p->done[number] = 1;
        w->block = NOBODY;
        if (!p->on_block(p->ctx, number, &w->shared->cells, w->shared->fired))
            return POOL_STOPPED;
        if (!give_block(p, w, taken)) {
            snprintf(why, 256, "a worker does not listen any more");
            return POOL_FAILED;
        }
        return POOL_DONE;
    }
    if (!note_incident(p, w, common, worker_end(w, false), false, why))
        return POOL_FAILED;
    taken[w->block] = 0;
    if (!worker_start(p, w, common, all, p->jobs) || !give_block(p, w, taken)) {
        snprintf(why, 256, "a worker cannot be started: %s", strerror(errno));
        return POOL_FAILED;
    }
    return POOL_DONE;
}

static enum pool_end look_for_hangs(struct pool *p, struct worker *all, struct common *common, uint8_t *taken,
                                    char why[256])
{
    for (unsigned i = 0; i < p->jobs; i++) {
        struct worker *w = &all[i];
        struct shared *s = w->shared;
        uint64_t stamp = (uint64_t)s->unit << 32 ^ (uint64_t)s->place << 8 ^ s->column;

        if (w->block == NOBODY)
            continue;
        if (stamp != w->stamp) {
            w->stamp = stamp;
            note_movement(w);
        } else if (stands_still(w, p->hang_seconds)) {
            if (!note_incident(p, w, common, worker_end(w, true), true, why))
                return POOL_FAILED;
            taken[w->block] = 0;
            if (!worker_start(p, w, common, all, p->jobs) || !give_block(p, w, taken))
                return POOL_FAILED;
        }
    }
    return POOL_DONE;
}

static bool busy(const struct pool *p, const struct worker *all)
{
    for (unsigned i = 0; i < p->jobs; i++)
        if (all[i].block != NOBODY)
            return true;
    return false;
}

static uint64_t answered(const struct pool *p, const struct worker *all)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < p->jobs; i++)
        sum += all[i].shared->strings;
    return sum;
}

static enum pool_end conduct(struct pool *p, struct worker *all, struct common *common, uint8_t *taken, char why[256])
{
    enum pool_end end = POOL_DONE;

    for (unsigned i = 0; i < p->jobs; i++)
        if (!worker_start(p, &all[i], common, all, p->jobs) || !give_block(p, &all[i], taken)) {
            snprintf(why, 256, "a worker cannot be started: %s", strerror(errno));
            return POOL_FAILED;
        }
    while (end == POOL_DONE && busy(p, all)) {
        struct pollfd ears[64];

        for (unsigned i = 0; i < p->jobs; i++)
            ears[i] = (struct pollfd){.fd = all[i].block == NOBODY ? -1 : all[i].reply, .events = POLLIN};
        poll(ears, p->jobs, 200);
        for (unsigned i = 0; i < p->jobs && end == POOL_DONE; i++)
            if (ears[i].revents)
                end = hear(p, &all[i], common, all, taken, why);
        if (end == POOL_DONE)
            end = look_for_hangs(p, all, common, taken, why);
        if (end == POOL_DONE && !p->on_tick(p->ctx, answered(p, all)))
            end = POOL_STOPPED;
    }
    return end;
}

enum pool_end pool_run(struct pool *p, char why[256])
{
    struct worker all[64] = {0};
    struct common *common = share(sizeof *common);
    uint8_t *taken = calloc(p->nblocks + 1u, 1);
    enum pool_end end = POOL_DONE;

    if (p->jobs > 64)
        p->jobs = 64;
    for (unsigned i = 0; i < p->jobs; i++) {
        all[i].shared = share(sizeof *all[i].shared);
        all[i].block = NOBODY;
        if (!all[i].shared || !common || !taken) {
            snprintf(why, 256, "out of memory");
            end = POOL_FAILED;
            break;
        }
        all[i].shared->cells = (struct cells){.capacity = CELLS_OF_WORKER, .cell = all[i].shared->cell};
    }
    if (common) {
        common->nincidents = p->nincidents;
        memcpy(common->incident, p->incident, sizeof common->incident);
        memcpy(common->dropped, p->dropped, sizeof common->dropped);
    }
    /* A worker that is gone must not end the parent as well. */
    signal(SIGPIPE, SIG_IGN);
    if (end == POOL_DONE)
        end = conduct(p, all, common, taken, why);
    if (all[0].shared)
        p->strings = answered(p, all);
    for (unsigned i = 0; i < p->jobs; i++) {
        if (all[i].pid > 0 && worker_end(&all[i], end != POOL_DONE) != 0 && end == POOL_DONE) {
            snprintf(why, 256, "%s", all[i].shared->why[0] ? all[i].shared->why : "a worker died at its end");
            end = POOL_FAILED;
        }
        if (all[i].shared) {
            p->controls += all[i].shared->controls;
            munmap(all[i].shared, sizeof *all[i].shared);
        }
    }
    if (common)
        munmap(common, sizeof *common);
    free(taken);
    return end;
}

bool pool_describe(struct column *columns, unsigned n, unsigned hang_seconds, unsigned *failed, char why[256])
{
    struct description {
        bool ok;
        unsigned at;
        char why[256];
        struct column column[MAX_COLUMNS];
    } *d = share(sizeof *d);
    pid_t parent = getpid(), pid;
    int status = 0;
    bool ok;

    if (!d) {
        snprintf(why, 256, "out of memory");
        return false;
    }
    memcpy(d->column, columns, n * sizeof *columns);
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        worker_settle(parent);
        for (d->at = 0; d->at < n; d->at++) {
            struct answerer a;

            alarm(hang_seconds);
            if (!answerer_open(&d->column[d->at], &a, d->why) || !answerer_close(&a, d->why))
                _exit(1);
        }
        d->ok = true;
        _exit(0);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    ok = pid > 0 && d->ok && status == 0;
    *failed = d->at;
    if (ok)
        memcpy(columns, d->column, n * sizeof *columns);
    else if (d->why[0])
        snprintf(why, 256, "%s", d->why);
    else
        snprintf(why, 256, "%.200s: it %s while it was opened",
                 d->at < n ? d->column[d->at].path[0] ? d->column[d->at].path : d->column[d->at].name : "a column",
                 pid > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "hung" : "crashed");
    munmap(d, sizeof *d);
    return ok;
}
