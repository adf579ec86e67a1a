/* SPDX-License-Identifier: MIT */
/* The store of the whole, from the stores of the shards. */
#include "internal.h"

#include "../command.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Copies of databases are here while they are read. */
#define SCRATCH ".shards"

static void clear(const char *scratch)
{
    static const char *const names[] = {"campaign.db", "campaign.db-wal", "campaign.db-shm", "campaign.db-journal"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = format_text("%s/%s", scratch, names[i]);

        unlink(path);
        free(path);
    }
}

/* The shard as the batch system sees it, or, where that has forgotten it, as its own database says. */
static void take_state(struct shard *shard, const struct run *run, const struct batch_task *tasks, size_t n)
{
    if (run->id) {
        snprintf(shard->host, sizeof shard->host, "%s", run->host);
        shard->starts = (uint32_t)run->id;
    }
    for (size_t i = 0; i < n; i++)
        if (tasks[i].number == shard->number) {
            memcpy(shard->state, tasks[i].state, sizeof shard->state);
            if (tasks[i].host[0])
                memcpy(shard->host, tasks[i].host, sizeof shard->host);
            return;
        }
    switch (run_presence(run, (int64_t)time(NULL))) {
    case PRESENCE_NONE: snprintf(shard->state, sizeof shard->state, "not begun"); break;
    case PRESENCE_HERE: snprintf(shard->state, sizeof shard->state, "works"); break;
    case PRESENCE_SILENT: snprintf(shard->state, sizeof shard->state, "silent"); break;
    case PRESENCE_GONE: snprintf(shard->state, sizeof shard->state, "was killed"); break;
    case PRESENCE_STOPPED: snprintf(shard->state, sizeof shard->state, "ended"); break;
    }
}

struct gathering {
    struct store *s;
    const char *folder, *scratch;
    struct totals *totals;
    struct batch_task *tasks;
    size_t ntasks;
    struct gathered counts;
};

enum taken_shard { SHARD_TAKEN, SHARD_BAD, SHARD_STORE_FAILED };

/* Nothing of a shard is stored before all of it could be read. */
static enum taken_shard take_shard(struct gathering *g, const char *from, struct shard *shard, struct run *run)
{
    struct store *theirs = shards_snapshot(from, g->scratch) ? store_open(g->scratch, STORE_READ) : NULL;
    struct gathered before = g->counts;
    enum taken_shard taken = SHARD_BAD;

    memset(run, 0, sizeof *run);
    if (theirs && store_begin(g->s)) {
        bool ok = shards_take_buckets(g->s, theirs, from, shard->number, &g->counts) &&
                  totals_add(g->totals, theirs, shard->number, run);

        if (ok)
            taken = store_commit(g->s) ? SHARD_TAKEN : SHARD_STORE_FAILED;
        else
            store_rollback(g->s);
    }
    if (store_full(g->s))
        taken = SHARD_STORE_FAILED;
    if (taken != SHARD_TAKEN)
        g->counts = before;
    store_close(theirs);
    clear(g->scratch);
    return taken;
}

static bool one(struct gathering *g, unsigned number)
{
    struct shard shard = {.number = number, .seen = (int64_t)time(NULL)};
    char *from = format_text("%s/shards/%u", g->folder, number);
    struct run run = {0};
    bool ok = true;

    snprintf(shard.folder, sizeof shard.folder, "shards/%u", number);
    if (!store_is_folder(from)) {
        g->counts.empty++;
        take_state(&shard, &run, g->tasks, g->ntasks);
    } else {
        switch (take_shard(g, from, &shard, &run)) {
        case SHARD_STORE_FAILED: ok = false; break;
        case SHARD_TAKEN: take_state(&shard, &run, g->tasks, g->ntasks); break;
        case SHARD_BAD:
            complain("%s: shard %u is left out, the others are not touched by that", from, number);
            snprintf(shard.state, sizeof shard.state, "unreadable");
            g->counts.bad++;
            break;
        }
    }
    g->counts.alive += run.id && run_presence(&run, shard.seen) == PRESENCE_HERE;
    free(from);
    return ok && store_shard_put(g->s, &shard);
}

/* Those that are to be are shown from the start. */
static bool announced(struct store *s, unsigned **numbers, size_t *n)
{
    char text[16];
    unsigned long most = store_option_get(s, "shards", text, sizeof text) ? strtoul(text, NULL, 10) : 0;
    bool *is = calloc(SHARDS_MAX, sizeof *is);

    if (!is)
        return false;
    for (size_t i = 0; i < *n; i++)
        is[(*numbers)[i]] = true;
    for (unsigned i = 0; i < most && i < SHARDS_MAX; i++)
        is[i] = true;
    *n = 0;
    for (unsigned i = 0; i < SHARDS_MAX; i++)
        if (is[i])
            (*numbers)[(*n)++] = i;
    free(is);
    return true;
}

static bool gather(struct gathering *g)
{
    unsigned *numbers = NULL;
    size_t n = 0;
    char job[32];
    bool ok = shards_list(g->folder, &numbers, &n) && announced(g->s, &numbers, &n);

    if (ok && store_option_get(g->s, "slurm_job", job, sizeof job) && job[0])
        g->tasks = batch_tasks(job, &g->ntasks);
    g->counts.shards = n;
    for (size_t i = 0; ok && i < n; i++)
        ok = one(g, numbers[i]);
    if (ok) {
        ok = store_begin(g->s);
        if (ok && totals_store(g->totals, g->s))
            ok = store_commit(g->s);
        else if (ok) {
            store_rollback(g->s);
            ok = false;
        }
    }
    free(numbers);
    free(g->tasks);
    return ok;
}

/* What killed ones have left. */
static void clear_all(const char *place)
{
    DIR *dir = opendir(place);
    struct dirent *e;

    while (dir && (e = readdir(dir))) {
        char *path = format_text("%s/%s", place, e->d_name);

        if (e->d_name[0] == 'g') {
            clear(path);
            rmdir(path);
        }
        free(path);
    }
    if (dir)
        closedir(dir);
}

/* Where the file system knows no locks two may work at once: what both store is the same. *busy [OUT]: somebody does it just
 * now. -1: there is no lock, or (it complained, *ok false) no place for one. */
static int lock_place(const char *place, bool wait, bool *busy, bool *ok)
{
    char *path = format_text("%s/lock", place);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

    if (fd < 0) {
        complain("%s: %s", path, strerror(errno));
        *ok = false;
    } else if (flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB)) == 0) {
        clear_all(place);
    } else {
        *busy = errno == EWOULDBLOCK;
    }
    free(path);
    return fd;
}

bool shards_gather(const char *folder, bool wait, struct gathered *out)
{
    struct gathering g = {.folder = folder};
    char *place = format_text("%s/" SCRATCH, folder), *scratch = format_text("%s/gXXXXXX", place);
    bool ok = make_folder(place), busy = false;
    int fd = ok ? lock_place(place, wait, &busy, &ok) : -1;

    if (ok && !busy && !mkdtemp(scratch)) {
        complain("%s: cannot make this folder: %s", scratch, strerror(errno));
        ok = false;
    } else if (ok && !busy) {
        g.scratch = scratch;
        g.s = store_open(folder, STORE_CREATE);
        g.totals = totals_new();
        ok = g.s && gather(&g);
        totals_free(g.totals);
        store_close(g.s);
        rmdir(scratch);
    }
    if (fd >= 0)
        close(fd);
    free(scratch);
    free(place);
    if (out)
        *out = g.counts;
    return ok;
}

/* When the whole was last brought up to date; 0: never. */
static bool newest(const struct shard *shard, void *ctx)
{
    int64_t *seen = ctx;

    if (shard->seen > *seen)
        *seen = shard->seen;
    return true;
}

void shards_freshen(const char *folder, int64_t age)
{
    struct store *s;
    int64_t seen = 0, now = (int64_t)time(NULL);
    int null, err;

    if (!shards_is_whole(folder) || access(folder, W_OK) != 0 || !store_is_folder(folder))
        return;
    /* What it would complain about is what it reads next, or a shard, whose row says so. */
    fflush(NULL);
    null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    err = fcntl(2, F_DUPFD_CLOEXEC, 3);
    if (null >= 0 && err >= 0 && dup2(null, 2) >= 0) {
        s = store_open(folder, STORE_READ);
        if (s)
            store_shards_each(s, newest, &seen);
        store_close(s);
        if (s && (now - seen >= age || seen > now))
            shards_gather(folder, false, NULL);
        fflush(stderr);
        dup2(err, 2);
    }
    if (err >= 0)
        close(err);
    if (null >= 0)
        close(null);
}
