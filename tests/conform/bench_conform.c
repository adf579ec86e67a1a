/* SPDX-License-Identifier: MIT */
/*
 * Strings a second through everything that `conform` does with a string, beside the bare cost of asking its columns: the same
 * strings, in the same run, decoded in a loop and nothing else. Processor time of one process; the numbers are printed
 * beside their targets, not judged: they belong to the machine.
 */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include "conform/conform.h"

#include <faultline/fuzz/decode_ops.h>

#include <time.h>

#define UNITS  400u /* of 512 strings, spread over the space of 64-bit code */
#define ROUNDS 10u

static struct batch batch[UNITS];
static uint8_t answers[BATCH_STRINGS][MAX_COLUMNS];

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Seconds for all strings. */
static double bare(struct answerer *a)
{
    struct fl_fault fault = {
        .cpu = {.mode = FL_MODE_4LEVEL, .vendor = FL_VENDOR_AMD, .family = 15, .maxphyaddr = 48},
        .kernel = {.word = 8, .task_size = UINT64_C(0x7ffffffff000)},
        .task = {.has_mm = true},
        .codeseg = {.limit = UINT32_MAX, .bits = 64},
        .regs = {.ip = 0x1000, .cs = 0x33, .flags = 0x202},
        .error_code = 4,
    };
    struct decode_bytes bytes = {.linear = 0x1000, .wrap = UINT64_MAX, .n = 15};
    double start = now(), seconds;
    uint64_t sum = 0;

    for (unsigned u = 0; u < UNITS; u++)
        for (unsigned i = 0; i < BATCH_STRINGS; i++) {
            if (a->core) {
                bool ignore = false;

                bytes.code = batch[u].bytes[i];
                bytes.effects.probes = 0;
                a->core->prefetch(&fault, fl_decode_ops(), &bytes, &ignore);
                sum += ignore;
            } else {
                sum += a->decoder->decode(a->decoder, batch[u].bytes[i], 15, 64).cls;
            }
        }
    seconds = now() - start;
    CHECK(sum != 0, "%s answers", a->column->name);
    return seconds;
}

static double whole(struct answerer *a, unsigned n, const struct space *s, const uint32_t *unit)
{
    static struct cell cell[1 << 15];
    static struct batch one;
    struct cells cells = {.capacity = 1 << 15, .cell = cell};
    volatile uint32_t at;
    char why[256];
    double start = now(), seconds;

    cells_clear(&cells);
    for (unsigned u = 0; u < UNITS; u++) {
        axis_fill(s, AXIS_SPACE, 2, unit[u], &one);
        for (unsigned c = 0; c < n; c++)
            answerer_ask(&a[c], &one, c, answers, &at, NULL, why);
        cells_add_batch(&cells, &one, (uint64_t)unit[u] * BATCH_STRINGS, answers);
    }
    seconds = now() - start;
    CHECK(cells.used > 100 && !cells.full, "%u cells", cells.used);
    return seconds;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

int main(void)
{
    static struct column columns[] = {{.kind = COLUMN_CORE, .name = "core"},
                                      {.kind = COLUMN_DECODER, .name = "capstone"},
                                      {.kind = COLUMN_DECODER, .name = "zydis"}};
    const struct space s = {.modes = FL_DECODES_64, .prefixes = 3};
    const double strings = UNITS * BATCH_STRINGS;
    struct answerer a[3];
    uint32_t unit[UNITS];
    unsigned n = 0;
    double best[3] = {1e9, 1e9, 1e9}, sum = 0, all = 1e9;
    char why[256];

    for (unsigned c = 0; c < 3; c++) {
        if (answerer_open(&columns[c], &a[n], why))
            n++;
        else
            printf("%s\n", why);
    }
    for (unsigned u = 0; u < UNITS; u++) {
        unit[u] = (uint32_t)((uint64_t)u * axis_units(&s, AXIS_SPACE) / UNITS);
        axis_fill(&s, AXIS_SPACE, 2, unit[u], &batch[u]);
    }
    /* In turn, and the best of each: what else the machine does meets both. */
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned c = 0; c < n; c++)
            best[c] = least(best[c], bare(&a[c]));
        all = least(all, whole(a, n, &s, unit));
    }
    for (unsigned c = 0; c < n; c++) {
        printf("%-10s %-8s bare %6.0f ns a string\n", a[c].column->name, a[c].column->version, best[c] / strings * 1e9);
        sum += best[c];
    }
    printf("all %u      whole %6.0f ns a string, %.2f of the sum of the bare costs   target 0.80%s\n", n,
           all / strings * 1e9, sum / all, sum / all < 0.8 ? ": MISSED" : "");
    printf("%.2f M strings/s a processor   target 2.50%s\n", strings / all / 1e6,
           strings / all < 2.5e6 ? ": MISSED" : "");
    for (unsigned c = 0; c < n; c++)
        answerer_close(&a[c], why);
    return check_done("bench conform");
}
