/* SPDX-License-Identifier: MIT */
/*
 * The judge: takes a scenario through world, core, executors and oracles, and answers whether anything disagreed. It is
 * what every fuzz target, the replayer and the benchmarks call; the engines only differ in who hands it the scenarios.
 */
#ifndef FAULTLINE_FUZZ_JUDGE_H
#define FAULTLINE_FUZZ_JUDGE_H

#include <faultline/core.h>
#include <faultline/gup.h>
#include <faultline/fuzz/scenario.h>
#include <faultline/fuzz/stats.h>
#include <stdio.h>

enum fl_target {
    FL_TARGET_WALK,     /* judges ACCESS events */
    FL_TARGET_FAULT,    /* judges FAULT, EXEC and TOUCH events */
    FL_TARGET_PREFETCH, /* judges DECODE events */
    FL_TARGET_VMALLOC, /* judges TOUCH and SYNCALL events, under every generation that the mode has, against each other */
    FL_TARGET_GUP,     /* judges PIN events */
    FL_TARGET_ALL,     /* judges them all (replay) */
    FL_TARGET_COUNT
};
const char *fl_target_name(enum fl_target target);
/* Their names without "all", for help and errors. */
#define FL_TARGET_LIST "walk, fault, prefetch, vmalloc, gup"
/* Has the target instructions for an executor to run? */
bool fl_target_executes(enum fl_target target);
/* Does the target judge events of this kind? The others are skipped and change nothing. */
bool fl_target_judges(enum fl_target target, enum fl_record_kind kind);

/* A core, or pinning, of somebody else's may lack functions: they are NULL. Can it run the target (ALL: any of them)? Events that
 * need what it lacks are skipped and counted. */
bool fl_core_runs(const struct fl_core *core, const struct fl_gup *gup, enum fl_target target);
/* True: it lacks functions that some event needs; text [OUT] names them: "sync_all, p3_sync", or "fl_core" and "fl_gup" where
 * none of that vtable is there. Always terminated. */
bool fl_core_lacks(const struct fl_core *core, const struct fl_gup *gup, char *text, size_t size);

struct fl_judge;

struct fl_judge_options {
    enum fl_target target;
    const struct fl_core *core; /* NULL: the one in this tree */
    const struct fl_gup *gup;   /* likewise: pinning */
    bool executor;              /* use an executor where a record asks for it */
    bool require_executor;      /* fail to open without one */
    bool decoders;              /* hold the prefetch rule against disassemblers */
    bool
        sound; /* check the models' own invariants after every record: slow, for tests; always in builds of type debug */
    bool endings;           /* keep fl_judge_endings() */
    struct fl_stats *stats; /* NULL: an own block */
};

/* What to say about each event, for people (repro, show). NULL in the judge: nothing is said. */
typedef void (*fl_say_fn)(void *ctx, unsigned record, const char *text);

/* Called before each event that is judged, with the index of its record and the world as it is then, under whichever
 * generation is being run. For those who show what an event began with: the world must not be changed. Transparency's second
 * world is not shown. */
struct fl_world;
typedef void (*fl_watch_fn)(void *ctx, unsigned record, struct fl_world *world);

/* Called at each step of each record of pinning (pin_story.h), with the index of the record. other_way: in the second world, in
 * which a call that nobody disturbs is made once more. The world must not be changed. */
struct fl_pin_world;
struct fl_pin_step;
typedef void (*fl_watch_pin_fn)(void *ctx, unsigned record, bool other_way, const struct fl_pin_world *world,
                                const struct fl_pin_step *step);

/* Called after each event that was judged, whether it diverged or not, with what the core asked in it: the op calls of a
 * PIN event, or the questions of another event that an INJECT record could have answered. Valid until it returns. Under
 * several generations it is called for each. */
struct fl_pin_op_call;
struct fl_world_ask;
struct fl_judge_calls {
    const struct fl_pin_op_call *pin;
    unsigned npin;
    const struct fl_world_ask *asks;
    unsigned nasks;
};
typedef void (*fl_calls_fn)(void *ctx, unsigned record, const struct fl_judge_calls *calls);

/* FL_OK: *out is open. FL_FAILED: why says what is wrong in one line: also that the core cannot run the target. */
enum fl_status fl_judge_open(const struct fl_judge_options *options, struct fl_judge **out, char why[256]);
void fl_judge_close(struct fl_judge *j);
/* From the next scenario on it judges what that target judges. */
void fl_judge_set_target(struct fl_judge *j, enum fl_target target);

/* Judges a scenario. False: nothing disagreed. True: *d [OUT] is the first divergence and *record [OUT] the index of the
 * record it came from (nrecords: the scenario as a whole). Deterministic but for the executor's own version. */
bool fl_judge_scenario(struct fl_judge *j, const struct fl_scenario *s, struct fl_divergence *d, unsigned *record);

/* One line for each event of the last scenario that the fault handler, the decoder or a synchronisation had a part in,
 * as it ended: "record 7: done after synced", for expectations beside
 * scenarios. Under the scenario's own generation; target vmalloc: under each in turn. Always terminated; cut off at the
 * end of a line where too long. Empty without the option. */
const char *fl_judge_endings(const struct fl_judge *j);

const struct fl_stats *fl_judge_stats(const struct fl_judge *j);
/* counters[i] is set to 1 when cell first + i is hit, for i below count; the caller clears them. NULL: none. */
void fl_judge_set_counters(struct fl_judge *j, uint8_t *counters, unsigned first, unsigned count);
void fl_judge_set_say(struct fl_judge *j, fl_say_fn say, void *ctx);
/* watch NULL: nobody watches. */
void fl_judge_set_watch(struct fl_judge *j, fl_watch_fn watch, void *ctx);
void fl_judge_set_watch_pin(struct fl_judge *j, fl_watch_pin_fn watch, void *ctx);
/* calls NULL: nobody is told, and nothing is noted. */
void fl_judge_set_calls(struct fl_judge *j, fl_calls_fn calls, void *ctx);
/* "unicorn 2.1.1 (CPU: any)": what executor verdicts are keyed by; or why there is none. */
const char *fl_judge_executor(const struct fl_judge *j);
/* One line per decoder that takes part. */
void fl_judge_decoders(const struct fl_judge *j, FILE *out);

#endif
