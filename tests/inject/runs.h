/* SPDX-License-Identifier: MIT */
/* What the tests of inject share: scenarios from files, explorations, and what a run came to as one number. */
#ifndef FAULTLINE_TESTS_INJECT_RUNS_H
#define FAULTLINE_TESTS_INJECT_RUNS_H

#include <command.h>
#include <inject/inject.h>

#include "check.h"

/* Reads DIR/name.scn, where DIR is what runs_open() was given; exits when it cannot. */
void runs_load(const char *name, struct fl_scenario *s);

/* Opens a judge of that target, with its own or (gup NULL) the tree's pinning. */
void runs_open(const char *dir, enum fl_target target, const struct fl_gup *gup);
void runs_close(void);

/* Runs s alone and answers a digest of all op calls with their answers, of how the events ended, and of what diverged. */
uint64_t runs_digest(const struct fl_scenario *s);

/* Explores s. The digests of its run as it is and of all repetitions are kept, sorted. */
struct explored {
    struct inject_counts counts;
    uint64_t *digest;
    size_t n;
};
void runs_explore(const struct fl_scenario *s, unsigned preempt, bool pairs, uint64_t limit, struct explored *out);
bool explored_has(const struct explored *e, uint64_t digest);

/* Called for every repetition of runs_explore(); NULL: nobody. */
extern void (*runs_seen)(const struct fl_scenario *s, const struct trace *t);

/* s with r before its last record. */
void runs_before_last(struct fl_scenario *s, const struct fl_record *r);

#endif
