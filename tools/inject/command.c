/* SPDX-License-Identifier: MIT */
/* faultline inject FILE...: every answer and every preemption that fits, one after the other. */
#include "run.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAIRS_OF_ANSWERS UINT64_C(20000)
#define PAIRS_OF_RACES   UINT64_C(2000000)

static const char doc[] =
    "Run scenarios again and again, each time with something else in their way: every op call of the core answered by "
    "every other result that fits, one at a time and then two; or, with --preempt, every other actor at every op call.\v"
    "A FILE may be .scn text or fuzz bytes; a folder stands for the files in it. Every repetition is judged like any "
    "scenario; after answers outside the contract (hostile) only memory, locks and termination are. docs/inject.md lists "
    "the answers. Exit codes: 0 nothing disagreed, 1 something did, 2 a file could not be read or nothing could be "
    "injected, 3 internal error.";

enum { OPT_PREEMPT = 256, OPT_SINGLES, OPT_PAIRS, OPT_OUT, OPT_CORE, OPT_JSON, OPT_NO_EXECUTOR, OPT_TIME, OPT_SOUND };
static const struct argp_option options[] = {
    {"preempt", OPT_PREEMPT, "N", 0, "let others in at the op calls of pins, at most N (1 or 2) times a run", 0},
    {"singles", OPT_SINGLES, NULL, 0, "no pairs of answers", 0},
    {"pairs", OPT_PAIRS, "LIMIT", 0,
     "at most LIMIT pairs of a file, spread evenly over all, or \"all\" (default: 20000 of answers, 2000000 of preemptions)",
     0},
    {"out", OPT_OUT, "DIR", 0, "write each finding there, as a .scn that faultline repro replays", 0},
    {"core", OPT_CORE, "FILE", 0,
     "judge this core, a shared object (default: $FAULTLINE_CORE, else the one in this tree)", 0},
    {"jobs", 'j', "N", 0, "so many processes, each with files of its own (default: 1)", 0},
    {"time", OPT_TIME, "SECONDS", 0, "stop then, and say what was not run", 0},
    {"json", OPT_JSON, NULL, 0, "print one JSON document", 0},
    {"quiet", 'q', NULL, 0, "print findings and the closing line only", 0},
    {"no-executor", OPT_NO_EXECUTOR, NULL, 0, "leave executors out", 0},
    {"sound", OPT_SOUND, NULL, 0, "check the model's own invariants after every record (slow)", 0},
    {0},
};

static uint64_t number(struct argp_state *state, const char *what, const char *arg, uint64_t least, uint64_t most)
{
    char *end;
    unsigned long long n;

    errno = 0;
    n = strtoull(arg, &end, 10);
    if (*arg < '0' || *arg > '9' || *end || errno || n < least || n > most)
        argp_error(state, "--%s: \"%.40s\" is not a whole number from %llu to %llu", what, arg,
                   (unsigned long long)least, (unsigned long long)most);
    return n;
}

static error_t option(int key, char *arg, struct argp_state *state)
{
    struct inject_options *o = state->input;

    switch (key) {
    case OPT_PREEMPT: o->preempt = (unsigned)number(state, "preempt", arg, 1, 2); return 0;
    case OPT_SINGLES: o->pairs = false; return 0;
    case OPT_PAIRS:
        o->limit = strcmp(arg, "all") == 0 ? UINT64_MAX : number(state, "pairs", arg, 0, UINT32_MAX);
        return 0;
    case OPT_OUT: o->out = arg; return 0;
    case OPT_CORE: o->core = arg; return 0;
    case 'j': o->jobs = (unsigned)number(state, "jobs", arg, 1, 64); return 0;
    case OPT_TIME: o->seconds = (unsigned)number(state, "time", arg, 1, 1000000); return 0;
    case OPT_JSON: o->json = true; return 0;
    case 'q': o->quiet = true; return 0;
    case OPT_NO_EXECUTOR: o->executor = false; return 0;
    case OPT_SOUND: o->sound = true; return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "a FILE or folder is needed"); return EINVAL;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int command_inject(int argc, char **argv)
{
    static const struct argp argp = {.options = options, .parser = option, .args_doc = "FILE...", .doc = doc};
    struct inject_options o = {.executor = true, .pairs = true, .jobs = 1, .limit = UINT64_MAX - 1};
    struct inputs in = {0};
    int first, code;

    argp_parse(&argp, argc, argv, 0, &first, &o);
    if (o.preempt && !o.pairs) {
        complain("inject: --singles goes without --preempt, whose bound says how many");
        return EXIT_INPUT;
    }
    o.core = core_of(o.core);
    if (o.limit == UINT64_MAX - 1)
        o.limit = o.preempt ? PAIRS_OF_RACES : PAIRS_OF_ANSWERS;
    if (!inputs_read(&in, argv + first, (size_t)(argc - first)) && in.n == 0) {
        inputs_free(&in);
        return EXIT_INPUT;
    }
    if (in.n == 0) {
        complain("inject: no files in these folders");
        return EXIT_INPUT;
    }
    code = inject_run(&o, &in);
    inputs_free(&in);
    return code;
}
