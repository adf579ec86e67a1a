/* SPDX-License-Identifier: MIT */
/*
 * replay: judges scenarios in a child process that is kept from one to the next, so that a crash, a hang or an executor
 * that dies is an answer and not the end of the tool; the child is started again for the next scenario. What everybody
 * who handles findings goes through: fuzz, campaign, triage, the minimiser, promote, bisect.
 */
#ifndef FAULTLINE_TOOLS_REPLAY_H
#define FAULTLINE_TOOLS_REPLAY_H

#include <faultline/fuzz/judge.h>

enum replay_end {
    REPLAY_CLEAN,         /* nothing disagreed */
    REPLAY_NOTHING,       /* nothing disagreed, and no event was judged: that says nothing */
    REPLAY_DIVERGED,      /* key, record and detail are those of the divergence */
    REPLAY_CRASHED,       /* the tested code ended the process: key is "crash/TARGET/signal-N", or .../exit-N */
    REPLAY_HUNG,          /* no answer in time: key is "hang/TARGET" */
    REPLAY_EXECUTOR_DIED, /* the executor ended the process: key is "executor-crash/unicorn/signal-N" */
    REPLAY_UNABLE,        /* the child cannot be started: detail says why; key is "unreplayed/TARGET" */
};

struct replay_result {
    enum replay_end end;
    int signal;      /* CRASHED (0: it called exit), EXECUTOR_DIED */
    unsigned record; /* DIVERGED: index of the record, nrecords: the scenario as a whole; else 0 */
    enum fl_check check;
    char key[256]; /* empty when CLEAN or NOTHING */
    char row[96], expected[64], actual[64];
    char detail[512];
    uint64_t events; /* judged in this scenario */
};

struct replay_options {
    const char *core; /* shared object of a foreign core; NULL: the one in this tree */
    bool executor;    /* where a record asks for it */
    bool decoders;
    unsigned seconds; /* a scenario that takes longer hangs; 0: 30 */
};

struct replayer;

/* Starts the child, so that a core that does not load is told here. NULL: why [OUT] is one line. The child dies with the
 * thread that started it (and is started again by the next one that asks). Several replayers may be open at once; one is used
 * by one thread at a time. The caller does not wait for children that are not its own (waitpid(-1)). */
struct replayer *replay_open(const struct replay_options *options, char why[512]);
void replay_close(struct replayer *r);

/* Judges s as target does (FL_TARGET_ALL: everything). Always fills *out. Costs about 10 us over the judging itself. */
void replay_run(struct replayer *r, const struct fl_scenario *s, enum fl_target target, struct replay_result *out);

/* The next scenario is judged by a new child, which nothing that was judged before can have changed. */
void replay_restart(struct replayer *r);

/* From now on a scenario that takes longer than that hangs; 0: as the options say. */
void replay_limit(struct replayer *r, double seconds);

/* How each event of the last scenario ended (fl_judge_endings). Empty when it did not run to an end. */
const char *replay_endings(const struct replayer *r);

/* "unicorn 2.1.1 (CPU: any)" as the child has it, or why there is none. */
const char *replay_executor(const struct replayer *r);

/* Can the core run that target? A core of somebody else's may lack functions; events that need them are skipped. */
bool replay_runs(const struct replayer *r, enum fl_target target);
/* "sync_all, p3_sync": what it lacks. Empty: nothing. */
const char *replay_lacks(const struct replayer *r);

/* Leaves out the events that target skips, so that a replay as FL_TARGET_ALL sees the trace that the target saw. */
void replay_drop_skipped(struct fl_scenario *s, enum fl_target target);

#endif
