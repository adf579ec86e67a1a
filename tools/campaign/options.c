/* SPDX-License-Identifier: MIT */
/* What start was asked for, on the command line and in the store. */
#include "../shards/shards.h"
#include "campaign.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char start_doc[] =
    "Begin a campaign in DIR (default build/campaign) and leave it to work in the background.\v"
    "Every chosen target runs under every chosen engine; where there are more of them than jobs, time is shared by what "
    "still pays off. Corpora go to and fro between the engines and are minimised by the way. Findings are sorted into "
    "buckets, one for each divergence key. faultline campaign status shows how it goes, faultline campaign stop ends it, "
    "and resume goes on with it, also after a kill or a reboot.";
static const char resume_doc[] =
    "Go on with the campaign in DIR (default build/campaign), with the options that it was started with.\v"
    "It does not matter how it ended: stopped, killed, or with the machine. Inputs that engines stopped on and nobody has "
    "looked at yet are taken up first.";

enum {
    OPT_CORE = 256,
    OPT_NO_EXECUTOR,
    OPT_SEED,
    OPT_MIN_FREE,
    OPT_FOREGROUND,
    OPT_JSON,
    OPT_SLURM,
    OPT_SHARDS,
    OPT_PARTITION,
    OPT_SBATCH
};
static const struct argp_option start_options[] = {
    {"target", 't', "NAME", 0, FL_TARGET_LIST ", several with commas, or all (default)", 0},
    {"engine", 'e', "NAME", 0, "libfuzzer, afl or both (default)", 0},
    {"jobs", 'j', "N", 0, "processes that fuzz at a time (default: one for each processor)", 0},
    {"time", 's', "TIME", 0, "end after 90 (seconds), 5m, 2h or 1d (default: when it is stopped)", 0},
    {"core", OPT_CORE, "FILE", 0,
     "fuzz the core of this shared object (default: $FAULTLINE_CORE, else the one in this tree)", 0},
    {"no-executor", OPT_NO_EXECUTOR, NULL, 0, "leave executors out", 0},
    {"seed", OPT_SEED, "N", 0, "seed of the engines' random choices (default: theirs)", 0},
    {"min-free", OPT_MIN_FREE, "SIZE", 0, "pause while the disk has less than this left: 800M, 2G (default 512M)", 0},
    {"foreground", OPT_FOREGROUND, NULL, 0, "stay here and say how it goes", 0},
    {"json", OPT_JSON, NULL, 0, "with --foreground: print the closing summary as JSON", 0},
    {NULL, 0, NULL, 0, "On several machines:", 1},
    {"slurm", OPT_SLURM, NULL, 0, "submit an array of Slurm jobs, each a shard of the campaign, and a job that merges",
     1},
    {"shards", OPT_SHARDS, "N", 0, "how many (default 2)", 1},
    {"partition", OPT_PARTITION, "NAME", 0, "the partition (default: Slurm's)", 1},
    {"sbatch-arg", OPT_SBATCH, "ARG", 0, "one more argument for sbatch, as it is; may be repeated", 1},
    {0},
};
static const struct argp_option resume_options[] = {
    {"time", 's', "TIME", 0, "end after this long (default: as it was started)", 0},
    {"foreground", OPT_FOREGROUND, NULL, 0, "stay here and say how it goes", 0},
    {"json", OPT_JSON, NULL, 0, "with --foreground: print the closing summary as JSON", 0},
    {0},
};

static double duration(const char *text, struct argp_state *state)
{
    char *end = NULL;
    double value;

    errno = 0;
    value = *text >= '0' && *text <= '9' ? (double)strtoul(text, &end, 10) : -1;
    if (value >= 0 && *end) {
        unsigned unit = *end == 's' ? 1 : *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : 0;

        value *= unit;
        end += unit != 0;
    }
    if (value < 1 || !end || *end || errno || value > 10 * 366 * 86400.0)
        argp_error(state, "--time: \"%.40s\" is no time: 90, 5m, 2h or 1d", text);
    return value;
}

static uint64_t size(const char *text, struct argp_state *state)
{
    char *end = NULL;
    uint64_t value;
    unsigned shift = 0;

    errno = 0;
    value = *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    if (end && *end) {
        shift = *end == 'k' || *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : *end == 'T' ? 40 : 99;
        end += shift != 99;
    }
    if (value == 0 || !end || *end || errno || shift == 99 || value > UINT64_MAX >> 1 >> shift)
        argp_error(state, "--min-free: \"%.40s\" is no size: 800M, 2G", text);
    return value << shift;
}

static void add_sbatch(struct campaign_options *o, const char *arg)
{
    char **more = realloc(o->sbatch, (o->nsbatch + 1) * sizeof *more);

    if (!more) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    o->sbatch = more;
    o->sbatch[o->nsbatch++] = format_text("%s", arg);
}

static error_t option(int key, char *arg, struct argp_state *state)
{
    struct campaign_options *o = state->input;

    switch (key) {
    case 't': engine_argument_targets(o->target, arg, state); return 0;
    case 'e': engine_argument_engines(o->engine, arg, state); return 0;
    case 's': o->seconds = duration(arg, state); return 0;
    case 'j': o->slots = engine_argument_number(arg, 1, CAMPAIGN_TASKS, "--jobs", state); return 0;
    case OPT_CORE: o->core_asked = arg; return 0;
    case OPT_NO_EXECUTOR: o->executor = false; return 0;
    case OPT_SEED: o->seed = engine_argument_number(arg, 1, 2147483647, "--seed", state); return 0;
    case OPT_MIN_FREE: o->min_free = size(arg, state); return 0;
    case OPT_FOREGROUND: o->foreground = true; return 0;
    case OPT_JSON: o->json = true; return 0;
    case OPT_SLURM: o->slurm = true; return 0;
    case OPT_SHARDS: o->shards = engine_argument_number(arg, 1, SHARDS_MAX, "--shards", state); return 0;
    case OPT_PARTITION:
        free(o->partition);
        o->partition = format_text("%s", arg);
        return 0;
    case OPT_SBATCH: add_sbatch(o, arg); return 0;
    case ARGP_KEY_ARG:
        if (o->folder)
            argp_error(state, "one folder is expected, found \"%.60s\" as well", arg);
        o->folder = campaign_folder(arg);
        return 0;
    case ARGP_KEY_END:
        if (o->json && !o->foreground)
            argp_error(state, "--json is for --foreground; faultline campaign status --json asks a running one");
        if (o->slurm && o->foreground)
            argp_error(state, "--foreground: what --slurm submits works elsewhere");
        if (!o->slurm && (o->shards || o->partition || o->nsbatch))
            argp_error(state, "--shards, --partition and --sbatch-arg go with --slurm");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

struct campaign_options *campaign_options_parse(int argc, char **argv, bool resume)
{
    const struct argp argp = {.options = resume ? resume_options : start_options,
                              .parser = option,
                              .args_doc = "[DIR]",
                              .doc = resume ? resume_doc : start_doc};
    struct campaign_options *o = calloc(1, sizeof *o);
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    bool any = false;

    if (!o) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    o->min_free = CAMPAIGN_MIN_FREE;
    o->executor = true;
    o->engine[ENGINE_LIBFUZZER] = o->engine[ENGINE_AFL] = true;
    if (resume)
        o->seconds = -1; /* as stored */
    argp_parse(&argp, argc, argv, 0, NULL, o);
    if (!resume && core_of(o->core_asked)) { /* one that goes on keeps its own */
        o->core = realpath(core_of(o->core_asked), NULL);
        if (!o->core) {
            complain("%s: %.200s: %s", o->core_asked ? "--core" : "FAULTLINE_CORE", core_of(o->core_asked),
                     strerror(errno));
            exit(EXIT_INPUT);
        }
    }
    if (!o->slots) /* a shard: as much as it asks Slurm for */
        o->slots = o->slurm || processors < 1 ? 1 : (unsigned)processors;
    if (!o->shards)
        o->shards = 2;
    for (unsigned t = 0; t < FL_TARGET_ALL; t++)
        any |= o->target[t];
    for (unsigned t = 0; t < FL_TARGET_ALL; t++)
        o->target[t] |= !any;
    if (!o->folder)
        o->folder = campaign_folder(NULL);
    o->root = getenv("FAULTLINE_ROOT");
    o->build = getenv("FAULTLINE_BUILD");
    if (!o->root || !o->build) {
        complain("FAULTLINE_ROOT and FAULTLINE_BUILD are not set: start this through the ./faultline launcher");
        exit(EXIT_INPUT);
    }
    return o;
}

void campaign_options_free(struct campaign_options *o)
{
    free(o->folder);
    free(o->core);
    free(o->partition);
    for (unsigned i = 0; i < o->nsbatch; i++)
        free(o->sbatch[i]);
    free(o->sbatch);
    free(o);
}

/* ---- in the store ---------------------------------------------------------------------------------------------------- */

static bool set_number(struct store *s, const char *name, uint64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return store_option_set(s, name, text);
}

bool campaign_options_store(struct store *s, const struct campaign_options *o, const char *command)
{
    char names[128] = "", host[64] = "";
    bool ok;

    for (unsigned t = 0; t < FL_TARGET_ALL; t++)
        if (o->target[t])
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", *names ? "," : "",
                     fl_target_name((enum fl_target)t));
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = 0;
    ok = store_begin(s) && store_option_set(s, "targets", names) &&
         store_option_set(s, "engines",
                          o->engine[0] && o->engine[1] ? "both"
                          : o->engine[0]               ? engine_name(ENGINE_LIBFUZZER)
                                                       : engine_name(ENGINE_AFL)) &&
         set_number(s, "jobs", o->slots) && set_number(s, "seconds", (uint64_t)o->seconds) &&
         set_number(s, "disk_limit", o->min_free) && set_number(s, "seed", o->seed) &&
         store_option_set(s, "use_executor", o->executor ? "1" : "0") &&
         store_option_set(s, "core", o->core ? o->core : "") && store_option_set(s, "host", host) &&
         set_number(s, "cpus", (uint64_t)sysconf(_SC_NPROCESSORS_ONLN)) && store_option_set(s, "command", command) &&
         store_commit(s);
    if (!ok)
        store_rollback(s);
    return ok;
}

static uint64_t get_number(struct store *s, const char *name, uint64_t otherwise)
{
    char text[64], *end;
    unsigned long long value;

    if (!store_option_get(s, name, text, sizeof text))
        return otherwise;
    errno = 0;
    value = strtoull(text, &end, 10);
    return *text < '0' || *text > '9' || *end || errno ? otherwise : value;
}

/* False: the option is not what we write. */
static bool known_names(const char *text, bool *target)
{
    char copy[128], *rest = copy, *name;
    bool any = false;

    memset(target, 0, sizeof(bool) * FL_TARGET_COUNT);
    snprintf(copy, sizeof copy, "%s", text);
    while ((name = strsep(&rest, ","))) {
        unsigned t = 0;

        while (t < FL_TARGET_ALL && strcmp(name, fl_target_name((enum fl_target)t)) != 0)
            t++;
        if (t == FL_TARGET_ALL)
            return false;
        target[t] = any = true;
    }
    return any;
}

bool campaign_options_load(struct store *s, struct campaign_options *o)
{
    char targets[128], engines[32], core[PATH_MAX], executor[8];

    store_option_get(s, "targets", targets, sizeof targets);
    store_option_get(s, "engines", engines, sizeof engines);
    store_option_get(s, "use_executor", executor, sizeof executor);
    o->engine[ENGINE_LIBFUZZER] = strcmp(engines, "libfuzzer") == 0 || strcmp(engines, "both") == 0;
    o->engine[ENGINE_AFL] = strcmp(engines, "afl") == 0 || strcmp(engines, "both") == 0;
    if (!known_names(targets, o->target) || (!o->engine[0] && !o->engine[1])) {
        complain("%s: no campaign was started here: faultline campaign start %s", o->folder, o->folder);
        return false;
    }
    o->slots = (unsigned)get_number(s, "jobs", o->slots);
    if (o->slots < 1 || o->slots > CAMPAIGN_TASKS)
        o->slots = 1;
    if (o->seconds < 0)
        o->seconds = (double)get_number(s, "seconds", 0);
    o->min_free = get_number(s, "disk_limit", CAMPAIGN_MIN_FREE);
    o->seed = (unsigned)get_number(s, "seed", 0);
    o->executor = strcmp(executor, "0") != 0;
    free(o->core);
    o->core = store_option_get(s, "core", core, sizeof core) && *core ? format_text("%s", core) : NULL;
    return true;
}
