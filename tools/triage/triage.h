/* SPDX-License-Identifier: MIT */
/*
 * triage: from an input that an engine stopped on to a bucket in the store.
 *
 *   look.c       one input: replayed N of N
 *   take.c       what it showed: bucketed by key, its text stored, counted
 *   story.c      title, and the text of a finding with its story as comments
 *   severity.c   the rule
 *   group.c      keys that are one bug's are marked as duplicates, with the reason
 *   evidence.c   which keys are one bug's
 *   again.c      a bucket under another build: still there, gone, back
 *   import.c     crash folders of AFL++, libFuzzer, honggfuzz, ClusterFuzz: what is an input, and of which target
 *   batch.c      minimising what is not minimised
 *   workers.c    the same for many items on several processors
 *   command.c    faultline triage
 */
#ifndef FAULTLINE_TOOLS_TRIAGE_H
#define FAULTLINE_TOOLS_TRIAGE_H

#include "../minimise/minimise.h"
#include "../replay/replay.h"
#include "../store/store.h"

#define TRIAGE_TRIES     3  /* N of N */
#define TRIAGE_ARTIFACTS 20 /* files of fuzz bytes that are kept for a bucket; the others are counted */

struct triage_origin {
    const char *found_by;  /* "fault-afl-0", "import" */
    const char *path;      /* of the artifact, for messages and for copying; NULL: none */
    enum fl_target target; /* FL_TARGET_ALL: not known */
    bool limit;            /* the engine says that it took too long or too much memory */
    bool in_executor;      /* the engine's process died inside the executor */
    double after;          /* seconds that the job had run */
    uint64_t events;       /* that it had judged */
};

enum taken {
    TAKEN_NEW,     /* a bucket that was not there */
    TAKEN_AGAIN,   /* one more of a bucket */
    TAKEN_KNOWN,   /* this very input was taken before */
    TAKEN_NOTHING, /* (imports) nothing reproduces: counted by the caller, no bucket is made */
    TAKEN_FAILED,  /* it could not be stored; it complained. The artifact must stay where it is. */
};

/* Takes one input up: everything that says so later is on the disk when this answers. *out [OUT]: the bucket as it is
 * afterwards (not for NOTHING and FAILED). import: an input that does not reproduce makes no bucket. A fixed bucket that is
 * seen under another build than the last one that had shown it becomes a regression. The artifact's file is copied, not
 * moved. */
enum taken triage_take(struct store *s, struct replayer *r, const struct fl_scenario *scenario,
                       const struct triage_origin *origin, bool import, struct bucket *out);

/* Minimises what is not minimised yet, one bucket: its .scn and its row. *changed [OUT]. False: it complained. */
bool triage_minimise(struct store *s, struct replayer *r, struct bucket *b, bool *changed);
/* Marks keys that are one bug's as duplicates: docs/campaign.md has the rule. r NULL: only by their names, without the
 * evidence that takes a replay. What a person decided stays. */
bool triage_group(struct store *s, struct replayer *r);
/* By which artifacts are told apart: XXH3 of the canonical bytes. */
uint64_t triage_digest(const struct fl_scenario *s);

void triage_severity(const struct replay_result *result, enum severity *severity, char why[160]);
/* "area-write: refused, where it must be served", from key and result. */
void triage_title(const struct replay_result *result, char title[200]);
/* The .scn of a finding: first line, story as comments, body. malloc'd. */
char *triage_text(const struct bucket *b, const struct fl_scenario *s, size_t *size);

/* The path that an input's name gives to its target ("fl-vmalloc_...", ".../fault-afl-0/..."): FL_TARGET_ALL when none. */
enum fl_target triage_target_of(const char *path);

#endif
