/* SPDX-License-Identifier: MIT */
/*
 * group GUARD-GAP ONE-ROW CRASH: which keys become duplicates of which, and which stay. First by names alone, then with the
 * inputs of cores that have one bug (and two under one row).
 */
#include "triage_test.h"

static struct store *open_store(const char *name)
{
    struct store *s = store_open(at(name), STORE_CREATE);

    if (!s)
        exit(1);
    return s;
}

static struct bucket get(struct store *s, const char *key)
{
    struct bucket b = {0};
    bool found;

    CHECK(store_bucket_get(s, key, &b, &found) && found, "no bucket %s", key);
    return b;
}

static void put(struct store *s, const char *key, enum severity severity, uint64_t count)
{
    struct bucket b = {.status = BUCKET_OPEN, .severity = severity, .count = count, .target = FL_TARGET_ALL};

    snprintf(b.key, sizeof b.key, "%s", key);
    CHECK(store_bucket_put(s, &b), "put");
}

static void decide(struct store *s, const char *key, enum bucket_status status, const char *reason, const char *of)
{
    struct bucket b = get(s, key);

    b.status = status;
    snprintf(b.reason, sizeof b.reason, "%s", reason);
    snprintf(b.duplicate_of, sizeof b.duplicate_of, "%s", of);
    CHECK(store_bucket_put(s, &b), "put");
}

static void is_duplicate(struct store *s, const char *key, const char *of)
{
    struct bucket b = get(s, key);

    CHECK(b.status == BUCKET_DUPLICATE && strcmp(b.duplicate_of, of) == 0,
          "%s is %s of \"%s\", expected a duplicate of %s", key, bucket_status_name(b.status), b.duplicate_of, of);
    CHECK(triage_by_rule(&b) && strlen(b.reason) > 10, "%s: reason \"%s\"", key, b.reason);
}

static void is_open(struct store *s, const char *key)
{
    struct bucket b = get(s, key);

    CHECK(b.status == BUCKET_OPEN && !b.duplicate_of[0], "%s is %s of \"%s\", expected open", key,
          bucket_status_name(b.status), b.duplicate_of);
}

#define SERVED  "decision/write-denied/refused/served"
#define SIGNAL  "decision/write-denied/signal-accerr/signal-maperr"
#define OTHER   "decision/no-vma/refused/served"
#define FLUSH   "sync/current-copy/flushed/not-flushed"
#define VALUE   "sync/current-copy/value/value-other"
#define ALL     "sync/sync-all/write-expected/write-other"
#define ALL_TOO "sync/sync-all/flushed-last/flushed-early"
#define KIND    "walk/kind/ok/pf-absent"
#define KIND_2  "walk/kind/pf-write/ok"
#define IRQ     "decision/irq/reported-on/reported-off"
#define IRQ_2   "decision/irq/reported-off/reported-on"

static void test_names(void)
{
    struct store *s = open_store("names");

    put(s, SERVED, SEVERITY_CRITICAL, 5);
    put(s, SIGNAL, SEVERITY_MEDIUM, 500);
    put(s, OTHER, SEVERITY_CRITICAL, 1);
    put(s, FLUSH, SEVERITY_HIGH, 1);
    put(s, VALUE, SEVERITY_CRITICAL, 1);
    put(s, ALL, SEVERITY_CRITICAL, 1);
    put(s, ALL_TOO, SEVERITY_HIGH, 1);
    put(s, KIND, SEVERITY_HIGH, 1);
    put(s, KIND_2, SEVERITY_CRITICAL, 1);
    put(s, IRQ, SEVERITY_MEDIUM, 1);
    put(s, IRQ_2, SEVERITY_MEDIUM, 1);
    CHECK(triage_group(s, NULL), "group");
    /* One row of the table: the most severe stays, however often the other was seen. */
    is_open(s, SERVED);
    is_duplicate(s, SIGNAL, SERVED);
    is_open(s, OTHER);
    is_open(s, VALUE);
    is_duplicate(s, FLUSH, VALUE);
    /* Words in the row's place that are wider than one mistake join nothing. */
    is_open(s, ALL);
    is_open(s, ALL_TOO);
    is_open(s, KIND);
    is_open(s, KIND_2);
    is_open(s, IRQ);
    is_open(s, IRQ_2);
    CHECK(triage_group(s, NULL), "again");
    is_duplicate(s, SIGNAL, SERVED);

    /* What a person decided stays, whichever way. */
    decide(s, SIGNAL, BUCKET_OPEN, "two bugs, I looked", "");
    decide(s, FLUSH, BUCKET_DUPLICATE, "same patch", OTHER);
    CHECK(triage_group(s, NULL), "group");
    is_open(s, SIGNAL);
    CHECK(strcmp(get(s, FLUSH).duplicate_of, OTHER) == 0, "of %s", get(s, FLUSH).duplicate_of);
    decide(s, SERVED, BUCKET_FIXED, "patched", "");
    CHECK(triage_group(s, NULL), "group");
    CHECK_EQ(get(s, SERVED).status, BUCKET_FIXED, "status");
    store_close(s);
}

#define FIRST  "decision/area-read/served/refused"
#define SECOND "decision/area-read/served/bad-area"
#define THIRD  "decision/area-read/refused/served"

static void test_leader(void)
{
    struct store *s = open_store("leader");
    struct bucket b;

    put(s, FIRST, SEVERITY_HIGH, 5);
    put(s, SECOND, SEVERITY_HIGH, 4);
    CHECK(triage_group(s, NULL), "group");
    is_open(s, FIRST);
    is_duplicate(s, SECOND, FIRST);
    /* Counts that change from day to day do not change who leads. */
    b = get(s, SECOND);
    b.count = 1000;
    CHECK(store_bucket_put(s, &b) && triage_group(s, NULL), "group");
    is_open(s, FIRST);
    is_duplicate(s, SECOND, FIRST);
    /* A worse one does. */
    put(s, THIRD, SEVERITY_CRITICAL, 1);
    CHECK(triage_group(s, NULL), "group");
    is_open(s, THIRD);
    is_duplicate(s, FIRST, THIRD);
    is_duplicate(s, SECOND, THIRD);
    /* A regression and what was promoted are never hidden behind another. */
    b = get(s, FIRST);
    b.status = BUCKET_REGRESSION;
    b.duplicate_of[0] = 0;
    snprintf(b.reason, sizeof b.reason, "rule: back");
    CHECK(store_bucket_put(s, &b), "put");
    b = get(s, SECOND);
    b.status = BUCKET_OPEN;
    b.duplicate_of[0] = b.reason[0] = 0;
    b.number = 15;
    CHECK(store_bucket_put(s, &b) && triage_group(s, NULL), "group");
    CHECK_EQ(get(s, FIRST).status, BUCKET_REGRESSION, "regression");
    is_open(s, SECOND);
    is_open(s, THIRD);
    store_close(s);
}

/* A scenario of a core with a bug, and the key that it shows. */
struct shown {
    const char *key, *text;
    enum fl_target target;
};

static void take_text(struct store *s, struct replayer *r, const struct shown *shown)
{
    static struct fl_scenario scenario;
    struct triage_origin origin = {.found_by = "test", .target = shown->target};
    struct fl_text_error error;
    struct bucket b;
    bool changed;

    CHECK(fl_scenario_parse(shown->text, strlen(shown->text), &scenario, &error), "%s: line %u: %s", shown->key,
          error.line, error.message);
    CHECK_EQ(triage_take(s, r, &scenario, &origin, false, &b), TAKEN_NEW, "%s", shown->key);
    CHECK(strcmp(b.key, shown->key) == 0, "%s, expected %s", b.key, shown->key);
    CHECK(triage_minimise(s, r, &b, &changed) && b.minimised, "%s is not minimised", b.key);
}

/* All keys are one bug's (or two under one row): the first one stays open. named: so many would, by names alone. */
static void test_core(const char *name, const char *core, const struct shown *shown, unsigned n, unsigned named)
{
    struct store *s = open_store(name);
    struct replayer *r = open_replayer(core);
    uint64_t open;

    store_use_core(s, core);
    for (unsigned i = 0; i < n; i++)
        take_text(s, r, &shown[i]);
    CHECK(store_open_findings(s, &open) && open == n, "%" PRIu64 " open", open);
    CHECK(triage_group(s, NULL) && store_open_findings(s, &open) && open == named,
          "%s: by names %" PRIu64 " stay open, expected %u", name, open, named);
    CHECK(triage_group(s, r) && store_open_findings(s, &open) && open == 1, "%s: %" PRIu64 " stay open", name, open);
    is_open(s, shown[0].key);
    for (unsigned i = 1; i < n; i++)
        is_duplicate(s, shown[i].key, shown[0].key);
    replay_close(r);
    store_close(s);
}

/* Keys of two bugs that have nothing to do with each other stay two, whatever is tried with their scenarios. */
static void test_apart(const char *core)
{
    static const struct shown shown[] = {
        {"decision/retry-killed-kernel/no-context/fatal-signal",
         "faultline-scenario 2\nmode 4level\nfault-retry yes\nvma 0x10000 pages 1 prot r\ninject fatal-signal\ninject mm-retry\n"
         "fault cr2 0x10000 code 0\n",
         FL_TARGET_FAULT},
        {"sync/current-copy/flushed/not-flushed",
         "faultline-scenario 2\nmode 4level\nioremap 0xffffc90000000000 leaves 1 frame 0 level 1 flags p\n"
         "touch read supervisor 0xffffc90000000000\n",
         FL_TARGET_VMALLOC},
        {"prefetch/rule/ignored/not-ignored",
         "faultline-scenario 2\nmode 4level\nvendor amd\n"
         "decode 64 user: 66 66 66 66 66 66 66 66 66 66 66 66 66 0f 0d\n",
         FL_TARGET_PREFETCH},
    };
    struct store *s = open_store("apart");
    struct replayer *r = open_replayer(core);
    uint64_t open;

    store_use_core(s, core);
    for (unsigned i = 0; i < 3; i++)
        take_text(s, r, &shown[i]);
    CHECK(triage_group(s, r) && store_open_findings(s, &open) && open == 3, "%" PRIu64 " stay open", open);
    replay_close(r);
    store_close(s);
}

#define TEXT(body) "faultline-scenario 2\nmode 4level\n" body "\n"

int main(int argc, char **argv)
{
    static const struct shown gap[] = {
        {"decision/stack-guard-gap/refused/served",
         TEXT("vma 0x210000 pages 1 prot w growsdown\nvma 0x100000 pages 1 prot none\nfault cr2 0x200000 code 0"),
         FL_TARGET_FAULT},
        {"decision/stack-guard-gap/signal-maperr/signal-accerr",
         TEXT("sp 0x40f000\nvma 0x403000 pages 1 prot none growsdown\nvma 0x400000 pages 1 prot none\n"
              "fault cr2 0x402000 code 0x4"),
         FL_TARGET_FAULT},
        {"effect/growth/kept/grown",
         TEXT("vma 0x202000 pages 1 prot none growsdown\nvma 0x100000 pages 1 prot none\nfault cr2 0x200000 code 0"),
         FL_TARGET_FAULT},
    };
    static const struct shown one_row[] = {
        {SERVED, TEXT("vma 0x400000 pages 1 prot r\nfault cr2 0x400000 code 0x2"), FL_TARGET_FAULT},
        {"effect/mm-fault/never/once",
         TEXT("vma 0x10000000 pages 1 prot none growsdown file 0 size 0\nfault cr2 0x10000000 code 0x2"),
         FL_TARGET_FAULT},
        {"effect/mm-fault/once/again",
         TEXT("pid 1\nvma 0x10000 pages 1 prot rw\ninject mm-oom\ninject mm-sigbus\ninject yield-protect\n"
              "fault cr2 0x10000 code 0x2"),
         FL_TARGET_FAULT},
        {"decision/write-denied/signal-accerr/signal-pkuerr",
         TEXT("pke yes\nkernel-pku yes\nvma 0x10000 pages 1 prot none growsdown\nfault cr2 0x10000 code 0x26"),
         FL_TARGET_FAULT},
    };
    static const struct shown crash[] = {
        {"crash/fault/signal-11", TEXT("fault cr2 0 code 0"), FL_TARGET_FAULT},
        {"crash/vmalloc/signal-11", TEXT("touch read user 0"), FL_TARGET_VMALLOC},
    };

    if (argc < 5)
        return 2;
    make_root();
    test_names();
    test_leader();
    test_core("guard-gap", argv[1], gap, 3, 2);
    /* Two bugs under one row are one bucket: docs/campaign.md. */
    test_core("one-row", argv[2], one_row, 4, 3);
    test_core("crash", argv[3], crash, 2, 2);
    test_apart(argv[4]);
    remove_root();
    return check_done("triage-group");
}
