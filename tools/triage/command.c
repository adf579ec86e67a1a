/* SPDX-License-Identifier: MIT */
/* faultline triage [DIR|FILE...]: from what engines stopped on to a few distinct findings. */
#include "command.h"

#include "workers.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char doc[] =
    "Take up what engines stopped on: replay it, put it into buckets by what it shows, minimise, and mark what is one bug's.\v"
    "A FILE is an engine's artifact or a .scn; of a folder everything in it is taken, of one of AFL++, libFuzzer, honggfuzz or "
    "ClusterFuzz what crashed or hung. What shows nothing is counted, and makes no bucket. Without a FILE all buckets of the "
    "campaign folder are replayed under the present build: what is clean now is fixed, what was fixed and shows again is a "
    "regression. A campaign folder among the arguments is DIR. Exit codes: 0 no finding is open, 1 some are, 2 usage or input "
    "error, 3 internal error.";

enum { OPT_DIR = 256, OPT_JSON, OPT_LIST, OPT_STATUS, OPT_REASON, OPT_OF, OPT_CORE, OPT_NO_EXECUTOR, OPT_NO_MINIMISE };
static const struct argp_option options[] = {
    {"dir", OPT_DIR, "DIR", 0, "the campaign folder (usual: build/campaign); made where it is not there", 0},
    {"jobs", 'j', "N", 0, "replay N at a time (usual: the number of processors), 1 to 64", 0},
    {"core", OPT_CORE, "FILE", 0,
     "judge the core in this shared object (default: $FAULTLINE_CORE, else the one in this tree)", 0},
    {"no-executor", OPT_NO_EXECUTOR, NULL, 0, "leave executors out", 0},
    {"no-minimise", OPT_NO_MINIMISE, NULL, 0, "leave scenarios as they are", 0},
    {"json", OPT_JSON, NULL, 0, "print one JSON document", 0},
    {"list", OPT_LIST, NULL, 0, "only list all buckets", 0},
    {"status", OPT_STATUS, "KEY", 0,
     "only set what follows as the status of KEY: open, fixed, invalid or duplicate; rules leave it alone then", 0},
    {"reason", OPT_REASON, "TEXT", 0, "--status: why", 0},
    {"of", OPT_OF, "KEY", 0, "--status KEY duplicate: of which", 0},
    {0},
};

static error_t option(int key, char *arg, struct argp_state *state)
{
    struct triage *t = state->input;
    char *end;
    unsigned long n;

    switch (key) {
    case OPT_DIR:
        free(t->dir);
        t->dir = format_text("%s", arg);
        t->dir_given = true;
        return 0;
    case 'j':
        n = strtoul(arg, &end, 10);
        if (*end || *arg < '0' || *arg > '9' || n < 1 || n > 64)
            argp_error(state, "\"%.40s\" is not a whole number from 1 to 64", arg);
        t->jobs = (unsigned)n;
        return 0;
    case OPT_JSON: t->json = true; return 0;
    case OPT_LIST: t->list = true; return 0;
    case OPT_STATUS: t->status_key = arg; return 0;
    case OPT_REASON: t->reason = arg; return 0;
    case OPT_OF: t->of = arg; return 0;
    case OPT_CORE: t->replay.core = arg; return 0;
    case OPT_NO_EXECUTOR: t->replay.executor = false; return 0;
    case OPT_NO_MINIMISE: t->minimises = false; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- files --------------------------------------------------------------------------------------------------------- */

#define UNREADABLE 100

static uint8_t take_file(struct worker *w, size_t i, void *ctx)
{
    struct triage *t = ctx;
    const struct import_file *file = &t->import.files[i];
    struct triage_origin origin = {
        .found_by = "import", .path = file->path, .target = file->target, .limit = file->limit};
    char found_by[64];
    struct looked *l = calloc(1, sizeof *l);
    struct fl_scenario *scenario = malloc(sizeof *scenario);
    enum taken taken = TAKEN_FAILED;
    struct bucket b;
    struct store *s;

    if (!l || !scenario) {
        complain("out of memory");
    } else if (!import_read(file, scenario)) {
        taken = UNREADABLE;
    } else {
        snprintf(found_by, sizeof found_by, "import of %s", import_kind_name(file->kind));
        origin.found_by = found_by;
        triage_look(worker_replayer(w), scenario, origin.target, l);
        if (l->result.end == REPLAY_UNABLE)
            complain("%s: %s", file->path, l->result.detail);
        else if (!l->result.key[0])
            taken = TAKEN_NOTHING;
        else if ((s = worker_store(w)))
            taken = triage_take_looked(s, worker_replayer(w), l, &origin, true, &b);
    }
    free(scenario);
    free(l);
    return taken == TAKEN_FAILED ? WORK_STOP : (uint8_t)taken;
}

/* So that a folder that cannot be written to is told before anything is replayed. */
static bool writable(const char *dir)
{
    bool made = access(dir, F_OK) != 0, ok;

    if (store_is_folder(dir)) {
        struct store *s = store_open(dir, STORE_WRITE);

        store_close(s);
        return s != NULL;
    }
    ok = make_folder(dir);
    if (ok && access(dir, W_OK | X_OK) != 0) {
        complain("%s: cannot be written to: %s", dir, strerror(errno));
        ok = false;
    }
    if (made)
        rmdir(dir);
    return ok;
}

static bool take_files(struct triage *t, const struct workers *workers)
{
    uint8_t *results = malloc(t->import.n + 1);
    bool ok;

    if (!results) {
        complain("out of memory");
        return false;
    }
    ok = workers_run(workers, t->import.n, take_file, t, results);
    for (size_t i = 0; i < t->import.n; i++) {
        if (results[i] < TAKEN_FAILED)
            t->taken[results[i]]++;
        t->kinds[t->import.files[i].kind] += results[i] < TAKEN_NOTHING;
        t->unreadable += results[i] == UNREADABLE;
        t->died += results[i] == WORK_DIED;
        t->undone += results[i] == WORK_UNDONE || results[i] == WORK_STOP;
        if (results[i] == WORK_DIED)
            complain("%s: the worker that replayed it was ended from outside; try it again", t->import.files[i].path);
    }
    t->unreadable += t->import.unreadable;
    free(results);
    return ok;
}

/* ---- buckets ------------------------------------------------------------------------------------------------------- */

/* Keys of buckets that something is to be done with. */
struct keys {
    char (*key)[STORE_KEY];
    size_t n, room;
    bool (*wanted)(const struct bucket *b);
    bool failed;
};

static bool add_key(const struct bucket *b, void *ctx)
{
    struct keys *k = ctx;

    if (!k->wanted(b))
        return true;
    if (k->n == k->room) {
        void *larger = realloc(k->key, (k->room = k->room ? 2 * k->room : 64) * sizeof *k->key);

        if (!larger) {
            complain("out of memory");
            k->failed = true;
            return false;
        }
        k->key = larger;
    }
    snprintf(k->key[k->n++], STORE_KEY, "%s", b->key);
    return true;
}

static bool not_duplicate(const struct bucket *b)
{
    return b->status != BUCKET_DUPLICATE;
}

/* After the others: what became of the one that it is a duplicate of matters. */
static bool duplicate(const struct bucket *b)
{
    return b->status == BUCKET_DUPLICATE;
}

static bool to_minimise(const struct bucket *b)
{
    return !b->aside && !b->minimised && b->reproduced && (b->status == BUCKET_OPEN || b->status == BUCKET_REGRESSION);
}

static uint8_t replay_again(struct worker *w, size_t i, void *ctx)
{
    const struct keys *k = ctx;
    struct store *s = worker_store(w);
    enum again again;
    struct bucket b;
    bool found;

    if (!s || !store_bucket_get(s, k->key[i], &b, &found))
        return WORK_STOP;
    if (!found)
        return AGAIN_SKIPPED;
    again = triage_again(s, worker_replayer(w), &b);
    return again == AGAIN_FAILED && store_full(s) ? WORK_STOP : (uint8_t)again;
}

static uint8_t minimise_one(struct worker *w, size_t i, void *ctx)
{
    const struct keys *k = ctx;
    struct store *s = worker_store(w);
    struct bucket b;
    bool found, changed;

    if (!s || !store_bucket_get(s, k->key[i], &b, &found))
        return WORK_STOP;
    if (!found)
        return 0;
    if (!triage_minimise(s, worker_replayer(w), &b, &changed))
        return store_full(s) ? WORK_STOP : 0;
    return changed;
}

static bool for_buckets(const struct workers *workers, struct store *s, bool (*wanted)(const struct bucket *b),
                        worker_fn one, uint64_t *counts, unsigned ncounts)
{
    struct keys k = {.wanted = wanted};
    uint8_t *results = NULL;
    bool ok = store_buckets_each(s, add_key, &k) && !k.failed && (results = malloc(k.n + 1)) &&
              workers_run(workers, k.n, one, &k, results);

    for (size_t i = 0; results && i < k.n; i++)
        if (results[i] < ncounts)
            counts[results[i]]++;
    free(results);
    free(k.key);
    return ok;
}

/* ---- the whole ----------------------------------------------------------------------------------------------------- */

static void say_files(const struct triage *t)
{
    if (t->undone)
        printf("%" PRIu64 " files were not taken up: run it again when that is mended\n", t->undone);
    if (t->taken[TAKEN_NEW] + t->taken[TAKEN_AGAIN] + t->taken[TAKEN_KNOWN] == 0) {
        if (t->undone || t->died)
            return;
        printf("nothing reproduces: none of %zu files shows anything under this build; nothing was stored\n",
               t->import.n);
    } else {
        printf("%zu files: %" PRIu64 " new buckets, %" PRIu64 " more of known ones, %" PRIu64 " taken before, %" PRIu64
               " show nothing",
               t->import.n, t->taken[TAKEN_NEW], t->taken[TAKEN_AGAIN], t->taken[TAKEN_KNOWN], t->taken[TAKEN_NOTHING]);
        for (unsigned i = 0; i < IMPORT_KINDS; i++)
            if (t->kinds[i])
                printf("; %s: %" PRIu64, import_kind_name((enum import_kind)i), t->kinds[i]);
        putchar('\n');
    }
    if (t->unreadable || t->import.left_out)
        printf("%" PRIu64 " could not be read, %" PRIu64 " are no inputs (read-mes, logs, programs)\n", t->unreadable,
               t->import.left_out);
}

static void say_again(const struct triage *t)
{
    static const char *const words[AGAINS] = {
        [AGAIN_SHOWN] = "still show",
        [AGAIN_SOMETIMES] = "show in some tries only",
        [AGAIN_ANOTHER] = "show with another input than before: two bugs had one key",
        [AGAIN_CLEAN] = "are clean now: fixed",
        [AGAIN_STILL] = "are as they were",
        [AGAIN_BACK] = "are back: regressions",
        [AGAIN_OTHER] = "show something else now",
        [AGAIN_UNSTABLE] = "are clean under the very build that had shown them: left open",
        [AGAIN_SKIPPED] = "cannot be judged here (another core, or no executor): left as they are",
        [AGAIN_FAILED] = "could not be replayed",
    };

    for (unsigned i = 0; i < AGAINS; i++)
        if (t->again[i])
            printf("%" PRIu64 " %s\n", t->again[i], words[i]);
}

static int finish(struct triage *t, struct store *s, bool ok)
{
    uint64_t open = 0;

    if (!t->json && t->npaths && !t->list)
        say_files(t);
    if (!t->json && t->re_replayed)
        say_again(t);
    if ((s || t->json) && !triage_print(t, s, &open))
        ok = false;
    if (!ok)
        return EXIT_INPUT; /* it did not come to its end */
    if (open)
        return EXIT_FINDINGS;
    return t->unreadable || t->died || t->again[AGAIN_FAILED] ? EXIT_INPUT : EXIT_CLEAN;
}

static int run(struct triage *t)
{
    struct workers workers = {.folder = t->dir, .replay = &t->replay, .jobs = t->jobs, .doing = "replayed"};
    struct store *s = NULL;
    bool ok = true;
    int code;

    if (t->npaths && (!import_find(t->paths, t->npaths, &t->import) || !writable(t->dir)))
        return EXIT_INPUT;
    workers.creates = !store_is_folder(t->dir);
    if (t->npaths)
        ok = take_files(t, &workers);
    workers.creates = false;
    /* Nothing reproduces, and there was no folder before: there is none now. */
    if (!t->npaths || store_is_folder(t->dir)) {
        s = store_open(t->dir, t->list ? STORE_READ : STORE_WRITE);
        if (!s)
            return EXIT_INPUT;
    }
    if (s && !t->npaths && !t->list) {
        t->re_replayed = true;
        ok = for_buckets(&workers, s, not_duplicate, replay_again, t->again, AGAINS) &&
             for_buckets(&workers, s, duplicate, replay_again, t->again, AGAINS);
    }
    if (s && ok && !t->list) {
        uint64_t counts[2] = {0};

        workers.doing = "minimised";
        ok = !t->minimises || for_buckets(&workers, s, to_minimise, minimise_one, counts, 2);
        t->minimised = counts[1];
    }
    if (s && ok && !t->list) {
        char why[512];
        struct replayer *r = replay_open(&t->replay, why);

        ok = triage_group(s, r);
        replay_close(r);
    }
    code = finish(t, s, ok);
    store_close(s);
    return code;
}

/* The first campaign folder among the paths is DIR. */
static void take_dir_from_paths(struct triage *t)
{
    size_t kept = 0;

    for (size_t i = 0; i < t->npaths; i++) {
        if (!t->dir_given && store_is_folder(t->paths[i])) {
            free(t->dir);
            t->dir = format_text("%s", t->paths[i]);
            t->dir_given = true;
        } else {
            t->paths[kept++] = t->paths[i];
        }
    }
    t->npaths = kept;
}

int command_triage(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = option, .args_doc = "[DIR|FILE...]\n--list\n--status KEY STATUS", .doc = doc};
    const char *build = getenv("FAULTLINE_BUILD");
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct triage t = {.minimises = true,
                       .jobs = processors < 1    ? 1
                               : processors > 64 ? 64
                                                 : (unsigned)processors,
                       .replay = {.executor = true, .decoders = true, .seconds = 10}};
    struct replayer *r;
    char why[512];
    int first, code;

    t.dir = format_text("%s/campaign", build && *build ? build : "build");
    argp_parse(&argp, argc, argv, 0, &first, &t);
    t.replay.core = core_of(t.replay.core);
    t.paths = argv + first;
    t.npaths = (size_t)(argc - first);
    if (t.status_key) {
        if (t.npaths > 1)
            complain("--status KEY STATUS takes no other argument");
        t.status = t.npaths ? t.paths[0] : NULL;
        code = t.npaths > 1 ? EXIT_INPUT : triage_set_status(&t);
        free(t.dir);
        return code;
    }
    if (t.reason || t.of)
        complain("--reason and --of belong to --status KEY STATUS; they are passed over");
    take_dir_from_paths(&t);
    if (t.list && t.npaths) {
        complain("%s: --list takes a campaign folder only, and this is none", t.paths[0]);
        free(t.dir);
        return EXIT_INPUT;
    }
    if (!t.list) {
        /* A core that does not load is told once, and first. */
        r = replay_open(&t.replay, why);
        if (!r) {
            complain("%s", why);
            free(t.dir);
            return EXIT_INPUT;
        }
        replay_close(r);
    }
    code = run(&t);
    import_free(&t.import);
    free(t.dir);
    return code;
}
