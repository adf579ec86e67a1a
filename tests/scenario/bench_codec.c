/* SPDX-License-Identifier: MIT */
/* Nanoseconds for decoding and encoding: one-record inputs (the usual fuzz input) and full ones. */
#include "random_scenario.h"

#include <time.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

enum { INPUTS = 64 };
static uint8_t inputs[INPUTS][FL_SCENARIO_MAX_BYTES], out[FL_SCENARIO_MAX_BYTES];
static struct fl_scenario scenario;

/* The median of five rounds over all inputs, per record. */
static double measure(size_t size, bool encode, unsigned repeats)
{
    double rounds[5];
    const size_t records = (size - FL_MACHINE_BYTES) / FL_RECORD_BYTES;

    for (unsigned round = 0; round < 5; round++) {
        const double start = now();

        for (unsigned i = 0; i < repeats; i++) {
            if (encode) {
                CHECK_EQ(fl_scenario_encode(&scenario, out, sizeof(out)), size, "length");
            } else {
                fl_scenario_decode(inputs[i % INPUTS], size, &scenario);
                CHECK_EQ(scenario.nrecords, records, "records");
            }
        }
        rounds[round] = (now() - start) / repeats;
        for (unsigned i = round; i > 0 && rounds[i] < rounds[i - 1]; i--) {
            const double swap = rounds[i];

            rounds[i] = rounds[i - 1];
            rounds[i - 1] = swap;
        }
    }
    return rounds[2];
}

int main(void)
{
    static const size_t counts[] = {0, 1, 4, 32, FL_MAX_RECORDS};
    uint64_t state = 21;

    for (unsigned i = 0; i < INPUTS; i++)
        for (size_t at = 0; at < FL_SCENARIO_MAX_BYTES; at++)
            inputs[i][at] = (uint8_t)check_random(&state);
    printf("%8s %14s %14s %14s %14s\n", "records", "decode ns", "ns/record", "encode ns", "ns/record");
    for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        const size_t n = counts[i], size = FL_MACHINE_BYTES + n * FL_RECORD_BYTES;
        const unsigned repeats = (unsigned)(1000000 / (1 + n));
        const double decode = measure(size, false, repeats), encode = measure(size, true, repeats);

        printf("%8zu %14.1f %14.1f %14.1f %14.1f\n", n, decode, decode / (double)(n != 0 ? n : 1), encode,
               encode / (double)(n != 0 ? n : 1));
    }
    return check_done("scenario codec benchmark");
}
