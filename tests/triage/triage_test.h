/* SPDX-License-Identifier: MIT */
/* What the tests of triage share: a folder of their own, and inputs that a core fails on. */
#ifndef FAULTLINE_TESTS_TRIAGE_TEST_H
#define FAULTLINE_TESTS_TRIAGE_TEST_H

#include "check.h"
#include "triage/internal.h"

#include <faultline/fuzz/mutate.h>

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

static inline const char *at(const char *name)
{
    static char paths[8][512];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof paths[0], "%s/%s", root, name);
    return path;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline void make_root(void)
{
    snprintf(root, sizeof root, "/tmp/faultline-triage-XXXXXX");
    if (!mkdtemp(root)) {
        perror(root);
        exit(1);
    }
}

static inline void remove_root(void)
{
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline struct replayer *open_replayer(const char *core)
{
    struct replay_options options = {.core = core, .executor = true, .seconds = 5};
    char why[512];
    struct replayer *r = replay_open(&options, why);

    if (!r) {
        fprintf(stderr, "%s\n", why);
        exit(1);
    }
    return r;
}

/* A deterministic search for inputs that a core fails on. */
struct search {
    enum fl_target target;
    uint32_t seed;
    size_t size;
    uint8_t data[FL_SCENARIO_MAX_BYTES];
};

/* The next input on which r's core shows anything (key NULL) or that key. False: not within so many tries. */
static inline bool next_input(struct search *f, struct replayer *r, const char *key, unsigned tries,
                              struct fl_scenario *out)
{
    for (unsigned i = 0; i < tries; i++) {
        struct replay_result got;

        if (f->seed % 16 == 0)
            f->size = 0; /* begin anew, or all of them grow into the same thicket */
        f->size = fl_mutate(f->data, f->size, sizeof f->data, ++f->seed, f->target);
        fl_scenario_decode(f->data, f->size, out);
        replay_run(r, out, f->target, &got);
        if (got.key[0] && (!key || strcmp(got.key, key) == 0))
            return true;
    }
    return false;
}

static inline void must_find(struct search *f, struct replayer *r, const char *key, struct fl_scenario *out)
{
    if (next_input(f, r, key, 300000, out))
        return;
    fprintf(stderr, "no input shows %s\n", key ? key : "anything");
    exit(1);
}

#endif
