/* SPDX-License-Identifier: MIT */
/* How fast schedules are run: bench_inject FILE [BOUND] [LIMIT]. */
#include <inject/inject.h>
#include <command.h>
#include <stdlib.h>

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
    double t;

    if (argc < 2 || !load_scenario(argv[1], &s))
        return 2;
    x.preempt = argc > 2 ? (unsigned)atoi(argv[2]) : 2;
    x.pairs = true;
    x.limit = argc > 3 ? strtoull(argv[3], NULL, 0) : UINT64_MAX;
    x.target = FL_TARGET_GUP;
    x.found = found;
    x.state = calloc(1, sizeof *x.state);
    if (fl_judge_open(&options, &x.judge, why) != FL_OK)
        return 3;
    t = monotonic_seconds();
    inject_explore(&x, &s);
    t = monotonic_seconds() - t;
    const struct inject_counts *n = &x.state->counts;
    printf(
        "calls %llu singles %llu pairs %llu hostile %llu left %llu same %llu no-effect %llu unreached %llu found %llu: %.2f s, %.2f us each\n",
        (unsigned long long)n->calls, (unsigned long long)n->singles, (unsigned long long)n->pairs,
        (unsigned long long)n->hostile, (unsigned long long)n->left_out, (unsigned long long)n->same,
        (unsigned long long)n->no_effect, (unsigned long long)n->unreached, (unsigned long long)n->findings, t,
        t * 1e6 / (double)(n->singles + n->pairs));
    return 0;
}
