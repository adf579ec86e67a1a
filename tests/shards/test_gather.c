/* SPDX-License-Identifier: MIT */
/* The store of the whole is what its shards have: counts, firsts, shortest scenarios, figures; again and again the same. */
#include "shards_test.h"

static uint64_t count_of(const char *key)
{
    struct bucket b;
    struct store *s = open_whole();
    bool found = false;

    CHECK(store_bucket_get(s, key, &b, &found) && found, "%s is not in the whole", key);
    store_close(s);
    return found ? b.count : 0;
}

static void fill(void)
{
    struct store *s = shard(0);

    put_bucket(s, 0,
               &(struct made){
                   .key = "a/b/c/d", .first = 200, .last = 300, .by = "fault-afl-0", .build = "new", .nrecords = 9});
    put_artifacts(s, 0, "a/b/c/d", 1, 3);
    put_bucket(s, 0,
               &(struct made){
                   .key = "only/in/shard/0", .first = 5, .last = 6, .by = "walk-afl-0", .build = "new", .nrecords = 2});
    put_artifacts(s, 0, "only/in/shard/0", 100, 40);
    store_close(s);
    s = shard(1);
    put_bucket(s, 1,
               &(struct made){.key = "a/b/c/d",
                              .first = 100,
                              .last = 250,
                              .by = "fault-libfuzzer-0",
                              .build = "old",
                              .nrecords = 4,
                              .minimised = true});
    put_artifacts(s, 1, "a/b/c/d", 2, 5);
    store_close(s);
}

static void test_buckets(void)
{
    struct gathered g;
    struct bucket b;
    struct store *s;
    bool found;
    uint64_t files;
    char text[64] = "";

    fill();
    CHECK(shards_gather(root, true, &g), "two shards are gathered");
    CHECK_EQ(g.shards, 2, "shards");
    CHECK_EQ(g.bad + g.empty, 0, "all of them could be read");
    CHECK_EQ(g.new_buckets, 2, "buckets");
    /* 1 2 3 and 2 3 4 5 6, and 40 of the other. */
    CHECK_EQ(g.new_artifacts, 6 + 40, "artifacts");
    CHECK_EQ(count_of("a/b/c/d"), 6, "an artifact that two shards have counts once");
    CHECK_EQ(count_of("only/in/shard/0"), 40, "the other's");
    s = open_whole();
    store_bucket_get(s, "a/b/c/d", &b, &found);
    CHECK_EQ(b.first_seen, 100, "the first");
    CHECK(strcmp(b.found_by, "1/fault-libfuzzer-0") == 0, "found by %s", b.found_by);
    CHECK(strcmp(b.first_build, "old") == 0, "first build %s", b.first_build);
    CHECK_EQ(b.last_seen, 300, "the last");
    CHECK(strcmp(b.last_build, "new") == 0, "last build %s", b.last_build);
    CHECK_EQ(b.nrecords, 4, "the shorter scenario");
    CHECK(b.minimised, "which is minimised");
    text[slurp(at(b.file), (uint8_t *)text, sizeof text - 1)] = 0;
    CHECK(strcmp(text, "shard 1, a/b/c/d") == 0, "its text is \"%s\"", text);
    CHECK(store_artifact_files(s, "only/in/shard/0", &files), "files");
    CHECK_EQ(files, TRIAGE_ARTIFACTS, "no more bytes than of one campaign are kept");
    store_close(s);
}

static void test_again(void)
{
    struct gathered g;
    char *before = dump(), *after;

    CHECK(strlen(before) > 500, "something to compare: %s", before);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(shards_gather(root, true, &g), "again");
        CHECK_EQ(g.new_buckets + g.new_artifacts, 0, "nothing is new");
        after = dump();
        CHECK(strcmp(before, after) == 0, "doing it again changes nothing: %s\nand then %s", before, after);
        free(after);
    }
    free(before);
}

/* Set by a person in the whole, while shards know nothing of it. */
static void test_people(void)
{
    struct bucket b;
    struct store *s = open_whole(), *theirs;
    bool found;

    store_bucket_get(s, "a/b/c/d", &b, &found);
    b.status = BUCKET_INVALID;
    snprintf(b.reason, sizeof b.reason, "the manual says otherwise");
    b.number = 15;
    b.stage = STAGE_INCUBATING;
    store_bucket_put(s, &b);
    store_bucket_get(s, "only/in/shard/0", &b, &found);
    b.status = BUCKET_FIXED;
    snprintf(b.reason, sizeof b.reason, "fixed in 1234567");
    store_bucket_put(s, &b);
    store_close(s);
    CHECK(shards_gather(root, true, NULL), "gathered");
    s = open_whole();
    store_bucket_get(s, "a/b/c/d", &b, &found);
    CHECK_EQ(b.status, BUCKET_INVALID, "what a person decided stands");
    CHECK(strcmp(b.reason, "the manual says otherwise") == 0, "with its reason: %s", b.reason);
    CHECK_EQ(b.number, 15, "and its regression");
    CHECK_EQ(b.stage, STAGE_INCUBATING, "and its stage");
    store_bucket_get(s, "only/in/shard/0", &b, &found);
    CHECK_EQ(b.status, BUCKET_FIXED, "fixed");
    store_close(s);
    /* A shard sees it again, under another build. */
    theirs = shard(0);
    store_bucket_get(theirs, "only/in/shard/0", &b, &found);
    b.last_seen = 1000;
    snprintf(b.last_build, sizeof b.last_build, "newer");
    store_bucket_put(theirs, &b);
    store_close(theirs);
    CHECK(shards_gather(root, true, NULL), "gathered");
    s = open_whole();
    store_bucket_get(s, "only/in/shard/0", &b, &found);
    CHECK_EQ(b.status, BUCKET_REGRESSION, "what was fixed and comes back");
    CHECK(strstr(b.reason, "fixed in 1234567") != NULL, "says so: %s", b.reason);
    store_close(s);
}

static void test_figures(void)
{
    uint8_t cells[FL_CELLS] = {0};
    struct decisions d = {0};
    struct sample m;
    struct run run;
    struct job job;
    struct store *s;
    bool found;
    uint64_t n;

    for (unsigned k = 0; k < 2; k++) {
        struct run r = {.state = RUN_RUNNING, .slots = 2, .ran = 10 + k, .disk = 100};

        s = shard(k);
        store_run_begin(s, &r);
        for (unsigned i = 1; i <= 10; i++) {
            struct sample two[2] = {
                {.at = i + k * 0.5,
                 .target = FL_TARGET_FAULT,
                 .executions = i * 10,
                 .edges = 50 + k,
                 .corpus_files = 7},
                {.at = i + k * 0.5, .target = FL_TARGET_ALL, .executions = i * 10, .edges = 50 + k, .corpus_files = 7}};

            CHECK(store_samples_add(s, two, 2), "a sample");
        }
        job = (struct job){.target = FL_TARGET_FAULT, .state = JOB_WORKING, .rate = 5, .pid = 1};
        snprintf(job.name, sizeof job.name, "fault-afl-0");
        store_job_put(s, &job);
        cells[3] = cells[4 + k] = 1;
        store_cells_add(s, cells, FL_TARGET_FAULT, 2 - k, NULL);
        memset(cells, 0, sizeof cells);
        d.count[1][2][3] = 10 + k;
        store_decisions_put(s, r.id, &d);
        r.ran = 10 + k;
        r.state = k ? RUN_STOPPED : RUN_RUNNING;
        store_run_put(s, &r);
        store_close(s);
    }
    CHECK(shards_gather(root, true, NULL), "gathered");
    s = open_whole();
    CHECK(store_run_last(s, &run, &found) && found, "a run stands for all");
    CHECK_EQ(run.slots, 4, "slots of both");
    CHECK_EQ(run.state, RUN_RUNNING, "one works");
    CHECK(run.ran > 10.9 && run.ran < 11.1, "side by side, not end to end: %f", run.ran);
    CHECK(store_sample_last(s, FL_TARGET_FAULT, &m, &found) && found, "a sample");
    CHECK_EQ(m.executions, 200, "sums");
    CHECK_EQ(m.edges, 51, "the larger");
    CHECK_EQ(m.corpus_files, 14, "sums");
    CHECK(store_sample_last(s, FL_TARGET_ALL, &m, &found) && found, "a sample");
    CHECK_EQ(m.cells, 3, "cells, each once");
    CHECK(store_cells_count(s, &n), "cells");
    CHECK_EQ(n, 3, "cells, each once");
    CHECK(store_job_get(s, "0/fault-afl-0", &job, &found) && found, "a job of shard 0");
    CHECK_EQ(job.pid, 0, "whose process is somewhere else");
    CHECK_EQ(job.state, JOB_WORKING, "works");
    CHECK(store_job_get(s, "1/fault-afl-0", &job, &found) && found, "a job of shard 1");
    CHECK_EQ(job.state, JOB_IDLE, "has ended with it");
    CHECK(store_decisions_get(s, &d), "decisions");
    CHECK_EQ(d.count[1][2][3], 21, "sums");
    store_close(s);
    CHECK(shards_gather(root, true, NULL), "gathered again");
    s = open_whole();
    CHECK(store_run_last(s, &run, &found) && found, "a run");
    CHECK_EQ(run.id, 1, "still the same one");
    CHECK(store_decisions_get(s, &d), "decisions");
    CHECK_EQ(d.count[1][2][3], 21, "not counted twice");
    store_close(s);
}

struct shards_seen {
    unsigned n;
    char state[8][24];
};

static bool see_shard(const struct shard *shard, void *ctx)
{
    struct shards_seen *seen = ctx;

    memcpy(seen->state[seen->n++], shard->state, 24);
    return seen->n < 8;
}

static void test_damaged(void)
{
    uint8_t *bytes = malloc(1 << 20);
    struct shards_seen seen = {0};
    struct gathered g;
    struct store *s;
    size_t size;

    store_close(shard(2));
    size = slurp(at("shards/2/campaign.db"), bytes, 1 << 20);
    CHECK(size > 8192, "%zu bytes", size);
    memset(bytes + 4096, 0xa5, size - 4096);
    spill(at("shards/2/campaign.db"), bytes, size);
    unlink(at("shards/2/campaign.db-wal"));
    unlink(at("shards/2/campaign.db-shm"));
    mkdir(at("shards/3"), 0777);
    mkdir(at("shards/4"), 0777);
    spill(at("shards/4/campaign.db"), "rubbish", 7);
    s = shard(1);
    put_artifacts(s, 1, "a/b/c/d", 500, 1);
    store_close(s);
    listen_to_stderr();
    CHECK(shards_gather(root, true, &g), "gathered all the same");
    said_words("shards/2: shard 2 is left out");
    CHECK_EQ(g.bad, 2, "damaged ones");
    CHECK_EQ(g.empty, 1, "one that has not begun");
    CHECK_EQ(g.new_artifacts, 1, "the others are merged");
    CHECK_EQ(slurp(at("shards/4/campaign.db"), bytes, 100), 7, "the damaged one is left as it is");
    s = open_whole();
    CHECK(store_shards_each(s, see_shard, &seen), "shards");
    store_close(s);
    CHECK_EQ(seen.n, 5, "each has a row");
    CHECK(strcmp(seen.state[2], "unreadable") == 0, "shard 2 is %s", seen.state[2]);
    CHECK(strcmp(seen.state[3], "not begun") == 0, "shard 3 is %s", seen.state[3]);
    for (unsigned i = 2; i < 5; i++) {
        char name[32];

        snprintf(name, sizeof name, "shards/%u", i);
        remove_all(at(name));
    }
    free(bytes);
}

int main(void)
{
    make_root();
    mkdir(at("shards"), 0777);
    test_buckets();
    test_again();
    test_people();
    test_figures();
    test_damaged();
    remove_all(root);
    return check_done("gather");
}
