/* SPDX-License-Identifier: MIT */
/* The opener's side of the child: batches, waiting with a limit, its end. */
#define _GNU_SOURCE
#include "native.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLICE_NSEC 20000000l
/* The child ends a case that loops after two of its ticks. Counted in waits and not by a clock, so that time in which both
 * processes are stopped does not count. */
#define SLICES_WITHOUT_PROGRESS 500u /* 10 s */

enum fl_status native_fail(struct native *n, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(n->why, sizeof n->why, format, args);
    va_end(args);
    n->failed = true;
    native_end_child(n);
    return FL_FAILED;
}

static void wait_slice(_Atomic uint32_t *word, uint32_t seen)
{
    struct timespec slice = {0, SLICE_NSEC};

    syscall(SYS_futex, word, FUTEX_WAIT, seen, &slice);
}

/* Did it end? *status is as waitpid() has it, or -1 when somebody else took that. */
static bool has_ended(struct native *n, int *status)
{
    pid_t pid = waitpid(n->child, status, WNOHANG);

    if (pid == 0 || (pid < 0 && errno != ECHILD))
        return false;
    if (pid < 0)
        *status = -1;
    n->child = 0;
    return true;
}

static enum fl_status ended(struct native *n, int status)
{
    if (n->share->error != NULL) {
        native_fail(n, "its process cannot %s: %s", n->share->error, strerror(n->share->error_number));
        return (enum fl_status)n->share->error_status;
    }
    if (status != -1 && WIFSIGNALED(status))
        return native_fail(n, "its process was ended by signal %d", WTERMSIG(status));
    if (status != -1)
        return native_fail(n, "its process ended with status %d", WEXITSTATUS(status));
    return native_fail(n, "its process ended");
}

enum fl_status native_wait(struct native *n)
{
    struct native_share *s = n->share;
    uint32_t want = atomic_load_explicit(&s->asked, memory_order_relaxed), ran = 0;
    unsigned idle = 0;

    for (;;) {
        uint32_t seen = atomic_load_explicit(&s->answered, memory_order_acquire);
        int status;

        if (seen == want)
            return FL_OK;
        wait_slice(&s->answered, seen);
        if (atomic_load_explicit(&s->answered, memory_order_acquire) == want)
            return FL_OK;
        if (has_ended(n, &status))
            return ended(n, status);
        uint32_t now = atomic_load_explicit(&s->ran, memory_order_relaxed);
        idle = now == ran ? idle + 1 : 0;
        ran = now;
        if (idle >= SLICES_WITHOUT_PROGRESS)
            return native_fail(n, "its process does not answer");
    }
}

enum fl_status native_batch(struct native *n, uint32_t njobs)
{
    struct native_share *s = n->share;

    s->njobs = njobs;
    atomic_fetch_add_explicit(&s->asked, 1, memory_order_release);
    syscall(SYS_futex, &s->asked, FUTEX_WAKE, 1);
    return native_wait(n);
}

void native_end_child(struct native *n)
{
    struct native_share *s = n->share;
    int status;

    if (n->child == 0)
        return;
    if (!n->failed) {
        atomic_store_explicit(&s->quit, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&s->asked, 1, memory_order_release);
        syscall(SYS_futex, &s->asked, FUTEX_WAKE, 1);
        for (unsigned i = 0; i < 500; i++) {
            struct timespec pause = {0, 200000};
            if (has_ended(n, &status))
                return;
            nanosleep(&pause, NULL);
        }
    }
    kill(n->child, SIGKILL);
    while (waitpid(n->child, &status, 0) < 0 && errno == EINTR)
        ;
    n->child = 0;
}

void native_job(struct native_job *job, const struct fl_probe_case *c, bool loads)
{
    unsigned char *image = (unsigned char *)job->image;

    memset(image, 0xcc, IMAGE);
    memcpy(image + IMAGE - 1 - c->n, c->bytes, c->n);
    job->n = c->n;
    job->setup = (uint8_t)((c->bits == 64 ? RUN_64 : c->bits == 32 ? RUN_32 : RUN_16) + (loads ? LOADS_64 : 0));
}
