/* SPDX-License-Identifier: MIT */
/*
 * Makes a bucket of a scenario, as a campaign does: promote-bucket DIR CORE SCENARIO TARGET [aside|duplicate|invalid]
 * Prints its key.
 */
#include "command.h"
#include "triage/triage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct fl_scenario *scenario = calloc(1, sizeof *scenario);
    struct triage_origin origin = {.found_by = "fault-afl-0", .target = FL_TARGET_ALL, .after = 12.5, .events = 1000};
    struct replay_options options = {.core = argc > 2 ? argv[2] : NULL, .executor = true, .decoders = true};
    struct replayer *replayer;
    struct store *store;
    struct bucket b;
    char why[512];
    bool ok;

    if (argc < 5 || !scenario || !load_scenario(argv[3], scenario))
        return EXIT_INPUT;
    for (unsigned t = 0; t < FL_TARGET_COUNT; t++)
        if (strcmp(argv[4], fl_target_name((enum fl_target)t)) == 0)
            origin.target = (enum fl_target)t;
    replayer = replay_open(&options, why);
    store = store_open(argv[1], STORE_CREATE);
    if (!replayer || !store) {
        fprintf(stderr, "%s\n", why);
        return EXIT_INTERNAL;
    }
    store_use_core(store, options.core);
    ok = triage_take(store, replayer, scenario, &origin, false, &b) <= TAKEN_KNOWN;
    if (ok && argc > 5) {
        b.aside = strcmp(argv[5], "aside") == 0;
        if (!b.aside)
            b.status = strcmp(argv[5], "duplicate") == 0 ? BUCKET_DUPLICATE : BUCKET_INVALID;
        snprintf(b.reason, sizeof b.reason, "said so by hand");
        snprintf(b.duplicate_of, sizeof b.duplicate_of, "another/key/of/it");
        ok = store_bucket_put(store, &b);
    }
    printf("%s\n", ok ? b.key : "nothing was taken");
    store_close(store);
    replay_close(replayer);
    free(scenario);
    return ok ? EXIT_CLEAN : EXIT_FINDINGS;
}
