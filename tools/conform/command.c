/* SPDX-License-Identifier: MIT */
/* faultline conform prefetch: the options, and the way from them to a report. */
#include "options.h"

#include "../command.h"
#include "loads.h"
#include "one.h"
#include "proof.h"
#include "state.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- progress --------------------------------------------------------------------------------------------------------- */

struct progress {
    struct state *state;
    const struct pool *pool;
    const struct conform_options *o;
    uint32_t blocks, blocks_done; /* of this run */
    uint64_t strings;
    double began, said, saved;
    bool terminal;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

/* What a worker died of belongs to the state at once: what it was skipped for may be counted already. */
static void note_incidents(struct state *s, const struct pool *pool)
{
    s->nincidents = pool->nincidents;
    memcpy(s->incident, pool->incident, sizeof s->incident);
    memcpy(s->dropped, pool->dropped, sizeof s->dropped);
}

static void say_progress(struct progress *p, bool last)
{
    double seconds = monotonic_seconds() - p->began, left = 0;
    unsigned percent = p->blocks ? p->blocks_done * 100 / p->blocks : 100;

    if (p->blocks_done)
        left = seconds / p->blocks_done * (p->blocks - p->blocks_done);
    p->said = monotonic_seconds();
    fprintf(
        stderr,
        "%sfaultline: %3.0f s: %3u %%, %.1fM strings (%.2fM/s), %u of %u blocks, %u crashes and hangs, %.0f s left%s",
        p->terminal ? "\r" : "", seconds, percent, (double)p->strings / 1e6,
        seconds > 0 ? (double)p->strings / seconds / 1e6 : 0, p->blocks_done, p->blocks, p->pool->nincidents, left,
        p->terminal && !last ? "\033[K" : "\n");
}

static bool on_tick(void *ctx, uint64_t strings)
{
    struct progress *p = ctx;

    p->strings = strings;
    if (!p->o->quiet && monotonic_seconds() - p->said > (p->terminal ? 0.5 : 10))
        say_progress(p, false);
    return !interrupted;
}

static bool on_block(void *ctx, uint32_t block, const struct cells *cells, const uint64_t fired[MAX_ROWS])
{
    struct progress *p = ctx;

    if (!cells_merge(&p->state->cells, cells)) {
        complain("more kinds of answers than fit: leave columns or axes out");
        return false;
    }
    for (unsigned i = 0; i < MAX_ROWS; i++)
        p->state->fired[i] += fired[i];
    p->state->done[block] = 1;
    p->blocks_done++;
    if (p->o->state && monotonic_seconds() - p->saved > 10) {
        p->saved = monotonic_seconds();
        note_incidents(p->state, p->pool);
        return state_save(p->state, p->o->state);
    }
    return true;
}

/* ---- asking ----------------------------------------------------------------------------------------------------------- */

/* Runs what is not done yet and is this shard's. EXIT_CLEAN, or what it complained about. */
static int ask(const struct conform_options *o, struct state *s, const struct block *blocks, struct column *columns)
{
    struct progress p = {.state = s,
                         .o = o,
                         .began = monotonic_seconds(),
                         .said = monotonic_seconds(),
                         .saved = monotonic_seconds(),
                         .terminal = isatty(2)};
    struct pool pool = {.space = o->space,
                        .columns = columns,
                        .ncolumns = o->ncolumns,
                        .jobs = o->jobs,
                        .hang_seconds = o->hang_seconds,
                        .blocks = blocks,
                        .nblocks = s->nblocks,
                        .done = malloc(s->nblocks + 1u),
                        .on_block = on_block,
                        .on_tick = on_tick,
                        .ctx = &p};
    char why[256];
    enum pool_end end;

    p.pool = &pool;
    if (!pool.done) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    pool.nincidents = s->nincidents;
    memcpy(pool.incident, s->incident, sizeof pool.incident);
    memcpy(pool.dropped, s->dropped, sizeof pool.dropped);
    for (uint32_t i = 0; i < s->nblocks; i++) {
        pool.done[i] = s->done[i] || i % o->shards != o->shard;
        p.blocks += !pool.done[i];
    }
    signal(SIGINT, on_interrupt);
    signal(SIGTERM, on_interrupt);
    end = pool_run(&pool, why);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    free(pool.done);
    p.strings = pool.strings;
    note_incidents(s, &pool);
    s->controls += pool.controls;
    if (!o->quiet && p.blocks)
        say_progress(&p, true);
    if (o->state && !state_save(s, o->state))
        return EXIT_INPUT;
    if (end == POOL_FAILED) {
        complain("%s", why);
        return EXIT_INTERNAL;
    }
    if (end == POOL_STOPPED) {
        complain(interrupted ? o->state ? "stopped; the same command goes on from %s" : "stopped%s" : "stopped%s",
                 interrupted && o->state ? o->state : "");
        return interrupted ? EXIT_INPUT : EXIT_INTERNAL;
    }
    return EXIT_CLEAN;
}

/* ---- the proof -------------------------------------------------------------------------------------------------------- */

/* Adds it to the report. False: it complained. */
static bool prove(const struct conform_options *o, struct report *r)
{
    struct proof_options options = {.hang_seconds = o->hang_seconds};
    struct plugin_core plugin = {.core = fl_core()};
    struct proof_result result;
    enum fl_status status;
    char why[512], *text = NULL;
    size_t size;
    FILE *out;

    if (o->core && !plugin_core_open_scanner(o->core, &plugin, why)) {
        complain("%s", why);
        return false;
    }
    status = proof_run(plugin.core, o->core, &options, &result);
    if (plugin.handle)
        plugin_core_close(&plugin);
    if (status != FL_OK) {
        complain("the proof went wrong: %s", result.reason);
        return false;
    }
    /* Not into the report: it is to be the same each time. */
    if (!o->quiet)
        fprintf(stderr, "faultline: the proof took %.1f s\n", result.seconds);
    out = open_memstream(&text, &size);
    r->proof = proof_json(&result);
    if (!out || !r->proof) {
        complain("out of memory");
        return false;
    }
    proof_print(out, &result);
    fclose(out);
    json_object_set_new(r->proof, "text", json_string(text));
    free(text);
    r->refuted = result.verdict == PROOF_REFUTED;
    return true;
}

/* ---- the report ------------------------------------------------------------------------------------------------------- */

/* A column that was given up is empty: what it said before depends on which worker met what first. */
static void empty_column(struct cell *cells, uint32_t ncells, unsigned column)
{
    for (uint32_t i = 0; i < ncells; i++)
        cells[i].answer[column] = V_NONE;
}

static bool is_whole(const struct conform_options *o, const struct state *s)
{
    return state_is_complete(s) && o->space.modes == FL_DECODES_ALL && o->space.prefixes == MOST_PREFIXES &&
           o->space.axes == (1u << AXIS_COUNT) - 1;
}

static bool to_file(const char *path, const struct report *r, void (*write)(const struct report *r, FILE *out))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    bool ok = out != NULL;

    if (out) {
        write(r, out);
        ok = fclose(out) == 0;
    }
    if (!ok)
        complain("%s: out of memory", path);
    ok = ok && write_atomically(path, text, size);
    free(text);
    return ok;
}

static int write_bugs(const struct conform_options *o, const struct report *r, const struct cell *cells,
                      uint32_t ncells)
{
    for (unsigned c = 0; c < r->ncolumns; c++) {
        unsigned n;

        if (strcmp(r->columns[c].name, o->report) != 0)
            continue;
        if (!conform_bugs(r, cells, ncells, c, stdout, &n)) {
            complain("out of memory");
            return EXIT_INTERNAL;
        }
        fprintf(stderr, "faultline: %u report%s on %s\n", n, n == 1 ? "" : "s", o->report);
        return EXIT_CLEAN;
    }
    return EXIT_INPUT;
}

static int write_all(const struct conform_options *o, const struct report *r, const struct cell *cells, uint32_t ncells)
{
    if (o->html && !to_file(o->html, r, conform_html))
        return EXIT_INPUT;
    if (o->report)
        return write_bugs(o, r, cells, ncells);
    if (o->json) {
        json_t *all = conform_json(r);

        if (!all) {
            complain("no JSON can be made: out of memory, or an option that is not UTF-8");
            return EXIT_INTERNAL;
        }
        json_dumpf(all, stdout, JSON_INDENT(1));
        putchar('\n');
        json_decref(all);
    } else if (o->csv) {
        conform_csv(r, stdout);
    } else {
        conform_text(r, o->all, stdout);
    }
    return EXIT_CLEAN;
}

static int by_string(const void *a, const void *b)
{
    const struct incident *x = a, *y = b;

    if (x->column != y->column)
        return x->column - y->column;
    if (x->axis != y->axis)
        return x->axis - y->axis;
    if (x->mode != y->mode)
        return y->mode - x->mode;
    if (x->unit != y->unit)
        return x->unit < y->unit ? -1 : 1;
    return (int)x->place - (int)y->place;
}

static int report(const struct conform_options *o, struct state *s, const struct column *columns)
{
    struct report r = {.space = o->space,
                       .columns = columns,
                       .ncolumns = o->ncolumns,
                       .incidents = s->incident,
                       .nincidents = s->nincidents,
                       .dropped = s->dropped,
                       .controls = s->controls,
                       .whole = is_whole(o, s)};
    struct cell *cells = cells_sorted(&s->cells);
    uint32_t ncells = s->cells.used;
    int native = conform_silicon(columns, o->ncolumns), code = EXIT_INTERNAL;

    options_command(o, columns, r.command, sizeof r.command);
    /* In whatever order workers met them. */
    qsort(s->incident, s->nincidents, sizeof *s->incident, by_string);
    memcpy(r.fired, s->fired, sizeof r.fired);
    if (!cells) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    for (unsigned c = 0; c < o->ncolumns; c++)
        if (s->dropped[c])
            empty_column(cells, ncells, c);
    if (native >= 0 && !loads_note(columns, (unsigned)native, cells, ncells))
        goto done;
    r.classes = classes_of(cells, ncells, &r.nclasses);
    if (!r.classes) {
        complain("out of memory");
        goto done;
    }
    conform_judge(&r, cells, ncells);
    if (o->proof && !prove(o, &r))
        goto done;
    code = write_all(o, &r, cells, ncells);
    if (code == EXIT_CLEAN && (r.unknown || r.unknown_cells || r.stale || r.nincidents || r.refuted))
        code = EXIT_FINDINGS;
    if (code == EXIT_CLEAN && !r.strings && !r.proof) {
        complain("nothing was asked");
        code = EXIT_INPUT;
    }
done:
    json_decref(r.proof);
    free(r.classes);
    free(cells);
    return code;
}

/* ---- the command ------------------------------------------------------------------------------------------------------ */

static bool add_file(struct state *s, const char *path, bool may_be_missing)
{
    switch (state_add_file(s, path)) {
    case STATE_READ: return true;
    case STATE_MISSING:
        if (!may_be_missing)
            complain("%s: no such file", path);
        return may_be_missing;
    default: return false;
    }
}

static int run(const struct conform_options *o, struct column *columns)
{
    uint32_t nblocks = 0;
    struct block *blocks = pool_blocks(&o->space, &nblocks);
    struct state s;
    bool ok = true;
    int code = EXIT_CLEAN;

    if (!blocks || !state_open(&s, &o->space, columns, o->ncolumns, nblocks)) {
        free(blocks);
        return EXIT_INTERNAL;
    }
    for (unsigned i = 0; i < o->nmerge && ok; i++)
        ok = add_file(&s, o->merge[i], false);
    if (ok && o->state)
        ok = add_file(&s, o->state, true);
    if (!ok)
        code = EXIT_INPUT;
    else if (!o->nmerge)
        code = ask(o, &s, blocks, columns);
    if (code == EXIT_CLEAN && o->nmerge && !state_is_complete(&s))
        complain("not all parts are there: the report is of those that are");
    if (code == EXIT_CLEAN)
        code = report(o, &s, columns);
    state_close(&s);
    free(blocks);
    return code;
}

/* Fills in the columns. A decoder or processor that nobody asked for by name and that is not to be had is left out. */
static bool describe(struct conform_options *o, struct column *columns, char why[256])
{
    unsigned failed;

    while (!pool_describe(columns, o->ncolumns, o->hang_seconds, &failed, why)) {
        if (failed >= o->ncolumns ||
            !(columns[failed].kind == COLUMN_PROBE ? o->execute_default
                                                   : o->decoders_default && !columns[failed].path[0]))
            return false;
        complain("%s: going on without", why);
        o->ncolumns--;
        memmove(&columns[failed], &columns[failed + 1], (o->ncolumns - failed) * sizeof *columns);
    }
    return true;
}

/* Reports tell columns apart by name, and a bug report needs its decoder and a processor: said before hours of asking. */
static bool can_report(const struct conform_options *o, const struct column *columns, char why[256])
{
    bool found = !o->report;

    for (unsigned c = 0; c < o->ncolumns; c++) {
        for (unsigned i = 0; i < c; i++)
            if (strcmp(columns[i].name, columns[c].name) == 0) {
                snprintf(why, 256, "two columns are called %s: give one of them another name", columns[c].name);
                return false;
            }
        found |= o->report && columns[c].kind == COLUMN_DECODER && strcmp(columns[c].name, o->report) == 0;
    }
    if (!found)
        snprintf(why, 256, "--report: no decoder is called %.40s", o->report);
    else if (o->report && conform_silicon(columns, o->ncolumns) < 0)
        snprintf(why, 256, "--report: says who contradicts silicon, and no processor is asked");
    else
        return true;
    return false;
}

int command_conform(int argc, char **argv)
{
    struct conform_options o;
    struct column columns[MAX_COLUMNS];
    char why[256];

    options_parse(argc, argv, &o);
    if (!options_columns(&o, columns, why) || !describe(&o, columns, why) || !can_report(&o, columns, why)) {
        complain("%s", why);
        return EXIT_INPUT;
    }
    return o.nbytes ? one_string(&o, columns) : run(&o, columns);
}
