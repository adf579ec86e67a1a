/* SPDX-License-Identifier: MIT */
/* Minimising what is not minimised. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each try of a hang takes as long as the limit: so many, so long. */
#define HANG_TRIES   60
#define HANG_SECONDS 2.0

/* Stores the smaller scenario, unless something better came while it was being made. */
static bool store_smaller(struct store *s, struct bucket *b, const struct fl_scenario *small,
                          const struct minimised *report, bool *changed)
{
    uint32_t before = b->nrecords;
    struct bucket now;
    bool found;

    if (!store_begin(s))
        return false;
    if (!store_bucket_get(s, b->key, &now, &found))
        goto fail;
    if (!found || now.minimised || now.nrecords < small->nrecords || now.nrecords != before) {
        if (found)
            *b = now;
        return store_commit(s);
    }
    now.minimised = true;
    triage_describe(&now, small, &report->result);
    if (!triage_write(s, &now, small) || !store_bucket_put(s, &now))
        goto fail;
    if (!store_commit(s))
        return false;
    *b = now;
    *changed = true;
    return true;
fail:
    store_rollback(s);
    return false;
}

bool triage_minimise(struct store *s, struct replayer *r, struct bucket *b, bool *changed)
{
    struct fl_scenario *in = malloc(sizeof *in), *out = malloc(sizeof *out);
    struct minimised report;
    bool hang = strncmp(b->key, "hang/", 5) == 0, ok = true;

    *changed = false;
    if (!in || !out) {
        complain("out of memory");
        ok = false;
    } else if (!b->minimised) {
        ok = triage_read(s, b, in);
        if (hang)
            replay_limit(r, HANG_SECONDS);
        /* Not stable, or not under this build: it stays as it is, and stays to be done. */
        if (ok && minimise(r, in, b->target, hang ? HANG_TRIES : 0, out, &report) &&
            strcmp(report.result.key, b->key) == 0)
            ok = store_smaller(s, b, out, &report, changed);
        if (hang)
            replay_limit(r, 0);
    }
    free(in);
    free(out);
    return ok;
}
