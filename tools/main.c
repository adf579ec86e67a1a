/* SPDX-License-Identifier: MIT */
/* faultline SUBCOMMAND ...: the dispatcher. */
#include "command.h"

#include <argp.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

static const struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} subcommands[] = {
    {"bisect", command_bisect, "find the commit that made a finding diverge"},
    {"campaign", command_campaign, "fuzz for hours or weeks: start, status, stop, resume, merge"},
    {"conform", command_conform, "ask prefetch decoders and the processor about every prefetch there can be"},
    {"explain", command_explain, "a finding as a bug report: tables, trace, what the core did, what the oracles say"},
    {"fuzz", command_fuzz, "fuzz the core and hold every decision against the oracles"},
    {"inject", command_inject, "run a scenario with every failure, answer or race that fits, one after the other"},
    {"promote", command_promote, "put a finding into the regressions, and see it through"},
    {"report", command_report, "write what a campaign did as one HTML page"},
    {"repro", command_repro, "replay scenarios and say what each oracle said"},
    {"show", command_show, "print a scenario or a file of fuzz bytes as readable text"},
    {"triage", command_triage, "what engines stopped on becomes a few distinct findings, minimised and rated"},
    {"walk", command_walk, "judge a file of page-walk vectors"},
};
#define NSUBCOMMANDS (sizeof subcommands / sizeof subcommands[0])

static void usage(FILE *out)
{
    fprintf(out, "usage: faultline SUBCOMMAND [OPTION...]\n\n");
    for (size_t i = 0; i < NSUBCOMMANDS; i++)
        fprintf(out, "  %-8s %s\n", subcommands[i].name, subcommands[i].summary);
    fprintf(out, "  %-8s %s\n", "test", "run the project's tests (the ./faultline launcher does this)");
    fprintf(out, "  %-8s %s\n", "doctor", "say what is installed and what is missing (the ./faultline launcher)");
    fprintf(out, "\nfaultline SUBCOMMAND --help says more.\n"
                 "Exit codes: 0 nothing found, 1 findings, 2 usage or input error, 3 internal error.\n");
}

int main(int argc, char **argv)
{
    setlocale(LC_MESSAGES, "C");
    argp_err_exit_status = EXIT_INPUT;
    argp_program_version = "faultline " FAULTLINE_VERSION;
    if (argc < 2) {
        usage(stderr);
        return EXIT_INPUT;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return finish_output(EXIT_CLEAN);
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("%s\n", argp_program_version);
        return finish_output(EXIT_CLEAN);
    }
    for (size_t i = 0; i < NSUBCOMMANDS; i++) {
        if (strcmp(argv[1], subcommands[i].name) == 0) {
            char name[64];

            snprintf(name, sizeof name, "faultline %s", argv[1]);
            argv[1] = name;
            return finish_output(subcommands[i].run(argc - 1, argv + 1));
        }
    }
    complain("no subcommand \"%.60s\"; faultline --help lists them", argv[1]);
    return EXIT_INPUT;
}
