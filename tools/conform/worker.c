/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include "report.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

struct hands {
    struct pool *pool;
    struct shared *shared;
    const struct common *common;
    struct answerer answerer[MAX_COLUMNS];
    struct batch batch;
    uint8_t answers[BATCH_STRINGS][MAX_COLUMNS];
    uint8_t skip[BATCH_STRINGS];
};

/* Strings of this unit that the column is not to be asked about; NULL: none. */
static const uint8_t *skipped(struct hands *h, const struct block *b, uint32_t unit, unsigned column)
{
    bool any = false;

    for (unsigned i = 0; i < h->common->nincidents; i++) {
        const struct incident *x = &h->common->incident[i];

        if (x->column != column || x->axis != b->axis || x->mode != b->mode || x->unit != unit)
            continue;
        if (!any)
            memset(h->skip, 0, sizeof h->skip);
        any = true;
        h->skip[x->place] = x->hung ? V_HUNG : V_CRASHED;
    }
    return any ? h->skip : NULL;
}

/* Holds one answer against the list of expected differences. */
static bool is_expected(struct hands *h, const struct block *block, unsigned c, unsigned i)
{
    struct batch *b = &h->batch;
    struct answers a = {.length = b->length[i], .readable = b->readable[i], .mode = block->mode};
    const struct fl_decode_row *row;
    size_t count;
    enum standing s;

    memcpy(a.answer, h->answers[i], MAX_COLUMNS);
    memcpy(a.example, b->bytes[i], STRING_BYTES);
    s = conform_standing(h->pool->columns, h->pool->ncolumns, (enum axis)block->axis, &a, c, &row);
    if (s == STANDS_EXPECTED)
        h->shared->fired[row - fl_decode_rows(&count)]++;
    return s != STANDS_UNKNOWN;
}

/* On the axes where nearly nothing is a prefetch, only that counts: who calls it one, and who what the rule calls one. A
 * cell of these axes holds strings of many forms, so each that somebody calls a prefetch is judged here, by itself: those
 * that nothing explains have cells of their own (ATTR_A is 1). */
static void tell_prefetches_only(struct hands *h, const struct block *block)
{
    struct batch *b = &h->batch;

    for (unsigned i = 0; i < b->n; i++) {
        bool rule = fl_prefetch_rule(b->bytes[i], b->readable[i], b->bits, NULL), any = rule, expected = true;

        for (unsigned c = 0; c < h->pool->ncolumns; c++) {
            uint8_t v = verdict_of(h->answers[i][c]);

            any |= v == V_PREFETCH;
            if (!rule && v != V_PREFETCH && v != V_CRASHED && v != V_HUNG && v != V_NONE)
                h->answers[i][c] = V_NO;
        }
        for (unsigned c = 0; any && c < h->pool->ncolumns; c++)
            expected &= is_expected(h, block, c, i);
        if (!expected)
            b->key[i] = key_with(b->key[i], ATTR_A, 1);
    }
}

static bool do_unit(struct hands *h, const struct block *b, uint32_t unit)
{
    struct pool *p = h->pool;

    axis_fill(&p->space, (enum axis)b->axis, b->mode, unit, &h->batch);
    for (unsigned c = 0; c < p->ncolumns; c++) {
        const uint8_t *skip = skipped(h, b, unit, c);

        if (h->common->dropped[c]) {
            for (unsigned i = 0; i < h->batch.n; i++)
                h->answers[i][c] = V_NONE;
            continue;
        }
        h->shared->column = c;
        if (!answerer_ask(&h->answerer[c], &h->batch, c, h->answers, &h->shared->place, skip, h->shared->why))
            return false;
    }
    h->shared->column = NOBODY;
    if (b->axis == AXIS_LEADS || b->axis == AXIS_ENCODINGS)
        tell_prefetches_only(h, b);
    cells_add_batch(&h->shared->cells, &h->batch, (uint64_t)unit * BATCH_STRINGS, h->answers);
    h->shared->strings += h->batch.n;
    if (h->shared->cells.full)
        snprintf(h->shared->why, sizeof h->shared->why, "%s: more kinds of answers than the table of a worker holds",
                 axis_name((enum axis)b->axis));
    return !h->shared->cells.full;
}

static bool do_block(struct hands *h, uint32_t number)
{
    const struct block *b = &h->pool->blocks[number];

    cells_clear(&h->shared->cells);
    memset(h->shared->fired, 0, sizeof h->shared->fired);
    for (uint32_t u = 0; u < b->units; u++) {
        h->shared->unit = b->first + u;
        if (!do_unit(h, b, b->first + u))
            return false;
    }
    return true;
}

void worker_settle(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    signal(SIGINT, SIG_IGN);
    dup2(STDERR_FILENO, STDOUT_FILENO);
}

static bool open_all(struct hands *h)
{
    struct pool *p = h->pool;

    for (unsigned c = 0; c < p->ncolumns; c++) {
        h->shared->column = OPENING + c;
        if (!h->common->dropped[c] && !answerer_open(&p->columns[c], &h->answerer[c], h->shared->why))
            return false;
    }
    h->shared->column = NOBODY;
    return true;
}

static bool close_all(struct hands *h)
{
    bool ok = true;

    for (unsigned c = 0; c < h->pool->ncolumns; c++)
        if (h->answerer[c].column)
            ok = answerer_close(&h->answerer[c], h->shared->why) && ok;
    return ok;
}

void worker_main(struct pool *p, struct shared *shared, const struct common *common, int command, int reply)
{
    struct hands *h = calloc(1, sizeof *h);
    uint32_t number;
    bool ok;

    shared->failed = true;
    if (!h) {
        snprintf(shared->why, sizeof shared->why, "out of memory");
        _exit(1);
    }
    *h = (struct hands){.pool = p, .shared = shared, .common = common};
    ok = open_all(h);
    while (ok && read(command, &number, sizeof number) == sizeof number) {
        ok = do_block(h, number);
        for (unsigned c = 0; c < p->ncolumns; c++)
            if (h->answerer[c].probe)
                shared->controls = h->answerer[c].probe->controls;
        ok = ok && write(reply, &number, sizeof number) == sizeof number;
    }
    ok = close_all(h) && ok;
    free(h);
    shared->failed = !ok;
    _exit(ok ? 0 : 1);
}
