/* SPDX-License-Identifier: MIT */
/* faultline triage: what its parts share. */
#ifndef FAULTLINE_TOOLS_TRIAGE_COMMAND_H
#define FAULTLINE_TOOLS_TRIAGE_COMMAND_H

#include "import.h"
#include "internal.h"

/* What was asked, and what came of it. */
struct triage {
    char *dir;
    bool dir_given, json, list, minimises;
    unsigned jobs;
    struct replay_options replay;
    const char *status_key, *status, *reason, *of; /* --status */
    char **paths;
    size_t npaths;

    struct import import;
    uint64_t taken[TAKEN_FAILED + 1]; /* files, by what they were */
    uint64_t kinds[IMPORT_KINDS];     /* those that showed something, by engine */
    uint64_t unreadable, died, undone;
    bool re_replayed;
    uint64_t again[AGAINS]; /* buckets */
    uint64_t minimised;
};

/* set.c: --status. Answers an exit code. */
int triage_set_status(struct triage *t);
/* list.c: everything in the store, as a table or as JSON. *open [OUT]: findings that are open. False: it complained. */
bool triage_print(struct triage *t, struct store *s, uint64_t *open);

#endif
