/* SPDX-License-Identifier: MIT */
/*
 * Both probes: each end in each mode, lengths up to the page's end, what is refused, that a case's end does not depend on
 * what ran before it, and that controls are repeated.
 *
 *     test_ends native|unicorn [random cases]
 */
#include "fixture.h"

struct row {
    uint8_t bytes[FL_PROBE_BYTES], n;
    unsigned modes;
    enum fl_probe_end end;
    const char *what;
    bool differs; /* emulation does not do as the processor does: */
    enum fl_probe_end unicorn;
};

#define A FL_DECODES_ALL
#define C (FL_DECODES_16 | FL_DECODES_32)
#define L FL_DECODES_64
static const struct row rows[] = {
    {{0x90}, 1, A, FL_PROBE_RAN, "nop"},
    {{0x0f, 0x18, 0x08}, 3, A, FL_PROBE_RAN, "prefetcht0"},
    {{0x0f, 0x0d, 0x08}, 3, A, FL_PROBE_RAN, "prefetchw"},
    {{0x0f, 0x1f, 0x00}, 3, A, FL_PROBE_RAN, "long nop"},
    {{0x90, 0x90, 0x90}, 3, A, FL_PROBE_RAN, "three nops"},
    {{0xeb, 0x00}, 2, A, FL_PROBE_RAN, "jump to the next instruction"},
    {{0x66}, 1, A, FL_PROBE_RAN, "a lone prefix goes to the int3"},
    {{0x40}, 1, C, FL_PROBE_CHANGED, "inc"},
    {{0x40, 0x48}, 2, C, FL_PROBE_CHANGED, "inc, dec of one register"},
    {{0x47, 0x4f, 0x0f, 0x18, 0x08}, 5, C, FL_PROBE_CHANGED, "inc, dec, prefetch"},
    {{0x47, 0x0f, 0x18, 0x08}, 4, L, FL_PROBE_RAN, "rex, prefetch"},
    {{0x47, 0x4f, 0x0f, 0x18, 0x08}, 5, L, FL_PROBE_RAN, "rex, rex, prefetch"},
    {{0x87, 0xd1}, 2, A, FL_PROBE_CHANGED, "exchange"},
    {{0x89, 0xc0}, 2, L, FL_PROBE_CHANGED, "the upper half cleared"},
    {{0x85, 0xc0}, 2, A, FL_PROBE_CHANGED, "only flags"},
    {{0xf8}, 1, A, FL_PROBE_CHANGED, "only the carry flag"},
    {{0xfd}, 1, A, FL_PROBE_CHANGED, "only the direction flag"},
    {{0x0f, 0x0b}, 2, A, FL_PROBE_UD, "ud2"},
    {{0xf0, 0x0f, 0x18, 0x08}, 4, A, FL_PROBE_UD, "lock prefetch", true, FL_PROBE_RAN},
    {{0xf4}, 1, A, FL_PROBE_GP, "hlt"},
    {{0xfa}, 1, A, FL_PROBE_GP, "cli"},
    {{0x8a, 0x00}, 2, A, FL_PROBE_PF, "load"},
    {{0x88, 0x00}, 2, A, FL_PROBE_PF, "store"},
    {{0x67, 0x8a, 0x00}, 3, A, FL_PROBE_PF, "load, other address size"},
    {{0x64, 0x8a, 0x00}, 3, A, FL_PROBE_PF, "load through FS"},
    {{0x65, 0x8a, 0x00}, 3, A, FL_PROBE_PF, "load through GS"},
    {{0x2e, 0x8a, 0x00}, 3, A, FL_PROBE_PF, "load through CS"},
    {{0x36, 0x8a, 0x00}, 3, A, FL_PROBE_PF, "load through SS"},
    {{0x8a, 0x44, 0x48, 0x00}, 4, L, FL_PROBE_PF, "load of base and twice an index"},
    {{0x8a, 0x04, 0xc8}, 3, L | FL_DECODES_32, FL_PROBE_PF, "load of base and 8 times an index"},
    {{0xff, 0xd0}, 2, A, FL_PROBE_PF, "call, whose push faults"},
    {{0xc3}, 1, A, FL_PROBE_PF, "ret"},
    {{0xb8}, 1, A, FL_PROBE_FETCH, "mov without its constant"},
    {{0xb0}, 1, A, FL_PROBE_FETCH, "mov that takes the int3 for its constant"},
    {{0x0f, 0x18}, 2, A, FL_PROBE_FETCH, "prefetch without its ModRM byte", true, FL_PROBE_UD},
    {{0x0f, 0x18, 0x44}, 3, L | FL_DECODES_32, FL_PROBE_FETCH, "prefetch without SIB byte and displacement"},
    {{0x0f, 0x18, 0x80, 0x00}, 4, A, FL_PROBE_FETCH, "prefetch with a byte of its displacement"},
    {{0x90, 0x0f, 0x0b}, 3, A, FL_PROBE_ELSEWHERE, "nop, ud2"},
    {{0x90, 0x8a, 0x00}, 3, A, FL_PROBE_ELSEWHERE, "nop, load"},
    {{0xcc}, 1, A, FL_PROBE_ELSEWHERE, "int3"},
    {{0x90, 0xcc, 0x90}, 3, A, FL_PROBE_ELSEWHERE, "nop, int3"},
    {{0xff, 0xe0}, 2, A, FL_PROBE_ELSEWHERE, "jump to where nothing is"},
    {{0xeb, 0xf0}, 2, A, FL_PROBE_ELSEWHERE, "jump back"},
    {{0xeb, 0xfe}, 2, A, FL_PROBE_OTHER, "a loop"},
    {{0xf7, 0xf0}, 2, A, FL_PROBE_OTHER, "div"},
    {{0xf1}, 1, A, FL_PROBE_OTHER, "int1", true, FL_PROBE_UD},
};

static void test_rows(struct fl_probe *p)
{
    unsigned seen[65][FL_PROBE_COUNT] = {{0}};
    bool emulated = strcmp(p->name, "unicorn") == 0;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (unsigned bits = 16; bits <= 64; bits *= 2) {
            struct fl_probe_case c = {.n = rows[i].n, .bits = (uint8_t)bits};
            if ((rows[i].modes & fixture_mode(bits) & p->modes) == 0)
                continue;
            memcpy(c.bytes, rows[i].bytes, c.n);
            uint8_t end = fixture_end(p, &c);
            enum fl_probe_end want = emulated && rows[i].differs ? rows[i].unicorn : rows[i].end;
            seen[bits][end]++;
            CHECK(end == want, "%s: %s (%s): %s, expected %s", p->name, fixture_text(&c), rows[i].what,
                  fl_probe_end_name(end), fl_probe_end_name(want));
        }
    for (unsigned bits = 16; bits <= 64; bits *= 2)
        for (unsigned end = 0; end < FL_PROBE_COUNT && (fixture_mode(bits) & p->modes) != 0; end++)
            CHECK(seen[bits][end] != 0, "no case of %u bits ended as %s", bits, fl_probe_end_name(end));
}

/*  ...int3 int3 [ prefixes... 90 ] int3 | not mapped  */
static void test_lengths(struct fl_probe *p)
{
    for (unsigned bits = 16; bits <= 64; bits *= 2)
        for (uint8_t n = 1; n <= FL_PROBE_BYTES && (fixture_mode(bits) & p->modes) != 0; n++) {
            struct fl_probe_case nops = {.n = n, .bits = (uint8_t)bits}, one = nops, prefetch = nops;

            memset(nops.bytes, 0x90, n);
            CHECK_EQ(fixture_end(p, &nops), FL_PROBE_RAN, "%s: %u nops", p->name, n);
            memset(one.bytes, 0x3e, n - 1u);
            one.bytes[n - 1] = 0x90;
            CHECK_EQ(fixture_end(p, &one), n <= 15 ? FL_PROBE_RAN : FL_PROBE_GP, "%s: %s", p->name, fixture_text(&one));
            if (n < 3)
                continue;
            memset(prefetch.bytes, 0x3e, n - 3u);
            memcpy(prefetch.bytes + n - 3, "\x0f\x18\x08", 3);
            CHECK_EQ(fixture_end(p, &prefetch), n <= 15 ? FL_PROBE_RAN : FL_PROBE_GP, "%s: %s", p->name,
                     fixture_text(&prefetch));
        }
}

static void test_invalid(struct fl_probe *p)
{
    struct fl_probe_case good = {{0x90}, 1, 64}, bad[] = {good, good, good, good};
    struct fl_probe_loads loads;
    uint8_t ends[2];

    bad[0].n = 0;
    bad[1].n = FL_PROBE_BYTES + 1;
    bad[2].bits = 8;
    bad[3].bits = 0;
    for (unsigned i = 0; i < 4; i++) {
        struct fl_probe_case two[2] = {good, bad[i]};
        CHECK_EQ(p->run(p, two, 2, ends), FL_INVALID, "case %u", i);
        CHECK_EQ(p->loads(p, &bad[i], &loads), FL_INVALID, "case %u", i);
    }
    CHECK_EQ(p->run(p, NULL, 1, ends), FL_INVALID, "no cases");
    CHECK_EQ(p->run(p, &good, 1, NULL), FL_INVALID, "no ends");
    CHECK_EQ(p->run(p, NULL, 0, NULL), FL_OK, "nothing to do");
    CHECK_EQ(p->loads(p, NULL, &loads), FL_INVALID, "no case");
    CHECK_EQ(p->loads(p, &good, NULL), FL_INVALID, "no answer");
}

/* What answers otherwise each time, or on each processor: RDTSC, RDPMC, RDRAND, RDSEED, RDPID, CPUID, RDTSCP and RDPRU, LSL.
 * Alone it ends as CHANGED each time; but what comes behind it may jump on what it answered. */
static bool may_hold_chance(const struct fl_probe_case *c)
{
    static const uint8_t opcodes[] = {0x31, 0x33, 0xc7, 0xa2, 0x01, 0x03};

    for (unsigned i = 0; i + 1 < FL_PROBE_BYTES; i++)
        if (c->bytes[i] == 0x0f && memchr(opcodes, c->bytes[i + 1], sizeof opcodes))
            return true;
    return false;
}

static struct fl_probe_case random_case(uint64_t *state, unsigned modes)
{
    struct fl_probe_case c;

    do
        c.bits = (uint8_t)(16u << check_random(state) % 3);
    while ((fixture_mode(c.bits) & modes) == 0);
    c.n = (uint8_t)(1 + check_random(state) % FL_PROBE_BYTES);
    do
        for (unsigned i = 0; i < FL_PROBE_BYTES; i++)
            c.bytes[i] = (uint8_t)check_random(state);
    while (may_hold_chance(&c));
    return c;
}

/* The same cases in another order, in batches of another size. */
static void test_independence(struct fl_probe *p, size_t n)
{
    struct fl_probe_case *cases = calloc(n, sizeof *cases), *shuffled = calloc(n, sizeof *cases);
    uint8_t *ends = malloc(n), *again = malloc(n);
    size_t *order = calloc(n, sizeof *order);
    uint64_t state = 1, count[FL_PROBE_COUNT] = {0};

    for (size_t i = 0; i < n; i++) {
        cases[i] = random_case(&state, p->modes);
        order[i] = i;
    }
    for (size_t i = n; i-- > 1;) {
        size_t j = (size_t)(check_random(&state) % (i + 1)), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    for (size_t i = 0; i < n; i++)
        shuffled[i] = cases[order[i]];
    CHECK_EQ(p->run(p, cases, n, ends), FL_OK, "%s", p->why(p));
    for (size_t i = 0; i < n;) {
        size_t now = 1 + (size_t)(check_random(&state) % 500);
        now = now < n - i ? now : n - i;
        CHECK_EQ(p->run(p, shuffled + i, now, again + i), FL_OK, "%s", p->why(p));
        i += now;
    }
    for (size_t i = 0; i < n; i++) {
        count[again[i]]++;
        CHECK(again[i] == ends[order[i]], "%s: %s: %s, and %s after other cases", p->name, fixture_text(&shuffled[i]),
              fl_probe_end_name(ends[order[i]]), fl_probe_end_name(again[i]));
    }
    printf("%s: %zu random cases:", p->name, n);
    for (unsigned i = 0; i < FL_PROBE_COUNT; i++)
        printf(" %s %" PRIu64, fl_probe_end_name(i), count[i]);
    putchar('\n');
    free(cases);
    free(shuffled);
    free(ends);
    free(again);
    free(order);
}

static void test_controls(struct fl_probe *p)
{
    size_t n = FL_PROBE_CONTROL_EVERY + 1;
    struct fl_probe_case *cases = calloc(n, sizeof *cases);
    uint8_t *ends = malloc(n);
    uint64_t before = p->controls;

    for (size_t i = 0; i < n; i++)
        cases[i] = (struct fl_probe_case){{0x90}, 1, 64};
    CHECK_EQ(p->run(p, cases, n, ends), FL_OK, "%s", p->why(p));
    CHECK(p->controls > before, "%" PRIu64 " controls before and after", before);
    free(cases);
    free(ends);
}

static void test_names(void)
{
    for (unsigned i = 0; i < FL_PROBE_COUNT; i++)
        for (unsigned j = 0; j <= i; j++)
            CHECK((strcmp(fl_probe_end_name(i), fl_probe_end_name(j)) == 0) == (i == j), "names %u, %u", i, j);
    CHECK_EQ(strcmp(fl_probe_end_name(FL_PROBE_COUNT), "none"), 0, "no end");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: test_ends native|unicorn [random cases]\n");
        return 2;
    }
    struct fl_probe *p = fixture_open(strcmp(argv[1], "native") == 0 ? fl_native_open : fl_unicorn_probe_open);

    CHECK(p->controls != 0, "controls at the start");
    CHECK(p->version[0] != 0 && p->host[0] != 0, "%s: version, host", p->name);
    printf("%s %s on %s, modes %u\n", p->name, p->version, p->host, p->modes);
    test_names();
    test_rows(p);
    test_lengths(p);
    test_invalid(p);
    test_controls(p);
    test_independence(p, argc > 2 ? strtoul(argv[2], NULL, 10) : 20000);
    CHECK_EQ(p->close(p), FL_OK, "close");
    return check_done("probe ends");
}
