/* SPDX-License-Identifier: MIT */
/*
 * Random traces of pinning under the tree's core: nothing diverges, and the model stays sound after every record.
 *   pin_soak [TRACES [SEED [fast]]]     fast: the model is not looked at
 * SOAK_LAST in the environment names a file that holds the trace under way, for when the process ends in it.
 */
#include <faultline/fuzz/judge.h>
#include <faultline/fuzz/mutate.h>
#include <stdlib.h>
#include <string.h>

static struct fl_scenario scenario;
static uint8_t bytes[FL_SCENARIO_MAX_BYTES];

int main(int argc, char **argv)
{
    unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 20000, seed = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
    struct fl_judge_options options = {.target = FL_TARGET_GUP, .sound = argc <= 3};
    struct fl_divergence d;
    struct fl_judge *j;
    unsigned record;
    bool compared;
    size_t size = 0;
    char why[256], key[256];

    if (fl_judge_open(&options, &j, why) != FL_OK) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    for (unsigned i = 0; i < n; i++) {
        if (i % 50 == 0)
            size = 0;
        size = fl_mutate(bytes, size, sizeof bytes, seed * 1000003u + i, FL_TARGET_GUP);
        fl_scenario_decode(bytes, size, &scenario);
        if (getenv("SOAK_LAST")) {
            FILE *out = fopen(getenv("SOAK_LAST"), "w");

            if (!out) {
                perror(getenv("SOAK_LAST"));
                return 1;
            }
            fl_scenario_print(&scenario, out);
            fclose(out);
        }
        if (fl_judge_scenario(j, &scenario, &d, &record)) {
            fl_divergence_key(&d, key, sizeof key);
            fprintf(stderr, "trace %u: %s at record %u: %s\n", i, key, record + 1, d.detail);
            fl_scenario_print(&scenario, stdout);
            return 1;
        }
    }
    printf("%u traces, %llu calls, %llu pages, quiet %llu, twice %llu, raced %llu, answered %llu, cells %llu\n", n,
           (unsigned long long)fl_judge_stats(j)->events, (unsigned long long)fl_judge_stats(j)->pinned_pages,
           (unsigned long long)fl_judge_stats(j)->pin_quiet, (unsigned long long)fl_judge_stats(j)->pin_twice,
           (unsigned long long)fl_judge_stats(j)->pin_raced, (unsigned long long)fl_judge_stats(j)->pin_answered,
           (unsigned long long)fl_judge_stats(j)->cells_hit);
    compared = fl_judge_stats(j)->pin_quiet != 0 && fl_judge_stats(j)->pin_raced != 0;
    fl_judge_close(j);
    return !compared;
}
