/* SPDX-License-Identifier: MIT */
/* faultline show FILE...: any scenario as canonical text. */
#include "command.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

struct show {
    struct fl_scenario scenario;
    bool many;
};

static const char doc[] =
    "Print scenarios as readable text: the canonical .scn form, whatever form they come in.\v"
    "A FILE whose name ends in .scn, or whose first line begins \"faultline-scenario\", is read as "
    "text; any other is fuzz bytes, of which every string is a scenario. A folder stands for the "
    "files in it. docs/scenario-format.md describes both forms.";

static error_t option(int key, char *arg, struct argp_state *state)
{
    (void)arg;
    if (key == ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN; /* collected below */
    if (key == ARGP_KEY_NO_ARGS)
        argp_error(state, "a FILE is needed");
    return ARGP_ERR_UNKNOWN;
}

static bool show_one(const char *path, void *ctx)
{
    struct show *s = ctx;

    if (!load_scenario(path, &s->scenario))
        return false;
    if (s->many)
        printf("# %s\n", path);
    if (!fl_scenario_print(&s->scenario, stdout))
        return false; /* finish_output() says why */
    return true;
}

int command_show(int argc, char **argv)
{
    static const struct argp argp = {.parser = option, .args_doc = "FILE...", .doc = doc};
    struct show *s;
    int first;
    bool ok;

    argp_parse(&argp, argc, argv, 0, &first, NULL);
    s = calloc(1, sizeof *s);
    if (!s) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    s->many = argc - first > 1;
    ok = for_each_file(argv + first, (size_t)(argc - first), show_one, s);
    free(s);
    return ok ? EXIT_CLEAN : EXIT_INPUT;
}
