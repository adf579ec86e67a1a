/* SPDX-License-Identifier: MIT */
/* What the files of shards share. */
#ifndef FAULTLINE_TOOLS_SHARDS_INTERNAL_H
#define FAULTLINE_TOOLS_SHARDS_INTERNAL_H

#include "shards.h"

/* ---- list.c */
/* Copies folder's database, of one moment, into the folder `into`. False: it complained. */
bool shards_snapshot(const char *folder, const char *into);
/* A regular file's bytes, not atomically. False: nothing is said. */
bool shards_copy(const char *from, const char *to);

/* ---- buckets.c */
/* Takes what shard `number`, whose folder is `from`, has in *theirs into *s. False: it complained; s has to be rolled back. */
bool shards_take_buckets(struct store *s, struct store *theirs, const char *from, unsigned number,
                         struct gathered *counts);

/* ---- totals.c */
struct totals; /* what all shards that were read have */
struct totals *totals_new(void);
void totals_free(struct totals *t);
/* Adds one shard. run [OUT]: its newest; id 0: none. False: it complained, and nothing of it counts. */
bool totals_add(struct totals *t, struct store *theirs, unsigned number, struct run *run);
/* Stores the sums. */
bool totals_store(struct totals *t, struct store *s);

#endif
