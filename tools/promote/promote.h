/* SPDX-License-Identifier: MIT */
/* What `faultline promote` does, apart from its arguments. All answer exit codes. */
#ifndef FAULTLINE_TOOLS_PROMOTE_H
#define FAULTLINE_TOOLS_PROMOTE_H

#include "corpus.h"

struct promote {
    const char *dir;    /* the campaign folder */
    const char *corpus; /* the folder of regressions */
    const char *core;   /* shared object; NULL: the one in this tree */
    bool executor;
    unsigned number;  /* 0: the next free one */
    const char *slug; /* NULL: from the title */
    unsigned builds;  /* clean ones until a scenario is a regression, 1..CORPUS_BUILDS */
    bool json;
    char build[STORE_BUILD];   /* what is running, as one word */
    struct replayer *replayer; /* NULL for list */
};

/* Writes NNNN-slug.scn and .expect of a bucket, and notes it in the bucket. */
int promote_key(const struct promote *p, const char *key);
/* Replays what was promoted under this build, and moves each scenario's state. */
int promote_advance(const struct promote *p);
int promote_list(const struct promote *p);

/* One process at a time changes a corpus: an fd to close, or -1: it complained (it cannot be written, or is not there). */
int promote_lock(const char *corpus);
/* "Vmalloc fault handled as an oops!" -> "vmalloc-fault-handled-as-an-oops". */
char *promote_slug(const char *title);

#endif
