/* SPDX-License-Identifier: MIT */
/*
 * find CORE TARGET TRIES [KEY [FILE]]: mutates its way through scenarios, without an engine, and says which keys the core
 * shows and how often. With a KEY it stops when that was shown, and fails when it was not; with "clean" it fails when any
 * was. CORE "-" is this tree's. FILE [OUT]: the fuzz bytes that showed KEY.
 */
#include "replay/replay.h"

#include <faultline/fuzz/mutate.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MOST_KEYS 64

struct seen {
    char key[256];
    unsigned count;
};

static struct seen seen[MOST_KEYS];
static unsigned nseen;

static void note(const char *key)
{
    unsigned i = 0;

    while (i < nseen && strcmp(seen[i].key, key) != 0)
        i++;
    if (i == MOST_KEYS)
        return;
    if (i == nseen)
        snprintf(seen[nseen++].key, sizeof seen[0].key, "%s", key);
    seen[i].count++;
}

static enum fl_target target_named(const char *name)
{
    unsigned t = 0;

    while (t < FL_TARGET_COUNT && strcmp(name, fl_target_name((enum fl_target)t)) != 0)
        t++;
    return (enum fl_target)t;
}

static bool keep(const char *path, const uint8_t *data, size_t size)
{
    FILE *out = fopen(path, "wb");
    bool ok = out && fwrite(data, 1, size, out) == size;

    if (out && fclose(out) != 0)
        ok = false;
    if (!ok)
        perror(path);
    return ok;
}

int main(int argc, char **argv)
{
    static uint8_t data[FL_SCENARIO_MAX_BYTES];
    static struct fl_scenario s;
    struct replay_options options = {.executor = true, .seconds = 2};
    const char *key = argc > 4 ? argv[4] : NULL;
    struct replay_result got;
    struct replayer *r;
    enum fl_target target;
    unsigned long tries, i;
    uint64_t events = 0;
    size_t size = 0;
    char why[512];

    if (argc < 4 || (target = target_named(argv[2])) >= FL_TARGET_COUNT) {
        fprintf(stderr, "usage: %s CORE TARGET TRIES [KEY [FILE]]\n", argv[0]);
        return 2;
    }
    options.core = strcmp(argv[1], "-") == 0 ? NULL : argv[1];
    tries = strtoul(argv[3], NULL, 10);
    if (!(r = replay_open(&options, why))) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    for (i = 0; i < tries; i++) {
        if (i % 16 == 0)
            size = 0; /* begin anew, or all of them grow into the same thicket */
        size = fl_mutate(data, size, sizeof data, (unsigned)i + 1, target);
        fl_scenario_decode(data, size, &s);
        replay_run(r, &s, target, &got);
        events += got.events;
        if (!got.key[0])
            continue;
        note(got.key);
        if (key && strcmp(got.key, key) == 0)
            break;
        size = 0;
    }
    replay_close(r);
    if (argc > 5 && i < tries && !keep(argv[5], data, size))
        return 1;
    for (unsigned k = 0; k < nseen; k++)
        printf("%7u %s\n", seen[k].count, seen[k].key);
    printf("%lu tries, %" PRIu64 " events judged\n", i, events);
    if (key && strcmp(key, "clean") == 0)
        return nseen != 0 || events == 0;
    return key && i == tries ? 1 : 0;
}
