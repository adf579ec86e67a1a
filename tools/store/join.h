/* SPDX-License-Identifier: MIT */
/*
 * join: what the store of a campaign on several machines takes over from its shards' stores. Unlike their neighbours in store.h
 * and runs.h these do not say "now": times and builds are those of the shard, and doing it twice is as good as once.
 *
 * All functions answer as in store.h says.
 */
#ifndef FAULTLINE_TOOLS_STORE_JOIN_H
#define FAULTLINE_TOOLS_STORE_JOIN_H

#include "runs.h"
#include "store.h"

struct artifact {
    uint64_t digest;
    char key[STORE_KEY];
    char file[300]; /* relative to the folder; "": its bytes are not kept, only counted */
    char found_by[64];
    int64_t seen; /* unix */
};

/* By key, then digest. Stops when each answers false. */
bool store_artifacts_each(struct store *s, bool (*each)(const struct artifact *a, void *ctx), void *ctx);
/* Adds it where it is not known. *is_new [OUT]: it was not, and only then was its bucket's count, and nothing else of it, brought
 * up to date. The bucket must be there. */
bool store_artifact_join(struct store *s, const struct artifact *a, bool *is_new);

/* Notes a cell; of one that is known the earlier `at` stays. */
bool store_cell_join(struct store *s, unsigned cell, enum fl_target target, double at);

/* Forgets all samples (the sums over shards are made anew), or all jobs. */
bool store_samples_reset(struct store *s);
bool store_jobs_reset(struct store *s);

#endif
