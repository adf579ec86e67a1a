/* SPDX-License-Identifier: MIT */
/*
 * workers: the same for many items, in worker processes that each have a replayer and a connection to the store of their own. A
 * worker that dies is an item that failed; the others, and one that takes its place, go on.
 */
#ifndef FAULTLINE_TOOLS_TRIAGE_WORK_H
#define FAULTLINE_TOOLS_TRIAGE_WORK_H

#include "internal.h"

struct worker;

/* Does one item. Answers what workers_run puts into results; WORK_STOP: it complained, and nothing more is to be tried. */
typedef uint8_t (*worker_fn)(struct worker *w, size_t item, void *ctx);
#define WORK_STOP   255
#define WORK_DIED   254 /* the worker ended in the middle of it */
#define WORK_UNDONE 253 /* it was never begun */

struct workers {
    const char *folder; /* of the store */
    const struct replay_options *replay;
    bool creates; /* the folder, where it is not there; else one that has gone is told */
    unsigned jobs;
    const char *doing; /* "replayed": for the line that says how far it is */
    bool silent;       /* no such line */
};

struct replayer *worker_replayer(struct worker *w);
/* Opens it with the first call. NULL: it complained. */
struct store *worker_store(struct worker *w);

/* Runs one(…, i, ctx) for each i below n. results [OUT]: n bytes. False: an item answered WORK_STOP, or no worker could be
 * started (it complained). */
bool workers_run(const struct workers *all, size_t n, worker_fn one, void *ctx, uint8_t *results);

#endif
