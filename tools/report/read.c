/* SPDX-License-Identifier: MIT */
/* What a report shows, from the database and the files beside it. */
#include "report.h"

#include "../command.h"

#include <stdlib.h>
#include <string.h>

/* One element more in an array of n. */
static void *grown(void *array, size_t n, size_t size)
{
    void *more;

    if (n & (n - 1)) /* only at 0, 1, 2, 4, 8, ... is it full */
        return array;
    more = realloc(array, (n ? 2 * n : 1) * size);
    if (!more) {
        complain("out of memory");
        exit(EXIT_INTERNAL);
    }
    return more;
}

static bool take_cell(unsigned cell, enum fl_target target, double at, void *ctx)
{
    struct report *r = ctx;

    (void)cell;
    r->cells = grown(r->cells, r->ncells, sizeof *r->cells);
    r->cells[r->ncells++] = (struct cell_seen){target, at};
    return true;
}

static bool take_run(const struct run *run, void *ctx)
{
    struct report *r = ctx;

    r->runs = grown(r->runs, r->nruns, sizeof *r->runs);
    r->runs[r->nruns++] = *run;
    return true;
}

static bool take_option(const char *name, const char *value, void *ctx)
{
    struct report *r = ctx;

    r->options = grown(r->options, r->noptions, sizeof *r->options);
    r->options[r->noptions++] = (struct named){format_text("%s", name), format_text("%s", value)};
    return true;
}

bool report_read(struct store *store, struct report *out)
{
    bool ok = store_begin(store);

    if (!ok)
        return false;
    ok = status_read(store, &out->s) && store_decisions_get(store, &out->decisions) &&
         store_cells_each(store, take_cell, out) && store_runs_each(store, take_run, out) &&
         store_options_each(store, take_option, out);
    if (ok)
        ok = store_commit(store);
    else
        store_rollback(store);
    return ok;
}

void report_free(struct report *r)
{
    for (size_t i = 0; i < r->noptions; i++) {
        free(r->options[i].name);
        free(r->options[i].value);
    }
    free(r->options);
    free(r->cells);
    free(r->runs);
    free(r->library);
    free(r->source);
    zoo_free(r->zoo);
    status_free(&r->s);
    memset(r, 0, sizeof *r);
}
