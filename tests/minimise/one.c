/* SPDX-License-Identifier: MIT */
/*
 * one CORE TARGET FILE OUT: minimises FILE (fuzz bytes) from a cold start, and prints one line: milliseconds (replayer and all),
 * then for FILE and for OUT records, bytes without zeros at the end, and bits that are unlike the defaults.
 * one -m FILE: the last three of FILE alone.
 */
#include "minimise/minimise.h"
#include "minimise/pass.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool load(const char *path, struct fl_scenario *s, uint8_t *bytes)
{
    FILE *in = fopen(path, "rb");
    size_t size = in ? fread(bytes, 1, FL_SCENARIO_MAX_BYTES, in) : 0;

    if (!in) {
        perror(path);
        return false;
    }
    fclose(in);
    fl_scenario_decode(bytes, size, s);
    return true;
}

/* Zeros at the end need not be there: missing bytes read as zero. */
static unsigned bytes_of(const struct fl_scenario *s)
{
    uint8_t bytes[FL_SCENARIO_MAX_BYTES];
    size_t n = fl_scenario_encode(s, bytes, sizeof bytes);

    while (n && bytes[n - 1] == 0)
        n--;
    return (unsigned)n;
}

static void measure(const struct fl_scenario *s)
{
    printf(" %u %u %u", s->nrecords, bytes_of(s), scenario_cost(s));
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    static uint8_t bytes[FL_SCENARIO_MAX_BYTES];
    static struct fl_scenario in, out;
    struct replay_options options = {.executor = true, .decoders = true};
    struct minimised m;
    struct replayer *r;
    unsigned target = 0;
    char why[512];
    double start;
    size_t size;
    FILE *to;
    bool ok;

    if (argc == 3 && strcmp(argv[1], "-m") == 0 && load(argv[2], &in, bytes)) {
        measure(&in);
        putchar('\n');
        return 0;
    }
    if (argc != 5 || !load(argv[3], &in, bytes)) {
        fprintf(stderr, "usage: %s CORE TARGET FILE OUT\n", argv[0]);
        return 2;
    }
    while (target < FL_TARGET_ALL && strcmp(argv[2], fl_target_name((enum fl_target)target)) != 0)
        target++;
    start = now();
    options.core = argv[1];
    if (!(r = replay_open(&options, why))) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    ok = minimise(r, &in, (enum fl_target)target, 0, &out, &m);
    replay_close(r);
    if (!ok) {
        fprintf(stderr, "%s: nothing diverges\n", argv[3]);
        return 1;
    }
    printf("%.1f", (now() - start) * 1000);
    measure(&in);
    measure(&out);
    putchar('\n');
    size = fl_scenario_encode(&out, bytes, sizeof bytes);
    to = fopen(argv[4], "wb");
    return to && fwrite(bytes, 1, size, to) == size && fclose(to) == 0 ? 0 : 1;
}
