/* SPDX-License-Identifier: MIT */
/* faultline campaign status: options, and which form is asked for. */
#include "status.h"

#include "../command.h"
#include "../shards/shards.h"

#include <argp.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char doc[] =
    "Say what a campaign does, or did: rates, coverage, decision cells, findings, the health of each job, time and disk "
    "that are left.\v"
    "DIR is the campaign's folder, by default build/campaign. On a terminal the figures are live: q quits, ? lists the "
    "other keys. Elsewhere, and with --once, they are printed once. Only the folder's database is read, so that this works "
    "while the campaign runs, after it has stopped and after it was killed; then it says so, and how to go on. NO_COLOR "
    "in the environment turns colours off; TERM=dumb asks for the printed form.\n\n"
    "Exit codes: 0 no finding is open, 1 some are, 2 usage or input error, 3 Faultline's own trouble.";

enum { OPT_JSON = 256, OPT_ONCE, OPT_INTERVAL };
static const struct argp_option options[] = {
    {"once", OPT_ONCE, NULL, 0, "print once, also on a terminal", 0},
    {"json", OPT_JSON, NULL, 0, "print once, as JSON", 0},
    {"interval", OPT_INTERVAL, "SECONDS", 0, "live: how often the figures are read (default 1)", 0},
    {0},
};

struct asked {
    const char *folder;
    bool once, json;
    double every;
};

static error_t option(int key, char *arg, struct argp_state *state)
{
    struct asked *a = state->input;
    char *end;

    switch (key) {
    case OPT_ONCE: a->once = true; return 0;
    case OPT_JSON: a->json = true; return 0;
    case OPT_INTERVAL:
        errno = 0;
        a->every = strtod(arg, &end);
        if (*arg < '0' || *arg > '9' || *end || errno || !(a->every >= .1 && a->every <= 3600))
            argp_error(state, "--interval: \"%.40s\" is not a number of seconds from 0.1 to 3600", arg);
        return 0;
    case ARGP_KEY_ARG:
        if (a->folder)
            argp_error(state, "one folder at a time: \"%.100s\" is one too many", arg);
        a->folder = arg;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

void status_table(const struct status *s, bool colour)
{
    static const char *const on[STYLES] = {"", "\033[1m", "\033[32m", "\033[33m", "\033[31m", "\033[2m"};
    struct lines l = {.width = 100, .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0};

    status_head(s, &l);
    for (unsigned p = 0; p < PANES && s->presence != PRESENCE_NONE; p++) {
        struct lines pane = {.width = l.width, .utf8 = l.utf8};

        if (p == PANE_SHARDS && s->nshards == 0)
            continue;
        status_pane(s, (enum pane)p, &pane);
        lines_add(&l, PLAIN, "%s", "");
        for (size_t i = 0; i < pane.n; i++)
            lines_add(&l, pane.line[i].style, "%s", pane.line[i].text);
        lines_free(&pane);
    }
    for (size_t i = 0; i < l.n; i++)
        printf("%s%s%s\n", colour ? on[l.line[i].style] : "", l.line[i].text,
               colour && on[l.line[i].style][0] ? "\033[0m" : "");
    lines_free(&l);
}

/* "" and "dumb" can neither move nor clear. */
static bool terminal_is_able(void)
{
    const char *term = getenv("TERM");

    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

int campaign_status(int argc, char **argv)
{
    static const struct argp argp = {options, option, "[DIR]", doc, NULL, NULL, NULL};
    struct asked a = {.every = 1};
    struct status s = {0};
    struct store *store;
    const char *build = getenv("FAULTLINE_BUILD"), *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
    char *folder;
    int code = EXIT_INPUT;
    bool colour;

    argp_parse(&argp, argc, argv, 0, NULL, &a);
    setlocale(LC_CTYPE, "");
    folder = a.folder ? format_text("%s", a.folder) : format_text("%s/campaign", build && *build ? build : "build");
    shards_freshen(folder, 2);
    store = store_open(folder, STORE_READ);
    free(folder);
    if (!store)
        return EXIT_INPUT;
    if (status_read(store, &s)) {
        code = status_open(&s) ? EXIT_FINDINGS : EXIT_CLEAN;
        colour = isatty(STDOUT_FILENO) && !(no_colour && *no_colour) && term && strcmp(term, "dumb") != 0;
        if (a.json)
            status_json(&s);
        else if (a.once || !terminal_is_able() || !status_tui(store, &s, a.every, &code))
            status_table(&s, colour);
    }
    status_free(&s);
    store_close(store);
    return code;
}
