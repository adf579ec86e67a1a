/* SPDX-License-Identifier: MIT */
/*
 * What an input showed becomes part of a bucket. Order: the scenario's text, the artifact's bytes, then the row, all before
 * the answer; so a row always has its file, and what is killed in between is taken up again.
 */
#define XXH_INLINE_ALL
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#define MOST_KEPT_BYTES (1 << 20) /* of an artifact: larger ones are counted, but not copied */

uint64_t triage_digest(const struct fl_scenario *s)
{
    uint8_t bytes[FL_SCENARIO_MAX_BYTES];

    return XXH3_64bits(bytes, fl_scenario_encode(s, bytes, sizeof bytes));
}

bool triage_by_rule(const struct bucket *b)
{
    return strncmp(b->reason, RULE, strlen(RULE)) == 0;
}

/* ---- files --------------------------------------------------------------------------------------------------------- */

/* DIR/first/second, each made where it is not there. The folder itself is not: where it has vanished, that is told. NULL: it
 * complained. */
static char *folder_inside(struct store *s, const char *first, const char *second)
{
    char *path = format_text("%s/%s", store_folder(s), first);

    for (unsigned i = 0; i < 2; i++) {
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            store_note_error(s, errno);
            complain("%s: cannot make this folder: %s", path, strerror(errno));
            free(path);
            return NULL;
        }
        if (i == 0 && second) {
            char *deeper = format_text("%s/%s", path, second);

            free(path);
            path = deeper;
        } else {
            break;
        }
    }
    return path;
}

static bool write_inside(struct store *s, const char *path, const void *data, size_t size)
{
    bool ok = write_atomically(path, data, size);

    if (!ok)
        store_note_error(s, errno);
    return ok;
}

bool triage_write(struct store *s, const struct bucket *b, const struct fl_scenario *scenario)
{
    size_t size;
    char *folder = folder_inside(s, b->aside ? "left-aside" : "findings", NULL), *path, *text;
    bool ok;

    if (!folder)
        return false;
    path = format_text("%s/%s", store_folder(s), b->file);
    text = triage_text(b, scenario, &size);
    ok = write_inside(s, path, text, size);
    free(text);
    free(path);
    free(folder);
    return ok;
}

bool triage_read(struct store *s, const struct bucket *b, struct fl_scenario *out)
{
    char *path = format_text("%s/%s", store_folder(s), b->file), file[300];
    bool ok = b->file[0] && load_scenario(path, out), found = true;

    for (unsigned n = 0; !ok && found && store_artifact_file(s, b->key, n, file, &found); n++) {
        char *artifact = format_text("%s/%s", store_folder(s), file);

        if (found && access(artifact, R_OK) == 0 && load_scenario(artifact, out)) {
            complain("%s: %s stands in for it", path, artifact);
            ok = true;
        }
        free(artifact);
    }
    free(path);
    return ok;
}

/* Copies the artifact's file. *file [OUT]: its name relative to the folder; empty: not copied. False: it complained. */
static bool copy_artifact(struct store *s, const char *key, const char *path, uint64_t digest, char file[300])
{
    static const char text_name[] = ".scn";
    char slug[240], *folder, *to, *data = malloc(MOST_KEPT_BYTES);
    FILE *in = data ? fopen(path, "rb") : NULL;
    size_t n = in ? fread(data, 1, MOST_KEPT_BYTES, in) : 0, length = strlen(path);
    bool text = length > 4 && strcmp(path + length - 4, text_name) == 0, ok = true;

    file[0] = 0;
    if (in && !ferror(in) && n < MOST_KEPT_BYTES) {
        key_slug(key, slug);
        folder = folder_inside(s, "artifacts", slug);
        snprintf(file, 300, "artifacts/%s/%016" PRIx64 "%s", slug, digest, text ? text_name : "");
        to = format_text("%s/%s", store_folder(s), file);
        ok = folder && write_inside(s, to, data, n);
        free(to);
        free(folder);
    }
    if (in)
        fclose(in);
    free(data);
    return ok;
}

/* ---- buckets ------------------------------------------------------------------------------------------------------- */

void triage_describe(struct bucket *b, const struct fl_scenario *s, const struct replay_result *result)
{
    triage_title(result, b->title);
    triage_severity(result, &b->severity, b->severity_why);
    snprintf(b->detail, sizeof b->detail, "%s", result->detail);
    b->record = result->end == REPLAY_DIVERGED ? result->record : s->nrecords;
    b->nrecords = s->nrecords;
}

/* The file that a new bucket is to have may be there: the database was lost, or a kill came between file and row. */
struct standing {
    bool there, readable;
    struct fl_scenario scenario;
    struct replay_result result;
};

static void file_of(const char *key, bool aside, char file[300])
{
    char slug[240];

    key_slug(key, slug);
    snprintf(file, 300, "%s/%s.scn", aside ? "left-aside" : "findings", slug);
}

/* Before the transaction begins: a replay may take long, and nobody else could write meanwhile. */
static bool look_at_standing(struct store *s, struct replayer *r, const struct looked *l, bool aside,
                             struct standing *old)
{
    struct bucket b;
    bool found;
    char file[300], *path;

    old->there = false;
    if (!store_bucket_get(s, l->result.key, &b, &found))
        return false;
    if (found)
        return true;
    file_of(l->result.key, aside, file);
    path = format_text("%s/%s", store_folder(s), file);
    old->there = access(path, F_OK) == 0;
    old->readable = old->there && load_scenario(path, &old->scenario);
    if (old->readable)
        replay_run(r, &old->scenario, l->target, &old->result);
    free(path);
    return true;
}

/* Where it shows the key and is no larger it is the better one; what shows something else is put beside. */
static bool take_over(struct store *s, const struct standing *old, const struct bucket *b, struct looked *l)
{
    char *path, *beside;
    bool ok;

    if (!old->there)
        return true;
    if (old->readable && strcmp(old->result.key, b->key) == 0) {
        if (old->scenario.nrecords <= l->seen.nrecords) {
            l->seen = old->scenario;
            l->result = old->result;
        }
        return true;
    }
    path = format_text("%s/%s", store_folder(s), b->file);
    beside = format_text("%.*s-%08" PRIx32 ".scn", (int)(strlen(path) - 4), path,
                         old->readable ? (uint32_t)triage_digest(&old->scenario) : (uint32_t)time(NULL));
    ok = rename(path, beside) == 0;
    if (!ok)
        complain("%s: cannot move it aside: %s", path, strerror(errno));
    free(beside);
    free(path);
    return ok;
}

static bool make_bucket(struct store *s, const struct standing *old, struct looked *l,
                        const struct triage_origin *origin, bool aside, struct bucket *b)
{
    memset(b, 0, sizeof *b);
    snprintf(b->key, sizeof b->key, "%s", l->result.key);
    b->status = BUCKET_OPEN;
    b->aside = aside;
    b->target = l->target;
    b->first_seen = b->last_seen = (int64_t)time(NULL);
    snprintf(b->first_build, sizeof b->first_build, "%s", store_build(s));
    snprintf(b->last_build, sizeof b->last_build, "%s", store_build(s));
    snprintf(b->found_by, sizeof b->found_by, "%s", origin->found_by);
    b->after = origin->after;
    b->events = origin->events;
    b->first_size = l->scenario.nrecords;
    b->tries = l->tries;
    b->reproduced = l->reproduced;
    file_of(b->key, aside, b->file);
    if (!take_over(s, old, b, l))
        return false;
    triage_describe(b, &l->seen, &l->result);
    return triage_write(s, b, &l->seen) && store_bucket_put(s, b);
}

/* It shows again: what that means for a bucket that was thought to be done with. */
static bool reopen(struct store *s, struct bucket *b)
{
    const char *build = store_build(s);
    char was[sizeof b->reason];
    struct bucket of;
    bool found;

    snprintf(was, sizeof was, "%s", b->reason);
    if (b->status == BUCKET_FIXED && strcmp(b->last_build, build) != 0) {
        b->status = BUCKET_REGRESSION;
        snprintf(b->reason, sizeof b->reason, RULE "back under %s; it was fixed: %.250s", build,
                 was[0] ? was : "no reason given");
    } else if (b->status == BUCKET_DUPLICATE) {
        if (!store_bucket_get(s, b->duplicate_of, &of, &found))
            return false;
        if (found && (of.status != BUCKET_FIXED || strcmp(of.last_build, build) == 0))
            return true;
        b->status = BUCKET_OPEN;
        snprintf(b->reason, sizeof b->reason,
                 RULE "%.180s, of which it was a duplicate, is %s, and this shows under %s", b->duplicate_of,
                 found ? "fixed" : "gone", build);
        b->duplicate_of[0] = 0;
    }
    if (b->stage == STAGE_INCUBATING && strcmp(b->last_build, build) != 0) {
        b->stage = STAGE_CRASHING;
        b->clean_builds = 0;
        return store_clean_builds_reset(s, b->key);
    }
    return true;
}

static bool update_bucket(struct store *s, const struct looked *l, bool replaces, struct bucket *b)
{
    char *path = format_text("%s/%s", store_folder(s), b->file);
    bool lost = access(path, R_OK) != 0;

    free(path);
    if (!reopen(s, b))
        return false;
    if (l->seen.nrecords < b->nrecords || lost || replaces) {
        b->minimised = false;
        b->target = l->target;
        triage_describe(b, &l->seen, &l->result);
        if (!triage_write(s, b, &l->seen))
            return false;
    }
    b->tries = l->tries;
    b->reproduced = l->reproduced;
    if (b->last_seen < (int64_t)time(NULL))
        b->last_seen = (int64_t)time(NULL);
    snprintf(b->last_build, sizeof b->last_build, "%s", store_build(s));
    return store_bucket_put(s, b);
}

static bool keep(struct store *s, const struct standing *old, struct looked *l, const struct triage_origin *origin,
                 bool aside, struct bucket *out, enum taken *taken)
{
    uint64_t digest = triage_digest(&l->scenario), files;
    char known[STORE_KEY], file[300] = "";
    bool found, was_known, is_new;

    if (!store_bucket_get(s, l->result.key, out, &found) || !store_artifact_known(s, digest, known, &was_known))
        return false;
    was_known = was_known && strcmp(known, l->result.key) == 0;
    if (!(found ? update_bucket(s, l, false, out) : make_bucket(s, old, l, origin, aside, out)))
        return false;
    if (!was_known && origin->path) {
        if (!store_artifact_files(s, out->key, &files) ||
            (files < TRIAGE_ARTIFACTS && !copy_artifact(s, out->key, origin->path, digest, file)))
            return false;
    }
    if (!store_artifact_add(s, digest, out->key, file[0] ? file : NULL, origin->found_by, &is_new) ||
        !store_bucket_get(s, l->result.key, out, &was_known))
        return false;
    *taken = !found ? TAKEN_NEW : is_new ? TAKEN_AGAIN : TAKEN_KNOWN;
    return true;
}

/* An engine stopped on it, and no replay shows why. */
static bool unreproduced(struct looked *l, const struct triage_origin *origin)
{
    const char *base = origin->path ? strrchr(origin->path, '/') : NULL;

    base = base ? base + 1 : origin->path ? origin->path : "no file";
    l->target = origin->target;
    if (origin->in_executor && !origin->limit) {
        snprintf(l->result.key, sizeof l->result.key, "executor-crash/unicorn/unreproduced");
        snprintf(
            l->result.detail, sizeof l->result.detail,
            "the engine's process died inside the executor (%.100s), and a replay does not: the executor's own trouble",
            base);
        return true;
    }
    snprintf(l->result.key, sizeof l->result.key, "unreproduced/%s%s", origin->limit ? "limit/" : "",
             fl_target_name(origin->target));
    snprintf(l->result.detail, sizeof l->result.detail,
             "%.60s stopped on this input (%.100s%s), the replay found nothing", origin->found_by, base,
             origin->limit ? ", a limit of time or memory" : "");
    return origin->limit;
}

static enum taken store_looked(struct store *s, struct replayer *r, struct looked *l,
                               const struct triage_origin *origin, struct bucket *out)
{
    bool aside = l->result.end == REPLAY_EXECUTOR_DIED, begun;
    struct standing *old;
    enum taken taken = TAKEN_FAILED;

    if (l->result.end == REPLAY_UNABLE) {
        complain("%s: %s", origin->path ? origin->path : "an input", l->result.detail);
        return TAKEN_FAILED;
    }
    if (!l->result.key[0])
        aside = unreproduced(l, origin);
    old = malloc(sizeof *old);
    if (!old) {
        complain("out of memory");
        return TAKEN_FAILED;
    }
    begun = look_at_standing(s, r, l, aside, old) && store_begin(s);
    if (begun && !keep(s, old, l, origin, aside, out, &taken)) {
        store_rollback(s);
        begun = false;
    }
    free(old);
    return begun && store_commit(s) ? taken : TAKEN_FAILED;
}

bool triage_shown(struct store *s, const struct looked *l, bool replaces, struct bucket *b)
{
    bool found;

    if (!store_begin(s))
        return false;
    if (!store_bucket_get(s, b->key, b, &found) || (found && !update_bucket(s, l, replaces, b))) {
        store_rollback(s);
        return false;
    }
    return store_commit(s);
}

/* This very input was taken, under this build, and nothing about its bucket is to be thought over. *known [OUT]. */
static bool is_known(struct store *s, const struct looked *l, bool *known, struct bucket *out)
{
    char key[STORE_KEY];
    struct bucket b;
    bool found;

    *known = false;
    if (!l->result.key[0])
        return true;
    if (!store_artifact_known(s, triage_digest(&l->scenario), key, &found))
        return false;
    if (!found || strcmp(key, l->result.key) != 0)
        return true;
    if (!store_bucket_get(s, key, &b, &found))
        return false;
    *known =
        found && b.status != BUCKET_FIXED && b.status != BUCKET_DUPLICATE && strcmp(b.last_build, store_build(s)) == 0;
    if (*known)
        *out = b;
    return true;
}

enum taken triage_take_looked(struct store *s, struct replayer *r, struct looked *l, const struct triage_origin *origin,
                              bool import, struct bucket *out)
{
    bool known;

    if (import && !l->result.key[0])
        return TAKEN_NOTHING;
    if (!is_known(s, l, &known, out))
        return TAKEN_FAILED;
    if (known)
        return TAKEN_KNOWN;
    triage_look_again(r, l);
    return store_looked(s, r, l, origin, out);
}

enum taken triage_take(struct store *s, struct replayer *r, const struct fl_scenario *scenario,
                       const struct triage_origin *origin, bool import, struct bucket *out)
{
    struct looked *l = calloc(1, sizeof *l);
    enum taken taken;

    if (!l) {
        complain("out of memory");
        return TAKEN_FAILED;
    }
    triage_look(r, scenario, origin->target, l);
    taken = triage_take_looked(s, r, l, origin, import, out);
    free(l);
    return taken;
}
