/* SPDX-License-Identifier: MIT */
/*
 * One campaign at a time in a folder. flock says it, on one machine and on file systems that carry it to their server. There it may
 * stay for a while after its machine is lost, and a job that Slurm has queued again for that waits. Where the file system
 * has no locks, the file's content says who has it, and that one is looked for: on this machine by its process, elsewhere
 * by its Slurm job.
 *
 *   GUARD SUPERVISOR               process numbers
 *   HOST BOOT BORN JOB BORN        of the guard, the second BORN of the supervisor; "-": none
 *
 * A process number alone says nothing: it may be somebody else's by now. With the moment at which the process began it does.
 */
#include "../shards/shards.h"
#include "campaign.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define LONGEST_WAIT 300 /* seconds: leases of NFS run out after 90 as a rule */
#define CONTENT      280

struct holder {
    int guard, supervisor;
    char host[64], boot[40], job[48];
    uint64_t born, supervisor_born;
};

/* The Slurm job that this process is part of: "12_3", "12" or "-". */
static void own_job(char job[48])
{
    const char *array = getenv("SLURM_ARRAY_JOB_ID"), *task = getenv("SLURM_ARRAY_TASK_ID"),
               *one = getenv("SLURM_JOB_ID");

    if (array && task && *array && *task)
        snprintf(job, 48, "%.20s_%.20s", array, task);
    else
        snprintf(job, 48, "%.40s", one && *one ? one : "-");
}

static void own_host(char host[64])
{
    if (gethostname(host, 63) != 0 || !*host)
        snprintf(host, 64, "-");
    host[63] = 0;
}

static void read_holder(int fd, struct holder *h)
{
    char text[CONTENT + 1];
    ssize_t n = pread(fd, text, CONTENT, 0);

    memset(h, 0, sizeof *h);
    text[n > 0 ? n : 0] = 0;
    if (sscanf(text, "%d %d %63s %39s %" SCNu64 " %47s %" SCNu64, &h->guard, &h->supervisor, h->host, h->boot, &h->born,
               h->job, &h->supervisor_born) < 1)
        memset(h, 0, sizeof *h);
    if (h->guard <= 1)
        h->guard = 0;
    if (h->supervisor <= 1)
        h->supervisor = 0;
}

static bool is_elsewhere(const struct holder *h)
{
    char host[64];

    own_host(host);
    return h->host[0] && strcmp(h->host, host) != 0;
}

/* Is the process still the one that it was? */
static bool is_process(int pid, uint64_t born)
{
    return pid && born && process_born(pid) == born;
}

/* On this machine, since it was last started. */
static bool is_here(const struct holder *h)
{
    char boot[40];

    process_boot(boot);
    return !is_elsewhere(h) && (!boot[0] || strcmp(h->boot, boot) == 0);
}

enum life { GONE, ALIVE, UNKNOWN };

static enum life life_of(const struct holder *h)
{
    char job[48];

    if (!h->guard)
        return GONE;
    own_job(job);
    if (is_elsewhere(h)) {
        enum batch_life life;

        if (!h->job[0] || strcmp(h->job, "-") == 0)
            return UNKNOWN;
        if (strcmp(h->job, job) == 0)
            return GONE; /* this very job, queued again: Slurm has given the other one up */
        life = batch_life(h->job);
        return life == BATCH_RUNS ? ALIVE : life == BATCH_ENDED ? GONE : UNKNOWN;
    }
    /* A supervisor that has lost its guard goes on. */
    return is_here(h) && (is_process(h->guard, h->born) || is_process(h->supervisor, h->supervisor_born)) ? ALIVE
                                                                                                          : GONE;
}

static bool no_locks_here(int error)
{
    return error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP || error == EINVAL;
}

/* flock did not give it. False: it is not to be had, or *again. */
static bool decide(const char *path, int fd, int error, double waited, bool *busy, bool *again)
{
    struct holder h;
    enum life life;

    read_holder(fd, &h);
    *again = false;
    if (error == EWOULDBLOCK) {
        /* A machine that is lost cannot give it back: its server does, after a while. */
        *again = waited < LONGEST_WAIT && is_elsewhere(&h) && life_of(&h) == GONE;
        *busy = !*again;
        if (*again && waited == 0)
            fprintf(stderr, "faultline: %s: waits for the file system to give up the lock of %s, which is lost\n", path,
                    h.host);
        return false;
    }
    if (!no_locks_here(error)) {
        complain("%s: %s", path, strerror(error));
        return false;
    }
    life = life_of(&h);
    *busy = life == ALIVE;
    if (life == UNKNOWN)
        complain(
            "%s: this file system has no locks, and process %d of %s, which has it, cannot be asked about: when nothing "
            "works there any more, remove it",
            path, h.guard, h.host);
    return life == GONE;
}

int campaign_lock(const char *folder, bool *busy)
{
    const struct timespec pause = {.tv_sec = 2};
    char *path = format_text("%s/lock", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    bool mine = false, again = true;

    *busy = false;
    if (fd < 0)
        complain("%s: %s", path, strerror(errno));
    for (double waited = 0; fd >= 0 && !mine && again; waited += 2) {
        if (waited > 0)
            nanosleep(&pause, NULL);
        mine = flock(fd, LOCK_EX | LOCK_NB) == 0 || decide(path, fd, errno, waited, busy, &again);
    }
    if (mine)
        campaign_lock_note(fd, getpid(), 0);
    else if (fd >= 0)
        close(fd);
    free(path);
    return mine ? fd : -1;
}

void campaign_lock_pids(const char *folder, pid_t *guard, pid_t *supervisor)
{
    char *path = format_text("%s/lock", folder);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct holder h = {0};

    if (fd >= 0) {
        read_holder(fd, &h);
        close(fd);
    }
    free(path);
    *guard = is_here(&h) && is_process(h.guard, h.born) ? h.guard : 0;
    *supervisor = is_here(&h) && is_process(h.supervisor, h.supervisor_born) ? h.supervisor : 0;
}

bool campaign_at_work(const char *folder)
{
    char *path = format_text("%s/lock", folder);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct holder h;
    bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0;

    if (held && no_locks_here(errno)) {
        read_holder(fd, &h);
        held = life_of(&h) != GONE;
    } else if (held) {
        held = errno == EWOULDBLOCK;
    }
    if (fd >= 0)
        close(fd);
    free(path);
    return held;
}

void campaign_lock_give(int fd)
{
    campaign_lock_note(fd, 0, 0);
    flock(fd, LOCK_UN);
}

void campaign_lock_note(int fd, pid_t guard, pid_t supervisor)
{
    char text[CONTENT + 1], host[64], boot[40], job[48];
    int n;

    own_host(host);
    process_boot(boot);
    own_job(job);
    n = snprintf(text, sizeof text, "%d %d\n%s %s %" PRIu64 " %s %" PRIu64 "\n", (int)guard, (int)supervisor, host,
                 boot[0] ? boot : "-", guard ? process_born(guard) : 0, job, supervisor ? process_born(supervisor) : 0);
    /* Of one length, so that a reader never sees none. */
    memset(text + n, ' ', sizeof text - (size_t)n);
    if (pwrite(fd, text, CONTENT, 0) != CONTENT)
        complain("cannot note the process number in the lock: %s", strerror(errno));
}
