/* SPDX-License-Identifier: MIT */
/* corpus/ as fuzz bytes, for engines to begin with. */
#include "engine.h"

#include "../command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool encode_seed(const char *path, void *ctx)
{
    static struct fl_scenario scenario;
    static uint8_t bytes[FL_SCENARIO_MAX_BYTES];
    const char *folder = ctx, *base = strrchr(path, '/');
    char *out;
    bool ok;

    if (!load_scenario(path, &scenario))
        return false;
    out = format_text("%s/%s", folder, base ? base + 1 : path);
    ok = write_atomically(out, bytes, fl_scenario_encode(&scenario, bytes, sizeof bytes));
    free(out);
    return ok;
}

static bool remove_file(const char *path, void *ctx)
{
    (void)ctx;
    if (unlink(path) == 0)
        return true;
    complain("%s: cannot remove it: %s", path, strerror(errno));
    return false;
}

bool engine_seeds(const char *root, const char *folder)
{
    static const char *const folders[] = {"seeds", "regressions", "reproductions"};
    char *to = format_text("%s", folder);
    bool ok = make_folder(to) && for_each_file(&to, 1, remove_file, NULL);

    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && ok; i++) {
        char *from = format_text("%s/corpus/%s", root, folders[i]);

        ok = for_each_file(&from, 1, encode_seed, to);
        free(from);
    }
    free(to);
    return ok;
}
