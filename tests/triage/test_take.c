/* SPDX-License-Identifier: MIT */
/*
 * take CORE: inputs become buckets, and what becomes of a bucket in its life. CORE: a core with the bugs of
 * retry-killed.patch and prefetch-window.patch.
 */
#include "triage_test.h"

#include <errno.h>
#include <sys/wait.h>

#define RETRY  "decision/retry-killed-kernel/no-context/fatal-signal"
#define WINDOW "prefetch/rule/ignored/not-ignored"

static struct replayer *buggy, *right;
static struct fl_scenario retry[3], window;
static const char *core;

static struct store *open_store(const char *name)
{
    struct store *s = store_open(at(name), STORE_CREATE);

    if (!s)
        exit(1);
    store_use_core(s, core);
    return s;
}

static void spill(const char *path, const struct fl_scenario *scenario)
{
    uint8_t bytes[FL_SCENARIO_MAX_BYTES];
    size_t n = fl_scenario_encode(scenario, bytes, sizeof bytes);
    FILE *out = fopen(path, "wb");

    if (!out || fwrite(bytes, 1, n, out) != n || fclose(out) != 0)
        exit(1);
}

static struct bucket get(struct store *s, const char *key)
{
    struct bucket b = {0};
    bool found;

    CHECK(store_bucket_get(s, key, &b, &found) && found, "no bucket %s", key);
    return b;
}

static bool is_file(const struct store *s, const char *name)
{
    char path[600];

    snprintf(path, sizeof path, "%s/%s", store_folder(s), name);
    return access(path, R_OK) == 0;
}

static void test_take(void)
{
    struct triage_origin origin = {
        .found_by = "fault-afl-0", .path = at("artifact"), .target = FL_TARGET_FAULT, .after = 1.5, .events = 99};
    struct store *s = open_store("take");
    struct fl_scenario stored;
    struct bucket b;
    uint64_t files;

    spill(at("artifact"), &retry[0]);
    CHECK_EQ(triage_take(s, buggy, &retry[0], &origin, false, &b), TAKEN_NEW, "first");
    CHECK(strcmp(b.key, RETRY) == 0, "key %s", b.key);
    CHECK(b.count == 1 && b.tries == TRIAGE_TRIES && b.reproduced == TRIAGE_TRIES, "%u of %u", b.reproduced, b.tries);
    CHECK(b.status == BUCKET_OPEN && b.severity == SEVERITY_HIGH && !b.aside && !b.minimised, "bucket");
    CHECK(b.target == FL_TARGET_ALL, "target %s", fl_target_name(b.target));
    CHECK(strcmp(b.found_by, "fault-afl-0") == 0 && b.events == 99 && b.after > 1 && b.title[0], "origin");
    CHECK(strcmp(b.first_build, store_build(s)) == 0 && strcmp(b.last_build, store_build(s)) == 0, "build");
    CHECK(strstr(b.first_build, "/bug-") && strchr(b.first_build, '@'), "build %s does not name the core",
          b.first_build);
    CHECK(is_file(s, b.file), "%s is not there", b.file);
    CHECK(triage_read(s, &b, &stored) && stored.nrecords == b.nrecords, "text");
    CHECK_EQ(triage_take(s, buggy, &retry[0], &origin, false, &b), TAKEN_KNOWN, "the same again");
    CHECK_EQ(b.count, 1, "a known one does not count");
    CHECK_EQ(triage_take(s, buggy, &retry[1], &origin, false, &b), TAKEN_AGAIN, "another");
    CHECK_EQ(b.count, 2, "it counts");
    CHECK(store_artifact_files(s, RETRY, &files) && files == 2, "%" PRIu64 " files kept", files);
    CHECK_EQ(triage_take(s, buggy, &window, &(struct triage_origin){.found_by = "x", .target = FL_TARGET_PREFETCH},
                         false, &b),
             TAKEN_NEW, "another bug");
    CHECK(strcmp(b.key, WINDOW) == 0, "key %s", b.key);

    /* The shorter scenario is the one that is kept. */
    {
        uint32_t shortest = retry[0].nrecords < retry[1].nrecords ? retry[0].nrecords : retry[1].nrecords;

        CHECK(get(s, RETRY).nrecords <= shortest, "%u records, %u is possible", get(s, RETRY).nrecords, shortest);
    }

    /* A right core: nothing to see. */
    CHECK_EQ(triage_take(s, right, &retry[2], &origin, true, &b), TAKEN_NOTHING, "import");
    CHECK_EQ(triage_take(s, right, &retry[2], &origin, false, &b), TAKEN_NEW, "engine");
    CHECK(strcmp(b.key, "unreproduced/fault") == 0 && !b.aside && b.reproduced == 0, "key %s", b.key);
    origin.limit = true;
    CHECK_EQ(triage_take(s, right, &retry[2], &origin, false, &b), TAKEN_NEW, "limit");
    CHECK(strcmp(b.key, "unreproduced/limit/fault") == 0 && b.aside && strncmp(b.file, "left-aside/", 11) == 0,
          "key %s", b.key);
    origin.limit = false;
    origin.in_executor = true;
    CHECK_EQ(triage_take(s, right, &retry[2], &origin, false, &b), TAKEN_NEW, "executor");
    CHECK(strcmp(b.key, "executor-crash/unicorn/unreproduced") == 0 && b.aside, "key %s", b.key);
    store_close(s);
}

/* What has no target, as imports have, is judged as whichever shows something. */
static void test_no_target(void)
{
    struct triage_origin origin = {.found_by = "import", .target = FL_TARGET_ALL};
    struct store *s = open_store("no-target");
    struct bucket b;

    CHECK_EQ(triage_take(s, buggy, &retry[0], &origin, true, &b), TAKEN_NEW, "retry");
    CHECK_EQ(triage_take(s, buggy, &window, &origin, true, &b), TAKEN_NEW, "window");
    store_close(s);
}

static void test_minimise(void)
{
    struct triage_origin origin = {.found_by = "x", .target = FL_TARGET_FAULT};
    struct store *s = open_store("minimise");
    struct replay_result result;
    struct fl_scenario small;
    struct bucket b, now;
    bool changed;

    triage_take(s, buggy, &retry[0], &origin, false, &b);
    CHECK(triage_minimise(s, buggy, &b, &changed) && changed && b.minimised, "minimised");
    now = get(s, RETRY);
    CHECK(now.minimised && now.nrecords == b.nrecords && now.nrecords < retry[0].nrecords, "%u of %u records",
          now.nrecords, retry[0].nrecords);
    CHECK(triage_read(s, &now, &small) && small.nrecords == now.nrecords, "its text");
    replay_run(buggy, &small, now.target, &result);
    CHECK(strcmp(result.key, RETRY) == 0 && result.record == now.record, "it shows %s", result.key);
    CHECK(triage_minimise(s, buggy, &b, &changed) && !changed, "once is enough");
    /* A longer one that comes later changes nothing. */
    CHECK_EQ(triage_take(s, buggy, &retry[1], &origin, false, &b), TAKEN_AGAIN, "again");
    CHECK(b.minimised && b.nrecords == now.nrecords, "what was minimised is kept");
    /* Under a core that does not show it, it stays as it is. */
    now.minimised = false;
    CHECK(store_bucket_put(s, &now) && triage_minimise(s, right, &now, &changed) && !changed, "not shown");
    store_close(s);
}

/* ---- life ---------------------------------------------------------------------------------------------------------- */

static void set(struct store *s, const char *key, enum bucket_status status, const char *reason, const char *last_build)
{
    struct bucket b = get(s, key);

    b.status = status;
    snprintf(b.reason, sizeof b.reason, "%s", reason);
    if (last_build)
        snprintf(b.last_build, sizeof b.last_build, "%s", last_build);
    CHECK(store_bucket_put(s, &b), "put");
}

static enum again again(struct store *s, struct replayer *r)
{
    struct bucket b = get(s, RETRY);

    return triage_again(s, r, &b);
}

/* The name of an older build with the same core. */
static const char *older(const struct store *s)
{
    static char name[STORE_BUILD + 8];

    snprintf(name, sizeof name, "0%.90s", store_build(s));
    return name;
}

static void test_life(void)
{
    struct triage_origin origin = {.found_by = "x", .target = FL_TARGET_FAULT};
    struct store *s = open_store("life");
    struct bucket b;

    triage_take(s, buggy, &retry[0], &origin, false, &b);
    CHECK_EQ(again(s, buggy), AGAIN_SHOWN, "still there");
    CHECK_EQ(get(s, RETRY).count, 1, "a replay is no artifact");

    /* Clean under the build that showed it: that is no fix. */
    CHECK_EQ(again(s, right), AGAIN_UNSTABLE, "unstable");
    CHECK_EQ(get(s, RETRY).status, BUCKET_OPEN, "left open");
    CHECK_EQ(get(s, RETRY).reproduced, 0, "0 of 3");

    /* Clean under another: fixed. */
    set(s, RETRY, BUCKET_OPEN, "", older(s));
    CHECK_EQ(again(s, right), AGAIN_CLEAN, "clean");
    b = get(s, RETRY);
    CHECK(b.status == BUCKET_FIXED && strstr(b.reason, "rule: clean under ") == b.reason && strstr(b.reason, older(s)),
          "%s: %s", bucket_status_name(b.status), b.reason);
    CHECK_EQ(again(s, right), AGAIN_STILL, "still clean");

    /* And back: a regression, which names what it was. */
    CHECK_EQ(again(s, buggy), AGAIN_BACK, "back");
    b = get(s, RETRY);
    CHECK(b.status == BUCKET_REGRESSION && strstr(b.reason, "it was fixed: rule: clean under"), "%s: %s",
          bucket_status_name(b.status), b.reason);
    set(s, RETRY, BUCKET_FIXED, "patched", older(s));
    CHECK_EQ(triage_take(s, buggy, &retry[1], &origin, false, &b), TAKEN_AGAIN, "an engine brings it back");
    CHECK(b.status == BUCKET_REGRESSION && strstr(b.reason, "it was fixed: patched"), "%s", b.reason);
    set(s, RETRY, BUCKET_FIXED, "patched", older(s));
    CHECK_EQ(triage_take(s, buggy, &retry[1], &origin, false, &b), TAKEN_KNOWN, "and so does a known input");
    CHECK_EQ(b.status, BUCKET_REGRESSION, "status");

    /* What the last build that showed it leaves behind is no regression. */
    set(s, RETRY, BUCKET_FIXED, "patched", store_build(s));
    CHECK_EQ(triage_take(s, buggy, &retry[2], &origin, false, &b), TAKEN_AGAIN, "left over");
    CHECK_EQ(b.status, BUCKET_FIXED, "status");

    /* Invalid stays invalid. */
    set(s, RETRY, BUCKET_INVALID, "as documented", older(s));
    CHECK_EQ(again(s, buggy), AGAIN_SHOWN, "shown");
    CHECK_EQ(get(s, RETRY).status, BUCKET_INVALID, "status");
    set(s, RETRY, BUCKET_INVALID, "as documented", older(s));
    CHECK_EQ(again(s, right), AGAIN_STILL, "clean");
    CHECK_EQ(get(s, RETRY).status, BUCKET_INVALID, "status");
    CHECK(strcmp(get(s, RETRY).reason, "as documented") == 0, "reason");

    /* A duplicate of what is fixed, and shows all the same, is a bug of its own. */
    triage_take(s, buggy, &window, &(struct triage_origin){.found_by = "x", .target = FL_TARGET_PREFETCH}, false, &b);
    set(s, WINDOW, BUCKET_FIXED, "patched", older(s));
    b = get(s, RETRY);
    b.status = BUCKET_DUPLICATE;
    snprintf(b.reason, sizeof b.reason, "rule: for the test");
    snprintf(b.duplicate_of, sizeof b.duplicate_of, WINDOW);
    CHECK(store_bucket_put(s, &b), "put");
    CHECK_EQ(again(s, buggy), AGAIN_SHOWN, "shown");
    CHECK(get(s, RETRY).status == BUCKET_OPEN && !get(s, RETRY).duplicate_of[0], "open again");

    /* Another core that is clean says nothing about this one; nor does a run without the executor it needs. */
    set(s, RETRY, BUCKET_OPEN, "", "e6f1ac2/libother.so@12345678");
    CHECK_EQ(again(s, right), AGAIN_SKIPPED, "another core");
    CHECK_EQ(get(s, RETRY).status, BUCKET_OPEN, "status");

    /* Promoted, and back: it has to stay clean anew. */
    b = get(s, RETRY);
    b.stage = STAGE_INCUBATING;
    snprintf(b.last_build, sizeof b.last_build, "%.90s", older(s));
    CHECK(store_bucket_put(s, &b), "put");
    CHECK_EQ(again(s, right), AGAIN_CLEAN, "clean");
    CHECK_EQ(get(s, RETRY).clean_builds, 1, "one clean build");
    CHECK_EQ(again(s, buggy), AGAIN_BACK, "back");
    b = get(s, RETRY);
    CHECK(b.clean_builds == 0 && b.stage == STAGE_CRASHING, "%u clean builds, stage %s", b.clean_builds,
          stage_name(b.stage));
    store_close(s);
}

/* ---- trouble ------------------------------------------------------------------------------------------------------- */

static void quiet(void)
{
    if (!freopen("/dev/null", "w", stderr))
        exit(1);
}

/* In a child, without what it complains about. */
#define IN_CHILD(...)                                                                                                  \
    do {                                                                                                               \
        int child_status;                                                                                              \
        pid_t child = fork();                                                                                          \
        if (child == 0) {                                                                                              \
            bool child_ok = true;                                                                                      \
            quiet();                                                                                                   \
            __VA_ARGS__;                                                                                               \
            _exit(!child_ok);                                                                                          \
        }                                                                                                              \
        waitpid(child, &child_status, 0);                                                                              \
        CHECK_EQ(child_status, 0, "child");                                                                            \
    } while (0)

static void test_trouble(void)
{
    struct triage_origin origin = {.found_by = "x", .target = FL_TARGET_FAULT};
    struct store *s = open_store("trouble");
    struct fl_scenario out;
    struct bucket b;
    char path[600], artifact[700];

    spill(at("artifact"), &retry[0]);
    origin.path = at("artifact");
    triage_take(s, buggy, &retry[0], &origin, false, &b);
    store_close(s);

    /* The text is gone: the artifact stands in. */
    snprintf(path, sizeof path, "%s/%s", at("trouble"), b.file);
    unlink(path);
    IN_CHILD(struct replayer *r = open_replayer(core); struct store *c = open_store("trouble");
             child_ok = triage_read(c, &b, &out) && triage_again(c, r, &b) == AGAIN_SHOWN && access(path, R_OK) == 0);
    /* The database is gone: the text of the finding is not written over by a longer one. */
    {
        struct fl_scenario kept, small;
        struct bucket m;
        bool changed;

        s = open_store("trouble");
        CHECK(store_bucket_get(s, RETRY, &m, &changed) && triage_minimise(s, buggy, &m, &changed) && changed,
              "minimise");
        CHECK(triage_read(s, &m, &small), "read");
        store_close(s);
        unlink(at("trouble/campaign.db"));
        s = open_store("trouble");
        CHECK_EQ(triage_take(s, buggy, &retry[1], &origin, false, &m), TAKEN_NEW, "a new database");
        CHECK(triage_read(s, &m, &kept) && fl_scenario_equal(&kept, &small), "what was minimised is still there");
        CHECK_EQ(m.nrecords, small.nrecords, "and the bucket is about it");
        store_close(s);
    }
    /* Something else has the name: it is put beside. */
    unlink(at("trouble/campaign.db"));
    snprintf(artifact, sizeof artifact, "cp %s/corpus-other.scn %s", root, path);
    {
        FILE *other = fopen(path, "w");

        CHECK(other && fl_scenario_print(&window, other) && fclose(other) == 0, "other");
    }
    s = open_store("trouble");
    CHECK_EQ(triage_take(s, buggy, &retry[0], &origin, false, &b), TAKEN_NEW, "new");
    CHECK(triage_read(s, &b, &out) && out.nrecords == b.nrecords, "its text");
    snprintf(artifact, sizeof artifact, "%.*s-%08x.scn", (int)strlen(path) - 4, path, (uint32_t)triage_digest(&window));
    CHECK(access(artifact, R_OK) == 0, "%s: what had the name is gone", artifact);
    store_close(s);

    /* The folder vanishes: told, and not made again. */
    IN_CHILD(struct replayer *r = open_replayer(core); struct store *c = open_store("vanishing"); struct bucket n;
             nftw(at("vanishing"), remove_one, 16, FTW_DEPTH | FTW_PHYS);
             child_ok = triage_take(c, r, &retry[0], &origin, false, &n) == TAKEN_FAILED &&
                        access(at("vanishing"), F_OK) != 0 && errno == ENOENT && !store_full(c));
    /* findings/ cannot be made: nothing of the bucket is stored. */
    IN_CHILD(struct replayer *r = open_replayer(core); struct store *c = open_store("blocked"); struct bucket n;
             bool found; fclose(fopen(at("blocked/findings"), "w"));
             child_ok = triage_take(c, r, &retry[0], &origin, false, &n) == TAKEN_FAILED &&
                        store_bucket_get(c, RETRY, &n, &found) && !found);
}

static void test_slug(void)
{
    char a[240], b[240], key[300];

    key_slug("decision/vma-write/served/refused", a);
    CHECK(strcmp(a, "decision_vma-write_served_refused") == 0, "%s", a);
    key_slug("a/b", a);
    key_slug("a_b", b);
    CHECK(strcmp(a, b) != 0 && strncmp(b, "a_b-", 4) == 0, "%s and %s", a, b);
    memset(key, 'x', sizeof key - 1);
    key[sizeof key - 1] = 0;
    key_slug(key, a);
    key[290] = 'y';
    key_slug(key, b);
    CHECK(strcmp(a, b) != 0 && strlen(a) < 240, "%s and %s", a, b);
}

int main(int argc, char **argv)
{
    static struct search fault = {.target = FL_TARGET_FAULT}, prefetch = {.target = FL_TARGET_PREFETCH};

    if (argc < 2)
        return 2;
    core = argv[1];
    make_root();
    buggy = open_replayer(core);
    right = open_replayer(NULL);
    for (unsigned i = 0; i < 3; i++)
        must_find(&fault, buggy, RETRY, &retry[i]);
    must_find(&prefetch, buggy, WINDOW, &window);
    test_slug();
    test_take();
    test_no_target();
    test_minimise();
    test_life();
    test_trouble();
    replay_close(buggy);
    replay_close(right);
    remove_root();
    return check_done("triage-take");
}
