/* SPDX-License-Identifier: MIT */
/*
 * Structured mutation of traces of pinning: what each operator does to a trace, and leaves alone. Whatever it does is
 * canonical, and never more than there is room for.
 */
#include "check.h"

#include "mutator/mutator.h"

static struct fl_scenario before, after;
static uint8_t bytes[FL_SCENARIO_MAX_BYTES], again[FL_SCENARIO_MAX_BYTES];

static const char text[] = "faultline-scenario 3\n"
                           "area file 0x400000 pages 4 flags r,may-read,may-write size 4\n"
                           "act read 0x400000\n"
                           "pin user 0x400000 pages 2 get\n"
                           "act use 0x401000\n"
                           "area anon 0x600000 pages 4 flags r,w,may-read,may-write\n"
                           "act write 0x600000\n"
                           "race dontneed 0x400000 at mm-fault nth 2\n"
                           "answer lazy at mm-fault nth 1\n"
                           "pin pin 0x400000 pages 1 flags write,force get\n"
                           "act unpin 0x400000\n"
                           "race munmap 0x600000 pages 2 mm 1 at irq-save nth 255\n"
                           "pin fast 0x600000 pages 3 flags write\n";

/* False: it had nothing to work on. */
static bool mutate(const char *from, enum fl_mutation_op op, uint32_t seed, size_t room)
{
    struct fl_text_error error;
    struct fl_mutation m = {.rng = seed, .target = FL_TARGET_GUP};
    size_t size;
    bool done;

    CHECK(fl_scenario_parse(from, strlen(from), &before, &error), "%s", error.message);
    size = fl_scenario_encode(&before, bytes, sizeof bytes);
    m.machine = before.machine;
    m.records = bytes + FL_MACHINE_BYTES;
    m.n = before.nrecords;
    m.max = (uint32_t)room;
    done = fl_trace_pin(&m, op);
    CHECK(m.n <= m.max, "operator %u, seed %u: %u records", op, seed, m.n);
    size = FL_MACHINE_BYTES + (size_t)m.n * FL_RECORD_BYTES;
    fl_scenario_decode(bytes, size, &after);
    CHECK(fl_scenario_valid(&after), "operator %u, seed %u", op, seed);
    CHECK(fl_scenario_encode(&after, again, sizeof again) == size && memcmp(bytes, again, size) == 0,
          "operator %u, seed %u: not canonical", op, seed);
    if (!done)
        CHECK(fl_scenario_equal(&before, &after), "operator %u, seed %u: has nothing to do, and did something", op,
              seed);
    return done;
}

static bool same(const struct fl_record *a, const struct fl_record *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* Records of one that the other has not, each counted as often as it is missing; the last of them. */
static unsigned missing(const struct fl_scenario *a, const struct fl_scenario *b, const struct fl_record **last)
{
    bool used[FL_MAX_RECORDS] = {false};
    unsigned n = 0;

    for (uint32_t i = 0; i < a->nrecords; i++) {
        uint32_t k = 0;

        while (k < b->nrecords && (used[k] || !same(&a->records[i], &b->records[k])))
            k++;
        if (k < b->nrecords) {
            used[k] = true;
            continue;
        }
        *last = &a->records[i];
        n++;
    }
    return n;
}

static bool is_act(const struct fl_record *r)
{
    return r->kind == FL_REC_ACT || r->kind == FL_REC_RACE;
}

static void check_one(enum fl_mutation_op op, uint32_t seed, uint64_t seen[8])
{
    const struct fl_record *lost = NULL, *won = NULL;
    const unsigned nlost = missing(&before, &after, &lost), nwon = missing(&after, &before, &won);

    switch (op) {
    case FL_OP_PIN_SWAP:
        CHECK(nlost == 0 && nwon == 0 && after.nrecords == before.nrecords, "seed %u: swapped", seed);
        CHECK(!fl_scenario_equal(&before, &after), "seed %u: nothing swapped", seed);
        for (uint32_t i = 0; i < before.nrecords; i++)
            if (before.records[i].kind == FL_REC_AREA)
                CHECK(same(&before.records[i], &after.records[i]), "seed %u: an area has moved", seed);
        break;
    case FL_OP_PIN_DUPLICATE:
        CHECK(nlost == 0 && nwon == after.nrecords - before.nrecords && nwon >= 1 && nwon <= 3, "seed %u: %u", seed,
              nwon);
        seen[won->kind == FL_REC_PIN ? nwon : 0]++;
        break;
    case FL_OP_PIN_MOVE_RACE:
        CHECK_EQ(after.nrecords, before.nrecords, "seed %u", seed);
        CHECK(nlost == nwon && nlost <= 1, "seed %u: %u races moved", seed, nlost);
        if (nlost) {
            CHECK(lost->kind == FL_REC_RACE && won->kind == FL_REC_RACE && won->u.act.act == lost->u.act.act &&
                      won->u.act.va == lost->u.act.va && won->u.act.mm == lost->u.act.mm,
                  "seed %u: the race does something else", seed);
            seen[won->u.act.op != lost->u.act.op]++;
        } else {
            seen[fl_scenario_equal(&before, &after) ? 3 : 2]++;
        }
        break;
    case FL_OP_PIN_TURN:
        CHECK(after.nrecords == before.nrecords && nlost == 1 && nwon == 1, "seed %u: %u turned", seed, nlost);
        CHECK(is_act(lost) && is_act(won) && lost->kind != won->kind && won->u.act.act == lost->u.act.act &&
                  won->u.act.va == lost->u.act.va && won->u.act.pages == lost->u.act.pages,
              "seed %u: turned into something else", seed);
        seen[won->kind == FL_REC_RACE]++;
        if (won->kind == FL_REC_RACE) /* it waits for a call, not for nothing */
            CHECK(won + 1 < after.records + after.nrecords, "seed %u: a race behind everything", seed);
        break;
    case FL_OP_PIN_CHANGE_ACT:
        CHECK(after.nrecords == before.nrecords && nlost == 1 && nwon == 1, "seed %u", seed);
        CHECK(is_act(won) && won->kind == lost->kind && won->u.act.act != lost->u.act.act &&
                  won->u.act.va == lost->u.act.va && won->u.act.op == lost->u.act.op,
              "seed %u: more than the act has changed", seed);
        break;
    case FL_OP_PIN_AIM:
        CHECK(after.nrecords == before.nrecords && nlost == 1 && nwon == 1 && won->kind == lost->kind, "seed %u", seed);
        if (won->kind == FL_REC_PIN)
            CHECK(won->u.pin.start != lost->u.pin.start && won->u.pin.flags == lost->u.pin.flags, "seed %u", seed);
        else
            CHECK(won->u.act.va != lost->u.act.va && won->u.act.act == lost->u.act.act, "seed %u", seed);
        seen[won->kind == FL_REC_PIN]++;
        break;
    default: /* SPLICE */
        CHECK(nlost == 0 && nwon == after.nrecords - before.nrecords && nwon >= 1 && nwon <= 5, "seed %u: %u", seed,
              nwon);
        for (uint32_t i = 0; i < after.nrecords; i++)
            if (is_act(&after.records[i]) || after.records[i].kind == FL_REC_PIN)
                seen[nwon > 1]++;
        break;
    }
}

static void test_operators(void)
{
    /* How many outcomes there are of each. */
    static const unsigned outcomes[] = {0, 3, 3, 2, 0, 2, 2};

    for (unsigned op = FL_OP_PIN_SWAP; op < FL_OP_COUNT; op++) {
        uint64_t seen[8] = {0}, done = 0;

        for (uint32_t seed = 1; seed <= 3000; seed++) {
            if (!mutate(text, (enum fl_mutation_op)op, seed * 2654435761u, 64))
                continue;
            check_one((enum fl_mutation_op)op, seed, seen);
            done++;
        }
        CHECK(done > 1500, "operator %u worked %" PRIu64 " times", op, done);
        for (unsigned i = 0; i < outcomes[op - FL_OP_PIN_SWAP]; i++)
            CHECK(seen[i] > 100, "operator %u: outcome %u: %" PRIu64 " times", op, i, seen[i]);
    }
}

/* Nothing to work on, and no room. */
static void test_nothing(void)
{
    static const char *const texts[] = {"faultline-scenario 3\n",
                                        "faultline-scenario 3\narea anon 0x400000 pages 4 flags r,may-read\n",
                                        "faultline-scenario 3\nvma 0x1000 pages 1 prot r\nsync-all\n"};

    for (unsigned op = 0; op <= FL_OP_COUNT; op++)
        for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++)
            for (uint32_t seed = 0; seed < 50; seed++)
                CHECK(!mutate(texts[i], (enum fl_mutation_op)op, seed, 64), "operator %u did something to %s", op,
                      texts[i]);
    for (unsigned op = FL_OP_PIN_SWAP; op < FL_OP_COUNT; op++)
        for (uint32_t seed = 0; seed < 500; seed++)
            mutate(text, (enum fl_mutation_op)op, seed, 12);
}

int main(void)
{
    test_operators();
    test_nothing();
    return check_done("traces of pinning");
}
