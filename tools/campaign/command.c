/* SPDX-License-Identifier: MIT */
/* faultline campaign VERB: the verbs. */
#include "campaign.h"

#include "../status/status.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} verbs[] = {
    {"start", campaign_start, "begin a campaign in a new folder"},
    {"status", campaign_status, "say how one does, live on a terminal"},
    {"stop", campaign_stop, "end the one that works in a folder, and say what it found"},
    {"resume", campaign_resume, "go on where one was stopped or killed"},
    {"merge", campaign_merge, "put together what the shards of one on several machines have found"},
    {"shard", campaign_shard, NULL}, /* for the job scripts of start --slurm */
};
#define NVERBS (sizeof verbs / sizeof verbs[0])

static void usage(FILE *out)
{
    fprintf(out, "Usage: faultline campaign VERB [OPTION...] [DIR]\n"
                 "Fuzz for hours or weeks: engines and targets side by side, sharing time by what pays off.\n\n");
    for (size_t i = 0; i < NVERBS; i++)
        if (verbs[i].summary)
            fprintf(out, "  %-8s %s\n", verbs[i].name, verbs[i].summary);
    fprintf(out, "\nDIR is build/campaign unless given. faultline campaign VERB --help says more.\n"
                 "Exit codes: 0 nothing found, 1 open findings, 2 usage or input error, 3 internal error.\n");
}

char *campaign_folder(const char *argument)
{
    const char *build = getenv("FAULTLINE_BUILD");
    char cwd[PATH_MAX];

    if (!argument && !build) {
        complain("FAULTLINE_BUILD is not set: name the folder, or start this through the ./faultline launcher");
        exit(EXIT_INPUT);
    }
    if (!argument)
        return format_text("%s/campaign", build);
    if (argument[0] == '/')
        return format_text("%s", argument);
    if (!getcwd(cwd, sizeof cwd)) {
        complain("the current folder cannot be told: name DIR in full");
        exit(EXIT_INPUT);
    }
    return format_text("%s/%s", cwd, argument);
}

int command_campaign(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return EXIT_INPUT;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return EXIT_CLEAN;
    }
    for (size_t i = 0; i < NVERBS; i++) {
        if (strcmp(argv[1], verbs[i].name) == 0) {
            char name[64];

            snprintf(name, sizeof name, "%.40s %.20s", argv[0], argv[1]);
            argv[1] = name;
            return verbs[i].run(argc - 1, argv + 1);
        }
    }
    complain("campaign: no verb \"%.40s\": start, status, stop, resume or merge", argv[1]);
    return EXIT_INPUT;
}
