/* SPDX-License-Identifier: MIT */
/* The inside of the judge: one struct, one file per kind of event. */
#ifndef FAULTLINE_FUZZ_JUDGE_INTERNAL_H
#define FAULTLINE_FUZZ_JUDGE_INTERNAL_H

#include <faultline/fuzz/judge.h>
#include <faultline/fuzz/pin_story.h>
#include <faultline/fuzz/world.h>
#include <faultline/oracle/decode.h>

#define FL_MAX_DECODERS 4
#define FL_ENDINGS      8192 /* bytes of text about how events ended */

/* What became of an event. */
enum fl_event_end {
    FL_EVENT_GOES_ON,    /* the trace goes on */
    FL_EVENT_TASK_ENDS,  /* a fatal signal: later events of the task are skipped */
    FL_EVENT_TRACE_ENDS, /* oops and the like */
    FL_EVENT_DIVERGED,   /* j->divergence is set */
};

struct fl_judge {
    struct fl_judge_options options;
    const struct fl_core *core;
    struct fl_world *world;
    struct fl_executor *executor;
    char executor_text[288];
    /* For transparency: a second world and engine where everything is mapped beforehand. Opened with the first. */
    struct fl_world *mapped_world;
    struct fl_executor *mapped_executor;
    struct fl_decoder *decoder[FL_MAX_DECODERS];
    unsigned ndecoders;
    struct fl_stats *stats;
    uint8_t *counters; /* of cells first_counter .. first_counter + ncounters - 1 */
    unsigned first_counter, ncounters;
    fl_say_fn say;
    void *say_ctx;
    fl_watch_fn watch;
    void *watch_ctx;
    fl_calls_fn calls;
    void *calls_ctx;

    struct fl_divergence divergence;
    unsigned record;              /* the one being judged */
    struct fl_exec_result result; /* of the last run; large, so kept here */

    /* About the trace so far, for transparency. */
    unsigned executed;   /* EXEC events that ran to their end */
    uint64_t fpu_digest; /* of the last of them */
    bool all_handled;    /* every fault so far was handled, nothing ended early */
    bool injected, raw, grew, executor_odd;
    bool self_modified; /* a run that faulted changed its own instruction bytes */

    /* How the events of the last scenario ended. */
    char endings[FL_ENDINGS];
    size_t nendings;
    bool keep_endings;
    char passed[128]; /* of the present event: what the handler said to each of its faults */
    size_t npassed;

    /* Generations against each other (generations.c). */
    enum fl_generation generation; /* FL_GEN_COUNT: the scenario's own; nothing is compared */
    uint8_t
        touch_end[FL_MAX_RECORDS]; /* enum fl_touch_end of CURRENT's run, FL_TOUCH_COUNT where it did not come so far */
    uint64_t world_before[FL_MAX_RECORDS]; /* digest of CURRENT's world before each of those events */
    bool no_generation;                    /* a foreign core does not have the one that is asked for */
    bool same_world;                       /* the present event begins in that very world */
    bool tangled;                          /* the present TOUCH goes through tables that sync-all fills */
    bool same_before_syncall;              /* ... or did so before the SYNCALL directly before it */
    const struct fl_generation_row *explained[FL_TOUCH_COUNT]; /* of the present TOUCH: by how it could end */

    /* Pinning (pin.c). */
    const struct fl_gup *gup;
    struct fl_pin_world *pin_world, *pin_other; /* other: the same history, for another way to pin the same */
    struct fl_record races[8], answers[8];      /* of the next PIN event */
    unsigned nraces, nanswers;
    struct fl_pin_call pin_call, pin_call_other;
    struct fl_pin_seen pin_seen, pin_seen_other;
    fl_watch_pin_fn watch_pin;
    void *watch_pin_ctx;
    struct fl_pin_follow pin_follow; /* while something is said */
    const struct fl_pin_op_call
        *pin_said; /* of the event under way: the call before it has been told; NULL: none yet */

    /* The kernel half before a sync-all (syncall.c). */
    struct fl_sync_image *image;
};

enum fl_event_end fl_judge_access(struct fl_judge *j, const struct fl_record *r);
enum fl_event_end fl_judge_raw_fault(struct fl_judge *j, const struct fl_record *r);
enum fl_event_end fl_judge_exec(struct fl_judge *j, const struct fl_record *r);
enum fl_event_end fl_judge_decode(struct fl_judge *j, const struct fl_record *r);
enum fl_event_end fl_judge_touch(struct fl_judge *j, const struct fl_record *r);
enum fl_event_end fl_judge_syncall(struct fl_judge *j);

/* What cores that have not everything (lacks.c) can answer for. sh4: on such a machine. False: why says what is missing. */
bool fl_judge_answers(const struct fl_core *core, enum fl_record_kind kind, bool sh4);
bool fl_judge_pins(const struct fl_gup *gup, enum fl_pin_api api);
bool fl_judge_can_run(const struct fl_core *core, const struct fl_gup *gup, enum fl_target target, char why[256]);

bool fl_judge_pin_open(struct fl_judge *j); /* makes the worlds; false: no memory */
void fl_judge_pin_close(struct fl_judge *j);
void fl_judge_pin_begin(struct fl_judge *j, const struct fl_scenario *s);
/* pin_say.c: who listens to the worlds from now on, if anybody does. */
void fl_judge_pin_listen(struct fl_judge *j, const struct fl_scenario *s);
/* What came between, as further lines of the divergence's detail. */
void fl_judge_pin_between(struct fl_judge *j);
/* One record of pinning, set-up or event. */
enum fl_event_end fl_judge_pin(struct fl_judge *j, const struct fl_record *r);
static inline bool fl_judge_is_pin(enum fl_record_kind kind)
{
    return kind >= FL_REC_AREA;
}
bool fl_judge_image_open(struct fl_judge *j); /* makes j->image; false: no memory */
/* One TOUCH record of an SH4 machine. */
enum fl_event_end fl_judge_p3(struct fl_judge *j, const struct fl_record *r, enum fl_touch_end *end);
/* Runs the scenario under every generation that its mode has and compares how TOUCH events end. */
enum fl_event_end fl_judge_generations(struct fl_judge *j, const struct fl_scenario *s);
/* Before a TOUCH or SYNCALL under j->generation: does it begin in the world that CURRENT's begins in? */
void fl_judge_same_world(struct fl_judge *j, enum fl_record_kind kind);
/* All records of a scenario, under j->generation. generations: only the events that are compared between generations. */
enum fl_event_end fl_judge_trace(struct fl_judge *j, const struct fl_scenario *s, bool generations);
/* After the trace: runs it again with everything mapped, where that means something. */
enum fl_event_end fl_judge_transparency(struct fl_judge *j, const struct fl_scenario *s);

/* One fault through core and policy; the world's registers are the interrupted context. *out [OUT] is the core's
 * outcome when the answer is FL_EVENT_GOES_ON; else the answer is FL_EVENT_DIVERGED. */
enum fl_event_end fl_judge_one_fault(struct fl_judge *j, uint64_t cr2, uint64_t error_code, enum fl_label label,
                                     struct fl_outcome *out);
/* A foreign core need not have the generations before the current one: it answers FL_UNSUPPORTED. True: this is that answer,
 * and the trace ends. */
bool fl_judge_no_generation(struct fl_judge *j, enum fl_status status);
/* The same ip, CR2, code and world as a number, for the fault-loop rule. */
uint64_t fl_judge_fault_hash(struct fl_judge *j, uint64_t cr2, uint64_t error_code);

/* What a decided outcome means for the trace. A fix-up moves the world's ip (a vsyscall its stack pointer as well);
 * anything but "handled" clears j->all_handled. */
enum fl_event_end fl_judge_after_outcome(struct fl_judge *j, const struct fl_outcome *out);

/* Puts an EXEC record's code and its closing int3 into memory. */
void fl_judge_place_code(struct fl_world *w, const struct fl_record *r);

/* A divergence that the judge finds by itself. Text arguments are static. */
enum fl_event_end fl_judge_diverge(struct fl_judge *j, enum fl_check check, const char *row, const char *expected,
                                   const char *actual, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* What the handler said to a fault of the present event; and how the event ended. */
void fl_judge_passed(struct fl_judge *j, const char *what);
void fl_judge_ended(struct fl_judge *j, const char *how);

static inline void fl_judge_cell(struct fl_judge *j, unsigned cell)
{
    if (cell - j->first_counter < j->ncounters)
        j->counters[cell - j->first_counter] = 1;
    if (!j->stats->cell[cell]) {
        j->stats->cell[cell] = 1;
        j->stats->cells_hit++;
    }
}

void fl_judge_say(struct fl_judge *j, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
