/* SPDX-License-Identifier: MIT */
/*
 * Somebody may build while a campaign works. Engines are started from the build folder at each slice, and are of the new build at
 * once; the supervisor replays with what it was started as, and would give what they find the old build's name. So it looks
 * now and then, and when new programs have been there for a moment the guard hands the campaign over to them.
 */
#define XXH_INLINE_ALL
#include "campaign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define LOOK_EVERY 5.0
#define AT_REST    15.0 /* seconds without a change: before that a build may be at work still */

static char *programs[ENGINE_COUNT * FL_TARGET_COUNT + 2]; /* the first is the running one */
static unsigned nprograms;
static uint64_t first, last;
static double looked, changed; /* campaign clock */

/* False: one of them is not there just now. */
static bool identity(uint64_t *out)
{
    uint64_t digest = 0;

    for (unsigned i = 0; i < nprograms; i++) {
        uint64_t of[4];
        struct stat st;

        if (stat(programs[i], &st) != 0)
            return false;
        of[0] = (uint64_t)st.st_ino;
        of[1] = (uint64_t)st.st_size;
        of[2] = (uint64_t)st.st_mtim.tv_sec;
        of[3] = (uint64_t)st.st_mtim.tv_nsec;
        digest = XXH3_64bits_withSeed(of, sizeof of, digest);
    }
    *out = digest;
    return true;
}

void builds_begin(const struct campaign_options *o)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    self[n > 0 ? n : 0] = 0;
    nprograms = 0;
    programs[nprograms++] = format_text("%s", self);
    for (unsigned t = 0; t < FL_TARGET_ALL; t++)
        for (unsigned e = 0; e < ENGINE_COUNT; e++) {
            struct engine_run run = {.engine = (enum engine)e, .target = (enum fl_target)t, .build = o->build};

            if (o->target[t] && o->engine[e])
                programs[nprograms++] = engine_program(&run);
        }
    if (o->core)
        programs[nprograms++] = format_text("%s", o->core);
    if (!identity(&first))
        first = 0; /* then nothing can be told */
    last = first;
}

void builds_end(void)
{
    while (nprograms > 0)
        free(programs[--nprograms]);
}

const char *builds_program(void)
{
    return programs[0];
}

bool builds_changed(const struct campaign *c)
{
    uint64_t now;

    if (!first || c->clock - looked < LOOK_EVERY)
        return false;
    looked = c->clock;
    if (!identity(&now)) {
        changed = c->clock;
        return false;
    }
    if (now != last)
        changed = c->clock;
    last = now;
    return now != first && c->clock - changed >= AT_REST;
}
