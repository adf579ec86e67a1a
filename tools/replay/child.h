/* SPDX-License-Identifier: MIT */
/* What a replayer and its child share: one block of shared memory, a bell (eventfd) that the parent rings, and a pipe on
 * which the child answers, which also ends when the child does. */
#ifndef FAULTLINE_TOOLS_REPLAY_CHILD_H
#define FAULTLINE_TOOLS_REPLAY_CHILD_H

#include "replay.h"

#include <faultline/fuzz/stats.h>

#include <sys/types.h>

enum child_state {
    CHILD_OPENING, /* loading the core, opening the judge */
    CHILD_WAITING,
    CHILD_JUDGING,
};

struct shared {
    uint32_t state; /* enum child_state; the child writes it */
    bool failed;    /* why says what */
    char why[512];
    char executor[288];
    char lacks[160];
    bool runs[FL_TARGET_COUNT];

    /* The question: the first nrecords of the scenario are valid. */
    enum fl_target target;
    struct fl_scenario scenario;

    /* The answer. */
    struct replay_result result;
    char endings[8192];

    struct fl_stats stats; /* of the judge */
};

/* Where things are in the child. */
struct child {
    const struct replay_options *options;
    unsigned watchdog; /* seconds that the executor may take for an instruction */
    struct shared *shared;
    int bell, reply, output;
    pid_t parent;
};

/* The child's life, from the fork on. */
_Noreturn void child_main(const struct child *c);

#endif
