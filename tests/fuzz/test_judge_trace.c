/* SPDX-License-Identifier: MIT */
/*
 * The judge around the checks: opening it, which events a target judges, what ends a trace, how events end in words, and
 * what is counted as compared.
 */
#include "judge_cores.h"

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static void test_abi(void)
{
    static const uint32_t others[] = {0, FL_CORE_ABI - 1, FL_CORE_ABI + 1, UINT32_MAX};
    struct fl_core core = *fl_core();
    struct fl_judge_options options = {.target = FL_TARGET_FAULT, .core = &core};
    struct fl_judge *j = NULL;
    char why[256], number[16];

    core.name = "odd one";
    for (size_t i = 0; i < COUNT(others); i++) {
        core.abi = others[i];
        why[0] = 0;
        CHECK_EQ(fl_judge_open(&options, &j, why), FL_FAILED, "interface %u", core.abi);
        CHECK(j == NULL, "interface %u: opened", core.abi);
        snprintf(number, sizeof number, "%u", core.abi);
        CHECK(strstr(why, "odd one") && strstr(why, number) && !strchr(why, '\n'), "%s", why);
    }
    core.abi = FL_CORE_ABI;
    CHECK_EQ(fl_judge_open(&options, &j, why), FL_OK, "%s", why);
    CHECK_EQ(fl_judge_stats(j)->magic, FL_STATS_MAGIC, "an own block");
    CHECK(strcmp(fl_judge_executor(j), "none (switched off)") == 0, "%s", fl_judge_executor(j));
    fl_judge_close(j);
    options.require_executor = true;
    CHECK_EQ(fl_judge_open(&options, &j, why), FL_FAILED, "an executor that is switched off");
    CHECK(strstr(why, "executor"), "%s", why);
}

/* ---- how events end --------------------------------------------------------------------------------------------- */

#define NO_VMALLOC "touch read supervisor 0xffffc90040000010\n"
#define VMALLOC    "fork mm 1\nioremap 0xffffc90040000000 frame 600 flags p,w,a,d,g\nswitch mm 1\n"
#define STACK      "vma 0x10000000 pages 1 prot rw\n"

/* One line for each judged event but ACCESS, which ends in agreement or not at all. */
static const struct {
    const char *text, *endings;
    enum fl_target target;
    unsigned events, skipped, unsupported;
} traces[] = {
    {SCN("4level") "fault cr2 0x10 code 0x4\n", "record 1: decided after signal-maperr\n", FL_TARGET_FAULT, 1, 0, 0},
    {SCN("4level") STACK "fault cr2 0x10000010 code 0x6\n", "record 2: decided after handled-minor\n", FL_TARGET_FAULT,
     1, 0, 0},
    {SCN("4level") STACK "touch write user 0x10000010\n", "record 2: done after handled-minor\n", FL_TARGET_FAULT, 1, 0,
     0},
    /* The second access finds the page there. */
    {SCN("4level") STACK "touch read user 0x10000010\ntouch read user 0x10000020\ntouch write user 0x10000030\n",
     "record 2: done after handled-minor\nrecord 3: done\nrecord 4: done after handled-minor\n", FL_TARGET_FAULT, 3, 0,
     0},
    {SCN("4level") VMALLOC NO_VMALLOC, "record 4: done after synced\n", FL_TARGET_FAULT, 1, 0, 0},
    {SCN("4level") NO_VMALLOC, "record 1: refused after oops\n", FL_TARGET_FAULT, 1, 0, 0},
    {SCN("4level") "touch read supervisor 0x800000000000\n", "record 1: refused after gp\n", FL_TARGET_FAULT, 1, 0, 0},
    {SCN("4level") "sync-all\n", "record 1: handled\n", FL_TARGET_ALL, 1, 0, 0},
    {SCN("4level") "vendor amd\ndecode 64 user: 0f 0d 08\ndecode 64 user: 90\n",
     "record 1: prefetch\nrecord 2: no prefetch\n", FL_TARGET_PREFETCH, 2, 0, 0},
    {"faultline-scenario 2\narch sh4\nioremap 0xc1000000 frame 600 flags p,w,a,d\nfork mm 1\nswitch mm 1\n"
     "touch read supervisor 0xc1000010\ntouch read user 0xc1000010\n",
     "record 4: done\nrecord 5: refused after address-error\n", FL_TARGET_FAULT, 2, 0, 0},
    {"faultline-scenario 2\narch sh4\nfork mm 1\nioremap 0xc1000000 frame 600 flags p,w,a,d\nswitch mm 1\n"
     "touch read supervisor 0xc1000010\ntouch read supervisor 0xc1400000\ntouch read supervisor 0xc1000010\n",
     "record 4: done after handled\nrecord 5: refused after not-handled\n", FL_TARGET_FAULT, 2, 1, 0},
    {SCN("4level") "generation 2008-64\nlazy-mmu yes\n" VMALLOC NO_VMALLOC NO_VMALLOC, "record 4: bug after bug\n",
     FL_TARGET_FAULT, 1, 1, 0},
    /* Under target vmalloc: under each generation in turn. */
    {SCN("5level") "touch read supervisor 0xffa0000000000000\n", "record 1: refused after oops\n", FL_TARGET_VMALLOC, 1,
     0, 0},
    {SCN("4level") VMALLOC "sync-all\n",
     "record 4: handled\nrecord 4: handled\nrecord 4: handled\nrecord 4: handled\nrecord 4: handled\n",
     FL_TARGET_VMALLOC, 5, 0, 0},

    /* What ends the task, and what the trace; a caught signal ends neither. */
    {SCN("4level") "fault cr2 0x10 code 0x4\nfault cr2 0x20 code 0x4\n",
     "record 1: decided after signal-maperr\nrecord 2: decided after signal-maperr\n", FL_TARGET_FAULT, 2, 0, 0},
    {SCN("4level") "catches-signals no\nfault cr2 0x10 code 0x4\nfault cr2 0x20 code 0x4\ntouch read user 0x30\n",
     "record 1: decided after signal-maperr\n", FL_TARGET_FAULT, 1, 2, 0},
    {SCN("4level") STACK "inject mm-oom\nfault cr2 0x10000010 code 0x6\nfault cr2 0x10000010 code 0x6\n",
     "record 3: decided after oom-kill\n", FL_TARGET_FAULT, 1, 1, 0},
    {SCN("4level") "fault-retry yes\n" STACK
                   "inject mm-retry\ninject fatal-signal\nfault cr2 0x10000010 code 0x6\nfault cr2 0x10 code 0x4\n",
     "record 4: decided after fatal-signal\n", FL_TARGET_FAULT, 1, 1, 0},
    {SCN("pae") "f00f-bug yes\nfault cr2 0xfffbf030 code 0x0\nfault cr2 0x10 code 0x4\n",
     "record 1: decided after invalid-op\n", FL_TARGET_FAULT, 1, 1, 0},
    {SCN("4level") "privilege kernel\nfault cr2 0x10 code 0x0\nfault cr2 0x10 code 0x0\n",
     "record 1: decided after oops\n", FL_TARGET_FAULT, 1, 1, 0},
    {SCN("4level") "fault cr2 0x10 code 0xd\nfault cr2 0x10 code 0x4\n", "record 1: decided after bad-pagetable\n",
     FL_TARGET_FAULT, 1, 1, 0},
    {SCN("4level") "privilege kernel\nip 0xffffffff81000000\nextable 0xffffffff81000000 fixup 0xffffffff81000100\n"
                   "fault cr2 0x10 code 0x0\nfault cr2 0x10 code 0x0\n",
     /* the second one is at the fix-up, which has none of its own */
     "record 2: decided after fixup\nrecord 3: decided after oops\n", FL_TARGET_FAULT, 2, 0, 0},

    /* Events of other targets, events for an executor that is not there, and those of another architecture. */
    {SCN("4level") STACK "access read user 0x10000010\nfault cr2 0x10 code 0x4\ndecode 64 user: 90\nsync-all\n",
     "record 3: decided after signal-maperr\n", FL_TARGET_FAULT, 1, 3, 0},
    {SCN("4level") STACK "access read user 0x10000010\nfault cr2 0x10 code 0x4\n", "", FL_TARGET_WALK, 1, 1, 0},
    {"faultline-scenario 2\narch sh4\naccess read user 0x10\nfault cr2 0x10 code 0x4\nexec user 0x10: 90\n"
     "decode 16 user: 90\nsync-all\ntouch read supervisor 0xc1000010\n",
     "record 6: refused after not-handled\n", FL_TARGET_ALL, 6, 0, 5},
};

static void test_traces(void)
{
    static struct judged got;

    for (size_t i = 0; i < COUNT(traces); i++) {
        judge_text(traces[i].text, traces[i].target, false, NULL, &got);
        CHECK(!got.diverged, "%s: %s", traces[i].text, got.key);
        CHECK(strcmp(got.endings, traces[i].endings) == 0, "%sendings:\n%sexpected:\n%s", traces[i].text, got.endings,
              traces[i].endings);
        CHECK_EQ(got.stats.events_skipped, traces[i].skipped, "%s: skipped", traces[i].text);
        if (traces[i].target == FL_TARGET_ALL)
            continue; /* the generations come on top */
        CHECK_EQ(got.stats.events, traces[i].events, "%s: judged", traces[i].text);
        CHECK_EQ(got.stats.unsupported, traces[i].unsupported, "%s: unsupported", traces[i].text);
    }
    /* The same SH4 events, by the targets that judge them. */
    judge_text("faultline-scenario 2\narch sh4\nfault cr2 0x10 code 0x4\nexec user 0x10: 90\n", FL_TARGET_FAULT, false,
               NULL, &got);
    CHECK_EQ(got.stats.unsupported, 2, "x86 events on an SH4");
    CHECK_EQ(got.stats.compared[FL_CHECK_DECISION], 0, "decided");
    CHECK_EQ(got.stats.executor_unsupported, 0, "an SH4 asks for no executor");
    judge_text("faultline-scenario 2\narch sh4\nsync-all\n", FL_TARGET_VMALLOC, false, NULL, &got);
    CHECK_EQ(got.stats.unsupported, 1, "sync-all on an SH4");
}

/* Nothing is run, and nothing is said to have been: the code is placed all the same, and the trace goes on. */
static void test_no_executor(void)
{
    static struct judged got;

    judge_text(SCN("4level") STACK "exec user 0x10000010: 90\nfault cr2 0x10000010 code 0x4\n", FL_TARGET_FAULT, false,
               NULL, &got);
    CHECK(!got.diverged, "%s", got.key);
    CHECK_EQ(got.stats.executor_unsupported, 1, "unsupported");
    CHECK_EQ(got.stats.executor_runs, 0, "runs");
    CHECK_EQ(got.stats.compared[FL_CHECK_EXECUTOR], 0, "compared");
    CHECK_EQ(got.stats.compared[FL_CHECK_TRANSPARENCY], 0, "compared");
    CHECK_EQ(got.stats.transparent, 0, "compared both ways");
    CHECK_EQ(got.stats.events, 2, "judged");
    CHECK(strstr(got.endings, "record 3: decided after handled-minor\n"), "%s", got.endings);
}

/* More lines than there is room for: whole ones, from the first on. Without the option: none. */
static void test_many_endings(void)
{
    struct fl_judge_options options = {.target = FL_TARGET_FAULT, .endings = true};
    static const char line[] = "record 1: decided after signal-maperr\n";
    static struct fl_scenario s;
    struct fl_judge *j = NULL;
    struct fl_divergence d;
    const char *at;
    char why[256], want[64];
    unsigned record;

    fl_scenario_default(&s);
    for (s.nrecords = 0; s.nrecords < FL_MAX_RECORDS; s.nrecords++) {
        s.records[s.nrecords].kind = FL_REC_FAULT;
        s.records[s.nrecords].u.fault.cr2 = 0x10;
        s.records[s.nrecords].u.fault.code = 4;
    }
    CHECK_EQ(fl_judge_open(&options, &j, why), FL_OK, "%s", why);
    CHECK(!fl_judge_scenario(j, &s, &d, &record), "%s", d.detail);
    CHECK_EQ(fl_judge_stats(j)->events, FL_MAX_RECORDS, "judged");
    at = fl_judge_endings(j);
    for (unsigned i = 1; *at; i++) {
        snprintf(want, sizeof want, "record %u: decided after signal-maperr\n", i);
        CHECK(strncmp(at, want, strlen(want)) == 0, "line %u: %.40s", i, at);
        if (strncmp(at, want, strlen(want)) != 0)
            break;
        at += strlen(want);
    }
    CHECK(at - fl_judge_endings(j) > (long)(150 * strlen(line)), "only %ld bytes", (long)(at - fl_judge_endings(j)));
    fl_judge_close(j);

    options.endings = false;
    CHECK_EQ(fl_judge_open(&options, &j, why), FL_OK, "%s", why);
    CHECK(!fl_judge_scenario(j, &s, &d, &record), "%s", d.detail);
    CHECK(strcmp(fl_judge_endings(j), "") == 0, "%s", fl_judge_endings(j));
    fl_judge_close(j);
}

/* ---- what is counted as compared -------------------------------------------------------------------------------- */

#define BIT(check) (UINT64_C(1) << FL_CHECK_##check)
#define DECIDED    (BIT(DECISION) | BIT(EFFECT) | BIT(LOCK) | BIT(CONTRACT) | BIT(SIGNAL))

static const struct {
    const char *text;
    enum fl_target target;
    uint64_t checks; /* these grow, all others do not */
} counts[] = {
    {SCN("4level") "access read user 0x10\n", FL_TARGET_WALK, BIT(WALK)},
    {SCN("4level") "fault cr2 0x10 code 0x4\n", FL_TARGET_FAULT, DECIDED},
    {SCN("4level") "catches-signals no\nfault cr2 0x10 code 0x4\n", FL_TARGET_FAULT, DECIDED | BIT(MESSAGE)},
    {SCN("4level") STACK "fault cr2 0x10000010 code 0x4\n", FL_TARGET_FAULT, DECIDED | BIT(REWALK)},
    {SCN("4level") STACK "touch read user 0x10000010\n", FL_TARGET_FAULT, DECIDED | BIT(REWALK) | BIT(PROGRESS)},
    {SCN("4level") "vendor amd\nfault cr2 0x10 code 0x4\n", FL_TARGET_FAULT, DECIDED | BIT(BOUND)},
    {SCN("4level") "fault cr2 0xffffffff81000000 code 0x5\n", FL_TARGET_FAULT, DECIDED | BIT(INTERFERENCE)},
    {SCN("4level") VMALLOC NO_VMALLOC, FL_TARGET_FAULT,
     DECIDED | BIT(REWALK) | BIT(PROGRESS) | BIT(SYNC) | BIT(TABLE_READ)},
    /* Where 2008 reads is no finding. */
    {SCN("4level") "generation 2008-64\n" VMALLOC NO_VMALLOC, FL_TARGET_FAULT, DECIDED | BIT(PROGRESS) | BIT(SYNC)},
    {SCN("4level") VMALLOC NO_VMALLOC, FL_TARGET_VMALLOC,
     DECIDED | BIT(REWALK) | BIT(PROGRESS) | BIT(SYNC) | BIT(TABLE_READ) | BIT(GENERATION)},
    {SCN("5level") "sync-all\n", FL_TARGET_VMALLOC, BIT(SYNC) | BIT(LOCK)},
    {SCN("4level") "decode 64 user: 90\n", FL_TARGET_PREFETCH, BIT(PREFETCH) | BIT(CONTRACT)},
    {SCN("4level") "vendor amd\ndecode 64 user: 90\n", FL_TARGET_PREFETCH, BIT(PREFETCH) | BIT(CONTRACT) | BIT(BOUND)},
    {"faultline-scenario 2\narch sh4\ntouch read supervisor 0xc1000010\n", FL_TARGET_VMALLOC, BIT(SYNC)},
};

static void test_counts(void)
{
    static struct judged got;

    for (size_t i = 0; i < COUNT(counts); i++) {
        judge_text(counts[i].text, counts[i].target, false, NULL, &got);
        CHECK(!got.diverged, "%s: %s", counts[i].text, got.key);
        for (unsigned c = 0; c < FL_CHECK_COUNT; c++)
            CHECK_EQ(got.stats.compared[c] != 0, counts[i].checks >> c & 1, "%s: %s %lu times", counts[i].text,
                     fl_check_name((enum fl_check)c), (unsigned long)got.stats.compared[c]);
        CHECK_EQ(got.stats.executions, 1, "%s", counts[i].text);
    }
}

int main(void)
{
    test_abi();
    test_traces();
    test_no_executor();
    test_many_endings();
    test_counts();
    return check_done("judge, traces");
}
