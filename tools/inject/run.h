/* SPDX-License-Identifier: MIT */
/*
 * The command around the exploration: files, workers, findings. Private to inject.
 *
 *     command.c  arguments
 *     input.c    the files that are named
 *     worker.c   a process that explores one scenario after the other
 *     run.c      workers and what comes of them: done, found, crashed, hung
 *     finding.c  findings by key: replayed, told, written
 *     report.c   what is said at the end, and on the way
 */
#ifndef FAULTLINE_TOOLS_INJECT_RUN_H
#define FAULTLINE_TOOLS_INJECT_RUN_H

#include "inject.h"

#include "../command.h"
#include "../replay/replay.h"

#include <jansson.h>
#include <sys/types.h>

struct inject_options {
    const char *core; /* NULL: the one in this tree */
    const char *out;  /* NULL: findings are not written */
    bool executor, json, quiet, sound, pairs;
    unsigned preempt, jobs;
    unsigned seconds; /* of all; 0: no end */
    uint64_t limit;   /* pairs of one file */
};

/* ---- input.c ---- */
struct input {
    char *path;
    enum fl_target target;
    size_t size;
    uint8_t *bytes; /* encoded */
    bool done;
    bool gone; /* given up: its core ends the process all the time */
    bool cut;  /* the time was up */
    struct inject_counts counts;
};
struct inputs {
    struct input *list;
    size_t n;
    uint64_t unreadable;
};
/* False: a path could not be read (it complained). */
bool inputs_read(struct inputs *in, char *const *paths, size_t n);
void inputs_free(struct inputs *in);

/* ---- worker.c ---- */
enum { MESSAGE_FOUND = 1, MESSAGE_DONE };
struct message {
    uint32_t kind, size; /* FOUND: bytes of the encoded scenario that follow; 0: the key has been sent before */
    char key[256];
};
struct worker_shared {
    volatile bool ready, failed;
    char why[512];
    struct fl_stats stats;
    struct inject_state state;
};
struct worker {
    pid_t pid; /* 0: none */
    int ask, hear;
    struct worker_shared *shared;
    size_t file;
    bool busy, stuck;
    uint64_t beat;
    double beaten; /* when beat last changed */
    unsigned crashes;
};
/* False: why [OUT]. */
bool worker_start(struct worker *w, const struct inject_options *o, const struct inputs *in, char why[512]);
void worker_ask(struct worker *w, size_t file);
/* Ends it and takes leave of it; the shared memory stays. *status [OUT] as of waitpid. */
void worker_end(struct worker *w, int *status);

/* ---- finding.c ---- */
struct finding {
    char key[256], asked[256]; /* as the replay has it; as the worker had it */
    char *path, *file;         /* where it was written, or NULL; which file it came from */
    char *text;                /* the records that were put in, one a line */
    struct replay_result result;
    bool reproduced;
    uint64_t count;
};
struct findings {
    struct finding *list;
    size_t n;
};
/* Notes one. s NULL: only the key is known, and that it came again. */
void findings_add(struct findings *f, const struct inject_options *o, struct replayer *r, const struct input *from,
                  const char *key, const struct fl_scenario *s);
void findings_free(struct findings *f);

/* ---- report.c ---- */
struct progress {
    bool terminal;
    double began, told, moment;
    uint64_t moment_runs;
    double rate;
};
void progress_begin(struct progress *p);
void progress_tell(struct progress *p, const struct inputs *in, const struct worker *workers, unsigned n,
                   const struct findings *f);
void progress_end(struct progress *p);
void report_file(const struct inject_options *o, const struct input *in);
void report_finding(const struct inject_options *o, const struct finding *f);
void report_end(const struct inject_options *o, const struct inputs *in, const struct findings *f, double seconds);
void counts_add(struct inject_counts *to, const struct inject_counts *c);

/* ---- run.c ---- */
int inject_run(const struct inject_options *o, struct inputs *in);

#endif
