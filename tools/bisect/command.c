/* SPDX-License-Identifier: MIT */
/* faultline bisect: which commit made it diverge. */
#include "../command.h"
#include "../promote/corpus.h"
#include "bisect.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char doc[] =
    "Find the commit that made a finding diverge, by halving the history between a revision that is clean and one that is "
    "not.\v"
    "KEY names a bucket of the campaign, or a regression by its number; FILE is a scenario. Each revision's core/ is built by "
    "itself and judged with the oracles of today; --whole builds all of each revision and asks its own faultline repro. The "
    "checkout is not touched: revisions are taken out of the repository into bisect/ of the build folder, which is emptied "
    "afterwards. A revision that does not compile, has another core interface or diverges with another key is passed over. "
    "Exit codes: 0 the commit was found, 1 it is one of several, since some were passed over, 2 the ends are not what they "
    "should be, or something cannot be read.";

enum { OPT_GOOD = 256, OPT_BAD, OPT_DIR, OPT_WHOLE, OPT_JSON, OPT_NO_EXECUTOR };
static const struct argp_option options[] = {
    {"good", OPT_GOOD, "REVISION", 0, "a commit under which it is clean", 0},
    {"bad", OPT_BAD, "REVISION", 0, "a later one under which it diverges (default: HEAD)", 0},
    {"dir", OPT_DIR, "DIR", 0, "the campaign's folder (default: campaign in the build folder)", 0},
    {"whole", OPT_WHOLE, NULL, 0, "build all of each revision, oracles included, and not its core alone", 0},
    {"no-executor", OPT_NO_EXECUTOR, NULL, 0, "leave executors out", 0},
    {"json", OPT_JSON, NULL, 0, "print one JSON document, and no progress", 0},
    {0},
};

struct arguments {
    const char *what, *good, *bad, *dir;
    bool json;
    struct bisect b;
    struct store *store; /* where the bucket is; NULL: it was none */
    struct bucket bucket;
};

static error_t option(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;

    switch (key) {
    case OPT_GOOD: a->good = arg; return 0;
    case OPT_BAD: a->bad = arg; return 0;
    case OPT_DIR: a->dir = arg; return 0;
    case OPT_WHOLE: a->b.whole = true; return 0;
    case OPT_NO_EXECUTOR: a->b.executor = false; return 0;
    case OPT_JSON: a->json = true; return 0;
    case ARGP_KEY_ARG:
        if (a->what)
            argp_error(state, "one KEY or FILE at a time");
        a->what = arg;
        return 0;
    case ARGP_KEY_END:
        if (!a->what)
            argp_error(state, "a KEY or FILE is needed");
        if (!a->good)
            argp_error(state, "--good is needed: a commit under which it was clean");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- what to bisect ------------------------------------------------------------------------------------------------ */

/* What stands behind "# finding: ", or nothing. */
static void key_of_text(const char *text, char *out, size_t size)
{
    static const char word[] = "\n# finding: ";
    const char *at = strstr(text, word);

    at = at ? at + sizeof word - 1 : "";
    snprintf(out, size, "%.*s", (int)strcspn(at, "\r\n"), at);
}

/* The key that a scenario's comments name (without one it is what the bad revision shows), and the target that shows it. */
static bool from_file(struct arguments *a, const char *path)
{
    size_t size;
    char *text;

    if (!load_scenario(path, &a->b.scenario) || !(text = read_text(path, &size)))
        return false;
    key_of_text(text, a->b.key, sizeof a->b.key);
    a->b.target = target_of_text(text, size);
    free(text);
    return true;
}

/* "0007": the regression of that number. *there [OUT]: it is one. */
static bool from_number(struct arguments *a, bool *there)
{
    char *folder = corpus_default(), *path = NULL;
    struct corpus corpus;
    bool ok = folder && corpus_read(folder, &corpus);

    for (size_t i = 0; ok && i < corpus.n; i++)
        if (corpus.entries[i].number == strtoul(a->what, NULL, 10))
            path = format_text("%s", corpus.entries[i].path);
    if (ok)
        corpus_free(&corpus);
    *there = path != NULL;
    ok = ok && (!path || from_file(a, path));
    free(path);
    free(folder);
    return ok;
}

static bool from_campaign(struct arguments *a)
{
    char *path;
    bool ok;

    a->store = store_open(a->dir, STORE_WRITE);
    if (!a->store || !store_bucket_find(a->store, a->what, &a->bucket))
        return false;
    if (!a->bucket.file[0]) {
        complain("%s: no scenario is stored for it", a->bucket.key);
        return false;
    }
    path = format_text("%s/%s", a->dir, a->bucket.file);
    ok = load_scenario(path, &a->b.scenario);
    free(path);
    memcpy(a->b.key, a->bucket.key, sizeof a->b.key);
    a->b.target = a->bucket.target;
    return ok;
}

static bool find_scenario(struct arguments *a)
{
    bool there = false;

    if (access(a->what, F_OK) == 0)
        return from_file(a, a->what);
    if (a->what[0] && a->what[strspn(a->what, "0123456789")] == 0) {
        if (!from_number(a, &there))
            return false;
        if (there)
            return true;
    }
    if (strlen(a->what) > 4 && strcmp(a->what + strlen(a->what) - 4, ".scn") == 0) {
        complain("%s: %s", a->what, strerror(errno));
        return false;
    }
    return from_campaign(a);
}

/* ---- what came of it ----------------------------------------------------------------------------------------------- */

/* reason, with the commit in place of the one that an earlier bisect put there. */
static void name_commit(char *reason, size_t size, const struct commit *c)
{
    static const char word[] = "first bad commit ";
    char *old = strstr(reason, word), *kept;

    if (old)
        *old = 0;
    kept = format_text("%s", reason);
    snprintf(reason, size, "%.150s%s%s%.40s: %.150s", kept, kept[0] && !old ? "; " : "", word, c->brief, c->subject);
    free(kept);
}

/* In the bucket's reason. The bucket is read again: much may have happened to it since the search began. */
static void note(struct arguments *a, const struct commit *c)
{
    struct bucket now;
    bool found, ok;

    if (!a->store)
        return;
    ok = store_begin(a->store);
    if (ok) {
        ok = store_bucket_get(a->store, a->bucket.key, &now, &found) && found;
        if (ok) {
            name_commit(now.reason, sizeof now.reason, c);
            ok = store_bucket_put(a->store, &now);
        }
        if (ok)
            ok = store_commit(a->store);
        else
            store_rollback(a->store);
    }
    if (!ok)
        complain("%s: the campaign does not know it", a->bucket.key);
}

static json_t *commit_json(const struct commit *c)
{
    json_t *files = json_array();

    for (const char *p = c->files; *p; p += strcspn(p, "\n"), p += *p == '\n')
        json_array_append_new(files, json_stringn(p, strcspn(p, "\n")));
    return json_pack("{s:s, s:s, s:s, s:s, s:o}", "commit", c->id, "subject", c->subject, "author", c->author, "date",
                     c->date, "files", files);
}

static void print_commit(const struct commit *c)
{
    printf("  %s %s\n    %s, %s\n", c->brief, c->subject, c->date, c->author);
    for (const char *p = c->files; *p; p += strcspn(p, "\n"), p += *p == '\n')
        printf("    %.*s\n", (int)strcspn(p, "\n"), p);
}

static int tell(struct arguments *a, const struct found *f, double seconds)
{
    json_t *commits = json_array();
    struct commit c;
    bool one = f->first.n == 1, ok = true;

    if (!a->json)
        printf("%s\n",
               one ? "first bad commit:" : "the first bad commit is one of these; the others could not be judged:");
    for (size_t i = 0; ok && i < f->first.n; i++) {
        ok = git_describe(&a->b.git, f->first.ids[i], &c);
        if (ok && a->json)
            json_array_append_new(commits, commit_json(&c));
        else if (ok)
            print_commit(&c);
        if (ok && one)
            note(a, &c);
        free(c.files);
    }
    if (a->json) {
        json_t *all = json_pack("{s:s, s:s, s:s, s:b, s:O, s:i, s:i, s:i, s:f}", "key", a->b.key, "good", a->good,
                                "bad", a->bad, "found", one, "first_bad", commits, "revisions", (int)f->revisions,
                                "tested", (int)a->b.tested, "skipped", (int)a->b.skipped, "seconds", seconds);

        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
    } else {
        printf("%s: %u revisions built of %zu, %u of them passed over, %.1f s\n", a->b.key, a->b.tested, f->revisions,
               a->b.skipped, seconds);
    }
    json_decref(commits);
    return !ok ? EXIT_INPUT : one ? EXIT_CLEAN : EXIT_FINDINGS;
}

/* ---- the run ------------------------------------------------------------------------------------------------------- */

static int halve(struct arguments *a)
{
    char good[REVISION], bad[REVISION];
    double began = monotonic_seconds();
    struct found found = {0};
    bool ancestor;
    int code = EXIT_INPUT;

    if (!git_open(&a->b.git) || !git_resolve(&a->b.git, a->good, good) || !git_resolve(&a->b.git, a->bad, bad) ||
        !git_is_ancestor(&a->b.git, good, bad, &ancestor))
        return EXIT_INPUT;
    if (!ancestor || strcmp(good, bad) == 0) {
        complain("bisect: --good %s does not come before --bad %s: give a commit that %s comes from", a->good, a->bad,
                 a->bad);
        return EXIT_INPUT;
    }
    if (search(&a->b, good, bad, !a->json, &found)) {
        code = tell(a, &found, monotonic_seconds() - began);
    } else if (program_interrupted()) {
        complain("bisect: interrupted; nothing is left behind");
    }
    free(found.first.ids);
    return code;
}

/* In a folder of its own, one bisect at a time: what a killed one left there is removed. */
static int in_folder(struct arguments *a, const char *folder)
{
    char *work = format_text("%s/work", folder), *log = format_text("%s/log", folder);
    int code = EXIT_INPUT, lock = -1;

    if (make_folder(folder)) {
        lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) {
            complain("%s: %s", folder,
                     lock >= 0 && errno == EWOULDBLOCK ? "another bisect is running here; wait for it"
                                                       : strerror(errno));
        } else if (remove_tree(work)) {
            unlink(log);
            a->b.work = work;
            a->b.log = log;
            program_catch_signals();
            code = halve(a);
            remove_tree(work);
        }
    }
    if (lock >= 0)
        close(lock);
    free(work);
    free(log);
    return code;
}

int command_bisect(int argc, char **argv)
{
    static const struct argp argp = {.options = options, .parser = option, .args_doc = "KEY|FILE", .doc = doc};
    const char *root = getenv("FAULTLINE_ROOT"), *build = getenv("FAULTLINE_BUILD");
    struct arguments *a = calloc(1, sizeof *a);
    char *dir = NULL, *folder;
    int code = EXIT_INPUT;

    if (!a) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    a->b.executor = true;
    a->b.target = FL_TARGET_ALL;
    a->bad = "HEAD";
    argp_parse(&argp, argc, argv, 0, NULL, a);
    if (!root || !*root || !build || !*build) {
        complain("FAULTLINE_ROOT and FAULTLINE_BUILD are not set: start this through the ./faultline launcher");
        free(a);
        return EXIT_INPUT;
    }
    if (!a->dir)
        a->dir = dir = format_text("%s/campaign", build);
    a->b.git = (struct git){.root = root, .path = a->b.whole ? NULL : "core"};
    folder = format_text("%s/bisect", build);
    if (find_scenario(a))
        code = in_folder(a, folder);
    if (a->store)
        store_close(a->store);
    free(a->b.known);
    free(folder);
    free(dir);
    free(a);
    return code;
}
