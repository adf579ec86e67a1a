/* SPDX-License-Identifier: MIT */
/* What the files of triage share. */
#ifndef FAULTLINE_TOOLS_TRIAGE_INTERNAL_H
#define FAULTLINE_TOOLS_TRIAGE_INTERNAL_H

#include "../command.h"
#include "triage.h"

/* Reasons that a rule gives begin with this; any other is a person's, and rules leave the bucket's status alone. */
#define RULE "rule: "
bool triage_by_rule(const struct bucket *b);

/* ---- look.c -------------------------------------------------------------------------------------------------------- */

struct looked {
    struct fl_scenario scenario; /* as it was given */
    struct fl_scenario seen;     /* without what the target skips: replays of it as target show result */
    enum fl_target target;
    struct replay_result result; /* key is empty: nothing reproduces */
    unsigned tries, reproduced;
};

/* Replays a scenario as the judges that could show what its engine saw. target ALL: it is not known. */
void triage_look(struct replayer *r, const struct fl_scenario *scenario, enum fl_target target, struct looked *out);
/* The same for l->scenario as one target. */
void triage_look_as(struct replayer *r, enum fl_target target, struct looked *l);
/* Then up to N times. */
void triage_look_again(struct replayer *r, struct looked *l);
/* How often of *tries it shows key. *tries [IN, OUT]: fewer are done where each takes long (hangs). *last [OUT]: the first
 * result that has the key, or else the last. */
unsigned triage_reproduces(struct replayer *r, const struct fl_scenario *s, enum fl_target target, const char *key,
                           unsigned *tries, struct replay_result *last);

/* ---- take.c -------------------------------------------------------------------------------------------------------- */

/* The second half of triage_take: stores what triage_look saw. */
enum taken triage_take_looked(struct store *s, struct replayer *r, struct looked *l, const struct triage_origin *origin,
                              bool import, struct bucket *out);
/* What was looked at shows the bucket's key: brings status, build and tries up to date. replaces: it takes the place of the
 * scenario in the bucket's file, which does not. False: it complained. */
bool triage_shown(struct store *s, const struct looked *l, bool replaces, struct bucket *b);
/* Fills what a bucket says of the scenario in its file. */
void triage_describe(struct bucket *b, const struct fl_scenario *s, const struct replay_result *result);
/* Writes the bucket's .scn. False: it complained; store_full() tells a full disk. */
bool triage_write(struct store *s, const struct bucket *b, const struct fl_scenario *scenario);
/* The scenario in the bucket's file; where that is gone or damaged, the one of an artifact that is kept. False: it
 * complained. */
bool triage_read(struct store *s, const struct bucket *b, struct fl_scenario *out);

/* ---- severity.c ---------------------------------------------------------------------------------------------------- */

/* Predicate rows: the first that matches decides. NULL matches anything; else a list of words, of which one has to be the
 * class ("pf-*" any that begins so). */
struct severity_rule {
    int check; /* enum fl_check; -1: any divergence; ENDS + enum replay_end: not a divergence */
    const char *row, *expected, *actual;
    enum severity severity;
    const char *why;
};
#define SEVERITY_ENDS 100
const struct severity_rule *triage_severity_rules(size_t *n);
const struct severity_rule *triage_severity_rule(const struct replay_result *result);

/* ---- again.c ------------------------------------------------------------------------------------------------------- */

enum again {
    AGAIN_SHOWN,     /* it shows its key, as it did */
    AGAIN_SOMETIMES, /* not in every try */
    AGAIN_ANOTHER,   /* its scenario is clean, but another of its inputs shows it: two bugs had one key */
    AGAIN_CLEAN,     /* it was open, and is clean under this build: fixed now */
    AGAIN_STILL,     /* it was fixed, and still is clean; or invalid */
    AGAIN_BACK,      /* it was fixed, and shows again: a regression */
    AGAIN_OTHER,     /* it shows another key now: that one was taken, this one is fixed */
    AGAIN_UNSTABLE,  /* clean under the very build that had shown it: left open */
    AGAIN_SKIPPED,   /* it cannot be judged here: another core, or no executor */
    AGAIN_FAILED,    /* it complained */
    AGAINS
};
enum again triage_again(struct store *s, struct replayer *r, const struct bucket *b);

#endif
