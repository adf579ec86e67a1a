/* SPDX-License-Identifier: MIT */
/*
 * Cases per second of a probe, by mode and by how they end: by the wall clock (the best round), and by processor time, this
 * process and the probe's child together (all rounds, opening and controls included), which other load on the machine
 * disturbs less.
 *
 *     bench_probe native|unicorn [cases [rounds]]
 *
 * Target: native 250 k/s on one core for 64-bit code that runs, Unicorn about 100 k/s.
 */
#include "fixture.h"

#include <sys/resource.h>
#include <time.h>

/* Of this process and of its children that have ended. */
static double processor_seconds(void)
{
    double sum = 0;

    for (int i = 0; i < 2; i++) {
        struct rusage r;
        getrusage(i == 0 ? RUSAGE_SELF : RUSAGE_CHILDREN, &r);
        sum +=
            (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
    }
    return sum;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
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
    size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 100000;
    unsigned rounds = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 5;
    static const char *const names[] = {"runs", "#UD", "#PF"};
    static const uint8_t want[] = {FL_PROBE_RAN, FL_PROBE_UD, FL_PROBE_PF};
    enum fl_status (*open)(struct fl_probe **, char[256]) = native ? fl_native_open : fl_unicorn_probe_open;
    struct fl_probe *first = fixture_open(open);
    unsigned modes = first->modes;
    struct fl_probe_case *cases = calloc(n, sizeof *cases);
    uint8_t *ends = malloc(n);

    printf("%s %s on %s; target %s k/s\n", first->name, first->version, first->host, native ? "250" : "100");
    CHECK_EQ(first->close(first), FL_OK, "close");
    for (unsigned bits = 64; bits >= 16; bits /= 2)
        for (unsigned kind = 0; kind < 3 && (fixture_mode(bits) & modes) != 0; kind++) {
            double best = 0, cpu = processor_seconds();
            struct fl_probe *p = fixture_open(open);
            for (size_t i = 0; i < n; i++)
                cases[i] = numbered(bits, kind, i);
            for (unsigned r = 0; r < rounds; r++) {
                double wall = seconds();
                CHECK_EQ(p->run(p, cases, n, ends), FL_OK, "%s", p->why(p));
                wall = (double)n / (seconds() - wall) / 1000;
                best = wall > best ? wall : best;
            }
            CHECK_EQ(p->close(p), FL_OK, "close");
            cpu = (double)n * rounds / (processor_seconds() - cpu) / 1000;
            for (size_t i = 0; i < n; i++)
                CHECK(ends[i] == want[kind], "%s: %s", fixture_text(&cases[i]), fl_probe_end_name(ends[i]));
            printf("  %u-bit %-4s %6.0f k/s wall, %6.0f k/s processor time\n", bits, names[kind], best, cpu);
            fflush(stdout);
        }
    free(cases);
    free(ends);
    return check_done("bench probe");
}
