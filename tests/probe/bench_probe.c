/* SPDX-License-Identifier: MIT */
/*
 * Cases per second of a probe, by mode and by how they end: wall clock, and processor time of this process (the native
 * probe's child has the rest of the wall clock's; its own is not to be seen before it ends).
 *
 *     bench_probe native|unicorn [cases [rounds]]
 *
 * The best of the rounds is shown, so that other load on the machine does not decide it. Target: native 250 k/s on one core
 * for 64-bit code that runs, Unicorn about 100 k/s.
 */
#include "fixture.h"

#include <time.h>

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Strings of the space that is enumerated, no two neighbours the same. */
static struct fl_probe_case numbered(unsigned bits, unsigned kind, size_t i)
{
    static const uint8_t kinds[][2] = {{0x18, 0x08}, {0x0b, 0x00}, {0x01, 0x00}}; /* prefetcht0, #UD, mov */
    uint8_t prefixes[2] = {i & 1 ? 0x26 : 0x3e, i & 2 ? 0x66 : 0x2e};
    struct fl_probe_case c =
        fixture_prefetch(bits, prefixes, 1 + (i >> 2 & 1), kinds[kind][0], (uint8_t)((i >> 3 & 3) | kinds[kind][1]));

    if (kind == 2) { /* mov has one byte of opcode */
        c.bytes[c.n - 3] = 0x8a;
        c.bytes[c.n - 2] = c.bytes[c.n - 1];
        c.n--;
    }
    return c;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench_probe native|unicorn [cases [rounds]]\n");
        return 2;
    }
    bool native = strcmp(argv[1], "native") == 0;
    size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 200000;
    unsigned rounds = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 5;
    static const char *const names[] = {"runs", "#UD", "#PF"};
    static const uint8_t want[] = {FL_PROBE_RAN, FL_PROBE_UD, FL_PROBE_PF};
    struct fl_probe *p = fixture_open(native ? fl_native_open : fl_unicorn_probe_open);
    struct fl_probe_case *cases = calloc(n, sizeof *cases);
    uint8_t *ends = malloc(n);

    printf("%s %s on %s; target %s k/s\n", p->name, p->version, p->host, native ? "250" : "100");
    for (unsigned bits = 64; bits >= 16; bits /= 2)
        for (unsigned kind = 0; kind < 3 && (fixture_mode(bits) & p->modes) != 0; kind++) {
            double best = 0, best_cpu = 0;
            for (size_t i = 0; i < n; i++)
                cases[i] = numbered(bits, kind, i);
            for (unsigned r = 0; r < rounds; r++) {
                double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
                CHECK_EQ(p->run(p, cases, n, ends), FL_OK, "%s", p->why(p));
                wall = (double)n / (seconds(CLOCK_MONOTONIC) - wall) / 1000;
                cpu = (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (double)n * 1e9;
                best_cpu = wall > best ? cpu : best_cpu;
                best = wall > best ? wall : best;
            }
            for (size_t i = 0; i < n; i++)
                CHECK(ends[i] == want[kind], "%s: %s", fixture_text(&cases[i]), fl_probe_end_name(ends[i]));
            printf("  %u-bit %-4s %6.0f k/s wall; %5.0f ns a case in this process\n", bits, names[kind], best,
                   best_cpu);
        }
    CHECK_EQ(p->close(p), FL_OK, "close");
    free(cases);
    free(ends);
    return check_done("bench probe");
}
