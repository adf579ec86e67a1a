/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "../command.h"

#include <argp.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#ifndef PLUGIN_SUFFIX
#    define PLUGIN_SUFFIX ".so"
#endif

static const char doc[] =
    "Ask prefetch decoders and processors about every byte string that can be a prefetch, and say who contradicts whom.\v"
    "WHAT is prefetch. Strings: up to three prefixes, 0F 0D and 0F 18, every ModRM; runs of prefixes around the limit of 15 "
    "bytes; strings that end at each byte; every three bytes; VEX, EVEX, XOP and REX2 encodings. Each is answered by the "
    "core's scanner, by disassemblers, and by this machine's processor, which executes it in a confined process. Answers "
    "are collected in minimal classes and held against the rule (any run of prefixes, then 0F 0D or 0F 18, within 15 bytes) "
    "with a checked-in list of expected differences. The core's scanner is proven equal to the rule, or a counterexample is "
    "shown. Exit codes: 0 nothing unexpected, 1 an unknown difference, a stale entry of the list, a counterexample, a crash "
    "or hang of a plug-in, 2 a mistake in the options or a file or plug-in that cannot be used, 3 Faultline's own trouble.";

enum {
    OPT_MODE = 256,
    OPT_PREFIXES,
    OPT_DECODERS,
    OPT_EXECUTE,
    OPT_CORE,
    OPT_AXES,
    OPT_OPERANDS,
    OPT_JOBS,
    OPT_SHARD,
    OPT_STATE,
    OPT_MERGE,
    OPT_JSON,
    OPT_CSV,
    OPT_HTML,
    OPT_REPORT,
    OPT_BYTES,
    OPT_ALL,
    OPT_QUIET,
    OPT_HANG
};

static const struct argp_option options[] = {
    {"mode", OPT_MODE, "LIST", 0, "code sizes: 64,32,16 (default: all three)", 0},
    {"prefixes", OPT_PREFIXES, "N", 0, "most prefixes of the space, 0 to 3 (default 3: 10,465,280 strings a mode)", 0},
    {"decoders", OPT_DECODERS, "LIST", 0,
     "who is asked: core, capstone, zydis, opcodes, llvm, distorm, all, or the path of a decoder of your own "
     "(oracle/include/faultline/oracle/decoder_plugin.h); default core,capstone,zydis",
     0},
    {"execute", OPT_EXECUTE, "LIST", 0, "who executes: native (default), unicorn, none", 0},
    {"core", OPT_CORE, "FILE", 0,
     "a shared object that exports fl_core(), in place of the core of this tree (default: $FAULTLINE_CORE)", 0},
    {"axes", OPT_AXES, "LIST", 0, "what is asked: space,runs,cuts,leads,encodings,proof (default: all)", 0},
    {"operands", OPT_OPERANDS, "KIND", 0, "zero (default) or all: classes of SIB and displacement bytes as well", 0},
    {"jobs", OPT_JOBS, "N", 0, "worker processes (default: the processors that are online)", 1},
    {"hang", OPT_HANG, "SECONDS", 0, "a decoder that does not come back for so long hangs (default 5)", 1},
    {"shard", OPT_SHARD, "K/N", 0, "only the K-th of N parts; with --state", 1},
    {"state", OPT_STATE, "FILE", 0, "keep what is counted there, and go on from it", 1},
    {"merge", OPT_MERGE, "FILE", 0, "report of such files instead of asking (once for each)", 1},
    {"json", OPT_JSON, NULL, 0, "print one JSON document", 2},
    {"csv", OPT_CSV, NULL, 0, "print the classes as comma-separated values", 2},
    {"html", OPT_HTML, "FILE", 0, "write a page with the matrix of classes and decoders", 2},
    {"report", OPT_REPORT, "DECODER", 0, "print ready-to-send bug reports on that decoder instead", 2},
    {"bytes", OPT_BYTES, "HEX", 0, "only this string: what everybody says of it", 2},
    {"all", OPT_ALL, NULL, 0, "print the classes in which nobody differs as well", 2},
    {"quiet", OPT_QUIET, NULL, 0, "no progress", 2},
    {0},
};

/* ---- values ----------------------------------------------------------------------------------------------------------- */

/* Calls each(word) for every word of a list with commas between. */
static void words(char *list, void (*each)(const char *word, struct argp_state *state), struct argp_state *state)
{
    char *rest = list, *word;

    while ((word = strsep(&rest, ",")) != NULL)
        each(word, state);
}

static void add_mode(const char *word, struct argp_state *state)
{
    struct conform_options *o = state->input;
    static const char *const names[] = {"16", "32", "64"};
    unsigned mode = 0;

    while (mode < 3 && strcmp(word, names[mode]) != 0)
        mode++;
    if (mode == 3)
        argp_error(state, "--mode: \"%.20s\" is none of 64, 32, 16", word);
    o->space.modes |= 1u << mode;
}

static void add_axis(const char *word, struct argp_state *state)
{
    struct conform_options *o = state->input;

    if (strcmp(word, "proof") == 0) {
        o->proof = true;
        return;
    }
    for (unsigned axis = 0; axis < AXIS_COUNT; axis++)
        if (strcmp(word, axis_name((enum axis)axis)) == 0) {
            o->space.axes |= 1u << axis;
            return;
        }
    argp_error(state, "--axes: \"%.20s\" is none of space, runs, cuts, leads, encodings, proof", word);
}

static unsigned number(const char *arg, unsigned least, unsigned most, const char *option, struct argp_state *state)
{
    char *end;
    unsigned long n = strtoul(arg, &end, 10);

    if (!isdigit((unsigned char)*arg) || *end || n < least || n > most)
        argp_error(state, "%s: a number from %u to %u is needed, found \"%.20s\"", option, least, most, arg);
    return (unsigned)n;
}

static void set_shard(struct conform_options *o, const char *arg, struct argp_state *state)
{
    unsigned k, n;
    char end;

    if (sscanf(arg, "%u/%u%c", &k, &n, &end) != 2 || n < 1 || n > 10000 || k < 1 || k > n)
        argp_error(state, "--shard: K/N with K from 1 to N is needed, found \"%.20s\"", arg);
    o->shard = k - 1;
    o->shards = n;
}

static void set_bytes(struct conform_options *o, const char *arg, struct argp_state *state)
{
    const char *p = arg;

    for (o->nbytes = 0;; o->nbytes++) {
        char digits[3] = "";

        while (*p == ' ')
            p++;
        if (!*p)
            break;
        if (o->nbytes == STRING_BYTES || !isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1]))
            argp_error(state, "--bytes: 1 to %u bytes of two hexadecimal digits are needed, found \"%.60s\"",
                       STRING_BYTES, arg);
        memcpy(digits, p, 2);
        o->bytes[o->nbytes] = (uint8_t)strtoul(digits, NULL, 16);
        p += 2;
    }
    if (!o->nbytes)
        argp_error(state, "--bytes: there is no byte in \"%.60s\"", arg);
}

/* ---- argp ------------------------------------------------------------------------------------------------------------- */

static void complete(struct conform_options *o, struct argp_state *state)
{
    if (!o->space.modes)
        o->space.modes = FL_DECODES_ALL;
    if (!o->space.axes && !o->proof) {
        o->space.axes = (1u << AXIS_COUNT) - 1;
        o->proof = true;
    }
    if (o->shards > 1 && !o->state)
        argp_error(state, "--shard: the part is kept in a file: name it with --state");
    if (o->nmerge && (o->state || o->shards > 1))
        argp_error(state, "--merge: asks nothing, so it goes without --state and --shard");
    if (o->json + o->csv + (o->report != NULL) > 1)
        argp_error(state, "one of --json, --csv and --report at a time");
    if (o->nbytes && (o->csv || o->html || o->report || o->state || o->nmerge))
        argp_error(state,
                   "--bytes: asks about one string, so it goes without --csv, --html, --report, --state and --merge");
    o->decoders_default = !o->decoders;
    o->execute_default = !o->execute;
    if (!o->execute)
        o->execute = "native";
    if (!o->decoders)
        o->decoders = "core,capstone,zydis";
}

static error_t option(int key, char *arg, struct argp_state *state)
{
    struct conform_options *o = state->input;

    switch (key) {
    case OPT_MODE: words(arg, add_mode, state); return 0;
    case OPT_PREFIXES: o->space.prefixes = number(arg, 0, MOST_PREFIXES, "--prefixes", state); return 0;
    case OPT_DECODERS: o->decoders = arg; return 0;
    case OPT_EXECUTE: o->execute = arg; return 0;
    case OPT_CORE:
        o->core = arg;
        o->core_given = true;
        return 0;
    case OPT_AXES: words(arg, add_axis, state); return 0;
    case OPT_OPERANDS:
        o->space.operands = strcmp(arg, "all") == 0;
        if (!o->space.operands && strcmp(arg, "zero") != 0)
            argp_error(state, "--operands: zero or all, found \"%.20s\"", arg);
        return 0;
    case OPT_JOBS: o->jobs = number(arg, 1, 64, "--jobs", state); return 0;
    case OPT_HANG: o->hang_seconds = number(arg, 1, 3600, "--hang", state); return 0;
    case OPT_SHARD: set_shard(o, arg, state); return 0;
    case OPT_STATE: o->state = arg; return 0;
    case OPT_MERGE:
        if (o->nmerge == MAX_MERGE)
            argp_error(state, "--merge: at most %u files", MAX_MERGE);
        o->merge[o->nmerge++] = arg;
        return 0;
    case OPT_JSON: o->json = true; return 0;
    case OPT_CSV: o->csv = true; return 0;
    case OPT_HTML: o->html = arg; return 0;
    case OPT_REPORT: o->report = arg; return 0;
    case OPT_BYTES: set_bytes(o, arg, state); return 0;
    case OPT_ALL: o->all = true; return 0;
    case OPT_QUIET: o->quiet = true; return 0;
    case ARGP_KEY_ARG:
        if (strcmp(arg, "prefetch") != 0 || state->arg_num > 0)
            argp_error(state, "\"%.40s\": the one thing that can be tested for conformance is prefetch", arg);
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "say what: faultline conform prefetch"); return EINVAL;
    case ARGP_KEY_END: complete(o, state); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

void options_parse(int argc, char **argv, struct conform_options *o)
{
    static const struct argp argp = {.options = options, .parser = option, .args_doc = "prefetch", .doc = doc};
    long online = sysconf(_SC_NPROCESSORS_ONLN);

    *o = (struct conform_options){.shards = 1, .hang_seconds = 5, .space = {.prefixes = MOST_PREFIXES}};
    o->jobs = online < 1 ? 1 : online > 64 ? 64 : (unsigned)online;
    argp_parse(&argp, argc, argv, 0, NULL, o);
    o->core = core_of(o->core);
}

/* ---- columns ---------------------------------------------------------------------------------------------------------- */

/* Decoders of our own that are plug-ins lie beside the program. */
static void plugin_path(const char *name, char *out, size_t size)
{
    char self[512];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;

    self[n > 0 ? n : 0] = 0;
    slash = strrchr(self, '/');
    if (slash)
        *slash = 0;
    snprintf(out, size, "%s/../oracle/decode/plugins/fl-decoder-%.15s" PLUGIN_SUFFIX, slash ? self : ".", name);
}

/* 0: it cannot be read, which is said when it is opened. */
static uint64_t file_digest(const char *path)
{
    XXH64_state_t state;
    char buffer[4096];
    size_t n;
    FILE *in = fopen(path, "rb");

    if (!in)
        return 0;
    XXH64_reset(&state, 0);
    while ((n = fread(buffer, 1, sizeof buffer, in)) > 0)
        XXH64_update(&state, buffer, n);
    fclose(in);
    return XXH64_digest(&state);
}

static bool add_column(struct conform_options *o, struct column columns[MAX_COLUMNS], enum column_kind kind,
                       const char *name, const char *path, char why[256])
{
    struct column *c;

    for (unsigned i = 0; i < o->ncolumns; i++)
        if (strcmp(columns[i].name, name) == 0 && strcmp(columns[i].path, path) == 0) {
            snprintf(why, 256, "%.60s is named twice", name);
            return false;
        }
    if (o->ncolumns == MAX_COLUMNS) {
        snprintf(why, 256, "at most %u columns", MAX_COLUMNS);
        return false;
    }
    if (strlen(path) >= sizeof c->path) {
        snprintf(why, 256, "%.60s...: the path is too long", path);
        return false;
    }
    c = &columns[o->ncolumns++];
    *c = (struct column){.kind = (uint8_t)kind};
    snprintf(c->name, sizeof c->name, "%s", name);
    snprintf(c->path, sizeof c->path, "%s", path);
    c->digest = path[0] ? file_digest(path) : 0;
    return true;
}

static bool add_decoder(struct conform_options *o, struct column columns[MAX_COLUMNS], const char *word, bool may_miss,
                        char why[256])
{
    char path[sizeof((struct column *)0)->path];

    if (strcmp(word, "core") == 0)
        return add_column(o, columns, COLUMN_CORE, word, o->core ? o->core : "", why);
    if (strcmp(word, "capstone") == 0 || strcmp(word, "zydis") == 0)
        return add_column(o, columns, COLUMN_DECODER, word, "", why);
    if (strchr(word, '/'))
        return add_column(o, columns, COLUMN_DECODER, "", word, why);
    if (strcmp(word, "opcodes") != 0 && strcmp(word, "llvm") != 0 && strcmp(word, "distorm") != 0) {
        snprintf(
            why, 256,
            "--decoders: \"%.40s\" is none of core, capstone, zydis, opcodes, llvm, distorm, all, and no path (a path "
            "has a slash in it)",
            word);
        return false;
    }
    plugin_path(word, path, sizeof path);
    if (access(path, R_OK) == 0) {
        if (!add_column(o, columns, COLUMN_DECODER, word, path, why))
            return false;
        columns[o->ncolumns - 1].built_in = true;
        return true;
    }
    if (!may_miss)
        snprintf(why, 256, "%s: not built in; ./faultline doctor says what it needs", word);
    return may_miss;
}

bool options_columns(struct conform_options *o, struct column columns[MAX_COLUMNS], char why[256])
{
    static const char *const all[] = {"core", "capstone", "zydis", "opcodes", "llvm", "distorm"};
    char *lists[2] = {format_text("%s", o->decoders), format_text("%s", o->execute)}, *rest = lists[0], *word;
    bool ok = true, core = false;

    o->ncolumns = 0;
    while (ok && (word = strsep(&rest, ", ")) != NULL) {
        if (!*word) /* a blank behind a comma */
            continue;
        if (strcmp(word, "all") != 0) {
            ok = add_decoder(o, columns, word, false, why);
            continue;
        }
        for (unsigned i = 0; ok && i < sizeof all / sizeof *all; i++)
            ok = add_decoder(o, columns, all[i], true, why);
    }
    rest = lists[1];
    while (ok && (word = strsep(&rest, ", ")) != NULL) {
        if (!*word || strcmp(word, "none") == 0)
            continue;
        if (strcmp(word, "native") != 0 && strcmp(word, "unicorn") != 0) {
            snprintf(why, 256, "--execute: \"%.40s\" is none of native, unicorn, none", word);
            ok = false;
            continue;
        }
        ok = add_column(o, columns, COLUMN_PROBE, word, "", why);
    }
    free(lists[0]);
    free(lists[1]);
    for (unsigned i = 0; i < o->ncolumns; i++)
        core |= columns[i].kind == COLUMN_CORE;
    if (ok && o->core && o->core_given && !core) {
        snprintf(why, 256, "--core: core is not among --decoders");
        ok = false;
    }
    /* A proof is of a core that is asked. */
    o->proof &= core;
    return ok;
}

/* Appends the names of the columns of such kinds, with commas between: of our own decoders the name, of others the path. */
static void append_columns(const struct column *columns, unsigned n, bool probes, char *out, size_t size)
{
    bool first = true;

    for (unsigned c = 0; c < n; c++) {
        const struct column *k = &columns[c];
        bool foreign = k->kind == COLUMN_DECODER && k->path[0] && !k->built_in;

        if ((k->kind == COLUMN_PROBE) != probes)
            continue;
        snprintf(out + strlen(out), size - strlen(out), "%s%s", first ? "" : ",", foreign ? k->path : k->name);
        first = false;
    }
    if (first)
        snprintf(out + strlen(out), size - strlen(out), "none");
}

void options_command(const struct conform_options *o, const struct column *columns, char *out, size_t size)
{
    char modes[16] = "", axes[64] = "";

    for (unsigned m = 3; m-- > 0;)
        if (o->space.modes >> m & 1)
            snprintf(modes + strlen(modes), sizeof modes - strlen(modes), "%s%u", modes[0] ? "," : "", mode_bits(m));
    for (unsigned a = 0; a < AXIS_COUNT; a++)
        if (o->space.axes >> a & 1)
            snprintf(axes + strlen(axes), sizeof axes - strlen(axes), "%s%s", axes[0] ? "," : "",
                     axis_name((enum axis)a));
    if (o->proof)
        snprintf(axes + strlen(axes), sizeof axes - strlen(axes), "%sproof", axes[0] ? "," : "");
    snprintf(out, size, "./faultline conform prefetch --mode %s --prefixes %u --axes %s%s --decoders ", modes,
             o->space.prefixes, axes, o->space.operands ? " --operands all" : "");
    append_columns(columns, o->ncolumns, false, out, size);
    snprintf(out + strlen(out), size - strlen(out), " --execute ");
    append_columns(columns, o->ncolumns, true, out, size);
    if (o->core) {
        char *core = shell_word(o->core);

        snprintf(out + strlen(out), size - strlen(out), " --core %s", core);
        free(core);
    }
}
