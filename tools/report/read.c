/* SPDX-License-Identifier: MIT */
/* What a report shows, from the database and the files beside it. */
#include "report.h"

#include "../command.h"

#include <stdlib.h>
#include <string.h>

static bool take_cell(unsigned cell, enum fl_target target, double at, void *ctx)
{
    struct report *r = ctx;

    (void)cell;
    r->cells = grow_array(r->cells, r->ncells, sizeof *r->cells);
    r->cells[r->ncells++] = (struct cell_seen){target, at};
    return true;
}

static bool take_run(const struct run *run, void *ctx)
{
    struct report *r = ctx;

    r->runs = grow_array(r->runs, r->nruns, sizeof *r->runs);
    r->runs[r->nruns++] = *run;
    return true;
}

static bool take_option(const char *name, const char *value, void *ctx)
{
    struct report *r = ctx;

    r->options = grow_array(r->options, r->noptions, sizeof *r->options);
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
