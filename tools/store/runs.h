/* SPDX-License-Identifier: MIT */
/*
 * runs: what a campaign did and does, in the tables of the same campaign.db (store.h): who works in the folder, how each
 * job is, and how coverage, speed and disk went over time. The supervisor writes; `campaign status` and `report` read, also
 * while it writes, after it has stopped and after it was killed.
 *
 * Time: "running seconds" are the seconds that the campaign has worked, over all its runs; a pause and the time between two
 * runs do not count, and the machine's clock has no part in them. "unix" times are seconds since 1970 by that clock, only to
 * be shown.
 *
 * Figures of jobs and samples are totals of the campaign, not of the run: a supervisor that resumes reads what is there
 * (store_run_last, store_job_get, store_sample_last) and counts on from that.
 *
 * All functions that answer bool: as in store.h (false: it complained in one line, nothing of the call was stored). Text that
 * is longer than its field is cut. Pointers that are given are not kept.
 *
 *   runs.c         options, runs, is the supervisor there
 *   jobs.c         jobs, shards
 *   samples.c      samples and their thinning
 *   cells.c        decision cells, decisions
 *   runs_schema.c  the tables
 *   rows.c         SQL statements, value by value
 */
#ifndef FAULTLINE_TOOLS_STORE_RUNS_H
#define FAULTLINE_TOOLS_STORE_RUNS_H

#include "store.h"

#include <faultline/fuzz/stats.h>

/* ---- options: what the campaign was asked for -------------------------------------------------------------------------- */

#define STORE_CORE 4096 /* of a path */

/* Text by name: "targets" -> "walk,fault". Names that status and report show: targets, engines, jobs (a number), seconds (0:
 * until it is stopped), build (build_name), core, executor ("unicorn 2.1.1 (CPU: any)"), host, cpus, disk_limit (bytes),
 * seed, command (how it was started), slurm ("1"). Any other is kept and shown as it is. */
bool store_option_set(struct store *s, const char *name, const char *value);
/* False also when there is no such option (nothing is said then): out is "". */
bool store_option_get(struct store *s, const char *name, char *out, size_t size);
/* The core to judge this campaign's findings with: core_of(option), and where that is NULL because neither says anything, the one
 * that the campaign was started with, copied to own. *its_own [OUT]: it is that one. NULL: the one in this tree. */
const char *store_core(struct store *s, const char *option, char own[STORE_CORE], bool *its_own);
bool store_options_each(struct store *s, bool (*each)(const char *name, const char *value, void *ctx), void *ctx);

/* ---- runs: from one start or resume to the next end -------------------------------------------------------------------- */

/* STARTING: set-up, nothing is fuzzed yet. PAUSED: `why` says for what it waits (a full disk). STOPPING: asked to end, ends
 * its jobs. STOPPED: it has ended by itself; of a supervisor that was killed the row stays at what it was. */
enum run_state { RUN_STARTING, RUN_RUNNING, RUN_PAUSED, RUN_STOPPING, RUN_STOPPED, RUN_STATES };
const char *run_state_name(enum run_state state);

struct run {
    int64_t id; /* 1, 2, ... */
    enum run_state state;
    char why[300];           /* PAUSED: what for; STOPPED: how it ended ("its time is over", "asked to stop") */
    int64_t started;         /* unix */
    int64_t beat;            /* unix: the last sign of life (store_run_put brings it up to date) */
    int64_t ended;           /* unix; 0: not yet */
    double before;           /* running seconds that earlier runs had worked */
    double ran;              /* running seconds of this run so far */
    double limit;            /* running seconds of this run at which it ends; 0: none */
    int64_t pid;             /* of the supervisor */
    uint64_t born;           /* when that process started, process_born() */
    char host[64];           /* where */
    char boot[40];           /* and which boot of that machine: process_boot() */
    unsigned slots;          /* jobs that may run at a time */
    unsigned working;        /* jobs that do */
    uint64_t disk;           /* bytes that the folder takes */
    uint64_t disk_free;      /* bytes that its file system has left */
    uint64_t artifacts;      /* inputs that engines stopped on, taken up so far (campaign total) */
    char build[STORE_BUILD]; /* under which it runs */
};

/* Makes a run of this process: fills id, started, beat, before (from the run before it), pid, born, host, boot, build. What an
 * unfinished earlier run left as running is marked as killed: ended = its last beat, why = "was killed". */
bool store_run_begin(struct store *s, struct run *r);
/* Stores the rest of *r and sets beat. To be called every second or so, and at each change of state. */
bool store_run_put(struct store *s, struct run *r);
/* The newest; *found [OUT]. */
bool store_run_last(struct store *s, struct run *out, bool *found);
/* Oldest first. */
bool store_runs_each(struct store *s, bool (*each)(const struct run *r, void *ctx), void *ctx);

/* What the newest run's supervisor is doing, as an onlooker sees it. */
enum presence {
    PRESENCE_NONE,    /* no run yet */
    PRESENCE_HERE,    /* its process is there, and gave a sign of life lately */
    PRESENCE_SILENT,  /* its process is there (or on another machine), but gave none for RUN_SILENT seconds */
    PRESENCE_GONE,    /* its process is gone, and it said no farewell: killed, or the machine went down */
    PRESENCE_STOPPED, /* it ended by itself */
};
#define RUN_SILENT 30
/* now: unix. A supervisor of another host is judged by its beat alone. A beat from the future (the clock was set back)
 * counts as one of now. */
enum presence run_presence(const struct run *r, int64_t now);

/* When a process started, in clock ticks since the boot (/proc/PID/stat, field 22); 0: there is none, or a dead one. */
uint64_t process_born(int64_t pid);
/* An id of this boot of this machine; empty when it cannot be told. */
void process_boot(char out[40]);

/* ---- jobs: one target under one engine -------------------------------------------------------------------------------- */

enum job_role { JOB_MAIN, JOB_SECONDARY, JOB_WORKER, JOB_MERGE, JOB_ROLES };
const char *job_role_name(enum job_role role);

/* IDLE: waits for a slot. WORKING: its process is there. FAILED: does not start any more, health says why. DONE: nothing is
 * left to do for it (target's time is over, same finding again and again). */
enum job_state { JOB_IDLE, JOB_WORKING, JOB_FAILED, JOB_DONE, JOB_STATES };
const char *job_state_name(enum job_state state);

struct job {
    char name[64]; /* "fault-afl-0": the key */
    enum fl_target target;
    char engine[16]; /* "libfuzzer", "afl" */
    enum job_role role;
    enum job_state state;
    char health[200];     /* "" is well; else one line: "died 3 times, the last by signal 9" */
    int64_t pid;          /* 0: no process */
    uint64_t born;        /* process_born(pid) */
    uint32_t starts;      /* of its process */
    uint32_t deaths;      /* ends that nobody asked for and no finding explains */
    int64_t since;        /* unix: in this state since */
    double ran;           /* running seconds that its process was there */
    uint64_t executions;  /* scenarios */
    uint64_t events;      /* events judged */
    uint64_t real_faults; /* page faults that an executor raised and the core decided */
    double rate;          /* executions per second, lately */
    double event_rate;    /* events per second, lately */
    uint64_t edges;       /* as its engine counts */
    uint64_t corpus;      /* inputs that it keeps */
    uint64_t cells;       /* decision cells that it has hit */
    double last_new;      /* running seconds of the campaign when it last found a new edge, feature or cell */
    double share;         /* of the slots' time that the scheduler gives it: 0..1 */
};

/* Makes it or replaces it whole. */
bool store_job_put(struct store *s, const struct job *j);
bool store_job_get(struct store *s, const char *name, struct job *out, bool *found);
/* By target, then name. */
bool store_jobs_each(struct store *s, bool (*each)(const struct job *j, void *ctx), void *ctx);
bool store_job_delete(struct store *s, const char *name);

/* ---- samples: how it went ---------------------------------------------------------------------------------------------- */

/* Of one target, or (FL_TARGET_ALL) of the campaign. */
struct sample {
    double at; /* running seconds */
    enum fl_target target;
    uint64_t executions, events, real_faults;
    uint64_t edges; /* of the engine that counts most of them (engines' numbers do not add up); ALL: sum over targets */
    uint64_t features; /* libFuzzer's; 0: no worker of it */
    uint64_t cells;    /* decision cells hit */
    uint64_t corpus_files, corpus_bytes;
    uint64_t open; /* findings that are open or regressions */
    uint64_t disk; /* bytes of the folder; ALL only */
};

/* Stores the samples of one moment, all with the same `at`. One that is earlier than the last one stored is not (true: the
 * figures of a run that was killed are ahead by what was not stored). Call it as often as store_sample_due says. Old samples
 * are thinned by the way (SAMPLE_THIN), so that a campaign of weeks does not make the database grow. */
bool store_samples_add(struct store *s, const struct sample *samples, size_t count);
/* Is it time for one? Every second in the first minute of the campaign, then every sixtieth of the time so far, from the tenth
 * minute on every 10 seconds. last_at: of the last one; negative: there is none. */
bool store_sample_due(double last_at, double now);
/* The newest of a target. */
bool store_sample_last(struct store *s, enum fl_target target, struct sample *out, bool *found);
/* Of one target, in order of time. */
bool store_samples_each(struct store *s, enum fl_target target, bool (*each)(const struct sample *m, void *ctx),
                        void *ctx);

/* How far apart samples are kept: at: when it was taken; age: how long that is ago. 10 seconds in the last hour, a minute in
 * the last day, 10 minutes in the last 30 days, an hour before that; but early ones are never further apart than a sixtieth of
 * their own time (at least a second), so that the start of a campaign can still be seen after weeks. The very last one is
 * always kept. 30 days are at most about 6,500 moments. */
double sample_spacing(double at, double age);
/* Running seconds between two thinnings. */
#define SAMPLE_THIN 60.0

/* ---- cells and decisions ------------------------------------------------------------------------------------------------ */

/* Notes the cells of struct fl_stats that are not zero and were not known, as first seen at `at` running seconds by target.
 * *fresh [OUT, may be NULL]: how many were new. Cheap when none is. */
bool store_cells_add(struct store *s, const uint8_t cell[FL_CELLS], enum fl_target target, double at, uint64_t *fresh);
/* cell: fl_cell_name() says what it is. In order of time. */
bool store_cells_each(struct store *s, bool (*each)(unsigned cell, enum fl_target target, double at, void *ctx),
                      void *ctx);
bool store_cells_count(struct store *s, uint64_t *count);

/* Decisions by mode, outcome and error-code bits 0..4: fl_stats.decided. As much as a run has counted, all jobs together. */
struct decisions {
    uint64_t count[FL_MODE_COUNT][FL_ACT_COUNT][FL_ERROR_BITS];
};
/* since: counted since this run began (it replaces what the run had stored before). */
bool store_decisions_put(struct store *s, int64_t run, const struct decisions *since);
/* Of all runs together. */
bool store_decisions_get(struct store *s, struct decisions *out);

/* ---- shards: a campaign on several machines (Slurm) --------------------------------------------------------------------- */

/* One folder of its own each, with a campaign.db of its own; the folder of the whole lists them. */
struct shard {
    uint32_t number;  /* array task */
    char folder[300]; /* relative to the folder of the whole */
    char host[64];    /* where it was last seen; "": not yet started */
    char state[24];   /* as the batch system says: PENDING, RUNNING, COMPLETED, NODE_FAIL, ... */
    uint32_t starts;  /* requeued ones count again */
    int64_t seen;     /* unix: the state is of then */
};
bool store_shard_put(struct store *s, const struct shard *shard);
bool store_shards_each(struct store *s, bool (*each)(const struct shard *shard, void *ctx), void *ctx);

#endif
