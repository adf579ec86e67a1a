/* SPDX-License-Identifier: MIT */
/*
 * Tells when the engine does not come back. Each entry and each return counts up one number, so that it is odd while the
 * engine runs; a timer's signal handler looks at it once a second. The same odd number for too many ticks: stuck.
 *
 * The engine cannot be left from a signal handler, so the process ends. The timer is one of its own (libFuzzer and others
 * use setitimer and SIGALRM for theirs) and belongs to a process, so a child of a fork makes a new one.
 *
 * A signal handler reaches nothing but static storage: this file is the exception to "no globals".
 */
/* Before signal.h, whose macros have the names of its fields. */
#include <faultline/oracle/exec.h>

#include "watchdog.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <unicorn/unicorn.h>

static _Atomic unsigned sequence;      /* odd: the engine runs */
static _Atomic unsigned allowed_ticks; /* 0: off */
static struct {
    timer_t timer;
    bool installed, armed;
    unsigned seen, ticks; /* of the handler alone */
    char text[128];
    size_t length;
} watch;

/* One thread runs executors, so an increment need not be atomic, only whole. */
static void count(void)
{
    atomic_store_explicit(&sequence, atomic_load_explicit(&sequence, memory_order_relaxed) + 1, memory_order_relaxed);
}

void watchdog_enter(void)
{
    count();
}

void watchdog_leave(void)
{
    count();
}

static void on_tick(int signal_number)
{
    unsigned now = atomic_load_explicit(&sequence, memory_order_relaxed);
    unsigned allowed = atomic_load_explicit(&allowed_ticks, memory_order_relaxed);

    (void)signal_number;
    if (now % 2 == 0 || now != watch.seen) {
        watch.seen = now;
        watch.ticks = 0;
        return;
    }
    if (allowed == 0 || ++watch.ticks < allowed)
        return;
    ssize_t written = write(STDERR_FILENO, watch.text, watch.length);
    (void)written; /* nobody is left to tell */
    abort();
}

static bool arm(void)
{
    struct sigevent event;
    struct itimerspec second = {.it_value.tv_sec = 1, .it_interval.tv_sec = 1};

    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGRTMIN;
    if (timer_create(CLOCK_MONOTONIC, &event, &watch.timer) != 0)
        return false;
    if (timer_settime(watch.timer, 0, &second, NULL) != 0) {
        timer_delete(watch.timer);
        return false;
    }
    return true;
}

/* A child has the handler, but not the timer. Where there is none to be had, it runs without. */
static void after_fork(void)
{
    if (watch.armed)
        watch.armed = arm();
}

static bool install(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_tick;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    return sigaction(SIGRTMIN, &action, NULL) == 0 && pthread_atfork(NULL, NULL, after_fork) == 0;
}

enum fl_status fl_unicorn_watchdog(unsigned seconds)
{
    unsigned v = uc_version(NULL, NULL);

    atomic_store_explicit(&allowed_ticks, 0, memory_order_relaxed); /* the handler must not see half of the text */
    if (seconds == 0) {
        if (watch.armed)
            timer_delete(watch.timer);
        watch.armed = false;
        return FL_OK;
    }
    int n = snprintf(watch.text, sizeof watch.text,
                     "faultline: executor unicorn %u.%u.%u did not come back from an instruction within %u s\n",
                     v >> 24, v >> 16 & 255, v >> 8 & 255, seconds);
    watch.length = (size_t)n;
    if (!watch.installed && !(watch.installed = install()))
        return FL_FAILED;
    if (!watch.armed && !(watch.armed = arm()))
        return FL_FAILED;
    atomic_store_explicit(&allowed_ticks, seconds, memory_order_relaxed);
    return FL_OK;
}
