/* SPDX-License-Identifier: MIT */
/*
 * shards: a campaign on several machines is a folder whose shards/0, shards/1, ... are campaign folders that know nothing of
 * each other. What they have is put together in the folder's own campaign.db, findings/, artifacts/ and corpora, while they
 * write as well as after they have ended.
 *
 *   list.c     which shards there are; a database as it was at one moment
 *   gather.c   the store of the whole, from the stores of the shards
 *   buckets.c  one bucket and its artifacts
 *   totals.c   runs, jobs, samples, cells, decisions
 *   corpus.c   corpora
 *   batch.c    sbatch, squeue, scancel
 *
 * A shard is only read. Its database belongs to the machine that it works on: SQLite's log beside it (WAL) is shared through
 * memory, which machines have not in common. So the files are copied until a copy is known to be of one moment, and the copy is
 * read.
 */
#ifndef FAULTLINE_TOOLS_SHARDS_H
#define FAULTLINE_TOOLS_SHARDS_H

#include "../store/join.h"

#define SHARDS_MAX 4096

/* Has it a shards/ folder? */
bool shards_is_whole(const char *folder);

/* Numbers of the folders in folder/shards, ascending, malloc'd. *n 0: there are none. False: it complained. */
bool shards_list(const char *folder, unsigned **numbers, size_t *n);

struct gathered {
    size_t shards; /* folders */
    size_t empty;  /* of which have not begun: no database yet */
    size_t bad;    /* of which cannot be read: named and left out */
    size_t alive;  /* whose supervisor gives signs of life */
    uint64_t new_buckets, new_artifacts;
};

/* Brings folder's store, findings and artifacts up to date with its shards, and asks the batch system, where there is one, for
 * the state of each. wait: for somebody who does the same; else it leaves it to them. Doing it again changes nothing; when it
 * is killed, the next one does it. False: it complained: folder cannot be written to, the disk is full. *out [OUT] may be NULL. */
bool shards_gather(const char *folder, bool wait, struct gathered *out);

/* For onlookers (status, report): shards_gather for folders that are a whole, can be written to, and are not older than `age`
 * seconds; quiet about what it cannot do: then the folder says what it said. */
void shards_freshen(const char *folder, int64_t age);

/* ---- corpus.c */

/* Copies what is new by content in the shards' corpora, and in the queues of AFL++ instances that did not pass on what they have, into
 * folder's corpus-vN/TARGET/. *files, *copied [OUT]: looked at, new. A file that vanishes meanwhile was replaced by its engine and
 * is no trouble. False: it complained. */
bool shards_join_corpora(const char *folder, uint64_t *files, uint64_t *copied);

/* ---- batch.c */

/* Runs argv and answers its standard output, malloc'd, at most 1 MiB. NULL: it is not there or failed; says [OUT]: why, in one line. */
char *batch_run(char *const *argv, char says[300]);
/* Is sbatch there? */
bool batch_there(void);

/* Does the job ("12", or "12_3" of an array) hold a node? UNKNOWN: nobody here can tell. */
enum batch_life { BATCH_RUNS, BATCH_ENDED, BATCH_UNKNOWN };
enum batch_life batch_life(const char *job);

struct batch_task {
    unsigned number;
    char state[24]; /* PENDING, RUNNING, COMPLETED, ... */
    char host[64];  /* "" while it waits */
};
/* Tasks of an array as squeue has them, malloc'd. NULL: there is no squeue, or it does not know the job any more. */
struct batch_task *batch_tasks(const char *job, size_t *n);

#endif
