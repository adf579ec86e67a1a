/* SPDX-License-Identifier: MIT */
/*
 * A campaign: fuzz targets run as child processes of one or two engines for a time, watched, their findings collected.
 *
 *   campaign.c          set-up, the watching loop, the end
 *   campaign_engine.c   how each engine is started and what its own files say
 *   campaign_finding.c  artifacts become findings: replayed, named by key, stored as text
 *   campaign_report.c   progress and the closing summary
 */
#ifndef FAULTLINE_TOOLS_CAMPAIGN_H
#define FAULTLINE_TOOLS_CAMPAIGN_H

#include "command.h"

#include <faultline/fuzz/judge.h>
#include <sys/types.h>

enum engine { ENGINE_LIBFUZZER, ENGINE_AFL, ENGINE_COUNT };

/* How often a task finds one key before it is not started again. */
#define SAME_KEY_LIMIT 20
#define MAX_TASKS      64

#define MAX_FINDINGS 256

/* One target under one engine. */
struct task {
    enum fl_target target;
    enum engine engine;
    unsigned job;
    char *name;   /* "walk-libfuzzer-0" */
    char *folder; /* its artifacts, log and engine files */
    char *log;
    struct fl_stats *stats; /* shared with the child */
    char *stats_path;
    pid_t pid;      /* 0: not running */
    double started; /* seconds since the campaign began */
    unsigned starts;
    bool stopped; /* not started again */
    bool failed;  /* ended in a way that is no finding: trouble in `why` */
    char why[200];
    uint64_t coverage;           /* as the engine counts: libFuzzer edges, AFL++ edges */
    uint64_t corpus;             /* inputs kept */
    uint16_t seen[MAX_FINDINGS]; /* how often it found each finding's key */
    uint64_t log_read;           /* bytes of the log seen so far */
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

struct campaign {
    /* what was asked */
    bool target[FL_TARGET_COUNT];
    bool engine[ENGINE_COUNT];
    unsigned seconds, jobs, seed;
    bool json, executor;
    const char *root, *build; /* FAULTLINE_ROOT, FAULTLINE_BUILD */
    char *out;                /* build/fuzz */

    struct task tasks[MAX_TASKS];
    unsigned ntasks;
    struct finding findings[MAX_FINDINGS];
    unsigned nfindings;
    uint64_t lost_findings; /* beyond MAX_FINDINGS */
    double now;             /* seconds since the start */
    bool interrupted;
    bool failed; /* the campaign itself is in trouble (it complained) */
};

/* campaign.c: runs it; answers an exit code. */
int campaign_run(struct campaign *c);

/* campaign_engine.c */
const char *engine_name(enum engine e);
/* Is the task's program there? False: it complained. */
bool engine_ready(const struct campaign *c, const struct task *t);
/* Starts the child. False: it complained. */
bool engine_start(struct campaign *c, struct task *t, unsigned seconds_left);
/* Reads what the engine says of itself into coverage and corpus. */
void engine_poll(struct campaign *c, struct task *t);
/* Was this exit status, of a task that left no artifact, a normal end? False: t->why says what it was. */
bool engine_ended_well(struct task *t, int status);
/* Encodes corpus/seeds/ into a folder of fuzz bytes for the engines. False: it complained. */
bool engine_seeds(struct campaign *c);

/* Findings about the tested code: those that are not left aside. */
unsigned findings_count(const struct campaign *c);

/* campaign_finding.c: takes up artifacts that the task's engine has left since the last call. Answers how many. */
unsigned findings_collect(struct campaign *c, struct task *t);

/* campaign_report.c */
void report_progress(struct campaign *c, bool last);
void report_summary(const struct campaign *c);
void report_json(const struct campaign *c);

#endif
