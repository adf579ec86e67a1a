/* SPDX-License-Identifier: MIT */
/* faultline promote: findings become regressions. */
#include "../command.h"
#include "promote.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

static const char doc[] =
    "Put the minimised scenario of a finding into the folder of regressions, where the tests replay it.\v"
    "KEY is a divergence key, the beginning of one or a word of it. A promoted scenario is crashing until it is fixed; then "
    "it is incubating, until it stayed clean under --builds different builds; then it is a regression. --advance replays all "
    "of them under the build that is running and moves them. Exit codes: 0 done (--advance: all are clean), 1 --advance: "
    "something diverges, 2 it cannot be promoted, or a folder or file cannot be read or written.";

enum {
    OPT_ADVANCE = 256,
    OPT_LIST,
    OPT_DIR,
    OPT_CORPUS,
    OPT_NUMBER,
    OPT_SLUG,
    OPT_BUILDS,
    OPT_CORE,
    OPT_NO_EXECUTOR,
    OPT_JSON
};
static const struct argp_option options[] = {
    {"advance", OPT_ADVANCE, NULL, 0, "replay what was promoted, count this build where it is clean, move the states",
     0},
    {"list", OPT_LIST, NULL, 0, "say what was promoted, and how far it has come", 0},
    {"dir", OPT_DIR, "DIR", 0, "the campaign's folder (default: campaign in the build folder)", 0},
    {"corpus", OPT_CORPUS, "DIR", 0, "the folder of regressions (default: corpus/regressions of the project)", 0},
    {"number", OPT_NUMBER, "N", 0, "give it this number (default: the next free one)", 0},
    {"slug", OPT_SLUG, "TEXT", 0, "call it NNNN-TEXT (default: from its title)", 0},
    {"builds", OPT_BUILDS, "N", 0, "clean builds until it is a regression, 1 to 9 (default 3)", 0},
    {"core", OPT_CORE, "FILE", 0, "judge this core, a shared object; $FAULTLINE_CORE (default: the one in this tree)",
     0},
    {"no-executor", OPT_NO_EXECUTOR, NULL, 0, "leave executors out", 0},
    {"json", OPT_JSON, NULL, 0, "print one JSON document", 0},
    {0},
};

struct arguments {
    struct promote p;
    bool advance, list;
    const char *key;
};

static unsigned number(struct argp_state *state, const char *arg, unsigned most)
{
    char *end;
    unsigned long n = strtoul(arg, &end, 10);

    if (arg[0] < '0' || arg[0] > '9' || *end || n < 1 || n > most)
        argp_error(state, "\"%.40s\" is not a whole number from 1 to %u", arg, most);
    return (unsigned)n;
}

static const char *slug(struct argp_state *state, const char *arg)
{
    size_t n = strspn(arg, "abcdefghijklmnopqrstuvwxyz0123456789-");

    if (!n || arg[n] || n > 100)
        argp_error(state, "\"%.40s\" cannot be part of a file's name: up to 100 of a-z, 0-9 and -", arg);
    return arg;
}

static error_t option(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;

    switch (key) {
    case OPT_ADVANCE: a->advance = true; return 0;
    case OPT_LIST: a->list = true; return 0;
    case OPT_DIR: a->p.dir = arg; return 0;
    case OPT_CORPUS: a->p.corpus = arg; return 0;
    case OPT_NUMBER: a->p.number = number(state, arg, 999999); return 0;
    case OPT_SLUG: a->p.slug = slug(state, arg); return 0;
    case OPT_BUILDS: a->p.builds = number(state, arg, CORPUS_BUILDS); return 0;
    case OPT_CORE: a->p.core = arg; return 0;
    case OPT_NO_EXECUTOR: a->p.executor = false; return 0;
    case OPT_JSON: a->p.json = true; return 0;
    case ARGP_KEY_ARG:
        if (a->key)
            argp_error(state, "one KEY at a time");
        a->key = arg;
        return 0;
    case ARGP_KEY_END:
        if ((a->key != NULL) + a->advance + a->list != 1)
            argp_error(state, "a KEY, --advance or --list is needed, and one of them only");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int run(struct arguments *a)
{
    struct replay_options replay = {.core = a->p.core, .executor = a->p.executor, .decoders = true};
    char why[512];
    int code;

    if (a->list)
        return promote_list(&a->p);
    a->p.replayer = replay_open(&replay, why);
    if (!a->p.replayer) {
        complain("%s", why);
        return EXIT_INPUT;
    }
    corpus_build_word(a->p.core, a->p.build);
    code = a->advance ? promote_advance(&a->p) : promote_key(&a->p, a->key);
    replay_close(a->p.replayer);
    return code;
}

int command_promote(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = option, .args_doc = "KEY\n--advance\n--list", .doc = doc};
    const char *build = getenv("FAULTLINE_BUILD");
    struct arguments a = {.p = {.executor = true, .builds = 3}};
    char *dir = NULL, *corpus = NULL;
    int code = EXIT_INPUT;

    argp_parse(&argp, argc, argv, 0, NULL, &a);
    a.p.core = core_of(a.p.core);
    if (!a.p.dir)
        a.p.dir = dir = format_text("%s/campaign", build && *build ? build : "build");
    if (!a.p.corpus)
        a.p.corpus = corpus = corpus_default();
    if (a.p.corpus)
        code = run(&a);
    free(dir);
    free(corpus);
    return code;
}
