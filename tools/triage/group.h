/* SPDX-License-Identifier: MIT */
/* group: buckets that take part in the search for duplicates, and what joins them. */
#ifndef FAULTLINE_TOOLS_TRIAGE_GROUP_H
#define FAULTLINE_TOOLS_TRIAGE_GROUP_H

#include "internal.h"

struct member {
    struct bucket b;
    bool stays; /* never becomes a duplicate */
    bool leads; /* others are its duplicates already */
    size_t up;  /* towards the one that stands for its group; itself at the top */
    char why[300];
};

struct group {
    struct member *members;
    size_t n, room;
    bool failed;
};

/* The member with that key; NULL: none has it. */
struct member *group_find(const struct group *g, const char *key);
/* Puts a and b into one group. why: "parts at the same row as", to which the other's key is added; NULL: they were in one. */
void group_join(struct group *g, struct member *a, struct member *b, const char *why);

/* evidence.c: joins members that are one bug's. r NULL: by name only. */
void group_by_row(struct group *g);
void group_by_replay(struct group *g, struct replayer *r, struct member *m, const struct fl_scenario *scenario);
/* evidence_decode.c */
void group_by_decoder(struct group *g, struct replayer *r, struct member *m, const struct fl_scenario *scenario);

#endif
