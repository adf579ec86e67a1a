/* SPDX-License-Identifier: MIT */
/*
 * inject: a scenario run again and again, each time with something else in its way: an op of the core answered otherwise,
 * or somebody else let in before an op call. Systematic, without chance, and expressed in records alone, so that every
 * repetition is a scenario of its own which `faultline repro` replays.
 *
 *     trace.c    what the core asked in a run
 *     answers.c  the answers that can be given instead
 *     acts.c     what others can do to the pages of a call
 *     races.c    where they can do it
 *     place.c    a choice becomes records before its event
 *     explore.c  single choices, then pairs: what is run and in which order
 */
#ifndef FAULTLINE_TOOLS_INJECT_H
#define FAULTLINE_TOOLS_INJECT_H

#include <faultline/fuzz/judge.h>
#include <faultline/fuzz/pin_world.h>
#include <faultline/fuzz/world.h>

/* ---- what was asked ----------------------------------------------------------------------------------------------- */

/* One question that can be answered otherwise, or before which somebody else can run. */
struct point {
    uint16_t record; /* index of the event's record in the scenario that was run */
    uint16_t call;   /* the how manieth point of that event, from 0 */
    bool pin;        /* else of the other world: op is enum fl_inject_op as in struct fl_world_ask */
    uint8_t op, nth;
    uint8_t locks;     /* pin: held before the call */
    bool may_retry;    /* not pin */
    bool acted, quiet; /* pin: races ran here; none of them changed anything */
};

struct trace {
    struct point *points;
    size_t n, room;
};

/* A fl_calls_fn; ctx is the trace. To be emptied (n = 0) before each run. */
void trace_note(void *trace, unsigned record, const struct fl_judge_calls *calls);
void trace_free(struct trace *t);

/* How many keyed records (RACE, ANSWER, INJECT) of s no event of this run came to. target: whose run it was. */
unsigned trace_unreached(const struct trace *t, const struct fl_scenario *s, enum fl_target target);

/* Did the run come to the key of that choice, whose event's record is now at that index? */
struct choice;
bool trace_reaches(const struct trace *t, unsigned event, const struct choice *c);

/* ---- what can be done about it ------------------------------------------------------------------------------------ */

struct choice {
    uint16_t record, call; /* of its point */
    bool hostile;
    uint8_t nth;           /* INJECT mm-*: the how manieth call of mm_fault it is for, from 0 */
    struct fl_record what; /* RACE, ANSWER or INJECT */
};

struct choices {
    struct choice *list;
    size_t n, room;
    uint64_t no_room; /* choices that the scenario has no room for, since it began to be filled */
};
void choices_free(struct choices *c);
/* Appends one. */
void choices_add(struct choices *c, const struct choice *choice);

/* The row of one answer that INJECT can give. */
struct inject_answer {
    const char *op;   /* as in struct fl_ops */
    uint8_t asked;    /* enum fl_inject_op of struct fl_world_ask */
    uint8_t answer;   /* enum fl_inject_op */
    bool needs_retry; /* only where a RETRY is allowed */
};
const struct inject_answer *inject_answers(size_t *n);
/* What is asked when that answer of INJECT is given: enum fl_inject_op of struct fl_world_ask, or FL_INJ_COUNT. */
unsigned inject_question(unsigned answer);

/* Where choices begin: after that call of that event (same: at it). NULL: everywhere. */
struct since {
    unsigned record, call;
    bool same;
};

/* Every answer that fits a question of the trace, but those which s answers already. s: the scenario that was run. */
void answers_list(const struct fl_scenario *s, const struct trace *t, enum fl_target target, const struct since *since,
                  struct choices *out);

/* What others can do to the pages of the PIN event at that index, as RACE records without a point: everything but what can
 * have no effect in this scenario whatever the point (acts.c says why). */
void acts_list(const struct fl_scenario *s, unsigned event, struct choices *out);

/* Every act at every point where the locks permit it. Answers how many; out NULL: they are only counted. Added to: pruned,
 * how many were left out since the next point is the same; no_room, how many the scenario has no room for. */
uint64_t races_list(const struct fl_scenario *s, const struct trace *t, const struct since *since, struct choices *out,
                    uint64_t *pruned, uint64_t *no_room);

/* Puts the choice before its event. The number of records that were put there; 0: no room, s is as it was. */
unsigned inject_place(struct fl_scenario *s, enum fl_target target, const struct choice *c);
/* Index of the first record whose keyed records are for that event: behind the event before it. */
unsigned inject_begin(const struct fl_scenario *s, enum fl_target target, unsigned event);

/* ---- all of it ---------------------------------------------------------------------------------------------------- */

#define INJECT_SINGLES (1u << 20) /* of one scenario; more are left out, and counted */

struct inject_counts {
    uint64_t events;         /* of the run as it is */
    uint64_t calls;          /* op calls of that run that can be answered or preceded */
    uint64_t singles, pairs; /* repetitions that were judged */
    uint64_t hostile;        /* of them, with an answer outside the contract */
    uint64_t planned;        /* repetitions that are known of by now */
    uint64_t left_out;       /* not run: the limit, the time, or no room in the scenario */
    uint64_t same;           /* preemptions left out since they are the same as another one */
    uint64_t no_effect;      /* first preemptions that changed nothing: not paired */
    uint64_t unreached;      /* keys that the run did not come to: the file's own, and those put in */
    uint64_t findings;
};

enum inject_pass { INJECT_RUN, INJECT_SINGLE, INJECT_PAIR, INJECT_OVER };

/* May lie in memory that is shared with another process. pass, first and second say which repetition is under way: who
 * finds it so after a crash sets skip, and the next inject_explore() goes on behind it. */
struct inject_state {
    volatile bool stop; /* set from outside: no further repetition */
    volatile uint64_t beat;
    bool skip;
    enum inject_pass pass;
    uint32_t first, second;
    struct inject_counts counts;
    struct fl_scenario current; /* the one under way */
    uint32_t seconds[INJECT_SINGLES];
};

struct explore {
    struct fl_judge *judge;
    enum fl_target target; /* as the judge was opened with */
    unsigned preempt;      /* 0: answers; 1, 2: that many preemptions */
    bool pairs;            /* answers: pairs as well */
    uint64_t limit;        /* pairs of one scenario; UINT64_MAX: all */
    struct inject_state *state;
    void (*found)(void *ctx, const struct fl_scenario *s, const struct fl_divergence *d, unsigned record);
    /* After each repetition that was judged; NULL: nobody is told. */
    void (*ran)(void *ctx, const struct fl_scenario *s, const struct trace *t);
    void *ctx;

    /* own */
    struct trace trace, second;
    struct choices singles, pairs_of;
    struct fl_scenario with_first;
};

/* Runs s, and again with every choice, then with pairs. Goes on behind what x->state says. */
void inject_explore(struct explore *x, const struct fl_scenario *s);
void inject_explore_free(struct explore *x);

#endif
