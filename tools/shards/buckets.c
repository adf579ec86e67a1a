/* SPDX-License-Identifier: MIT */
/*
 * Buckets of shards become buckets of the whole. Counts are of different artifacts; the first that saw it stays the one that
 * found it; the shortest scenario is kept. A status that a person gave in the whole stands. Everything is decided from the two
 * rows alone, so that it does not matter in which order shards come, nor how often.
 */
#include "internal.h"

#include "../command.h"
#include "../triage/triage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RULE "rule: " /* reasons that no person gave begin so (tools/triage) */

struct taking {
    struct store *s;
    const char *from;
    unsigned number;
    struct gathered *counts;
    bool ok;
    char key[STORE_KEY]; /* of the artifact before */
    uint64_t files;      /* that the whole keeps of it */
};

/* Puts from/file at to/file, whole or not at all. *gone [OUT]: there is no such file there. False: it complained. */
static bool take_file(struct taking *t, const char *file, bool *gone)
{
    char *from = format_text("%s/%s", t->from, file), *to = format_text("%s/%s", store_folder(t->s), file);
    char *folder = format_text("%.*s", (int)(strrchr(to, '/') - to), to);
    FILE *in = fopen(from, "rb");
    struct stat st;
    char *data = NULL;
    bool ok = true;

    *gone = !in || fstat(fileno(in), &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > (4 << 20);
    if (!*gone) {
        data = malloc((size_t)st.st_size + 1);
        *gone = !data || fread(data, 1, (size_t)st.st_size, in) != (size_t)st.st_size;
    }
    if (!*gone)
        ok = make_folder(folder) && write_atomically(to, data, (size_t)st.st_size);
    if (in)
        fclose(in);
    free(data);
    free(folder);
    free(to);
    free(from);
    return ok;
}

static bool by_rule(const struct bucket *b)
{
    return strncmp(b->reason, RULE, strlen(RULE)) == 0;
}

/* Nobody has said anything about it yet. */
static bool undecided(const struct bucket *b)
{
    return b->status == BUCKET_OPEN && (b->reason[0] == 0 || by_rule(b));
}

static void take_status(struct bucket *mine, const struct bucket *theirs)
{
    bool newer = theirs->last_seen > mine->last_seen && strcmp(theirs->last_build, mine->last_build) != 0;

    if (mine->status == BUCKET_FIXED && newer) {
        char was[sizeof mine->reason];

        snprintf(was, sizeof was, "%s", mine->reason);
        mine->status = BUCKET_REGRESSION;
        snprintf(mine->reason, sizeof mine->reason, RULE "back under %s; it was fixed: %.250s", theirs->last_build,
                 was[0] ? was : "no reason given");
    } else if (undecided(mine) && !undecided(theirs)) {
        mine->status = theirs->status;
        snprintf(mine->reason, sizeof mine->reason, "%s", theirs->reason);
        snprintf(mine->duplicate_of, sizeof mine->duplicate_of, "%s", theirs->duplicate_of);
    }
}

/* Which of the two was first? The last comparison only makes it the same whatever comes first. */
static bool earlier(const struct bucket *a, const struct bucket *b)
{
    if (a->first_seen != b->first_seen)
        return a->first_seen < b->first_seen;
    if (a->after < b->after || a->after > b->after)
        return a->after < b->after;
    return strcmp(a->found_by, b->found_by) < 0;
}

static bool shorter(const struct bucket *a, const struct bucket *b)
{
    if (a->minimised != b->minimised)
        return a->minimised;
    return a->nrecords < b->nrecords;
}

/* What the row says of the scenario in its file. */
static void take_scenario(struct bucket *mine, const struct bucket *theirs)
{
    memcpy(mine->file, theirs->file, sizeof mine->file);
    memcpy(mine->detail, theirs->detail, sizeof mine->detail);
    memcpy(mine->title, theirs->title, sizeof mine->title);
    memcpy(mine->severity_why, theirs->severity_why, sizeof mine->severity_why);
    mine->severity = theirs->severity;
    mine->target = theirs->target;
    mine->record = theirs->record;
    mine->nrecords = theirs->nrecords;
    mine->minimised = theirs->minimised;
    mine->tries = theirs->tries;
    mine->reproduced = theirs->reproduced;
    mine->aside = theirs->aside;
}

static bool there(struct store *s, const char *file)
{
    char *path = format_text("%s/%s", store_folder(s), file);
    bool is = *file && access(path, F_OK) == 0;

    free(path);
    return is;
}

static bool take_bucket(const struct bucket *theirs, void *ctx)
{
    struct taking *t = ctx;
    struct bucket mine, b = *theirs;
    bool found, gone = true;

    t->ok = false;
    snprintf(b.found_by, sizeof b.found_by, "%u/%.50s", t->number, theirs->found_by);
    if (!store_bucket_get(t->s, b.key, &mine, &found))
        return false;
    if (!found) {
        mine = b;
        mine.count = 0;
        mine.number = 0; /* corpus/regressions/ belongs to the whole */
        mine.stage = STAGE_NONE;
        mine.clean_builds = 0;
        mine.file[0] = 0;
        t->counts->new_buckets++;
    } else {
        take_status(&mine, &b);
        if (earlier(&b, &mine)) {
            mine.first_seen = b.first_seen;
            memcpy(mine.first_build, b.first_build, sizeof mine.first_build);
            memcpy(mine.found_by, b.found_by, sizeof mine.found_by);
            mine.after = b.after;
            mine.events = b.events;
            mine.first_size = b.first_size;
        }
        if (b.last_seen > mine.last_seen) {
            mine.last_seen = b.last_seen;
            memcpy(mine.last_build, b.last_build, sizeof mine.last_build);
        }
    }
    if (b.file[0] && (shorter(&b, &mine) || !there(t->s, mine.file))) {
        if (!take_file(t, b.file, &gone))
            return false;
        if (!gone)
            take_scenario(&mine, &b);
    }
    if (!mine.file[0]) { /* its text is gone: the row says where one would be */
        memcpy(mine.file, b.file, sizeof mine.file);
        complain("%s/%s: is not there, though the shard's database names it", t->from, b.file);
    }
    t->ok = store_bucket_put(t->s, &mine);
    return t->ok;
}

static bool take_artifact(const struct artifact *theirs, void *ctx)
{
    struct taking *t = ctx;
    struct artifact a = *theirs;
    char known[STORE_KEY];
    bool found, is_new, gone = false;

    t->ok = false;
    snprintf(a.found_by, sizeof a.found_by, "%u/%.50s", t->number, theirs->found_by);
    if (!store_artifact_known(t->s, a.digest, known, &found))
        return false;
    if (strcmp(t->key, a.key) != 0) {
        memcpy(t->key, a.key, sizeof t->key);
        if (!store_artifact_files(t->s, a.key, &t->files))
            return false;
    }
    if (a.file[0] && ((found && strcmp(known, a.key) == 0) || t->files >= TRIAGE_ARTIFACTS))
        a.file[0] = 0;
    if (a.file[0]) {
        if (!take_file(t, a.file, &gone))
            return false;
        if (gone)
            a.file[0] = 0;
    }
    if (!store_artifact_join(t->s, &a, &is_new))
        return false;
    t->files += is_new && a.file[0];
    t->counts->new_artifacts += is_new;
    t->ok = true;
    return true;
}

bool shards_take_buckets(struct store *s, struct store *theirs, const char *from, unsigned number,
                         struct gathered *counts)
{
    struct taking t = {.s = s, .from = from, .number = number, .counts = counts, .ok = true};

    return store_buckets_each(theirs, take_bucket, &t) && t.ok && store_artifacts_each(theirs, take_artifact, &t) &&
           t.ok;
}
