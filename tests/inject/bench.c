/* SPDX-License-Identifier: MIT */
/* How fast schedules are run, one after the other, the right core under them: bench_inject FILE [BOUND] [LIMIT]. */
#include <inject/inject.h>
#include <command.h>
#include <inttypes.h>
#include <stdlib.h>

#define GOAL 10.0 /* seconds for all schedules of bound 2 over Dirty COW */

static uint64_t found_n;
static void found(void *ctx, const struct fl_scenario *s, const struct fl_divergence *d, unsigned record)
{
    char key[256];

    (void)ctx, (void)s, (void)record;
    fl_divergence_key(d, key, sizeof key);
    if (found_n++ < 5) {
        printf("%s: %s\n", key, d->detail);
        fl_scenario_print(s, stdout);
    }
}

int main(int argc, char **argv)
{
    static struct fl_scenario s;
    static struct explore x;
    struct fl_judge_options options = {.target = FL_TARGET_GUP};
    char why[256];
    const struct inject_counts *n;
    uint64_t runs;
    double t;

    if (argc < 2 || !load_scenario(argv[1], &s))
        return 2;
    x.preempt = argc > 2 ? (unsigned)atoi(argv[2]) : 2;
    x.pairs = true;
    x.limit = argc > 3 ? strtoull(argv[3], NULL, 0) : UINT64_MAX;
    x.target = FL_TARGET_GUP;
    x.found = found;
    x.state = calloc(1, sizeof *x.state);
    if (!x.state || fl_judge_open(&options, &x.judge, why) != FL_OK)
        return 3;
    t = monotonic_seconds();
    inject_explore(&x, &s);
    t = monotonic_seconds() - t;
    n = &x.state->counts;
    runs = n->singles + n->pairs;
    printf("inject, bound %u: %" PRIu64 " op calls, %" PRIu64 " singles, %" PRIu64
           " pairs in %.2f s, %.2f us each; goal %.0f s %s\n",
           x.preempt, n->calls, n->singles, n->pairs, t, t * 1e6 / (double)(runs ? runs : 1), GOAL,
           t < GOAL ? "met" : "MISSED");
    inject_explore_free(&x);
    fl_judge_close(x.judge);
    free(x.state);
    return found_n || runs == 0;
}
