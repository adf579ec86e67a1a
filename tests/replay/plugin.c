/* SPDX-License-Identifier: MIT */
/* Cores that do to the process what a core has no business to do. One for each KIND. */
#include <faultline/core.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXITS  1 /* ends the process */
#define NOISY  2 /* prints for ever so long, says why, and aborts */
#define KILLS  3 /* SIGKILL, as from outside */
#define SLEEPS 4 /* never comes back, without using a processor */
#define DIES   5 /* while it is opened */
#define OLD    6 /* another interface */
#define KEEPS  7 /* remembers: right the first time, wrong from then on */

static enum fl_status fault(const struct fl_fault *f, const struct fl_ops *ops, void *ctx, struct fl_outcome *out)
{
    (void)f, (void)ops, (void)ctx, (void)out;
#if KIND == EXITS
    exit(3);
#elif KIND == NOISY
    for (unsigned i = 0; i < 20000; i++)
        fprintf(stderr, "line %u\n", i);
    abort();
#elif KIND == KILLS
    raise(SIGKILL);
#else
    for (;;)
        pause();
#endif
    return FL_FAILED;
}

static enum fl_status prefetch(const struct fl_fault *f, const struct fl_ops *ops, void *ctx, bool *ignore)
{
    (void)f, (void)ops, (void)ctx;
#if KIND == NOISY
    fprintf(stderr, "\x1b[31mplugin.c:1: prefetch: Assertion `false' failed.\n%s", "and more\n");
    abort();
#endif
#if KIND == KEEPS
    static unsigned calls;

    *ignore = calls++ != 0;
#else
    *ignore = false;
#endif
    return FL_OK;
}

const struct fl_core *fl_core(void)
{
    static const struct fl_core core = {
        .abi = KIND == OLD ? FL_CORE_ABI - 1 : FL_CORE_ABI,
        .name = "plugin",
        .prefetch = prefetch,
        .fault = fault,
    };

#if KIND == DIES
    fprintf(stderr, "no such device\n");
    raise(SIGSEGV);
#endif
    return &core;
}
