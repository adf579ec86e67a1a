/* SPDX-License-Identifier: MIT */
/*
 * faultline campaign merge: what the shards of a folder have becomes the folder's own. Stores and inputs are joined first; then
 * libFuzzer picks, for each target, inputs that cover as much as all of them. Every step can be killed and done again, and
 * shards may write meanwhile: what they write later is for the next merge.
 */
#include "../shards/shards.h"
#include "../triage/triage.h"
#include "campaign.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static const char doc[] =
    "Put together what the shards of a campaign on several machines have found: DIR/shards/0, DIR/shards/1, ... "
    "(DIR: default build/campaign).\v"
    "Buckets are joined by key: an input that several shards have counts once, the first sight and the shortest scenario stay, "
    "and a status that somebody gave in DIR stands. Corpora are joined by content, and libFuzzer then picks inputs that "
    "cover as much as all of them. Shards are only read, and may work meanwhile; merging again brings what came "
    "since. A shard that cannot be read is named and left out. Exit codes: 0 merged, 1 merged, and findings are open, 2 some of "
    "it could not be read or written, 3 internal error.";
enum { OPT_KEEP = 256, OPT_JSON };
static const struct argp_option options[] = {
    {"keep-all", OPT_KEEP, NULL, 0, "keep every input, also those that cover nothing more", 0},
    {"json", OPT_JSON, NULL, 0, "print the summary as JSON", 0},
    {0},
};

struct asked {
    char *folder;
    bool keep_all, json;
};

static error_t option(int key, char *arg, struct argp_state *state)
{
    struct asked *a = state->input;

    switch (key) {
    case OPT_KEEP: a->keep_all = true; return 0;
    case OPT_JSON: a->json = true; return 0;
    case ARGP_KEY_ARG:
        if (a->folder)
            argp_error(state, "one folder is expected, found \"%.60s\" as well", arg);
        a->folder = campaign_folder(arg);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- one target's corpus ------------------------------------------------------------------------------------------------- */

struct cover {
    const char *folder, *build, *core;
    enum fl_target target;
    bool executor, quiet;
    struct fl_stats *stats; /* of the last run */
    char *place, *in, *new, *log, *stats_path, *artifacts, *known, *corpus;
};

struct covers {
    uint64_t edges, features, cells;
};

/* One run of libFuzzer to its end. False: it did not get through. */
static bool errand(struct cover *c, enum engine_errand what, const char *corpus, struct covers *out)
{
    struct engine_run run = {.engine = ENGINE_LIBFUZZER,
                             .target = c->target,
                             .errand = what,
                             .build = c->build,
                             .folder = c->artifacts,
                             .log = c->log,
                             .stats = c->stats_path,
                             .corpus = corpus,
                             .seeds = what == ERRAND_MEASURE ? NULL : c->in,
                             .core = c->core,
                             .known = c->known,
                             .campaign = c->folder,
                             .executor = c->executor};
    struct engine_says says = {0};
    int status = -1;
    pid_t pid;

    engine_counters_close(c->stats);
    c->stats = engine_counters_open(c->stats_path);
    unlink(c->log);
    pid = c->stats ? engine_start(&run, "a merge") : 0;
    while (pid && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    engine_poll(&run, &says);
    *out = (struct covers){says.coverage, says.features, c->stats ? c->stats->cells_hit : 0};
    return pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* libFuzzer knows nothing of cells that are other targets': inputs that hit what was lost are put back (keep_cells.c). */
static bool keep_cells(struct cover *c)
{
    struct campaign *as_one = calloc(1, sizeof *as_one);
    struct campaign_options o = {.core = (char *)(uintptr_t)c->core, .executor = c->executor};
    int status = -1;
    pid_t pid;

    if (!as_one) {
        complain("out of memory");
        return false;
    }
    as_one->o = &o;
    as_one->merge.target = c->target;
    as_one->merge.in = c->in;
    as_one->merge.new = c->new;
    as_one->merge.stats = c->stats;
    pid = merge_keep_cells(as_one);
    while (pid && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    free(as_one);
    return pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Both folders are measured; the smaller one takes the place only of what it can stand for. */
static bool pick(struct cover *c, const struct covers *old, enum engine_errand way, const char **why)
{
    struct covers ignored, new;

    *why = "libFuzzer did not get through";
    if (!swap_remove(c->new) || !make_folder(c->new) || !errand(c, way, c->new, &ignored) ||
        !errand(c, ERRAND_MEASURE, c->new, &new))
        return false;
    *why = "the smaller corpus covers less";
    if (new.features == 0 || new.edges < old->edges || new.features < old->features)
        return false;
    *why = "the smaller corpus hits fewer decision cells";
    return new.cells >= old->cells || (keep_cells(c) && c->stats->cells_hit >= old->cells);
}

static bool cover_in(struct cover *c)
{
    uint64_t before, after, bytes;
    struct covers old;
    const char *why = "libFuzzer did not get through";

    if (!swap_remove(c->place) || !make_folder(c->in) || !make_folder(c->artifacts) || !swap_join(c->corpus, c->in, ""))
        return false;
    disk_size_of(c->in, &before, &bytes);
    if (!errand(c, ERRAND_MEASURE, c->in, &old) ||
        (!pick(c, &old, ERRAND_COVER, &why) && !pick(c, &old, ERRAND_MERGE, &why))) {
        fprintf(stderr, "faultline: %s: %s; all %" PRIu64 " inputs are kept\n", fl_target_name(c->target), why, before);
        return true;
    }
    disk_size_of(c->new, &after, &bytes);
    if (!swap_in(c->corpus, c->new, c->in))
        return false;
    if (!c->quiet)
        printf("%s: %" PRIu64 " inputs became %" PRIu64 " that cover as much: %" PRIu64 " edges, %" PRIu64
               " features, %" PRIu64 " decision cells\n",
               fl_target_name(c->target), before, after, old.edges, old.features, old.cells);
    return true;
}

static bool write_key(const struct bucket *b, void *ctx)
{
    fprintf(ctx, "%s\n", b->key);
    return true;
}

/* Inputs that show what is known must not end the run that reads them. */
static bool write_known(struct store *s, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    bool ok = out && store_buckets_each(s, write_key, out);

    ok = out && fclose(out) == 0 && ok && write_atomically(path, text, size);
    free(text);
    return ok;
}

static bool cover_target(struct cover *c)
{
    struct engine_run run = {.engine = ENGINE_LIBFUZZER, .target = c->target, .build = c->build};
    char *program = engine_program(&run);
    bool ok = true, there = access(program, X_OK) == 0;
    uint64_t files = 0, bytes;

    c->corpus = format_text("%s/corpus-v%d/%s", c->folder, FL_SCENARIO_VERSION, fl_target_name(c->target));
    if (access(c->corpus, F_OK) == 0)
        disk_size_of(c->corpus, &files, &bytes);
    if (files > 1 && !there)
        fprintf(stderr, "faultline: %s: %s is not there; all %" PRIu64 " inputs are kept\n", fl_target_name(c->target),
                program, files);
    if (files > 1 && there)
        ok = cover_in(c);
    free(c->corpus);
    free(program);
    return ok;
}

static bool cover_all(struct store *s, const char *folder, bool quiet)
{
    const char *build = getenv("FAULTLINE_BUILD");
    char core[4096], executor[8];
    struct cover c = {.folder = folder, .build = build ? build : "build", .quiet = quiet};
    bool ok;

    c.core = store_option_get(s, "core", core, sizeof core) && core[0] ? core : NULL;
    store_option_get(s, "use_executor", executor, sizeof executor);
    c.executor = strcmp(executor, "0") != 0;
    c.place = format_text("%s/merge", folder);
    c.in = format_text("%s/in", c.place);
    c.new = format_text("%s/new", c.place);
    c.log = format_text("%s/log", c.place);
    c.stats_path = format_text("%s/counters", c.place);
    c.artifacts = format_text("%s/artifacts", c.place);
    c.known = format_text("%s/known", folder);
    ok = write_known(s, c.known);
    for (unsigned t = 0; ok && t < FL_TARGET_ALL; t++) {
        c.target = (enum fl_target)t;
        ok = cover_target(&c);
    }
    engine_counters_close(c.stats);
    ok = swap_remove(c.place) && ok;
    free(c.known);
    free(c.artifacts);
    free(c.stats_path);
    free(c.log);
    free(c.new);
    free(c.in);
    free(c.place);
    return ok;
}

/* ---- all of it ----------------------------------------------------------------------------------------------------------- */

/* One at a time; where the file system has no locks, people see to that. -1: it complained. */
static int lock(const char *folder)
{
    char *path = format_text("%s/shards/merge.lock", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

    if (fd < 0)
        complain("%s: %s", path, strerror(errno));
    else
        while (flock(fd, LOCK_EX) != 0 && errno == EINTR)
            ;
    free(path);
    return fd;
}

int shards_merge(const char *folder, bool keep_all, bool json)
{
    uint64_t files = 0, copied = 0;
    struct gathered g = {0};
    struct store *s = NULL;
    int fd = -1, code = EXIT_INPUT, summary;
    bool ok;

    if (!shards_is_whole(folder)) {
        complain("%s: has no shards/ folder: nothing to merge", folder);
        return EXIT_INPUT;
    }
    fd = lock(folder);
    if (fd < 0)
        return EXIT_INPUT;
    ok = shards_gather(folder, true, &g);
    s = ok ? store_open(folder, STORE_WRITE) : NULL;
    ok = s && triage_group(s, NULL) && shards_join_corpora(folder, &files, &copied) &&
         (keep_all || cover_all(s, folder, json));
    if (s) {
        if (!json)
            printf("%zu shard%s merged", g.shards - g.bad - g.empty, g.shards - g.bad - g.empty == 1 ? "" : "s");
        if (!json && g.empty)
            printf(", %zu not begun", g.empty);
        if (!json && g.bad)
            printf(", %zu left out", g.bad);
        if (!json)
            printf("; %" PRIu64 " new inputs of %" PRIu64 ", %" PRIu64 " new buckets, %" PRIu64 " new artifacts\n",
                   copied, files, g.new_buckets, g.new_artifacts);
        summary = campaign_summary(s, json);
        code = ok && g.bad == 0 ? summary : EXIT_INPUT;
    }
    store_close(s);
    close(fd);
    return code;
}

int campaign_merge(int argc, char **argv)
{
    static const struct argp argp = {.options = options, .parser = option, .args_doc = "[DIR]", .doc = doc};
    struct asked a = {0};
    int code;

    argp_parse(&argp, argc, argv, 0, NULL, &a);
    if (!a.folder)
        a.folder = campaign_folder(NULL);
    code = shards_merge(a.folder, a.keep_all, a.json);
    free(a.folder);
    return code;
}
