/* SPDX-License-Identifier: MIT */
/* What the tests of shards share: a folder of the whole (root) with shards in it. */
#ifndef FAULTLINE_TESTS_SHARDS_TEST_H
#define FAULTLINE_TESTS_SHARDS_TEST_H

#include "shards/shards.h"
#include "store/store_test.h"
#include "triage/triage.h"

struct made {
    const char *key, *by, *build;
    int64_t first, last;
    uint32_t nrecords;
    bool minimised;
};

static inline struct store *shard(unsigned number)
{
    char name[32];

    snprintf(name, sizeof name, "shards/%u", number);
    return open_new(name);
}

static inline struct store *open_whole(void)
{
    struct store *s = store_open(root, STORE_WRITE);

    CHECK(s != NULL, "the whole can be opened");
    if (!s)
        exit(1);
    return s;
}

/* A bucket and its scenario's file, whose text says of which shard and key it is. */
static inline void put_bucket(struct store *s, unsigned number, const struct made *m)
{
    struct bucket b = bucket(m->key);
    char text[128], path[400];

    b.first_seen = m->first;
    b.last_seen = m->last;
    b.nrecords = m->nrecords;
    b.minimised = m->minimised;
    snprintf(b.found_by, sizeof b.found_by, "%s", m->by);
    snprintf(b.first_build, sizeof b.first_build, "%s", m->build);
    snprintf(b.last_build, sizeof b.last_build, "%s", m->build);
    snprintf(path, sizeof path, "%s/findings", store_folder(s));
    mkdir(path, 0777);
    snprintf(b.file, sizeof b.file, "findings/%.200s.scn", m->key);
    for (char *p = b.file + 9; *p; p++)
        *p = *p == '/' ? '_' : *p;
    snprintf(path, sizeof path, "%s/%s", store_folder(s), b.file);
    spill(path, text, (size_t)snprintf(text, sizeof text, "shard %u, %s", number, m->key));
    CHECK(store_bucket_put(s, &b), "%s is stored", m->key);
}

/* Digests first, first + 1, ..., with a file each; without what adding says of now. */
static inline void put_artifacts(struct store *s, unsigned number, const char *key, uint64_t first, unsigned n)
{
    char path[400];

    snprintf(path, sizeof path, "%s/artifacts", store_folder(s));
    mkdir(path, 0777);
    for (unsigned i = 0; i < n; i++) {
        struct artifact a = {.digest = first + i, .seen = 7};
        bool is_new;

        snprintf(a.key, sizeof a.key, "%s", key);
        snprintf(a.found_by, sizeof a.found_by, "shard %u's", number);
        snprintf(a.file, sizeof a.file, "artifacts/%016" PRIx64, a.digest);
        snprintf(path, sizeof path, "%s/%s", store_folder(s), a.file);
        spill(path, &a.digest, sizeof a.digest);
        CHECK(store_artifact_join(s, &a, &is_new) && is_new, "artifact %u of %s", i, key);
    }
}

/* Something was said that has the words in it. */
static inline void said_words(const char *words)
{
    ssize_t n;

    fflush(stderr);
    dup2(saved_stderr, 2);
    close(saved_stderr);
    n = read(pipe_read, said, sizeof said - 1);
    close(pipe_read);
    said[n > 0 ? n : 0] = 0;
    CHECK(strstr(said, words) != NULL, "said: %s, expected: %s", said, words);
}

/* ---- the store of the whole as text, without what says "now" ---------------------------------------------------------------- */

static inline bool dump_bucket(const struct bucket *b, void *ctx)
{
    fprintf(ctx, "%s %d %s %" PRIu64 " %" PRId64 " %" PRId64 " %s %s %s %u %d %s %u\n", b->key, (int)b->status,
            b->reason, b->count, b->first_seen, b->last_seen, b->first_build, b->last_build, b->found_by, b->nrecords,
            (int)b->minimised, b->file, b->number);
    return true;
}

static inline bool dump_artifact(const struct artifact *a, void *ctx)
{
    char path[700];

    snprintf(path, sizeof path, "%s/%s", root, a->file);
    fprintf(ctx, "%" PRIx64 " %s %d\n", a->digest, a->key, a->file[0] ? access(path, F_OK) : 1);
    return true;
}

static inline bool dump_sample(const struct sample *m, void *ctx)
{
    fprintf(ctx, "%f %d %" PRIu64 " %" PRIu64 "\n", m->at, (int)m->target, m->executions, m->cells);
    return true;
}

static inline bool dump_cell(unsigned cell, enum fl_target target, double at, void *ctx)
{
    fprintf(ctx, "cell %u %d %f\n", cell, (int)target, at);
    return true;
}

/* malloc'd */
static inline char *dump(void)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct store *s = open_whole();

    CHECK(store_buckets_each(s, dump_bucket, out) && store_artifacts_each(s, dump_artifact, out) &&
              store_samples_each(s, FL_TARGET_ALL, dump_sample, out) && store_cells_each(s, dump_cell, out),
          "the whole can be read");
    store_close(s);
    fclose(out);
    return text;
}

#endif
