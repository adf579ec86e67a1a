/* SPDX-License-Identifier: MIT */
/*
 * The enumeration of answers: counts that were worked out by hand, every key reached, and pairs against all pairs that there
 * are. test_answers SCENARIOS
 */
#include "runs.h"

static struct fl_scenario s, base;

/* fast.scn asks: irq-save, read (directory), read (leaf), page-head, page-get-speculative, page-head, read (the leaf again),
 * irq-restore. Garbage fits the three reads and the two page-heads, a refusal page-get-speculative: six singles. Pairs: an
 * entry that is garbage is not present, a refusal ends the walk, and a leaf or head that has changed ends it as well, in a
 * page-put; only after another head at first come two questions more, page-get-speculative and page-head. */
static void test_by_hand(void)
{
    struct explored e;

    runs_load("fast", &s);
    runs_explore(&s, 0, true, UINT64_MAX, &e);
    CHECK_EQ(e.counts.events, 1, "fast.scn: events");
    CHECK_EQ(e.counts.calls, 8, "fast.scn: op calls");
    CHECK_EQ(e.counts.singles, 6, "fast.scn: singles");
    CHECK_EQ(e.counts.pairs, 2, "fast.scn: pairs");
    CHECK_EQ(e.counts.planned, 8, "fast.scn: planned");
    CHECK_EQ(e.counts.hostile, 7, "fast.scn: all but the refusal");
    CHECK_EQ(e.counts.unreached, 0, "fast.scn: keys never reached");
    CHECK_EQ(e.counts.left_out, 0, "fast.scn: left out");
    CHECK_EQ(e.n, 9, "fast.scn: runs");
    free(e.digest);
    runs_explore(&s, 0, false, UINT64_MAX, &e);
    CHECK_EQ(e.counts.singles, 6, "fast.scn without pairs: singles");
    CHECK_EQ(e.counts.pairs, 0, "fast.scn without pairs: pairs");
    free(e.digest);
    runs_explore(&s, 0, true, 1, &e);
    CHECK_EQ(e.counts.pairs, 1, "fast.scn, one pair: pairs");
    CHECK_EQ(e.counts.left_out, 1, "fast.scn, one pair: left out");
    free(e.digest);
}

/* kernel-retry.scn asks whether it may have the lock, and for the page: one answer to the first, eight to the second, two of
 * them RETRY. */
static void test_other_world_by_hand(void)
{
    struct explored e;

    runs_load("kernel-retry", &s);
    runs_explore(&s, 0, true, UINT64_MAX, &e);
    CHECK_EQ(e.counts.calls, 2, "kernel-retry.scn: questions");
    CHECK_EQ(e.counts.singles, 1 + 8, "kernel-retry.scn: singles");
    /* A lock that is contended: the kernel looks for a fix-up, and there is one: all of the eight follow. After either RETRY:
     * a fatal signal, or the second call, where RETRY is not allowed any more: 1 + 6. */
    CHECK_EQ(e.counts.pairs, 8 + 2 * (1 + 6), "kernel-retry.scn: pairs");
    CHECK_EQ(e.counts.hostile, 0, "kernel-retry.scn: what INJECT says is legal");
    CHECK_EQ(e.counts.unreached, 0, "kernel-retry.scn: keys never reached");
    free(e.digest);
}

/* ---- all of them -------------------------------------------------------------------------------------------------- */

struct key {
    uint8_t op, nth, answer;
};

static void add_key(struct fl_scenario *to, const struct key *k)
{
    struct fl_record r = {.kind = FL_REC_ANSWER};

    r.u.answer.op = k->op;
    r.u.answer.nth = k->nth;
    r.u.answer.answer = k->answer;
    runs_before_last(to, &r);
}

/* Whatever two answers do, in any order and of any kind, is done by one of the repetitions. most: calls of one op. */
static void test_against_all(const char *name, unsigned most)
{
    static struct key keys[FL_PINOP_COUNT * 32 * FL_PINANS_COUNT];
    unsigned n = 0, differ = 0;
    struct explored e;
    uint64_t plain;

    runs_load(name, &base);
    runs_explore(&base, 0, true, UINT64_MAX, &e);
    CHECK_EQ(e.counts.left_out, 0, "%s: left out", name);
    CHECK_EQ(e.counts.unreached, 0, "%s: keys never reached", name);
    plain = runs_digest(&base);
    for (unsigned op = 0; op < FL_PINOP_COUNT; op++)
        for (unsigned nth = 1; nth <= most; nth++)
            for (unsigned a = 0; a < FL_PINANS_COUNT; a++) {
                struct key k = {(uint8_t)op, (uint8_t)nth, (uint8_t)a};
                uint64_t digest;

                s = base;
                add_key(&s, &k);
                digest = runs_digest(&s);
                CHECK(explored_has(&e, digest), "%s: %s nth %u answered by %s is no repetition", name,
                      fl_pin_op_name(op), nth, fl_pin_answer_name(a));
                differ += digest != plain;
                keys[n++] = k;
            }
    CHECK(differ > 3, "%s: only %u answers make a difference", name, differ);
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = i + 1; k < n; k++) {
            if (keys[i].op == keys[k].op && keys[i].nth == keys[k].nth)
                continue; /* the first one is given */
            s = base;
            add_key(&s, &keys[i]);
            add_key(&s, &keys[k]);
            CHECK(explored_has(&e, runs_digest(&s)),
                  "%s: %s nth %u answered by %s and %s nth %u by %s is no repetition", name, fl_pin_op_name(keys[i].op),
                  keys[i].nth, fl_pin_answer_name(keys[i].answer), fl_pin_op_name(keys[k].op), keys[k].nth,
                  fl_pin_answer_name(keys[k].answer));
        }
    free(e.digest);
}

/* Events of both worlds, one after the other: no key gets mixed up, and none is missed. */
static void test_several_events(void)
{
    static const char *const names[] = {"retry", "mlocked", "hugetlb"};
    struct explored e;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        runs_load(names[i], &s);
        runs_explore(&s, 0, true, UINT64_MAX, &e);
        CHECK(e.counts.events > 1, "%s: %" PRIu64 " events", names[i], e.counts.events);
        CHECK_EQ(e.counts.unreached, 0, "%s: keys never reached", names[i]);
        CHECK_EQ(e.counts.singles + e.counts.pairs + e.counts.left_out, e.counts.planned, "%s: planned", names[i]);
        free(e.digest);
    }
}

/* A file's own answers are kept, and one that nobody asks for is told. */
static void test_own_answers(void)
{
    static const struct key own = {FL_PINOP_PAGE_HEAD, 1, FL_PINANS_GARBAGE}, never = {FL_PINOP_MM_FAULT, 9, 0};
    struct explored e;

    runs_load("fast", &s);
    add_key(&s, &own);
    add_key(&s, &never);
    runs_explore(&s, 0, false, 0, &e);
    CHECK_EQ(e.counts.singles, 2 + 2,
             "fast.scn with another head: two reads, page-get-speculative, the other page-head");
    CHECK_EQ(e.counts.unreached, 1, "fast.scn with an answer that nobody asks for");
    free(e.digest);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 1;
    runs_open(argv[1], FL_TARGET_ALL, NULL);
    test_by_hand();
    test_other_world_by_hand();
    test_against_all("fast", 3);
    test_against_all("dirty-cow", 4);
    test_several_events();
    test_own_answers();
    runs_close();
    return check_done("inject answers");
}
