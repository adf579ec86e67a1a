/* SPDX-License-Identifier: MIT */
/*
 * Records of pinning per CPU-second through the judge (decode, model, core, oracle, the same another way, counters), how many
 * calls that are, and beside it the floor: the same records through model and core alone, with nothing judged. Goal: 300,000
 * calls a second.
 */
#include "pin/run.h"

#include <faultline/fuzz/judge.h>
#include <faultline/fuzz/mutate.h>
#include <faultline/fuzz/pin_world.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS  5
#define RANDOMS 512 /* traces of the mutator */
#define GOAL    300000.0

static struct fl_scenario scenario;

static double cpu_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what)
{
    fprintf(stderr, "bench-gup: %s\n", what);
    exit(1);
}

/* ---- traces -------------------------------------------------------------------------------------------------------- */

#define PAGE 0x1000u
#define BASE 0x400000u

static struct fl_record *add(uint8_t kind)
{
    struct fl_record *r = &scenario.records[scenario.nrecords++];

    memset(r, 0, sizeof *r);
    r->kind = kind;
    return r;
}

static void area(uint8_t kind, uint64_t start, uint32_t pages, unsigned flags)
{
    struct fl_record *r = add(FL_REC_AREA);

    r->u.area.kind = kind;
    r->u.area.start = start;
    r->u.area.pages = pages;
    r->u.area.flags = (uint16_t)flags;
    if (kind == FL_AREA_FILE)
        r->u.area.file_pages = 1u << 20;
}

static struct fl_record *actor(uint8_t kind, uint8_t act, uint64_t va)
{
    struct fl_record *r = add(kind);

    r->u.act.act = act;
    r->u.act.va = va;
    r->u.act.pages = 1;
    return r;
}

static void pin(uint8_t api, uint64_t start, uint32_t n, unsigned flags)
{
    struct fl_record *r = add(FL_REC_PIN);

    r->u.pin.api = api;
    r->u.pin.start = start;
    r->u.pin.n = n;
    r->u.pin.flags = (uint16_t)flags;
    r->u.pin.pages = api == FL_PINAPI_PIN || api == FL_PINAPI_USER;
}

/* Anonymous memory and a private file, one to four pages a call, reading, writing and by force. */
static void quiet_trace(void)
{
    area(FL_AREA_ANON, BASE, 64, FL_AREA_READ | FL_AREA_WRITE);
    area(FL_AREA_FILE, 2 * BASE, 64, FL_AREA_READ | FL_AREA_MAY_WRITE);
    while (scenario.nrecords < FL_MAX_RECORDS - 1) {
        unsigned i = scenario.nrecords;
        static const uint8_t apis[] = {FL_PINAPI_USER, FL_PINAPI_FAST, FL_PINAPI_PIN, FL_PINAPI_FAST_ONLY};
        uint8_t api = apis[i % 4];
        bool slow = i % 4 == 0 || i % 4 == 2;

        pin(api, (slow && i % 3 ? 2 * BASE : BASE) + i * 7 % 60 * PAGE, 1 + i / 4 % 4,
            (i % 3 ? FL_FOLL_WRITE : 0) | (slow ? FL_FOLL_FORCE : 0));
        if (i % 16 == 15 && scenario.nrecords < FL_MAX_RECORDS - 1)
            actor(FL_REC_ACT, FL_ACTOR_UNPIN, BASE);
    }
}

/* Dirty COW, again and again: a forced write, and DONTNEED at one point of it after the other. */
static void raced_trace(void)
{
    area(FL_AREA_FILE, BASE, 16, FL_AREA_READ | FL_AREA_MAY_WRITE);
    while (scenario.nrecords + 3 <= FL_MAX_RECORDS) {
        unsigned i = scenario.nrecords / 3;
        uint64_t va = BASE + i % 16 * PAGE;
        struct fl_record *r = actor(FL_REC_RACE, FL_ACTOR_DONTNEED, va);

        r->u.act.op = FL_PINOP_READ;
        r->u.act.nth = (uint8_t)(1 + i % 20);
        pin(FL_PINAPI_USER, va, 1, FL_FOLL_WRITE | FL_FOLL_FORCE);
        actor(FL_REC_ACT, FL_ACTOR_UNPIN, va);
    }
}

/* Sixteen pages of a huge page, fast and slow. */
static void huge_trace(void)
{
    area(FL_AREA_ANON, BASE, 2048, FL_AREA_READ | FL_AREA_WRITE | FL_AREA_HUGE);
    actor(FL_REC_ACT, FL_ACTOR_WRITE, BASE);
    actor(FL_REC_ACT, FL_ACTOR_WRITE, 2 * BASE - PAGE);
    while (scenario.nrecords + 2 <= FL_MAX_RECORDS) {
        unsigned i = scenario.nrecords;

        pin(i % 4 < 2 ? FL_PINAPI_FAST : FL_PINAPI_USER, BASE + i % 8 * 16 * PAGE, 16, FL_FOLL_WRITE);
        actor(FL_REC_ACT, FL_ACTOR_UNPIN, BASE);
    }
}

/* ---- counting ------------------------------------------------------------------------------------------------------- */

/* The tree's core, and how often it was called: the judge makes a call that nobody disturbs once more in another way. */
static uint64_t made;
static struct fl_gup counting;

#define SPACE const struct fl_gup_space *space, uint64_t start
#define OPS   const struct fl_gup_ops *ops, void *ctx, struct fl_pinned *out

static enum fl_status count_pin(SPACE, uint64_t n, unsigned flags, bool nonblocking, uint64_t *pfns, uint32_t *gens,
                                OPS)
{
    made++;
    return fl_gup()->pin(space, start, n, flags, nonblocking, pfns, gens, ops, ctx, out);
}

static enum fl_status count_user(SPACE, uint64_t n, bool write, bool force, uint64_t *pfns, uint32_t *gens, OPS)
{
    made++;
    return fl_gup()->pin_user(space, start, n, write, force, pfns, gens, ops, ctx, out);
}

static enum fl_status count_fast_only(SPACE, int32_t n, bool write, uint64_t *pfns, OPS)
{
    made++;
    return fl_gup()->pin_fast_only(space, start, n, write, pfns, ops, ctx, out);
}

static enum fl_status count_fast(SPACE, int32_t n, bool write, uint64_t *pfns, OPS)
{
    made++;
    return fl_gup()->pin_fast(space, start, n, write, pfns, ops, ctx, out);
}

static void count_calls(void)
{
    counting = *fl_gup();
    counting.pin = count_pin;
    counting.pin_user = count_user;
    counting.pin_fast_only = count_fast_only;
    counting.pin_fast = count_fast;
}

/* ---- measuring ----------------------------------------------------------------------------------------------------- */

static uint8_t bytes[RANDOMS][FL_SCENARIO_MAX_BYTES];
static size_t sizes[RANDOMS];

static double through_judge(struct fl_judge *j, unsigned traces, unsigned repeats)
{
    static struct fl_scenario decoded;
    uint64_t before = fl_judge_stats(j)->events;
    struct fl_divergence d;
    unsigned record;
    double start = cpu_now();

    for (unsigned i = 0; i < repeats; i++)
        for (unsigned k = 0; k < traces; k++) {
            fl_scenario_decode(bytes[k], sizes[k], &decoded);
            if (fl_judge_scenario(j, &decoded, &d, &record))
                die(d.detail);
        }
    return (double)(fl_judge_stats(j)->events - before) / (cpu_now() - start);
}

static double floor_of(struct fl_pin_world *w, unsigned traces, unsigned repeats)
{
    static struct fl_scenario decoded;
    static struct fl_pin_seen seen;
    struct fl_pin_call call;
    struct fl_pinned out;
    uint64_t calls = 0;
    double start = cpu_now();

    for (unsigned i = 0; i < repeats; i++)
        for (unsigned k = 0; k < traces; k++) {
            fl_scenario_decode(bytes[k], sizes[k], &decoded);
            fl_pin_world_begin(w, &decoded.machine);
            for (unsigned n = 0; n < decoded.nrecords; n++) {
                struct fl_record *r = &decoded.records[n];

                if (r->kind != FL_REC_PIN) {
                    fl_pin_world_apply(w, r);
                    continue;
                }
                if (!run_fits(r))
                    continue;
                run_call(w, r, &out, &call, &seen);
                calls++;
            }
        }
    return (double)calls / (cpu_now() - start);
}

static int descending(const void *a, const void *b)
{
    return (*(const double *)a < *(const double *)b) - (*(const double *)a > *(const double *)b);
}

static void measure(const char *name, struct fl_judge *j, struct fl_pin_world *w, unsigned traces, unsigned repeats)
{
    double judged[ROUNDS], bare[ROUNDS], median, per_record;
    uint64_t before = fl_judge_stats(j)->events;

    made = 0;

    for (unsigned i = 0; i < ROUNDS; i++) { /* in turn, so that a slow spell hits both */
        judged[i] = through_judge(j, traces, repeats);
        bare[i] = floor_of(w, traces, repeats);
    }
    per_record = (double)made / (double)(fl_judge_stats(j)->events - before);
    qsort(judged, ROUNDS, sizeof judged[0], descending);
    qsort(bare, ROUNDS, sizeof bare[0], descending);
    median = judged[ROUNDS / 2];
    printf(
        "gup %-13s %5.0f k records/s judged, %.1f calls each: %5.0f k calls/s; %5.0f k through model and core alone; "
        "goal %.0f k calls/s %s\n",
        name, median / 1e3, per_record, median * per_record / 1e3, bare[ROUNDS / 2] / 1e3, GOAL / 1e3,
        median * per_record >= GOAL ? "met" : "MISSED");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const char *const modes[FL_MODE_COUNT] = {"2level", "pae", "4level", "5level"};
    static const struct {
        const char *name;
        void (*build)(void);
    } traces[] = {{"quiet", quiet_trace}, {"raced", raced_trace}, {"huge", huge_trace}};
    struct fl_judge_options options = {.target = FL_TARGET_GUP, .gup = &counting};
    unsigned repeats = argc > 1 ? (unsigned)atoi(argv[1]) : 200;
    struct fl_pin_world *w;
    struct fl_judge *j;
    char why[256], name[32];
    size_t size = 0;

    count_calls();
    if (fl_judge_open(&options, &j, why) != FL_OK || fl_pin_world_open(&w) != FL_OK)
        die("cannot open");
    for (unsigned t = 0; t < 3; t++)
        for (uint8_t mode = 0; mode < FL_MODE_COUNT; mode++) {
            if (argc > 2 && strcmp(argv[2], traces[t].name))
                continue;
            fl_scenario_default(&scenario);
            scenario.machine.mode = mode;
            scenario.machine.code_bits = mode >= FL_MODE_4LEVEL ? 64 : 32;
            scenario.machine.pte_special = true;
            traces[t].build();
            sizes[0] = fl_scenario_encode(&scenario, bytes[0], sizeof bytes[0]);
            snprintf(name, sizeof name, "%s %s", traces[t].name, modes[mode]);
            measure(name, j, w, 1, repeats);
        }
    /* What an engine feeds: each trace a mutation of the one before. */
    for (unsigned i = 0; i < RANDOMS; i++) {
        if (i)
            memcpy(bytes[i], bytes[i - 1], size);
        size = fl_mutate(bytes[i], i % 50 ? size : 0, sizeof bytes[i], i, FL_TARGET_GUP);
        sizes[i] = size;
    }
    if (argc <= 2 || !strcmp(argv[2], "random"))
        measure("random", j, w, RANDOMS, 1 + repeats / 40);
    fl_pin_world_close(w);
    fl_judge_close(j);
    return 0;
}
