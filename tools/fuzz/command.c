/* SPDX-License-Identifier: MIT */
/* faultline fuzz: the options. */
#include "fuzz.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char doc[] =
    "Fuzz the core: engines generate machines, page tables, faults and instructions; every decision is held against the "
    "oracles.\v"
    "Each chosen target runs under each chosen engine in a process of its own, all for the given time. Progress goes to "
    "standard error: one live line on a terminal, a plain line every ten seconds elsewhere. Findings are stored as .scn "
    "texts, one per divergence key, under build/fuzz/findings; replay them with faultline repro. The corpus is kept "
    "between runs under build/fuzz. Exit codes: 0 nothing found, 1 findings, 2 usage or input error, 3 Faultline's own "
    "trouble (also when nothing was judged).";

enum { OPT_JSON = 256, OPT_NO_EXECUTOR, OPT_OUT, OPT_SEED, OPT_CORE };
static const struct argp_option options[] = {
    {"target", 't', "NAME", 0, FL_TARGET_LIST ", several with commas, or all (default)", 0},
    {"engine", 'e', "NAME", 0, "libfuzzer (default), afl or both", 0},
    {"time", 's', "SECONDS", 0, "how long (default 60)", 0},
    {"jobs", 'j', "N", 0, "processes for each target and engine (default 1)", 0},
    {"seed", OPT_SEED, "N", 0, "seed of the engines' random choices (default: theirs)", 0},
    {"out", OPT_OUT, "DIR", 0, "corpus, findings and logs go here (default build/fuzz)", 0},
    {"core", OPT_CORE, "FILE", 0,
     "test this core, a shared object (default: $FAULTLINE_CORE, else the one in this tree); without --target those that it "
     "can run",
     0},
    {"no-executor", OPT_NO_EXECUTOR, NULL, 0, "leave executors out", 0},
    {"json", OPT_JSON, NULL, 0, "print the closing summary as JSON", 0},
    {0},
};

static error_t option(int key, char *arg, struct argp_state *state)
{
    struct fuzz *c = state->input;

    switch (key) {
    case 't': engine_argument_targets(c->target, arg, state); return 0;
    case 'e': engine_argument_engines(c->engine, arg, state); return 0;
    case 's': c->seconds = engine_argument_number(arg, 1, 10000000, "--time", state); return 0;
    case 'j': c->jobs = engine_argument_number(arg, 1, 8, "--jobs", state); return 0;
    case OPT_SEED: c->seed = engine_argument_number(arg, 1, 2147483647, "--seed", state); return 0;
    case OPT_OUT:
        free(c->out);
        c->out = format_text("%s", arg);
        return 0;
    case OPT_CORE: c->core = arg; return 0;
    case OPT_NO_EXECUTOR: c->executor = false; return 0;
    case OPT_JSON: c->json = true; return 0;
    case ARGP_KEY_ARG: argp_error(state, "no argument is expected, found \"%.60s\"", arg); return EINVAL;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int command_fuzz(int argc, char **argv)
{
    static const struct argp argp = {.options = options, .parser = option, .doc = doc};
    struct fuzz *c = calloc(1, sizeof *c);
    int code;

    if (!c) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    c->seconds = 60;
    c->jobs = 1;
    c->executor = true;
    c->all_targets = true;
    c->engine[ENGINE_LIBFUZZER] = true;
    argp_parse(&argp, argc, argv, 0, NULL, c);
    for (unsigned t = 0; t < FL_TARGET_ALL; t++)
        c->all_targets &= !c->target[t];
    c->core = core_of(c->core);
    c->root = getenv("FAULTLINE_ROOT");
    c->build = getenv("FAULTLINE_BUILD");
    if (!c->root || !c->build) {
        complain("FAULTLINE_ROOT and FAULTLINE_BUILD are not set: start this through the ./faultline launcher");
        free(c);
        return EXIT_INPUT;
    }
    if (!c->out)
        c->out = format_text("%s/fuzz", c->build);
    code = fuzz_run(c);
    for (unsigned i = 0; i < c->nfindings; i++)
        free(c->findings[i].path);
    free(c->out);
    free(c);
    return code;
}
