/* SPDX-License-Identifier: MIT */
/*
 * faultline campaign: engines and targets side by side on a number of jobs, for hours or weeks, in a folder that survives
 * whatever happens to the processes.
 *
 *   command.c     the verbs
 *   options.c     what start was asked for, and how it stays in the store
 *   start.c       start and resume: checks, the lock, into the background
 *   lock.c        one campaign at a time in a folder
 *   guard.c       the supervisor's parent, which starts it again when it was killed
 *   builds.c      were the programs built anew?
 *   stop.c        stop
 *   supervisor.c  the loop
 *   tasks.c       one target under one engine: made, started, ended, what became of it
 *   schedule.c    whose turn it is (pure functions)
 *   exchange.c    what one engine has found goes to the others
 *   merge.c       corpora are made small again; keep_cells.c sees to decision cells, swap.c puts the result in place
 *   finding.c     artifacts become buckets
 *   known.c       keys that have been found often enough
 *   aside.c       inputs that end their engine at every start
 *   tidy.c        minimising and grouping beside the engines
 *   disk.c        how full, how large, logs
 *   leftovers.c   processes that nobody minds any more
 *   record.c      rows for status and report
 *   summary.c     the end
 *   slurm.c       on several machines: scripts, submitting, stopping
 *   shard.c       one task of the array: start or resume, whichever it takes
 *   merge_shards.c  merge
 *
 *   DIR/lock       held while a campaign works here: pids of guard and supervisor
 *   DIR/log        what the supervisor says
 *   DIR/known      divergence keys that the targets pass over (FAULTLINE_KNOWN)
 *   DIR/seeds/     ROOT/corpus as fuzz bytes
 *   DIR/corpus-vN/TARGET/  the shared corpus; N is the version of the encoding
 *   DIR/afl-vN/TARGET/ROLE/  AFL++'s
 *   DIR/jobs/NAME/ log, counters, artifacts that nobody has looked at yet
 *   DIR/merge/     while one goes on
 */
#ifndef FAULTLINE_TOOLS_CAMPAIGN_H
#define FAULTLINE_TOOLS_CAMPAIGN_H

#include "../command.h"
#include "../engine/engine.h"
#include "../replay/replay.h"
#include "../store/runs.h"
#include "../store/store.h"
#include "schedule.h"

#define CAMPAIGN_TASKS    256
#define CAMPAIGN_MIN_FREE (512ull << 20)
#define CAMPAIGN_ANEW     100 /* the supervisor's exit code, for the guard only: new programs are to go on */

struct campaign_options {
    char *folder; /* absolute */
    const char *root, *build;
    bool target[FL_TARGET_COUNT];
    bool engine[ENGINE_COUNT];
    unsigned slots;
    double seconds; /* of one run; 0: until it is stopped */
    uint64_t min_free;
    unsigned seed; /* 0: the engines' own */
    bool executor;
    const char *core_asked; /* --core, as it was given */
    char *core;             /* absolute; NULL: the one in this tree */
    /* On several machines: */
    bool slurm;
    unsigned shards;
    char *partition;
    char **sbatch; /* more arguments of sbatch, as they are */
    unsigned nsbatch;
    /* not kept: */
    bool foreground, json;
};

struct task {
    struct engine_run run;
    enum job_role role;
    char *folder, *log, *stats_path, *corpus, *sync, *role_name; /* strings of run */
    struct fl_stats *stats;
    struct engine_says says;
    struct job job;  /* its row */
    struct job base; /* what was counted before the counters file began */
    pid_t pid;
    double began;             /* campaign clock: its process was started */
    bool ending;              /* asked to */
    double asked;             /* campaign clock: when */
    bool held;                /* something else works in its folders: not to be started */
    double retry;             /* campaign clock: not before */
    unsigned deaths;          /* in a row */
    unsigned stops;           /* on findings, soon after the start, in a row */
    char stops_on[STORE_KEY]; /* the last one */
    bool waiting;             /* there are artifacts that have not been taken up */
    bool settled;             /* its engine has said what it begins with: more is a find */
    uint64_t best, cells;     /* coverage and cells that are no news any more */
    uint64_t rated_executions, rated_events;
    double rated;      /* campaign clock */
    unsigned exported; /* AFL++: queue entries below this id have been passed on */
};

enum merge_stage {
    MERGE_NONE,
    MERGE_MERGING,
    MERGE_MEASURING_OLD,
    MERGE_MEASURING_NEW,
    MERGE_KEEPING_CELLS,
    MERGE_RESEEDING
};

struct merge {
    enum merge_stage stage;
    enum fl_target target;
    bool plain; /* with -merge=1: the set cover did not keep everything, or is not there */
    char *folder, *in, *new, *log, *stats_path, *artifacts;
    struct engine_run run; /* for artifacts */
    struct engine_says says;
    struct fl_stats *stats;
    pid_t pid;
    double began; /* campaign clock: this stage */
    bool ended;   /* its process has, with this status; what it found is being taken up */
    int status;
    unsigned found;    /* artifacts of this stage */
    unsigned dropped;  /* inputs that this stage stopped on and that the merge goes on without */
    unsigned restarts; /* of stages of this merge, without such inputs */
    uint64_t old_cov, old_ft, old_cells;
    double due[FL_TARGET_COUNT];     /* campaign clock: not before */
    uint64_t after[FL_TARGET_COUNT]; /* files that the last merge left; 0: none yet */
    double longest[FL_TARGET_COUNT]; /* seconds of one stage; 0: as at first */
    uint64_t done, kept_old;         /* counts */
};

/* When artifacts are taken up (finding.c). Seconds of monotonic_seconds(). */
struct taking_pace {
    double from;       /* not before */
    double spent;      /* since it last had to wait */
    double until;      /* at the end of a campaign; 0: it goes on */
    unsigned failures; /* in a row */
    unsigned first;    /* the task that comes first */
};

struct campaign {
    struct campaign_options *o;
    struct store *store;
    struct replayer *replayer;
    struct run run;
    struct task tasks[CAMPAIGN_TASKS];
    struct schedule_task plan[CAMPAIGN_TASKS]; /* of the same number */
    unsigned ntasks;
    char *seeds, *known, *log;
    struct merge merge;

    double clock; /* monotonic seconds since the supervisor started, pauses included */
    double ran;   /* running seconds of this run */
    double slice;
    bool paused;
    const char *pause_why; /* for the row */
    char why[300];
    double disk_looked, disk_measured, exchanged, recorded, progressed, tidied;
    uint64_t corpus_files[FL_TARGET_COUNT], corpus_bytes[FL_TARGET_COUNT];
    uint64_t min_free_now; /* while paused for an ENOSPC elsewhere: what must be free */
    struct decisions decided_before;
    pid_t tidy_pid;
    bool tidy_wanted;
    double last_sample;
    bool had_sample;
    dev_t device;
    ino_t inode; /* of campaign.db: is it still there? */
    bool vanished, failed, anew;
    struct taking_pace taking;
    bool troubled;                      /* something could not be stored, for another reason than a full disk */
    double trouble_began, trouble_last; /* campaign clock */
    unsigned tidy_failures;             /* in a row */
    int ready; /* the starter waits at this pipe for "ok" or a line; -1: it has had its answer */
};

/* ---- command.c */
/* DIR or its default, absolute, malloc'd. */
char *campaign_folder(const char *argument);

/* ---- options.c */
/* Parses start's (or resume's: only what is of the moment) arguments; complains and exits as argp does. */
struct campaign_options *campaign_options_parse(int argc, char **argv, bool resume);
void campaign_options_free(struct campaign_options *o);
bool campaign_options_store(struct store *s, const struct campaign_options *o, const char *command);
bool campaign_options_load(struct store *s, struct campaign_options *o);

/* ---- start.c */
int campaign_start(int argc, char **argv);
int campaign_resume(int argc, char **argv);

/* ---- lock.c: DIR/lock. Answers the descriptor; -1: it complained, or (*busy) somebody has it. */
int campaign_lock(const char *folder, bool *busy);
/* Pids of who has it, where that is on this machine and these are still the processes that took it (0: unknown). */
void campaign_lock_pids(const char *folder, pid_t *guard, pid_t *supervisor);
/* Does a campaign work in folder? Where the file system has no locks, and nobody can be asked about the one that had it: true. */
bool campaign_at_work(const char *folder);
/* Zeros: it has ended. */
void campaign_lock_note(int fd, pid_t guard, pid_t supervisor);
/* Another process may have it. */
void campaign_lock_give(int fd);

/* ---- guard.c: runs the supervisor in a child until it has ended by itself; answers its exit code. */
int campaign_guard(struct campaign_options *o, int lock, int ready);

/* ---- builds.c: the programs as they were when the guard began */
void builds_begin(const struct campaign_options *o);
void builds_end(void);
/* The running one's path: what is there now may be another. */
const char *builds_program(void);
/* They are others now, and have been for a moment. */
bool builds_changed(const struct campaign *c);

/* ---- stop.c */
int campaign_stop(int argc, char **argv);
/* ---- supervisor.c: answers an exit code. ready: where to say "ok\n" (or one line why not); -1: nobody waits. */
int campaign_supervise(struct campaign_options *o, int ready);
/* Was it asked to end? */
bool campaign_interrupted(void);
/* Whoever started it needs not wait any longer; from now on everything goes into the log. */
void campaign_into_background(struct campaign *c);
/* One line into the log, with the running seconds in front. */
void campaign_say(const struct campaign *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- tasks.c */
bool tasks_make(struct campaign *c);
void tasks_free(struct campaign *c);
void task_start(struct campaign *c, struct task *t);
void task_end(struct campaign *c, struct task *t);
/* Ends of processes, limits of asking, artifacts of those that ended. */
void tasks_reap(struct campaign *c);
/* What engines say, and what of it is news. */
void tasks_poll(struct campaign *c, double dt);
/* Ends them all and waits. */
void tasks_end_all(struct campaign *c);
unsigned tasks_working(const struct campaign *c);
/* Target's processes are to end and stay ended (held), or may start again. */
void tasks_hold(struct campaign *c, enum fl_target target, enum engine engine, bool held);

/* ---- exchange.c */
void exchange_all(struct campaign *c);
/* What its queue has that was not passed on. */
void exchange_task(struct campaign *c, struct task *t);
/* Copies a file's bytes into folder under the name of their digest, unless they are there. False: it complained. */
bool exchange_copy(const char *path, const char *folder, bool *is_new);
/* Every queue entry of AFL++ of a target. */
void exchange_queue(const struct task *t, void (*each)(const char *path, void *ctx), void *ctx);

/* ---- merge.c */
void merge_step(struct campaign *c);
void merge_abandon(struct campaign *c);
/* What it works on loses the input with the artifact's bytes. */
void merge_drop(struct campaign *c, const char *artifact);
bool merge_working(const struct campaign *c);
/* ---- keep_cells.c: the process that puts back what the merged corpus needs to hit the old one's cells; 0: it complained */
pid_t merge_keep_cells(struct campaign *c);
/* ---- swap.c */
/* Files of `from` that `to` has not are linked (or copied) into it, under their names with the prefix. False: it complained. */
bool swap_join(const char *from, const char *to, const char *prefix);
/* One file; true also when it is there, or `from` is gone. */
bool swap_link(const char *from, const char *to);
/* folder's content becomes new_folder's; what came into folder after the snapshot was made is kept. At every instant folder
 * has all of the old or all of the new files. False: it complained; folder has at least the old ones. */
bool swap_in(const char *folder, const char *new_folder, const char *snapshot);
/* What was written to folder's file system until now is on the disk when this answers. False: it complained. */
bool swap_on_disk(const char *folder);
bool swap_remove(const char *path);
void disk_size_of(const char *path, uint64_t *files, uint64_t *bytes);

/* ---- finding.c */
/* Takes up what a task has left, as far as there is time for it now; t->waiting: there is more. Was there anything? */
bool task_findings(struct campaign *c, struct task *t);
/* The same for any process: answers how many artifacts wait. *taken [OUT]: how many were taken up. */
unsigned run_findings(struct campaign *c, const struct engine_run *run, const char *name, double after, uint64_t events,
                      bool in_executor, struct task *t, unsigned *taken);
/* Those of all tasks that have some. */
void findings_step(struct campaign *c);
/* The campaign ends, and all of its processes have. */
void findings_last(struct campaign *c);
/* ---- known.c */
/* From what people and rules have said of the buckets. */
bool known_begin(struct campaign *c);
/* One more artifact has the key. True: it has brought a few and, being no divergence, cannot be passed over. */
bool known_count(struct campaign *c, const char *key);
/* The bucket has become a regression since it was last asked about. */
bool known_came_back(const struct bucket *b);
/* ---- aside.c */
/* Removes what has the artifact's bytes from folder; to: a folder that it goes to, or NULL. Answers how many files. */
unsigned aside_remove(const char *folder, const char *artifact, const char *to);
/* The same for the seeds and the target's corpus: to DIR/left-aside/inputs. */
void aside_input(struct campaign *c, enum fl_target target, const char *artifact, const char *key);
/* ---- tidy.c */
void tidy_step(struct campaign *c, bool last);
void tidy_end(struct campaign *c);

/* ---- disk.c */
/* Pauses and goes on; notices a folder that is gone. */
void disk_look(struct campaign *c);
/* Notes which database it is. */
bool disk_begin(struct campaign *c);
/* Makes the run's row; a disk that is full already is waited for. False: it complained, or was asked to end. */
bool disk_begin_run(struct campaign *c);
/* A write failed: for lack of space? Then a pause; else it is tried again for minutes, until the campaign fails. */
void disk_write_failed(struct campaign *c);
void disk_rotate_logs(struct campaign *c);
/* A file that nobody has open but for appending becomes short when it is long, with its last part in path.1. True: it did. */
bool disk_rotate(const char *path);

/* ---- leftovers.c */
/* Ends processes that an earlier supervisor of this folder has left. */
void leftovers_of_run(const struct campaign *c);
/* Ends what the task's process, which is gone, has left. */
void leftovers_of_task(const struct campaign *c, const struct task *t);

/* ---- record.c */
bool record_begin(struct campaign *c);
void record_step(struct campaign *c, bool now);
void record_progress(struct campaign *c, bool last);

/* ---- slurm.c: of o->folder. Exit codes. */
/* False: it complained: there is no sbatch. */
bool slurm_there(void);
int slurm_start(const struct campaign_options *o);
/* Was it started with --slurm? */
bool slurm_is(struct store *s);
int slurm_resume(const char *folder);
int slurm_stop(const char *folder, bool json);

/* ---- shard.c: faultline campaign shard DIR NUMBER [OPTION of start...] */
int campaign_shard(int argc, char **argv);

/* ---- merge_shards.c */
int campaign_merge(int argc, char **argv);
/* Merges and says the summary: an exit code. */
int shards_merge(const char *folder, bool keep_all, bool json);

/* ---- summary.c: the closing words; answers EXIT_FINDINGS or EXIT_CLEAN (EXIT_INPUT: it cannot be read). */
int campaign_summary(struct store *s, bool json);

#endif
