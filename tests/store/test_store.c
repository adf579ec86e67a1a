/* SPDX-License-Identifier: MIT */
/* What is put in comes out; transactions; finding a bucket by what a person types; a full disk. */
#include "store_test.h"

static bool same_bucket(const struct bucket *a, const struct bucket *b)
{
    return strcmp(a->key, b->key) == 0 && strcmp(a->title, b->title) == 0 && a->aside == b->aside &&
           a->status == b->status && strcmp(a->reason, b->reason) == 0 &&
           strcmp(a->duplicate_of, b->duplicate_of) == 0 && a->severity == b->severity &&
           strcmp(a->severity_why, b->severity_why) == 0 && a->target == b->target && a->count == b->count &&
           a->tries == b->tries && a->reproduced == b->reproduced && a->first_seen == b->first_seen &&
           a->last_seen == b->last_seen && strcmp(a->first_build, b->first_build) == 0 &&
           strcmp(a->last_build, b->last_build) == 0 && strcmp(a->found_by, b->found_by) == 0 && a->after >= b->after &&
           a->after <= b->after && a->events == b->events && strcmp(a->detail, b->detail) == 0 &&
           a->record == b->record && a->nrecords == b->nrecords && a->first_size == b->first_size &&
           a->minimised == b->minimised && strcmp(a->file, b->file) == 0 && a->number == b->number &&
           a->stage == b->stage && a->clean_builds == b->clean_builds;
}

static void test_roundtrip(void)
{
    struct bucket b = bucket("decision/vma-write/served/refused"), got;
    struct store *s = open_new("roundtrip");
    char key[STORE_KEY];
    uint64_t n;
    uint32_t builds;
    bool found, is_new;

    snprintf(b.title, sizeof b.title, "caf\xc3\xa9");
    snprintf(b.detail, sizeof b.detail, "one\ntwo");
    snprintf(b.file, sizeof b.file, "findings/a.scn");
    snprintf(b.reason, sizeof b.reason, "because");
    snprintf(b.found_by, sizeof b.found_by, "fault-afl-0");
    b.status = BUCKET_REGRESSION;
    b.count = UINT64_MAX;
    b.tries = 3, b.reproduced = 2, b.first_seen = -5, b.last_seen = INT64_MAX, b.after = 1.25, b.events = 1ull << 40;
    b.record = UINT32_MAX, b.nrecords = 7, b.first_size = 200, b.minimised = true, b.number = 15;
    b.stage = STAGE_INCUBATING, b.clean_builds = 4;
    CHECK(store_bucket_put(s, &b), "put");
    store_close(s);
    CHECK(store_is_folder(at("roundtrip")), "is a folder");
    CHECK(!store_is_folder(root), "is none");

    s = store_open(at("roundtrip"), STORE_READ);
    CHECK(s && store_bucket_get(s, b.key, &got, &found) && found && same_bucket(&b, &got), "read");
    CHECK(store_bucket_get(s, "decision", &got, &found) && !found, "no such key");
    store_close(s);

    s = store_open(at("roundtrip"), STORE_WRITE);
    b.count = 0;
    CHECK(store_bucket_put(s, &b), "replace");
    CHECK(store_artifact_add(s, 1, b.key, "artifacts/1", "fault-afl-0", &is_new) && is_new, "first artifact");
    CHECK(store_artifact_add(s, 1, b.key, NULL, "fault-afl-0", &is_new) && !is_new, "the same again");
    CHECK(store_artifact_add(s, UINT64_MAX, b.key, NULL, "import", &is_new) && is_new, "a second");
    CHECK(store_artifact_known(s, 1, key, &found) && found && strcmp(key, b.key) == 0, "known");
    CHECK(store_artifact_known(s, 2, key, &found) && !found, "not known");
    CHECK(store_artifact_files(s, b.key, &n) && n == 1, "files: %" PRIu64, n);
    CHECK(store_bucket_get(s, b.key, &got, &found) && got.count == 2, "count is %" PRIu64, got.count);
    CHECK(strcmp(got.last_build, store_build(s)) == 0 && got.last_build[0], "last build %s", got.last_build);
    CHECK_EQ(got.last_seen, INT64_MAX, "a clock that was ahead does not go back");
    SAYS("of which there is no bucket", "artifact without bucket",
         CHECK(!store_artifact_add(s, 3, "none", NULL, "import", &is_new), "no bucket"));
    CHECK(store_artifact_known(s, 3, key, &found) && !found, "nothing of the failed call is there");

    CHECK(store_clean_build(s, b.key, "one", &builds) && builds == 1, "one build");
    CHECK(store_clean_build(s, b.key, "one", &builds) && builds == 1, "a build counts once");
    CHECK(store_clean_build(s, b.key, "two", &builds) && builds == 2, "two builds");
    CHECK(store_bucket_get(s, b.key, &got, &found) && got.clean_builds == 2, "in the bucket");
    CHECK(store_clean_builds_reset(s, b.key), "reset");
    CHECK(store_clean_build(s, b.key, "two", &builds) && builds == 1, "counted anew");
    store_close(s);
}

static void test_order(void)
{
    static const struct {
        const char *key;
        enum bucket_status status;
        enum severity severity;
        bool aside;
        uint64_t count;
    } rows[] = {
        {"a", BUCKET_REGRESSION, SEVERITY_CRITICAL, false, 1},
        {"b", BUCKET_OPEN, SEVERITY_CRITICAL, false, 1},
        {"d", BUCKET_OPEN, SEVERITY_LOW, false, 9},
        {"c", BUCKET_OPEN, SEVERITY_LOW, false, 1},
        {"e", BUCKET_FIXED, SEVERITY_CRITICAL, false, 1},
        {"f", BUCKET_OPEN, SEVERITY_CRITICAL, true, 1},
    };
    struct store *s = open_new("order");
    struct seen seen = {0};
    uint64_t n;

    for (unsigned i = 6; i-- > 0;) {
        struct bucket b = bucket(rows[i].key);

        b.status = rows[i].status, b.severity = rows[i].severity, b.aside = rows[i].aside, b.count = rows[i].count;
        CHECK(store_bucket_put(s, &b), "put");
    }
    CHECK(store_buckets_each(s, see, &seen) && seen.n == 6, "each");
    for (unsigned i = 0; i < 6; i++)
        CHECK(strcmp(seen.keys[i], rows[i].key) == 0, "place %u: %s, expected %s", i, seen.keys[i], rows[i].key);
    CHECK(store_open_findings(s, &n) && n == 4, "%" PRIu64 " open", n);
    store_close(s);
}

static void test_find(void)
{
    static const char *const keys[] = {"decision/vma-write/served/refused", "decision/vma-write/served/oops",
                                       "decision/vma-write-x/served/refused", "sync/p4d/synced/oops"};
    struct store *s = open_new("find");
    struct bucket b;

    for (unsigned i = 0; i < 4; i++) {
        b = bucket(keys[i]);
        b.number = i == 3 ? 15 : 0;
        CHECK(store_bucket_put(s, &b), "put");
    }
    CHECK(store_bucket_find(s, keys[0], &b) && strcmp(b.key, keys[0]) == 0, "whole");
    CHECK(store_bucket_find(s, "sync", &b) && strcmp(b.key, keys[3]) == 0, "begins");
    CHECK(store_bucket_find(s, "sync/p4", &b) && strcmp(b.key, keys[3]) == 0, "begins inside a word");
    CHECK(store_bucket_find(s, "0015", &b) && strcmp(b.key, keys[3]) == 0, "number");
    CHECK(store_bucket_find(s, "15", &b) && strcmp(b.key, keys[3]) == 0, "number without zeros");
    CHECK(store_bucket_find(s, "p4d", &b) && strcmp(b.key, keys[3]) == 0, "word");
    CHECK(store_bucket_find(s, "vma-write-x", &b) && strcmp(b.key, keys[2]) == 0, "word");
    CHECK(store_bucket_find(s, "vma-write/served/refused", &b) && strcmp(b.key, keys[0]) == 0, "words");
    SAYS("names 2 buckets: decision/vma-write/served/oops, decision/vma-write/served/refused", "ambiguous word",
         CHECK(!store_bucket_find(s, "vma-write", &b), "ambiguous"));
    SAYS("names 3 buckets", "ambiguous beginning", CHECK(!store_bucket_find(s, "decision", &b), "ambiguous"));
    SAYS("no bucket \"4d\"", "part of a word", CHECK(!store_bucket_find(s, "4d", &b), "no word"));
    SAYS("empty KEY", "nothing", CHECK(!store_bucket_find(s, "", &b), "empty"));
    store_close(s);
}

static void test_transactions(void)
{
    struct store *s = open_new("transactions"), *other = store_open(at("transactions"), STORE_WRITE);
    struct bucket a = bucket("a"), b = bucket("b"), got;
    bool found, is_new;

    CHECK(store_begin(s) && store_bucket_put(s, &a) && store_begin(s) && store_bucket_put(s, &b), "nested");
    CHECK(store_bucket_get(other, "a", &got, &found) && !found, "nobody sees it before the commit");
    CHECK(store_commit(s), "inner");
    CHECK(store_bucket_get(other, "a", &got, &found) && !found, "nor after the inner one");
    CHECK(store_commit(s), "outer");
    CHECK(store_bucket_get(other, "b", &got, &found) && found, "now");

    a = bucket("c");
    CHECK(store_begin(s) && store_bucket_put(s, &a) && store_begin(s), "again");
    store_rollback(s);
    CHECK(!store_bucket_put(s, &b), "nothing goes in any more");
    CHECK(!store_commit(s), "a rolled back part takes the whole with it");
    CHECK(store_bucket_get(s, "c", &got, &found) && !found, "it is not there");
    CHECK(store_bucket_put(s, &a) && store_bucket_get(other, "c", &got, &found) && found, "and on it goes");
    CHECK(store_begin(s), "left open");
    CHECK(store_artifact_add(s, 9, "a", NULL, "x", &is_new), "in it");
    store_close(s);
    CHECK(store_artifact_known(other, 9, got.key, &found) && !found, "closing without commit stores nothing");
    store_close(other);
}

/* SQLite's own limit on pages answers as a full disk does. */
static void test_full(void)
{
    struct store *s = open_new("full");
    struct bucket b = bucket("first"), got;
    bool found, ok = true;

    CHECK(store_bucket_put(s, &b) && !store_full(s), "put");
    store_close(s);
    s = open_new("full");
    CHECK(sqlite3_exec(s->db, "PRAGMA max_page_count=16", NULL, NULL, NULL) == SQLITE_OK, "limit");
    listen_to_stderr();
    for (unsigned i = 0; ok && i < 1000; i++) {
        char key[32];

        snprintf(key, sizeof key, "full/%u", i);
        b = bucket(key);
        memset(b.detail, 'x', sizeof b.detail - 1);
        ok = store_bucket_put(s, &b);
    }
    said_one_line("no space left on the device", "a full disk");
    CHECK(!ok && store_full(s), "a full disk is told");
    CHECK(store_bucket_get(s, b.key, &got, &found) && !found, "nothing of the failed call is there");
    CHECK(store_bucket_get(s, "first", &got, &found) && found, "and all of the others");
    store_close(s);
}

static void test_build_name(void)
{
    char a[STORE_BUILD], b[STORE_BUILD];
    size_t n;

    build_name(NULL, a);
    n = strspn(a, "0123456789abcdef");
    CHECK((n >= 7 && a[n] == 0) || ((n == 0 || n >= 7) && (a[n] == '+' || a[n] == '-') && strlen(a + n) == 9),
          "\"%s\" names no build", a);
    spill(at("core.so"), "one", 3);
    build_name(at("core.so"), a);
    spill(at("core.so"), "two", 3);
    build_name(at("core.so"), b);
    CHECK(strstr(a, "/core.so@") && strcmp(a, b) != 0, "%s, %s", a, b);
}

int main(void)
{
    make_root();
    test_roundtrip();
    test_order();
    test_find();
    test_transactions();
    test_full();
    test_build_name();
    remove_all(root);
    return check_done("store");
}
