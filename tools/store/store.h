/* SPDX-License-Identifier: MIT */
/*
 * store: what a campaign folder knows, in DIR/campaign.db (SQLite, WAL) and plain files beside it. The database holds what
 * is counted and decided; scenarios are .scn files that the rows name. Both can be read while a campaign writes.
 *
 *   DIR/campaign.db         this
 *   DIR/findings/SLUG.scn   one per bucket: the shortest scenario so far, with its story as comments
 *   DIR/left-aside/SLUG.scn buckets that are no finding about the tested code (executor crashes, limits not met again)
 *   DIR/artifacts/          fuzz bytes as engines left them, a few for each bucket
 *
 * All functions that answer bool: false means that they complained, in one line that names the database, and that nothing
 * of the call was stored. store_full() tells a full disk from the rest. What a call has stored is on the disk when it
 * answers (outside store_begin ... store_commit).
 *
 *   store.c        statements, transactions, what is told
 *   open.c         opening, making, schema
 *   buckets.c      buckets and artifacts
 *   build_name.c   what the running build is called
 *   runs.c         runs, jobs, samples, cells (declared in runs.h)
 */
#ifndef FAULTLINE_TOOLS_STORE_H
#define FAULTLINE_TOOLS_STORE_H

#include <faultline/fuzz/judge.h>
#include <stdbool.h>
#include <stdint.h>

#define STORE_KEY   256
#define STORE_BUILD 96

struct store;

enum store_mode {
    STORE_READ,   /* must be there; nothing is written (the folder may be read-only) */
    STORE_WRITE,  /* must be there */
    STORE_CREATE, /* folder and database are made where they are not there */
};

/* folder/campaign.db. NULL: it complained: no such folder, no database in it, not a database, one of a newer version, a
 * corrupt one ("...: corrupt: what SQLite says; what to do"). A file that is none of ours is left as it is. */
struct store *store_open(const char *folder, enum store_mode mode);
void store_close(struct store *s);
const char *store_folder(const struct store *s);
/* The folder has a database of ours (or what is left of one)? */
bool store_is_folder(const char *folder);
/* The last failure was a full disk. */
bool store_full(const struct store *s);
/* A file beside the database could not be written: error is its errno. */
void store_note_error(struct store *s, int error);

/* Several calls as one. They nest: only the outermost commit stores, and it does not when anything inside was rolled back
 * or failed. Each begin that answered true has one commit or rollback; a commit that failed has rolled back. */
bool store_begin(struct store *s);
bool store_commit(struct store *s);
void store_rollback(struct store *s);

/* ---- buckets ------------------------------------------------------------------------------------------------------- */

/* open: to be looked at. fixed, invalid, duplicate: somebody (or a rule) said so, reason says why. regression: was fixed,
 * and came back. */
enum bucket_status { BUCKET_OPEN, BUCKET_FIXED, BUCKET_INVALID, BUCKET_DUPLICATE, BUCKET_REGRESSION, BUCKET_STATUSES };
const char *bucket_status_name(enum bucket_status status);

/* docs/campaign.md has the rule; tools/triage/severity.c carries it out. */
enum severity { SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL, SEVERITIES };
const char *severity_name(enum severity severity);

/* Of a promoted bucket (faultline promote). */
enum stage { STAGE_NONE, STAGE_CRASHING, STAGE_INCUBATING, STAGE_REGRESSION, STAGES };
const char *stage_name(enum stage stage);

/* Everything with one divergence key. Times are seconds since 1970 by the machine's clock. */
struct bucket {
    char key[STORE_KEY]; /* check/policy row/expected class/actual class, or what replay.h names */
    char title[200];
    bool aside; /* kept, but no finding about the tested code */
    enum bucket_status status;
    char reason[400];             /* of the status; empty: none was given */
    char duplicate_of[STORE_KEY]; /* DUPLICATE: that key */
    enum severity severity;
    char severity_why[160];
    enum fl_target target;      /* a replay as this target shows it */
    uint64_t count;             /* artifacts, each different one once */
    uint32_t tries, reproduced; /* the last N-of-N replay */
    int64_t first_seen, last_seen;
    char first_build[STORE_BUILD], last_build[STORE_BUILD];
    char found_by[64];   /* job or importer that brought the first artifact */
    double after;        /* seconds that job had run until then */
    uint64_t events;     /* and events it had judged */
    char detail[512];    /* of the scenario in file */
    uint32_t record;     /* index of the failing record there; its nrecords: the scenario as a whole */
    uint32_t nrecords;   /* of the scenario in file */
    uint32_t first_size; /* records of the first artifact */
    bool minimised;      /* file is what the minimiser made */
    char file[300];      /* the .scn, relative to the folder */
    uint32_t number;     /* corpus/regressions/NNNN-*.scn; 0: not promoted */
    enum stage stage;
    uint32_t clean_builds; /* INCUBATING: builds, each once, under which it stayed clean */
};

/* *found [OUT]: there is such a bucket, and *out is it. */
bool store_bucket_get(struct store *s, const char *key, struct bucket *out, bool *found);
/* Makes it, or replaces it whole. */
bool store_bucket_put(struct store *s, const struct bucket *b);
/* All of them, in the order in which people want them: findings before what was left aside, regression and open before
 * the others, then by severity, then by count, then by key. Stops when each answers false. */
bool store_buckets_each(struct store *s, bool (*each)(const struct bucket *b, void *ctx), void *ctx);
/* The one key that text is or begins, or that contains it as a whole word between slashes, or the bucket with that number
 * ("0015"). False: it complained: none, or several (the line names up to three). */
bool store_bucket_find(struct store *s, const char *text, struct bucket *out);
/* Counts: findings that are open or regressions. */
bool store_open_findings(struct store *s, uint64_t *count);

/* ---- artifacts ----------------------------------------------------------------------------------------------------- */

/* One input that showed a bucket. digest: XXH3 of the scenario's canonical bytes. *is_new [OUT]: it was not known; only then
 * the bucket's count, last_seen and last_build are brought up to date. The bucket must be there. file: where its bytes are
 * kept, relative to the folder, or NULL. */
bool store_artifact_add(struct store *s, uint64_t digest, const char *key, const char *file, const char *found_by,
                        bool *is_new);
bool store_artifact_known(struct store *s, uint64_t digest, char key[STORE_KEY], bool *found);
/* How many artifacts of the bucket have a file. */
bool store_artifact_files(struct store *s, const char *key, uint64_t *count);
/* The file of number n, from 0, among them. *found [OUT]: there is one, and file is it, relative to the folder. */
bool store_artifact_file(struct store *s, const char *key, unsigned n, char file[300], bool *found);

/* ---- builds -------------------------------------------------------------------------------------------------------- */

/* What the running build is called: "e6f1ac2" (a clean checkout of that commit), "e6f1ac2+1f3d5b7a" (with changes: a
 * digest of the program), "-1f3d5b7a" (no repository); and "/NAME@1f3d5b7a" behind it for a foreign core. core: its
 * shared object or NULL. Never fails. */
void build_name(const char *core, char out[STORE_BUILD]);
/* What is stored from now on was seen under build_name(core); before the first call: the running build by itself. */
void store_use_core(struct store *s, const char *core);
const char *store_build(const struct store *s);

/* Notes that key stayed clean under build; a build counts once. *count [OUT]: how many there are now. */
bool store_clean_build(struct store *s, const char *key, const char *build, uint32_t *count);
/* Forgets them: it diverged again. */
bool store_clean_builds_reset(struct store *s, const char *key);

#endif
