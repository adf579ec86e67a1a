/* SPDX-License-Identifier: MIT */
/* faultline repro FILE...: replays scenarios in one process and says what each oracle said. */
#include "command.h"
#include "promote/regress.h"
#include "replay/replay.h"

#include <faultline/fuzz/judge.h>
#include <faultline/fuzz/plugin_core.h>
#include <faultline/oracle/exec.h>

#include <argp.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define WATCHDOG_SECONDS 10

struct repro {
    bool quiet, loud, json, executor, endings, regressions;
    enum fl_target target;
    const char *core;

    struct fl_judge *judge;
    struct replayer *replayer; /* --core: each scenario is tried there first, since it may end the process */
    struct fl_scenario scenario;
    uint64_t files, findings, unreadable;
    bool saying; /* events of the present file are described */
    unsigned last_record;
    json_t *results;
};

static const char doc[] =
    "Replay scenarios in one process: world, core, executors and oracles, event by event.\v"
    "One file is told event by event; for folders only the verdicts (-v tells everything, -q only findings). A FILE may "
    "be .scn text or fuzz bytes (an engine's artifact). Exit codes: 0 nothing disagreed, 1 something did, 2 a file could "
    "not be read or nothing in the files could be judged.";

enum { OPT_JSON = 256, OPT_NO_EXECUTOR, OPT_TARGET, OPT_ENDINGS, OPT_REGRESSIONS, OPT_CORE };
static const struct argp_option options[] = {
    {"verbose", 'v', NULL, 0, "describe every event of every file", 0},
    {"quiet", 'q', NULL, 0, "print findings and the closing line only", 0},
    {"json", OPT_JSON, NULL, 0, "print one JSON document", 0},
    {"target", OPT_TARGET, "NAME", 0, "judge only what this target judges: " FL_TARGET_LIST " or all (default)", 0},
    {"endings", OPT_ENDINGS, NULL, 0, "say for each event how it ended, one line each (what .expect files hold)", 0},
    {"regressions", OPT_REGRESSIONS, NULL, 0,
     "hold the scenarios of folders (default: corpus/regressions) against the .expect file beside each; one that does not "
     "hold is told by number and story",
     0},
    {"core", OPT_CORE, "FILE", 0,
     "judge this core, a shared object (default: $FAULTLINE_CORE, else the one in this tree)", 0},
    {"no-executor", OPT_NO_EXECUTOR, NULL, 0, "leave executors out", 0},
    {0},
};

static error_t option(int key, char *arg, struct argp_state *state)
{
    struct repro *r = state->input;

    switch (key) {
    case 'v': r->loud = true; return 0;
    case 'q': r->quiet = true; return 0;
    case OPT_JSON: r->json = true; return 0;
    case OPT_NO_EXECUTOR: r->executor = false; return 0;
    case OPT_ENDINGS: r->endings = true; return 0;
    case OPT_REGRESSIONS: r->regressions = true; return 0;
    case OPT_CORE: r->core = arg; return 0;
    case OPT_TARGET:
        for (unsigned t = 0; t < FL_TARGET_COUNT; t++)
            if (strcmp(arg, fl_target_name((enum fl_target)t)) == 0) {
                r->target = (enum fl_target)t;
                return 0;
            }
        argp_error(state, "no target \"%.40s\": " FL_TARGET_LIST " or all", arg);
        return EINVAL;
    case ARGP_KEY_NO_ARGS:
        if (!r->regressions)
            argp_error(state, "a FILE or folder is needed");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void say(void *ctx, unsigned record, const char *text)
{
    struct repro *r = ctx;
    char line[256];

    if (!r->saying)
        return;
    if (record != r->last_record && record < r->scenario.nrecords) {
        fl_record_print(&r->scenario.records[record], line, sizeof line);
        printf("  %u: %s\n", record + 1, line);
    }
    r->last_record = record;
    printf("     %s\n", text);
}

static void print_finding(const struct repro *r, const char *path, const char *key, const struct fl_divergence *d,
                          unsigned record)
{
    char line[256] = "the scenario as a whole";

    if (record < r->scenario.nrecords)
        fl_record_print(&r->scenario.records[record], line, sizeof line);
    printf("%s: DIVERGENCE %s\n", path, key);
    if (record < r->scenario.nrecords)
        printf("  where:    record %u of %u: %s\n", record + 1, r->scenario.nrecords, line);
    else
        printf("  where:    %s\n", line);
    printf("  expected: %s\n  actual:   %s\n", d->expected, d->actual);
    for (const char *p = d->detail; *p;) {
        size_t n = strcspn(p, "\n");

        printf("  %.*s\n", (int)n, p);
        p += n + (p[n] == '\n');
    }
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Did the core end a process, or not come back? Then that is the finding, and no oracle has a word in it. */
static bool ends_process(struct repro *r, const char *path)
{
    struct replay_result got;

    if (!r->replayer)
        return false;
    replay_run(r->replayer, &r->scenario, r->target, &got);
    if (got.end != REPLAY_CRASHED && got.end != REPLAY_HUNG && got.end != REPLAY_EXECUTOR_DIED)
        return false;
    r->findings++;
    if (r->json)
        json_array_append_new(r->results,
                              json_pack("{s:s, s:i, s:i, s:b, s:s, s:s}", "file", path, "events", 0, "skipped", 0,
                                        "diverged", true, "key", got.key, "detail", got.detail));
    else
        printf("%s: %s %s\n  %s\n", path, got.end == REPLAY_HUNG ? "HANG" : "CRASH", got.key, got.detail);
    return true;
}

static bool repro_one(const char *path, void *ctx)
{
    struct repro *r = ctx;
    const struct fl_stats *stats = fl_judge_stats(r->judge);
    uint64_t events = stats->events, skipped = stats->events_skipped;
    struct fl_divergence d;
    unsigned record;
    char key[256];
    bool diverged;

    if (!load_scenario(path, &r->scenario)) {
        r->unreadable++; /* and on to the next: one bad file must not hide a finding in another */
        return true;
    }
    r->files++;
    r->last_record = UINT32_MAX;
    if (ends_process(r, path))
        return true;
    if (r->saying)
        printf("%s\n", path);
    diverged = fl_judge_scenario(r->judge, &r->scenario, &d, &record);
    if (r->endings && !r->json)
        fputs(fl_judge_endings(r->judge), stdout);
    if (diverged) {
        r->findings++;
        fl_divergence_key(&d, key, sizeof key);
    }
    if (r->json) {
        json_t *entry = json_pack("{s:s, s:I, s:I, s:b}", "file", path, "events", (json_int_t)(stats->events - events),
                                  "skipped", (json_int_t)(stats->events_skipped - skipped), "diverged", diverged);
        if (r->endings)
            json_object_set_new(entry, "endings", json_string(fl_judge_endings(r->judge)));
        if (diverged)
            json_object_update_new(entry, json_pack("{s:s, s:i, s:s, s:s, s:s}", "key", key, "record", (int)record + 1,
                                                    "expected", d.expected, "actual", d.actual, "detail", d.detail));
        json_array_append_new(r->results, entry);
    } else if (diverged) {
        print_finding(r, path, key, &d, record);
    } else if (!r->quiet) {
        printf("%s: ok, %" PRIu64 " events judged, %" PRIu64 " skipped\n", path, stats->events - events,
               stats->events_skipped - skipped);
    }
    return true;
}

/* --regressions */
static int hold_regressions(const struct repro *r, char *const *paths, size_t n)
{
    if (r->target != FL_TARGET_ALL || r->endings || r->loud) {
        complain("repro: --regressions goes without --target, --endings and --verbose");
        return EXIT_INPUT;
    }
    return regress_run(
        paths, n,
        &(struct regress_options){.core = r->core, .executor = r->executor, .quiet = r->quiet, .json = r->json});
}

/* In a child first: it may die of being opened. False: it complained. */
static bool open_core(struct repro *r, struct plugin_core *plugin)
{
    struct replay_options replay = {.core = r->core, .executor = r->executor, .decoders = true};
    char why[512];

    r->replayer = replay_open(&replay, why);
    if (r->replayer && plugin_core_open(r->core, plugin, why))
        return true;
    complain("%s", why);
    replay_close(r->replayer);
    return false;
}

int command_repro(int argc, char **argv)
{
    static const struct argp argp = {.options = options, .parser = option, .args_doc = "FILE...", .doc = doc};
    struct repro *r = calloc(1, sizeof *r);
    struct fl_judge_options open = {.decoders = true};
    struct plugin_core plugin = {0};
    char why[512];
    bool ok, judged;
    int first, code;

    if (!r) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    r->executor = true;
    r->target = FL_TARGET_ALL;
    argp_parse(&argp, argc, argv, 0, &first, r);
    r->core = core_of(r->core);
    if (r->regressions) {
        code = hold_regressions(r, argv + first, (size_t)(argc - first));
        free(r);
        return code;
    }
    if (r->core && !open_core(r, &plugin)) {
        free(r);
        return EXIT_INPUT;
    }
    open.core = plugin.core;
    open.gup = plugin.gup;
    open.target = r->target;
    open.executor = r->executor;
    open.endings = r->endings;
    if (fl_judge_open(&open, &r->judge, why) != FL_OK) {
        complain("%s", why);
        code = r->core ? EXIT_INPUT : EXIT_INTERNAL;
        replay_close(r->replayer);
        free(r);
        return code;
    }
    if (r->executor)
        fl_unicorn_watchdog(WATCHDOG_SECONDS); /* built without it: nothing to watch */
    r->results = r->json ? json_array() : NULL;
    r->saying = !r->json && !r->quiet && (r->loud || (argc - first == 1 && !is_folder(argv[first])));
    if (r->saying)
        fl_judge_set_say(r->judge, say, r);
    if (!r->json && !r->quiet) {
        if (plugin.core)
            printf("core: %s (%s)%s%s\n", plugin.name, r->core, *replay_lacks(r->replayer) ? ", lacks " : "",
                   replay_lacks(r->replayer));
        printf("executor: %s\n", fl_judge_executor(r->judge));
        if (r->target == FL_TARGET_ALL || r->target == FL_TARGET_PREFETCH)
            fl_judge_decoders(r->judge, stdout);
    }
    ok = for_each_file(argv + first, (size_t)(argc - first), repro_one, r);
    judged = fl_judge_stats(r->judge)->events != 0 || r->findings != 0;
    if (r->json) {
        json_t *all = json_pack("{s:s, s:I, s:I, s:o}", "executor", fl_judge_executor(r->judge), "files",
                                (json_int_t)r->files, "findings", (json_int_t)r->findings, "results", r->results);
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
    } else {
        printf("%" PRIu64 " files, %" PRIu64 " events judged, %" PRIu64 " divergences\n", r->files,
               fl_judge_stats(r->judge)->events, r->findings);
    }
    if (ok && !judged && !r->unreadable)
        complain("nothing was judged: no event in these files is one that target %s judges", fl_target_name(r->target));
    if (r->unreadable && r->files)
        complain("%" PRIu64 " files could not be read", r->unreadable);
    code = r->findings ? EXIT_FINDINGS : ok && judged && !r->unreadable ? EXIT_CLEAN : EXIT_INPUT;
    replay_close(r->replayer);
    fl_judge_close(r->judge);
    if (plugin.handle)
        plugin_core_close(&plugin);
    free(r);
    return code;
}
