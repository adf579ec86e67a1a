/* SPDX-License-Identifier: MIT */
/*
 * The fuzz engines as child processes: what `fuzz` and `campaign` share.
 *
 *   start.c      the command line and the environment of each engine; starting and ending a process
 *   poll.c       what the engines' own files say
 *   artifacts.c  the inputs on which an engine stopped
 *   seeds.c      corpus/ as fuzz bytes
 *   counters.c   the counters file that a target writes while it runs (struct fl_stats)
 *   arguments.c  names and numbers on the command line
 */
#ifndef FAULTLINE_TOOLS_ENGINE_H
#define FAULTLINE_TOOLS_ENGINE_H

#include <argp.h>
#include <faultline/fuzz/judge.h>
#include <faultline/fuzz/stats.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum engine { ENGINE_LIBFUZZER, ENGINE_AFL, ENGINE_COUNT };
const char *engine_name(enum engine e); /* "libfuzzer", "afl" */

/* libFuzzer: FUZZ. COVER, MERGE: from `seeds` into the empty folder `corpus`, as a set cover or one after the other.
 * MEASURE: runs `corpus` once. */
enum engine_errand { ERRAND_FUZZ, ERRAND_COVER, ERRAND_MERGE, ERRAND_MEASURE };

/* One process to be. Strings are the caller's and are read only while it is started or polled. */
struct engine_run {
    enum engine engine;
    enum fl_target target;
    enum engine_errand errand;
    const char *build;  /* FAULTLINE_BUILD: where the programs are */
    const char *folder; /* libFuzzer: artifacts go here */
    const char *log;
    const char *stats;    /* the counters file */
    const char *corpus;   /* libFuzzer: the folder that it reads and writes */
    const char *seeds;    /* a folder that it reads at the start; NULL: none (libFuzzer) */
    const char *sync;     /* AFL++: -o */
    const char *role;     /* AFL++: "main" (-M), "default" (alone), any other name (-S); part of its paths */
    const char *foreign;  /* AFL++, main only: -F, a folder whose files are taken in now and then; NULL: none */
    const char *core;     /* FAULTLINE_CORE; NULL: the core in this tree, whatever the environment says */
    const char *known;    /* FAULTLINE_KNOWN: a file of keys that are counted and passed over; NULL: none */
    const char *campaign; /* FAULTLINE_CAMPAIGN: marks its processes; NULL: none */
    bool executor;
    unsigned seed;    /* 0: the engine's own */
    unsigned seconds; /* after which it ends by itself; 0: none */
};

/* "BUILD/libfuzzer/fuzz/fl-walk", malloc'd. */
char *engine_program(const struct engine_run *run);
/* Is the program there? False: it complained. */
bool engine_ready(const struct engine_run *run);
/* Starts it, in a process group of its own; it ends with this process. name is for the message. 0: it complained. */
pid_t engine_start(const struct engine_run *run, const char *name);
/* Asks it to end, in the way in which it writes down what it has. */
void engine_ask_to_end(const struct engine_run *run, pid_t pid);

/* What the engine says of itself. Fields stay as they are where it says nothing. */
struct engine_says {
    uint64_t coverage; /* as the engine counts: libFuzzer and AFL++ edges */
    uint64_t features; /* libFuzzer: features; AFL++: as coverage */
    uint64_t corpus;   /* inputs kept */
    uint64_t log_read; /* bytes of the log seen so far; 0 when the log begins anew */
};
void engine_poll(const struct engine_run *run, struct engine_says *says);
/* Was this exit status, of a process that left no artifact, a normal end? False: why [OUT] says what it was. */
bool engine_ended_well(const struct engine_run *run, int status, char why[200]);
/* The last line of a log, or its last line of Faultline's own: for messages. Always terminated. */
void engine_last_words(const char *log, char *out, size_t size);

/* Calls each(path, limit, ctx) for every input that the engine has left; limit: it says that the input took too long or
 * too much memory. The file may be gone afterwards. Answers how many there were. */
unsigned engine_artifacts(const struct engine_run *run, void (*each)(const char *path, bool limit, void *ctx),
                          void *ctx);
/* An engine's artifact is fuzz bytes, whatever they look like. False: it complained. */
bool engine_read_artifact(const char *path, struct fl_scenario *out);

/* Fills folder, emptied before, with ROOT/corpus as fuzz bytes. False: it complained. */
bool engine_seeds(const char *root, const char *folder);

/* Makes path a counters file of zeros, mapped. NULL: it complained. */
struct fl_stats *engine_counters_open(const char *path);
/* As before, but one that is there goes on counting. */
struct fl_stats *engine_counters_keep(const char *path);
void engine_counters_close(struct fl_stats *stats);
/* Adds one block's counters to another's; cells are united. */
void engine_counters_add(struct fl_stats *sum, const struct fl_stats *more);

/* For argp parsers; they end the program with a message. */
unsigned engine_argument_number(const char *text, unsigned low, unsigned high, const char *what,
                                struct argp_state *state);
void engine_argument_targets(bool target[FL_TARGET_COUNT], const char *text, struct argp_state *state);
void engine_argument_engines(bool engine[ENGINE_COUNT], const char *text, struct argp_state *state);

#endif
