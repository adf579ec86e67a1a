/* SPDX-License-Identifier: MIT */
/* The inputs on which an engine stopped, as files in its folders. */
#include "engine.h"

#include "../command.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_limit(const char *name)
{
    return starts_with(name, "timeout-") || starts_with(name, "oom-");
}

static bool is_artifact(const char *name)
{
    return starts_with(name, "crash-") || is_limit(name) || starts_with(name, "leak-") || starts_with(name, "id:");
}

static unsigned collect(const char *folder, bool hangs, void (*each)(const char *path, bool limit, void *ctx),
                        void *ctx)
{
    DIR *dir = opendir(folder);
    struct dirent *e;
    unsigned n = 0;

    if (!dir)
        return 0;
    while ((e = readdir(dir))) {
        if (is_artifact(e->d_name)) {
            char *path = format_text("%s/%s", folder, e->d_name);

            each(path, hangs || is_limit(e->d_name), ctx);
            free(path);
            n++;
        }
    }
    closedir(dir);
    return n;
}

unsigned engine_artifacts(const struct engine_run *run, void (*each)(const char *path, bool limit, void *ctx),
                          void *ctx)
{
    static const char *const afl_folders[] = {"crashes", "hangs"};
    unsigned n = 0;

    if (run->engine == ENGINE_LIBFUZZER)
        return collect(run->folder, false, each, ctx);
    for (unsigned i = 0; i < 2; i++) {
        char *folder = format_text("%s/%s/%s", run->sync, run->role, afl_folders[i]);

        n += collect(folder, i == 1, each, ctx);
        free(folder);
    }
    return n;
}

bool engine_read_artifact(const char *path, struct fl_scenario *out)
{
    static uint8_t bytes[FL_SCENARIO_MAX_BYTES];
    FILE *in = fopen(path, "rb");
    size_t size = in ? fread(bytes, 1, sizeof bytes, in) : 0;
    bool ok = in && !ferror(in);

    if (!ok)
        complain("%s: %s", path, strerror(errno));
    if (in)
        fclose(in);
    if (ok)
        fl_scenario_decode(bytes, size, out);
    return ok;
}
