/* SPDX-License-Identifier: MIT */
/*
 * What was seen of a finding of pinning: every step of the events around it, and every page that changed from one to the
 * next. In memory that parent and child share, as the rest of the capture. Private to explain.
 */
#ifndef FAULTLINE_EXPLAIN_PIN_H
#define FAULTLINE_EXPLAIN_PIN_H

#include <faultline/fuzz/judge.h>
#include <faultline/fuzz/pin_story.h>

#define PIN_STEPS   24576 /* that are kept; more are counted */
#define PIN_CHANGES 4096
#define PIN_DETAIL  4  /* events whose op calls are kept: the last ones */
#define PIN_AREAS   12 /* of an address space */

struct pin_step {
    uint8_t kind; /* enum fl_pin_step_kind */
    uint8_t when; /* enum fl_pin_when */
    uint8_t status;
    bool other; /* in the second world */
    uint16_t record;
    uint16_t instant;
    uint32_t nth; /* op call of its event, from 0; ACT: the one that it came before or at */
    union {
        struct fl_pin_op_call call; /* CALL: answered where the next step says so */
        struct {
            struct fl_pinned out; /* END */
            uint64_t first;       /* the first frame, or FL_NO_PAGE */
        } end;
    } u;
};

struct pin_change {
    uint32_t step; /* at which it was noticed */
    uint8_t mm;
    bool other;
    bool by_act; /* by the ACT step itself; else by what came after that step: the op call that is under way */
    uint64_t va;
    struct fl_pin_place before, after;
};

struct pin_areas {
    unsigned n[2];
    struct fl_pin_area at[2][PIN_AREAS];
};

struct pin_capture {
    /* counters */
    bool any;           /* a record of pinning was judged */
    bool last;          /* ... and is what the failing event is */
    bool ended;         /* the call of the last event came back: call and seen are its */
    unsigned events;    /* PIN events that have begun */
    unsigned keep_from; /* the first of them whose op calls are kept */
    unsigned record;    /* of the last event */
    uint64_t about;     /* the page that the first judging found something about; 0: none */
    unsigned nsteps, steps_gone;
    unsigned nchanges, changes_gone;
    uint64_t task_size;

    /* the last event */
    struct fl_pin_call call;
    struct fl_pin_seen seen; /* its view is not valid: view */
    struct fl_pin_seen seen_other;
    bool has_other;
    struct fl_gup_space space;
    struct pin_areas before, after;
    char frame[FL_PIN_PAGES][112]; /* what was handed out, when the event was over */
    char frame_other[FL_PIN_PAGES][112];

    /* From here on only what the counters say is valid. */
    struct fl_pin_follow follow, follow_other;
    struct pin_step step[PIN_STEPS];
    struct pin_change change[PIN_CHANGES];
    struct fl_pin_view view[FL_PIN_INSTANTS][FL_PIN_PAGES];
};

/* The judge's watch of records of pinning; ctx is the capture. */
void record_pin(void *ctx, unsigned record, bool other_way, const struct fl_pin_world *world,
                const struct fl_pin_step *step);

#endif
