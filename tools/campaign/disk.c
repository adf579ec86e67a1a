/* SPDX-License-Identifier: MIT */
/* The disk: how much is left, how large we are, logs that stay short. */
#include "campaign.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define LOOK_EVERY    2.0   /* seconds between two looks at the free space */
#define MEASURE_EVERY 30.0  /* and at our own size; every 5 in the first minute */
#define TROUBLE_MOST  300.0 /* seconds in which something cannot be stored: the campaign fails */
#define TROUBLE_OVER  60.0  /* seconds in which nothing failed: it is over */
#define LOG_MOST      (1 << 20)
#define LOG_TAIL      (64 << 10) /* of a full log is kept as log.1 */

static uint64_t free_bytes(const char *folder)
{
    struct statvfs v;

    return statvfs(folder, &v) == 0 ? (uint64_t)v.f_bavail * v.f_frsize : UINT64_MAX;
}

static bool still_there(const struct campaign *c)
{
    char *path = format_text("%s/campaign.db", c->o->folder);
    struct stat st;
    bool there = stat(path, &st) == 0 && st.st_dev == c->device && st.st_ino == c->inode;

    /* Out of reach for a moment (a network) is not gone. */
    if (!there && errno != ENOENT && errno != ENOTDIR && errno != 0)
        there = stat(path, &st) != 0;
    free(path);
    return there;
}

static void say_full(struct campaign *c, uint64_t left, uint64_t needed)
{
    snprintf(c->run.why, sizeof c->run.why,
             "disk full on %.150s: %" PRIu64 " MiB free, needs %" PRIu64 " MiB; make room, it goes on by itself",
             c->o->folder, left >> 20, needed >> 20);
}

static void pause_now(struct campaign *c, uint64_t left, uint64_t needed)
{
    say_full(c, left, needed);
    if (c->paused)
        return;
    c->paused = true;
    campaign_say(c, "paused: %s", c->run.why);
    merge_abandon(c);
    tasks_end_all(c);
    tidy_end(c);
    c->run.state = RUN_PAUSED;
    record_step(c, true);
}

static void go_on(struct campaign *c, uint64_t left)
{
    c->paused = false;
    c->troubled = false;
    c->min_free_now = 0;
    c->run.state = RUN_RUNNING;
    c->run.why[0] = 0;
    campaign_say(c, "goes on: %" PRIu64 " MiB free", left >> 20);
    for (unsigned i = 0; i < c->ntasks; i++)
        c->tasks[i].waiting = true; /* what could not be stored */
    record_step(c, true);
}

bool disk_begin(struct campaign *c)
{
    char *path = format_text("%s/campaign.db", c->o->folder);
    struct stat st;
    bool ok = stat(path, &st) == 0;

    if (ok) {
        c->device = st.st_dev;
        c->inode = st.st_ino;
    } else {
        complain("%s: %s", path, strerror(errno));
    }
    free(path);
    return ok;
}

/* The supervisor of a campaign that waits for room was killed and is started again: it waits on. */
bool disk_begin_run(struct campaign *c)
{
    const struct timespec wait = {.tv_sec = 1};
    bool begun = false, waited = false;

    for (;;) {
        uint64_t left = free_bytes(c->o->folder);
        bool full = left < c->o->min_free;

        c->run.state = full ? RUN_PAUSED : RUN_STARTING;
        c->run.disk_free = left;
        if (full)
            say_full(c, left, c->o->min_free);
        else
            c->run.why[0] = 0;
        if (begun ? !store_run_put(c->store, &c->run) : !store_run_begin(c->store, &c->run)) {
            if (!store_full(c->store))
                return false;
            full = true;
            say_full(c, left, left + 1 > c->o->min_free ? left + 1 : c->o->min_free);
        } else {
            begun = true;
        }
        if (!full)
            break;
        if (!waited) {
            waited = true;
            if (c->ready >= 0)
                campaign_say(c, "paused: %s", c->run.why); /* to who starts it; then into the log */
            campaign_into_background(c);
            campaign_say(c, "paused: %s", c->run.why);
        }
        nanosleep(&wait, NULL);
        if (campaign_interrupted() || !still_there(c)) {
            c->run.state = RUN_STOPPED;
            if (begun)
                store_run_put(c->store, &c->run);
            return false;
        }
    }
    if (waited)
        campaign_say(c, "goes on: %" PRIu64 " MiB free", c->run.disk_free >> 20);
    return true;
}

/* Somebody else's hand on the database or the folder, a core that is being built: that passes. */
static void trouble(struct campaign *c)
{
    c->trouble_last = c->clock;
    if (!c->troubled) {
        c->troubled = true;
        c->trouble_began = c->clock;
        snprintf(c->run.why, sizeof c->run.why, "something cannot be stored (see the log): it is tried again");
        campaign_say(c, "that is tried again, for %.0f minutes", TROUBLE_MOST / 60);
    } else if (c->clock - c->trouble_began > TROUBLE_MOST) {
        c->failed = true;
        campaign_say(
            c, "%s: what is found cannot be stored: the campaign ends; faultline campaign resume %s goes on with it",
            c->o->folder, c->o->folder);
    }
}

void disk_write_failed(struct campaign *c)
{
    uint64_t left = free_bytes(c->o->folder);

    if (c->failed || c->vanished)
        return;
    if (!still_there(c)) {
        c->vanished = true;
        complain("%s: the folder is gone (or another is in its place): the campaign ends", c->o->folder);
        return;
    }
    if (store_full(c->store) || left < c->o->min_free || left < (16 << 20)) {
        /* A quota, or files of others that come and go: until there is clearly more than now. */
        c->min_free_now = left + (16 << 20) > c->o->min_free ? left + (16 << 20) : c->o->min_free;
        pause_now(c, left, c->min_free_now);
        return;
    }
    trouble(c);
}

void disk_look(struct campaign *c)
{
    uint64_t left, needed;

    if (c->clock - c->disk_looked < LOOK_EVERY && c->disk_looked > 0)
        return;
    c->disk_looked = c->clock;
    if (c->troubled && !c->paused && c->clock - c->trouble_last > TROUBLE_OVER) {
        c->troubled = false;
        c->run.why[0] = 0;
    }
    if (!still_there(c)) {
        c->vanished = true;
        complain("%s: the folder is gone (or another is in its place): the campaign ends", c->o->folder);
        return;
    }
    left = free_bytes(c->o->folder);
    needed = c->min_free_now > c->o->min_free ? c->min_free_now : c->o->min_free;
    c->run.disk_free = left;
    if (left < c->o->min_free || (c->paused && left < needed))
        pause_now(c, left, needed);
    else if (c->paused)
        go_on(c, left);
    if (c->clock - c->disk_measured >= (c->clock < 60 ? 5.0 : MEASURE_EVERY)) {
        uint64_t files;

        c->disk_measured = c->clock;
        disk_size_of(c->o->folder, &files, &c->run.disk);
        disk_rotate_logs(c);
    }
}

/* ---- logs ------------------------------------------------------------------------------------------------------------ */

/* It is emptied in place, after its last part was put aside. */
bool disk_rotate(const char *path)
{
    static char tail[LOG_TAIL];
    struct stat st;
    char *old;
    FILE *out;
    ssize_t n;
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0 || st.st_size <= LOG_MOST) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    n = pread(fd, tail, sizeof tail, st.st_size - LOG_TAIL);
    old = format_text("%s.1", path);
    out = n > 0 ? fopen(old, "w") : NULL;
    if (out) {
        fwrite(tail, 1, (size_t)n, out);
        fclose(out);
    }
    free(old);
    if (ftruncate(fd, 0) != 0)
        complain("%s: cannot empty it: %s", path, strerror(errno));
    close(fd);
    return true;
}

void disk_rotate_logs(struct campaign *c)
{
    for (unsigned i = 0; i < c->ntasks; i++)
        if (disk_rotate(c->tasks[i].log))
            c->tasks[i].says.log_read = 0;
    if (!c->o->foreground)
        disk_rotate(c->log);
}
