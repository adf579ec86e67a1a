/* SPDX-License-Identifier: MIT */
/* faultline report: the options. */
#include "report.h"

#include "../command.h"
#include "../replay/replay.h"

#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static const char doc[] =
    "Write what a campaign did as one HTML page: findings, each explained; coverage, speed, corpus and decision cells over time; "
    "decisions by paging mode, outcome and error code; jobs, runs, environment.\v"
    "DIR is the campaign's folder, by default build/campaign; the campaign may be at work in it. The page needs no other file and no "
    "network. Findings are judged anew by this build for it. Pictures are drawn by Chart.js where it is installed "
    "(Debian: libjs-chart.js; FAULTLINE_CHART_JS names another file); every figure is in a table as well. Results of bug "
    "benchmarks are shown when DIR/zoo.json is there.\n\n"
    "Exit codes: 0 written, also when there are findings; 2 usage or input error, 3 Faultline's own trouble.";

enum { OPT_SOURCE = 256, OPT_CORE, OPT_NO_EXPLAIN };
static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, "the page (default DIR/report.html; - is standard output)", 0},
    {"source", OPT_SOURCE, "COVERAGE-DIR", 0,
     "link annotated source: a folder of llvm-cov show --format=html, or auto: make it from the corpora, in DIR/source",
     0},
    {"core", OPT_CORE, "FILE", 0,
     "explain the findings with this core (default: $FAULTLINE_CORE, else the campaign's own)", 0},
    {"no-explain", OPT_NO_EXPLAIN, NULL, 0, "do not judge the findings anew", 0},
    {0},
};

struct asked {
    const char *folder, *output, *source, *core;
    bool no_explain;
};

static error_t option(int key, char *arg, struct argp_state *state)
{
    struct asked *a = state->input;

    switch (key) {
    case 'o': a->output = arg; return 0;
    case OPT_SOURCE: a->source = arg; return 0;
    case OPT_CORE: a->core = arg; return 0;
    case OPT_NO_EXPLAIN: a->no_explain = true; return 0;
    case ARGP_KEY_ARG:
        if (a->folder)
            argp_error(state, "one folder at a time: \"%.100s\" is one too many", arg);
        a->folder = arg;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* The page, in memory. NULL: it complained. */
static char *write_page(const struct report *r, size_t *size)
{
    char *page = NULL;
    FILE *memory = open_memstream(&page, size);
    bool ok = memory && report_html(r, memory);

    if (memory && fclose(memory) != 0)
        ok = false;
    if (ok)
        return page;
    complain("out of memory");
    free(page);
    return NULL;
}

/* A core that does not load is told once, and first. */
static bool loads(const struct report *r)
{
    struct replay_options replay = {.core = r->core};
    char why[512];
    struct replayer *replayer = r->core && r->explain ? replay_open(&replay, why) : NULL;

    if (r->core && r->explain && !replayer) {
        complain("%s%s", why,
                 r->own_core ? " (the campaign's own core; --core names another, --core \"\" this tree's)" : "");
        return false;
    }
    replay_close(replayer);
    return true;
}

static int make(struct store *store, const struct asked *a, const char *output)
{
    char own[STORE_CORE];
    struct report r = {.explain = !a->no_explain};
    char *page = NULL;
    size_t size = 0;
    bool ok;
    int code = EXIT_INPUT;

    r.core = store_core(store, a->core, own, &r.own_core);
    if (!loads(&r) || !report_read(store, &r))
        goto out;
    if (a->source) {
        char *made = strcmp(a->source, "auto") == 0 ? source_make(r.s.folder) : format_text("%s", a->source);

        r.source = made ? source_address(made, output) : NULL;
        free(made);
        if (!r.source)
            goto out;
    }
    r.zoo = zoo_read(r.s.folder, &ok);
    if (!ok)
        goto out;
    r.library = library_read();
    if (!r.library)
        complain("the report has no pictures, only tables: Chart.js is not here (Debian: libjs-chart.js)");
    page = write_page(&r, &size);
    if (!page) {
        code = EXIT_INTERNAL;
    } else if (strcmp(output, "-") == 0) {
        fwrite(page, 1, size, stdout);
        code = EXIT_CLEAN;
    } else if (write_atomically(output, page, size)) {
        printf("%s\n", output);
        code = EXIT_CLEAN;
    }
out:
    free(page);
    report_free(&r);
    return code;
}

int command_report(int argc, char **argv)
{
    static const struct argp argp = {options, option, "[DIR]", doc, NULL, NULL, NULL};
    struct asked a = {0};
    const char *build = getenv("FAULTLINE_BUILD");
    char *folder, *output;
    struct store *store;
    int code = EXIT_INPUT;

    argp_parse(&argp, argc, argv, 0, NULL, &a);
    setlocale(LC_CTYPE, "");
    folder = a.folder ? format_text("%s", a.folder) : format_text("%s/campaign", build && *build ? build : "build");
    output = a.output ? format_text("%s", a.output) : format_text("%s/report.html", folder);
    store = store_open(folder, STORE_READ);
    if (store)
        code = make(store, &a, output);
    store_close(store);
    free(folder);
    free(output);
    return code;
}
