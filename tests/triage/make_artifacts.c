/* SPDX-License-Identifier: MIT */
/*
 * make_artifacts CORE FOLDER COUNT TARGET...: that many different files of fuzz bytes on which CORE fails, named as libFuzzer
 * and AFL++ name theirs; the targets in turn. Deterministic, but for what a search of another core would find. CORE "-": files on
 * which nothing fails.
 */
#include "triage_test.h"

static struct search searches[FL_TARGET_COUNT];

static enum fl_target target_named(const char *name)
{
    for (unsigned t = 0; t < FL_TARGET_ALL; t++)
        if (strcmp(name, fl_target_name((enum fl_target)t)) == 0)
            return (enum fl_target)t;
    fprintf(stderr, "no target %s\n", name);
    exit(2);
}

/* Different inputs, not only different files. */
static bool was_there(uint64_t digest)
{
    static uint64_t seen[1 << 14];
    static unsigned n;

    for (unsigned i = 0; i < n; i++)
        if (seen[i] == digest)
            return true;
    if (n < sizeof seen / sizeof seen[0])
        seen[n++] = digest;
    return false;
}

static void spill(const char *folder, unsigned n, enum fl_target target, const uint8_t *bytes, size_t size)
{
    char name[600];
    FILE *out;

    /* One folder per target, as an engine has; every other file as the other engine names it. */
    snprintf(name, sizeof name, "%s/%s-%s-0", folder, fl_target_name(target), n % 2 ? "afl" : "libfuzzer");
    mkdir(name, 0777);
    if (n % 2) {
        snprintf(name, sizeof name, "%s/%s-afl-0/crashes", folder, fl_target_name(target));
        mkdir(name, 0777);
        snprintf(name, sizeof name, "%s/%s-afl-0/crashes/id:%06u,sig:04,src:000000,op:havoc", folder,
                 fl_target_name(target), n);
    } else {
        snprintf(name, sizeof name, "%s/%s-libfuzzer-0/crash-%032x", folder, fl_target_name(target), n);
    }
    out = fopen(name, "wb");
    if (!out || fwrite(bytes, 1, size, out) != size || fclose(out) != 0) {
        perror(name);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    static struct fl_scenario s;
    static uint8_t bytes[FL_SCENARIO_MAX_BYTES];
    struct replayer *r;
    unsigned count;

    if (argc < 5)
        return 2;
    mkdir(argv[2], 0777);
    count = (unsigned)strtoul(argv[3], NULL, 10);
    r = open_replayer(strcmp(argv[1], "-") == 0 ? NULL : argv[1]);
    for (unsigned n = 0; n < count; n++) {
        enum fl_target target = target_named(argv[4 + n % (unsigned)(argc - 4)]);
        struct search *f = &searches[target];

        f->target = target;
        if (strcmp(argv[1], "-") == 0) {
            f->size = fl_mutate(f->data, f->size, sizeof f->data, ++f->seed, target);
            fl_scenario_decode(f->data, f->size, &s);
        } else {
            do
                must_find(f, r, NULL, &s);
            while (was_there(triage_digest(&s)));
        }
        spill(argv[2], n, target, bytes, fl_scenario_encode(&s, bytes, sizeof bytes));
    }
    replay_close(r);
    return 0;
}
