/* SPDX-License-Identifier: MIT */
/*
 * The exploration of races against brute force: whatever one preemption does, or two (a part of all pairs), put anywhere,
 * whether allowed there or not and whether they fit or not, is done by one of the schedules. So nothing that was pruned matters.
 * test_races SCENARIOS
 */
#include "runs.h"

static struct fl_scenario s, base;

struct race {
    struct fl_record r;
    unsigned point;
};

/* Every act of every mm on each of these pages, at every point of the run as it is, and at some that it does not have. */
static size_t list_races(const struct fl_scenario *from, struct race *out, size_t most)
{
    static const uint64_t pages[] = {0x400000, 0x600000};
    struct trace t = {0};
    struct fl_divergence d;
    unsigned record;
    size_t n = 0;
    struct fl_judge_options options = {.target = FL_TARGET_GUP};
    struct fl_judge *j;
    char why[256];

    if (fl_judge_open(&options, &j, why) != FL_OK)
        exit(1);
    fl_judge_set_calls(j, trace_note, &t);
    CHECK(!fl_judge_scenario(j, from, &d, &record), "the run as it is diverges");
    for (size_t i = 0; i < t.n; i++)
        for (unsigned act = 0; act < FL_ACTOR_COUNT; act++)
            for (unsigned mm = 0; mm < 2; mm++)
                for (unsigned p = 0; p < 2; p++)
                    for (unsigned arg = 0; arg < (act == FL_ACTOR_MPROTECT ? 4 : 1); arg++) {
                        struct fl_record r = {.kind = FL_REC_RACE};

                        r.u.act.act = (uint8_t)act;
                        r.u.act.mm = (uint8_t)mm;
                        r.u.act.va = pages[p];
                        r.u.act.pages = 1;
                        r.u.act.arg = (uint8_t)arg;
                        r.u.act.op = t.points[i].op;
                        r.u.act.nth = t.points[i].nth;
                        if (n < most)
                            out[n++] = (struct race){r, (unsigned)i};
                    }
    CHECK(n && n < most, "%zu races", n);
    trace_free(&t);
    fl_judge_close(j);
    return n;
}

static void say(char *text, size_t size, const struct fl_record *r)
{
    fl_record_print(r, text, size);
}

static void test_singles(const struct explored *e, const char *name, const struct race *race, size_t n)
{
    unsigned differ = 0;
    uint64_t plain = runs_digest(&base);
    char text[256];

    for (size_t i = 0; i < n; i++) {
        uint64_t digest;

        s = base;
        runs_before_last(&s, &race[i].r);
        digest = runs_digest(&s);
        say(text, sizeof text, &race[i].r);
        CHECK(explored_has(e, digest), "%s: no schedule does what this does: %s", name, text);
        differ += digest != plain;
    }
    CHECK(differ > 5, "%s: only %u races make a difference", name, differ);
}

/* Each step-th of all ordered pairs. */
static void test_pairs(const struct explored *e, const char *name, const struct race *race, size_t n, unsigned step)
{
    char one[256], two[256];
    uint64_t at = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            if (race[k].point < race[i].point || at++ % step)
                continue;
            s = base;
            runs_before_last(&s, &race[i].r);
            runs_before_last(&s, &race[k].r);
            say(one, sizeof one, &race[i].r);
            say(two, sizeof two, &race[k].r);
            CHECK(explored_has(e, runs_digest(&s)), "%s: no schedule does what these do: %s; %s", name, one, two);
        }
    CHECK(at > 1000, "%s: only %" PRIu64 " pairs", name, at);
}

static void test(const char *name, unsigned step)
{
    static struct race race[8192];
    struct explored one, two;
    size_t n;

    runs_load(name, &base);
    runs_explore(&base, 1, true, UINT64_MAX, &one);
    runs_explore(&base, 2, true, UINT64_MAX, &two);
    CHECK_EQ(one.counts.pairs, 0, "%s: pairs with a bound of 1", name);
    CHECK_EQ(one.counts.singles, two.counts.singles, "%s: singles", name);
    CHECK_EQ(one.counts.findings + two.counts.findings, 0, "%s: findings of the right core", name);
    CHECK_EQ(one.counts.unreached + two.counts.unreached, 0, "%s: keys never reached", name);
    CHECK_EQ(two.n, 1 + two.counts.singles + two.counts.pairs, "%s: runs", name);
    CHECK_EQ(two.counts.singles + two.counts.pairs, two.counts.planned, "%s: planned", name);
    n = list_races(&base, race, sizeof race / sizeof race[0]);
    test_singles(&one, name, race, n);
    test_pairs(&two, name, race, n, step);
    free(one.digest);
    free(two.digest);
}

/* ---- how many ----------------------------------------------------------------------------------------------------- */

/* fast.scn: what fits there, counted by hand. Of either page, both mapped from one file: read, write, reclaim, migrate-begin,
 * hint, poison, truncate, clean, saturate; dontneed, munmap, mlock, four kinds of mprotect: 16. Of nobody's page: fork,
 * sigkill, sigkill-other. Points: before irq-save everything may run: 35. With interrupts off, at the seven others, all but
 * fork: 34. */
static void test_count(void)
{
    struct explored e;

    runs_load("fast", &s);
    runs_explore(&s, 1, true, UINT64_MAX, &e);
    CHECK_EQ(e.counts.calls, 8, "fast.scn: op calls");
    CHECK_EQ(e.counts.singles, 35 + 7 * 34, "fast.scn: schedules with one preemption");
    CHECK_EQ(e.counts.same, 0, "fast.scn: no op there does nothing");
    free(e.digest);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 1;
    runs_open(argv[1], FL_TARGET_GUP, NULL);
    test_count();
    test("fast", 3);
    test("dirty-cow", 29);
    runs_close();
    return check_done("inject races");
}
