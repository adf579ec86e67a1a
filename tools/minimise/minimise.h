/* SPDX-License-Identifier: MIT */
/*
 * minimise: a scenario made as small and as plain as it can be while its divergence keeps its key. Works on records and
 * their meaning, not on bytes: drops events, VMAs, mappings and answers; clears entry bits and flags; shortens instruction
 * bytes; moves addresses to canonical ones; takes the machine's fields back to their defaults.
 */
#ifndef FAULTLINE_TOOLS_MINIMISE_H
#define FAULTLINE_TOOLS_MINIMISE_H

#include "../replay/replay.h"

struct minimised {
    unsigned tries;                     /* replays */
    unsigned before, after;             /* records */
    unsigned bytes_before, bytes_after; /* of the encoding */
    unsigned bits_before, bits_after;   /* how much is unlike the defaults: the measure that has to fall */
    struct replay_result result;        /* of *out */
};

/* *out [OUT] is no larger than in, and a replay of it as target has in's key. max_tries 0: until nothing gets smaller.
 * False: in does not have a key (nothing diverged), or not each time the same, also in a new child; *out is in.
 * Deterministic. out may be in. */
bool minimise(struct replayer *r, const struct fl_scenario *in, enum fl_target target, unsigned max_tries,
              struct fl_scenario *out, struct minimised *report);

#endif
