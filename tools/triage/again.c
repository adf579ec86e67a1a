/* SPDX-License-Identifier: MIT */
/* A bucket under the present build: it is still there, it is gone, it is back. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "e6f1ac2/libmine.so@1f3d5b7a" -> "libmine.so"; the length is 0 for the core of the tree. */
static size_t core_part(const char *build, const char **name)
{
    const char *slash = strchr(build, '/');

    *name = slash ? slash + 1 : build;
    return slash ? strcspn(*name, "@") : 0;
}

/* Another core that is clean says nothing about this one. */
static bool same_core(const char *a, const char *b)
{
    const char *name, *other;
    size_t n = core_part(a, &name), m = core_part(b, &other);

    return n == m && strncmp(name, other, n) == 0;
}

static bool needs_executor(const struct fl_scenario *s)
{
    for (uint32_t i = 0; i < s->nrecords; i++)
        if (s->records[i].kind == FL_REC_EXEC ||
            (s->records[i].kind == FL_REC_ACCESS && s->records[i].u.access.execute))
            return true;
    return false;
}

/* What the engines saw and no replay did: nothing that could be fixed is known of it. */
static bool never_shown(const struct bucket *b)
{
    return strstr(b->key, "unreproduced") != NULL;
}

static bool is_open(const struct bucket *b)
{
    return b->status == BUCKET_OPEN || b->status == BUCKET_REGRESSION;
}

/* What the tries mean for the bucket, which is changed accordingly. other: the key that it shows instead, or empty. */
static enum again judge(struct store *s, struct bucket *b, unsigned reproduced, unsigned tries, const char *other)
{
    const char *build = store_build(s);
    bool same_build = strcmp(b->last_build, build) == 0;
    char last[STORE_BUILD];
    uint32_t count;

    b->tries = tries;
    b->reproduced = reproduced;
    if (same_build)
        return AGAIN_UNSTABLE;
    if (b->stage == STAGE_CRASHING || b->stage == STAGE_INCUBATING) {
        if (!store_clean_build(s, b->key, build, &count))
            return AGAIN_FAILED;
        b->clean_builds = count;
    }
    if (!is_open(b))
        return AGAIN_STILL;
    snprintf(last, sizeof last, "%s", b->last_build);
    b->status = BUCKET_FIXED;
    if (other[0])
        snprintf(b->reason, sizeof b->reason, RULE "shows %.200s under %s; the last build that showed it: %s", other,
                 build, last);
    else
        snprintf(b->reason, sizeof b->reason, RULE "clean under %s; the last build that showed it: %s", build, last);
    return other[0] ? AGAIN_OTHER : AGAIN_CLEAN;
}

static enum again shown(struct store *s, struct looked *l, bool another, struct bucket *b)
{
    enum bucket_status before = b->status;

    if (!triage_shown(s, l, another, b))
        return AGAIN_FAILED;
    if (b->status == BUCKET_REGRESSION && before != BUCKET_REGRESSION)
        return AGAIN_BACK;
    if (another)
        return AGAIN_ANOTHER;
    return l->reproduced < l->tries ? AGAIN_SOMETIMES : AGAIN_SHOWN;
}

static bool shows_as_any(struct replayer *r, struct looked *l, const char *key)
{
    for (unsigned t = 0; t < FL_TARGET_ALL; t++) {
        triage_look_as(r, (enum fl_target)t, l);
        if (strcmp(l->result.key, key) == 0)
            return true;
    }
    return false;
}

/* Two bugs under one key share a bucket, and its scenario is one's: is one of the inputs that were kept the other's? CLEAN:
 * none is. */
static enum again look_at_others(struct store *s, struct replayer *r, struct bucket *b)
{
    struct looked *l = calloc(1, sizeof *l);
    enum again again = l ? AGAIN_CLEAN : AGAIN_FAILED;
    char file[300];
    bool found;

    for (unsigned n = 0; n < TRIAGE_ARTIFACTS && again == AGAIN_CLEAN; n++) {
        char *path;

        if (!store_artifact_file(s, b->key, n, file, &found) || !found)
            break;
        path = format_text("%s/%s", store_folder(s), file);
        if (access(path, R_OK) == 0 && load_scenario(path, &l->scenario) && shows_as_any(r, l, b->key)) {
            l->tries = l->reproduced = 1;
            triage_look_again(r, l);
            again = shown(s, l, true, b);
        }
        free(path);
    }
    free(l);
    return again;
}

static enum again gone(struct store *s, const struct looked *l, struct bucket *b, const char *other)
{
    enum again again = AGAIN_FAILED;
    bool found;

    if (!store_begin(s))
        return AGAIN_FAILED;
    if (store_bucket_get(s, b->key, b, &found) && found) {
        again = judge(s, b, l->reproduced, l->tries, other);
        if (again != AGAIN_FAILED && !store_bucket_put(s, b))
            again = AGAIN_FAILED;
    }
    if (again == AGAIN_FAILED) {
        store_rollback(s);
        return AGAIN_FAILED;
    }
    return store_commit(s) ? again : AGAIN_FAILED;
}

enum again triage_again(struct store *s, struct replayer *r, const struct bucket *before)
{
    struct looked *l = calloc(1, sizeof *l);
    struct bucket b = *before, other = {0};
    enum again again = AGAIN_FAILED;

    if (!l) {
        complain("out of memory");
        return AGAIN_FAILED;
    }
    if (!triage_read(s, &b, &l->seen))
        goto out;
    if (!same_core(b.last_build, store_build(s)) ||
        (needs_executor(&l->seen) && strncmp(replay_executor(r), "unicorn ", 8) != 0)) {
        again = AGAIN_SKIPPED;
        goto out;
    }
    l->scenario = l->seen;
    l->target = b.target;
    l->tries = TRIAGE_TRIES;
    l->reproduced = triage_reproduces(r, &l->seen, b.target, b.key, &l->tries, &l->result);
    if (l->result.end == REPLAY_UNABLE) {
        complain("%s: %s", b.key, l->result.detail);
        goto out;
    }
    if (l->reproduced) {
        again = shown(s, l, false, &b);
        goto out;
    }
    if (l->result.key[0]) {
        struct triage_origin origin = {.found_by = "triage", .target = b.target};

        if (triage_take(s, r, &l->seen, &origin, true, &other) == TAKEN_FAILED)
            goto out;
    }
    /* Under the build that had shown it, that it is clean says only that it is not stable. */
    again = never_shown(&b) || strcmp(b.last_build, store_build(s)) == 0 ? AGAIN_CLEAN : look_at_others(s, r, &b);
    if (again == AGAIN_CLEAN)
        again = never_shown(&b) && !other.key[0] ? AGAIN_STILL : gone(s, l, &b, other.key);
out:
    free(l);
    return again;
}
