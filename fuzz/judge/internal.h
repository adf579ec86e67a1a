/* SPDX-License-Identifier: MIT */
/* The inside of the judge: one struct, one file per kind of event. */
#ifndef FAULTLINE_FUZZ_JUDGE_INTERNAL_H
#define FAULTLINE_FUZZ_JUDGE_INTERNAL_H

#include <faultline/fuzz/judge.h>
#include <faultline/fuzz/world.h>
#include <faultline/oracle/decode.h>

#define FL_MAX_DECODERS 4

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

    struct fl_divergence divergence;
    unsigned record;              /* the one being judged */
    struct fl_exec_result result; /* of the last run; large, so kept here */

    /* About the trace so far, for transparency. */
    unsigned executed;   /* EXEC events that ran to their end */
    uint64_t fpu_digest; /* of the last of them */
    bool all_handled;    /* every fault so far was handled, nothing ended early */
    bool injected, raw, grew, executor_odd;
};

enum fl_event_end fl_judge_access(struct fl_judge *j, const struct fl_record *r);
enum fl_event_end fl_judge_raw_fault(struct fl_judge *j, const struct fl_record *r);
enum fl_event_end fl_judge_exec(struct fl_judge *j, const struct fl_record *r);
enum fl_event_end fl_judge_decode(struct fl_judge *j, const struct fl_record *r);
/* After the trace: runs it again with everything mapped, where that means something. */
enum fl_event_end fl_judge_transparency(struct fl_judge *j, const struct fl_scenario *s);

/* One fault through core and policy; the world's registers are the interrupted context. *out [OUT] is the core's
 * outcome when the answer is not FL_EVENT_DIVERGED; *supported says whether it was decided at all. */
enum fl_event_end fl_judge_one_fault(struct fl_judge *j, uint64_t cr2, uint64_t error_code, enum fl_label label,
                                     struct fl_outcome *out, bool *supported);

/* What a decided outcome means for the trace. A fix-up moves the world's ip; anything but "handled" clears
 * j->all_handled. */
enum fl_event_end fl_judge_after_outcome(struct fl_judge *j, const struct fl_outcome *out);

/* Puts an EXEC record's code and its closing int3 into memory. */
void fl_judge_place_code(struct fl_world *w, const struct fl_record *r);

/* A divergence that the judge finds by itself. Text arguments are static. */
enum fl_event_end fl_judge_diverge(struct fl_judge *j, enum fl_check check, const char *row, const char *expected,
                                   const char *actual, const char *format, ...) __attribute__((format(printf, 6, 7)));

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
