/* SPDX-License-Identifier: MIT */
/* What the two halves of the recording core share. Private to explain. */
#ifndef FAULTLINE_EXPLAIN_RECORD_H
#define FAULTLINE_EXPLAIN_RECORD_H

#include "capture.h"

/* A core has no state of its own, so this one's is here. */
struct recorder {
    struct capture *c;
    const struct fl_core *tested;
    const struct fl_scenario *scenario;
    const struct fl_ops *ops; /* of the call under way */
    struct fl_world *world;   /* of the event under way */
    bool over;                /* what is to be kept has been: the rest is passed on only */
};
extern struct recorder recorder;

/* Every op: asks recorder.ops, and notes question and answer. */
extern const struct fl_ops recording_ops;

#endif
