/* SPDX-License-Identifier: MIT */
/* faultline campaign stop: asks, waits, and says what was found. Again does no harm. */
#include "campaign.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STOP_LONGEST 150 /* seconds: the end waits for the last minimising */
#define UNKNOWN_MOST 3   /* times, 2 seconds apart, that its process is looked for */

static const char doc[] =
    "End the campaign that works in DIR (default build/campaign), wait until all of it has ended, "
    "and say what it found.\v"
    "Where none works the summary is said all the same. Exit codes: 0 nothing found, 1 open "
    "findings, 2 usage or input error, 3 it did not end.";
static const struct argp_option options[] = {
    {"json", 'J', NULL, 0, "print the summary as JSON", 0},
    {0},
};

struct stop {
    char *folder;
    bool json;
};

static error_t option(int key, char *arg, struct argp_state *state)
{
    struct stop *s = state->input;

    switch (key) {
    case 'J': s->json = true; return 0;
    case ARGP_KEY_ARG:
        if (s->folder)
            argp_error(state, "one folder is expected, found \"%.60s\" as well", arg);
        s->folder = campaign_folder(arg);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* The guard passes it on; the supervisor is asked as well, for the case that it has lost its guard. One that begins or ends
 * just now is not known for a moment: *unknown counts how often that was so. */
static bool ask(const char *folder, unsigned *unknown)
{
    pid_t guard, supervisor;
    bool asked = false;

    campaign_lock_pids(folder, &guard, &supervisor);
    if (guard)
        asked |= kill(guard, SIGTERM) == 0 || errno == ESRCH;
    if (supervisor)
        asked |= kill(supervisor, SIGTERM) == 0 || errno == ESRCH;
    if (guard || supervisor)
        *unknown = 0;
    else if (++*unknown < UNKNOWN_MOST)
        return true;
    if (!asked)
        complain("%s: cannot ask the campaign to end: %s", folder,
                 guard || supervisor ? strerror(errno) : "its process is not known (another machine?)");
    return asked;
}

static bool wait_for_end(const char *folder)
{
    const struct timespec tick = {.tv_nsec = 100000000};
    unsigned unknown = 0;

    for (unsigned ticks = 0; campaign_at_work(folder); ticks++) {
        if (ticks % 20 == 0 && !ask(folder, &unknown))
            return false;
        if (ticks == 10)
            fprintf(stderr, "faultline: waiting for the engines to end\n");
        if (ticks > STOP_LONGEST * 10) {
            complain("%s: the campaign has not ended in %d s; see %s/log", folder, STOP_LONGEST, folder);
            return false;
        }
        nanosleep(&tick, NULL);
    }
    return true;
}

int campaign_stop(int argc, char **argv)
{
    static const struct argp argp = {.options = options, .parser = option, .args_doc = "[DIR]", .doc = doc};
    struct stop stop = {0};
    struct store *s = NULL;
    bool worked;
    int code = EXIT_INPUT;

    argp_parse(&argp, argc, argv, 0, NULL, &stop);
    if (!stop.folder)
        stop.folder = campaign_folder(NULL);
    if (!store_is_folder(stop.folder)) {
        complain("%s: there is no campaign here", stop.folder);
        goto out;
    }
    s = store_open(stop.folder, STORE_READ);
    if (!s)
        goto out;
    if (slurm_is(s)) {
        code = slurm_stop(stop.folder, stop.json);
        goto out;
    }
    store_close(s);
    s = NULL;
    worked = campaign_at_work(stop.folder);
    if (worked && !wait_for_end(stop.folder)) {
        code = EXIT_INTERNAL;
        goto out;
    }
    s = store_open(stop.folder, STORE_READ);
    if (!s)
        goto out;
    if (!worked)
        fprintf(stderr, "faultline: %s: no campaign works here\n", stop.folder);
    code = campaign_summary(s, stop.json);
out:
    store_close(s);
    free(stop.folder);
    return code;
}
