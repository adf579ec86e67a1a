/* SPDX-License-Identifier: MIT */
/*
 * What minimising promises, over many scenarios that diverge under wrong cores: the key stays, nothing grows, the result is
 * valid, it is the same each time, and minimising it once more changes nothing.
 */
#include "minimise/minimise.h"

#include "check.h"

#include <faultline/fuzz/mutate.h>

#include <time.h>

#define MUTATIONS 40 /* of one scenario; each may add several records */

struct sums {
    unsigned scenarios, tries, before, after, bits_before, bits_after;
    double seconds, slowest;
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct replayer *open_core(const char *core)
{
    struct replay_options options = {.core = core, .executor = true, .decoders = true, .seconds = 5};
    char why[512];
    struct replayer *r = replay_open(&options, why);

    if (!r) {
        fprintf(stderr, "%s\n", why);
        exit(1);
    }
    return r;
}

static enum fl_target target_named(const char *name)
{
    unsigned t = 0;

    while (t < FL_TARGET_ALL && strcmp(name, fl_target_name((enum fl_target)t)) != 0)
        t++;
    return (enum fl_target)t;
}

static void print(const char *what, const struct fl_scenario *s)
{
    fprintf(stderr, "%s:\n", what);
    fl_scenario_print(s, stderr);
}

/* Everything that is promised of one scenario. other: a second child, which has seen nothing of the first one's. */
static void check_one(struct replayer *r, struct replayer *other, const struct fl_scenario *in, enum fl_target target,
                      const char *key, struct sums *sums)
{
    static struct fl_scenario out, again, third;
    struct minimised m, m2, m3;
    struct replay_result got;
    uint64_t failures = check_failures;
    double start = now(), took;
    bool ok = minimise(r, in, target, 0, &out, &m);

    took = now() - start;
    CHECK(ok, "%s", key);
    CHECK(strcmp(m.result.key, key) == 0, "%s became %s", key, m.result.key);
    CHECK(fl_scenario_valid(&out), "%s", key);
    replay_run(other, &out, target, &got);
    CHECK(strcmp(got.key, key) == 0, "%s, replayed: %s", key, got.key);
    CHECK_EQ(got.record, m.result.record, "the failing record of %s", key);
    CHECK(out.nrecords <= in->nrecords && m.bytes_after <= m.bytes_before && m.bits_after <= m.bits_before,
          "%u to %u records, %u to %u bits", m.before, m.after, m.bits_before, m.bits_after);
    /* A race and what it needs can be read at one glance. */
    CHECK(target != FL_TARGET_GUP || out.nrecords <= 6, "%s: %u records", key, out.nrecords);
    CHECK(m.before == in->nrecords && m.after == out.nrecords, "what is reported");

    CHECK(minimise(other, in, target, 0, &again, &m2), "%s, again", key);
    CHECK(fl_scenario_equal(&out, &again), "%s: another result the second time", key);
    CHECK_EQ(m.tries, m2.tries, "%s: tries", key);
    CHECK(minimise(r, &out, target, 0, &third, &m3), "%s, the result", key);
    CHECK(fl_scenario_equal(&out, &third), "%s: no fixed point", key);
    if (check_failures != failures) {
        print("from", in);
        print("to", &out);
        print("once more", &third);
    }
    sums->scenarios++;
    sums->tries += m.tries;
    sums->before += m.before;
    sums->after += m.after;
    sums->bits_before += m.bits_before;
    sums->bits_after += m.bits_after;
    sums->seconds += took;
    sums->slowest = took > sums->slowest ? took : sums->slowest;
}

/* Long scenarios of all sorts, and the first `want` of them that diverge. */
static void check_core(const char *core, enum fl_target target, unsigned want, bool verbose)
{
    static uint8_t data[FL_SCENARIO_MAX_BYTES];
    static struct fl_scenario s;
    struct replayer *r = open_core(core), *other = open_core(core);
    const char *name = strrchr(core, '/') ? strrchr(core, '/') + 1 : core;
    struct sums sums = {0};

    for (uint32_t seed = 1; seed < 20000 && sums.scenarios < want; seed++) {
        struct replay_result got;
        size_t size = 0;

        for (unsigned i = 0; i < MUTATIONS; i++)
            size = fl_mutate(data, size, sizeof data, seed * 1000 + i, target);
        fl_scenario_decode(data, size, &s);
        replay_run(r, &s, target, &got);
        if (!got.key[0])
            continue;
        check_one(r, other, &s, target, got.key, &sums);
        if (verbose) {
            struct minimised m;

            minimise(r, &s, target, 0, &s, &m);
            printf("%s, %u of %u records, %u of %u bits, %u tries\n", got.key, m.after, m.before, m.bits_after,
                   m.bits_before, m.tries);
            fl_scenario_print(&s, stdout);
        }
    }
    CHECK_EQ(sums.scenarios, want, "%s: scenarios that diverge", name);
    printf("%s: %u scenarios, %u records became %u, %u bits %u; %.0f tries and %.0f ms each, the slowest %.0f ms\n",
           name, sums.scenarios, sums.before, sums.after, sums.bits_before, sums.bits_after,
           (double)sums.tries / sums.scenarios, sums.seconds * 1000 / sums.scenarios, sums.slowest * 1000);
    replay_close(r);
    replay_close(other);
}

static void parse(const char *text, struct fl_scenario *s)
{
    struct fl_text_error error;

    if (!fl_scenario_parse(text, strlen(text), s, &error)) {
        fprintf(stderr, "%u:%u: %s\n", error.line, error.column, error.message);
        exit(1);
    }
}

/* What has no key is left as it is. */
static void check_nothing_to_do(const char *core)
{
    static struct fl_scenario s, out;
    struct replayer *r = open_core(core);
    struct minimised m;

    parse("faultline-scenario 2\nvma 0x1000000 pages 3 prot rw\nfault cr2 0x1001000 code 0x6\n", &s);
    CHECK(!minimise(r, &s, FL_TARGET_FAULT, 0, &out, &m), "a clean scenario");
    CHECK(fl_scenario_equal(&s, &out), "as it was");
    CHECK(m.before == 2 && m.after == 2 && m.bits_before == m.bits_after && !m.result.key[0], "%s", m.result.key);
    replay_close(r);
}

/* A core that remembers: what it shows, it shows because of what came before. */
static void check_memory(const char *core)
{
    static struct fl_scenario s, out;
    struct replayer *r = open_core(core);
    struct replay_result got;
    struct minimised m;

    parse("faultline-scenario 2\nvendor amd\nfamily 15\nmaxphyaddr 36\ndecode 64 user: 90 90\n", &s);
    for (unsigned i = 0; i < 3; i++) {
        replay_run(r, &s, FL_TARGET_PREFETCH, &got);
        CHECK_EQ(got.end, i ? REPLAY_DIVERGED : REPLAY_CLEAN, "call %u", i);
    }
    CHECK(!minimise(r, &s, FL_TARGET_PREFETCH, 0, &out, &m), "not the same each time: %s", m.result.key);
    CHECK(fl_scenario_equal(&s, &out), "as it was");
    replay_close(r);
}

/* No more tries than allowed, and what was reached until then is as good as any other result; in place as well. */
static void check_bounded(const char *core)
{
    static struct fl_scenario s, place;
    struct replayer *r = open_core(core);
    struct replay_result got;
    struct minimised m;

    parse("faultline-scenario 2\nmaxphyaddr 36\nvma 0x7654000 pages 9 prot rx\nmap 0x123000 frame 5 flags p\n"
          "vma 0x20000000 pages 4 prot rw\nvma 0x20010000 pages 4 prot rw growsdown\n"
          "regs user bits 64 ip 0x400000 sp 0x20010000\nfault cr2 0x2000f000 code 0x6\n",
          &s);
    for (unsigned most = 1; most < 60; most += 7) {
        place = s;
        CHECK(minimise(r, &place, FL_TARGET_FAULT, most, &place, &m), "%u tries", most);
        CHECK(m.tries <= most + 3, "%u tries, allowed are %u", m.tries, most);
        CHECK(fl_scenario_valid(&place) && place.nrecords <= s.nrecords, "%u records", place.nrecords);
        replay_run(r, &place, FL_TARGET_FAULT, &got);
        CHECK(strcmp(got.key, "decision/stack-guard-gap/refused/served") == 0, "%u tries: %s", most, got.key);
    }
    CHECK(minimise(r, &s, FL_TARGET_FAULT, 0, &s, &m) && s.nrecords == 3, "%u records", s.nrecords);
    replay_close(r);
}

int main(int argc, char **argv)
{
    bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;

    if (!verbose && argc > 2) {
        check_nothing_to_do(argv[1]);
        check_bounded(argv[1]);
        check_memory(argv[2]);
        argv += 2;
        argc -= 2;
    }
    for (int i = 1 + verbose; i + 2 < argc; i += 3)
        check_core(argv[i], target_named(argv[i + 1]), (unsigned)atoi(argv[i + 2]), verbose);
    return check_done("minimise");
}
