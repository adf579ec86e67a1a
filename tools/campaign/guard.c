/* SPDX-License-Identifier: MIT */
/*
 * The guard: the supervisor's parent. It does nothing but wait, so that there is little that could go wrong with it, and
 * starts the supervisor again when something killed that. It holds the lock meanwhile.
 */
#include "campaign.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHORT_LIFE  10.0 /* seconds */
#define SHORT_LIVES 10   /* so many in a row are the end */

static volatile sig_atomic_t asked;
static volatile pid_t supervisor;

static void on_signal(int number)
{
    (void)number;
    asked = 1;
    if (supervisor > 0)
        kill(supervisor, SIGTERM);
}

/* What it has to say goes where the supervisor's words go. */
static void into_log(const struct campaign_options *o)
{
    char *path = format_text("%s/log", o->folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

    if (fd >= 0) {
        dup2(fd, 2);
        close(fd);
    }
    free(path);
}

/* The programs are others now: they go on, below this process where somebody waits for its exit code. left: seconds; 0: no limit. */
static int hand_over(const struct campaign_options *o, int lock, double left)
{
    char *time = format_text("--time=%.0f", left < 1 ? 1 : left), *argv[9];
    int n = 0, status = 0;
    pid_t pid;

    argv[n++] = (char *)"faultline";
    argv[n++] = (char *)"campaign";
    argv[n++] = (char *)"resume";
    if (o->foreground)
        argv[n++] = (char *)"--foreground";
    if (o->json)
        argv[n++] = (char *)"--json";
    if (o->seconds > 0)
        argv[n++] = time;
    argv[n++] = (char *)"--";
    argv[n++] = o->folder;
    argv[n] = NULL;
    fflush(NULL);
    campaign_lock_give(lock);
    pid = fork();
    if (pid == 0) {
        execv(builds_program(), argv);
        complain("%s: cannot be started: %s", builds_program(), strerror(errno));
        _exit(EXIT_INTERNAL);
    }
    supervisor = pid > 0 ? pid : 0; /* to which signals are passed on */
    if (pid > 0 && asked)
        kill(pid, SIGTERM);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    supervisor = 0;
    free(time);
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_INTERNAL;
}

static int guard(struct campaign_options *o, int lock, int ready)
{
    struct sigaction action = {.sa_handler = on_signal};
    double began = monotonic_seconds(), limit = o->seconds;
    unsigned short_lives = 0;

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    if (o->foreground)
        sigaction(SIGHUP, &action, NULL);
    for (;;) {
        double started = monotonic_seconds();
        int status;
        pid_t pid;

        fflush(NULL);
        pid = fork();
        if (pid == 0) {
            int code = campaign_supervise(o, ready);

            fflush(NULL);
            _exit(code);
        }
        if (pid < 0) {
            complain("cannot start a process: %s", strerror(errno));
            return EXIT_INTERNAL;
        }
        supervisor = pid;
        if (asked)
            kill(pid, SIGTERM);
        campaign_lock_note(lock, getpid(), pid);
        if (ready >= 0) {
            close(ready);
            ready = -1;
            into_log(o);
        }
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        supervisor = 0;
        if (WIFEXITED(status) && WEXITSTATUS(status) == CAMPAIGN_ANEW) {
            complain("%s: its programs were built anew: these go on", o->folder);
            return asked ? EXIT_CLEAN : hand_over(o, lock, limit - (monotonic_seconds() - began));
        }
        if (WIFEXITED(status)) {
            campaign_lock_note(lock, 0, 0);
            return WEXITSTATUS(status);
        }
        short_lives = monotonic_seconds() - started < SHORT_LIFE ? short_lives + 1 : 0;
        if (asked || short_lives >= SHORT_LIVES) {
            complain("%s: the supervisor was ended by signal %d%s: faultline campaign resume %s", o->folder,
                     WTERMSIG(status), asked ? "" : " again and again, and is not started any more", o->folder);
            return EXIT_INTERNAL;
        }
        complain("%s: the supervisor was ended by signal %d and is started again", o->folder, WTERMSIG(status));
        for (unsigned wait = short_lives > 1 ? 1u << (short_lives - 2) : 0; wait > 0 && !asked; wait--)
            sleep(1);
        if (asked)
            return EXIT_INTERNAL;
        if (limit > 0) {
            o->seconds = limit - (monotonic_seconds() - began);
            if (o->seconds < 1)
                o->seconds = 1;
        }
    }
}

int campaign_guard(struct campaign_options *o, int lock, int ready)
{
    int code;

    builds_begin(o);
    code = guard(o, lock, ready);
    builds_end();
    return code;
}
