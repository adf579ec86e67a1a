/* SPDX-License-Identifier: MIT */
/* faultline explain KEY|FILE: a finding as a bug report, as SARIF, or as a C program. */
#include "../command.h"
#include "../store/runs.h"
#include "explain.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct explain {
    const char *what; /* KEY or FILE; NULL: none */
    const char *dir, *output;
    enum { AS_DOCUMENT, AS_SARIF, AS_C } as;
    enum explain_form form;
    bool form_given, target_given;
    const char *core; /* --core, as it was given */
    struct explain_options options;

    struct store *store;
    struct bucket bucket;
    bool has_bucket;
    char path[1000];      /* of the scenario */
    char in_folder[300];  /* the same from the campaign folder; empty: it is a FILE */
    char own[STORE_CORE]; /* the campaign's core */
    struct fl_scenario scenario;

    struct explain_result *results;
    size_t nresults;
    bool failed;
};

static const char doc[] =
    "Explain a finding: what is wrong, on which machine, under which page tables, what the core did and what each oracle "
    "says about it, with sources.\v"
    "KEY is the key of a bucket of the campaign folder, what it begins with, a word of it, or its number; FILE is a .scn or "
    "an engine's artifact. Everything shown is worked out by judging the scenario now. --sarif without a KEY judges nothing: it "
    "writes the buckets that the folder has as open. Exit codes: 0 nothing disagrees now, 1 something does (--sarif without a "
    "KEY: a bucket is open), 2 usage or input error, and with --c also: no single call of the core shows it.";

enum {
    OPT_DIR = 256,
    OPT_MARKDOWN,
    OPT_JSON,
    OPT_SARIF,
    OPT_HTML,
    OPT_C,
    OPT_CORE,
    OPT_TARGET,
    OPT_NO_EXECUTOR,
    OPT_ASCII,
    OPT_WIDTH
};
static const struct argp_option options[] = {
    {"dir", OPT_DIR, "DIR", 0, "the campaign folder that KEY is looked up in (usual: build/campaign)", 0},
    {"markdown", OPT_MARKDOWN, NULL, 0, "write Markdown, for an issue tracker", 0},
    {"html", OPT_HTML, NULL, 0, "write one HTML element, for a page", 0},
    {"json", OPT_JSON, NULL, 0, "write one JSON document", 0},
    {"sarif", OPT_SARIF, NULL, 0,
     "write a SARIF 2.1.0 log: of one finding, judged now, or of all that the folder has as open", 0},
    {"c", OPT_C, NULL, 0, "write a C program that links the core alone and shows the difference", 0},
    {"output", 'o', "FILE", 0, "write there (usual: standard output)", 0},
    {"core", OPT_CORE, "FILE", 0,
     "judge the core in this shared object (usual: $FAULTLINE_CORE, else for a KEY the campaign's, else the one in this tree)",
     0},
    {"target", OPT_TARGET, "NAME", 0,
     "judge as this target does: " FL_TARGET_LIST " or all (usual: the bucket's; for a FILE the one that "
     "its comments name, else all)",
     0},
    {"no-executor", OPT_NO_EXECUTOR, NULL, 0, "leave executors out", 0},
    {"ascii", OPT_ASCII, NULL, 0, "text: no line drawing, even where the terminal has it", 0},
    {"width", OPT_WIDTH, "N", 0, "text: columns (usual: 80), 40 to 400", 0},
    {0},
};

static void form(struct explain *e, struct argp_state *state, int as, enum explain_form form)
{
    if (e->form_given)
        argp_error(state, "one of --markdown, --html, --json, --sarif and --c");
    e->form_given = true;
    e->as = as;
    e->form = form;
}

static error_t option(int key, char *arg, struct argp_state *state)
{
    struct explain *e = state->input;
    char *end;
    long n;

    switch (key) {
    case OPT_DIR: e->dir = arg; return 0;
    case OPT_MARKDOWN: form(e, state, AS_DOCUMENT, EXPLAIN_MARKDOWN); return 0;
    case OPT_HTML: form(e, state, AS_DOCUMENT, EXPLAIN_HTML); return 0;
    case OPT_JSON: form(e, state, AS_DOCUMENT, EXPLAIN_JSON); return 0;
    case OPT_SARIF: form(e, state, AS_SARIF, EXPLAIN_TEXT); return 0;
    case OPT_C: form(e, state, AS_C, EXPLAIN_TEXT); return 0;
    case 'o': e->output = arg; return 0;
    case OPT_CORE: e->core = arg; return 0;
    case OPT_TARGET:
        for (unsigned t = 0; t < FL_TARGET_COUNT; t++)
            if (strcmp(arg, fl_target_name((enum fl_target)t)) == 0) {
                e->options.target = (enum fl_target)t;
                e->target_given = true;
                return 0;
            }
        argp_error(state, "no target \"%.40s\": " FL_TARGET_LIST " or all", arg);
        return EINVAL;
    case OPT_NO_EXECUTOR: e->options.no_executor = true; return 0;
    case OPT_ASCII: e->options.ascii = true; return 0;
    case OPT_WIDTH:
        n = strtol(arg, &end, 10);
        if (*end || end == arg || n < 40 || n > 400) {
            argp_error(state, "--width %.20s: a number from 40 to 400 is needed", arg);
            return EINVAL;
        }
        e->options.width = (unsigned)n;
        return 0;
    case ARGP_KEY_ARG:
        if (e->what) {
            argp_error(state, "one KEY or FILE, not two (\"%.60s\", \"%.60s\")", e->what, arg);
            return EINVAL;
        }
        e->what = arg;
        return 0;
    case ARGP_KEY_END:
        if (!e->what && e->as != AS_SARIF)
            argp_error(state, "a KEY or FILE is needed");
        if (!e->what && (e->core || e->target_given || e->options.no_executor))
            argp_error(state,
                       "--core, --target and --no-executor need a KEY or FILE: without one --sarif judges nothing");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- what is to be explained ---------------------------------------------------------------------------------------- */

static const char *campaign_folder(const struct explain *e)
{
    static char folder[600];
    const char *build = getenv("FAULTLINE_BUILD");

    if (e->dir)
        return e->dir;
    snprintf(folder, sizeof folder, "%s/campaign", build && *build ? build : "build");
    return folder;
}

/* False: it complained. */
static bool scenario_of(struct explain *e, const struct bucket *b)
{
    const char *folder = campaign_folder(e);

    if (!b->file[0]) {
        complain("%s: the bucket %s has no scenario (a crash that could not be read back?)", folder, b->key);
        return false;
    }
    if (b->file[0] == '/' || strstr(b->file, "..")) {
        complain("%s: the bucket %s names a scenario outside the folder; faultline triage %s mends it", folder, b->key,
                 folder);
        return false;
    }
    snprintf(e->path, sizeof e->path, "%s/%s", folder, b->file);
    snprintf(e->in_folder, sizeof e->in_folder, "%s", b->file);
    return true;
}

static bool looks_like_a_file(const char *what)
{
    size_t n = strlen(what);

    return (n > 4 && strcmp(what + n - 4, ".scn") == 0) || what[0] == '/' || strncmp(what, "./", 2) == 0 ||
           strncmp(what, "../", 3) == 0;
}

/* A regular file only: what comes through a pipe has been read. */
static enum fl_target target_of(const char *path)
{
    enum fl_target target = FL_TARGET_ALL;
    struct stat st;
    size_t size;
    char *text = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? read_text(path, &size) : NULL;

    if (text)
        target = target_of_text(text, size);
    free(text);
    return target;
}

/* The campaign's own one may be gone by now. */
static bool find_core(struct explain *e)
{
    e->options.core = store_core(e->store, e->core, e->own, &e->options.campaigns_core);
    if (!e->options.campaigns_core || access(e->own, R_OK) == 0)
        return true;
    complain("%s: the campaign's core: %s; --core FILE names another, --core \"\" the one in this tree", e->own,
             strerror(errno));
    return false;
}

/* Fills path, scenario, bucket, target and core. False: it complained. */
static bool find(struct explain *e)
{
    struct stat st;

    if (stat(e->what, &st) == 0 || looks_like_a_file(e->what)) {
        snprintf(e->path, sizeof e->path, "%s", e->what);
        e->options.core = core_of(e->core);
        if (!load_scenario(e->path, &e->scenario))
            return false;
        if (!e->target_given)
            e->options.target = target_of(e->path);
        return true;
    }
    if (!store_is_folder(campaign_folder(e))) {
        complain("%s: no such file, and %s is no campaign folder to look the key up in; --dir DIR names another",
                 e->what, campaign_folder(e));
        return false;
    }
    e->store = store_open(campaign_folder(e), STORE_READ);
    if (!e->store || !store_bucket_find(e->store, e->what, &e->bucket))
        return false;
    e->has_bucket = true;
    if (e->target_given)
        e->bucket.target = e->options.target;
    e->options.target = e->bucket.target;
    return find_core(e) && scenario_of(e, &e->bucket) && load_scenario(e->path, &e->scenario);
}

/* ---- SARIF --------------------------------------------------------------------------------------------------------- */

static char *whole(const char *path, size_t *size)
{
    FILE *in = fopen(path, "rb");
    char *text = malloc(1u << 20);

    *size = in && text ? fread(text, 1, 1u << 20, in) : 0;
    if (in)
        fclose(in);
    return text;
}

static bool add_result(struct explain *e, const struct bucket *b)
{
    size_t size;
    char *text = whole(e->path, &size);
    struct explain_result *more = realloc(e->results, (e->nresults + 1) * sizeof *more);

    if (!text || !more) {
        complain("out of memory");
        free(text);
        return false;
    }
    e->results = more;
    explain_result(&e->results[e->nresults++], b, *e->in_folder ? e->in_folder : e->path, *e->in_folder != 0, text,
                   size);
    free(text);
    return true;
}

static bool each_open(const struct bucket *b, void *ctx)
{
    struct explain *e = ctx;

    if (b->aside || (b->status != BUCKET_OPEN && b->status != BUCKET_REGRESSION))
        return true;
    e->failed = !scenario_of(e, b) || !add_result(e, b);
    return !e->failed;
}

/* One scenario as it is judged now. Nothing disagrees: there is no result. A bucket is what it is about only where the key is its. */
static bool collect_one(struct explain *e)
{
    struct explain_verdict verdict;
    FILE *null = fopen("/dev/null", "w");
    bool ok = null && explain_write(null, EXPLAIN_TEXT, &e->scenario, NULL, &e->options, &verdict);

    if (null)
        fclose(null);
    if (!ok || !verdict.reproduces)
        return ok;
    if (!e->has_bucket || strcmp(e->bucket.key, verdict.key) != 0) {
        e->bucket = (struct bucket){.severity = SEVERITY_MEDIUM, .target = e->options.target, .count = 1};
        snprintf(e->bucket.key, sizeof e->bucket.key, "%s", verdict.key);
        snprintf(e->bucket.title, sizeof e->bucket.title, "%s", verdict.title);
    }
    e->bucket.record = verdict.record;
    e->bucket.nrecords = e->scenario.nrecords;
    return add_result(e, &e->bucket);
}

static bool collect(struct explain *e)
{
    if (!e->what) {
        if (!store_is_folder(campaign_folder(e))) {
            complain("%s: is no campaign folder; --dir DIR names another", campaign_folder(e));
            return false;
        }
        e->store = store_open(campaign_folder(e), STORE_READ);
        return e->store && store_buckets_each(e->store, each_open, e) && !e->failed;
    }
    return find(e) && collect_one(e);
}

/* ---- writing -------------------------------------------------------------------------------------------------------- */

static int write_to(struct explain *e, FILE *out)
{
    struct explain_verdict verdict;
    char why[512], *folder;
    bool unable;

    if (e->as == AS_SARIF) {
        if (!collect(e))
            return EXIT_INPUT;
        folder = *e->in_folder ? realpath(campaign_folder(e), NULL) : NULL;
        if (!explain_sarif(out, e->results, e->nresults, folder)) {
            complain("the SARIF log could not be written");
            free(folder);
            return EXIT_INTERNAL;
        }
        free(folder);
        return e->nresults ? EXIT_FINDINGS : EXIT_CLEAN;
    }
    if (!find(e))
        return EXIT_INPUT;
    e->options.path = e->path;
    if (e->as == AS_C) {
        if (explain_program(out, &e->scenario, e->has_bucket ? &e->bucket : NULL, &e->options, &unable, why))
            return EXIT_FINDINGS;
        if (why[0])
            complain("%s: %s", e->path, why);
        return unable ? EXIT_INPUT : EXIT_INTERNAL;
    }
    if (!explain_write(out, e->form, &e->scenario, e->has_bucket ? &e->bucket : NULL, &e->options, &verdict))
        return e->options.core ? EXIT_INPUT : EXIT_INTERNAL; /* a core that does not load is the reason that there is */
    return verdict.reproduces ? EXIT_FINDINGS : EXIT_CLEAN;
}

/* Whether the terminal's locale has UTF-8; the C locale for messages stays. */
static bool has_utf8(void)
{
    bool utf8;

    setlocale(LC_CTYPE, "");
    utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    setlocale(LC_CTYPE, "C");
    return utf8;
}

static int run(struct explain *e)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out;
    int code;

    if (!e->output) {
        e->options.ascii |= !has_utf8();
        e->options.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    }
    out = open_memstream(&text, &size);
    if (!out) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    code = write_to(e, out);
    if (fclose(out) != 0) {
        complain("out of memory");
        code = EXIT_INTERNAL;
    } else if (code <= EXIT_FINDINGS) {
        if (!e->output)
            fwrite(text, 1, size, stdout);
        else if (!write_atomically(e->output, text, size))
            code = EXIT_INPUT;
    }
    free(text);
    return code;
}

int command_explain(int argc, char **argv)
{
    static const struct argp argp = {.options = options, .parser = option, .args_doc = "[KEY|FILE]", .doc = doc};
    struct explain *e = calloc(1, sizeof *e);
    int code;

    if (!e) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    e->options.target = FL_TARGET_ALL;
    argp_parse(&argp, argc, argv, 0, NULL, e);
    code = run(e);
    if (e->store)
        store_close(e->store);
    free(e->results);
    free(e);
    return code;
}
