/* SPDX-License-Identifier: MIT */
/*
 * faultline fuzz: targets run under one or two engines, all at once, for a fixed time; their findings are collected.
 *
 *   command.c  the options
 *   run.c      set-up, the watching loop, the end
 *   finding.c  artifacts become findings: replayed, named by key, stored as text
 *   report.c   progress and the closing summary
 */
#ifndef FAULTLINE_TOOLS_FUZZ_H
#define FAULTLINE_TOOLS_FUZZ_H

#include "../command.h"
#include "../engine/engine.h"
#include "../replay/replay.h"

#include <sys/types.h>

/* How often a task finds one key before it is not started again. */
#define SAME_KEY_LIMIT 20
#define MAX_TASKS      64

#define MAX_FINDINGS 256

/* One target under one engine. */
struct task {
    struct engine_run run;
    unsigned job;
    char *name;   /* "walk-libfuzzer-0" */
    char *folder; /* its artifacts, log and engine files; the strings of run are beside it */
    char *log, *stats_path, *corpus, *sync;
    struct fl_stats *stats; /* shared with the child */
    pid_t pid;              /* 0: not running */
    double started;         /* seconds since the start */
    unsigned starts;
    bool stopped; /* not started again */
    bool failed;  /* ended in a way that is no finding: trouble in `why` */
    char why[200];
    struct engine_says says;
    uint16_t seen[MAX_FINDINGS]; /* how often it found each finding's key */
};

struct finding {
    char key[256];
    char *path;      /* the .scn */
    char task[64];   /* who found it first */
    double after;    /* seconds */
    uint64_t events; /* events of that task until then */
    unsigned count;
    char detail[512];
    bool reproduced;
    bool aside; /* kept and told, but no finding about the tested code: see struct replayed */
};

struct fuzz {
    /* what was asked */
    bool target[FL_TARGET_COUNT];
    bool all_targets; /* none was named: those that the core can run */
    bool engine[ENGINE_COUNT];
    unsigned seconds, jobs, seed;
    bool json, executor;
    const char *core;         /* a shared object; NULL: the core in this tree */
    const char *root, *build; /* FAULTLINE_ROOT, FAULTLINE_BUILD */
    char *out;                /* build/fuzz */
    char *seeds;              /* out/seeds */

    struct replayer *replayer;
    struct task tasks[MAX_TASKS];
    unsigned ntasks;
    struct finding findings[MAX_FINDINGS];
    unsigned nfindings;
    uint64_t lost_findings; /* beyond MAX_FINDINGS */
    double now;             /* seconds since the start */
    bool interrupted;
    bool failed; /* the run itself is in trouble (it complained) */
};

/* run.c: runs it; answers an exit code. */
int fuzz_run(struct fuzz *c);

/* Findings about the tested code: those that are not left aside. */
unsigned findings_count(const struct fuzz *c);

/* finding.c: takes up artifacts that the task's engine has left since the last call. Answers how many. */
unsigned findings_collect(struct fuzz *c, struct task *t);

/* report.c */
void report_progress(struct fuzz *c, bool last);
void report_summary(const struct fuzz *c);
void report_json(const struct fuzz *c);

#endif
